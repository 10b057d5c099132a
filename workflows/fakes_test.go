package workflows_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

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
)

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
	return w.act(ctx, deed{in.Region, in.Command, "put " + in.Key}, func() bool { return w.objects[in.Key] }, func() { w.objects[in.Key] = true })
}

func (w *world) comeBack(ctx context.Context, in s3.ObjectSwitch) (runbook.Outcome, error) {
	return w.act(ctx, deed{in.Region, in.Command, "delete " + in.Key}, func() bool { return !w.objects[in.Key] }, func() { delete(w.objects, in.Key) })
}

func (w *world) evacuateARC(ctx context.Context, in arc.ControlSwitch) (runbook.Outcome, error) {
	return w.act(ctx, deed{"", in.Command, "off " + in.Off}, func() bool { return w.objects[in.Off] }, func() { w.objects[in.Off] = true })
}

func (w *world) returnARC(ctx context.Context, in arc.ControlSwitch) (runbook.Outcome, error) {
	return w.act(ctx, deed{"", in.Command, "on " + in.Off}, func() bool { return !w.objects[in.Off] }, func() { delete(w.objects, in.Off) })
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
	return dynamodb.Replicas{Status: map[string]string{string(east): "ACTIVE", string(west): w.replica}}, w.enter(ctx, "")
}

func (w *world) fenceLease(ctx context.Context, in dynamodb.LeaseFence) (dynamodb.LeaseResult, error) {
	if !w.leaseIn {
		return dynamodb.LeaseResult{}, temporal.NewNonRetryableApplicationError("no answer from the witness", "Unreachable", nil)
	}
	out, err := w.act(ctx, deed{in.Region, in.Command, "lease to " + string(in.To)}, func() bool { return w.holder == in.To }, func() {
		w.holder, w.epoch, w.freeAt = in.To, w.epoch+1, w.now().Add(in.TTL)
		w.epochs = append(w.epochs, w.epoch)
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	free := w.freeAt
	if free.IsZero() {
		free = w.now().Add(in.TTL)
	}
	return dynamodb.LeaseResult{Outcome: out, Epoch: w.epoch, FreeAt: free}, err
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
		out.Members = append(out.Members, rds.AuroraMember{ARN: "arn:" + string(r), Region: string(r), Writer: w.writer == r, Instances: map[bool]int{false: 1}[w.headless && r == west]})
	}
	w.mu.Unlock()
	return out, w.enter(ctx, in.Region)
}

func (w *world) moveAurora(ctx context.Context, in rds.AuroraMove) (runbook.Outcome, error) {
	to := plan.Region(strings.TrimPrefix(in.TargetARN, "arn:"))
	name := activity.GetInfo(ctx).ActivityType.Name
	return w.act(ctx, deed{in.Region, in.Command, name + " to " + string(to)}, func() bool { return w.writer == to }, func() {
		w.writer = to
		w.moves = append(w.moves, w.now())
	})
}

func (w *world) awaitAurora(ctx context.Context, in rds.AuroraAwait) (rds.Aurora, error) {
	return rds.Aurora{}, w.enter(ctx, in.Region)
}

func (w *world) preserve(ctx context.Context, in rds.SnapshotCopy) (rds.Snapshot, error) {
	out, err := w.act(ctx, deed{in.Region, in.Command, "copy snapshot"}, func() bool { return slices.Contains(w.acted, "copy snapshot") }, func() {})
	return rds.Snapshot{Outcome: out, Found: true, Source: "rds:unplanned-global-failover-x", Copy: "lifeline-x"}, err
}

func (w *world) auroraLag(ctx context.Context, in cloudwatch.AuroraLag) (cloudwatch.Lag, error) {
	w.mu.Lock()
	lag := cloudwatch.Lag{Found: w.auroraAt >= 0, Milliseconds: float64(w.auroraAt.Milliseconds()), At: w.failure()}
	w.mu.Unlock()
	return lag, w.enter(ctx, in.Region)
}

func (w *world) freeze(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	return w.act(ctx, deed{in.Region, in.Command, "freeze " + string(in.Region)}, func() bool { return w.frozen[in.Region] }, func() { w.frozen[in.Region] = true })
}

func (w *world) unfreeze(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	return w.act(ctx, deed{in.Region, in.Command, "unfreeze " + string(in.Region)}, func() bool { return !w.frozen[in.Region] }, func() { w.frozen[in.Region] = false })
}

func (w *world) scale(ctx context.Context, in autoscaling.GroupScale) (runbook.Outcome, error) {
	return w.act(ctx, deed{in.Region, in.Command, "scale " + string(in.Region)}, func() bool { return slices.Contains(w.acted, "scale "+string(in.Region)) }, func() {})
}

func (w *world) group(ctx context.Context, in autoscaling.GroupRef) (autoscaling.Group, error) {
	w.mu.Lock()
	n := 2
	if w.fenced["compute "+string(in.Region)] && !w.stopping {
		n = 0
	}
	w.mu.Unlock()
	return autoscaling.Group{Min: n, Max: 6, Desired: n, Instances: n, InService: n, Subnets: []string{"subnet-1"}}, w.enter(ctx, in.Region)
}

func (w *world) fenceStep(ctx context.Context, region plan.Region, c runbook.Command, what string, on bool) (runbook.Outcome, error) {
	key := what + " " + string(region)
	verb := map[bool]string{true: "fence ", false: "unfence "}[on]
	return w.act(ctx, deed{region, c, verb + key}, func() bool { return w.fenced[key] == on }, func() { w.fenced[key] = on })
}

func (w *world) fenceCompute(ctx context.Context, in autoscaling.GroupStep) (runbook.Outcome, error) {
	if in.Group == "silent" {
		return runbook.Outcome{}, temporal.NewNonRetryableApplicationError("no answer", "Unreachable", nil)
	}
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
	return elb.Targets{Healthy: w.serving, Total: 2}, w.enter(ctx, in.Region)
}

func (w *world) notify(_ context.Context, in sns.Notification) (sns.Delivered, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, in.Subject)
	return sns.Delivered{}, nil
}
