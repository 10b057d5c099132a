package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Differences says what a tree that Route 53 has lacks of what the plan wants,
// one line each. Trees are compared by what they mean, whatever their records are
// called: for each location the Regions that its group leads to, in order, and
// each Region's own name.
func (p Plan) Differences(live Tree) []string {
	var out []string
	for _, region := range p.TrafficRegions() {
		spec, _ := p.Region(region)
		if got := live.leads(spec.Endpoint); !slices.Equal(got, []Region{region}) {
			out = append(out, fmt.Sprintf("%s, the own name of %s, leads to %s", spec.Endpoint, region, nowhere(got)))
		}
	}
	for _, l := range p.Traffic.Locations {
		want := []Region{l.Region}
		if l.Fallback != "" {
			want = append(want, l.Fallback)
		}
		entry, ok := live.entry(l.Name)
		if !ok {
			out = append(out, fmt.Sprintf("%s has no geolocation record", l.Name))
			continue
		}
		if got := live.leads(entry.Alias); !slices.Equal(got, want) {
			out = append(out, fmt.Sprintf("%s is led to %s, and the plan says %s", l.Name, nowhere(got), nowhere(want)))
		}
	}
	return out
}

// Stranding walks a tree through the loss of each Region and says who would be
// left with the lost Region, with nobody, or with a Region that the plan forbids
// there, one line each. A location that has nowhere to go fails closed, which is
// the plan's own wish.
func (p Plan) Stranding(live Tree) []string {
	var out []string
	for _, row := range live.LossTable(p.TrafficRegions()) {
		entry, _ := live.entry(row.Location)
		l := *entry.Location
		when := "now"
		if row.Lost != "" {
			when = "when " + string(row.Lost) + " is lost"
		}
		switch {
		case row.Closed:
		case row.Answer == "":
			out = append(out, fmt.Sprintf("%s is answered by nobody %s", row.Location, when))
		case row.Lost != "" && row.Answer == row.Lost:
			out = append(out, fmt.Sprintf("%s is still sent to %s %s", row.Location, row.Answer, when))
		case l.Region != "" && row.Answer != l.Region && row.Answer != l.Fallback:
			out = append(out, fmt.Sprintf("%s is sent to %s %s, which the plan does not allow", row.Location, row.Answer, when))
		}
	}
	return out
}

// Unwatched are the records that lead to a Region without a health check that
// exists: such a record is always healthy.
func (t Tree) Unwatched() []string {
	var out []string
	for _, r := range t.Records {
		if r.Target == nil || !t.grouped(r.Name) {
			continue
		}
		switch known := slices.ContainsFunc(t.Checks, func(c Check) bool { return c.Name == r.Check }); {
		case r.Check == "":
			out = append(out, fmt.Sprintf("%s to %s has no health check", r.Name, r.Target.Region))
		case !known:
			out = append(out, fmt.Sprintf("%s to %s has a health check that does not exist", r.Name, r.Target.Region))
		}
	}
	return out
}

// HasDefault says whether there is a record for everybody whose place no other
// record names.
func (t Tree) HasDefault() bool {
	return slices.ContainsFunc(t.Records, func(r Record) bool {
		return r.Routing == RouteGeolocation && r.Location != nil && r.Location.area() == ""
	})
}

// Place is where a location stands among those of the plan: by its area, since
// names are ours.
func (p Plan) Place(continent, country, subdivision string) (Location, bool) {
	area := Location{Continent: continent, Country: country, Subdivision: subdivision}.area()
	i := slices.IndexFunc(p.Traffic.Locations, func(l Location) bool { return l.area() == area })
	if i < 0 {
		return Location{}, false
	}
	return p.Traffic.Locations[i], true
}

// entry is the geolocation record of a location.
func (t Tree) entry(location string) (Record, bool) {
	i := slices.IndexFunc(t.Records, func(r Record) bool {
		return r.Routing == RouteGeolocation && r.Location != nil && r.Location.Name == location
	})
	if i < 0 {
		return Record{}, false
	}
	return t.Records[i], true
}

// leads are the Regions that the records of a name lead to, first choice first.
func (t Tree) leads(name string) []Region {
	var group []*Record
	for i := range t.Records {
		if t.Records[i].Name == name && t.Records[i].Target != nil {
			group = append(group, &t.Records[i])
		}
	}
	slices.SortStableFunc(group, func(a, b *Record) int { return rank(a) - rank(b) })
	var out []Region
	for _, r := range group {
		out = append(out, r.Target.Region)
	}
	return out
}

// grouped says whether a location's record leads to the name.
func (t Tree) grouped(name string) bool {
	return slices.ContainsFunc(t.Records, func(r Record) bool { return r.Routing == RouteGeolocation && r.Alias == name })
}

// nowhere lists Regions in words.
func nowhere(regions []Region) string {
	var words []string
	for _, r := range regions {
		words = append(words, cmp.Or(string(r), "an unknown target"))
	}
	return cmp.Or(strings.Join(words, ", then "), "nowhere")
}
