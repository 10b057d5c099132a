package kinds

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Move is what a region-moving runbook is about.
type Move struct {
	Plan   plan.Plan
	Class  runbook.Class
	From   plan.Region // is left
	To     plan.Region // takes over
	DryRun bool
}

// Player is what a runbook lends to a kind.
type Player interface {
	Move() Move
	// Query reads the world: short, retried until the step's budget ends.
	Query(ctx workflow.Context, s runbook.Step, activity, in, out any) error
	// Change changes the world; in a dry run it only says what it would do.
	Change(ctx workflow.Context, c Change) error
	// Await watches the world until it is as wanted; passed over in a dry run.
	Await(ctx workflow.Context, s runbook.Step, activity, in, out any) error
	// Aside runs fn beside the stage. The run gathers it before it needs the result.
	Aside(ctx workflow.Context, fn func(workflow.Context))
}

// Change is one act and how it is taken back.
type Change struct {
	Step     runbook.Step
	Activity any
	Input    func(runbook.Command) any
	Out      any   // where the answer goes beyond its Outcome; may be nil
	Undo     *Undo // registered before the act; nil when there is nothing to undo
}

// Undo takes a change back.
type Undo struct {
	Step     runbook.Step
	Activity any
	Input    func(runbook.Command) any
	// Guard reads whether taking back is right now, and why not. It may be nil.
	Guard func(workflow.Context) (ok bool, why string)
}

// Assessor reads whether To can take over; planned runbooks are refused when not.
type Assessor interface {
	Assess(ctx workflow.Context, p Player, r plan.Resource) error
}

// Freezer stops automation that would work against the runbook.
type Freezer interface {
	Freeze(ctx workflow.Context, p Player, r plan.Resource) error
}

// Prescaler makes room in the Region that takes over.
type Prescaler interface {
	Prescale(ctx workflow.Context, p Player, r plan.Resource) error
}

// Meter measures how much would be lost if To took over, counted back from ref
// (the failure, or now).
type Meter interface {
	Measure(ctx workflow.Context, p Player, r plan.Resource, ref time.Time) (runbook.Loss, error)
}

// Fencer stops writes in From and says what each layer achieved.
type Fencer interface {
	Fence(ctx workflow.Context, p Player, r plan.Resource, report func(runbook.LayerResult)) error
}

// Promoter makes To the writer without From's help. One way.
type Promoter interface {
	NeedsPromotion(ctx workflow.Context, p Player, r plan.Resource) (bool, error)
	Promote(ctx workflow.Context, p Player, r plan.Resource) error
}

// Switcher makes To the writer with From's help, losing nothing.
type Switcher interface {
	Switch(ctx workflow.Context, p Player, r plan.Resource) error
}

// Reprotector waits until replication runs again in both directions, and
// returns what people still have to do.
type Reprotector interface {
	Reprotect(ctx workflow.Context, p Player, r plan.Resource) (left []string, err error)
}

// Catcher waits until everything written in From has arrived in To.
type Catcher interface {
	Catchup(ctx workflow.Context, p Player, r plan.Resource) error
}

// Releaser takes freezes and fences of a Region away.
type Releaser interface {
	Release(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) error
}

// For is what a kind does; false when the kind is unknown.
func For(k plan.Kind) (any, bool) {
	switch k {
	case plan.DynamoDBTable:
		return table{}, true
	case plan.AuroraGlobal:
		return aurora{}, true
	case plan.S3Bucket:
		return bucket{}, true
	case plan.Service:
		return service{}, true
	case plan.RDSInstance:
		return instance{}, true
	case plan.EBSVolume:
		return volume{}, true
	case plan.DRSServer:
		return server{}, true
	}
	return nil, false
}

// Identity is the run's own id. It outlives a reset, so that acts keep their
// tokens and approvals their run.
func Identity(ctx workflow.Context) string {
	info := workflow.GetInfo(ctx)
	if info.OriginalRunID != "" {
		return info.OriginalRunID
	}
	return info.WorkflowExecution.RunID
}

// bestEffort marks a step that calls the Region that is left in an emergency:
// tried once, shortly, and never waited for.
func bestEffort(m Move, s runbook.Step) runbook.Step {
	if m.Class == runbook.Emergency && s.Region == string(m.From) {
		s.BestEffort = true
		s.Budget = suspectBudget
	}
	return s
}

const (
	// suspectBudget bounds a call into the suspect Region (design: 2-5 s).
	suspectBudget = 3 * time.Second
	// hurryBudget bounds a reading that an emergency can do without.
	hurryBudget = 10 * time.Second
	// callBudget bounds a step that is one or two API calls, with retries.
	callBudget = 2 * time.Minute
	// promotionBudget bounds an Aurora promotion: "a few minutes" (Aurora User
	// Guide, disaster recovery), with room for a slow one.
	promotionBudget = 30 * time.Minute
	// rebuildBudget bounds the rebuild of a secondary after an unplanned
	// failover: minutes to hours.
	rebuildBudget = 12 * time.Hour
)

// windowSince is the data-loss window of a mark: everything written after it
// and before ref may be lost.
func windowSince(mark, ref time.Time) time.Duration {
	return max(0, ref.Sub(mark))
}
