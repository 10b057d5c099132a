package plan

import (
	"fmt"
	"strings"
)

// DefaultLocation is the name of the location that catches everybody whose
// place no other location names.
const DefaultLocation = "default"

// Names of the records that the tree generates begin with these.
const (
	geoPrefix  = "geo-"
	onlyPrefix = "only-"
)

// Tree is the plan's part of the hosted zone: everything that must exist in
// Route 53 before the emergency. Records name checks by Check.Name and each
// other by record name; the estate replaces those by AWS's ids.
type Tree struct {
	Zone    string   `json:"zone"`
	Name    string   `json:"name"` // what clients resolve
	Records []Record `json:"records"`
	Checks  []Check  `json:"checks"`
}

// Routing is how Route 53 chooses among records of one name.
type Routing string

// Routing policies.
const (
	RouteSimple      Routing = "simple"
	RouteGeolocation Routing = "geolocation"
	RouteFailover    Routing = "failover"
)

// Failover says which of two records of one name comes first.
type Failover string

// Parts in failover routing.
const (
	FailoverPrimary   Failover = "PRIMARY"
	FailoverSecondary Failover = "SECONDARY"
)

// Record is one resource record set. All are of type CNAME: only they carry a
// TTL of ours, where an alias to a load balancer answers with 60s.
type Record struct {
	Name    string  `json:"name"`
	Routing Routing `json:"routing"`
	// SetID tells records of one name and type apart; empty for simple ones.
	SetID string `json:"setId,omitempty"`
	// Location (geolocation) is the area that the record answers.
	Location *Location `json:"location,omitempty"`
	Failover Failover  `json:"failover,omitempty"`
	// Alias is the name of another record of the tree; without one the record
	// has a TTL and a Target.
	Alias string `json:"alias,omitempty"`
	// EvaluateTargetHealth makes an alias as healthy as the records it names.
	// It is off where a location must never be answered by a larger area's record.
	EvaluateTargetHealth bool     `json:"evaluateTargetHealth"`
	TTL                  Duration `json:"ttl,omitempty"`
	Target               *Target  `json:"target,omitempty"`
	// Check is the health check's name; a record without one is always healthy.
	Check string `json:"check,omitempty"`
}

// Target is the load balancer whose DNS name the record holds.
type Target struct {
	Region       Region `json:"region"`
	Resource     string `json:"resource"`
	LoadBalancer string `json:"loadBalancer"`
}

// CheckKind is what a health check looks at.
type CheckKind string

// Kinds of health checks.
const (
	CheckEndpoint   CheckKind = "endpoint"        // the Region's deep health path
	CheckObject     CheckKind = "switch-object"   // inverted: the object in another Region's bucket
	CheckControl    CheckKind = "routing-control" // RECOVERY_CONTROL
	CheckCalculated CheckKind = "calculated"      // healthy when HealthThreshold children are
)

// Check is one health check. Name is unique in the tree and made of the
// application's name, so that it can serve as caller reference.
type Check struct {
	Name string    `json:"name"`
	Kind CheckKind `json:"kind"`
	// Region is the Region whose health the check decides.
	Region Region `json:"region"`
	// Location is set on the checks that decide for one location only.
	Location string `json:"location,omitempty"`

	Scheme    string   `json:"scheme,omitempty"` // endpoint and switch-object: http or https
	Host      string   `json:"host,omitempty"`
	Port      int      `json:"port,omitempty"`
	Path      string   `json:"path,omitempty"`
	Interval  Duration `json:"interval,omitempty"`
	Threshold int      `json:"threshold,omitempty"`
	Inverted  bool     `json:"inverted,omitempty"`
	// Holder (switch-object) is the Region whose bucket holds the object.
	Holder Region `json:"holder,omitempty"`
	Bucket string `json:"bucket,omitempty"`

	RoutingControl string `json:"routingControl,omitempty"`

	Children        []string `json:"children,omitempty"`
	HealthThreshold int      `json:"healthThreshold,omitempty"` // number of children means all of them
}

// Tree is the record tree that the plan stands for (domain handbook 4.1):
//
//	NAME          geolocation, one alias for each location
//	  geo-LOCATION   failover: the location's Region first, its fallback second
//	  only-LOCATION  its Region alone, where the plan allows no fallback
//	ENDPOINT      simple, one for each Region; no health check
//
// A Region's leaf health is calculated: all of its deep endpoint check and its
// manual switch. A location's first record has, with the s3-object switch, its
// own hold in addition, so that failback can bring locations home one by one.
// The plan must be valid.
func (p Plan) Tree() Tree {
	t := Tree{Zone: p.Traffic.Zone, Name: p.Traffic.Name}
	for _, region := range p.TrafficRegions() {
		t.Checks = append(t.Checks, p.checksOf(region)...)
		t.Records = append(t.Records, p.endpointRecord(region))
	}
	for _, l := range p.Traffic.Locations {
		checks, records := p.locationTree(l)
		t.Checks = append(t.Checks, checks...)
		t.Records = append(t.Records, records...)
	}
	return t
}

