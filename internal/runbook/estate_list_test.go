package runbook

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// results are n items of one verdict.
func results(prefix string, n int, v Verdict) []ItemResult {
	out := make([]ItemResult, n)
	for i := range out {
		out[i] = ItemResult{ID: fmt.Sprintf("%s/us-east-1/%d", prefix, i), Verdict: v}
	}
	return out
}

func TestEstate_MoreItemsThanAReportHolds_FailuresAreAlwaysListed(t *testing.T) {
	t.Parallel()
	e := Estate{}
	e.Add(AreaStorage, results("bucket", KeptItems+10, Created))
	require.Equal(t, 10, e.More)
	e.Add(AreaDatabases, append(results("replica", 20, Created), results("broken", 30, Unkept)...))
	require.Len(t, e.Items, KeptItems)
	require.Len(t, e.Of(Unkept), 30, "what people have to know of takes the place of what went as planned")
	require.Equal(t, KeptItems+60, len(e.Items)+e.More)
	require.Equal(t, 30, e.Count(Unkept))
}

func TestEstate_Replace_CountsEveryItemOnce(t *testing.T) {
	t.Parallel()
	e := Estate{}
	found := append(results("bucket", KeptItems+10, ToCreate), results("given", 5, InPlace)...)
	found = append(found, results("odd", 3, Drifted)...)
	e.Add(AreaStorage, found)
	require.Equal(t, KeptItems+13, len(e.Items)+e.More)

	done := results("bucket", KeptItems+10, Created)
	done[7].Verdict = Unkept
	e.Replace(AreaStorage, done)
	area := e.Area(AreaStorage)
	require.Equal(t, KeptItems+18, area.Items)
	require.Equal(t, map[Verdict]int{Created: KeptItems + 9, Unkept: 1, InPlace: 5, Drifted: 3}, area.By)
	require.Len(t, e.Of(Unkept), 1)
	require.Len(t, e.Of(Drifted), 3)
	require.Equal(t, KeptItems+13, len(e.Items)+e.More)
}
