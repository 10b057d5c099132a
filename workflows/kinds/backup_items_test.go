package kinds_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows/kinds"
)

// protected is a plan with something of all that AWS Backup, Data Lifecycle
// Manager and Elastic Disaster Recovery keep.
func protected() plan.Plan {
	hour := plan.Duration(time.Hour)
	ids := func(key, value string) map[plan.Region]plan.Identifiers {
		return map[plan.Region]plan.Identifiers{"us-east-1": {key: value}, "us-west-2": {key: value}}
	}
	snapshots := func(s plan.Snapshots) *plan.Protect { return &plan.Protect{Snapshots: &s} }
	return plan.Plan{
		Application: "patient-records",
		Regions:     []plan.RegionSpec{{Name: "us-east-1", Role: plan.Primary}, {Name: "us-west-2", Role: plan.Recovery}, {Name: "us-east-2", Role: plan.Witness}},
		Setup:       &plan.Setup{Drift: plan.Repair, Key: "alias/patient-records"},
		Monitoring:  &plan.Monitoring{Topic: "alarms"},
		Backup: &plan.Backup{
			Vault: "records", Role: "records-backup",
			Rules: []plan.BackupRule{
				{Intent: plan.IntentWeekly, Schedule: "cron(0 2 ? * SUN *)", Start: hour, Complete: 4 * hour, Days: 365, CopyDays: 90},
				{Intent: plan.IntentTwiceDaily, Schedule: "cron(0 6,18 ? * * *)", Start: hour, Complete: 3 * hour, Days: 7, CopyDays: 7},
			},
			Lock:   &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 5},
			Select: plan.BackupSelect{Resources: []string{"records", "scans"}, Types: []string{"EBS"}, Tags: map[string]string{"backup": "yes", "app": "records"}},
		},
		ElasticDR: &plan.ElasticDRSite{
			KeepDays: 14,
			Staging: map[plan.Region]plan.Staging{
				"us-west-2": {Subnet: "subnet-0aaaaaaaaaaaaaaaa", SecurityGroups: []string{"sg-0bbbbbbbbbbbbbbbb", "sg-0aaaaaaaaaaaaaaaa"}},
				"us-east-1": {Subnet: "subnet-0bbbbbbbbbbbbbbbb"},
			},
		},
		Resources: []plan.Resource{
			{Name: "records", Kind: plan.DynamoDBTable, Regions: ids("table", "patient-records")},
			{Name: "scans", Kind: plan.EBSVolume, Regions: map[plan.Region]plan.Identifiers{"us-east-1": {"volume": "vol-0aaaaaaaaaaaaaaaa"}}, Protect: snapshots(plan.Snapshots{By: "dlm", Time: "04:00", Keep: 7, CopyRetain: 30})},
			{Name: "logs", Kind: plan.EBSVolume, Regions: map[plan.Region]plan.Identifiers{"us-east-1": {"volume": "vol-0bbbbbbbbbbbbbbbb"}}, Protect: snapshots(plan.Snapshots{By: "dlm", Time: "04:00", Keep: 7, CopyRetain: 30})},
			{Name: "index", Kind: plan.EBSVolume, Regions: map[plan.Region]plan.Identifiers{"us-east-1": {"volume": "vol-0cccccccccccccccc"}}, Protect: snapshots(plan.Snapshots{By: "backup"})},
			{
				Name: "viewer", Kind: plan.DRSServer, Regions: map[plan.Region]plan.Identifiers{"us-west-2": {"sourceServer": "s-0123456789abcdef0"}},
				Protect: &plan.Protect{Launch: &plan.Launch{RightSizing: "IN_AWS", Disposition: "STOPPED"}},
			},
		},
	}
}

type itemsByID map[string]runbook.Item

func itemsOf(t *testing.T, p plan.Plan) itemsByID {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: "123456789012"})
	require.NoError(t, err)
	out := itemsByID{}
	for _, i := range all {
		out[i.ID()] = i
	}
	return out
}

