package runbook

import (
	"time"

	"lifeline/internal/plan"
)

// State is where a stage or step stands.
type State string

// States of stages and steps.
const (
	Pending   State = "pending"
	Active    State = "active"
	Succeeded State = "done"
	Broken    State = "failed"
	Skipped   State = "skipped"
	Undoing   State = "undoing"
	Undone    State = "undone"
	Left      State = "left" // could not be undone, or must not be
)

// StepRecord is one step of the timeline.
type StepRecord struct {
	Step
	State    State     `json:"state"`
	Started  time.Time `json:"started,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Effect   Effect    `json:"effect,omitempty"`
	Evidence string    `json:"evidence,omitempty"`
	Request  string    `json:"request_id,omitempty"`
	Error    string    `json:"error,omitempty"`
}

// StageRecord is one stage of the timeline.
type StageRecord struct {
	Name    Stage        `json:"name"`
	Title   string       `json:"title"`
	OneWay  bool         `json:"one_way,omitempty"`
	State   State        `json:"state"`
	Started time.Time    `json:"started,omitzero"`
	Ended   time.Time    `json:"ended,omitzero"`
	Steps   []StepRecord `json:"steps,omitempty"`
}

// Event is something worth telling that is no step: a threshold passed, people
// told, an order given, a decision refused.
type Event struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // budget, notified, order, decision, gate, note
	Text string    `json:"text"`
}

// Served is when real clients of a location were first served by the Region
// that took over.
type Served struct {
	Location string      `json:"location"`
	Region   plan.Region `json:"region"`
	At       time.Time   `json:"at"`
}

// Report is the whole story of a run: the live status while it goes on, and its
// result afterwards.
type Report struct {
	Application string        `json:"application"`
	Runbook     Name          `json:"runbook"`
	WorkflowID  string        `json:"workflow_id"`
	RunID       string        `json:"run_id"`
	From        plan.Region   `json:"from"`
	To          plan.Region   `json:"to"`
	StartedBy   string        `json:"started_by"`
	DryRun      bool          `json:"dry_run,omitempty"`
	Started     time.Time     `json:"started"`
	Now         time.Time     `json:"now"` // of the last change or query
	Ended       time.Time     `json:"ended,omitzero"`
	Status      Status        `json:"status"`
	Phase       Stage         `json:"phase"`
	Summary     string        `json:"summary"`         // one sentence: what happened
	Cause       string        `json:"cause,omitempty"` // kind of the error that ended it: Denied, Unreachable, ...
	Safe        string        `json:"safe"`            // what is safe now
	Next        string        `json:"next"`            // the next command to type
	Objective   time.Duration `json:"objective"`
	Predicted   time.Duration `json:"predicted"` // worst case by the plan's capability
	RTOState    RTOState      `json:"rto_state"`
	Clocks      Clocks        `json:"clocks"`
	Spans       Spans         `json:"spans"`
	Epoch       int64         `json:"epoch,omitempty"`
	Fence       FenceResult   `json:"fence,omitempty"`
	Evidence    *Evidence     `json:"evidence,omitempty"`
	Losses      []Loss        `json:"losses,omitempty"`
	Layers      []LayerResult `json:"layers,omitempty"`
	Ballots     []Ballot      `json:"ballots,omitempty"`
	Served      []Served      `json:"served,omitempty"`
	Stages      []StageRecord `json:"stages"`
	Events      []Event       `json:"events,omitempty"`
	Estate      *Estate       `json:"estate,omitempty"` // of setup: what was found and done
	// Left lists what could not be taken back, or must be done by people.
	Left []string `json:"left,omitempty"`
}

// Ballot is the approval that is being asked for, nil when none is.
func (r *Report) Ballot() *Ballot {
	if n := len(r.Ballots); n > 0 && r.Ballots[n-1].Result == Open {
		return &r.Ballots[n-1]
	}
	return nil
}

// Way is the move in words, with a comma before it: ", A → B"; empty for a
// runbook that moves nothing.
func (r Report) Way() string {
	if r.From == "" && r.To == "" {
		return ""
	}
	return ", " + string(r.From) + " → " + string(r.To)
}
