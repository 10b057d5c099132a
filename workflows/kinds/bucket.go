package kinds

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/s3"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// bucket is a pair of S3 buckets replicated both ways: nothing is promoted.
type bucket struct{}

// Measure reads From's watermark object in To's bucket.
func (bucket) Measure(ctx workflow.Context, p Player, r plan.Resource, ref time.Time) (runbook.Loss, error) {
	var a *s3.Steps
	m := p.Move()
	step := runbook.Step{Name: "MeasureBucketLag", Resource: r.Name, Region: string(m.To), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: callBudget}
	var mark runbook.Watermark
	err := p.Query(ctx, step, a.MeasureBucketLag, s3.BucketLag{Region: m.To, Of: m.From, Bucket: r.Regions[m.To]["bucket"]}, &mark)
	return lossByWatermark(m.Plan, r, mark, ref), err
}

// Catchup sends a marker object through replication.
func (bucket) Catchup(ctx workflow.Context, p Player, r plan.Resource) error {
	var a *s3.Steps
	m := p.Move()
	step := runbook.Step{Name: "AwaitBucketCaughtUp", Resource: r.Name, Region: string(m.To), Plane: runbook.Data, Reversibility: runbook.Reversible, Budget: rebuildBudget}
	in := s3.BucketCaughtUp{
		From: s3.BucketRef{Region: m.From, Bucket: r.Regions[m.From]["bucket"]},
		To:   s3.BucketRef{Region: m.To, Bucket: r.Regions[m.To]["bucket"]},
	}
	in.Token = token(ctx, step)
	return p.Await(ctx, step, a.AwaitBucketCaughtUp, in, nil)
}
