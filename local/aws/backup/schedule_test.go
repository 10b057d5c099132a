package backup_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/backup"
)

// evening is that of Friday, 27 November 2026, long enough before the nightly
// backups for a busy machine to make its plans.
func evening() time.Time { return time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC) }

// quick lets an hour of AWS pass in 100 ms: long enough for a busy machine to
// keep the order of what happens in it.
func quick(t *testing.T) *lab {
	t.Helper()
	return newLab(t, setup{compression: hourIn100ms, start: evening()})
}

const hourIn100ms = 36_000

// rules are the names of the rules whose jobs have ended well, oldest first.
func (l *lab) rules(plan string) []string {
	l.t.Helper()
	got, err := l.east.GetBackupPlan(l.t.Context(), &sdk.GetBackupPlanInput{BackupPlanId: &plan})
	require.NoError(l.t, err)
	names := map[string]string{}
	for _, r := range got.BackupPlan.Rules {
		names[*r.RuleId] = *r.RuleName
	}
	var out []string
	for _, j := range slices.Backward(l.jobs()) {
		if j.CreatedBy != nil && *j.CreatedBy.BackupPlanId == plan && j.State == types.BackupJobStateCompleted {
			out = append(out, names[*j.CreatedBy.BackupRuleId])
		}
	}
	return out
}

// reach waits until the jobs of a plan are at least so many.
func (l *lab) reach(plan string, n int) []string {
	l.t.Helper()
	var names []string
	require.Eventually(l.t, func() bool {
		names = l.rules(plan)
		return len(names) >= n
	}, patience, tick)
	return names
}

func TestSchedule_WeeklyFullNightlyAndTwiceADay(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	plan := l.plan("gold", []string{table},
		rule("weekly", "cron(0 2 ? * SUN *)", 90), rule("nightly", "cron(0 2 ? * MON-SAT *)", 30), rule("twice", "cron(0 6,18 ? * * *)", 7))
	// Saturday 02:00, 06:00, 18:00; Sunday 02:00, 06:00, 18:00; Monday 02:00.
	require.Equal(t, []string{"nightly", "twice", "twice", "weekly", "twice", "twice", "nightly"}, l.reach(plan, 7)[:7])
	got, err := l.east.GetBackupPlan(t.Context(), &sdk.GetBackupPlanInput{BackupPlanId: &plan})
	require.NoError(t, err)
	require.NotNil(t, got.LastExecutionDate)
	job := l.jobs()[len(l.jobs())-1]
	require.Equal(t, *got.VersionId, *job.CreatedBy.BackupPlanVersion)
	require.Equal(t, role, *job.IamRoleArn)
}

func TestSchedule_OverlappingStartWindows_KeepTheLongerRetentionOnly(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	eight := func(r *types.BackupRuleInput) { r.StartWindowMinutes = nil } // the default, eight hours
	plan := l.plan("trap", []string{table}, rule("at-two", "cron(0 2 * * ? *)", 30, eight), rule("at-six", "cron(0 6 * * ? *)", 7), rule("at-noon", "cron(0 12 * * ? *)", 7))
	require.Equal(t, []string{"at-two", "at-noon", "at-two", "at-noon"}, l.reach(plan, 4)[:4], "06:00 is swallowed")
}

func TestSchedule_OverlapWithALaterRuleOfLongerRetention_DropsTheEarlier(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	eight := func(r *types.BackupRuleInput) { r.StartWindowMinutes = nil }
	first := l.plan("short", []string{table, db}, rule("at-two", "cron(0 2 * * ? *)", 7, eight))
	second := l.plan("long", []string{table}, rule("at-six", "cron(0 6 * * ? *)", 30))
	l.reach(second, 2)
	l.reach(first, 2)
	for _, j := range l.jobs() {
		if *j.CreatedBy.BackupPlanId == first {
			require.Equal(t, db, *j.ResourceArn, "the table is the other plan's, the database only this one's")
		}
	}
}

