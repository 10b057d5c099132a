package main

import (
	"strings"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// route is where a runbook moves an application.
type route struct {
	from, to plan.Region
}

// String is the way in words, with a comma before it; empty where nothing moves.
func (r route) String() string {
	if r == (route{}) {
		return ""
	}
	return ", " + string(r.from) + " → " + string(r.to)
}

// routeOf reads the Regions that were typed. The Region that is left is never
// guessed: naming it is the confirmation. A failback may name the Region that it
// comes home to instead, which is how people say it.
func (a *app) routeOf(p plan.Plan, name runbook.Name, from, to string) (route, error) {
	regions := trafficRegions(p)
	verb := string(name)
	typed := from
	switch {
	case name == runbook.Failback && from == "" && to == "":
		return route{}, usage(a.command(verb, "--to ORIGIN --as YOU"), "name the Region to come home to: --to, one of %s", list(regions))
	case name == runbook.Failback && from == "":
		typed = to
	case from == "":
		return route{}, usage(a.command(verb, "--from REGION --as YOU"), "name the Region that is left: --from, one of %s", list(regions))
	}
	for _, region := range []string{from, to} {
		if role := roleOf(p, region); role == plan.Witness {
			return route{}, usage("one of: "+list(regions), "%q is a witness and serves no traffic", region)
		}
		if region != "" && !contains(regions, region) {
			return route{}, usage("one of: "+list(regions), "%q is no Region that serves traffic in this plan%s", region, didYouMean(region, regions))
		}
	}
	if from == to {
		return route{}, usage(a.command(verb, "--help"), "the Region that is left and the one that takes over are both %q", from)
	}
	other := others(regions, typed)
	if (from == "" || to == "") && len(other) != 1 {
		return route{}, usage(a.command(verb, "--from", typed, "--to REGION --as YOU"), "name both Regions, --from and --to: the plan has %s", list(regions))
	}
	if from == "" {
		from = other[0]
	}
	if to == "" {
		to = other[0]
	}
	return route{plan.Region(from), plan.Region(to)}, nil
}

// trafficRegions are the Regions that serve clients: all but witnesses.
func trafficRegions(p plan.Plan) []string {
	var out []string
	for _, r := range p.Regions {
		if r.Role != plan.Witness {
			out = append(out, string(r.Name))
		}
	}
	return out
}

// roleOf is the role of a Region; empty when the plan does not have it.
func roleOf(p plan.Plan, region string) plan.Role {
	for _, r := range p.Regions {
		if string(r.Name) == region {
			return r.Role
		}
	}
	return ""
}

func contains(all []string, one string) bool { return len(others(all, one)) < len(all) }

func others(all []string, one string) []string {
	var out []string
	for _, s := range all {
		if s != one {
			out = append(out, s)
		}
	}
	return out
}

func list(words []string) string { return strings.Join(words, ", ") }

// awake is the Region whose workers play the runbook: the one that serves when
// the run is over for a failover and switchover, the one that serves now for a
// failback, whose origin may still be shaky.
func (r route) awake(name runbook.Name) plan.Region {
	if name == runbook.Failback {
		return r.from
	}
	return r.to
}
