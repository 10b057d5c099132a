package plan

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Describe writes what a valid plan promises and what it rests on: capability
// beside objective, who answers whom when a Region is lost, and the record
// tree. It is what `starter validate` prints.
func Describe(w io.Writer, p Plan) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s\n\n", p.Application, p.Strategy, p.cast())
	b.WriteString(section("Paths that move clients away from a lost Region"))
	describePaths(&b, p)
	b.WriteString(section("Objective (wanted) and capability (computed; worst case)"))
	describeCapability(&b, p)
	b.WriteString(section("Which Region answers"))
	describeLoss(&b, p)
	if p.Backup != nil {
		b.WriteString(section("Backups (AWS decides what is full and what is incremental)"))
		describeBackups(&b, *p.Backup)
	}
	b.WriteString(section("Record tree"))
	describeTree(&b, p.Tree())
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("describe plan %q: %w", p.Application, err)
	}
	return nil
}

// cast lists the Regions and their roles.
func (p Plan) cast() string {
	parts := make([]string, len(p.Regions))
	for i, r := range p.Regions {
		parts[i] = fmt.Sprintf("%s %s", r.Role, r.Name)
	}
	return strings.Join(parts, ", ")
}

func section(title string) string { return title + "\n" }

// table writes rows of cells, aligned, indented by two.
func table(b *strings.Builder, rows [][]string) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintf(w, "  %s\n", strings.Join(row, "\t")) // a strings.Builder takes everything
	}
	_ = w.Flush()
	b.WriteByte('\n')
}

func describePaths(b *strings.Builder, p Plan) {
	c := p.Capability()
	rows := [][]string{{"PATH", "WORST", "COUNTED FROM", "SUM"}}
	for _, path := range []struct {
		Path
		from string
	}{
		{c.Automatic, "failure, with Lifeline dead"},
		{c.Observed, observedFrom(p)},
		{c.Manual, "decision"},
	} {
		rows = append(rows, []string{path.Name, brief(path.Worst()), path.from, path.String()})
	}
	table(b, rows)
	fmt.Fprintf(b, "  predicted floor: %s\n\n", brief(p.PredictedFloor()))
}

func observedFrom(p Plan) string {
	if p.Approvals.Evacuate == EvacuateApproval {
		return "failure, plus the time to approve"
	}
	return "failure"
}

func describeCapability(b *strings.Builder, p Plan) {
	rows := [][]string{{"RESOURCE", "KIND", "TIER", "RTO WANTED", "RTO", "BY", "RPO WANTED", "RPO TYPICAL", "RPO GUARANTEED"}}
	var notes []string
	for _, r := range p.Capability().Resources {
		rto, loss, guaranteed := brief(r.Path.Worst()), brief(r.Loss.Typical.D()), "none"
		if r.ByHand != "" {
			rto = "unknown"
			notes = append(notes, fmt.Sprintf("  %s (%s) is kept %s.\n", r.Name, r.Kind, r.ByHand))
		}
		if r.Decision > 0 {
			rto += fmt.Sprintf(" + up to %s to approve (typically %s)", brief(r.Decision.D()), brief(r.Typical.D()))
		}
		if r.Loss.Bounded {
			loss, guaranteed = "-", r.Loss.Why
		}
		rows = append(rows, []string{
			r.Name, string(r.Kind), fmt.Sprint(r.Tier), brief(r.Objective.RTO.D()), rto, r.Path.Name,
			brief(r.Objective.RPO.D()), loss, guaranteed,
		})
		if len(r.Waits) > 0 {
			notes = append(notes, fmt.Sprintf("  %s is back before %s: it must serve without (emergency mode).\n", r.Name, strings.Join(r.Waits, ", ")))
		}
	}
	table(b, rows)
	if len(notes) > 0 {
		b.WriteString(strings.Join(notes, "") + "\n")
	}
}

func describeLoss(b *strings.Builder, p Plan) {
	regions, tree := p.TrafficRegions(), p.Tree()
	head := []string{"LOCATION", "AREA", "ALL HEALTHY"}
	for _, r := range regions {
		head = append(head, strings.ToUpper(string(r))+" LOST")
	}
	rows := [][]string{append(head, "ALL LOST")}
	for _, l := range p.Traffic.Locations {
		row := []string{l.Name, cmp.Or(l.area(), "everywhere else")}
		for _, lost := range append([]Region{""}, regions...) {
			row = append(row, answerCell(tree.Answer(l.Name, []Region{lost}, nil), l, lost))
		}
		rows = append(rows, append(row, string(tree.Answer(l.Name, regions, nil).Region)+" (fails open)"))
	}
	table(b, rows)
}

func answerCell(a Answer, l Location, lost Region) string {
	switch {
	case a.Region == lost && l.Fallback == "":
		return "nobody (fails closed)"
	case a.Region == lost:
		return "STILL " + string(a.Region)
	case a.Through != l.Name:
		return fmt.Sprintf("%s (by %s)", a.Region, a.Through)
	default:
		return string(a.Region)
	}
}

func describeTree(b *strings.Builder, t Tree) {
	rows := [][]string{{"NAME", "ROUTING", "WHO", "ANSWER", "TTL", "HEALTH"}}
	for _, r := range t.Records {
		answer, ttl, health := "alias "+r.Alias, "-", "always healthy"
		if r.Target != nil {
			answer, ttl = fmt.Sprintf("CNAME %s in %s", r.Target.LoadBalancer, r.Target.Region), brief(r.TTL.D())
		}
		if r.EvaluateTargetHealth {
			health = "of its target"
		}
		rows = append(rows, []string{r.Name, string(r.Routing), cmp.Or(r.SetID, "-"), answer, ttl, cmp.Or(r.Check, health)})
	}
	table(b, rows)
	rows = [][]string{{"HEALTH CHECK", "KIND", "LOOKS AT", "EVERY", "THRESHOLD"}}
	for _, c := range t.Checks {
		rows = append(rows, checkRow(c))
	}
	table(b, rows)
}

func checkRow(c Check) []string {
	every, threshold := "-", "-"
	if c.Interval > 0 {
		every, threshold = brief(c.Interval.D()), fmt.Sprint(c.Threshold)
	}
	looks := c.RoutingControl
	switch c.Kind {
	case CheckEndpoint:
		looks = fmt.Sprintf("%s://%s:%d%s", c.Scheme, c.Host, c.Port, c.Path)
	case CheckObject:
		looks = fmt.Sprintf("no object at %s://%s%s", c.Scheme, c.Host, c.Path)
	case CheckCalculated:
		looks = "all of " + strings.Join(c.Children, ", ")
		threshold = fmt.Sprint(c.HealthThreshold)
	case CheckControl:
	}
	return []string{c.Name, string(c.Kind), looks, every, threshold}
}

// describeBackups lists the rules, and what their copies can't do.
func describeBackups(b *strings.Builder, backup Backup) {
	rows := [][]string{{"FOR", "SCHEDULE (UTC)", "STARTS WITHIN", "KEPT", "COPY KEPT", "THE COPY RESTORES"}}
	for _, r := range backup.Rules {
		restores := "as a whole"
		if r.Continuous {
			restores = "to when it was made, not to any second"
		}
		rows = append(rows, []string{r.Intent, r.Schedule, brief(r.Start.D()), fmt.Sprintf("%dd", r.Days), fmt.Sprintf("%dd", r.CopyDays), restores})
	}
	table(b, rows)
}
