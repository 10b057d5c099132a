package keepers_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkbackup "github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	sdkdlm "github.com/aws/aws-sdk-go-v2/service/dlm"
	dlmtypes "github.com/aws/aws-sdk-go-v2/service/dlm/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdksns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/activities/backup"
	"lifeline/activities/dlm"
	"lifeline/activities/ec2"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

const (
	vault      = "patient-records"
	backupID   = "backup-plan/us-east-1/lifeline-patient-records"
	dlmGroup   = "patient-records-0400-7-30"
	templateID = "Daily-Weekly-Monthly-5yr-Retention"
)

// backupPlanFile is a table, a database and two volumes, with all that AWS Backup
// and Data Lifecycle Manager keep.
func backupPlanFile(volumes ...string) plan.Plan {
	hour := plan.Duration(time.Hour)
	p := plan.Plan{
		Application: "patient-records",
		Regions:     []plan.RegionSpec{{Name: east, Role: plan.Primary}, {Name: west, Role: plan.Recovery}},
		Setup:       &plan.Setup{Drift: plan.Repair, Key: keyAlias},
		Backup: &plan.Backup{
			Vault: vault, Role: "patient-records-backup",
			Rules: []plan.BackupRule{
				{Intent: plan.IntentWeekly, Schedule: "cron(0 2 ? * SUN *)", Start: hour, Complete: 4 * hour, Days: 365, CopyDays: 90},
				{Intent: plan.IntentDaily, Schedule: "cron(0 2 ? * MON-SAT *)", Start: hour, Complete: 4 * hour, Days: 35, CopyDays: 35},
				{Intent: plan.IntentContinuous, Schedule: "cron(0 20 ? * * *)", Start: hour, Complete: 4 * hour, Days: 30, CopyDays: 30, Continuous: true},
			},
			Lock:   &plan.VaultLock{Mode: "governance", MinDays: 7, MaxDays: 2000},
			Select: plan.BackupSelect{Resources: []string{"records", "billing"}, Types: []string{"EBS"}, Tags: map[string]string{"backup": "yes"}},
		},
		Resources: []plan.Resource{
			{Name: "records", Kind: plan.DynamoDBTable, Regions: map[plan.Region]plan.Identifiers{east: {"table": "records"}, west: {"table": "records"}}},
			{
				Name: "billing", Kind: plan.AuroraGlobal, Global: plan.Identifiers{"globalCluster": "billing"},
				Regions: map[plan.Region]plan.Identifiers{east: {"cluster": "billing-use1"}, west: {"cluster": "billing-usw2"}},
			},
		},
	}
	for i, id := range volumes {
		p.Resources = append(p.Resources, plan.Resource{
			Name: "scans-" + string(rune('a'+i)), Kind: plan.EBSVolume, Regions: map[plan.Region]plan.Identifiers{east: {"volume": id}},
			Protect: &plan.Protect{Snapshots: &plan.Snapshots{By: "dlm", Time: "04:00", Keep: 7, CopyRetain: 30}},
		})
	}
	return p
}

// backupItems are those of the two areas: databases are others' to make.
func backupItems(t *testing.T, p plan.Plan) []runbook.Item {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	return of(all, runbook.AreaAccess, runbook.AreaBackup)
}

func backupSite(t *testing.T) *site {
	t.Helper()
	return bare(t, 2000, iam.Keepers, kms.Keepers, backup.Keepers, dlm.Keepers, ec2.Keepers)
}

func (s *site) backup(region plan.Region) *sdkbackup.Client {
	return sdkbackup.NewFromConfig(s.in(region))
}

// volume makes one by hand, as a server does, and gives its id.
func (s *site) volume(t *testing.T) string {
	t.Helper()
	out, err := sdkec2.NewFromConfig(s.in(east)).CreateVolume(t.Context(), &sdkec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(8), VolumeType: ec2types.VolumeTypeGp3,
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVolume, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("scans")}}}},
	})
	require.NoError(t, err)
	return *out.VolumeId
}

