package kinds

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// storageSite is a plan with one bucket pair, protected as asked.
func storageSite(protect *plan.Protect) Site {
	return Site{Account: "123456789012", Plan: plan.Plan{
		Application: "records", Setup: &plan.Setup{Drift: plan.Repair, Key: "alias/records"},
		Regions: []plan.RegionSpec{{Name: "us-west-2", Role: plan.Recovery}, {Name: "us-east-1", Role: plan.Primary}, {Name: "us-east-2", Role: plan.Witness}},
		Resources: []plan.Resource{{
			Name: "documents", Kind: plan.S3Bucket, Protect: protect,
			Regions: map[plan.Region]plan.Identifiers{"us-east-1": {"bucket": "docs-east"}, "us-west-2": {"bucket": "docs-west"}},
		}},
	}}
}

// itemsOf are the items of a site by id.
func itemsOf(t *testing.T, s Site) map[string]runbook.Item {
	t.Helper()
	all, err := Items(s)
	require.NoError(t, err)
	out := map[string]runbook.Item{}
	for _, i := range all {
		out[i.ID()] = i
	}
	return out
}

func TestBucketItems_PlanThatSaysNothing_ReplicatesBothWaysWithoutTimeControl(t *testing.T) {
	t.Parallel()
	got := itemsOf(t, storageSite(nil))
	for from, to := range map[string]string{"us-east-1/docs-east": "docs-west", "us-west-2/docs-west": "docs-east"} {
		rule := got["s3-replication/"+from]
		require.Equal(t, "arn:aws:s3:::"+to, rule.Want["destination"])
		require.Equal(t, "true", rule.Want["replica-modifications"])
		require.Equal(t, "true", rule.Want["delete-markers"])
		require.Equal(t, "false", rule.Want["time-control"])
		require.Contains(t, rule.Needs, "s3-versioning/us-east-1/docs-east")
		require.Contains(t, rule.Needs, "s3-versioning/us-west-2/docs-west")
		require.NotContains(t, got, "s3-batch-replication/"+from)
		require.NotContains(t, got, "s3-event-notification/"+from)
	}
	require.Equal(t, "${kms-key/us-west-2/alias/records#arn}", got["s3-replication/us-east-1/docs-east"].Want["key"], "the key of the destination's Region")
	require.Equal(t, "${kms-key/us-east-1/alias/records#arn}", got["s3-encryption/us-east-1/docs-east"].Want["key"])
	require.NotContains(t, got, "s3-bucket/us-east-2/docs-east", "the witness holds nothing")
}

func TestBucketItems_OneWay(t *testing.T) {
	t.Parallel()
	got := itemsOf(t, storageSite(&plan.Protect{Replication: &plan.Replication{Direction: "one-way", TimeControl: true}}))
	rule := got["s3-replication/us-east-1/docs-east"]
	require.Equal(t, "false", rule.Want["replica-modifications"])
	require.Equal(t, "false", rule.Want["delete-markers"])
	require.Equal(t, "true", rule.Want["time-control"])
	require.NotContains(t, got, "s3-replication/us-west-2/docs-west", "only away from the primary")
	require.Equal(t, "Enabled", got["s3-versioning/us-west-2/docs-west"].Want["status"])
	policy := got["iam-role/us-east-1/lifeline-records-documents-replication"].Want["inline/replicate"]
	require.NotContains(t, policy, "InitiateReplication")
	require.Equal(t, 1, strings.Count(policy, "s3:ReplicateObject"))
	require.Contains(t, policy, `"s3:ReplicateTags"],"Effect":"Allow","Resource":"arn:aws:s3:::docs-west/*"`)
}

func TestBucketItems_ArchiveOnBothSides_AfterEverythingIsCopied(t *testing.T) {
	t.Parallel()
	got := itemsOf(t, storageSite(&plan.Protect{ArchiveAfterDays: 30, Replication: &plan.Replication{Direction: "both", Existing: true}}))
	east, west := got["s3-lifecycle/us-east-1/docs-east/lifeline-archive"], got["s3-lifecycle/us-west-2/docs-west/lifeline-archive"]
	require.Equal(t, east.Want, west.Want)
	require.Equal(t, "GLACIER", east.Want["class"])
	require.Equal(t, "30", east.Want["days"])
	for _, i := range []runbook.Item{east, west} {
		for _, id := range []string{"s3-batch-replication/us-east-1/docs-east", "s3-batch-replication/us-west-2/docs-west", "s3-replication/us-east-1/docs-east", "s3-replication/us-west-2/docs-west"} {
			require.Contains(t, i.Waits(), id)
		}
	}
	role := got["iam-role/us-east-1/lifeline-records-documents-replication"]
	require.Contains(t, role.Want["trust"], "batchoperations.s3.amazonaws.com")
	require.Contains(t, role.Want["inline/replicate"], "s3:InitiateReplication")
	require.NotContains(t, role.Want["inline/replicate"], `"s3:*"`)
	require.Equal(t, "records", role.Want[tagAtCreation])
	_, rest := runbook.Waves(values(got), nil)
	require.Empty(t, rest)
}

