package plan

import (
	"fmt"
	"time"
)

// promises compares what is wanted with what the configuration can reach.
func (c *checker) promises() {
	capability := c.plan.Capability()
	c.evacuationPromise(capability)
	for i, r := range capability.Resources {
		c.lossPromise(i, r)
		if spec, _ := r.Kind.Spec(); spec.Promoted {
			c.promotionPromise(i, r)
		}
	}
}

// evacuationPromise judges the strictest RTO among everything that needs no
// promotion: all of that is back when traffic has moved.
func (c *checker) evacuationPromise(capability Capability) {
	rto, at, who := c.strictest()
	automatic, observed := capability.Automatic, capability.Observed
	if automatic.Worst() <= rto {
		return
	}
	if c.plan.Approvals.Evacuate == EvacuateAutomatic && observed.Worst() <= rto {
		c.warnf(at, c.remedy(rto), "%s is back within %s only as long as Lifeline is alive (%s); without it: %s",
			who, brief(rto), observed, automatic)
		return
	}
	c.errorf(c.culprit(rto, at), c.remedy(rto), "the objective of %s can't be met: %s > %s", who, automatic, brief(rto))
}

// strictest is the shortest RTO that depends on traffic alone, where it stands and whose it is.
func (c *checker) strictest() (rto time.Duration, at, who string) {
	rto, at, who = c.plan.Objectives.RTO.D(), "objectives.rto", c.plan.Application
	for i, r := range c.plan.Resources {
		spec, _ := r.Kind.Spec()
		if r.Objectives != nil && !spec.Promoted && spec.Kept == "" && r.Objectives.RTO.D() < rto {
			rto, at, who = r.Objectives.RTO.D(), element("resources", i)+".objectives.rto", r.Name
		}
	}
	return rto, at, who
}

// culprit is the one setting that would mend the promise, or else the objective itself.
func (c *checker) culprit(rto time.Duration, objective string) string {
	over := c.plan.automatic().Worst() - rto
	h := c.plan.Traffic.HealthCheck
	switch {
	case c.plan.Traffic.TTL.D() >= over+time.Second:
		return "traffic.ttl"
	case h.Interval.D()*time.Duration(h.Threshold)-over >= 20*time.Second:
		return "traffic.healthCheck"
	case c.plan.Traffic.ClientReconnect.D() > over:
		return "traffic.clientReconnect"
	default:
		return objective
	}
}

// remedy says which settings would do.
func (c *checker) remedy(rto time.Duration) string {
	p := c.plan
	if h := &p.Traffic.HealthCheck; h.Interval.D()*time.Duration(h.Threshold) > 20*time.Second {
		h.Interval, h.Threshold = Duration(10*time.Second), 2
		if p.automatic().Worst() <= rto {
			return "interval 10s with threshold 2 gives " + brief(p.automatic().Worst())
		}
	}
	if room := rto - p.automatic().Worst() + p.Traffic.ClientReconnect.D(); c.culprit(rto, "") == "traffic.clientReconnect" {
		return "clients that let go of a dead connection within " + brief(room) + ": look at the load balancer's keepalive, too"
	}
	room := (rto - p.automatic().Worst() + p.Traffic.TTL.D()).Truncate(time.Second)
	if room < time.Second {
		p.Traffic.TTL = Duration(time.Second)
		return fmt.Sprintf("DNS can't do it: interval 10s, threshold 2 and a TTL of 1s still give %s", brief(p.automatic().Worst()))
	}
	if c.plan.Traffic.HealthCheck == p.Traffic.HealthCheck {
		return "a TTL of at most " + brief(room)
	}
	return fmt.Sprintf("interval 10s, threshold 2 and a TTL of at most %s", brief(room))
}

// promotionPromise judges a resource that must be promoted. The promotion's
// time is AWS's, so what merely may go wrong is a warning.
func (c *checker) promotionPromise(i int, r ResourceCapability) {
	at, rto := c.objectivePath(i, "rto"), r.Objective.RTO.D()
	worst, hint := r.Path.Worst(), "a promotion takes minutes; keep what must be back sooner in a DynamoDB global table"
	if r.Path.Name != promotionPath {
		hint = "traffic is slower than the promotion"
	}
	switch {
	case r.Typical.D() > rto:
		c.errorf(at, hint, "the objective of %s can't be met: typically %s, at worst %s, > %s", r.Name, brief(r.Typical.D()), r.Path, brief(rto))
	case worst > rto:
		c.warnf(at, hint, "the objective of %s is met typically (%s), but not at worst: %s > %s", r.Name, brief(r.Typical.D()), r.Path, brief(rto))
	case r.Worst() > rto:
		c.warnf(at, fmt.Sprintf("an approvals.expiry of at most %s, or a longer RTO", brief((rto-worst).Truncate(time.Second))),
			"the objective of %s leaves less time than an approval may take: %s + %s to approve > %s", r.Name, brief(worst), brief(r.Decision.D()), brief(rto))
	}
}

func (c *checker) lossPromise(i int, r ResourceCapability) {
	if rpo := r.Objective.RPO.D(); r.Loss.Typical.D() > rpo {
		c.warnf(c.objectivePath(i, "rpo"), "set the RPO that the business accepts from this store, or keep the data elsewhere",
			"%s typically loses up to %s (%s), more than its RPO of %s", r.Name, brief(r.Loss.Typical.D()), r.Loss.Why, brief(rpo))
	}
}

// objectivePath is where a resource's objective stands: on itself, or on the application.
func (c *checker) objectivePath(i int, key string) string {
	if c.plan.Resources[i].Objectives == nil {
		return "objectives." + key
	}
	return element("resources", i) + ".objectives." + key
}

// losses judges what the record tree answers when each Region is lost. The
// tree is made so that only closed locations are found; the rest guards it.
func (c *checker) losses(rows []LossRow) {
	for _, row := range rows {
		i := c.locationIndex(row.Location)
		at := element("traffic.locations", i)
		switch {
		case row.Lost == "" && row.Answer != c.plan.Traffic.Locations[i].Region:
			c.errorf(at, "", "with all Regions healthy, %s is answered by %s", row.Location, row.Answer)
		case row.Lost == "" || row.Lost != c.plan.Traffic.Locations[i].Region:
		case row.Closed:
			c.warnf(at, "add \"fallback: REGION\" unless law forbids it", "when %s is lost, %s is served by nobody", row.Lost, row.Location)
		case row.Answer == row.Lost:
			c.errorf(at, "", "when %s is lost, %s is still answered by it", row.Lost, row.Location)
		case row.Answer != c.plan.Traffic.Locations[i].Fallback:
			c.errorf(at, "", "when %s is lost, %s is answered by %s, which is not its fallback", row.Lost, row.Location, row.Answer)
		}
	}
}

func (c *checker) locationIndex(name string) int {
	for i, l := range c.plan.Traffic.Locations {
		if l.Name == name {
			return i
		}
	}
	return -1
}
