package kinds

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/arc"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// What the handbook demands of health checks and records (section 2).
const (
	fastInterval     = 10 * time.Second // AWS lets nobody change it later
	highestThreshold = 3
	longestTTL       = time.Minute
)

// proveTraffic proves the record tree as Route 53 has it, what name servers tell
// clients now, and the switch.
func proveTraffic(ctx workflow.Context, p Player) []runbook.CheckResult {
	if p.Move().Plan.Traffic.Zone == "" {
		return nil
	}
	return beside(ctx,
		func(ctx workflow.Context) []runbook.CheckResult { return proveTree(ctx, p) },
		func(ctx workflow.Context) []runbook.CheckResult {
			checks, away := proveSwitch(ctx, p)
			return append(checks, proveAnswers(ctx, p, away)...)
		})
}

// onTraffic is a check of this part; setup mends most of them.
func onTraffic(id, title, fix string) runbook.CheckResult {
	return runbook.CheckResult{ID: "traffic/" + id, Subject: runbook.OnTraffic, Title: title, Fix: fix, Command: mendBySetup}
}

// proveTree reads the tree once and judges it in all ways.
func proveTree(ctx workflow.Context, p Player) []runbook.CheckResult {
	var a *route53.Ready
	var live route53.LiveTree
	m := p.Move().Plan
	err := look(ctx, p, reading{
		name: "DescribeTree", resource: m.Traffic.Zone, region: globalHome, activity: a.DescribeTree,
		in: route53.TreeRef{Traffic: m.Traffic, Regions: m.Regions}, out: &live,
	})
	read := saw(ctx, globalHome, "%d records and %d health checks of zone %s", len(live.Tree.Records), len(live.Tree.Checks), m.Traffic.Zone)
	walk := saw(ctx, "", "the live tree, walked through the loss of each Region: %s", lossWords(live.Walk))
	is := func(c runbook.CheckResult, f finding, more ...runbook.Proof) runbook.CheckResult {
		return decide(ctx, c, err, f, append([]runbook.Proof{read}, more...)...)
	}
	return []runbook.CheckResult{
		is(onTraffic("records", "every location is led to its Region and its fallback", "let setup make the records again"), judgeRecords(m, live)),
		is(onTraffic("loss", "no location stays with a Region that is lost", "give every location a fallback record in the other Region, and every record a health check"), redIf(live.Stranded, green("every location is answered by a Region that is left")), walk),
		is(onTraffic("default", "a default geolocation record exists", "let setup make it: without it some clients get no answer at all"), judgeDefault(live.Tree)),
		is(onTraffic("health-checks", "every record that clients are led to has a health check", "let setup attach and enable the checks: a record without one is always healthy"), judgeChecks(live)),
		is(onTraffic("interval", "health checks look every 10 s and need at most 3 failures", "make new checks with interval 10s and threshold 3 or less in the plan: AWS changes no interval"), judgeIntervals(live.Tree)),
		is(onTraffic("checkers", "three Regions or more look at each endpoint", "give the health check all of AWS's checker Regions"), redIf(live.Few, green("every check is looked at from three Regions or more"))),
		is(onTraffic("ttl", "clients keep an answer for 60 s at most", "set traffic.ttl in the plan to 60s or less and run setup"), judgeTTL(live.Tree)),
	}
}

func judgeRecords(p plan.Plan, live route53.LiveTree) finding {
	return redIf(live.Differences, green("%d locations lead where the plan says", len(p.Traffic.Locations)))
}

func judgeDefault(live plan.Tree) finding {
	if !live.HasDefault() {
		return red("there is no geolocation record for everybody else")
	}
	return green("everybody whose place no record names is answered")
}

func judgeChecks(live route53.LiveTree) finding {
	wrong := live.Tree.Unwatched()
	for _, id := range live.Disabled {
		wrong = append(wrong, "health check "+id+" is disabled, and so counts as healthy")
	}
	if len(wrong) == 0 && len(live.Opaque) > 0 {
		return amber("nobody can foretell %s: they are taken to be healthy always", some(live.Opaque))
	}
	return redIf(wrong, green("every record is watched"))
}

func judgeIntervals(live plan.Tree) finding {
	var wrong []string
	for _, c := range live.Checks {
		if c.Kind != plan.CheckEndpoint || c.Interval == 0 { // a load balancer's own health has none
			continue
		}
		if c.Interval.D() != fastInterval {
			wrong = append(wrong, fmt.Sprintf("the check of %s looks every %s", c.Host, span(c.Interval.D())))
		}
		if c.Threshold > highestThreshold {
			wrong = append(wrong, fmt.Sprintf("the check of %s needs %d failures", c.Host, c.Threshold))
		}
	}
	return redIf(wrong, green("every check looks every 10 s"))
}

