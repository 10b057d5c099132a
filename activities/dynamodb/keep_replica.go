package dynamodb

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

const strong = "strong"

// readReplica asks the replica's own Region, which is also the one that has to
// answer when the other is lost. A table of that name that replicates with
// nobody is found, and is not what is wanted.
func (k kept) readReplica(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	t, err := k.describe(ctx, at, item.Name)
	if err != nil || t == nil {
		return runbook.ItemState{}, err
	}
	have := map[string]string{"consistency": consistency(t)}
	if _, ok := replicaIn(t, item.Want["source"]); ok {
		have["source"] = item.Want["source"]
	}
	for _, w := range t.GlobalTableWitnesses {
		have["witness"] = aws.ToString(w.RegionName)
	}
	return runbook.ItemState{Found: true, Busy: making(t.TableStatus), Have: have, Out: map[string]string{"arn": aws.ToString(t.TableArn)}}, nil
}

func consistency(t *types.TableDescription) string {
	if t.MultiRegionConsistency == types.MultiRegionConsistencyStrong {
		return strong
	}
	return "eventual"
}

// replicaIn is what a table says of its replica in a Region.
func replicaIn(t *types.TableDescription, region string) (types.ReplicaDescription, bool) {
	i := slices.IndexFunc(t.Replicas, func(r types.ReplicaDescription) bool { return aws.ToString(r.RegionName) == region })
	if i < 0 {
		return types.ReplicaDescription{}, false
	}
	return t.Replicas[i], true
}

// writeReplica adds the replica, by a call to the table that exists. UpdateTable
// has no token: the table lists a replica from the first moment, so it is looked
// at first.
func (k kept) writeReplica(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	home := keep.At(item.Want["source"])
	t, err := k.describe(ctx, home, item.Name)
	switch {
	case err != nil:
		return "", err
	case t == nil:
		return "", cloud.Errorf(cloud.NotFound, "table %q does not exist in %s", item.Name, home.Region)
	case t.TableStatus != types.TableStatusActive:
		return "", cloud.Errorf(cloud.NotYet, "table %q in %s is %s", item.Name, home.Region, t.TableStatus)
	}
	if r, ok := replicaIn(t, item.Region); ok {
		return "", cloud.Errorf(cloud.NotYet, "the replica of table %q in %s is %s: %s", item.Name, at.Region, r.ReplicaStatus, aws.ToString(r.ReplicaStatusDescription))
	}
	create := &types.CreateReplicationGroupMemberAction{RegionName: aws.String(item.Region)}
	if create.KMSMasterKeyId, err = k.key(ctx, home, t, item); err != nil {
		return "", err
	}
	in := &sdk.UpdateTableInput{TableName: aws.String(item.Name), ReplicaUpdates: []types.ReplicationGroupUpdate{{Create: create}}}
	if item.Want["consistency"] == strong {
		if err := k.strengthen(ctx, home, t, item, in); err != nil {
			return "", err
		}
	}
	out, err := cloud.Call(ctx, home, k.clients(home.Region).UpdateTable, in)
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// key is the replica's key, nil when AWS's own will do: all replicas of a table
// have to have the same kind of key.
func (k kept) key(ctx context.Context, home cloud.At, t *types.TableDescription, item runbook.Item) (*string, error) {
	if t.SSEDescription == nil || t.SSEDescription.SSEType != types.SSETypeKms {
		return nil, nil
	}
	out, err := cloud.Call(ctx, home, k.keys(home.Region).DescribeKey, &kms.DescribeKeyInput{KeyId: t.SSEDescription.KMSMasterKeyArn})
	if err != nil {
		return nil, err
	}
	if out.KeyMetadata == nil || out.KeyMetadata.KeyManager != kmstypes.KeyManagerTypeCustomer {
		return nil, nil
	}
	return aws.String(item.Want[runbook.AtCreation+"key"]), nil
}

// strengthen asks for strong consistency, where AWS would give it. It is chosen
// once, for an empty table in exactly three Regions: two replicas and a witness.
func (k kept) strengthen(ctx context.Context, home cloud.At, t *types.TableDescription, item runbook.Item, in *sdk.UpdateTableInput) error {
	ttl, err := cloud.Call(ctx, home, k.clients(home.Region).DescribeTimeToLive, &sdk.DescribeTimeToLiveInput{TableName: aws.String(item.Name)})
	if err != nil {
		return err
	}
	var against []string
	for _, limit := range []struct {
		hit bool
		why string
	}{
		{item.Want["witness"] == "", "the plan has no witness Region, and exactly three Regions are needed"},
		{len(t.Replicas) > 0, "it is a global table already, with " + consistency(t) + " consistency"},
		{aws.ToInt64(t.ItemCount) > 0, "it holds items, and only an empty table can become one"},
		{len(t.LocalSecondaryIndexes) > 0, "it has local secondary indexes"},
		{ttl.TimeToLiveDescription != nil && ttl.TimeToLiveDescription.TimeToLiveStatus != types.TimeToLiveStatusDisabled, "it has time to live"},
	} {
		if limit.hit {
			against = append(against, limit.why)
		}
	}
	if len(against) > 0 {
		return cloud.Errorf(cloud.Invalid, "table %q can't have strong consistency over Regions: %s", item.Name, strings.Join(against, "; "))
	}
	in.MultiRegionConsistency = types.MultiRegionConsistencyStrong
	in.GlobalTableWitnessUpdates = []types.GlobalTableWitnessGroupUpdate{
		{Create: &types.CreateGlobalTableWitnessGroupMemberAction{RegionName: aws.String(item.Want["witness"])}},
	}
	return nil
}
