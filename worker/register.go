package main

import (
	"go.temporal.io/sdk/worker"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/backup"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dlm"
	"lifeline/activities/drs"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/estate"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/observe"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/activities/sts"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/workflows"
)

// steps are all activities. They are made once and shared by all queues of this
// process, with their connections and rate limits.
type steps struct {
	tables  *dynamodb.Steps
	buckets *s3.Steps
	others  []any
	// building are the steps of setup and readiness, on their own queue only.
	building []any
}

// newSteps makes the activities; sampler is nil in a worker that is no observer.
// plans are those whose estates it may build.
func newSteps(c *cloud.Clients, sampler *observe.Sampler, plans ...plan.Plan) (steps, error) {
	kept, err := estate.New(keepers(c)...)
	if err != nil {
		return steps{}, err
	}
	guard := &builds{caller: sts.New(c), plans: plans}
	kept.Wanted, kept.Allowed = guard.wanted, guard.allowed
	return steps{
		building: append([]any{kept, sts.New(c), sns.New(c)}, proving(c)...),
		tables:   dynamodb.New(c), buckets: s3.New(c),
		others: []any{
			arc.New(c), autoscaling.New(c), cloudwatch.New(c), ec2.New(c), elb.New(c), observe.New(sampler),
			rds.New(c), route53.New(), servicequotas.New(c), sns.New(c),
		},
	}, nil
}

// proving are the steps that a proof of readiness reads with: those that runs
// read with too, and its own.
func proving(c *cloud.Clients) []any {
	return []any{
		cloudwatch.New(c), dynamodb.New(c), elb.New(c), rds.New(c), s3.New(c), servicequotas.New(c),
		arc.NewReady(c), autoscaling.NewReady(c), backup.NewReady(c), cloudwatch.NewReady(c), dlm.NewReady(c), drs.NewReady(c), dynamodb.NewReady(c),
		ec2.NewReady(c), elb.NewReady(c), iam.NewReady(c), kms.NewReady(c), rds.NewReady(c), route53.NewReady(c), s3.NewReady(c), servicequotas.NewReady(c), sts.NewReady(c),
	}
}

// register puts every step, and on a Region's queue every runbook, into one
// worker. Two steps of one name would make the SDK panic here, at start, and not
// in the middle of a run.
func (s steps) register(w worker.Registry, q queue) {
	if q.builds {
		workflows.RegisterSetup(w)
		for _, one := range s.building {
			w.RegisterActivity(one)
		}
		return
	}
	if !q.stepsOnly {
		workflows.Register(w)
	}
	w.RegisterActivity(s.tables)
	w.RegisterActivity(s.buckets)
	for _, other := range s.others {
		w.RegisterActivity(other)
	}
}