func judgeTTL(live plan.Tree) finding {
	var wrong []string
	longest := time.Duration(0)
	for _, r := range live.Records {
		longest = max(longest, r.TTL.D())
		if r.TTL.D() > longestTTL {
			wrong = append(wrong, fmt.Sprintf("%s is kept for %s", r.Name, span(r.TTL.D())))
		}
	}
	return redIf(wrong, green("the longest is %s", span(longest)))
}

// lossWords is the loss table in words.
func lossWords(walk []plan.LossRow) string {
	var out []string
	for _, row := range walk {
		if row.Lost != "" {
			out = append(out, fmt.Sprintf("%s without %s gets %s", row.Location, row.Lost, row.Answer))
		}
	}
	return strings.Join(out, ", ")
}

// evacuated are the Regions that a switch keeps clients out of, and what says so.
type evacuated map[plan.Region][]string

// proveSwitch proves that the switch can be read, and says who is evacuated.
func proveSwitch(ctx workflow.Context, p Player) ([]runbook.CheckResult, evacuated) {
	away := evacuated{}
	var checks []runbook.CheckResult
	var err error
	if p.Move().Plan.Traffic.Switch.Provider == plan.SwitchARCControl {
		var c runbook.CheckResult
		c, err = proveControls(ctx, p, away)
		checks = one(c)
	} else {
		checks, err = proveObjects(ctx, p, away)
	}
	for _, region := range p.Move().Plan.TrafficRegions() {
		c := onTraffic("evacuated/"+string(region), "no switch keeps clients out of "+string(region), "bring clients home once the Region is stable")
		c.Command = bringHome
		unsure := err
		if len(away[region]) > 0 {
			unsure = nil // one holder that says so is enough
		}
		checks = append(checks, decide(ctx, c, unsure, judgeEvacuated(region, away[region]), saw(ctx, "", "switches of %s that are thrown: %d", region, len(away[region]))))
	}
	return checks, away
}

func judgeEvacuated(region plan.Region, by []string) finding {
	if len(by) > 0 {
		return red("%s is evacuated (%s): nothing is left to fail over to", region, some(by))
	}
	return green("clients may be sent to %s", region)
}

// proveObjects looks into the switch bucket of each Region, which holds the
// objects that evacuate the others.
func proveObjects(ctx workflow.Context, p Player, away evacuated) ([]runbook.CheckResult, error) {
	m := p.Move().Plan
	regions := m.TrafficRegions()
	thrown, errs := make([]s3.Thrown, len(regions)), make([]error, len(regions))
	var a *s3.Ready
	var reads []func(workflow.Context)
	for i, holder := range regions {
		reads = append(reads, func(ctx workflow.Context) {
			errs[i] = look(ctx, p, reading{
				name: "DescribeSwitch", region: holder, activity: a.DescribeSwitch, out: &thrown[i],
				in: s3.SwitchRef{Region: holder, Bucket: m.Traffic.Switch.Buckets[holder], Keys: switchKeys(m, holder)},
			})
		})
	}
	sideBySide(ctx, reads...)
	var checks []runbook.CheckResult
	var failed error
	for i, holder := range regions {
		c := onTraffic("switch/"+string(holder), "the switch bucket of "+string(holder)+" can be read", "let setup make the bucket and its policy again")
		checks = append(checks, decide(ctx, c, errs[i], green("it answers"), saw(ctx, holder, "bucket %s answers; objects there: %s", m.Traffic.Switch.Buckets[holder], nothing(thrown[i].Keys))))
		if errs[i] != nil {
			failed = errs[i]
		}
		for _, key := range thrown[i].Keys {
			region, _, _ := strings.Cut(strings.TrimPrefix(key, "evacuate/"), "/")
			away[plan.Region(region)] = append(away[plan.Region(region)], key+" in "+string(holder))
		}
	}
	return checks, failed
}

// switchKeys are the objects that a Region's bucket may hold.
func switchKeys(p plan.Plan, holder plan.Region) []string {
	var keys []string
	for _, region := range p.TrafficRegions() {
		if region == holder {
			continue
		}
		keys = append(keys, plan.SwitchKey(region, ""))
		for _, l := range p.Traffic.Locations {
			if l.Region == region && l.Fallback != "" {
				keys = append(keys, plan.SwitchKey(region, l.Name))
			}
		}
	}
	return keys
}

