package plan_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

const (
	east plan.Region = "us-east-1"
	west plan.Region = "us-west-2"
)

func regions(r ...plan.Region) []plan.Region { return r }

func TestAnswer_LostOrEvacuated_TheFallbackAnswers(t *testing.T) {
	t.Parallel()
	for _, p := range []plan.Plan{valid(t), withARC(t)} {
		tree := p.Tree()
		for _, l := range p.Traffic.Locations {
			require.Equal(t, l.Region, tree.Answer(l.Name, nil, nil).Region)
			for _, out := range p.TrafficRegions() {
				want := l.Region
				if out == l.Region {
					want = l.Fallback
				}
				require.Equal(t, want, tree.Answer(l.Name, regions(out), nil).Region, "lost")
				require.Equal(t, want, tree.Answer(l.Name, nil, regions(out)).Region, "evacuated")
				require.Equal(t, want, tree.Answer(l.Name, regions(out), regions(out)).Region, "both")
			}
		}
	}
}

// Domain handbook 4.1: if no record is healthy, all are treated as healthy, and
// failover routing returns the primary.
func TestAnswer_AllLost_FailsOpenToTheLocationsOwnRegion(t *testing.T) {
	t.Parallel()
	p := valid(t)
	for _, l := range p.Traffic.Locations {
		a := p.Tree().Answer(l.Name, regions(east, west), nil)
		require.True(t, a.FailOpen)
		require.Equal(t, l.Region, a.Region)
		require.Equal(t, l.Name, a.Through, "the smallest area answers")
	}
}

// Evacuating both is no way to stop traffic: DNS is no fence.
func TestAnswer_AllEvacuated_FailsOpen(t *testing.T) {
	t.Parallel()
	a := valid(t).Tree().Answer("europe", nil, regions(east, west))
	require.True(t, a.FailOpen)
	require.Equal(t, east, a.Region)
}

// The switch object of a Region lies in the other one: when that is dark, no
// checker can see the object, and the Region stays in.
func TestAnswer_SwitchHolderDark_TheEvacuatedRegionStaysIn(t *testing.T) {
	t.Parallel()
	require.Equal(t, plan.Answer{Location: "europe", Region: east, Through: "europe", Group: "geo-europe.patients.example"},
		valid(t).Tree().Answer("europe", regions(west), regions(east)))
	arc := withARC(t).Tree().Answer("europe", regions(west), regions(east))
	require.True(t, arc.FailOpen, "a routing control needs no holder: now neither Region is healthy")
}

// Geographic fallback would send a location that fails closed to the default's
// Region. An alias that doesn't evaluate its target prevents it.
func TestAnswer_WithoutFallback_NobodyElseAnswers(t *testing.T) {
	t.Parallel()
	p := valid(t)
	p.Traffic.Locations[1].Fallback = ""
	a := p.Tree().Answer("europe", regions(east), nil)
	require.Equal(t, plan.Answer{Location: "europe", Region: east, Through: "europe", Group: "only-europe.patients.example", FailOpen: true}, a)
	require.Equal(t, east, p.Tree().Answer("europe", nil, nil).Region)

	leaky := p.Tree()
	i := slices.IndexFunc(leaky.Records, func(r plan.Record) bool { return r.SetID == "europe" })
	leaky.Records[i].EvaluateTargetHealth = true
	require.Equal(t, west, leaky.Answer("europe", regions(east), nil).Region, "with it, the default's record answers")
	require.Equal(t, "default", leaky.Answer("europe", regions(east), nil).Through)
}

func TestAnswer_FallsBackToTheLargerArea(t *testing.T) {
	t.Parallel()
	p := valid(t)
	p.Traffic.Locations = []plan.Location{
		{Name: "california", Country: "US", Subdivision: "CA", Region: east, Fallback: west},
		{Name: "usa", Country: "US", Region: west, Fallback: east},
		{Name: "north-america", Continent: "NA", Region: west, Fallback: east},
		{Name: "default", Region: west, Fallback: east},
	}
	tree := p.Tree()
	for _, step := range []string{"california", "usa", "north-america", "default"} {
		require.Equal(t, step, tree.Answer("california", nil, nil).Through)
		// Without its leaf's check the next larger area must answer.
		for i := range tree.Records {
			if tree.Records[i].SetID == step {
				tree.Records[i].Check = "gone"
			}
		}
	}
	a := tree.Answer("california", nil, nil)
	require.True(t, a.FailOpen)
	require.Equal(t, "california", a.Through, "none is healthy: the smallest area's record")
}