func TestBackup_BareWorld_GetsEverythingAndThenNothing(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	items := backupItems(t, backupPlanFile(s.volume(t), s.volume(t)))

	before := s.setup()
	preview := before.survey(items, true)
	preview.read(t)
	require.Empty(t, before.changed(), "a survey changes nothing")
	require.Equal(t, runbook.ToCreate, preview[runbook.ItemID("kms-key", string(west), keyAlias)].Verdict)
	require.Equal(t, runbook.ToChange, preview["backup-region-settings/us-east-1/account"].Verdict)

	first := s.setup().converge(items, true)
	first.good(t)
	require.Equal(t, runbook.Created, first[backupID].Verdict)
	require.Equal(t, runbook.Created, first["dlm-policy/us-east-1/"+dlmGroup].Verdict)

	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
	require.LessOrEqual(t, len(again.calls()), len(items)+8, "about one call for each item")
}

func TestBackup_PlanIsAsTheFileSays(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	got := s.setup().converge(backupItems(t, backupPlanFile()), true)
	got.good(t)
	out, err := s.backup(east).GetBackupPlan(t.Context(), &sdkbackup.GetBackupPlanInput{BackupPlanId: aws.String(got[backupID].Out["id"])})
	require.NoError(t, err)
	require.Len(t, out.BackupPlan.Rules, 3)
	weekly := out.BackupPlan.Rules[0]
	require.Equal(t, "weekly-full", weekly.RecoveryPointTags["dr:intent"])
	require.Equal(t, "arn:aws:backup:us-west-2:"+account+":backup-vault:"+vault, *weekly.CopyActions[0].DestinationBackupVaultArn)
	require.True(t, *out.BackupPlan.Rules[2].EnableContinuousBackup)
	for _, region := range []plan.Region{east, west} {
		v, err := s.backup(region).DescribeBackupVault(t.Context(), &sdkbackup.DescribeBackupVaultInput{BackupVaultName: aws.String(vault)})
		require.NoError(t, err)
		require.Equal(t, got[runbook.ItemID("kms-key", string(region), keyAlias)].Out["arn"], *v.EncryptionKeyArn)
		require.True(t, *v.Locked)
		require.Nil(t, v.LockDate, "governance")
		settings, err := s.backup(region).DescribeRegionSettings(t.Context(), &sdkbackup.DescribeRegionSettingsInput{})
		require.NoError(t, err)
		require.True(t, settings.ResourceTypeOptInPreference["Aurora"])
		require.True(t, settings.ResourceTypeManagementPreference["DynamoDB"])
	}
}

func TestBackup_SettingsOfTypesThatThePlanDoesNotNeedStay(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	by := func(on bool) {
		_, err := s.backup(east).UpdateRegionSettings(t.Context(), &sdkbackup.UpdateRegionSettingsInput{ResourceTypeOptInPreference: map[string]bool{"EFS": on, "Aurora": false}})
		require.NoError(t, err)
	}
	by(false)
	s.setup().converge(backupItems(t, backupPlanFile()), true).good(t)
	settings, err := s.backup(east).DescribeRegionSettings(t.Context(), &sdkbackup.DescribeRegionSettingsInput{})
	require.NoError(t, err)
	require.False(t, settings.ResourceTypeOptInPreference["EFS"])
	require.True(t, settings.ResourceTypeOptInPreference["Aurora"])
}

