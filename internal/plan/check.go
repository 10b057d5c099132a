package plan

import (
	"fmt"
	"slices"
	"time"
)

// checker applies every rule to a decoded plan. Rules about values that could
// not be read are silent: that was reported already.
type checker struct {
	*decoder
	plan Plan
}

func check(p Plan, d *decoder) {
	c := &checker{d, p}
	c.header()
	c.regions()
	c.objectives("objectives", p.Objectives)
	c.resources()
	c.traffic()
	c.locations()
	c.evacuation()
	c.observers()
	c.approvals()
	c.lease()
	c.rules()
	c.notifications()
	c.assumptions()
	c.protection()
	c.backup()
	c.building()
	if len(c.problems.Errors()) == 0 {
		// What the plan promises can be computed only from a plan that says one
		// thing: a promise computed from a slip would be noise beside the slip.
		c.promises()
		c.losses(c.plan.LossTable())
	}
}

// errorf reports a rule that the value at the path breaks.
func (c *checker) errorf(path, hint, format string, args ...any) {
	c.report(Error, path, hint, fmt.Sprintf(format, args...))
}

// warnf reports a value that a person should judge.
func (c *checker) warnf(path, hint, format string, args ...any) {
	c.report(Warning, path, hint, fmt.Sprintf(format, args...))
}

func (c *checker) report(s Severity, path, hint, message string) {
	if !c.isBroken(path) {
		c.add(c.locate(path), path, s, message, hint)
	}
}

// shape checks a name against its pattern.
func (c *checker) shape(path, pattern, value, rule string) bool {
	if matches(pattern, value) {
		return true
	}
	c.errorf(path, rule, "%s: %q is not allowed here", path, value)
	return false
}

// oneOf checks a word against the known ones.
func oneOf[T ~string](c *checker, path string, value T, known ...T) bool {
	if slices.Contains(known, value) {
		return true
	}
	words := make([]string, len(known))
	for i, k := range known {
		words[i] = string(k)
	}
	c.errorf(path, didYouMean(string(value), words), "%s: unknown value %q", path, value)
	return false
}

// span checks a duration against its bounds, both included.
func (c *checker) span(path string, d Duration, least, most time.Duration) bool {
	if d.D() >= least && d.D() <= most {
		return true
	}
	c.errorf(path, "", "%s must be between %s and %s, but is %s", path, brief(least), brief(most), brief(d.D()))
	return false
}

func (c *checker) header() {
	if c.plan.APIVersion != Version {
		c.errorf("apiVersion", fmt.Sprintf("this program reads %q", Version), "unknown apiVersion %q", c.plan.APIVersion)
	}
	// It becomes part of workflow ids, task queue names and AWS resource names.
	c.shape("application", labelName, c.plan.Application, "lower-case letters, digits and inner dashes, 63 at most")
	if oneOf(c, "strategy", c.plan.Strategy, ActiveActive, ElasticDR) && c.plan.Strategy == ElasticDR && !c.has(DRSServer) {
		c.warnf("strategy", "use active-active for what stands in both Regions",
			"no kind of resource here is recovered by Elastic Disaster Recovery: the plan is treated as active-active")
	}
}

func (c *checker) regions() {
	seen := map[Region]bool{}
	roles, unknown := map[Role]int{}, false
	for i, r := range c.plan.Regions {
		at := element("regions", i)
		c.shape(at+".name", regionName, string(r.Name), "an AWS Region, as in us-east-1")
		if seen[r.Name] {
			c.errorf(at+".name", "", "Region %s is listed twice", r.Name)
		}
		seen[r.Name] = true
		if !oneOf(c, at+".role", r.Role, Primary, Recovery, Witness) {
			unknown = true
		}
		roles[r.Role]++
		if r.Role == Primary && roles[Primary] > 1 {
			c.errorf(at+".role", "one Region is the home of single writers; the others are \"recovery\" or \"witness\"",
				"a second primary Region")
		}
	}
	if !c.regionsRead() || unknown {
		return // the slip may be the very role that seems to be missing
	}
	if roles[Primary] == 0 {
		c.errorf("regions", "give one Region \"role: primary\"", "no Region is the primary")
	}
	if roles[Recovery] == 0 {
		c.errorf("regions", "give at least one Region \"role: recovery\"", "there is no Region to recover in")
	}
}

