package workflows_test

import (
	"context"

	"github.com/google/uuid"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"

	"lifeline/internal/runbook"
)

// call is one attempt of one activity.
type call struct {
	name    string
	queue   string
	attempt int32
}

// mischief is what befalls one attempt.
type mischief int

const (
	nothing   mischief = iota
	refuses            // permanent error, nothing done
	throttles          // error that is tried again, nothing done
	loses              // done, and the answer is lost
	abortsAt           // an abort is ordered before anything is done
	abortsIn           // done, and an abort is ordered before the answer arrives
	pausesAt           // the run is paused before anything is done, which then fails
	pausesIn           // done, and the run is paused before the answer arrives
)

// befalls brings mischief over activities, as a worker's interceptor.
type befalls struct {
	interceptor.WorkerInterceptorBase
	w *world
}

func (b *befalls) InterceptActivity(ctx context.Context, next interceptor.ActivityInboundInterceptor) interceptor.ActivityInboundInterceptor {
	in := &befallen{w: b.w}
	in.Next = b.WorkerInterceptorBase.InterceptActivity(ctx, next)
	return in
}

type befallen struct {
	interceptor.ActivityInboundInterceptorBase
	w *world
}

func (b *befallen) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	what := b.w.befall(call{name: info.ActivityType.Name, queue: info.TaskQueue, attempt: info.Attempt})
	switch what {
	case refuses:
		return nil, temporal.NewNonRetryableApplicationError("access denied", "Denied", nil)
	case throttles:
		return nil, temporal.NewApplicationError("slow down", "Throttled")
	case abortsAt:
		b.w.abortNow()
		return nil, temporal.NewNonRetryableApplicationError("cancelled before it began", "Unknown", nil)
	case pausesAt:
		b.w.orderNow(runbook.Pause)
		return nil, temporal.NewNonRetryableApplicationError("access denied", "Denied", nil)
	case nothing, loses, abortsIn, pausesIn:
	}
	answer, err := b.Next.ExecuteActivity(ctx, in)
	switch what {
	case loses:
		return nil, temporal.NewApplicationError("the answer was lost", "Unreachable")
	case abortsIn:
		b.w.abortNow()
	case pausesIn:
		b.w.orderNow(runbook.Pause)
	case nothing, refuses, throttles, abortsAt, pausesAt:
	}
	return answer, err
}

func (w *world) befall(c call) mischief {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started++
	w.seen[c.name]++
	if w.mischief == nil {
		return nothing
	}
	return w.mischief(c)
}

func (w *world) abortNow() { w.orderNow(runbook.Abort) }

// orderNow gives an order from inside an activity and waits until the run has
// heard it, so that the order comes before the activity's answer.
func (w *world) orderNow(o runbook.Order) {
	heard := make(chan struct{})
	w.at(0, func() {
		c := runbook.Control{By: "dana", Order: o, RunID: w.status().RunID}
		c.Signature = runbook.Sign(w.keys["dana"], c.Message(w.plan.Application))
		w.env.UpdateWorkflow(runbook.UpdateControl, uuid.NewString(), &answered{heard: heard}, c)
	})
	select {
	case <-heard:
	case <-w.over:
	}
}

// answered closes a channel when an update was obeyed or refused.
type answered struct{ heard chan struct{} }

func (a *answered) Accept()             {}
func (a *answered) Reject(error)        { close(a.heard) }
func (a *answered) Complete(any, error) { close(a.heard) }

// when is mischief at the nth time that an activity is tried.
func when(name string, nth int, what mischief) func(call) mischief {
	tried := 0
	return func(c call) mischief {
		if c.name != name {
			return nothing
		}
		if tried++; tried == nth {
			return what
		}
		return nothing
	}
}
