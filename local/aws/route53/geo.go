package route53

import (
	"net/netip"
	"sync"
)

// Place is where an address is: ISO 3166 codes, as geolocation records use them.
type Place struct{ Continent, Country, Subdivision string }

// Geo is a table from networks to places. Safe for concurrent use.
type Geo struct {
	mu     sync.RWMutex
	places map[netip.Prefix]Place
}

// NewGeo is the built-in table: a few networks that public registries give to
// one country each, enough to ask from every continent.
func NewGeo() *Geo {
	g := &Geo{places: map[netip.Prefix]Place{}}
	for network, place := range map[string]Place{
		"199.212.0.0/24":   {Continent: "NA", Country: "US"},
		"192.149.252.0/24": {Continent: "NA", Country: "US", Subdivision: "VA"},
		"192.139.46.0/24":  {Continent: "NA", Country: "CA"},
		"200.94.176.0/20":  {Continent: "NA", Country: "MX"},
		"193.0.0.0/21":     {Continent: "EU", Country: "NL"},
		"194.246.96.0/24":  {Continent: "EU", Country: "DE"},
		"213.248.216.0/22": {Continent: "EU", Country: "GB"},
		"192.134.0.0/22":   {Continent: "EU", Country: "FR"},
		"202.12.29.0/24":   {Continent: "AS", Country: "JP"},
		"203.119.80.0/22":  {Continent: "AS", Country: "CN"},
		"203.119.18.0/24":  {Continent: "AS", Country: "IN"},
		"200.3.12.0/22":    {Continent: "SA", Country: "UY"},
		"200.160.0.0/20":   {Continent: "SA", Country: "BR"},
		"196.216.2.0/24":   {Continent: "AF", Country: "MU"},
		"196.10.52.0/24":   {Continent: "AF", Country: "ZA"},
		"203.119.0.0/22":   {Continent: "OC", Country: "AU"},
		"202.46.176.0/20":  {Continent: "OC", Country: "NZ"},
	} {
		g.Add(netip.MustParsePrefix(network), place)
	}
	return g
}

// Add puts a network on the map, or moves it.
func (g *Geo) Add(network netip.Prefix, p Place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.places[network.Masked()] = p
}

// Locate gives the place of an address (zero when unknown) and the length of
// the longest network around the address that is all in that place, which is
// the scope of an answer that depends on it (RFC 7871).
func (g *Geo) Locate(a netip.Addr) (Place, int) {
	a = a.Unmap()
	if !a.IsValid() {
		return Place{}, 0
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	var place Place
	scope := 0
	for bits := a.BitLen(); bits >= 0; bits-- {
		network := netip.PrefixFrom(a, bits).Masked()
		if p, ok := g.places[network]; ok {
			place, scope = p, bits
			break
		}
	}
	for scope < a.BitLen() && g.divided(netip.PrefixFrom(a, scope).Masked()) {
		scope++
	}
	return place, scope
}

// divided says whether the table knows a network inside this one.
func (g *Geo) divided(network netip.Prefix) bool {
	for p := range g.places {
		if p.Bits() > network.Bits() && network.Contains(p.Addr()) {
			return true
		}
	}
	return false
}
