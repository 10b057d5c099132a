package plan

import (
	"slices"

	"golang.org/x/text/language"
)

// Answer is what Route 53 would answer to a location.
type Answer struct {
	Location string `json:"location"`
	// Region whose load balancer is answered; "" when there is no answer.
	Region Region `json:"region"`
	// Through is the location whose geolocation record answered: another than
	// Location when Route 53 fell back to a larger area.
	Through string `json:"through"`
	// Group is the record behind it.
	Group string `json:"group"`
	// FailOpen is true when no record that could answer was healthy and Route 53
	// answered as if all were.
	FailOpen bool `json:"failOpen"`
}

// LossRow is one line of the loss table.
type LossRow struct {
	Location string `json:"location"`
	Lost     Region `json:"lost,omitempty"` // "" means none
	Answer   Region `json:"answer"`
	Through  string `json:"through"`
	// Closed is true when the location's own Region is lost and no other may
	// serve it: clients still get the lost Region's address, which is nobody.
	Closed bool `json:"closed"`
	// FailOpen is true when nothing that could answer was healthy.
	FailOpen bool `json:"failOpen"`
}

// LossTable says for every location which Region answers when none is lost,
// and when each one is.
func (p Plan) LossTable() []LossRow { return p.Tree().LossTable(p.TrafficRegions()) }

// LossTable walks the tree through the loss of each of the Regions.
func (t Tree) LossTable(regions []Region) []LossRow {
	var rows []LossRow
	for _, r := range t.Records {
		if r.Routing != RouteGeolocation {
			continue
		}
		for _, lost := range append([]Region{""}, regions...) {
			a := t.Answer(r.Location.Name, []Region{lost}, nil)
			rows = append(rows, LossRow{
				Location: a.Location, Lost: lost, Answer: a.Region, Through: a.Through, FailOpen: a.FailOpen,
				Closed: lost != "" && a.Region == lost && r.Location.Fallback == "",
			})
		}
	}
	return rows
}

// Answer simulates Route 53 for a location while Regions are lost (nothing in
// them answers, their switch buckets included) and evacuated (their switch was
// thrown in every Region that still stands). The rules are those of AWS's "how
// Route 53 chooses records when health checking is configured":
//
//   - geolocation answers from the smallest area with a healthy record, then the
//     enclosing one, up to the default; when none is healthy, from the smallest;
//   - failover answers the primary if healthy, then the secondary if healthy;
//     when neither is, the primary;
//   - a record without health check is healthy, and so is an alias that doesn't
//     evaluate its target; one that does is healthy when any target record is.
func (t Tree) Answer(location string, lost, evacuated []Region) Answer {
	w := weather{t, lost, evacuated}
	out := Answer{Location: location}
	chain := t.enclosing(location)
	if len(chain) == 0 {
		return out
	}
	i := slices.IndexFunc(chain, w.healthy)
	if i < 0 {
		out.FailOpen, i = true, 0
	}
	out.Through, out.Group = chain[i].SetID, chain[i].Alias
	leaf, open := w.choose(chain[i].Alias)
	out.FailOpen = out.FailOpen || open
	if leaf != nil && leaf.Target != nil {
		out.Region = leaf.Target.Region
	}
	return out
}

// enclosing are the geolocation records that may answer a location, from its
// own to the default.
func (t Tree) enclosing(location string) []Record {
	var geo []Record
	for _, r := range t.Records {
		if r.Routing == RouteGeolocation && r.Location != nil {
			geo = append(geo, r)
		}
	}
	own := slices.IndexFunc(geo, func(r Record) bool { return r.Location.Name == location })
	if own < 0 {
		return nil
	}
	var chain []Record
	for _, area := range larger(*geo[own].Location) {
		for _, r := range geo {
			if r.Location.area() == area {
				chain = append(chain, r)
				break
			}
		}
	}
	return chain
}

// larger are the areas that hold a location, smallest first, its own included.
func larger(l Location) []string {
	areas := []string{l.area()}
	if l.Subdivision != "" {
		areas = append(areas, Location{Country: l.Country}.area())
	}
	if l.Country != "" {
		areas = append(areas, Location{Continent: continentOf(l.Country)}.area())
	}
	if areas[len(areas)-1] != "" {
		areas = append(areas, "")
	}
	return areas
}

// continentOf is Route 53's continent code of a country.
func continentOf(country string) string {
	r, err := language.ParseRegion(country)
	if err != nil {
		return ""
	}
	switch country {
	case "AQ", "BV", "GS", "HM", "TF": // uninhabited; address databases count them as Antarctica, M.49 does not
		return "AN"
	}
	// UN M.49 groups.
	for _, g := range []struct{ group, continent string }{
		{"002", "AF"}, {"142", "AS"}, {"150", "EU"}, {"003", "NA"}, {"005", "SA"}, {"009", "OC"},
	} {
		if group, err := language.ParseRegion(g.group); err == nil && group.Contains(r) {
			return g.continent
		}
	}
	return ""
}

// weather is the state of the world that a tree is asked in.
type weather struct {
	tree            Tree
	lost, evacuated []Region
}

// choose picks among the records of one name.
func (w weather) choose(name string) (leaf *Record, failOpen bool) {
	var all []*Record
	for i := range w.tree.Records {
		if w.tree.Records[i].Name == name {
			all = append(all, &w.tree.Records[i])
		}
	}
	slices.SortStableFunc(all, func(a, b *Record) int { return rank(a) - rank(b) })
	for _, r := range all {
		if w.healthy(*r) {
			return r, false
		}
	}
	if len(all) == 0 {
		return nil, false
	}
	return all[0], true
}

func rank(r *Record) int {
	if r.Failover == FailoverSecondary {
		return 1
	}
	return 0
}

// healthy judges a record. A check that the tree doesn't have is unhealthy: a
// dangling name must not look like safety.
func (w weather) healthy(r Record) bool {
	if r.Check != "" && !w.passes(r.Check, len(w.tree.Checks)) {
		return false
	}
	if r.Alias == "" || !r.EvaluateTargetHealth {
		return true
	}
	return slices.ContainsFunc(w.tree.Records, func(t Record) bool { return t.Name == r.Alias && t.Alias == "" && w.healthy(t) })
}

// passes judges a check; depth ends circles of calculated checks.
func (w weather) passes(name string, depth int) bool {
	i := slices.IndexFunc(w.tree.Checks, func(c Check) bool { return c.Name == name })
	if i < 0 || depth < 0 {
		return false
	}
	c := w.tree.Checks[i]
	switch c.Kind {
	case CheckEndpoint:
		return !slices.Contains(w.lost, c.Region)
	case CheckObject:
		// Inverted: unhealthy only while the object can be read. A holder that is
		// dark can't show it, and the Region stays in.
		thrown := c.Location == "" && slices.Contains(w.evacuated, c.Region) && !slices.Contains(w.lost, c.Holder)
		return !thrown
	case CheckControl:
		return !slices.Contains(w.evacuated, c.Region)
	case CheckCalculated:
		healthy := 0
		for _, child := range c.Children {
			if w.passes(child, depth-1) {
				healthy++
			}
		}
		return healthy >= c.HealthThreshold
	}
	return false
}
