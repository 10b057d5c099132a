package workflows_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

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
	"lifeline/activities/sns"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

const (
	east = plan.Region("us-east-1")
	west = plan.Region("us-west-2")
)

// world is a small AWS with state. Its methods stand in for the activities of
// the same name; what they change is what the invariants are asserted on.
type world struct {
	t    *testing.T
	env  *testsuite.TestWorkflowEnvironment
	plan plan.Plan
	keys map[string]ed25519.PrivateKey
	zero time.Time

	mu       sync.Mutex
	down     map[plan.Region]bool
	opinions map[string]map[plan.Region]bool // an observer that sees it otherwise: healthy?
	silent   map[string]bool                 // observers that do not answer
	rounds   int
	leaseIn  bool // the witness answers
	holder   plan.Region
	epoch    int64
	writer   plan.Region
	auroraAt time.Duration // lag
	marks    time.Duration // age of the newest watermark at the failure
	objects  map[string]bool
	frozen   map[plan.Region]bool
	fenced   map[string]bool
	badTx    bool
	acted    []string         // effects, in order
	fail     map[string]error // by activity
	told     []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	p, problems := plan.Load(filepath.Join("testdata", "plan.yaml"))
	require.NoError(t, problems.Err())
	w := &world{
		t: t, plan: p, keys: map[string]ed25519.PrivateKey{}, zero: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC),
		down: map[plan.Region]bool{east: true}, opinions: map[string]map[plan.Region]bool{}, silent: map[string]bool{},
		rounds: p.Observers.Rounds, leaseIn: true, holder: east, epoch: 1, writer: east,
		auroraAt: 300 * time.Millisecond, marks: time.Second,
		objects: map[string]bool{}, frozen: map[plan.Region]bool{}, fenced: map[string]bool{}, fail: map[string]error{},
	}
	for _, people := range [][]plan.Approver{p.Approvals.Approvers, p.Approvals.Operators} {
		for i := range people {
			public, private, err := ed25519.GenerateKey(nil)
			require.NoError(t, err)
			people[i].PublicKey = base64.StdEncoding.EncodeToString(public)
			w.keys[people[i].Name] = private
		}
	}
	suite := &testsuite.WorkflowTestSuite{}
	w.env = suite.NewTestWorkflowEnvironment()
	w.env.SetStartTime(w.zero)
	w.env.SetTestTimeout(30 * time.Second)
	// The race detector makes workflow code slow on a busy machine.
	w.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	w.register()
	// A run that waits for ever would keep the skipping clock busy for ever.
	w.at(30*24*time.Hour, func() {
		w.t.Error("the run did not end within 30 days")
		w.env.CancelWorkflow()
	})
	return w
}

func (w *world) register() {
	workflows.Register(w.env)
	for name, fn := range map[string]any{
		"ObserveRegions": w.observeRegions, "VerifyTransaction": w.verifyTransaction, "AwaitServed": w.awaitServed, "VerifyAnswers": w.verifyAnswers,
		"EvacuateByObject": w.evacuate, "ReturnByObject": w.comeBack, "EvacuateByRoutingControl": w.evacuateARC, "ReturnByRoutingControl": w.returnARC,
		"MeasureBucketLag": w.bucketLag, "AwaitBucketCaughtUp": w.bucketCaughtUp, "MeasureTableLag": w.tableLag, "AwaitTableCaughtUp": w.tableCaughtUp,
		"DescribeReplicas": w.replicas, "FenceLease": w.fenceLease, "UnfenceLease": w.fenceLease, "DescribeLease": w.describeLease,
		"DescribeAurora": w.describeAurora, "FailoverAurora": w.moveAurora, "SwitchoverAurora": w.moveAurora, "AwaitAuroraWriter": w.awaitAurora,
		"AwaitAuroraSynchronized": w.awaitAurora, "PreserveLostWrites": w.preserve, "MeasureAuroraLag": w.auroraLag,
		"FreezeScaling": w.freeze, "UnfreezeScaling": w.unfreeze, "ScaleGroup": w.scale, "DescribeGroup": w.group,
		"FenceCompute": w.fenceCompute, "UnfenceCompute": w.unfenceCompute, "FenceNetwork": w.fenceNetwork, "UnfenceNetwork": w.unfenceNetwork,
		"DescribeTargets": w.targets, "AwaitTargets": w.targets, "Notify": w.notify,
	} {
		w.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}

// enter begins every activity: it fails as the case wants, and a dark Region
// answers nothing.
func (w *world) enter(ctx context.Context, region plan.Region) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fail[activity.GetInfo(ctx).ActivityType.Name]; err != nil {
		return err
	}
	if w.down[region] {
		return temporal.NewApplicationError("no answer from "+string(region), "Unreachable")
	}
	return nil
}

