package steps_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/observe"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/local/aws/sim"
	"lifeline/local/aws/world"
	"lifeline/local/estate"
)

// The Regions of the example plans.
const (
	east    = plan.Region("us-east-1")
	west    = plan.Region("us-west-2")
	witness = plan.Region("us-east-2")
)

// patience is how long any test waits for anything: long, because a busy machine
// is no failure.
const patience = 30 * time.Second

// unhurried is the timeout of requests that should simply be answered.
const unhurried = 3 * time.Second

// fixture is a simulated AWS with the estate of a plan.
type fixture struct {
	*sim.Sim
	plan    plan.Plan
	admin   aws.Config // may do everything; for looking at the world and preparing it
	allowed []string   // what a worker may do: the policy that Lifeline ships
	workers atomic.Int64
}

// start builds the estate of an example plan, changed a little, in a world of
// its own; from then on AWS's waits pass compression times as fast as real time.
func start(t *testing.T, example string, compression float64, change func(*plan.Plan)) *fixture {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", example))
	require.NoError(t, problems.Err())
	if change != nil {
		change(&p)
	}
	regions := make([]string, 0, len(p.Regions))
	for _, r := range p.Regions {
		regions = append(regions, string(r.Name))
	}
	quick := max(compression, 200)
	s, err := sim.Start(t.Context(), sim.Options{API: "127.0.0.1:0", DNS: "127.0.0.1:0", Regions: regions, Compression: quick})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	f := &fixture{Sim: s, allowed: policy(t)}
	f.admin = f.config("AKIAADMIN")
	f.admin.RetryMaxAttempts = 5
	p.Traffic.NameServers = []string{s.DNS()}
	b := estate.Builder{Plan: p, Config: f.admin, Logger: slog.New(slog.DiscardHandler), Patience: 2 * patience}
	require.NoError(t, b.Build(t.Context()))
	s.World.SetCompression(compression)
	f.plan = b.Plan
	return f
}

// config is what the standard AWS variables give with AWS_ENDPOINT_URL set.
func (f *fixture) config(caller string) aws.Config {
	return aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String("http://" + f.API()),
		Credentials: credentials.NewStaticCredentialsProvider(caller, "local", ""),
	}
}

func (f *fixture) in(region plan.Region) aws.Config {
	c := f.admin.Copy()
	c.Region = string(region)
	return c
}

// policy is the allow list that Lifeline ships for its workers.
func policy(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "policies", "worker.json"))
	require.NoError(t, err)
	var doc struct{ Statement []struct{ Action []string } }
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.Len(t, doc.Statement, 1)
	require.NotEmpty(t, doc.Statement[0].Action)
	return doc.Statement[0].Action
}

// worker is every step as a worker process has them, with an access key of its
// own that may do what the shipped policy says and nothing else.
type worker struct {
	f       *fixture
	caller  string
	timeout time.Duration // of one attempt; 0 is the product's default

	arc         *arc.Steps
	autoscaling *autoscaling.Steps
	cloudwatch  *cloudwatch.Steps
	dynamodb    *dynamodb.Steps
	ec2         *ec2.Steps
	elb         *elb.Steps
	observe     *observe.Steps
	rds         *rds.Steps
	route53     *route53.Steps
	s3          *s3.Steps
	quotas      *servicequotas.Steps
	sns         *sns.Steps
}

// worker starts one; without takes actions out of its policy.
func (f *fixture) worker(without ...string) *worker {
	caller := "AKIAWORKER" + strconv.FormatInt(f.workers.Add(1), 10)
	f.World.SetPolicy(caller, slices.DeleteFunc(slices.Clone(f.allowed), func(a string) bool { return slices.Contains(without, a) }))
	c := cloud.Using(f.config(caller), cloud.Options{Caller: "worker"})
	return &worker{
		f: f, caller: caller,
		arc: arc.New(c), autoscaling: autoscaling.New(c), cloudwatch: cloudwatch.New(c), dynamodb: dynamodb.New(c),
		ec2: ec2.New(c), elb: elb.New(c), observe: observe.New(nil), rds: rds.New(c), route53: route53.New(),
		s3: s3.New(c), quotas: servicequotas.New(c), sns: sns.New(c),
	}
}

// suffer puts faults in force that hit this worker only.
func (w *worker) suffer(faults ...world.Fault) {
	for _, f := range faults {
		f.Caller = w.caller
		w.f.World.Inject(f)
	}
}

// calls is what this worker has asked of AWS.
func (w *worker) calls() []world.CallRecord {
	return slices.DeleteFunc(w.f.World.Calls(time.Time{}), func(c world.CallRecord) bool { return c.Caller != w.caller })
}

// changed are the mutating operations that were applied, in order.
func (w *worker) changed() []world.CallRecord {
	return slices.DeleteFunc(w.calls(), func(c world.CallRecord) bool {
		return !c.Mutating || c.Outcome != "ok" && c.Outcome != "answer lost"
	})
}

// eventually waits for what the world brings about by itself.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 20*time.Millisecond, what)
}

// within bounds a step.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
