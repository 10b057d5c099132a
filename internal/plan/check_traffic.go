package plan

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
)

func (c *checker) traffic() {
	t := c.plan.Traffic
	c.front()
	c.host("traffic.zone", t.Zone)
	if c.host("traffic.name", t.Name) {
		c.inZone("traffic.name", t.Name)
	}
	c.endpoints()
	for i, server := range t.NameServers {
		c.nameServer(element("traffic.nameServers", i), server)
	}
	oneOf(c, "traffic.scheme", t.Scheme, "http", "https")
	if t.Port < 1 || t.Port > 65535 {
		c.errorf("traffic.port", "", "port must be 1 to 65535, but is %d", t.Port)
	}
	if c.span("traffic.ttl", t.TTL, time.Second, 24*time.Hour) && t.TTL.D()%time.Second != 0 {
		c.errorf("traffic.ttl", "DNS counts whole seconds", "traffic.ttl is %s", t.TTL)
	}
	c.span("traffic.clientReconnect", t.ClientReconnect, time.Millisecond, time.Hour)
	c.healthCheck()
	c.transaction()
}

func (c *checker) front() {
	at := "traffic"
	if c.plan.Traffic.Service != "" {
		at = "traffic.service"
	}
	if _, ok := c.plan.Front(); ok || c.isBroken("resources") {
		return
	}
	var services []string
	for _, r := range c.plan.Resources {
		if r.Kind == Service {
			services = append(services, r.Name)
		}
	}
	switch {
	case len(services) == 0:
		c.errorf(at, "add a resource of kind service", "there is nothing to send clients to: no resource is a service")
	case c.plan.Traffic.Service != "":
		c.errorf(at, didYouMean(c.plan.Traffic.Service, services), "%q is not a service of this plan", c.plan.Traffic.Service)
	default:
		c.errorf(at, "add \"service: NAME\"; one of: "+strings.Join(services, ", "), "the plan has several services: which one do clients reach?")
	}
}

func (c *checker) host(path, name string) bool {
	if isHost(name) {
		return true
	}
	c.errorf(path, "lower-case labels joined by dots, without a dot at the end", "%s: %q is not a host name", path, name)
	return false
}

// inZone refuses the apex: only CNAME records carry a TTL of our own, and a
// CNAME can't stand at the apex (RFC 1034 section 3.6.2).
func (c *checker) inZone(path, name string) {
	zone := c.plan.Traffic.Zone
	switch {
	case c.isBroken("traffic.zone") || !isHost(zone): // reported as it is
	case name == zone:
		c.errorf(path, "use a name below it, such as app."+zone, "%s is the zone's apex, where no CNAME record can stand", name)
	case !within(name, zone):
		c.errorf(path, "a name below "+zone, "%s is not in the zone %s", name, zone)
	}
}

// endpoints checks the name that always leads to one Region: observers judge
// the Region by it, so it can't be shared or routed.
func (c *checker) endpoints() {
	taken := map[string]string{c.plan.Traffic.Name: "the name that clients resolve"}
	for i, r := range c.plan.Regions {
		at := element("regions", i)
		switch {
		case r.Role == Witness && r.Endpoint != "":
			c.errorf(at+".endpoint", "take it out", "%s is a witness: it serves no clients", r.Name)
		case r.Role == Witness:
		case r.Endpoint == "":
			c.errorf(at, "add \"endpoint: HOST\": observers judge the Region by it", "Region %s has no endpoint", r.Name)
		case !c.host(at+".endpoint", r.Endpoint):
		case taken[r.Endpoint] != "":
			c.errorf(at+".endpoint", "each Region needs a name of its own", "%s is already %s", r.Endpoint, taken[r.Endpoint])
		default:
			c.inZone(at+".endpoint", r.Endpoint)
			c.notGenerated(at+".endpoint", r.Endpoint)
		}
		taken[r.Endpoint] = "the endpoint of " + string(r.Name)
	}
	c.notGenerated("traffic.name", c.plan.Traffic.Name)
}

// notGenerated keeps the record tree's own names free.
func (c *checker) notGenerated(path, name string) {
	if strings.HasPrefix(name, geoPrefix) || strings.HasPrefix(name, onlyPrefix) {
		c.errorf(path, "choose another one", "names that begin with %s and %s belong to the record tree", geoPrefix, onlyPrefix)
	}
}

func (c *checker) nameServer(path, server string) {
	host, port, err := net.SplitHostPort(server)
	number, numErr := strconv.ParseUint(port, 10, 16)
	_, ipErr := netip.ParseAddr(host)
	if err != nil || numErr != nil || number == 0 || (ipErr != nil && !isHost(host) && host != "localhost") {
		c.errorf(path, "HOST:PORT, as in ns-2048.awsdns-64.com:53", "%q is not the address of a name server", server)
	}
}