// act applies an effect once, as check-act-confirm does.
func (w *world) act(ctx context.Context, region plan.Region, c runbook.Command, effect string, already func() bool, do func()) (runbook.Outcome, error) {
	if err := w.enter(ctx, region); err != nil {
		return runbook.Outcome{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case already():
		return runbook.Outcome{Effect: runbook.Already, Evidence: effect}, nil
	case c.DryRun:
		return runbook.Outcome{Effect: runbook.Would, Evidence: effect}, nil
	}
	do()
	w.acted = append(w.acted, effect)
	return runbook.Outcome{Effect: runbook.Acted, Evidence: effect, RequestID: "req-" + effect}, nil
}

func (w *world) observeRegions(ctx context.Context, _ observe.ObserveInput) (observe.Observation, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := strings.TrimPrefix(activity.GetInfo(ctx).TaskQueue, "lifeline-observer-")
	if w.silent[name] {
		return observe.Observation{}, temporal.NewNonRetryableApplicationError("observer is gone", "Unreachable", nil)
	}
	out := observe.Observation{Observer: name, Regions: map[string]observe.Verdict{}}
	for _, region := range []plan.Region{east, west} {
		healthy := !w.down[region]
		if other, ok := w.opinions[name][region]; ok {
			healthy = other
		}
		since := w.zero.Add(-time.Hour)
		if !healthy {
			since = w.failure()
		}
		out.Regions[string(region)] = observe.Verdict{Healthy: healthy, Rounds: w.rounds, Since: since}
	}
	return out, nil
}

// failure is when us-east-1 went dark: shortly before the run starts.
func (w *world) failure() time.Time { return w.zero.Add(-5 * time.Second) }

func (w *world) verifyTransaction(ctx context.Context, in observe.TransactionInput) (observe.TransactionResult, error) {
	if err := w.enter(ctx, ""); err != nil {
		return observe.TransactionResult{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.badTx {
		return observe.TransactionResult{}, temporal.NewNonRetryableApplicationError("503", "Unknown", nil)
	}
	return observe.TransactionResult{Region: string(in.Want)}, nil
}

func (w *world) awaitServed(ctx context.Context, in observe.ServedAwait) (observe.Served, error) {
	out := observe.Served{Region: string(west), First: map[string]time.Time{}}
	for _, l := range in.Locations {
		out.First[l] = in.Since.Add(30 * time.Second)
	}
	return out, w.enter(ctx, "")
}

func (w *world) verifyAnswers(ctx context.Context, _ route53.AnswersInput) (route53.Answers, error) {
	return route53.Answers{}, w.enter(ctx, "")
}

func (w *world) evacuate(ctx context.Context, in s3.ObjectSwitch) (runbook.Outcome, error) {
	return w.act(ctx, in.Region, in.Command, "put "+in.Key, func() bool { return w.objects[in.Key] }, func() { w.objects[in.Key] = true })
}

func (w *world) comeBack(ctx context.Context, in s3.ObjectSwitch) (runbook.Outcome, error) {
	return w.act(ctx, in.Region, in.Command, "delete "+in.Key, func() bool { return !w.objects[in.Key] }, func() { delete(w.objects, in.Key) })
}

func (w *world) evacuateARC(ctx context.Context, in arc.ControlSwitch) (runbook.Outcome, error) {
	return w.act(ctx, "", in.Command, "off "+in.Off, func() bool { return w.objects[in.Off] }, func() { w.objects[in.Off] = true })
}

func (w *world) returnARC(ctx context.Context, in arc.ControlSwitch) (runbook.Outcome, error) {
	return w.act(ctx, "", in.Command, "on "+in.Off, func() bool { return !w.objects[in.Off] }, func() { delete(w.objects, in.Off) })
}

func (w *world) mark() runbook.Watermark {
	w.mu.Lock()
	defer w.mu.Unlock()
	return runbook.Watermark{Found: w.marks >= 0, At: w.failure().Add(-w.marks), Read: w.zero}
}

func (w *world) bucketLag(ctx context.Context, in s3.BucketLag) (runbook.Watermark, error) {
	return w.mark(), w.enter(ctx, in.Region)
}

func (w *world) tableLag(ctx context.Context, in dynamodb.TableLag) (runbook.Watermark, error) {
	return w.mark(), w.enter(ctx, in.Region)
}

func (w *world) bucketCaughtUp(ctx context.Context, _ s3.BucketCaughtUp) (runbook.Outcome, error) {
	return runbook.Outcome{Effect: runbook.Already}, w.enter(ctx, "")
}

func (w *world) tableCaughtUp(ctx context.Context, _ dynamodb.TableCaughtUp) (runbook.Outcome, error) {
	return runbook.Outcome{Effect: runbook.Already}, w.enter(ctx, "")
}

func (w *world) replicas(ctx context.Context, _ dynamodb.TableRef) (dynamodb.Replicas, error) {
	return dynamodb.Replicas{Status: map[string]string{string(east): "ACTIVE", string(west): "ACTIVE"}}, w.enter(ctx, "")
}

func (w *world) fenceLease(ctx context.Context, in dynamodb.LeaseFence) (dynamodb.LeaseResult, error) {
	if !w.leaseIn {
		return dynamodb.LeaseResult{}, temporal.NewNonRetryableApplicationError("no answer from the witness", "Unreachable", nil)
	}
	out, err := w.act(ctx, in.Region, in.Command, "lease to "+string(in.To), func() bool { return w.holder == in.To }, func() { w.holder, w.epoch = in.To, w.epoch+1 })
	return dynamodb.LeaseResult{Outcome: out, Epoch: w.epoch, FreeAt: w.env.Now().Add(in.TTL)}, err
}

func (w *world) describeLease(ctx context.Context, in dynamodb.LeaseRef) (dynamodb.Lease, error) {
	w.mu.Lock()
	lease := dynamodb.Lease{Holder: string(w.holder), Epoch: w.epoch}
	w.mu.Unlock()
	return lease, w.enter(ctx, in.Region)
}

func (w *world) describeAurora(ctx context.Context, in rds.AuroraRef) (rds.Aurora, error) {
	w.mu.Lock()
	out := rds.Aurora{Status: "available", WriterRegion: string(w.writer)}
	for _, r := range []plan.Region{east, west} {
		out.Members = append(out.Members, rds.AuroraMember{ARN: "arn:" + string(r), Region: string(r), Writer: w.writer == r, Instances: 1})
	}
	w.mu.Unlock()
	return out, w.enter(ctx, in.Region)
}

func (w *world) moveAurora(ctx context.Context, in rds.AuroraMove) (runbook.Outcome, error) {
	to := plan.Region(strings.TrimPrefix(in.TargetARN, "arn:"))
	name := activity.GetInfo(ctx).ActivityType.Name
	return w.act(ctx, in.Region, in.Command, name+" to "+string(to), func() bool { return w.writer == to }, func() { w.writer = to })
}

func (w *world) awaitAurora(ctx context.Context, in rds.AuroraAwait) (rds.Aurora, error) {
	return rds.Aurora{}, w.enter(ctx, in.Region)
}

func (w *world) preserve(ctx context.Context, in rds.SnapshotCopy) (rds.Snapshot, error) {
	out, err := w.act(ctx, in.Region, in.Command, "copy snapshot", func() bool { return slices.Contains(w.acted, "copy snapshot") }, func() {})
	return rds.Snapshot{Outcome: out, Found: true, Source: "rds:unplanned-global-failover-x", Copy: "lifeline-x"}, err
}

func (w *world) auroraLag(ctx context.Context, in cloudwatch.AuroraLag) (cloudwatch.Lag, error) {
	w.mu.Lock()
	lag := cloudwatch.Lag{Found: w.auroraAt >= 0, Milliseconds: float64(w.auroraAt.Milliseconds()), At: w.failure()}
	w.mu.Unlock()
	return lag, w.enter(ctx, in.Region)
}

func (w *world) freeze(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	return w.act(ctx, in.Region, in.Command, "freeze "+string(in.Region), func() bool { return w.frozen[in.Region] }, func() { w.frozen[in.Region] = true })
}

func (w *world) unfreeze(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	return w.act(ctx, in.Region, in.Command, "unfreeze "+string(in.Region), func() bool { return !w.frozen[in.Region] }, func() { w.frozen[in.Region] = false })
}

func (w *world) scale(ctx context.Context, in autoscaling.GroupScale) (runbook.Outcome, error) {
	return w.act(ctx, in.Region, in.Command, "scale "+string(in.Region), func() bool { return false }, func() {})
}

func (w *world) group(ctx context.Context, in autoscaling.GroupRef) (autoscaling.Group, error) {
	w.mu.Lock()
	n := 2
	if w.fenced["compute "+string(in.Region)] {
		n = 0
	}
	w.mu.Unlock()
	return autoscaling.Group{Min: n, Max: 6, Desired: n, Instances: n, InService: n, Subnets: []string{"subnet-1"}}, w.enter(ctx, in.Region)
}

func (w *world) fenceStep(ctx context.Context, region plan.Region, c runbook.Command, what string, on bool) (runbook.Outcome, error) {
	key := what + " " + string(region)
	verb := map[bool]string{true: "fence ", false: "unfence "}[on]
	return w.act(ctx, region, c, verb+key, func() bool { return w.fenced[key] == on }, func() { w.fenced[key] = on })
}

func (w *world) fenceCompute(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	return w.fenceStep(ctx, in.Region, in.Command, "compute", true)
}

func (w *world) unfenceCompute(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	return w.fenceStep(ctx, in.Region, in.Command, "compute", false)
}

func (w *world) fenceNetwork(ctx context.Context, in ec2.NetworkFence) (runbook.Outcome, error) {
	return w.fenceStep(ctx, in.Region, in.Command, "network", true)
}

func (w *world) unfenceNetwork(ctx context.Context, in ec2.NetworkFence) (runbook.Outcome, error) {
	return w.fenceStep(ctx, in.Region, in.Command, "network", false)
}

func (w *world) targets(ctx context.Context, in elb.TargetsRef) (elb.Targets, error) {
	return elb.Targets{Healthy: 2, Total: 2}, w.enter(ctx, in.Region)
}

func (w *world) notify(_ context.Context, in sns.Notification) (sns.Delivered, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, in.Subject)
	return sns.Delivered{}, nil
}

// start is a signed start by dana, who is an operator.
func (w *world) start(name runbook.Name, from, to plan.Region) runbook.Input {
	s := runbook.Start{By: "dana", Runbook: name, From: from, To: to, At: w.zero}
	s.Signature = runbook.Sign(w.keys["dana"], s.Message(w.plan.Application))
	return runbook.Input{Plan: w.plan, Start: s}
}

// status reads the run's report.
func (w *world) status() runbook.Report {
	v, err := w.env.QueryWorkflow(runbook.QueryStatus)
	require.NoError(w.t, err)
	var rep runbook.Report
	require.NoError(w.t, v.Get(&rep))
	return rep
}

// decision is what a person would sign on the ballot that is open, with every
// risk acknowledged.
func (w *world) decision(by string, approve bool) runbook.Decision {
	rep := w.status()
	d := runbook.Decision{By: by, Approve: approve, RunID: rep.RunID}
	if b := rep.Ballot(); b != nil {
		d.Stage, d.Nonce = b.Stage, b.Nonce
		for _, risk := range b.Risks {
			d.Acknowledge = append(d.Acknowledge, risk.Code)
		}
	}
	return w.sign(d)
}

func (w *world) sign(d runbook.Decision) runbook.Decision {
	if key, ok := w.keys[d.By]; ok {
		d.Signature = runbook.Sign(key, d.Message(w.plan.Application))
	}
	return d
}

// at runs fn when the workflow's clock is d after its start.
func (w *world) at(d time.Duration, fn func()) { w.env.RegisterDelayedCallback(fn, d) }

// verdict is how an update ended.
type verdict struct{ refused, failed error }

func (w *world) decide(d runbook.Decision) *verdict {
	return w.update(runbook.UpdateDecide, fmt.Sprint(d.By, d.Approve, d.Nonce, d.Signature), d)
}

func (w *world) order(by string, o runbook.Order, step string) *verdict {
	c := runbook.Control{By: by, Order: o, Step: step, RunID: w.status().RunID}
	if key, ok := w.keys[by]; ok {
		c.Signature = runbook.Sign(key, c.Message(w.plan.Application))
	}
	return w.update(runbook.UpdateControl, fmt.Sprint(by, o, step, w.env.Now().UnixNano()), c)
}

func (w *world) update(name, id string, arg any) *verdict {
	v := &verdict{}
	w.env.UpdateWorkflow(name, id, &testsuite.TestUpdateCallback{
		OnAccept: func() {}, OnReject: func(err error) { v.refused = err }, OnComplete: func(_ any, err error) { v.failed = err },
	}, arg)
	return v
}

// approveAt lets people approve, one second apart.
func (w *world) approveAt(d time.Duration, people ...string) {
	for i, name := range people {
		w.at(d+time.Duration(i)*time.Second, func() {
			v := w.decide(w.decision(name, true))
			w.at(0, func() { require.NoError(w.t, v.refused) })
		})
	}
}

// play runs a runbook to its end and returns its report, also from an error.
func (w *world) play(name string, in runbook.Input) runbook.Report {
	w.env.ExecuteWorkflow(name, in)
	require.True(w.t, w.env.IsWorkflowCompleted())
	var rep runbook.Report
	err := w.env.GetWorkflowError()
	if err == nil {
		require.NoError(w.t, w.env.GetWorkflowResult(&rep))
		return rep
	}
	var app *temporal.ApplicationError
	require.ErrorAs(w.t, err, &app)
	require.NoError(w.t, app.Details(&rep), "a failed run carries its report: %v", err)
	return rep
}

func (w *world) effects() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.acted)
}