func values(m map[string]runbook.Item) []runbook.Item {
	var out []runbook.Item
	for _, i := range m {
		out = append(out, i)
	}
	return out
}

func TestBucketItems_ContinuousBackup_NeedsEvents(t *testing.T) {
	t.Parallel()
	s := storageSite(nil)
	require.False(t, s.continuous())
	s.Plan.Backup = &plan.Backup{Rules: []plan.BackupRule{{Intent: plan.IntentDaily}}}
	require.False(t, s.continuous())
	for _, rule := range []plan.BackupRule{{Intent: plan.IntentContinuous}, {Intent: plan.IntentDaily, Continuous: true}} {
		s.Plan.Backup.Rules = []plan.BackupRule{rule}
		events := bucket{}.Items(s, s.Plan.Resources[0])
		require.True(t, hasID(events, "s3-event-notification/us-east-1/docs-east"))
		require.True(t, hasID(events, "s3-event-notification/us-west-2/docs-west"))
	}
}

func hasID(items []runbook.Item, id string) bool {
	for _, i := range items {
		if i.ID() == id {
			return true
		}
	}
	return false
}

func TestBucketItems_OneRegion_ReplicatesNowhere(t *testing.T) {
	t.Parallel()
	s := storageSite(nil)
	s.Plan.Regions = []plan.RegionSpec{{Name: "us-east-1", Role: plan.Primary}}
	items := bucket{}.Items(s, s.Plan.Resources[0])
	require.True(t, hasID(items, "s3-bucket/us-east-1/docs-east"))
	for _, i := range items {
		require.NotContains(t, []string{"s3-replication", "iam-role"}, i.Type)
	}
}

func TestSwitchBuckets_OpenForTheSwitchOnly_AndWithoutOurKey(t *testing.T) {
	t.Parallel()
	s := storageSite(nil)
	require.Empty(t, switchBuckets(s))
	s.Plan.Traffic.Switch = plan.Switch{Provider: plan.SwitchS3Object, Buckets: map[plan.Region]string{"us-east-1": "sw-east", "us-west-2": "sw-west"}}
	items := switchBuckets(s)
	require.True(t, hasID(items, "s3-bucket/us-east-1/sw-east"))
	for _, i := range items {
		require.Equal(t, runbook.AreaTraffic, i.Area)
		switch i.Type {
		case "s3-encryption":
			require.Equal(t, "AES256", i.Want["algorithm"], "checkers can't use a KMS key")
		case "s3-bucket-policy":
			require.Contains(t, i.Want["statement/LifelineCheckers"], i.Name+"/evacuate/*")
			require.Contains(t, i.Needs, "s3-public-access-block/"+i.Region+"/"+i.Name)
		case "s3-public-access-block":
			require.Equal(t, "true", i.Want["block-public-acls"])
			require.Equal(t, "false", i.Want["block-public-policy"])
		}
	}
}

func TestKeys_EventBridgeIsLetInWithoutACondition(t *testing.T) {
	t.Parallel()
	items := keys(storageSite(nil))
	require.Len(t, items, 2)
	for _, i := range items {
		require.NotContains(t, i.Want["statement/LifelineEvents"], "Condition", "EventBridge says no account, and would lose every event")
		require.Contains(t, i.Want["statement/LifelineEvents"], "events.amazonaws.com")
		require.Contains(t, i.Want["statement/LifelineAlarms"], `"aws:SourceAccount":"123456789012"`)
	}
}

func TestRoleName_FitsAndStaysUnique(t *testing.T) {
	t.Parallel()
	require.Equal(t, "lifeline-records-documents-replication", roleName("records", "documents", "replication"))
	long := strings.Repeat("a", 63)
	one, two := roleName(long, "x"), roleName(long, "y")
	require.Len(t, one, 64)
	require.NotEqual(t, one, two)
	require.NotContains(t, one, " ")
}
