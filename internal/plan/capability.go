package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Capability is what the configuration can reach, computed, beside what is
// wanted (Objectives) and what drills measured. All times count from the
// failure unless said otherwise.
type Capability struct {
	// Automatic moves traffic by Route 53's own checks, with Lifeline dead.
	Automatic Path `json:"automatic"`
	// Observed moves traffic by the observers' evidence and the manual switch.
	Observed Path `json:"observed"`
	// Manual is the switch alone, counted from the decision.
	Manual Path `json:"manual"`
	// Resources is one entry for each resource, in the plan's order.
	Resources []ResourceCapability `json:"resources"`
}

// ResourceCapability is what one resource can reach.
type ResourceCapability struct {
	Name      string     `json:"name"`
	Kind      Kind       `json:"kind"`
	Tier      int        `json:"tier"`
	Objective Objectives `json:"objective"`
	// Path is the worst case until the resource serves again, people left out.
	Path Path `json:"path"`
	// Typical is the same with what usually happens.
	Typical Duration `json:"typical"`
	// Decision is how long people may take in addition: the expiry of the
	// approval that a one-way step waits for; zero when none is needed.
	Decision Duration `json:"decision"`
	Loss     Loss     `json:"loss"`
	// ByHand says why no runbook brings the resource back; empty when one does.
	// Its path is then empty, since people have no worst case.
	ByHand string `json:"by_hand,omitempty"`
	// Waits names the dependencies that are back later than the resource: until
	// then it works without them (emergency mode).
	Waits []string `json:"waits,omitempty"`
}

// Worst is the path with a decision that takes all the time it may.
func (r ResourceCapability) Worst() time.Duration { return r.Path.Worst() + r.Decision.D() }

// Loss is how much of a resource's latest writes a lost Region takes along.
type Loss struct {
	Typical Duration `json:"typical"`
	// Bounded is true where somebody guarantees a limit. Asynchronous
	// replication has none.
	Bounded bool   `json:"bounded"`
	Why     string `json:"why"`
}

// Path is a chain of waits, one after the other.
type Path struct {
	Name string `json:"name"`
	Legs []Leg  `json:"legs"`
}

// Leg is one wait of a path.
type Leg struct {
	What string   `json:"what"`
	Text string   `json:"text"` // how it is computed, "10s x 2"
	Time Duration `json:"time"`
}

// promotionPath is the Name of the path over fence and promotion.
const promotionPath = "fence + promote"

// Worst is the sum of the legs.
func (p Path) Worst() time.Duration {
	var sum time.Duration
	for _, l := range p.Legs {
		sum += l.Time.D()
	}
	return sum
}

// String is the sum as people would write it: "10s x 2 + 6s + 10s + 20s + 2s = 58s".
func (p Path) String() string {
	texts := make([]string, len(p.Legs))
	for i, l := range p.Legs {
		texts[i] = l.Text
	}
	return strings.Join(texts, " + ") + " = " + brief(p.Worst())
}

// Capability computes what the plan can reach (domain handbook 4.2).
func (p Plan) Capability() Capability {
	c := Capability{Automatic: p.automatic(), Observed: p.observed(), Manual: p.manual()}
	back := map[string]time.Duration{}
	for _, r := range p.Resources {
		rc := p.reach(r)
		back[r.Name] = rc.Worst()
		c.Resources = append(c.Resources, rc)
	}
	for i, r := range p.Resources {
		for _, on := range r.DependsOn {
			if back[on] > back[r.Name] {
				c.Resources[i].Waits = append(c.Resources[i].Waits, on)
			}
		}
	}
	return c
}

// PredictedFloor is the worst case, from the failure to the last client's
// successful request, of the path that evacuates a tier without promotion
// (DynamoDB, S3, services): the smaller of
//
//   - automatic: interval x threshold + checker lag + propagation + TTL + client reconnect;
//   - observed: observers' interval x rounds + timeout, orchestration, then the
//     manual switch (its own detection, propagation, TTL, client reconnect);
//     only when approvals.evacuate is "automatic", since people have no worst case.
//
// A measured RTO should come out at or below it.
func (p Plan) PredictedFloor() time.Duration {
	return p.evacuationPath().Worst()
}

// evacuationPath is the faster of the paths that need no person.
func (p Plan) evacuationPath() Path {
	automatic, observed := p.automatic(), p.observed()
	if p.Approvals.Evacuate == EvacuateAutomatic && observed.Worst() < automatic.Worst() {
		return observed
	}
	return automatic
}

func (p Plan) automatic() Path {
	h := p.Traffic.HealthCheck
	return Path{"automatic", append([]Leg{
		repeat("health checks", h.Interval, h.Threshold),
		leg("checker lag", p.Assumed().CheckerLag),
	}, p.move()...)}
}

func (p Plan) observed() Path {
	return Path{"observers + switch", append(p.evidence(), p.manual().Legs...)}
}

