package temporal

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

const (
	// HeartbeatEvery is how often a running activity says that its worker lives.
	// With a heartbeat timeout of 2 s a killed worker is noticed within 2 s. The
	// SDK holds heartbeats back to 80 % of the timeout unless the worker's
	// MaxHeartbeatThrottleInterval is lower: set it to this.
	HeartbeatEvery = 500 * time.Millisecond

	// throttleDelay is the pause after AWS said "slow down": its buckets refill
	// by the second.
	throttleDelay = time.Second

	// quotaDelay is the pause after a limit was hit: something must end first.
	quotaDelay = 5 * time.Second
)

// WorkerInterceptor stands around every activity of a worker: it heartbeats, so
// that steps are plain Go, it tells a first attempt from a repetition, and it puts
// the retry verdict on last. Last, because Temporal reads only the outermost error:
// a non-retryable error that is wrapped afterwards is retried.
type WorkerInterceptor struct {
	interceptor.WorkerInterceptorBase
}

// NewWorkerInterceptor makes the interceptor for worker.Options.Interceptors.
func NewWorkerInterceptor() *WorkerInterceptor { return &WorkerInterceptor{} }

// InterceptActivity wraps one activity execution.
func (w *WorkerInterceptor) InterceptActivity(
	ctx context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	wrapped := w.WorkerInterceptorBase.InterceptActivity(ctx, next)
	return &inbound{ActivityInboundInterceptorBase: interceptor.ActivityInboundInterceptorBase{Next: wrapped}}
}

type inbound struct {
	interceptor.ActivityInboundInterceptorBase
}

// ExecuteActivity runs the step with a beating heart.
func (i *inbound) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	if info.Attempt == 1 {
		ctx = runbook.FirstAttempt(ctx)
	}
	stop := beat(ctx, pulse(info.HeartbeatTimeout), func(ctx context.Context) { activity.RecordHeartbeat(ctx) })
	defer stop()
	answer, err := i.Next.ExecuteActivity(ctx, in)
	return answer, Verdict(ctx, err)
}

// pulse is how often a step with a heartbeat timeout beats: four times within it,
// and not more often than any step has to. Each beat costs Temporal a write.
func pulse(timeout time.Duration) time.Duration { return max(HeartbeatEvery, timeout/4) }

// beat heartbeats in the background until it is stopped. It is also how a
// cancellation reaches a step: the answer to a heartbeat carries it.
func beat(ctx context.Context, every time.Duration, record func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				record(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// lost is why the SDK stopped a step that nobody has cancelled: it does so when one
// heartbeat was not taken in time. Temporal refuses to call that cancelled, and
// would try again only after the heartbeat's timeout.
func lost(ctx context.Context) error {
	why := context.Cause(ctx)
	if why == nil || errors.Is(why, context.Canceled) || temporal.IsCanceledError(why) {
		return nil
	}
	return why
}

// Verdict turns a step's error into what Temporal needs to know: its kind as
// type, whether and when to try again, and whether it is worth a line in the log.
func Verdict(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	// A cancelled step ends as cancelled; a verdict around it would hide that.
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		if why := lost(ctx); why != nil {
			return temporal.NewApplicationErrorWithOptions("stopped, since Temporal took no heartbeat: "+why.Error(), string(cloud.Unreachable), temporal.ApplicationErrorOptions{})
		}
		return err
	}
	// A step may already have spoken in Temporal's own words.
	var spoken *temporal.ApplicationError
	if errors.As(err, &spoken) {
		return spoken
	}
	kind := cloud.KindOf(err)
	// No cause: the message says it all, and each layer of an SDK error would be
	// stored in the history once more.
	options := temporal.ApplicationErrorOptions{NonRetryable: kind.Permanent()}
	switch kind {
	case cloud.Throttled:
		options.NextRetryDelay = throttleDelay
	case cloud.Quota:
		options.NextRetryDelay = quotaDelay
	case cloud.NotYet:
		options.Category = temporal.ApplicationErrorCategoryBenign
	case cloud.Invalid, cloud.NotFound, cloud.Conflict, cloud.Denied, cloud.Unreachable, cloud.Unknown:
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), string(kind), options)
}