// drift changes by hand what setup has made.
func (s *site) driftBackup(t *testing.T, got results) {
	t.Helper()
	b := s.backup(east)
	id := aws.String(got[backupID].Out["id"])
	now, err := b.GetBackupPlan(t.Context(), &sdkbackup.GetBackupPlanInput{BackupPlanId: id})
	require.NoError(t, err)
	in := &backuptypes.BackupPlanInput{
		BackupPlanName:         now.BackupPlan.BackupPlanName,
		AdvancedBackupSettings: []backuptypes.AdvancedBackupSetting{{ResourceType: aws.String("EC2"), BackupOptions: map[string]string{"WindowsVSS": "enabled"}}},
		Rules: []backuptypes.BackupRuleInput{{
			RuleName: aws.String("weekly-full"), TargetBackupVaultName: aws.String(vault), ScheduleExpression: aws.String("cron(0 3 ? * SUN *)"),
			Lifecycle: &backuptypes.Lifecycle{DeleteAfterDays: aws.Int64(8)},
		}},
	}
	_, err = b.UpdateBackupPlan(t.Context(), &sdkbackup.UpdateBackupPlanInput{BackupPlanId: id, BackupPlan: in})
	require.NoError(t, err)
	_, err = b.PutBackupVaultLockConfiguration(t.Context(), &sdkbackup.PutBackupVaultLockConfigurationInput{BackupVaultName: aws.String(vault), MinRetentionDays: aws.Int64(1)})
	require.NoError(t, err)
	_, err = s.backup(west).UpdateRegionSettings(t.Context(), &sdkbackup.UpdateRegionSettingsInput{ResourceTypeOptInPreference: map[string]bool{"Aurora": false}})
	require.NoError(t, err)
}

func TestBackup_DriftMadeByHand_IsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	items := backupItems(t, backupPlanFile())
	got := s.setup().converge(items, true)
	got.good(t)
	s.driftBackup(t, got)

	only := s.setup()
	told := only.converge(items, false)
	require.Empty(t, only.changed(), "repair: false only tells")
	for _, id := range []string{backupID, "backup-vault-lock/us-east-1/" + vault, "backup-region-settings/us-west-2/account"} {
		require.Equal(t, runbook.Drifted, told[id].Verdict, id)
	}
	mend := s.setup()
	mend.converge(items, true).good(t)
	require.ElementsMatch(t, []string{"backup:UpdateBackupPlan", "backup:PutBackupVaultLockConfiguration", "backup:UpdateRegionSettings"}, mend.changed())
	now, err := s.backup(east).GetBackupPlan(t.Context(), &sdkbackup.GetBackupPlanInput{BackupPlanId: aws.String(got[backupID].Out["id"])})
	require.NoError(t, err)
	require.Len(t, now.BackupPlan.Rules, 3)
	require.NotEmpty(t, slices.Concat(now.AdvancedBackupSettings, now.BackupPlan.AdvancedBackupSettings), "what the plan says nothing about stays")
}

func TestBackup_SelectionChangedByHand_IsToldSinceNobodyCanChangeIt(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	p := backupPlanFile()
	s.setup().converge(backupItems(t, p), true).good(t)
	p.Resources[0].Regions[east]["table"] = "other"
	r := s.setup().converge(backupItems(t, p), true)["backup-selection/us-east-1/records"]
	require.Equal(t, runbook.Drifted, r.Verdict)
	require.Contains(t, r.Why, "change it by hand")
}

func TestBackup_LostAnswersAndThrottling_LeaveNothingTwice(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	items := backupItems(t, backupPlanFile(s.volume(t)))
	run := s.setup()
	for _, operation := range []string{"CreateBackupPlan", "CreateBackupVault", "CreateBackupSelection", "CreateLifecyclePolicy", "UpdateRegionSettings"} {
		run.suffer(world.Fault{Kind: world.LoseAnswer, Operation: operation, Times: 1})
	}
	run.suffer(world.Fault{Kind: world.Throttle, Probability: 0.3})
	run.converge(items, true).good(t)
	plans, err := s.backup(east).ListBackupPlans(t.Context(), &sdkbackup.ListBackupPlansInput{})
	require.NoError(t, err)
	require.Len(t, plans.BackupPlansList, 1)
	chosen, err := s.backup(east).ListBackupSelections(t.Context(), &sdkbackup.ListBackupSelectionsInput{BackupPlanId: plans.BackupPlansList[0].BackupPlanId})
	require.NoError(t, err)
	require.Len(t, chosen.BackupSelectionsList, 4)
	require.Equal(t, 1, count(run.changed(), "dlm:CreateLifecyclePolicy"))
	s.setup().converge(items, true).all(t, runbook.InPlace)
}

