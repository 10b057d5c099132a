package drs_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/drs"
	"lifeline/local/aws/world"
)

const launched = "SNAPSHOT_START SNAPSHOT_END CONVERSION_START CONVERSION_END LAUNCH_START"

func TestStartRecovery_MostRecentData_LaunchesARealInstance(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	job := l.launch(west, recovery(false, id))
	require.Equal(t, types.InitiatedByStartRecovery, job.InitiatedBy)
	require.Equal(t, "test", job.Tags["dr:execution"])
	require.Equal(t, types.LaunchStatusLaunched, job.ParticipatingServers[0].LaunchStatus)
	line, items := l.log(job)
	require.Equal(t, "JOB_START "+launched+" JOB_END", line)
	require.GreaterOrEqual(t, passed(t, items[0].LogDateTime, items[len(items)-1].LogDateTime), 4*time.Minute)

	found := l.instances()
	require.Len(t, found, 1)
	require.False(t, *found[0].IsDrill)
	require.Equal(t, types.EC2InstanceStateRunning, found[0].Ec2InstanceState, "capitals, unlike EC2's")
	machine, err := l.ec2[west].DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{
		InstanceIds: []string{*found[0].Ec2InstanceID},
		Filters:     []ec2types.Filter{{Name: aws.String("tag:AWSElasticDisasterRecoverySourceServerID"), Values: []string{id}}},
	})
	require.NoError(t, err)
	require.Equal(t, ec2types.InstanceTypeM5Large, machine.Reservations[0].Instances[0].InstanceType)
	require.Len(t, machine.Reservations[0].Instances[0].BlockDeviceMappings, 2)
	server := l.server(west, id)
	require.Equal(t, types.LastLaunchResultSucceeded, server.LastLaunchResult)
	require.Equal(t, types.LaunchStatusLaunched, server.LifeCycle.LastLaunch.Status)
	require.Equal(t, *found[0].RecoveryInstanceID, *server.RecoveryInstanceId)
	require.Eventually(t, func() bool { return l.heard.heardOf("RECOVERY_LAUNCH_SUCCEEDED") }, soon, time.Millisecond)
}

func TestStartRecovery_Windows_TakesLonger(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, items := l.log(l.launch(west, recovery(true, l.protected("ad-1", "Microsoft Windows Server 2022"))))
	require.GreaterOrEqual(t, passed(t, items[0].LogDateTime, items[len(items)-1].LogDateTime), 19*time.Minute)
}

func TestStartRecovery_SourceDark_WaitsTenMinutesAndUsesThePreviousSnapshot(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	l.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	l.await(west, id, types.DataReplicationStateStalled)
	points := l.points(id)
	job := l.launch(west, recovery(false, id))
	require.Equal(t, types.LaunchStatusLaunched, job.ParticipatingServers[0].LaunchStatus, "a stalled server can be launched")
	line, items := l.log(job)
	require.Equal(t, "JOB_START SNAPSHOT_START USING_PREVIOUS_SNAPSHOT CONVERSION_START CONVERSION_END LAUNCH_START JOB_END", line)
	require.GreaterOrEqual(t, passed(t, items[1].LogDateTime, items[2].LogDateTime), 10*time.Minute)
	require.Equal(t, *points[len(points)-1].Timestamp, *l.instances()[0].PointInTimeSnapshotDateTime)
}

func TestStartRecovery_PinnedPoint_StartsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	l.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	in := recovery(false, id)
	points := l.points(id)
	in.SourceServers[0].RecoverySnapshotID = points[len(points)-1].SnapshotID
	line, _ := l.log(l.launch(west, in))
	require.Equal(t, "JOB_START CONVERSION_START CONVERSION_END LAUNCH_START JOB_END", line)
	in.SourceServers[0].RecoverySnapshotID = aws.String("pit-0123456789abcdef0")
	_, err := l.client[west].StartRecovery(t.Context(), in)
	require.Equal(t, "ResourceNotFoundException", wireCode(t, err))
}

