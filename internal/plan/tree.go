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

// EvacuateKey is the key of the object that evacuates a Region, written into a
// surviving Region's switch bucket.
func EvacuateKey(leaving Region) string { return "evacuate/" + string(leaving) }

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
//	NAME         geolocation, one alias for each location
//	  geo-REGION   failover: the Region first, the fallback second
//	  only-REGION  the Region alone, for locations without fallback
//	ENDPOINT     simple, one for each Region; no health check
//
// Each leaf's health is calculated: all of the deep endpoint check and the
// manual switch of its Region. The plan must be valid.
func (p Plan) Tree() Tree {
	t := Tree{Zone: p.Traffic.Zone, Name: p.Traffic.Name}
	for _, region := range p.TrafficRegions() {
		t.Checks = append(t.Checks, p.checksOf(region)...)
		t.Records = append(t.Records, p.endpointRecord(region))
	}
	made := map[string]bool{}
	for _, l := range p.Traffic.Locations {
		group := p.groupName(l)
		t.Records = append(t.Records, Record{
			Name: t.Name, Routing: RouteGeolocation, SetID: l.Name, Location: &l,
			Alias: group, EvaluateTargetHealth: l.Fallback != "",
		})
		if !made[group] {
			t.Records = append(t.Records, p.group(group, l)...)
		}
		made[group] = true
	}
	return t
}

// groupName is the record that a location's alias names. Locations that share
// Region and fallback share it; the first pair of a Region has the short name.
func (p Plan) groupName(l Location) string {
	if l.Fallback == "" {
		return onlyPrefix + string(l.Region) + "." + p.Traffic.Zone
	}
	for _, other := range p.Traffic.Locations {
		if other.Region == l.Region && other.Fallback != "" {
			if other.Fallback == l.Fallback {
				break
			}
			return geoPrefix + string(l.Region) + "-" + string(l.Fallback) + "." + p.Traffic.Zone
		}
	}
	return geoPrefix + string(l.Region) + "." + p.Traffic.Zone
}

// group is the record, or pair of records, behind a location.
func (p Plan) group(name string, l Location) []Record {
	if l.Fallback == "" {
		only := p.leaf(name, l.Region)
		only.Routing = RouteSimple
		return []Record{only}
	}
	first, second := p.leaf(name, l.Region), p.leaf(name, l.Fallback)
	first.Routing, first.Failover, first.SetID = RouteFailover, FailoverPrimary, "primary-"+string(l.Region)
	second.Routing, second.Failover, second.SetID = RouteFailover, FailoverSecondary, "secondary-"+string(l.Fallback)
	return []Record{first, second}
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
	spec, _ := p.Region(region)
	h := p.Traffic.HealthCheck
	checks := append([]Check{{
		Name: p.checkName(region, "deep"), Kind: CheckEndpoint, Region: region,
		Scheme: p.Traffic.Scheme, Host: spec.Endpoint, Port: p.Traffic.Port, Path: h.Path,
		Interval: h.Interval, Threshold: h.Threshold,
	}}, p.switches(region)...)
	all := Check{Name: p.checkName(region, "leaf"), Kind: CheckCalculated, Region: region, HealthThreshold: len(checks)}
	for _, c := range checks {
		all.Children = append(all.Children, c.Name)
	}
	return append(checks, all)
}

// switches are the checks that force a Region out. With objects there is one
// for each other Region, since any of them may be the survivor.
func (p Plan) switches(region Region) []Check {
	s := p.Traffic.Switch
	if s.Provider == SwitchARCControl {
		return []Check{{
			Name: p.checkName(region, "switch"), Kind: CheckControl, Region: region, RoutingControl: s.RoutingControls[region],
		}}
	}
	a := p.Assumed()
	var checks []Check
	for _, holder := range p.TrafficRegions() {
		if holder == region {
			continue
		}
		checks = append(checks, Check{
			Name: p.checkName(region, "switch-"+string(holder)), Kind: CheckObject, Region: region,
			Scheme: "http", Host: s3Host(s.Buckets[holder], holder), Port: 80, Path: "/" + EvacuateKey(region),
			Interval: a.SwitchInterval, Threshold: a.SwitchThreshold, Inverted: true,
			Holder: holder, Bucket: s.Buckets[holder],
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
