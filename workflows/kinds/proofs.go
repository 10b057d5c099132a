package kinds

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Commands that checks name, as people type them.
const (
	mendBySetup  = "starter setup -f PLAN --as NAME"
	bringHome    = "starter failback -f PLAN --as NAME"
	lookAgain    = "starter readiness -f PLAN --all"
	validatePlan = "starter validate -f PLAN"
)

// finding is the outcome of a judgement.
type finding struct {
	grade runbook.Grade
	why   string
}

func green(format string, args ...any) finding {
	return finding{runbook.Green, fmt.Sprintf(format, args...)}
}

func amber(format string, args ...any) finding {
	return finding{runbook.Amber, fmt.Sprintf(format, args...)}
}

func red(format string, args ...any) finding {
	return finding{runbook.Red, fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) finding {
	return finding{runbook.Unknown, fmt.Sprintf(format, args...)}
}

// redIf is red with what is wrong, and the given finding when nothing is.
func redIf(wrong []string, otherwise finding) finding {
	if len(wrong) > 0 {
		return red("%s", some(wrong))
	}
	return otherwise
}

// worst is the worst of findings, with the words of all that are as bad.
func worst(all ...finding) finding {
	rank := map[runbook.Grade]int{runbook.Red: 3, runbook.Unknown: 2, runbook.Amber: 1, runbook.Green: 0}
	out := finding{grade: runbook.Green}
	for _, f := range all {
		if rank[f.grade] > rank[out.grade] {
			out.grade = f.grade
		}
	}
	var words []string
	for _, f := range all {
		if f.grade == out.grade && f.why != "" {
			words = append(words, f.why)
		}
	}
	out.why = strings.Join(words, "; ")
	return out
}

// shown is how many of a list a check names.
const shown = 20

// some lists the first few.
func some(list []string) string {
	if len(list) > shown {
		return strings.Join(list[:shown], "; ") + fmt.Sprintf("; and %d more", len(list)-shown)
	}
	return strings.Join(list, "; ")
}

// decide puts a finding, and what it rests on, into a check.
func decide(ctx workflow.Context, c runbook.CheckResult, err error, f finding, proofs ...runbook.Proof) runbook.CheckResult {
	return Graded(ctx, c, err, func(c *runbook.CheckResult) { c.Grade, c.Why, c.Proofs = f.grade, f.why, proofs })
}

// saw is one thing that was read now.
func saw(ctx workflow.Context, region plan.Region, format string, args ...any) runbook.Proof {
	return runbook.Proof{Read: fmt.Sprintf(format, args...), Region: string(region), At: workflow.Now(ctx)}
}

// reading is one read-only step.
type reading struct {
	name, resource string
	region         plan.Region
	activity       any
	in, out        any
}

// look reads for a proof.
func look(ctx workflow.Context, p Player, r reading) error {
	step := runbook.Step{
		Name: r.name, Resource: r.resource, Region: string(r.region),
		Plane: runbook.RegionalControl, Reversibility: runbook.Reversible, Budget: callBudget,
	}
	return p.Query(ctx, step, r.activity, r.in, r.out)
}

// beside runs checks at the same time and keeps their order: one that waits for a
// dark Region must not hold up the others.
func beside(ctx workflow.Context, checks ...func(workflow.Context) []runbook.CheckResult) []runbook.CheckResult {
	got := make([][]runbook.CheckResult, len(checks))
	wait := workflow.NewWaitGroup(ctx)
	for i, check := range checks {
		wait.Add(1)
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wait.Done()
			got[i] = check(ctx)
		})
	}
	wait.Wait(ctx)
	return slices.Concat(got...)
}

// sideBySide runs readings at the same time.
func sideBySide(ctx workflow.Context, reads ...func(workflow.Context)) {
	checks := make([]func(workflow.Context) []runbook.CheckResult, len(reads))
	for i, read := range reads {
		checks[i] = func(ctx workflow.Context) []runbook.CheckResult {
			read(ctx)
			return nil
		}
	}
	beside(ctx, checks...)
}

// inEach makes checks for every Region that serves clients.
func inEach(ctx workflow.Context, p Player, check func(workflow.Context, plan.Region) []runbook.CheckResult) []runbook.CheckResult {
	var all []func(workflow.Context) []runbook.CheckResult
	for _, region := range p.Move().Plan.TrafficRegions() {
		all = append(all, func(ctx workflow.Context) []runbook.CheckResult { return check(ctx, region) })
	}
	return beside(ctx, all...)
}

// one is a list of one check.
func one(c runbook.CheckResult) []runbook.CheckResult { return []runbook.CheckResult{c} }

// span is a duration as people say it: without the zeros at its end.
func span(d time.Duration) string {
	unit := time.Millisecond
	if d >= time.Minute {
		unit = time.Second
	}
	s := d.Round(unit).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// stamp is a moment as people say it; no moment is never.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04 MST")
}

// within judges an age against what is allowed.
func within(what string, age, allowed time.Duration) finding {
	if age > allowed {
		return red("%s is %s old, %s is allowed", what, span(age), span(allowed))
	}
	return green("%s is %s old, %s is allowed", what, span(age), span(allowed))
}