func TestStartRecovery_NoCapacity_JobCompletesAndServersFail(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	good, bad := l.protected("app-1", "Amazon Linux 2023"), l.protected("app-2", "Microsoft Windows Server 2022")
	l.machines.SetCapacity(west, 1) // the slower one comes too late
	job := l.launch(west, recovery(false, good, bad))
	require.Equal(t, types.JobStatusCompleted, job.Status)
	require.Equal(t, types.LaunchStatusLaunched, job.ParticipatingServers[0].LaunchStatus)
	require.Equal(t, types.LaunchStatusFailed, job.ParticipatingServers[1].LaunchStatus)
	_, items := l.log(job)
	failed := items[len(items)-2]
	require.Equal(t, types.JobLogEventLaunchFailed, failed.Event)
	require.Equal(t, bad, *failed.EventData.SourceServerID)
	require.Contains(t, *failed.EventData.RawError, "InsufficientInstanceCapacity")
	require.Equal(t, types.LastLaunchResultFailed, l.server(west, bad).LastLaunchResult)
	require.Eventually(t, func() bool { return l.heard.heardOf("RECOVERY_LAUNCH_FAILED") }, soon, time.Millisecond)
}

func TestStartRecovery_KeyOfAnotherRegion_LaunchFails(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	_, err := l.client[west].UpdateReplicationConfiguration(t.Context(), &drs.UpdateReplicationConfigurationInput{
		SourceServerID: &id, EbsEncryption: types.ReplicationConfigurationEbsEncryptionCustom, EbsEncryptionKeyArn: aws.String("arn:aws:kms:us-east-1:123456789012:key/1"),
	})
	require.NoError(t, err)
	require.Empty(t, l.points(id), "another key means a full synchronization")
	l.await(west, id, types.DataReplicationStateContinuous)
	job := l.launch(west, recovery(true, id))
	require.Equal(t, types.LaunchStatusFailed, job.ParticipatingServers[0].LaunchStatus)
	require.Empty(t, l.instances())
}

func TestStartRecovery_ServerInAJob_Conflicts(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, func(o *sim.Options) {
		o.Times = sim.TypicalTimes()
		o.Times.ConvertOther = 5 * time.Hour // the job is in progress while this test looks
	}), t.Context()
	id, other := l.protected("ad-1", "Microsoft Windows Server 2022"), l.protected("app-1", "Amazon Linux 2023")
	first, err := l.client[west].StartRecovery(ctx, recovery(false, id))
	require.NoError(t, err)
	require.Equal(t, types.JobStatusPending, first.Job.Status)
	_, err = l.client[west].StartRecovery(ctx, recovery(false, other, id))
	var conflict *types.ConflictException
	require.ErrorAs(t, err, &conflict)
	require.Contains(t, conflict.ErrorMessage(), *first.Job.JobID)
	_, err = l.client[west].StopReplication(ctx, &drs.StopReplicationInput{SourceServerID: &id})
	require.Equal(t, "ConflictException", wireCode(t, err))
	_, err = l.client[west].DeleteJob(ctx, &drs.DeleteJobInput{JobID: first.Job.JobID})
	require.Equal(t, "ConflictException", wireCode(t, err))
	l.finish(west, *first.Job.JobID)
	jobs, err := l.client[west].DescribeJobs(ctx, &drs.DescribeJobsInput{})
	require.NoError(t, err)
	require.Len(t, jobs.Items, 1, "the refused call made no job, not for the other server either")
	_, err = l.client[west].StartRecovery(ctx, recovery(false, "s-0123456789abcdef0"))
	require.Equal(t, "ResourceNotFoundException", wireCode(t, err))
}

func TestStartRecovery_DrillOnAServerInProduction_CleansProductionUp(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	l.launch(west, recovery(false, id))
	production := *l.instances()[0].Ec2InstanceID
	_, err := l.client[west].DisconnectRecoveryInstance(t.Context(), &drs.DisconnectRecoveryInstanceInput{RecoveryInstanceID: &production})
	require.NoError(t, err)
	line, _ := l.log(l.launch(west, recovery(true, id)))
	require.Equal(t, "JOB_START SNAPSHOT_START SNAPSHOT_END CONVERSION_START CONVERSION_END CLEANUP_START CLEANUP_END LAUNCH_START JOB_END", line)
	left := l.instances()
	require.Len(t, left, 1)
	require.True(t, *left[0].IsDrill)
	out, err := l.ec2[west].DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{production}})
	require.NoError(t, err)
	require.NotEqual(t, ec2types.InstanceStateNameRunning, out.Reservations[0].Instances[0].State.Name)
}

