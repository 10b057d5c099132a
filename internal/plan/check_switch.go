package plan

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// arcEndpoints is how many endpoints every ARC cluster has, each in a Region of its own.
const arcEndpoints = 5

// evacuation checks that the manual switch is complete: what it needs must
// stand in the plan, because the calls that would look it up are control plane.
func (c *checker) evacuation() {
	s := c.plan.Traffic.Switch
	if !oneOf(c, "traffic.switch.provider", s.Provider, SwitchS3Object, SwitchARCControl) {
		return
	}
	if s.Provider == SwitchS3Object {
		c.foreign("routingControls", len(s.RoutingControls), s.Provider)
		c.foreign("clusterEndpoints", len(s.ClusterEndpoints), s.Provider)
		c.perRegion("traffic.switch.buckets", s.Buckets, bucketName, "a bucket name")
		c.dottedBuckets()
		return
	}
	c.foreign("buckets", len(s.Buckets), s.Provider)
	c.perRegion("traffic.switch.routingControls", s.RoutingControls, controlARN,
		"arn:aws:route53-recovery-control::ACCOUNT:controlpanel/ID/routingcontrol/ID")
	c.clusterEndpoints()
}

// foreign refuses the settings of the other provider: whoever wrote them
// believes in a switch that would not be thrown.
func (c *checker) foreign(key string, n int, provider SwitchProvider) {
	if n > 0 {
		c.errorf("traffic.switch."+key, "take them out, or change the provider", "switch provider %s has no %s", provider, key)
	}
}

// perRegion checks one name for each Region that serves clients, each a different one.
func (c *checker) perRegion(at string, names map[Region]string, pattern, rule string) {
	owner := map[string]Region{}
	for _, region := range slices.Sorted(maps.Keys(names)) {
		here := join(at, string(region))
		c.inTraffic(here, region)
		name := names[region]
		c.shape(here, pattern, name, rule)
		if other, taken := owner[name]; taken {
			c.errorf(here, "", "%s is already that of %s", name, other)
		}
		owner[name] = region
	}
	if !c.regionsRead() {
		return
	}
	for _, region := range c.plan.TrafficRegions() {
		if _, given := names[region]; !given {
			c.errorf(at, rule, "%s has none for Region %s", at, region)
		}
	}
}

// dottedBuckets warns of names that break TLS; the checkers use plain HTTP, but people will not.
func (c *checker) dottedBuckets() {
	b := c.plan.Traffic.Switch.Buckets
	for _, region := range slices.Sorted(maps.Keys(b)) {
		if strings.Contains(b[region], ".") {
			c.warnf(join("traffic.switch.buckets", string(region)), "use dashes", "bucket names with dots don't work over https")
		}
	}
}

func (c *checker) clusterEndpoints() {
	at, all := "traffic.switch.clusterEndpoints", c.plan.Traffic.Switch.ClusterEndpoints
	if len(all) != arcEndpoints {
		c.errorf(at, "DescribeCluster lists them; it is control plane, so they are kept here", "an ARC cluster has %d endpoints, not %d", arcEndpoints, len(all))
	}
	regions, urls := map[Region]bool{}, map[string]bool{}
	for i, e := range all {
		here := element(at, i)
		c.shape(here+".region", regionName, string(e.Region), "an AWS Region, as in us-east-1")
		if regions[e.Region] {
			c.errorf(here+".region", "each endpoint stands in a Region of its own", "a second endpoint in %s", e.Region)
		}
		if urls[e.URL] {
			c.errorf(here+".url", "", "endpoint %s is listed twice", e.URL)
		}
		regions[e.Region], urls[e.URL] = true, true
		if !isEndpoint(e.URL) {
			c.errorf(here+".url", "https://HOST/v1", "%q is not the URL of a cluster endpoint", e.URL)
		}
	}
}

// isEndpoint accepts https, and plain http to this machine, where a simulated cluster answers.
func isEndpoint(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || (err == nil && ip.IsLoopback())
	return (u.Scheme == "https" && (local || isHost(u.Hostname()))) || (u.Scheme == "http" && local)
}
