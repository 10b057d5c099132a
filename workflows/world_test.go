package workflows_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

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
	now  func() time.Time

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
	headless bool             // the Aurora cluster in us-west-2 has no instance
	replica  string           // status of the table in us-west-2
	serving  int              // healthy targets
	stopping bool             // instances outlive their group's fence
	acted    []string         // effects, in order
	fail     map[string]error // by activity
	told     []string
	tokens   map[string]string   // of each effect
	moves    []time.Time         // of the single writer
	epochs   []int64             // as they were raised
	freeAt   time.Time           // when the old writer has surely stopped
	mischief func(call) mischief // what befalls an attempt; nil: nothing
	started  int                 // attempts of activities
	seen     map[string]int      // how often each activity was tried
	over     chan struct{}       // closed when the run has ended
}

func newWorld(t *testing.T) *world {
	t.Helper()
	p, problems := plan.Load(filepath.Join("testdata", "plan.yaml"))
	require.NoError(t, problems.Err())
	w := &world{
		t: t, plan: p, keys: map[string]ed25519.PrivateKey{}, zero: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC),
		down: map[plan.Region]bool{east: true}, opinions: map[string]map[plan.Region]bool{}, silent: map[string]bool{},
		rounds: p.Observers.Rounds, replica: "ACTIVE", serving: 2, leaseIn: true, holder: east, epoch: 1, writer: east,
		auroraAt: 300 * time.Millisecond, marks: time.Second,
		objects: map[string]bool{}, frozen: map[plan.Region]bool{}, fenced: map[string]bool{}, fail: map[string]error{}, tokens: map[string]string{}, seen: map[string]int{}, over: make(chan struct{}),
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
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w.env = suite.NewTestWorkflowEnvironment()
	w.env.SetStartTime(w.zero)
	w.now = w.env.Now
	w.env.SetTestTimeout(30 * time.Second)
	// The race detector makes workflow code slow on a busy machine.
	w.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second, Interceptors: []interceptor.WorkerInterceptor{&befalls{w: w}}})
	w.register()
	// A run that waits for ever would keep the skipping clock busy for ever.
	w.at(8*24*time.Hour, func() {
		w.t.Error("the run did not end within 8 days")
		w.env.CancelWorkflow()
	})
	return w
}

func (w *world) register() {
	workflows.Register(w.env)
	for name, fn := range w.activities() {
		w.env.RegisterActivityWithOptions(fn, activity.RegisterOptions{Name: name})
	}
}

// activities stand in for the steps of the same names.
func (w *world) activities() map[string]any {
	return map[string]any{
		"ObserveRegions": w.observeRegions, "VerifyTransaction": w.verifyTransaction, "AwaitServed": w.awaitServed, "VerifyAnswers": w.verifyAnswers,
		"EvacuateByObject": w.evacuate, "ReturnByObject": w.comeBack, "EvacuateByRoutingControl": w.evacuateARC, "ReturnByRoutingControl": w.returnARC,
		"MeasureBucketLag": w.bucketLag, "AwaitBucketCaughtUp": w.bucketCaughtUp, "MeasureTableLag": w.tableLag, "AwaitTableCaughtUp": w.tableCaughtUp,
		"DescribeReplicas": w.replicas, "FenceLease": w.fenceLease, "UnfenceLease": w.fenceLease, "DescribeLease": w.describeLease,
		"DescribeAurora": w.describeAurora, "FailoverAurora": w.moveAurora, "SwitchoverAurora": w.moveAurora, "AwaitAuroraWriter": w.awaitAurora,
		"AwaitAuroraSynchronized": w.awaitAurora, "PreserveLostWrites": w.preserve, "MeasureAuroraLag": w.auroraLag,
		"FreezeScaling": w.freeze, "UnfreezeScaling": w.unfreeze, "ScaleGroup": w.scale, "DescribeGroup": w.group,
		"FenceCompute": w.fenceCompute, "UnfenceCompute": w.unfenceCompute, "FenceNetwork": w.fenceNetwork, "UnfenceNetwork": w.unfenceNetwork,
		"DescribeTargets": w.targets, "AwaitTargets": w.targets, "Notify": w.notify,
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

// deed is one effect on one Region, by one command.
type deed struct {
	region  plan.Region
	command runbook.Command
	effect  string
}

// act applies an effect once, as check-act-confirm does.
func (w *world) act(ctx context.Context, d deed, already func() bool, do func()) (runbook.Outcome, error) {
	if err := w.enter(ctx, d.region); err != nil {
		return runbook.Outcome{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case already():
		return runbook.Outcome{Effect: runbook.Already, Evidence: d.effect, Before: activity.GetInfo(ctx).Attempt == 1}, nil
	case d.command.DryRun:
		return runbook.Outcome{Effect: runbook.Would, Evidence: d.effect}, nil
	}
	do()
	w.acted = append(w.acted, d.effect)
	w.tokens[d.effect] = d.command.Token
	return runbook.Outcome{Effect: runbook.Acted, Evidence: d.effect, RequestID: "req-" + d.effect}, nil
}
