package runbook

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Plane is the part of AWS that a step depends on
// (AWS Fault Isolation Boundaries whitepaper).
type Plane string

// Planes. A global control plane lives in one Region and dies with it.
const (
	Data            Plane = "data"
	RegionalControl Plane = "regional-control"
	GlobalControl   Plane = "global-control"
)

// Reversibility says what taking a step back would need.
type Reversibility string

// Reversibilities.
const (
	Reversible  Reversibility = "reversible"  // undone by doing nothing more
	Compensable Reversibility = "compensable" // undone by a registered step
	OneWay      Reversibility = "one-way"     // never undone; the way back is another runbook
)

// Step describes one act on one resource. It is the argument of the player, the
// row of the timeline and the line of a dry run.
type Step struct {
	Name          string        `json:"name"`               // verb and noun, the activity's name: "FenceAurora"
	Resource      string        `json:"resource,omitempty"` // the plan's name of the resource
	Region        string        `json:"region,omitempty"`   // where the call goes
	Plane         Plane         `json:"plane"`
	Reversibility Reversibility `json:"reversibility"`
	Budget        time.Duration `json:"budget"` // longest that the step may take, retries included
	BestEffort    bool          `json:"best_effort,omitempty"`
	Optional      bool          `json:"optional,omitempty"` // may be skipped by a person, or by the 80 % timer
}

// Effect is what a step's act did to the world.
type Effect string

// Effects.
const (
	Already Effect = "already" // the check found it so; nothing was done
	Acted   Effect = "acted"   // done and read back
	Would   Effect = "would"   // dry run: the check found it not so
)

// Outcome is a step's answer: what it did and what was read to prove it.
type Outcome struct {
	Effect   Effect `json:"effect"`
	Evidence string `json:"evidence"` // what was read back, for people
	// RequestID is the AWS request id of the act, empty when nothing was done.
	RequestID string `json:"request_id,omitempty"`
	// Before says that the first attempt already found it so: others did it, and
	// it is not the run's to take back.
	Before bool `json:"before,omitempty"`
}

type firstAttempt struct{}

// FirstAttempt marks the context of a step that this run has not tried before.
// Only then does "it is so already" mean that others did it: after a repetition
// it may as well be an act of ours whose answer was lost. Without the mark a run
// takes back what it finds, which errs on the side of its own acts.
func FirstAttempt(ctx context.Context) context.Context {
	return context.WithValue(ctx, firstAttempt{}, true)
}

func isFirst(ctx context.Context) bool {
	first, _ := ctx.Value(firstAttempt{}).(bool)
	return first
}

// ErrNotConfirmed says that an act was answered but reading back did not show it.
var ErrNotConfirmed = errors.New("not confirmed")

// Act is the shape of every change to the world: look, do, look again.
// "AWS answered 200" is not success; what Check reads afterwards is.
type Act struct {
	// Check reads whether the world is already as wanted, and says what it read.
	Check func(context.Context) (done bool, evidence string, err error)
	// Do changes the world. It is idempotent and returns the AWS request id.
	Do func(context.Context) (requestID string, err error)
	// Would is what a dry run says that Do would do.
	Would string
}

// Run checks, acts and confirms. In a dry run it only checks.
// A failed check of a best-effort step is the caller's to judge; Run never
// acts on a world that it could not read.
func (a Act) Run(ctx context.Context, dryRun bool) (Outcome, error) {
	done, evidence, err := a.Check(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("check: %w", err)
	}
	if done {
		return Outcome{Effect: Already, Evidence: evidence, Before: isFirst(ctx)}, nil
	}
	if dryRun {
		return Outcome{Effect: Would, Evidence: a.Would + " (now: " + evidence + ")"}, nil
	}
	id, err := a.Do(ctx)
	if err != nil {
		return Outcome{}, err
	}
	done, evidence, err = a.Check(ctx)
	if err != nil {
		return Outcome{}, fmt.Errorf("confirm: %w", err)
	}
	if !done {
		return Outcome{}, fmt.Errorf("%w: %s", ErrNotConfirmed, evidence)
	}
	return Outcome{Effect: Acted, Evidence: evidence, RequestID: id}, nil
}

// Command is what every change carries.
type Command struct {
	// DryRun makes the step only check and say what it would do.
	DryRun bool `json:"dry_run,omitempty"`
	// Token is the idempotency token: UUIDv5 of workflow id, stage and resource.
	Token string `json:"token,omitempty"`
}

// Watermark is the newest mark of one Region that another Region can see: the
// only measure of data loss that works when the source Region is dark.
type Watermark struct {
	Found bool      `json:"found"`
	At    time.Time `json:"at"`   // when it was written
	Read  time.Time `json:"read"` // when it was read
}