// manual is what the switch costs once it is decided. Routing controls change
// a health check's status themselves; an object must be noticed by checkers.
func (p Plan) manual() Path {
	a := p.Assumed()
	var legs []Leg
	if p.Traffic.Switch.Provider == SwitchS3Object {
		legs = []Leg{repeat("switch checks", a.SwitchInterval, SwitchThreshold), leg("checker lag", a.CheckerLag)}
	}
	return Path{"switch", append(legs, p.move()...)}
}

// evidence is what comes before every decision.
func (p Plan) evidence() []Leg {
	o := p.Observers
	return []Leg{
		repeat("observers", o.Interval, o.Rounds),
		leg("observers' timeout", o.Timeout),
		leg("freeze, pre-scale and fence", p.Assumed().Orchestration),
	}
}

// move is from a health check's new status to clients that work elsewhere.
func (p Plan) move() []Leg {
	return []Leg{
		leg("propagation", p.Assumed().Propagation),
		leg("TTL", p.Traffic.TTL),
		leg("client reconnect", p.Traffic.ClientReconnect),
	}
}

// reach is the capability of one resource.
func (p Plan) reach(r Resource) ResourceCapability {
	path := p.evacuationPath()
	rc := ResourceCapability{
		Name: r.Name, Kind: r.Kind, Tier: r.Tier, Objective: p.ObjectivesOf(r),
		Path: path, Typical: Duration(path.Worst()), Loss: p.lossOf(r),
	}
	switch spec, _ := r.Kind.Spec(); {
	case spec.Promoted:
		p.promoted(&rc, r)
	case spec.Kept != "":
		rc.Path, rc.Typical, rc.ByHand = Path{Name: "by hand"}, 0, spec.Kept
	}
	return rc
}

// promoted replaces the path by the one over a promotion. Traffic moves in
// parallel; it counts only where it is the slower one.
func (p Plan) promoted(rc *ResourceCapability, r Resource) {
	a := p.Assumed()
	legs := p.evidence()
	for _, layer := range r.Fence {
		if layer == FenceLease && p.Lease != nil {
			legs = append(legs, leg("the old writer's lease", p.Lease.TTL))
		}
	}
	path := Path{promotionPath, append(legs, leg("promotion", a.PromotionWorst))}
	rc.Decision = p.Approvals.Expiry
	if path.Worst() > rc.Path.Worst() {
		rc.Path = path
	}
	rc.Typical = Duration(max(path.Worst()-a.PromotionWorst.D()+a.PromotionTypical.D(), rc.Typical.D()))
}

func (p Plan) lossOf(r Resource) Loss {
	a := p.Assumed()
	spec, _ := r.Kind.Spec()
	l := Loss{Why: spec.Replication}
	switch r.Kind {
	case DynamoDBTable:
		l.Typical = a.TableLag
	case AuroraGlobal:
		l.Typical = a.DatabaseLag
	case S3Bucket:
		l.Typical = a.ObjectLag
	case Service:
		l.Bounded, l.Why = true, "holds no data"
	case RDSInstance:
		// Logs are uploaded every five minutes, and a replica is usually closer
		// (Amazon RDS User Guide, "Backing up and restoring").
		l.Typical = Duration(5 * time.Minute)
	case EBSVolume:
		l.Typical = Duration(p.snapshotGap(r))
	case DRSServer:
		// Points in time are ten minutes apart (Elastic Disaster Recovery User Guide).
		l.Typical = Duration(10 * time.Minute)
	}
	return l
}

// snapshotGap is the longest time between two snapshots of a volume: a day by
// Data Lifecycle Manager, and by AWS Backup what its schedules leave open.
func (p Plan) snapshotGap(r Resource) time.Duration {
	const day = 24 * time.Hour
	if p.Backup == nil || r.Protect == nil || r.Protect.Snapshots == nil || r.Protect.Snapshots.By != "backup" {
		return day
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var fires []time.Time
	for _, rule := range p.Backup.Rules {
		if c, err := ParseCron(rule.Schedule); err == nil {
			fires = append(fires, c.Between(from, from.Add(15*day))...)
		}
	}
	slices.SortFunc(fires, time.Time.Compare)
	gap := time.Duration(0)
	for i := 1; i < len(fires); i++ {
		gap = max(gap, fires[i].Sub(fires[i-1]))
	}
	return gap
}

func leg(what string, d Duration) Leg { return Leg{what, brief(d.D()), d} }

func repeat(what string, d Duration, n int) Leg {
	return Leg{what, fmt.Sprintf("%s x %d", brief(d.D()), n), d * Duration(n)}
}

// Brief is the duration without the zero units that String prints: "10m".
func (d Duration) Brief() string { return brief(d.D()) }

// brief is a duration without the zero units that Go prints: "10m", not "10m0s".
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
