package route53

import (
	"math/rand/v2"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
)

// maxMulti is how many records a multivalue answer holds.
const maxMulti = 8

// choose picks by routing policy among the healthy sets. When none is healthy
// all count as healthy: Route 53 fails open.
func (c *chooser) choose(sets []*api.ResourceRecordSet) []*api.ResourceRecordSet {
	switch policyOf(sets[0]) {
	case failover:
		return one(pickFailover(c.open(sets)))
	case weighted:
		return one(pickWeighted(c.open(sets)))
	case geolocation:
		return one(c.pickPlace(sets))
	case multivalue:
		return pickMulti(c.open(sets))
	case simple, unsupported:
		return sets[:1]
	default:
		return sets[:1]
	}
}

func one(s *api.ResourceRecordSet) []*api.ResourceRecordSet {
	if s == nil {
		return nil
	}
	return []*api.ResourceRecordSet{s}
}

// open gives the healthy sets, or all of them when none is.
func (c *chooser) open(sets []*api.ResourceRecordSet) []*api.ResourceRecordSet {
	var healthy []*api.ResourceRecordSet
	for _, s := range sets {
		if c.healthy(s, 0) {
			healthy = append(healthy, s)
		}
	}
	if len(healthy) == 0 {
		return sets
	}
	return healthy
}

// healthy is the health of a record set: that of its check, and for an alias
// with EvaluateTargetHealth that of at least one set it leads to. A set with
// neither is always healthy.
func (c *chooser) healthy(s *api.ResourceRecordSet, depth int) bool {
	if depth > aliasDepth {
		return true
	}
	if s.HealthCheckId != nil {
		// A check that was deleted under its records counts as healthy.
		if check, ok := c.r.checks[*s.HealthCheckId]; ok && !check.served {
			return false
		}
	}
	if s.AliasTarget == nil || !*s.AliasTarget.EvaluateTargetHealth {
		return true
	}
	if *s.AliasTarget.HostedZoneId != c.zone.id {
		return c.targetHealthy(*s.AliasTarget.DNSName)
	}
	kinds, _ := c.zone.find(*s.AliasTarget.DNSName)
	return slices.ContainsFunc(kinds[*s.Type], func(t *api.ResourceRecordSet) bool { return c.healthy(t, depth+1) })
}

func (c *chooser) targetHealthy(name string) bool {
	if c.r.o.Targets == nil {
		return false
	}
	_, healthy, ok := c.r.o.Targets.AliasHealth(aliasName(name))
	return ok && healthy
}

func pickFailover(sets []*api.ResourceRecordSet) *api.ResourceRecordSet {
	for _, s := range sets {
		if *s.Failover == api.ResourceRecordSetFailoverPrimary {
			return s
		}
	}
	return sets[0]
}

// pickWeighted throws the dice among weights above zero; sets of weight zero
// get traffic only when nothing else is left.
func pickWeighted(sets []*api.ResourceRecordSet) *api.ResourceRecordSet {
	var total int64
	for _, s := range sets {
		total += *s.Weight
	}
	if total == 0 {
		return sets[rand.IntN(len(sets))]
	}
	n := rand.Int64N(total)
	for _, s := range sets {
		if n -= *s.Weight; n < 0 {
			return s
		}
	}
	return sets[len(sets)-1]
}

func pickMulti(sets []*api.ResourceRecordSet) []*api.ResourceRecordSet {
	order := rand.Perm(len(sets))
	var out []*api.ResourceRecordSet
	for _, i := range order[:min(maxMulti, len(sets))] {
		out = append(out, sets[i])
	}
	return out
}

// pickPlace takes the smallest area around the client whose set is healthy, then
// the next larger one: subdivision, country, continent, default. It never goes
// to a neighbour. When none of them is healthy the smallest area answers; when
// there is none at all, nothing does.
func (c *chooser) pickPlace(sets []*api.ResourceRecordSet) *api.ResourceRecordSet {
	place, scope := c.r.geo.Locate(c.subnet.Addr())
	c.scope = max(c.scope, scope)
	var smallest *api.ResourceRecordSet
	for _, area := range areas(place) {
		i := slices.IndexFunc(sets, func(s *api.ResourceRecordSet) bool { return area == areaOf(s.GeoLocation) })
		if i < 0 {
			continue
		}
		if smallest == nil {
			smallest = sets[i]
		}
		if c.healthy(sets[i], 0) {
			return sets[i]
		}
	}
	return smallest
}

// areas lists the areas around a place, smallest first.
func areas(p Place) []Place {
	var out []Place
	if p.Subdivision != "" {
		out = append(out, Place{Country: p.Country, Subdivision: p.Subdivision})
	}
	if p.Country != "" {
		out = append(out, Place{Country: p.Country})
	}
	if p.Continent != "" {
		out = append(out, Place{Continent: p.Continent})
	}
	return append(out, Place{Country: "*"})
}

func areaOf(g *api.GeoLocation) Place {
	return Place{Continent: aws.StringValue(g.ContinentCode), Country: aws.StringValue(g.CountryCode), Subdivision: aws.StringValue(g.SubdivisionCode)}
}