func count(all []string, what string) int {
	n := 0
	for _, s := range all {
		if s == what {
			n++
		}
	}
	return n
}

func TestBackup_TemplatesRulesComeBeforeThePlansOwn(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	p := backupPlanFile()
	p.Backup.Template = templateID
	p.Backup.Rules = p.Backup.Rules[2:] // at 20:00: AWS's own are at 05:00 for eight hours
	got := s.setup().converge(backupItems(t, p), true)
	got.good(t)
	now, err := s.backup(east).GetBackupPlan(t.Context(), &sdkbackup.GetBackupPlanInput{BackupPlanId: aws.String(got[backupID].Out["id"])})
	require.NoError(t, err)
	require.Len(t, now.BackupPlan.Rules, 4)
	for _, r := range now.BackupPlan.Rules {
		require.Equal(t, vault, *r.TargetBackupVaultName)
		require.Len(t, r.CopyActions, 1)
	}
	again := s.setup()
	again.converge(backupItems(t, p), true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
}

func TestBackup_RefusedWithTheReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*plan.Plan)
		id     string
		why    string
	}{
		{"no such template", func(p *plan.Plan) { p.Backup.Template = "Hourly" }, backupID, `AWS has no backup plan template "Hourly"; it has Daily-`},
		{"template swallows a rule of the plan", func(p *plan.Plan) {
			p.Backup.Template = templateID
			p.Backup.Rules[2].Schedule = "cron(0 6 ? * * *)"
		}, backupID, "is still open when that of"},
		{"template does not fit the lock", func(p *plan.Plan) {
			p.Backup.Template, p.Backup.Rules, p.Backup.Lock.MaxDays = templateID, p.Backup.Rules[2:], 400
		}, backupID, "each of its jobs would fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := backupSite(t)
			p := backupPlanFile()
			c.change(&p)
			items := backupItems(t, p)
			run := s.setup()
			got := run.converge(items, true)
			require.Equal(t, runbook.Unkept, got[c.id].Verdict)
			require.Contains(t, got[c.id].Why, c.why)
			require.NotContains(t, run.changed(), "backup:CreateBackupPlan")
			require.Contains(t, s.setup().survey(items, true)[c.id].Why, c.why, "the preview tells it too")
		})
	}
}

func TestBackup_VaultThatWasThereUnderAWSsOwnKey_IsRefused(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	_, err := s.backup(west).CreateBackupVault(t.Context(), &sdkbackup.CreateBackupVaultInput{BackupVaultName: aws.String(vault)})
	require.NoError(t, err)
	r := s.setup().survey(backupItems(t, backupPlanFile()), true)[runbook.ItemID("backup-vault", string(west), vault)]
	require.Equal(t, runbook.Unkept, r.Verdict, "the preview tells it")
	require.Contains(t, r.Why, "AWS's own key, which nobody can change")
	r = s.setup().converge(backupItems(t, backupPlanFile()), true)[runbook.ItemID("backup-vault", string(west), vault)]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "AWS's own key, which nobody can change")
}

func TestBackup_VaultThatWasThereUnderAnotherKeyOfOurs_IsToldAndUsed(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	other := backupPlanFile()
	other.Setup.Key = "alias/older"
	s.setup().converge(backupItems(t, other), true).good(t)
	got := s.setup().converge(backupItems(t, backupPlanFile()), true)
	require.Equal(t, runbook.Drifted, got[runbook.ItemID("backup-vault", string(west), vault)].Verdict)
	require.True(t, got[backupID].Verdict.Good())
}

