package drs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/drs"
	"lifeline/local/aws/world"
)

func (l *lab) reverse(region, instance string) (string, error) {
	out, err := l.client[region].ReverseReplication(l.t.Context(), &drs.ReverseReplicationInput{RecoveryInstanceID: &instance})
	if err != nil {
		return "", err
	}
	arn := *out.ReversedDirectionSourceServerArn
	return arn[strings.LastIndex(arn, "/")+1:], nil
}

func TestReverseReplication_HomeAndProtectedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	l.launch(west, recovery(false, id))
	recovered := *l.instances()[0].RecoveryInstanceID

	back, err := l.reverse(west, recovered)
	require.NoError(t, err)
	l.await(east, back, types.DataReplicationStateContinuous)
	server := l.server(east, back)
	require.Equal(t, types.ReplicationDirectionFailback, server.ReplicationDirection)
	require.Equal(t, west, *server.SourceCloudProperties.OriginRegion)
	require.Equal(t, recovered, *server.SourceProperties.IdentificationHints.AwsInstanceID)
	require.Equal(t, *server.Arn, *l.server(west, id).ReversedDirectionSourceServerArn)

	job := l.launch(east, recovery(false, back))
	require.Equal(t, types.LaunchStatusLaunched, job.ParticipatingServers[0].LaunchStatus)
	again, err := l.reverse(east, *job.ParticipatingServers[0].RecoveryInstanceID)
	require.NoError(t, err)
	require.Equal(t, id, again, "the first source server protects again")
	l.await(west, id, types.DataReplicationStateContinuous)
	require.Equal(t, *job.ParticipatingServers[0].RecoveryInstanceID, *l.server(west, id).SourceProperties.IdentificationHints.AwsInstanceID)
}

func TestReverseReplication_OriginNotThere_IsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.protected("app-1", "Amazon Linux 2023")
	l.launch(west, recovery(false, id))
	recovered := *l.instances()[0].RecoveryInstanceID
	l.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	_, err := l.reverse(west, recovered)
	require.Equal(t, "ConflictException", wireCode(t, err))
	_, err = l.reverse(west, "i-0123456789abcdef0")
	require.Equal(t, "ResourceNotFoundException", wireCode(t, err))
	outside, err := l.drs.Register(west, sim.Server{Hostname: "rack-7", OS: "Ubuntu 24.04"})
	require.NoError(t, err)
	l.await(west, outside, types.DataReplicationStateContinuous)
	job := l.launch(west, recovery(true, outside))
	_, err = l.reverse(west, *job.ParticipatingServers[0].RecoveryInstanceID)
	require.Equal(t, "ConflictException", wireCode(t, err), "from outside AWS it is the failback client's work")
}

func TestStartFailbackLaunch_BetweenRegions_IsRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	job := l.launch(west, recovery(false, l.protected("app-1", "Amazon Linux 2023")))
	_, err := l.client[west].StartFailbackLaunch(t.Context(), &drs.StartFailbackLaunchInput{
		RecoveryInstanceIDs: []string{*job.ParticipatingServers[0].RecoveryInstanceID},
	})
	require.Equal(t, "ConflictException", wireCode(t, err))
}

func TestDeleteRecoveryInstance_OnlyOnceDisconnected(t *testing.T) {
	t.Parallel()
	l, ctx := newLab(t, nil), t.Context()
	job := l.launch(west, recovery(false, l.protected("app-1", "Amazon Linux 2023")))
	id := job.ParticipatingServers[0].RecoveryInstanceID
	_, err := l.client[west].DeleteRecoveryInstance(ctx, &drs.DeleteRecoveryInstanceInput{RecoveryInstanceID: id})
	require.Equal(t, "ConflictException", wireCode(t, err))
	_, err = l.client[west].DisconnectRecoveryInstance(ctx, &drs.DisconnectRecoveryInstanceInput{RecoveryInstanceID: id})
	require.NoError(t, err)
	require.Equal(t, types.RecoveryInstanceDataReplicationStateDisconnected, l.instances()[0].DataReplicationInfo.DataReplicationState)
	_, err = l.client[west].DeleteRecoveryInstance(ctx, &drs.DeleteRecoveryInstanceInput{RecoveryInstanceID: id})
	require.NoError(t, err)
	require.Empty(t, l.instances())
}
