package drs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/drs"
	"lifeline/local/aws/world"
)

func TestReplication_NewServer_BecomesContinuous(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *sim.Options) {
		o.Times = sim.TypicalTimes()
		o.Times.SyncGiB = 5 * time.Minute // long enough to be seen
	})
	id := l.register("app-1", "Amazon Linux 2023")
	first := l.server(west, id).DataReplicationInfo
	require.Equal(t, types.DataReplicationStateInitiating, first.DataReplicationState)
	require.Len(t, first.DataReplicationInitiation.Steps, 11)
	require.Nil(t, first.LagDuration, "there is no lag before there is data")
	l.await(west, id, types.DataReplicationStateInitialSync)
	require.Eventually(t, func() bool {
		info := l.server(west, id).DataReplicationInfo
		root := info.ReplicatedDisks[0]
		return info.EtaDateTime != nil && root.ReplicatedStorageBytes > 0 && root.ReplicatedStorageBytes < root.TotalStorageBytes
	}, soon, time.Millisecond, "progress")
	require.Empty(t, l.points(id))
	l.await(west, id, types.DataReplicationStateContinuous)
	got := l.server(west, id)
	require.Equal(t, "PT0S", *got.DataReplicationInfo.LagDuration)
	require.NotEmpty(t, l.points(id))
	require.Eventually(t, func() bool { return len(l.points(id)) > 6 }, soon, 5*time.Millisecond, "an hour of points")
}

func TestContract_RecoverySnapshots_NewestFirstByPages(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	require.Eventually(t, func() bool { return len(l.points(id)) > 2 }, soon, 5*time.Millisecond)
	before := l.points(id)
	newest, err := l.client[west].DescribeRecoverySnapshots(t.Context(), &drs.DescribeRecoverySnapshotsInput{
		SourceServerID: &id, Order: types.RecoverySnapshotsOrderDesc, MaxResults: aws.Int32(1),
	})
	require.NoError(t, err)
	require.GreaterOrEqual(t, *newest.Items[0].Timestamp, *before[len(before)-1].Timestamp)
	require.NotNil(t, newest.NextToken)
	none, err := l.client[west].DescribeRecoverySnapshots(t.Context(), &drs.DescribeRecoverySnapshotsInput{
		SourceServerID: &id, Filters: &types.DescribeRecoverySnapshotsRequestFilters{ToDateTime: aws.String("2020-01-01T00:00:00Z")},
	})
	require.NoError(t, err)
	require.Empty(t, none.Items)
}

func TestReplication_SourceRegionDark_StallsAndComesBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	l.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	l.await(west, id, types.DataReplicationStateStalled)
	info := l.server(west, id).DataReplicationInfo
	require.Equal(t, types.DataReplicationErrorStringAgentNotSeen, info.DataReplicationError.Error)
	require.NotEqual(t, "PT0S", *info.LagDuration)
	require.NotEmpty(t, l.points(id), "what was replicated stays")
	require.Eventually(t, func() bool { return l.heard.heardOf("STALLED") }, soon, time.Millisecond)
	require.Eventually(t, func() bool {
		return l.heard.metric("AWS/DRS/LagDuration/"+id) > 0 && l.heard.metric("AWS/DRS/Backlog/"+id) > 0
	}, soon, time.Millisecond)
	l.world.Heal(east)
	l.await(west, id, types.DataReplicationStateContinuous)
	require.Eventually(t, func() bool { return l.heard.heardOf("NOT_STALLED") }, soon, time.Millisecond)
	require.Nil(t, l.server(west, id).DataReplicationInfo.DataReplicationError)
}

func TestStopReplication_DeletesThePointsInTime(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	id := l.protected("app-1", "Amazon Linux 2023")
	out, err := l.client[west].StopReplication(ctx, &drs.StopReplicationInput{SourceServerID: &id})
	require.NoError(t, err)
	require.Equal(t, types.DataReplicationStateStopped, out.SourceServer.DataReplicationInfo.DataReplicationState)
	require.Empty(t, l.points(id))
	_, err = l.client[west].StopReplication(ctx, &drs.StopReplicationInput{SourceServerID: &id})
	require.Equal(t, "ConflictException", wireCode(t, err))
	job := l.launch(west, recovery(true, id))
	require.Equal(t, types.LaunchStatusFailed, job.ParticipatingServers[0].LaunchStatus)
	line, _ := l.log(job)
	require.Equal(t, "JOB_START SERVER_SKIPPED JOB_END", line)
	_, err = l.client[west].StartReplication(ctx, &drs.StartReplicationInput{SourceServerID: &id})
	require.NoError(t, err)
	l.await(west, id, types.DataReplicationStateContinuous)
}

func TestRetryDataReplication_NotStalled_IsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	_, err := l.client[west].RetryDataReplication(t.Context(), &drs.RetryDataReplicationInput{SourceServerID: &id})
	require.Equal(t, "ValidationException", wireCode(t, err))
}

func TestDisconnectSourceServer_WithRecoveryInstance_IsRefused(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	id := l.protected("app-1", "Amazon Linux 2023")
	job := l.launch(west, recovery(true, id))
	_, err := l.client[west].DisconnectSourceServer(ctx, &drs.DisconnectSourceServerInput{SourceServerID: &id})
	require.Equal(t, "ConflictException", wireCode(t, err))
	_, err = l.client[west].DeleteSourceServer(ctx, &drs.DeleteSourceServerInput{SourceServerID: &id})
	require.Equal(t, "ConflictException", wireCode(t, err))
	ended, err := l.client[west].TerminateRecoveryInstances(ctx, &drs.TerminateRecoveryInstancesInput{
		RecoveryInstanceIDs: []string{*job.ParticipatingServers[0].RecoveryInstanceID},
	})
	require.NoError(t, err)
	require.Equal(t, types.InitiatedByTerminateRecoveryInstances, ended.Job.InitiatedBy)
	require.Equal(t, types.LaunchStatusTerminated, l.finish(west, *ended.Job.JobID).ParticipatingServers[0].LaunchStatus)
	require.Empty(t, l.instances())
	out, err := l.client[west].DisconnectSourceServer(ctx, &drs.DisconnectSourceServerInput{SourceServerID: &id})
	require.NoError(t, err)
	require.Equal(t, types.DataReplicationStateDisconnected, out.DataReplicationInfo.DataReplicationState)
	require.Empty(t, l.points(id))
	_, err = l.client[west].DeleteSourceServer(ctx, &drs.DeleteSourceServerInput{SourceServerID: &id})
	require.NoError(t, err)
}

func TestRegister_ThreeHundredReplicating_RefusesAnother(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	var id string
	for range 300 {
		id = l.register("app", "Amazon Linux 2023")
	}
	_, err := l.drs.Register(west, sim.Server{Hostname: "one too many"})
	require.ErrorContains(t, err, "ServiceQuotaExceededException")
	_, err = l.client[west].StopReplication(t.Context(), &drs.StopReplicationInput{SourceServerID: &id})
	require.NoError(t, err)
	l.register("fits", "Amazon Linux 2023")
	_, err = l.client[west].StartReplication(t.Context(), &drs.StartReplicationInput{SourceServerID: &id})
	require.Equal(t, "ServiceQuotaExceededException", wireCode(t, err))
}