// proveControls asks the cluster's endpoints, as the plan names them.
func proveControls(ctx workflow.Context, p Player, away evacuated) (runbook.CheckResult, error) {
	m := p.Move().Plan
	sw := m.Traffic.Switch
	var a *arc.Ready
	var got arc.Controls
	err := look(ctx, p, reading{
		name: "DescribeControls", activity: a.DescribeControls, out: &got,
		in: arc.ControlsRef{Endpoints: sw.ClusterEndpoints, Controls: sw.RoutingControls},
	})
	for _, region := range m.TrafficRegions() {
		if on, known := got.On[string(region)]; known && !on {
			away[region] = append(away[region], "its routing control is off")
		}
	}
	c := onTraffic("switch/controls", "the routing controls in the plan answer at the cluster's endpoints", "put the ARNs and the five endpoints that AWS names into traffic.switch of the plan")
	c.Command = "starter preview setup -f PLAN --as NAME"
	return decide(ctx, c, err, judgeControls(m, got), saw(ctx, "", "%d of %d endpoints answered", got.Answered, len(sw.ClusterEndpoints))), err
}

func judgeControls(p plan.Plan, got arc.Controls) finding {
	for _, region := range p.TrafficRegions() {
		if _, known := got.On[string(region)]; !known {
			return red("the plan names no routing control of %s", region)
		}
	}
	if len(got.Silent) > 0 {
		return amber("the endpoints in %s do not answer; one is enough", strings.Join(got.Silent, ", "))
	}
	return green("all %d endpoints answer", got.Answered)
}

// proveAnswers asks the authoritative name servers as clients of each location.
func proveAnswers(ctx workflow.Context, p Player, away evacuated) []runbook.CheckResult {
	m := p.Move().Plan
	var a *route53.Ready
	var told route53.Told
	endpoints := map[plan.Region]string{}
	for _, r := range m.Regions {
		if r.Endpoint != "" {
			endpoints[r.Name] = r.Endpoint
		}
	}
	err := look(ctx, p, reading{
		name: "DescribeAnswers", resource: m.Traffic.Name, activity: a.DescribeAnswers,
		in: route53.AnswersInput{Traffic: m.Traffic, Endpoints: endpoints}, out: &told,
	})
	answers := onTraffic("answers", "name servers send every location to its own Region now", "see why the Region's health checks fail")
	answers.Command = lookAgain
	agree := onTraffic("name-servers", "all name servers answer, and alike", "put the zone's name servers into traffic.nameServers of the plan, and see that they can be reached")
	agree.Command = validatePlan
	read := saw(ctx, "", "%s", toldWords(m.Traffic, told))
	return []runbook.CheckResult{
		decide(ctx, answers, err, judgeAnswers(m.Traffic, told, away), read),
		decide(ctx, agree, err, judgeServers(m.Traffic, told), read),
	}
}

// judgeAnswers is red when a location is answered by nobody, by an unknown
// address, or by another Region than its own without a switch that explains it.
func judgeAnswers(t plan.Traffic, told route53.Told, away evacuated) finding {
	all := []finding{green("every location is sent to its own Region")}
	for _, l := range t.Locations {
		all = append(all, judgeAnswer(l, told.ByLocation[l.Name], away))
	}
	return worst(all...)
}

func judgeAnswer(l plan.Location, got route53.ToldLocation, away evacuated) finding {
	if got.Nobody || len(got.Regions) == 0 {
		return red("%s gets no answer", l.Name)
	}
	for _, region := range got.Regions {
		switch {
		case region == string(l.Region):
		case region == "":
			return red("%s is sent to an address of no Region of the plan", l.Name)
		case region == string(l.Fallback) && len(away[l.Region]) > 0:
			return amber("%s is sent to %s, since %s is evacuated", l.Name, region, l.Region)
		default:
			return red("%s is sent to %s, not to %s", l.Name, region, l.Region)
		}
	}
	return green("")
}

func judgeServers(t plan.Traffic, told route53.Told) finding {
	var differ []string
	for _, l := range t.Locations {
		if got := told.ByLocation[l.Name]; len(got.Regions) > 1 || got.Nobody && len(got.Regions) > 0 {
			differ = append(differ, l.Name)
		}
	}
	switch {
	case len(differ) > 0:
		return amber("name servers differ about %s", some(differ))
	case len(told.Silent) > 0:
		return amber("%s did not answer; one is enough", strings.Join(told.Silent, ", "))
	}
	return green("%d answer alike", len(t.NameServers))
}

// toldWords are the answers in the plan's order.
func toldWords(t plan.Traffic, told route53.Told) string {
	var out []string
	for _, l := range t.Locations {
		got := told.ByLocation[l.Name]
		regions := slices.Clone(got.Regions)
		for i, r := range regions {
			if r == "" {
				regions[i] = "an unknown address"
			}
		}
		out = append(out, fmt.Sprintf("%s is told %s for %d s", l.Name, nothing(regions), got.TTL))
	}
	return strings.Join(out, ", ")
}

// nothing lists words, and says so when there are none.
func nothing(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " and ")
}
