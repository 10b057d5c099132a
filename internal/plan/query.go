package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Region is what the plan says of a Region.
func (p Plan) Region(name Region) (RegionSpec, bool) {
	i := slices.IndexFunc(p.Regions, func(r RegionSpec) bool { return r.Name == name })
	if i < 0 {
		return RegionSpec{}, false
	}
	return p.Regions[i], true
}

// Primary is the Region that is home to single writers; "" in a plan without one.
func (p Plan) Primary() Region {
	for _, r := range p.Regions {
		if r.Role == Primary {
			return r.Name
		}
	}
	return ""
}

// TrafficRegions are the Regions that serve clients, the primary first.
func (p Plan) TrafficRegions() []Region {
	var out []Region
	for _, role := range []Role{Primary, Recovery} {
		for _, r := range p.Regions {
			if r.Role == role {
				out = append(out, r.Name)
			}
		}
	}
	return out
}

// Resource is the resource of that name.
func (p Plan) Resource(name string) (Resource, bool) {
	i := slices.IndexFunc(p.Resources, func(r Resource) bool { return r.Name == name })
	if i < 0 {
		return Resource{}, false
	}
	return p.Resources[i], true
}

// ObjectivesOf are what is wanted for a resource: its own, or the application's.
func (p Plan) ObjectivesOf(r Resource) Objectives {
	if r.Objectives != nil {
		return *r.Objectives
	}
	return p.Objectives
}

// Front is the service that clients reach: the one that traffic names, or the
// only one there is.
func (p Plan) Front() (Resource, bool) {
	if p.Traffic.Service != "" {
		r, ok := p.Resource(p.Traffic.Service)
		return r, ok && r.Kind == Service
	}
	var fronts []Resource
	for _, r := range p.Resources {
		if r.Kind == Service {
			fronts = append(fronts, r)
		}
	}
	if len(fronts) != 1 {
		return Resource{}, false
	}
	return fronts[0], true
}

// Digest names this very plan: two plans with one digest say the same. What was
// proved of another plan is no proof of this one.
func (p Plan) Digest() string {
	text, err := json.Marshal(p)
	if err != nil {
		return "" // a plan holds nothing that can't be written
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