func (c *checker) healthCheck() {
	h := c.plan.Traffic.HealthCheck
	c.shape("traffic.healthCheck.path", urlPath, h.Path, "an absolute path of letters, digits and . _ ~ / -")
	if i := h.Interval.D(); i != 10*time.Second && i != 30*time.Second {
		c.errorf("traffic.healthCheck.interval", "10s is what a one-minute objective needs",
			"Route 53 checks every 10s or every 30s, not every %s", brief(i))
	}
	if h.Threshold < 1 || h.Threshold > 10 {
		c.errorf("traffic.healthCheck.threshold", "", "threshold must be 1 to 10, but is %d", h.Threshold)
	} else if h.Threshold == 1 {
		c.warnf("traffic.healthCheck.threshold", "2 costs one interval more", "a single failed check moves every client")
	}
}

func (c *checker) transaction() {
	t := c.plan.Traffic.Transaction
	c.shape("traffic.transaction.write", urlPath, t.Write, "an absolute path")
	c.shape("traffic.transaction.status", urlPath, t.Status, "an absolute path")
	c.shape("traffic.transaction.read", idPath, t.Read, "an absolute path with {id} where the identifier goes, once")
}

func (c *checker) locations() {
	names, areas := map[string]bool{}, map[string]string{}
	subnets := make([]netip.Prefix, len(c.plan.Traffic.Locations))
	for i, l := range c.plan.Traffic.Locations {
		at := element("traffic.locations", i)
		c.shape(at+".name", locationName, l.Name, "lower-case letters, digits and inner dashes, 50 at most: record names are made of it")
		if names[l.Name] {
			c.errorf(at+".name", "", "location %q is listed twice", l.Name)
		}
		names[l.Name] = true
		if c.area(at, l) {
			area := l.area()
			if areas[area] != "" && areas[area] != l.Name {
				c.errorf(at, "Route 53 takes one record for each area", "%s and %s are the same area: %s", areas[area], l.Name, area)
			}
			areas[area] = l.Name
		}
		subnets[i] = c.subnet(at+".subnet", l.Subnet, subnets[:i])
		c.places(at, l)
	}
	if !names[DefaultLocation] {
		c.errorf("traffic.locations", "add one with \"name: default\" and no continent or country",
			"the default location is missing: clients whose place Route 53 doesn't know would get no answer")
	}
	if c.regionsRead() && !c.isBroken("traffic.locations") {
		c.idle()
	}
}

// area checks the geolocation codes of a location.
func (c *checker) area(at string, l Location) bool {
	before := len(c.problems)
	switch {
	case l.Name == DefaultLocation && l.area() != "":
		c.errorf(at, "take its continent, country and subdivision out", "the default location is everywhere else: it has no area")
	case l.Name != DefaultLocation && l.area() == "":
		c.errorf(at, "add continent or country", "location %s has no area", l.Name)
	case l.Continent != "" && l.Country != "":
		c.errorf(at, "keep one of them", "Route 53 takes a continent or a country, not both")
	case l.Continent != "":
		oneOf(c, at+".continent", l.Continent, continents()...)
	case l.Country != "" && !isCountry(l.Country):
		c.errorf(at+".country", "ISO 3166-1 alpha-2, as in DE", "%q is not a country code", l.Country)
	}
	if l.Subdivision != "" {
		// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-geo.html
		if l.Country != "US" && l.Country != "UA" {
			c.errorf(at+".subdivision", "take it out", "Route 53 knows subdivisions of US and UA only")
		}
		c.shape(at+".subdivision", subdivision, l.Subdivision, "the code without the country, as in CA")
	}
	return len(c.problems) == before
}

func (c *checker) subnet(path, text string, others []netip.Prefix) netip.Prefix {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		c.errorf(path, "network/bits, as in 198.51.100.0/24", "%q is not a subnet", text)
		return netip.Prefix{}
	case prefix != prefix.Masked():
		c.errorf(path, "did you mean "+prefix.Masked().String()+"?", "%s has bits set after its mask", text)
	case prefix.Bits() == 0:
		c.errorf(path, "the network of one resolver in that place", "%s is everybody", text)
	}
	for i, o := range others {
		if o.IsValid() && o.Overlaps(prefix) {
			c.errorf(path, "an address must belong to one location", "%s overlaps %s of location %s", prefix, o, c.plan.Traffic.Locations[i].Name)
		}
	}
	return prefix
}

// places checks where a location is served, and where it may go.
func (c *checker) places(at string, l Location) {
	c.inTraffic(at+".region", l.Region)
	if l.Fallback == "" || !c.inTraffic(at+".fallback", l.Fallback) {
		return
	}
	if l.Fallback == l.Region {
		c.errorf(at+".fallback", "another Region, or leave it out where law forbids it", "%s falls back to the Region that it lost, %s", l.Name, l.Region)
	}
}

// idle warns of a Region that serves nobody until the night it must.
func (c *checker) idle() {
	for i, r := range c.plan.Regions {
		serves := slices.ContainsFunc(c.plan.Traffic.Locations, func(l Location) bool { return l.Region == r.Name })
		if r.Role != Witness && !serves && c.plan.Strategy == ActiveActive {
			c.warnf(element("regions", i), "let it serve at least one location", "no location is served by %s: it is proved only by the first emergency", r.Name)
		}
	}
}

func isCountry(code string) bool {
	if !matches(countryCode, code) {
		return false
	}
	r, err := language.ParseRegion(code)
	return err == nil && r.IsCountry() && r.Canonicalize() == r
}
