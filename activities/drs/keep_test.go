package drs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/runbook"
)

func replication() runbook.Item {
	return runbook.Item{Type: "drs-replication-settings", Name: "s-1", Want: map[string]string{
		subnet: "subnet-1", groups: "", defaultGroup: "true", encryption: "CUSTOM", key: "arn:key", routing: "PRIVATE_IP", publicIP: "false",
		points: `[{"enabled":true,"interval":1,"retentionDuration":14,"ruleID":3,"units":"DAY"}]`,
	}}
}

func TestDifferent_SendsOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	item := replication()
	have := runbook.ItemState{Found: true, Have: map[string]string{}}
	for name, value := range item.Want {
		have.Have[name] = value
	}
	have.Have[groups], have.Have[routing] = "sg-1", "PUBLIC_IP"
	s, err := different(item, have)
	require.NoError(t, err)
	require.Equal(t, staging{Groups: []string{}, Routing: types.ReplicationConfigurationDataPlaneRoutingPrivateIp}, s, "an empty list takes the groups off")
}

func TestDifferent_KeyAndEncryptionGoTogether(t *testing.T) {
	t.Parallel()
	item := replication()
	have := runbook.ItemState{Found: true, Have: map[string]string{encryption: "CUSTOM", key: "arn:other"}}
	s, err := different(item, have)
	require.NoError(t, err)
	require.Equal(t, types.ReplicationConfigurationEbsEncryptionCustom, s.Encryption)
	require.Equal(t, "arn:key", *s.Key)
}

func TestStaging_SentAndAnsweredIsTheSame(t *testing.T) {
	t.Parallel()
	item := replication()
	s, err := different(item, runbook.ItemState{})
	require.NoError(t, err)
	require.Equal(t, item.Want, s.properties())
}

func TestHoldsData_OnlyServersWithoutPointsMayBeEncryptedAnew(t *testing.T) {
	t.Parallel()
	free := map[types.DataReplicationState]bool{
		types.DataReplicationStateStopped: true, types.DataReplicationStateInitiating: true, types.DataReplicationStateDisconnected: true,
	}
	for _, state := range types.DataReplicationState("").Values() {
		require.Equal(t, !free[state], holdsData(state), state)
	}
}