func TestSchedule_DisjointWindows_KeepBoth(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	plan := l.plan("fine", []string{table}, rule("at-two", "cron(0 2 * * ? *)", 30), rule("at-three", "cron(0 3 * * ? *)", 7))
	require.Equal(t, []string{"at-two", "at-three"}, l.reach(plan, 2)[:2])
}

func TestSchedule_UpdateAndDeletion_StopTheOldRules(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	plan := l.plan("plan", []string{table}, rule("hourly", "cron(0 * * * ? *)", 30))
	l.reach(plan, 2)
	_, err := l.east.UpdateBackupPlan(t.Context(), &sdk.UpdateBackupPlanInput{BackupPlanId: &plan, BackupPlan: &types.BackupPlanInput{
		BackupPlanName: aws.String("plan"), Rules: []types.BackupRuleInput{rule("yearly", "cron(0 0 1 1 ? *)", 30)},
	}})
	require.NoError(t, err)
	before := len(l.jobs())
	other := l.plan("clock", []string{db}, rule("hourly", "cron(0 * * * ? *)", 30))
	l.reach(other, 3)
	after := 0
	for _, j := range l.jobs() {
		if *j.CreatedBy.BackupPlanId == plan {
			after++
		}
	}
	require.Equal(t, before, after)
}

func TestContinuous_OnePointAResource_FurtherRulesBecomeSnapshots(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	first := l.plan("first", []string{bucket}, rule("pitr", "cron(0 2,12 * * ? *)", 35, continuous, copied))
	second := l.plan("second", []string{bucket}, rule("pitr", "cron(0 6 * * ? *)", 35, continuous))
	l.reach(first, 2)
	l.reach(second, 1)

	available := 0
	for _, p := range l.points(l.east, "main") {
		if p.Status == types.RecoveryPointStatusAvailable {
			available++
			require.Contains(t, *p.RecoveryPointArn, ":recovery-point:continuous:")
			require.Equal(t, first, *p.CreatedBy.BackupPlanId)
		}
	}
	require.Equal(t, 1, available)
	for _, j := range l.jobs() {
		if *j.CreatedBy.BackupPlanId == second && j.State == types.BackupJobStateCompleted {
			require.Contains(t, *j.StatusMessage, "snapshot")
			require.NotContains(t, *j.RecoveryPointArn, "continuous")
		}
	}
	require.Eventually(t, func() bool { return len(l.points(l.west, "dr")) > 0 }, patience, tick)
	for _, p := range l.points(l.west, "dr") {
		require.Equal(t, types.RecoveryPointStatusCompleted, p.Status, "a copy of a continuous backup is a snapshot")
		require.NotContains(t, *p.RecoveryPointArn, "continuous")
	}
}

func TestContinuous_BesideSnapshots_RDSTakesOneADay(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	plan := l.plan("both", []string{db}, rule("pitr", "cron(0 2 * * ? *)", 35, continuous), rule("by-day", "cron(0 5,11,17 * * ? *)", 7))
	names := l.reach(plan, 5)
	// 02:00 continuous, 05:00 snapshot, then nothing until 05:00 of the next day.
	require.Equal(t, []string{"pitr", "by-day", "pitr", "by-day", "pitr"}, names[:5])
}

func TestContinuous_OnWhatCannot_IsASnapshot(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	plan := l.plan("plan", []string{table}, rule("pitr", "cron(0 2 * * ? *)", 35, continuous))
	l.reach(plan, 1)
	require.Equal(t, types.RecoveryPointStatusCompleted, l.points(l.east, "main")[0].Status)
}

func TestExpired_RunningJobOfTheSameResource_HoldsTheStartWindow(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: hourIn100ms, start: evening(), times: backup.Times{Backup: 10 * time.Hour}})
	l.vaults()
	plan := l.plan("plan", []string{table}, rule("at-two", "cron(0 2 * * ? *)", 30), rule("at-three", "cron(0 3 * * ? *)", 30))
	var expired types.BackupJob
	require.Eventually(t, func() bool {
		i := slices.IndexFunc(l.jobs(), func(j types.BackupJob) bool { return j.State == types.BackupJobStateExpired })
		if i >= 0 {
			expired = l.jobs()[i]
		}
		return i >= 0
	}, patience, tick)
	require.Contains(t, *expired.StatusMessage, "running job for the same resource")
	require.Equal(t, plan, *expired.CreatedBy.BackupPlanId)
	require.Nil(t, expired.RecoveryPointArn)
	require.GreaterOrEqual(t, l.heard.metric("us-east-1 NumberOfBackupJobsExpired main DynamoDB"), 1)
}

