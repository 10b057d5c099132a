package drs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

func (k keeper) readReplication(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetReplicationConfiguration, &sdk.GetReplicationConfigurationInput{SourceServerID: aws.String(item.Name)})
	if uninitialized(err) || cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, fmt.Errorf("read replication settings of %s: %w", item.Name, err)
	}
	s := staging{
		Subnet: out.StagingAreaSubnetId, Groups: out.ReplicationServersSecurityGroupsIDs, DefaultGroup: out.AssociateDefaultSecurityGroup,
		Encryption: out.EbsEncryption, Key: out.EbsEncryptionKeyArn, Routing: out.DataPlaneRouting, PublicIP: out.CreatePublicIP, Points: out.PitPolicy,
	}
	return runbook.ItemState{Found: true, Have: s.properties()}, nil
}

// writeReplication sends what differs. Another subnet or policy makes a short
// pause; another encryption makes AWS copy everything again (Elastic Disaster
// Recovery User Guide, "Individual replication settings").
func (k keeper) writeReplication(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return "", unregistered(item)
	}
	s, err := different(item, have)
	if err != nil {
		return "", err
	}
	if s.Key != nil {
		if err := k.empty(ctx, at, item, have); err != nil {
			return "", err
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateReplicationConfiguration, &sdk.UpdateReplicationConfigurationInput{
		SourceServerID: aws.String(item.Name), StagingAreaSubnetId: s.Subnet, ReplicationServersSecurityGroupsIDs: s.Groups,
		AssociateDefaultSecurityGroup: s.DefaultGroup, EbsEncryption: s.Encryption, EbsEncryptionKeyArn: s.Key,
		DataPlaneRouting: s.Routing, CreatePublicIP: s.PublicIP, PitPolicy: s.Points,
	})
	if err != nil {
		return "", fmt.Errorf("replication settings of %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// empty refuses another encryption for a server that has data in the staging
// area: until everything is copied again it could not be recovered, and people
// choose when that may be.
func (k keeper) empty(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) error {
	found, err := k.servers(ctx, at, []string{item.Name})
	if err != nil {
		return err
	}
	info := found[item.Name].DataReplicationInfo
	if info == nil || !holdsData(info.DataReplicationState) {
		return nil
	}
	return cloud.Errorf(cloud.Invalid,
		"source server %s replicates with %s encryption (key %q): with another one AWS copies all of its data again, and it can't be recovered until then; change it by hand at a quiet time",
		item.Name, have.Have[encryption], have.Have[key])
}

// holdsData says whether a server in this state may have points to recover from.
func holdsData(s types.DataReplicationState) bool {
	switch s {
	case types.DataReplicationStateInitiating, types.DataReplicationStateDisconnected, types.DataReplicationStateStopped:
		// AWS has deleted the points of a server that is stopped or disconnected.
		return false
	case types.DataReplicationStateInitialSync, types.DataReplicationStateBacklog, types.DataReplicationStateCreatingSnapshot,
		types.DataReplicationStateContinuous, types.DataReplicationStatePaused, types.DataReplicationStateRescan, types.DataReplicationStateStalled:
		return true
	}
	return true
}
