package plan_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// grown is the plan of an example and the tree that it stands for.
func grown(t *testing.T) (plan.Plan, plan.Tree) {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	return p, p.Tree()
}

func TestLive_TheTreeOfThePlanItself_HasNoFault(t *testing.T) {
	t.Parallel()
	p, tree := grown(t)
	require.Empty(t, p.Differences(tree))
	require.Empty(t, p.Stranding(tree))
	require.Empty(t, tree.Unwatched())
	require.True(t, tree.HasDefault())
}

func TestLive_EachFault_IsNamed(t *testing.T) {
	t.Parallel()
	is := func(name string, set string) func(plan.Record) bool {
		return func(r plan.Record) bool { return r.Name == name && r.SetID == set }
	}
	const app, geo = "app.patients.example", "geo-europe.patients.example"
	cases := map[string]struct {
		harm                    func(*plan.Tree)
		differs, strands, blind string
		noDefault               bool
	}{
		"a failover record is deleted": {
			harm:    func(t *plan.Tree) { t.Records = slices.DeleteFunc(t.Records, is(geo, "secondary-us-west-2")) },
			differs: "europe is led to us-east-1, and the plan says us-east-1, then us-west-2",
		},
		"a location and the default lead to one Region only": {
			harm: func(t *plan.Tree) {
				t.Records = slices.DeleteFunc(t.Records, func(r plan.Record) bool { return r.Failover == plan.FailoverSecondary })
				for i := range t.Records {
					if r := &t.Records[i]; r.Name == "geo-default.patients.example" {
						r.Target = &plan.Target{Region: "us-east-1"}
					}
				}
			},
			differs: "default is led to us-east-1", strands: "europe is still sent to us-east-1 when us-east-1 is lost",
		},
		"a location's record is deleted": {
			harm:    func(t *plan.Tree) { t.Records = slices.DeleteFunc(t.Records, is(app, "europe")) },
			differs: "europe has no geolocation record",
		},
		"the default is deleted": {
			harm:    func(t *plan.Tree) { t.Records = slices.DeleteFunc(t.Records, is(app, "default")) },
			differs: "default has no geolocation record", noDefault: true,
		},
		"a group is empty": {
			harm: func(t *plan.Tree) {
				t.Records = slices.DeleteFunc(t.Records, func(r plan.Record) bool { return r.Name == geo || r.SetID == "default" })
			},
			differs: "europe is led to nowhere", strands: "europe is answered by nobody now", noDefault: true,
		},
		"a record has no check": {
			harm: func(t *plan.Tree) {
				for i := range t.Records {
					if is(geo, "primary-us-east-1")(t.Records[i]) {
						t.Records[i].Check = ""
					}
				}
			},
			strands: "europe is still sent to us-east-1 when us-east-1 is lost", blind: geo + " to us-east-1 has no health check",
		},
		"a check is deleted": {
			harm: func(t *plan.Tree) {
				t.Checks = slices.DeleteFunc(t.Checks, func(c plan.Check) bool { return c.Name == "patient-records/us-west-2/leaf" })
			},
			blind: geo + " to us-west-2 has a health check that does not exist",
		},
		"an endpoint leads elsewhere": {
			harm: func(t *plan.Tree) {
				for i := range t.Records {
					if t.Records[i].Name == "use1.patients.example" {
						t.Records[i].Target = &plan.Target{}
					}
				}
			},
			differs: "use1.patients.example, the own name of us-east-1, leads to an unknown target",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, tree := grown(t)
			c.harm(&tree)
			requireNamed(t, c.differs, p.Differences(tree))
			requireNamed(t, c.strands, p.Stranding(tree))
			requireNamed(t, c.blind, tree.Unwatched())
			require.Equal(t, c.noDefault, !tree.HasDefault())
		})
	}
}

// requireNamed demands a line that has the words, and none when there are none.
func requireNamed(t *testing.T, words string, lines []string) {
	t.Helper()
	if words == "" {
		require.Empty(t, lines)
		return
	}
	require.Condition(t, func() bool {
		return slices.ContainsFunc(lines, func(l string) bool { return len(l) >= len(words) && l[:len(words)] == words })
	}, "%q is not among %q", words, lines)
}

func TestStranding_RegionThatIsForbiddenToALocation_IsNamed(t *testing.T) {
	t.Parallel()
	p, tree := grown(t)
	i := slices.IndexFunc(p.Traffic.Locations, func(l plan.Location) bool { return l.Name == "europe" })
	p.Traffic.Locations[i].Fallback = ""
	for i := range tree.Records {
		if l := tree.Records[i].Location; l != nil && l.Name == "europe" {
			tree.Records[i].Location = &plan.Location{Name: "europe", Continent: "EU", Region: "us-east-1"}
		}
	}
	require.Equal(t, []string{"europe is sent to us-west-2 when us-east-1 is lost, which the plan does not allow"}, p.Stranding(tree))
}

func TestPlace_ByArea(t *testing.T) {
	t.Parallel()
	p, _ := grown(t)
	l, ok := p.Place("EU", "", "")
	require.True(t, ok)
	require.Equal(t, "europe", l.Name)
	l, ok = p.Place("", "", "")
	require.True(t, ok)
	require.Equal(t, "default", l.Name)
	_, ok = p.Place("", "JP", "")
	require.False(t, ok)
}