// of are the items of a type.
func (m itemsByID) of(kind string) []runbook.Item {
	var out []runbook.Item
	for id, i := range m {
		if strings.HasPrefix(id, kind+"/") {
			out = append(out, i)
		}
	}
	return out
}

func TestItems_NothingWaitsForALaterAreaOrForEver(t *testing.T) {
	t.Parallel()
	p := protected()
	p.Monitoring = nil // its topic is another file's
	items := itemsOf(t, p)
	order := map[runbook.Area]int{}
	for n, area := range runbook.Areas() {
		order[area] = n
	}
	var all []runbook.Item
	for _, i := range items {
		all = append(all, i)
		for _, id := range i.Waits() {
			other, there := items[id]
			require.True(t, there, "%s waits for %s, which nobody makes", i.ID(), id)
			require.LessOrEqual(t, order[other.Area], order[i.Area], "%s waits for %s", i.ID(), id)
		}
	}
	_, rest := runbook.Waves(all, nil)
	require.Empty(t, rest)
}

func TestBackupItems_VaultsInBothRegionsUnderTheRegionsOwnKey(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, protected())
	for _, region := range []string{"us-east-1", "us-west-2"} {
		require.Equal(t, "${kms-key/"+region+"/alias/patient-records#arn}", items["backup-vault/"+region+"/records"].Want["key"])
	}
	require.Len(t, items.of("backup-vault"), 2, "the witness keeps nothing")
	require.Len(t, items.of("backup-plan"), 1)
}

func TestBackupItems_OptInToWhatThePlanNeedsAndNothingElse(t *testing.T) {
	t.Parallel()
	p := protected()
	require.Equal(t, map[string]string{"opt-in/DynamoDB": "true", "advanced/DynamoDB": "true", "opt-in/EBS": "true"},
		itemsOf(t, p)["backup-region-settings/us-west-2/account"].Want)
	p.Resources = append(p.Resources, plan.Resource{Name: "billing", Kind: plan.AuroraGlobal, Regions: map[plan.Region]plan.Identifiers{"us-east-1": {"cluster": "billing"}}})
	p.Backup.Select.Tags = nil
	require.NotContains(t, itemsOf(t, p)["backup-region-settings/us-east-1/account"].Want, "opt-in/Aurora")
	p.Backup.Select.Resources = append(p.Backup.Select.Resources, "billing")
	require.Contains(t, itemsOf(t, p)["backup-region-settings/us-east-1/account"].Want, "opt-in/Aurora")
}

func TestBackupItems_RulesSayTheIntentAndCopyToTheRecoveryRegion(t *testing.T) {
	t.Parallel()
	var rules []struct {
		RuleName, ScheduleExpression string
		StartWindowMinutes           int
		Lifecycle                    map[string]int
		RecoveryPointTags            map[string]string
		CopyActions                  []struct {
			DestinationBackupVaultArn string
			Lifecycle                 map[string]int
		}
	}
	want := itemsOf(t, protected())["backup-plan/us-east-1/lifeline-patient-records"].Want
	require.NoError(t, json.Unmarshal([]byte(want["rules"]), &rules))
	require.Len(t, rules, 2)
	require.Equal(t, "weekly-full", rules[0].RecoveryPointTags["dr:intent"])
	require.Equal(t, 60, rules[0].StartWindowMinutes)
	require.Equal(t, map[string]int{"DeleteAfterDays": 365}, rules[0].Lifecycle, "no cold storage unless it is asked for")
	require.Equal(t, "arn:aws:backup:us-west-2:123456789012:backup-vault:records", rules[0].CopyActions[0].DestinationBackupVaultArn)
	require.Equal(t, map[string]int{"DeleteAfterDays": 90}, rules[0].CopyActions[0].Lifecycle)
	canonical, err := runbook.CanonicalDocument(want["rules"])
	require.NoError(t, err)
	require.Equal(t, canonical, want["rules"])
	require.NotContains(t, want, "template")
}

