package workflows_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

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

// approveWhenAsked lets two people approve whatever is asked, soon.
func (w *world) approveWhenAsked() {
	const soon = 7 * time.Second
	var look func()
	look = func() {
		rep := w.status()
		if b := rep.Ballot(); b != nil {
			for _, name := range []string{"amara", "bela"} {
				w.decide(w.decision(name, true))
			}
		}
		w.at(soon, look)
	}
	w.at(soon, look)
}

// play runs a runbook to its end and returns its report, also from an error.
func (w *world) play(name string, in runbook.Input) runbook.Report {
	w.env.ExecuteWorkflow(name, in)
	close(w.over)
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
