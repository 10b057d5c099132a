package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func (a *app) setup() *cobra.Command {
	return a.starting(runbook.Setup, &cobra.Command{
		Use:   "setup",
		Short: "Build what recovery relies on, and keep it so",
		Long: `Read everything that the plan wants built ahead of time, compare, and act on the
difference alone: keys and roles, buckets and replication, replicas and retention,
backups, records and switches, alarms. What exists is adopted and never made anew;
nothing is ever deleted. A second run changes nothing.

See the difference first: starter preview setup. Only a vault lock in compliance mode
asks approvers, since nobody can take it back.`,
		Example: "  starter preview setup -f plan.yaml --as dana\n  starter setup -f plan.yaml --as dana --wait",
	})
}

// errNoSetup says that there is nothing to build.
var errNoSetup = errors.New("the plan has no setup: section, so setup has nothing to keep")

// buildable refuses what setup could not begin with.
func (a *app) buildable(p plan.Plan, f startFlags) error {
	if f.from != "" || f.to != "" {
		return usage(a.command("setup", "--as YOU"), "setup builds in all Regions of the plan: leave --from and --to out")
	}
	if p.Setup == nil {
		return &trouble{
			code: exitPlan, err: errNoSetup, safe: "nothing was started",
			next: "add setup: {drift: repair, key: alias/NAME} to the plan, then: starter validate -f " + shellWord(a.planFile),
		}
	}
	return nil
}

// estateLines is the difference that setup found, area by area, as a diff that a
// person can approve: + is made, ~ is changed, ! needs people.
func estateLines(e runbook.Estate) []string {
	var lines []string
	for _, area := range e.Areas {
		lines = append(lines, textf("%-12s %s", area.Area, area.Words()))
	}
	for _, i := range e.Items {
		lines = append(lines, itemLines(i)...)
	}
	if e.More > 0 {
		lines = append(lines, textf("  and %d more items; starter report shows as many as a report holds", e.More))
	}
	return lines
}

func itemLines(i runbook.ItemResult) []string {
	lines := []string{textf("%s %s", signOf(i.Verdict), i.ID)}
	for _, c := range i.Changes {
		if i.Verdict == runbook.ToCreate || i.Verdict == runbook.Created {
			lines = append(lines, textf("      %s = %s", c.Name, inLine(c.Want)))
			continue
		}
		lines = append(lines, textf("      %s: %s → %s", c.Name, inLine(c.Have), inLine(c.Want)))
	}
	if i.Why != "" {
		lines = append(lines, textf("      %s", i.Why))
	}
	return lines
}

// inLine puts a value into one line; references are named by what they stand for.
func inLine(value string) string {
	if value == "" {
		return "(none)"
	}
	value = strings.ReplaceAll(value, "\n", ", ")
	return strings.ReplaceAll(strings.ReplaceAll(value, "${", "(of "), "#", " its ")
}

func signOf(v runbook.Verdict) string {
	switch v {
	case runbook.ToCreate, runbook.Created:
		return "+"
	case runbook.ToChange, runbook.Changed:
		return "~"
	case runbook.InPlace:
		return "="
	default:
		return "! " + string(v)
	}
}
