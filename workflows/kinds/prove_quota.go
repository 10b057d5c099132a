package kinds

import (
	"fmt"
	"slices"
	"strconv"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/drs"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/servicequotas"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// limit is a quota by AWS's numbers, as its user guides and Service Quotas list them.
type limit struct {
	servicequotas.Quota
	what  string // that is counted
	fixed bool   // AWS raises it for nobody
}

func interfaceLimit() limit {
	return limit{servicequotas.Quota{Service: "vpc", Code: "L-DF5E4CA3"}, "network interfaces", false}
}

func snapshotLimit() limit {
	return limit{servicequotas.Quota{Service: "ebs", Code: "L-309BACF6"}, "snapshots", false}
}

func groupLimit() limit {
	return limit{servicequotas.Quota{Service: "elasticloadbalancing", Code: "L-A0D0B863"}, "targets of the target group", false}
}

// storageLimit is the quota of a type of volume, in TiB; false for a type whose
// quota is not looked up.
func storageLimit(kind string) (limit, bool) {
	code, ok := map[string]string{"gp3": "L-7A658B76", "gp2": "L-D18FCD1D"}[kind]
	return limit{servicequotas.Quota{Service: "ebs", Code: code}, "TiB of " + kind + " volumes", false}, ok
}

// balancerLimit is the quota of targets of a type of load balancer. A network load
// balancer has another for each zone, which depends on how it spreads its load.
func balancerLimit(kind string) (limit, bool) {
	code, ok := map[string]string{"application": "L-7E6692B2", "network": "L-EEF1AD04"}[kind]
	return limit{servicequotas.Quota{Service: "elasticloadbalancing", Code: code}, "targets of the " + kind + " load balancer", false}, ok
}

// The quotas of Elastic Disaster Recovery.
func serverLimits() (servers, replicating, inJob, launching, jobs limit) {
	of := func(code, what string, fixed bool) limit {
		return limit{servicequotas.Quota{Service: "drs", Code: code}, what, fixed}
	}
	return of("L-E28BE5E0", "source servers", false), of("L-C1D14A2B", "replicating servers", true), of("L-B827C881", "servers of one job", true),
		of("L-05AFA8C6", "servers in all jobs", true), of("L-D88FAC3A", "jobs", true)
}

// room is a quota, what is used of it, and what launching everything adds.
type room struct {
	limit
	used, need float64
	most       float64
	known      bool // AWS names a value
}

// within fills in a quota's value.
func (l limit) within(got servicequotas.Limits, used, need float64) room {
	most, known := got.Values[l.Code]
	return room{l, used, need, most, known}
}

func judgeRoom(r room, headroom int) finding {
	words := fmt.Sprintf("%s: %s used and %s to come, of %s", r.what, amount(r.used), amount(r.need), amount(r.most))
	switch {
	case !r.known:
		return unknown("AWS names no limit of %s", r.what)
	case r.used+r.need > r.most:
		return red("%s: AWS would refuse the rest", words)
	case r.used+r.need > r.most*float64(100-headroom)/100:
		return amber("%s: less than %d %% stay free", words, headroom)
	}
	return green("%s", words)
}

// amount is a number as people write it.
func amount(n float64) string { return strconv.FormatFloat(float64(int(n*100+0.5))/100, 'f', -1, 64) }

// load is what one Region has of what AWS limits.
type load struct {
	strength
	headroom   int
	limits     servicequotas.Limits
	interfaces ec2.Interfaces
	storage    ec2.Storage
	drs        drs.Load
	registered map[string]elb.Registered // by service

	limitErr, interfaceErr, storageErr, drsErr error
	registeredErrs                             map[string]error
}

// proveQuotas reads quotas and what is used of them in one Region: of servers only
// where the plan launches servers, of targets only where it has services.
func (s strength) proveQuotas(ctx workflow.Context, p Player) []runbook.CheckResult {
	m := p.Move().Plan
	l := load{strength: s, registered: map[string]elb.Registered{}, registeredErrs: map[string]error{}}
	if m.Readiness != nil {
		l.headroom = m.Readiness.Headroom
	}
	sideBySide(ctx, l.reads(p)...)
	out := one(l.proveInterfaces(ctx, m))
	for _, r := range m.Resources {
		if _, ok := s.fleets[r.Name]; ok {
			out = append(out, l.proveRegistered(ctx, m, r))
		}
	}
	if len(s.ids(m)) > 0 {
		out = append(out, l.proveStorage(ctx, m), l.proveSnapshots(ctx, m), l.proveServers(ctx, m))
	}
	return out
}

// reads are the readings of what is used, and of the limits of it.
func (l *load) reads(p Player) []func(workflow.Context) {
	m := p.Move().Plan
	var a *ec2.Ready
	out := []func(workflow.Context){
		func(ctx workflow.Context) {
			var quotas *servicequotas.Ready
			l.limitErr = look(ctx, p, reading{
				name: "MeasureQuotas", region: l.region, activity: quotas.MeasureQuotas, in: servicequotas.QuotasRef{Region: l.region, Quotas: l.quotas(m)}, out: &l.limits,
			})
		},
		func(ctx workflow.Context) {
			l.interfaceErr = look(ctx, p, reading{name: "MeasureInterfaces", region: l.region, activity: a.MeasureInterfaces, in: ec2.AllRef{Region: l.region}, out: &l.interfaces})
		},
	}
	for _, r := range m.Resources {
		if _, ok := l.fleets[r.Name]; ok {
			out = append(out, func(ctx workflow.Context) { l.readRegistered(ctx, p, r) })
		}
	}
	if len(l.ids(m)) == 0 {
		return out
	}
	return append(out,
		func(ctx workflow.Context) {
			l.storageErr = look(ctx, p, reading{name: "MeasureStorage", region: l.region, activity: a.MeasureStorage, in: ec2.AllRef{Region: l.region}, out: &l.storage})
		},
		func(ctx workflow.Context) {
			var servers *drs.Ready
			l.drsErr = look(ctx, p, reading{name: "MeasureServers", region: l.region, activity: servers.MeasureServers, in: drs.AllRef{Region: l.region}, out: &l.drs})
		})
}

func (l *load) readRegistered(ctx workflow.Context, p Player, r plan.Resource) {
	var a *elb.Ready
	var got elb.Registered
	l.registeredErrs[r.Name] = look(ctx, p, reading{
		name: "MeasureTargets", resource: r.Name, region: l.region, activity: a.MeasureTargets, in: elb.BalancerRef{Region: l.region, Balancer: r.Regions[l.region]["loadBalancer"]}, out: &got,
	})
	l.registered[r.Name] = got
}

// quotas are those that the plan needs in the Region.
func (l *load) quotas(m plan.Plan) []servicequotas.Quota {
	out := []servicequotas.Quota{interfaceLimit().Quota}
	if len(l.fleets) > 0 {
		application, _ := balancerLimit("application")
		network, _ := balancerLimit("network")
		out = append(out, groupLimit().Quota, application.Quota, network.Quota)
	}
	if len(l.ids(m)) > 0 {
		gp3, _ := storageLimit("gp3")
		gp2, _ := storageLimit("gp2")
		servers, replicating, inJob, launching, jobs := serverLimits()
		out = append(out, gp3.Quota, gp2.Quota, snapshotLimit().Quota, servers.Quota, replicating.Quota, inJob.Quota, launching.Quota, jobs.Quota)
	}
	return out
}

// question is one check of quotas that belong together.
type question struct {
	id, resource, title string
	rooms               []room
	more                finding // what the numbers don't show
	errs                []error // of what is used
}

// check answers a question. Its command raises the quota that is worst.
func (l *load) check(ctx workflow.Context, q question) runbook.CheckResult {
	c := onCompute(q.resource, q.id, q.title, "ask for a higher quota now: AWS takes days", "")
	all, proofs := []finding{q.more}, []runbook.Proof(nil)
	worstOf, chosen := green(""), q.rooms[0].limit
	for _, r := range q.rooms {
		f := judgeRoom(r, l.headroom)
		if w := worst(worstOf, f); w.grade != worstOf.grade {
			worstOf, chosen = f, r.limit
		}
		all = append(all, f)
		proofs = append(proofs, saw(ctx, l.region, "quota %s of %s is %s, %s are used, launching everything at once takes %s more", r.Code, r.what, valueOf(r), amount(r.used), amount(r.need)))
	}
	c.Command = fmt.Sprintf("aws service-quotas request-service-quota-increase --service-code %s --quota-code %s --region %s --desired-value N", chosen.Service, chosen.Code, l.region)
	if chosen.fixed {
		c.Fix = "AWS raises this quota for nobody: move servers to staging accounts, or launch in waves"
		c.Command = fmt.Sprintf("aws service-quotas get-service-quota --service-code %s --quota-code %s --region %s", chosen.Service, chosen.Code, l.region)
	}
	return decide(ctx, c, firstError(append(q.errs, l.limitErr)), worst(all...), proofs...)
}

func valueOf(r room) string {
	if !r.known {
		return "not known"
	}
	return amount(r.most)
}

// ids are the plan's source servers in the Region.
func (s strength) ids(m plan.Plan) []string {
	var out []string
	for _, r := range m.Resources {
		if id := r.Regions[s.region]["sourceServer"]; r.Kind == plan.DRSServer && id != "" {
			out = append(out, id)
		}
	}
	return out
}

// instances are how many would be launched beyond what runs.
func (s strength) instances(m plan.Plan) int {
	need := len(s.ids(m))
	for _, r := range m.Resources {
		need += s.growth(r)
	}
	return need
}

// growth is what a service's group may still launch.
func (s strength) growth(r plan.Resource) int {
	f := s.fleets[r.Name]
	return max(0, f.Max-f.Instances)
}

func (l *load) proveInterfaces(ctx workflow.Context, m plan.Plan) runbook.CheckResult {
	return l.check(ctx, question{
		id: "interfaces/" + string(l.region), title: "the quota of network interfaces of " + string(l.region) + " lets everything be launched at once",
		rooms: []room{interfaceLimit().within(l.limits, float64(l.interfaces.Count), float64(l.instances(m)))},
		more:  green(""), errs: []error{l.interfaceErr, l.readErr(m)},
	})
}

// proveRegistered demands that a service's load balancer and target group take all
// instances that its group may have; services may share a load balancer.
func (l *load) proveRegistered(ctx workflow.Context, m plan.Plan, r plan.Resource) runbook.CheckResult {
	got, ids := l.registered[r.Name], r.Regions[l.region]
	shared := 0
	for _, other := range m.Resources {
		if other.Regions[l.region]["loadBalancer"] == ids["loadBalancer"] {
			shared += l.growth(other)
		}
	}
	rooms := []room{groupLimit().within(l.limits, float64(got.Groups[ids["targetGroup"]]), float64(l.growth(r)))}
	more := green("")
	if _, behind := got.Groups[ids["targetGroup"]]; !behind {
		more = unknown("target group %s is not behind load balancer %s", ids["targetGroup"], ids["loadBalancer"])
	}
	if of, ok := balancerLimit(got.Type); ok {
		rooms = append(rooms, of.within(l.limits, float64(got.Total), float64(shared)))
	} else {
		more = worst(more, unknown("the quota of targets of a %q load balancer is not looked up", got.Type))
	}
	return l.check(ctx, question{
		id: "registrations/" + r.Name + "/" + string(l.region), resource: r.Name, title: "the load balancer in " + string(l.region) + " takes everything that would be launched at once",
		rooms: rooms, more: more, errs: []error{l.registeredErrs[r.Name], l.readErr(m)},
	})
}

// proveStorage demands room for the disks of all servers, of the types that their
// launch templates name.
func (l *load) proveStorage(ctx workflow.Context, m plan.Plan) runbook.CheckResult {
	sure, perhaps, more := l.volumes(m)
	var rooms []room
	for _, kind := range []string{"gp3", "gp2"} {
		of, ok := storageLimit(kind)
		if !ok || sure[kind]+perhaps[kind] == 0 && kind != "gp3" {
			continue
		}
		r := of.within(l.limits, tebibytes(l.storage.GiB[kind]), tebibytes(sure[kind]+perhaps[kind]))
		if least := tebibytes(sure[kind]); r.known && r.used+r.need > r.most && r.used+least <= r.most {
			more = worst(more, unknown("launch templates name several types of volumes, and not all disks fit as %s", kind))
			r.need = least
		}
		rooms = append(rooms, r)
	}
	return l.check(ctx, question{
		id: "storage/" + string(l.region), title: "the quotas of volumes of " + string(l.region) + " take the disks of all servers at once",
		rooms: rooms, more: more, errs: []error{l.storageErr, l.serverErr},
	})
}

func tebibytes(gib int) float64 { return float64(gib) / 1024 }

// volumes is the GiB that launching all servers makes, by type. A template of
// several types does not say which disk gets which: all may be of each.
func (l *load) volumes(m plan.Plan) (sure, perhaps map[string]int, more finding) {
	sure, perhaps = map[string]int{}, map[string]int{}
	var unclear []string
	for _, id := range l.ids(m) {
		server, kinds := l.servers.ByID[id], l.templates[id].Volumes
		if server.GiB == 0 {
			unclear = append(unclear, "AWS names no disks of "+id)
		}
		if l.templateErrs[id] != nil {
			unclear = append(unclear, "the launch template of "+id+" could not be read")
		} else if len(kinds) == 0 {
			unclear = append(unclear, "the launch template of "+id+" names no type of volume")
		}
		need := sure
		if len(kinds) > 1 {
			need = perhaps
		}
		for _, kind := range kinds {
			if _, ok := storageLimit(kind); !ok {
				unclear = append(unclear, "the quota of "+kind+" volumes is not looked up")
			}
			need[kind] += server.GiB
		}
	}
	slices.Sort(unclear)
	return sure, perhaps, unknownIf(slices.Compact(unclear))
}

// unknownIf is unknown with what nobody can tell.
func unknownIf(unclear []string) finding {
	if len(unclear) > 0 {
		return unknown("%s", some(unclear))
	}
	return green("")
}

// proveSnapshots: a launch takes a fresh snapshot of each disk.
func (l *load) proveSnapshots(ctx workflow.Context, m plan.Plan) runbook.CheckResult {
	disks := 0
	var unclear []string
	for _, id := range l.ids(m) {
		n := l.servers.ByID[id].Disks
		if disks += n; n == 0 {
			unclear = append(unclear, "AWS names no disks of "+id)
		}
	}
	return l.check(ctx, question{
		id: "snapshots/" + string(l.region), title: "the quota of snapshots of " + string(l.region) + " takes those that a launch makes",
		rooms: []room{snapshotLimit().within(l.limits, float64(l.storage.Snapshots), float64(disks))},
		more:  unknownIf(unclear), errs: []error{l.storageErr, l.serverErr},
	})
}

// proveServers judges what Elastic Disaster Recovery itself limits. The plan's
// servers are registered, and count already.
func (l *load) proveServers(ctx workflow.Context, m plan.Plan) runbook.CheckResult {
	n := len(l.ids(m))
	servers, replicating, inJob, launching, jobs := serverLimits()
	batch, known := l.limits.Values[inJob.Code]
	more, batches := green(""), 0.0
	if !known || batch < 1 {
		more = unknown("AWS names no limit of %s", inJob.what)
	} else {
		batches = float64((n + int(batch) - 1) / int(batch))
	}
	return l.check(ctx, question{
		id: "servers/" + string(l.region), title: "Elastic Disaster Recovery in " + string(l.region) + " launches all servers at once",
		rooms: []room{
			servers.within(l.limits, float64(l.drs.Servers), 0), replicating.within(l.limits, float64(l.drs.Replicating), 0),
			launching.within(l.limits, float64(l.drs.Launching), float64(n)), jobs.within(l.limits, float64(l.drs.Jobs), batches),
		},
		more: more, errs: []error{l.drsErr, l.serverErr},
	})
}
