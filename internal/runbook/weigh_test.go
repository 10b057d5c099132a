package runbook

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

const (
	suspect  = plan.Region("us-east-1")
	survivor = plan.Region("us-west-2")
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// sees is a sighting of suspect and survivor.
func sees(name string, stands plan.Region, of, other RegionView) Sighting {
	of.Since = noon()
	return Sighting{Observer: name, Stands: stands, Regions: map[plan.Region]RegionView{suspect: of, survivor: other}}
}

func look(healthy bool, rounds int) RegionView { return RegionView{Healthy: healthy, Rounds: rounds} }

func TestWeigh_Findings(t *testing.T) {
	t.Parallel()
	const up, down = true, false
	a := func(s, o bool) Sighting { return sees("a", survivor, look(s, 3), look(o, 3)) }
	b := func(s, o bool) Sighting { return sees("b", "us-east-2", look(s, 3), look(o, 3)) }
	c := func(s, o bool) Sighting { return sees("c", "on-premises", look(s, 3), look(o, 3)) }
	for name, tc := range map[string]struct {
		sightings []Sighting
		quorum    int
		want      Finding
	}{
		"all see it down":                    {[]Sighting{a(down, up), b(down, up), c(down, up)}, 2, Lost},
		"a quorum sees it down":              {[]Sighting{a(down, up), b(down, up), c(up, up)}, 2, Lost},
		"all see it up":                      {[]Sighting{a(up, up), b(up, up), c(up, up)}, 2, Healthy},
		"a quorum sees it up":                {[]Sighting{a(down, up), b(up, up), c(up, up)}, 2, Healthy},
		"one each, one silent":               {[]Sighting{a(down, up), b(up, up)}, 2, Disagree},
		"nobody answers":                     {nil, 2, Disagree},
		"one of three is no quorum":          {[]Sighting{a(down, up)}, 2, Disagree},
		"unanimity is asked for":             {[]Sighting{a(down, up), b(down, up), c(up, up)}, 3, Disagree},
		"both are down":                      {[]Sighting{a(down, down), b(down, down), c(down, down)}, 2, BothDown},
		"the survivor is seen up by one":     {[]Sighting{a(down, down), b(down, up)}, 2, SurvivorSick},
		"the survivor is judged by others":   {[]Sighting{a(down, down), b(down, up), c(up, up)}, 2, SurvivorSick},
		"the survivor is not yet known":      {[]Sighting{a(down, up), sees("b", "us-east-2", look(down, 3), look(up, 2))}, 2, SurvivorSick},
		"too few rounds are no opinion":      {[]Sighting{a(down, up), sees("b", "us-east-2", look(down, 2), look(up, 3))}, 2, Disagree},
		"the suspect's own word is no voice": {[]Sighting{a(down, up), sees("x", suspect, look(down, 9), look(up, 9))}, 2, Disagree},
		"nor is it one for being up":         {[]Sighting{a(up, up), sees("x", suspect, look(up, 9), look(up, 9))}, 2, Disagree},
		"an observer that saw nothing":       {[]Sighting{a(down, up), {Observer: "b", Stands: "us-east-2"}}, 2, Disagree},
		"a plan without a quorum":            {nil, 0, Disagree},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := Weigh(tc.sightings, plan.Observers{Quorum: tc.quorum, Rounds: 3}, suspect, survivor, noon())
			require.Equal(t, tc.want, e.Finding, e.Why)
			require.NotEmpty(t, e.Why)
			require.Equal(t, noon(), e.At)
			require.Equal(t, tc.want == Lost || tc.want == BothDown || tc.want == SurvivorSick, !e.Failure.IsZero())
		})
	}
}

func TestWeigh_FailureIsWhenTheQuorumWasComplete(t *testing.T) {
	t.Parallel()
	var sightings []Sighting
	for i, seconds := range []int{9, 1, 5} {
		s := sees("o", survivor, look(false, 3), look(true, 3))
		view := s.Regions[suspect]
		view.Since = noon().Add(time.Duration(seconds) * time.Second)
		s.Regions[suspect] = view
		sightings = append(sightings, s)
		if i == 0 {
			continue
		}
		e := Weigh(sightings, plan.Observers{Quorum: 2, Rounds: 3}, suspect, survivor, noon())
		want := []time.Duration{0, 9, 5}[i] * time.Second
		require.Equal(t, noon().Add(want), e.Failure)
	}
}

func TestWeigh_CountsForTheReport(t *testing.T) {
	t.Parallel()
	e := Weigh([]Sighting{
		sees("a", survivor, look(false, 3), look(true, 3)), sees("b", "us-east-2", look(false, 3), look(false, 3)), sees("x", suspect, look(false, 3), look(true, 3)),
	}, plan.Observers{Quorum: 2, Rounds: 3}, suspect, survivor, noon())
	require.Equal(t, []int{2, 1, 2}, []int{e.Down, e.Survivor, e.Asked})
	require.Len(t, e.Sightings, 3, "what does not count is still told")
}