// locationTree is what one location adds to the tree.
func (p Plan) locationTree(l Location) ([]Check, []Record) {
	entry := Record{Name: p.Traffic.Name, Routing: RouteGeolocation, SetID: l.Name, Location: &l}
	if l.Fallback == "" {
		// An alias that doesn't evaluate its target always counts as healthy, and
		// so Route 53 never falls back to the larger area, whose Region may be one
		// that this location is forbidden to use.
		entry.Alias = onlyPrefix + l.Name + "." + p.Traffic.Zone
		only := p.leaf(entry.Alias, l.Region)
		return nil, []Record{entry, only}
	}
	entry.Alias, entry.EvaluateTargetHealth = geoPrefix+l.Name+"."+p.Traffic.Zone, true
	first, second := p.leaf(entry.Alias, l.Region), p.leaf(entry.Alias, l.Fallback)
	first.Routing, first.Failover, first.SetID = RouteFailover, FailoverPrimary, "primary-"+string(l.Region)
	second.Routing, second.Failover, second.SetID = RouteFailover, FailoverSecondary, "secondary-"+string(l.Fallback)
	checks := p.holds(l, &first)
	return checks, []Record{entry, first, second}
}

// holds are the checks that keep one location away from its Region while the
// Region itself is in; the location's first record is made to need them.
func (p Plan) holds(l Location, first *Record) []Check {
	if p.Traffic.Switch.Provider != SwitchS3Object {
		return nil
	}
	checks := p.objectChecks(l.Region, l.Name)
	all := p.allOf("leaf-"+l.Name, l.Region, append(p.parts(l.Region), checks...))
	all.Location, first.Check = l.Name, all.Name
	return append(checks, all)
}

// leaf is a record that leads to a Region's load balancer and has its health.
func (p Plan) leaf(name string, region Region) Record {
	r := p.endpointRecord(region)
	r.Name, r.Check = name, p.checkName(region, "leaf")
	return r
}

func (p Plan) endpointRecord(region Region) Record {
	spec, _ := p.Region(region)
	front, _ := p.Front()
	return Record{
		Name: spec.Endpoint, Routing: RouteSimple, TTL: p.Traffic.TTL,
		Target: &Target{Region: region, Resource: front.Name, LoadBalancer: front.Regions[region]["loadBalancer"]},
	}
}

// checksOf are the checks of one Region: deep, switch, and both together.
func (p Plan) checksOf(region Region) []Check {
	parts := p.parts(region)
	return append(parts, p.allOf("leaf", region, parts))
}

// parts are the checks that decide a Region's health.
func (p Plan) parts(region Region) []Check {
	spec, _ := p.Region(region)
	h := p.Traffic.HealthCheck
	return append([]Check{{
		Name: p.checkName(region, "deep"), Kind: CheckEndpoint, Region: region,
		Scheme: p.Traffic.Scheme, Host: spec.Endpoint, Port: p.Traffic.Port, Path: h.Path,
		Interval: h.Interval, Threshold: h.Threshold,
	}}, p.switches(region)...)
}

// allOf is healthy when every one of the checks is. Checks are listed flat:
// whether one calculated check may count another is nowhere documented.
func (p Plan) allOf(part string, region Region, checks []Check) Check {
	all := Check{Name: p.checkName(region, part), Kind: CheckCalculated, Region: region, HealthThreshold: len(checks)}
	for _, c := range checks {
		all.Children = append(all.Children, c.Name)
	}
	return all
}

// switches are the checks that force a Region out.
func (p Plan) switches(region Region) []Check {
	s := p.Traffic.Switch
	if s.Provider == SwitchARCControl {
		return []Check{{
			Name: p.checkName(region, "switch"), Kind: CheckControl, Region: region, RoutingControl: s.RoutingControls[region],
		}}
	}
	return p.objectChecks(region, "")
}

// objectChecks look for the switch object of a Region, or of one location of
// it: one check for each other Region, since any of them may be the survivor.
func (p Plan) objectChecks(region Region, location string) []Check {
	part := "switch-"
	if location != "" {
		part = "hold-" + location + "-"
	}
	var checks []Check
	for _, holder := range p.TrafficRegions() {
		if holder == region {
			continue
		}
		bucket := p.Traffic.Switch.Buckets[holder]
		checks = append(checks, Check{
			Name: p.checkName(region, part+string(holder)), Kind: CheckObject, Region: region, Location: location,
			Scheme: "http", Host: s3Host(bucket, holder), Port: 80, Path: "/" + SwitchKey(region, location),
			Interval: p.Assumed().SwitchInterval, Threshold: SwitchThreshold, Inverted: true,
			Holder: holder, Bucket: bucket,
		})
	}
	return checks
}

func (p Plan) checkName(region Region, part string) string {
	return fmt.Sprintf("%s/%s/%s", p.Application, region, part)
}

// s3Host is a bucket's own name in its Region's S3 endpoint.
func s3Host(bucket string, region Region) string {
	suffix := "amazonaws.com"
	if strings.HasPrefix(string(region), "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return fmt.Sprintf("%s.s3.%s.%s", bucket, region, suffix)
}

// area is a location's geolocation in words, most specific last; "" for the default.
func (l Location) area() string {
	switch {
	case l.Subdivision != "":
		return "country " + l.Country + ", subdivision " + l.Subdivision
	case l.Country != "":
		return "country " + l.Country
	case l.Continent != "":
		return "continent " + l.Continent
	}
	return ""
}