func TestStartRecovery_LaunchedStoppedFromTheTemplatesDefaultVersion(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	id := l.protected("app-1", "Amazon Linux 2023")
	settings, err := l.client[west].UpdateLaunchConfiguration(ctx, &drs.UpdateLaunchConfigurationInput{
		SourceServerID: &id, LaunchDisposition: types.LaunchDispositionStopped, CopyTags: aws.Bool(true),
		TargetInstanceTypeRightSizingMethod: types.TargetInstanceTypeRightSizingMethodNone,
	})
	require.NoError(t, err)
	for _, kind := range []ec2types.InstanceType{ec2types.InstanceTypeR5Xlarge, ec2types.InstanceTypeC5Large} {
		_, err = l.ec2[west].CreateLaunchTemplateVersion(ctx, &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: settings.Ec2LaunchTemplateID, LaunchTemplateData: &ec2types.RequestLaunchTemplateData{InstanceType: kind},
		})
		require.NoError(t, err)
	}
	_, err = l.ec2[west].ModifyLaunchTemplate(ctx, &ec2.ModifyLaunchTemplateInput{LaunchTemplateId: settings.Ec2LaunchTemplateID, DefaultVersion: aws.String("2")})
	require.NoError(t, err)
	l.launch(west, recovery(true, id))
	i := l.instances()[0]
	require.Equal(t, types.EC2InstanceStateStopped, i.Ec2InstanceState)
	out, err := l.ec2[west].DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{*i.Ec2InstanceID}})
	require.NoError(t, err)
	require.Equal(t, ec2types.InstanceTypeR5Xlarge, out.Reservations[0].Instances[0].InstanceType)
	require.Contains(t, out.Reservations[0].Instances[0].Tags, ec2types.Tag{Key: aws.String("app"), Value: aws.String("records")})
}

func TestStartRecovery_ActionThatMattersFails_LastLaunchFailed(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *sim.Options) {
		o.RunAction = func(_, _, code string) error {
			if code == "bad-doc" {
				return errors.New("exit status 1")
			}
			return nil
		}
	})
	id := l.protected("app-1", "Amazon Linux 2023")
	for i, code := range []string{"bad", "good"} {
		_, err := l.client[west].PutLaunchAction(t.Context(), &drs.PutLaunchActionInput{
			ResourceId: &id, ActionId: aws.String("11111111-2222-4333-8444-55555555555" + string(rune('0'+i))), ActionCode: aws.String(code + "-doc"),
			ActionVersion: aws.String("1"), Active: aws.Bool(true), Optional: aws.Bool(false), Order: aws.Int32(int32(1001 + i)),
			Name: aws.String("check"), Description: aws.String("looks"), Category: types.LaunchActionCategoryValidation,
		})
		require.NoError(t, err)
	}
	_, err := l.client[west].UpdateLaunchConfiguration(t.Context(), &drs.UpdateLaunchConfigurationInput{SourceServerID: &id, PostLaunchEnabled: aws.Bool(true)})
	require.NoError(t, err)
	part := l.launch(west, recovery(true, id)).ParticipatingServers[0]
	require.Equal(t, types.LaunchStatusLaunched, part.LaunchStatus, "the instance is there")
	require.Len(t, part.LaunchActionsStatus.Runs, 2)
	require.Equal(t, types.LaunchActionRunStatusFailed, part.LaunchActionsStatus.Runs[0].Status)
	require.Equal(t, types.LaunchActionRunStatusSucceeded, part.LaunchActionsStatus.Runs[1].Status)
	require.Equal(t, types.LastLaunchResultFailed, l.server(west, id).LastLaunchResult)
}

func TestStartRecovery_Quotas(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, func(o *sim.Options) {
		o.Times = sim.TypicalTimes()
		o.Times.Snapshot = 10000 * time.Hour
	}), t.Context()
	ids := make([]string, 0, 121)
	for range 121 {
		ids = append(ids, l.register("app", "Amazon Linux 2023"))
	}
	_, err := l.client[west].StartRecovery(ctx, recovery(true, ids[:101]...))
	require.Equal(t, "ServiceQuotaExceededException", wireCode(t, err), "a job takes a hundred")
	for _, id := range ids[:20] {
		l.await(west, id, types.DataReplicationStateContinuous)
		_, err := l.client[west].StartRecovery(ctx, recovery(true, id))
		require.NoError(t, err)
	}
	_, err = l.client[west].StartRecovery(ctx, recovery(true, ids[20]))
	require.Equal(t, "ServiceQuotaExceededException", wireCode(t, err), "twenty jobs at a time")
}