func TestBackupItems_TwoRulesOfOneIntentHaveTwoNames(t *testing.T) {
	t.Parallel()
	p := protected()
	p.Backup.Rules = append(p.Backup.Rules, p.Backup.Rules[0])
	rules := itemsOf(t, p)["backup-plan/us-east-1/lifeline-patient-records"].Want["rules"]
	require.Contains(t, rules, `"RuleName":"weekly-full"`)
	require.Contains(t, rules, `"RuleName":"weekly-full-2"`)
}

func TestBackupItems_SelectionsByNameByTypeAndByTag(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, protected())
	require.Equal(t, "arn:aws:dynamodb:us-east-1:123456789012:table/patient-records", items["backup-selection/us-east-1/records"].Want["resources"])
	require.Equal(t, "arn:aws:ec2:us-east-1:123456789012:volume/vol-0cccccccccccccccc", items["backup-selection/us-east-1/index"].Want["resources"], "by: backup selects the volume")
	require.Equal(t, "arn:aws:ec2:*:*:volume/*", items["backup-selection/us-east-1/type.EBS"].Want["resources"])
	require.JSONEq(t, `{"StringEquals":[{"ConditionKey":"aws:ResourceTag/app","ConditionValue":"records"},{"ConditionKey":"aws:ResourceTag/backup","ConditionValue":"yes"}],`+
		`"StringNotLike":[{"ConditionKey":"aws:ResourceTag/lifeline:snapshots","ConditionValue":"*"}]}`, items["backup-selection/us-east-1/tags.all"].Want["conditions"])
	require.Len(t, items.of("backup-selection"), 4)
}

func TestBackupItems_VolumeIsNeverSnapshottedByBoth(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, protected())
	require.NotContains(t, items, "backup-selection/us-east-1/scans", "DLM has it, though the selection names it")
	require.Contains(t, items["backup-selection/us-east-1/type.EBS"].Want["conditions"], "lifeline:snapshots", "the wildcard leaves out what DLM has")
	require.NotContains(t, items, "ebs-volume-tags/us-east-1/vol-0cccccccccccccccc")
}

func TestBackupItems_OnlyAComplianceLockIsIrrevocable(t *testing.T) {
	t.Parallel()
	p := protected()
	var all []runbook.Item
	for _, i := range itemsOf(t, p) {
		all = append(all, i)
	}
	locks := kinds.Irrevocable(all)
	require.Len(t, locks, 2, "one in each Region")
	for _, l := range locks {
		require.Equal(t, "5", l.Want["create/cooling-off-days"])
		require.Contains(t, l.Why, "5 days after it is made nobody can take the lock back")
		require.Contains(t, l.Needs, "backup-plan/us-east-1/lifeline-patient-records", "a lock that the rules don't fit fails every job")
	}
	p.Backup.Lock.Mode = "governance"
	all = nil
	for _, i := range itemsOf(t, p) {
		all = append(all, i)
	}
	require.Empty(t, kinds.Irrevocable(all))
}

func TestBackupItems_NotificationsWaitForTheTopic(t *testing.T) {
	t.Parallel()
	p := protected()
	i := itemsOf(t, p)["backup-vault-notifications/us-west-2/records"]
	require.Equal(t, runbook.AreaMonitoring, i.Area)
	require.Equal(t, "arn:aws:sns:us-west-2:123456789012:alarms", i.Want["topic"])
	require.Contains(t, i.Needs, "sns-topic/us-west-2/alarms")
	p.Monitoring = nil
	require.Empty(t, itemsOf(t, p).of("backup-vault-notifications"))
}

func TestBackupItems_RolesAllowNoWholeService(t *testing.T) {
	t.Parallel()
	for _, role := range itemsOf(t, protected()).of("iam-role") {
		for name, document := range role.Want {
			if !strings.HasPrefix(name, "inline/") {
				continue
			}
			var policy struct {
				Statement []struct{ Action, Resource any }
			}
			require.NoError(t, json.Unmarshal([]byte(document), &policy), "%s %s", role.Name, name)
			for _, s := range policy.Statement {
				require.NotEqual(t, "*", s.Resource, "%s %s", role.Name, name)
				for _, action := range words(s.Action) {
					require.NotContains(t, action, "*", "%s %s", role.Name, name)
				}
			}
		}
	}
}