// regionsRead is true when the list of Regions can be relied on by other rules.
func (c *checker) regionsRead() bool {
	for i := range c.plan.Regions {
		if c.isBroken(element("regions", i)+".name") || c.isBroken(element("regions", i)+".role") {
			return false
		}
	}
	return !c.isBroken("regions")
}

// inTraffic checks that the named Region is one that serves clients.
func (c *checker) inTraffic(path string, r Region) bool {
	if !c.regionsRead() {
		return false
	}
	spec, listed := c.plan.Region(r)
	switch {
	case !listed:
		names := make([]string, 0, len(c.plan.Regions))
		for _, t := range c.plan.TrafficRegions() {
			names = append(names, string(t))
		}
		c.errorf(path, didYouMean(string(r), names), "Region %q is not among the plan's regions", r)
	case spec.Role == Witness:
		c.errorf(path, "a witness holds the lease and observes; it has no load balancer and no data", "Region %s is a witness", r)
	default:
		return true
	}
	return false
}

func (c *checker) objectives(at string, o Objectives) {
	if o.RTO <= 0 {
		c.errorf(at+".rto", "", "%s.rto must be more than zero", at)
	}
	if o.RPO <= 0 {
		c.errorf(at+".rpo", "asynchronous replication always has a tail: no kind of resource here reaches zero", "%s.rpo must be more than zero", at)
	}
}

func (c *checker) lease() {
	l := c.plan.Lease
	users := c.leaseUsers()
	if l == nil {
		for _, at := range users {
			c.errorf(at, "add \"lease: {region, table, ttl}\", or take the layer out", "the fence names the lease, but the plan has none")
		}
		return
	}
	if len(users) == 0 {
		c.warnf("lease", "name \"lease\" in the fence of a resource with a single writer", "no resource is fenced by the lease")
	}
	c.shape("lease.table", tableName, l.Table, "3 to 255 of a-z A-Z 0-9 _ . -")
	// Shorter than three seconds a writer loses its lease to a slow network,
	// longer than a minute every promotion waits for it.
	c.span("lease.ttl", l.TTL, 3*time.Second, time.Minute)
	if !c.regionsRead() {
		return
	}
	spec, listed := c.plan.Region(l.Region)
	switch {
	case !listed:
		c.errorf("lease.region", "a Region with \"role: witness\"", "Region %q is not among the plan's regions", l.Region)
	case spec.Role == Primary:
		c.errorf("lease.region", "use a witness Region: it must survive the Region that is left",
			"the lease would be lost together with the primary Region %s", l.Region)
	case spec.Role == Recovery:
		c.warnf("lease.region", "a third Region, with \"role: witness\", sees both others",
			"the lease is lost together with the recovery Region %s, and then the primary stops writing", l.Region)
	}
}

// leaseUsers are the paths of all fence layers that need the lease.
func (c *checker) leaseUsers() []string {
	var at []string
	for i, r := range c.plan.Resources {
		if j := slices.Index(r.Fence, FenceLease); j >= 0 {
			at = append(at, element(element("resources", i)+".fence", j))
		}
	}
	return at
}

func (c *checker) rules() {
	c.span("failover.commitWindow", c.plan.Failover.CommitWindow, time.Second, time.Hour)
	if c.span("failover.watermarks", c.plan.Failover.Watermarks, 100*time.Millisecond, time.Minute) {
		c.watermarks()
	}
	c.span("failback.stableFor", c.plan.Failback.StableFor, time.Second, 24*time.Hour)
	c.span("failback.stepPause", c.plan.Failback.StepPause, 0, time.Hour)
}

// watermarks must be finer than the loss that they are to measure.
func (c *checker) watermarks() {
	for _, r := range c.plan.Resources {
		spec, known := r.Kind.Spec()
		if rpo := c.plan.ObjectivesOf(r).RPO; known && !spec.Stateless && rpo > 0 && c.plan.Failover.Watermarks > rpo {
			c.errorf("failover.watermarks", fmt.Sprintf("at most %s", brief(rpo.D())),
				"a watermark every %s can't show that %s loses less than %s", brief(c.plan.Failover.Watermarks.D()), r.Name, brief(rpo.D()))
			return
		}
	}
}