func TestAnswer_CountriesBelongToTheirContinent(t *testing.T) {
	t.Parallel()
	for country, continent := range map[string]string{
		"US": "NA", "MX": "NA", "PR": "NA", "BR": "SA", "GF": "SA", "DE": "EU", "RU": "EU", "TR": "AS", "JP": "AS", "IL": "AS", "EG": "AF", "AU": "OC", "FJ": "OC", "AQ": "AN",
	} {
		p := valid(t)
		p.Traffic.Locations = []plan.Location{
			{Name: "land", Country: country, Region: east, Fallback: west},
			{Name: "around", Continent: continent, Region: west, Fallback: east},
			{Name: "default", Region: west, Fallback: east},
		}
		tree := p.Tree()
		i := slices.IndexFunc(tree.Records, func(r plan.Record) bool { return r.SetID == "land" })
		tree.Records[i].Check = "gone"
		require.Equal(t, "around", tree.Answer("land", nil, nil).Through, country)
	}
}

func TestAnswer_UnknownLocation_HasNoAnswer(t *testing.T) {
	t.Parallel()
	require.Equal(t, plan.Answer{Location: "mars"}, valid(t).Tree().Answer("mars", nil, nil))
}

// The mistakes that an expert looks for in a live zone (domain handbook 2): the
// simulation must find them in a tree that was not made by a plan.
func TestLossTable_FindsWhatIsWrongWithAZone(t *testing.T) {
	t.Parallel()
	record := func(tree plan.Tree, name, set string) *plan.Record {
		i := slices.IndexFunc(tree.Records, func(r plan.Record) bool { return r.Name == name && r.SetID == set })
		return &tree.Records[i]
	}
	for name, spoil := range map[string]func(tree plan.Tree){
		"record without check": func(tree plan.Tree) { record(tree, "geo-europe.patients.example", "primary-us-east-1").Check = "" },
		"threshold zero": func(tree plan.Tree) {
			leaf := record(tree, "geo-europe.patients.example", "primary-us-east-1").Check
			i := slices.IndexFunc(tree.Checks, func(c plan.Check) bool { return c.Name == leaf })
			tree.Checks[i].HealthThreshold = 0
		},
		"secondary in the same Region": func(tree plan.Tree) {
			record(tree, "geo-europe.patients.example", "secondary-us-west-2").Target.Region = east
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := valid(t).Tree()
			spoil(tree)
			var still []string
			for _, row := range tree.LossTable(regions(east, west)) {
				if row.Lost != "" && row.Answer == row.Lost {
					still = append(still, row.Location)
				}
			}
			require.Equal(t, []string{"europe"}, still)
		})
	}
}

func TestLossTable_EveryLocationAndEveryLoss(t *testing.T) {
	t.Parallel()
	rows := valid(t).LossTable()
	require.Len(t, rows, 4*3)
	require.Equal(t, plan.LossRow{Location: "north-america", Answer: east, Through: "north-america"}, rows[0])
	require.Equal(t, plan.LossRow{Location: "north-america", Lost: east, Answer: west, Through: "north-america"}, rows[1])
	require.Equal(t, plan.LossRow{Location: "north-america", Lost: west, Answer: east, Through: "north-america"}, rows[2])

	p := valid(t)
	p.Traffic.Locations[0].Fallback = ""
	closed := p.LossTable()[1]
	require.True(t, closed.Closed)
	require.Equal(t, east, closed.Answer)
	require.False(t, p.LossTable()[2].Closed, "the other Region's loss is nothing to it")
}

func TestLossTable_ThreeRegions_EachLocationHasItsOwnFallback(t *testing.T) {
	t.Parallel()
	p := threeRegions(t)
	require.Len(t, p.LossTable(), 4*4)
	for _, row := range p.LossTable() {
		i := slices.IndexFunc(p.Traffic.Locations, func(l plan.Location) bool { return l.Name == row.Location })
		l := p.Traffic.Locations[i]
		want := l.Region
		if row.Lost == l.Region {
			want = l.Fallback
		}
		require.Equal(t, want, row.Answer, "%s, lost %q", row.Location, row.Lost)
	}
}
