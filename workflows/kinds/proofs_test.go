package kinds

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/activities/backup"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func TestWorst(t *testing.T) {
	t.Parallel()
	require.Equal(t, finding{runbook.Red, "a; d"}, worst(green("ok"), red("a"), unknown("b"), amber("c"), red("d")))
	require.Equal(t, finding{runbook.Unknown, "b"}, worst(amber("c"), unknown("b")))
	require.Equal(t, finding{runbook.Green, "ok"}, worst(green("ok"), green("")))
}

func TestSome_NamesTheFirstTwenty(t *testing.T) {
	t.Parallel()
	var names []string
	for i := range 23 {
		names = append(names, fmt.Sprint("n", i))
	}
	require.Contains(t, some(names), "n19; and 3 more")
	require.NotContains(t, some(names), "n20")
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 80 * time.Millisecond: "80ms", 90 * time.Second: "1m30s", 10 * time.Minute: "10m", 26 * time.Hour: "26h", time.Minute + 1200*time.Millisecond: "1m1s",
	} {
		require.Equal(t, want, span(d))
	}
}

func TestVCPUsOf(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]int{"t3.micro": 2, "m6g.large": 2, "m6i.xlarge": 4, "r6g.2xlarge": 8, "c7i.48xlarge": 192} {
		got, ok := vcpusOf(kind)
		require.True(t, ok, kind)
		require.Equal(t, want, got, kind)
	}
	for _, kind := range []string{"", "m6g", "m6g.metal", "u-6tb1.112xl"} {
		_, ok := vcpusOf(kind)
		require.False(t, ok, kind)
	}
}

func TestFirstDue_IsTheEarliestRuleWithAllItsTime(t *testing.T) {
	t.Parallel()
	hour := plan.Duration(time.Hour)
	b := bankbook{plan: plan.Plan{
		Readiness: &plan.Readiness{PointAge: 26 * hour},
		Backup: &plan.Backup{Rules: []plan.BackupRule{
			{Schedule: "cron(0 2 ? * SUN *)", Start: hour, Complete: 4 * hour}, {Schedule: "cron(0 6,18 ? * * *)", Start: hour, Complete: 2 * hour},
		}},
	}}
	made := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC) // a Monday
	require.Equal(t, time.Date(2026, 11, 23, 21, 0, 0, 0, time.UTC), b.firstDue(made))
	b.plan.Backup.Rules = nil
	require.Equal(t, made.Add(26*time.Hour), b.firstDue(made), "AWS's template decides, and the plan says how old a point may be")
}

func TestJudgeLock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	want := plan.VaultLock{Mode: compliance, MinDays: 7, MaxDays: 400}
	v := backup.Vault{Locked: true, MinDays: 7, MaxDays: 400}
	require.Equal(t, runbook.Amber, judgeLock(v, want, now).grade, "governance where compliance is wanted")
	v.Final = now.Add(72 * time.Hour)
	require.Contains(t, judgeLock(v, want, now).why, "final from 2026-11-25")
	want.Mode = "governance"
	require.Equal(t, runbook.Green, judgeLock(v, want, now).grade)
}

func TestCovered_KnowsWhatSetupKeeps(t *testing.T) {
	t.Parallel()
	p := plan.Plan{
		Regions:   []plan.RegionSpec{{Name: "us-east-1", Role: plan.Primary}, {Name: "us-west-2", Role: plan.Recovery}},
		Lease:     &plan.Lease{Region: "us-west-2", Table: "lease"},
		Resources: []plan.Resource{{Kind: plan.RDSInstance, Regions: map[plan.Region]plan.Identifiers{"us-east-1": {"instance": "Ledger"}}}},
		Traffic:   plan.Traffic{Switch: plan.Switch{Buckets: map[plan.Region]string{"us-east-1": "switch"}}},
	}
	known := covered(p)
	require.Empty(t, uncovered(known, stray{region: "us-east-1", key: "instance", names: []string{"ledger"}}), "RDS keeps names in lower case")
	require.Empty(t, uncovered(known, stray{region: "us-west-2", key: "table", names: []string{"lease"}}))
	require.Empty(t, uncovered(known, stray{region: "us-west-2", key: "bucket", names: []string{"switch"}}), "a bucket's name is one for all Regions")
	require.Equal(t, []string{"table lease in us-east-1"}, uncovered(known, stray{region: "us-east-1", key: "table", names: []string{"lease"}}))
}