func TestBackup_ComplianceLockThatNobodyCanChange_IsRefused(t *testing.T) {
	t.Parallel()
	s := bare(t, 500_000, iam.Keepers, kms.Keepers, backup.Keepers, dlm.Keepers, ec2.Keepers)
	p := backupPlanFile()
	p.Backup.Lock = &plan.VaultLock{Mode: "compliance", MinDays: 7, MaxDays: 400, CoolingOffDays: 3}
	items := backupItems(t, p)
	s.setup().converge(items, true).good(t)
	lock := "backup-vault-lock/us-west-2/" + vault
	v, err := s.backup(west).DescribeBackupVault(t.Context(), &sdkbackup.DescribeBackupVaultInput{BackupVaultName: aws.String(vault)})
	require.NoError(t, err)
	require.NotNil(t, v.LockDate)
	require.Eventually(t, func() bool { return time.Now().After(*v.LockDate) }, patience, 50*time.Millisecond, "the cooling-off time passes")
	s.setup().converge(items, true).good(t)

	p.Backup.Lock.MaxDays = 500
	run := s.setup()
	r := run.converge(backupItems(t, p), true)[lock]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "nobody can change that")
	require.Empty(t, run.changed())
}

func TestBackup_NotificationsGoToTheAlarmTopic(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	p := backupPlanFile()
	s.setup().converge(backupItems(t, p), true).good(t)
	p.Monitoring = &plan.Monitoring{Topic: "alarms"}
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	items := slices.DeleteFunc(all, func(i runbook.Item) bool { return i.Type != "backup-vault-notifications" })
	require.Len(t, items, 2)
	for i := range items {
		items[i].Needs = nil // the topic is monitoring's, and made by hand here
		_, err := sdksns.NewFromConfig(s.in(plan.Region(items[i].Region))).CreateTopic(t.Context(), &sdksns.CreateTopicInput{Name: aws.String("alarms")})
		require.NoError(t, err)
	}
	s.setup().converge(items, true).all(t, runbook.Created)
	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
	_, err = s.backup(west).PutBackupVaultNotifications(t.Context(), &sdkbackup.PutBackupVaultNotificationsInput{
		BackupVaultName: aws.String(vault), SNSTopicArn: aws.String("arn:aws:sns:us-west-2:" + account + ":alarms"),
		BackupVaultEvents: []backuptypes.BackupVaultEvent{backuptypes.BackupVaultEventBackupJobStarted},
	})
	require.NoError(t, err)
	require.Equal(t, runbook.Changed, s.setup().converge(items, true)["backup-vault-notifications/us-west-2/"+vault].Verdict)
}

func TestBackup_SnapshotPolicySwitchedOffByHand_RunsAgain(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	items := backupItems(t, backupPlanFile(s.volume(t)))
	id := "dlm-policy/us-east-1/" + dlmGroup
	policy := s.setup().converge(items, true)[id].Out["id"]
	client := sdkdlm.NewFromConfig(s.in(east))
	_, err := client.UpdateLifecyclePolicy(t.Context(), &sdkdlm.UpdateLifecyclePolicyInput{PolicyId: aws.String(policy), State: dlmtypes.SettablePolicyStateValuesDisabled})
	require.NoError(t, err)
	require.Equal(t, runbook.Drifted, s.setup().converge(items, false)[id].Verdict)
	require.Equal(t, runbook.Changed, s.setup().converge(items, true)[id].Verdict)
	out, err := client.GetLifecyclePolicy(t.Context(), &sdkdlm.GetLifecyclePolicyInput{PolicyId: aws.String(policy)})
	require.NoError(t, err)
	require.Equal(t, dlmtypes.GettablePolicyStateValuesEnabled, out.Policy.State)
	require.Equal(t, string(west), *out.Policy.PolicyDetails.Schedules[0].CrossRegionCopyRules[0].Target)
}

func TestBackup_VolumesThatAreNotThere_AreSomebodyElsesToMake(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	got := s.setup().converge(backupItems(t, backupPlanFile("vol-0123456789abcdef0")), true)
	require.Equal(t, runbook.Missing, got["ebs-volume/us-east-1/vol-0123456789abcdef0"].Verdict)
	require.Equal(t, runbook.Unkept, got["ebs-volume-tags/us-east-1/vol-0123456789abcdef0"].Verdict)
}
