package kms

import (
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/wire"
)

// settling is how long a replica is Creating and a family Updating.
const settling = 5 * time.Second

func (k *key) relatives() *sdk.MultiRegionConfiguration {
	out := &sdk.MultiRegionConfiguration{MultiRegionKeyType: aws.String(sdk.MultiRegionKeyTypeReplica), ReplicaKeys: []*sdk.MultiRegionKey{}}
	if k.primary == k.region {
		out.MultiRegionKeyType = aws.String(sdk.MultiRegionKeyTypePrimary)
	}
	for region, member := range k.members {
		entry := &sdk.MultiRegionKey{Arn: aws.String(member.arn), Region: aws.String(region)}
		if region == k.primary {
			out.PrimaryKey = entry
			continue
		}
		out.ReplicaKeys = append(out.ReplicaKeys, entry)
	}
	slices.SortFunc(out.ReplicaKeys, func(a, b *sdk.MultiRegionKey) int {
		if *a.Region < *b.Region {
			return -1
		}
		return 1
	})
	return out
}

// head gives the primary of a family for a change that reaches into another Region.
func (k *KMS) head(c *wire.Call, ref *string, other string) (*key, error) {
	found, err := k.open(c, ref, usable()...)
	switch {
	case err != nil:
		return nil, err
	case !found.multi || found.primary != found.region:
		return nil, refuse(sdk.ErrCodeUnsupportedOperationException, "%s is not a multi-Region primary key.", found.arn)
	case found.state == sdk.KeyStateUpdating:
		return nil, found.in(sdk.KeyStateEnabled)
	case other == c.Region || !slices.Contains(k.world.Regions(), other):
		return nil, wire.Invalid("The Region %s is not one that the key can go to", other)
	case !k.world.Reachable(c.Region, other):
		return nil, wire.Errorf(http.StatusInternalServerError, sdk.ErrCodeInternalException, "KMS in %s can't be reached", other)
	}
	return found, nil
}

// ReplicateKey makes a replica with the same id and key material in another
// Region. Policy, description, tags and aliases are its own.
func (k *KMS) ReplicateKey(c *wire.Call, in *sdk.ReplicateKeyInput) (*sdk.ReplicateKeyOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first, err := k.head(c, in.KeyId, *in.ReplicaRegion)
	if err != nil {
		return nil, err
	}
	if _, taken := k.keys[place{*in.ReplicaRegion, first.id}]; taken {
		return nil, refuse(sdk.ErrCodeAlreadyExistsException, "%s already exists", k.arn(*in.ReplicaRegion, "key/"+first.id))
	}
	made := k.build(*in.ReplicaRegion, first.id, first.family)
	made.description, made.state = aws.StringValue(in.Description), sdk.KeyStateCreating
	if err := k.setPolicy(c, made, in.Policy, aws.BoolValue(in.BypassPolicyLockoutSafetyCheck)); err != nil {
		return nil, err
	}
	if err := setTags(made.tags, in.Tags); err != nil {
		return nil, err
	}
	k.add(made)
	k.settle(made, sdk.KeyStateCreating, sdk.KeyStateEnabled)
	return &sdk.ReplicateKeyOutput{ReplicaKeyMetadata: k.metadata(made), ReplicaPolicy: aws.String(made.policy), ReplicaTags: tagList(made.tags)}, nil
}

func (k *KMS) settle(of *key, from, to string) {
	k.world.After(settling, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if of.state == from {
			of.state = to
		}
	})
}

// UpdatePrimaryRegion makes a replica the primary key.
func (k *KMS) UpdatePrimaryRegion(c *wire.Call, in *sdk.UpdatePrimaryRegionInput) (*sdk.UpdatePrimaryRegionOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first, err := k.head(c, in.KeyId, *in.PrimaryRegion)
	if err != nil {
		return nil, err
	}
	next, ok := first.members[*in.PrimaryRegion]
	if !ok {
		return nil, notFound("Key '%s' does not exist", k.arn(*in.PrimaryRegion, "key/"+first.id))
	}
	if err := next.in(sdk.KeyStateEnabled); err != nil {
		return nil, err
	}
	first.primary = next.region
	for _, moved := range []*key{first, next} {
		moved.state = sdk.KeyStateUpdating
		k.settle(moved, sdk.KeyStateUpdating, sdk.KeyStateEnabled)
	}
	return nil, nil
}