func TestSchedule_NearTheMaintenanceWindow_FailsForRDS(t *testing.T) {
	t.Parallel()
	l := quick(t)
	l.vaults()
	l.estate.change(db, func(r *backup.Resource) { r.Maintenance = "sat:03:00-sat:03:30" })
	plan := l.plan("plan", []string{db}, rule("at-two", "cron(0 2 * * ? *)", 30), rule("at-four", "cron(0 4 * * ? *)", 30))
	require.Equal(t, "at-four", l.reach(plan, 1)[0])
	require.Equal(t, 1, l.heard.metric("us-east-1 NumberOfBackupJobsFailed main RDS"))
	first := l.jobs()[len(l.jobs())-1]
	require.Equal(t, types.BackupJobStateFailed, first.State)
	require.Contains(t, *first.StatusMessage, "maintenance window")
}

func TestLifecycle_DeletesPointsWhenTheirTimeIsOver(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: 24 * 3600 * 4}) // a day is a quarter of a second
	l.vaults()
	keep := func(days int64) func(*sdk.StartBackupJobInput) {
		return func(in *sdk.StartBackupJobInput) { in.Lifecycle = &types.Lifecycle{DeleteAfterDays: &days} }
	}
	always := l.backUp(db)
	short := l.backUp(table, keep(1))
	require.Equal(t, types.BackupJobStateCompleted, short.State)
	require.Eventually(t, func() bool { return len(l.points(l.east, "main")) == 1 }, patience, tick)
	require.Equal(t, *always.RecoveryPointArn, *l.points(l.east, "main")[0].RecoveryPointArn)
	_, err := l.east.ListTags(t.Context(), &sdk.ListTagsInput{ResourceArn: short.RecoveryPointArn})
	require.Equal(t, noSuch, code(t, err))
	require.True(t, slices.ContainsFunc(l.heard.allEvents(), func(e string) bool { return strings.Contains(e, "Recovery Point State Change DELETING") }))
}

func TestLifecycle_ColdStorage_ForTypesThatHaveIt_AndNoCopyFromThere(t *testing.T) {
	t.Parallel()
	l := newLab(t, setup{compression: 24 * 3600 * 4})
	l.vaults()
	cold := func(archive bool) func(*sdk.StartBackupJobInput) {
		return func(in *sdk.StartBackupJobInput) {
			in.Lifecycle = &types.Lifecycle{MoveToColdStorageAfterDays: aws.Int64(1), OptInToArchiveForSupportedResources: aws.Bool(archive)}
		}
	}
	plain, archived, database := l.backUp(volume, cold(false)), l.backUp(volume, cold(true)), l.backUp(db, cold(true))
	class := func(arn *string) types.StorageClass {
		out, err := l.east.DescribeRecoveryPoint(t.Context(), &sdk.DescribeRecoveryPointInput{BackupVaultName: aws.String("main"), RecoveryPointArn: arn})
		require.NoError(t, err)
		return out.StorageClass
	}
	require.Eventually(t, func() bool { return class(archived.RecoveryPointArn) == types.StorageClassCold }, patience, tick)
	require.Equal(t, types.StorageClassWarm, class(plain.RecoveryPointArn), "EBS needs the archive's opt-in")
	require.Equal(t, types.StorageClassWarm, class(database.RecoveryPointArn), "the setting is ignored for RDS")
	_, err := l.east.StartCopyJob(t.Context(), &sdk.StartCopyJobInput{
		RecoveryPointArn: archived.RecoveryPointArn, SourceBackupVaultName: aws.String("main"),
		DestinationBackupVaultArn: aws.String(vaultARN(west, "dr")), IamRoleArn: aws.String(role),
	})
	require.Equal(t, badAsk, code(t, err))
}