// words are one word or several, as a policy has them.
func words(v any) []string {
	if one, ok := v.(string); ok {
		return []string{one}
	}
	var out []string
	list, _ := v.([]any)
	for _, w := range list {
		out = append(out, fmt.Sprint(w))
	}
	return out
}

func TestVolumeItems_VolumesAlikeShareOnePolicyThatCopiesUnderTheOtherRegionsKey(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, protected())
	policies := items.of("dlm-policy")
	require.Len(t, policies, 1)
	group := "patient-records-0400-7-30"
	require.Equal(t, "lifeline:snapshots="+group, policies[0].Want["targets"])
	for _, volume := range []string{"vol-0aaaaaaaaaaaaaaaa", "vol-0bbbbbbbbbbbbbbbb"} {
		require.Equal(t, group, items["ebs-volume-tags/us-east-1/"+volume].Want["tag/lifeline:snapshots"])
		require.True(t, items["ebs-volume/us-east-1/"+volume].Given)
	}
	var schedules []struct {
		CreateRule           struct{ Times []string }
		CrossRegionCopyRules []struct {
			Target, CmkArn string
			Encrypted      bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(policies[0].Want["schedules"]), &schedules))
	require.Equal(t, []string{"04:00"}, schedules[0].CreateRule.Times)
	copied := schedules[0].CrossRegionCopyRules[0]
	require.Equal(t, "us-west-2", copied.Target)
	require.True(t, copied.Encrypted)
	require.Equal(t, "${kms-key/us-west-2/alias/patient-records#arn}", copied.CmkArn)
}

func TestServerItems_ServiceInBothRegionsAndSettingsWhereTheServerIsRegistered(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, protected())
	require.Len(t, items.of("drs-service"), 2, "after a failover servers replicate the other way")
	require.Len(t, items.of("drs-replication-template"), 2)
	source := items["drs-source-server/us-west-2/s-0123456789abcdef0"]
	require.True(t, source.Given)
	require.Contains(t, source.Why, "--region us-west-2")
	settings := items["drs-replication-settings/us-west-2/s-0123456789abcdef0"].Want
	require.Equal(t, "sg-0aaaaaaaaaaaaaaaa\nsg-0bbbbbbbbbbbbbbbb", settings["security-groups"])
	require.Equal(t, "false", settings["default-security-group"])
	require.Equal(t, "CUSTOM", settings["encryption"])
	require.Equal(t, "PRIVATE_IP", settings["routing"])
	require.Contains(t, settings["points"], `"retentionDuration":14`)
	require.Equal(t, map[string]string{"right-sizing": "IN_AWS", "disposition": "STOPPED", "copy-tags": "false"},
		items["drs-launch-settings/us-west-2/s-0123456789abcdef0"].Want)
	require.Equal(t, "true", items["drs-replication-template/us-east-1/patient-records"].Want["default-security-group"])
}

func TestServerItems_NeverBasicRightSizing(t *testing.T) {
	t.Parallel()
	p := protected()
	for i := range p.Resources {
		if p.Resources[i].Kind == plan.DRSServer {
			p.Resources[i].Protect = nil
		}
	}
	for _, i := range itemsOf(t, p) {
		if method, ok := i.Want["right-sizing"]; ok {
			require.Equal(t, "NONE", method, i.ID())
		}
	}
}

func TestServerItems_RolesAreWhereTheServiceLooks(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, protected())
	for _, name := range []string{"ReplicationServer", "ConversionServer", "RecoveryInstance", "Agent", "Failback"} {
		role := items["iam-role/us-east-1/AWSElasticDisasterRecovery"+name+"Role"]
		require.Equal(t, "/service-role/", role.Want["create/path"], name)
	}
	require.Contains(t, items["iam-role/us-east-1/AWSElasticDisasterRecoveryAgentRole"].Want["trust"], `"aws:SourceAccount":"123456789012"`)
}
