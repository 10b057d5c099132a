package kms

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Prefixes of properties with a name of their own.
const (
	statement = "statement/"                // of the key policy, by Sid
	tag       = runbook.AtCreation + "tag/" // by its key
)

// read looks at the key behind an alias: the item's name.
func (k keeper) read(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeKey, &sdk.DescribeKeyInput{KeyId: aws.String(item.Name)})
	var none *types.NotFoundException
	if errors.As(err, &none) {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	key := out.KeyMetadata
	state := runbook.ItemState{Found: true, Out: map[string]string{"arn": aws.ToString(key.Arn), "id": aws.ToString(key.KeyId)}}
	state.Have = map[string]string{
		"state": string(key.KeyState), "manager": string(key.KeyManager), "spec": string(key.KeySpec), "origin": string(key.Origin),
	}
	if key.KeyState == types.KeyStateCreating {
		state.Busy = string(key.KeyState)
	}
	if err := k.readRotation(ctx, at, item, key, state.Have); err != nil {
		return state, err
	}
	return state, k.readPolicy(ctx, at, item, key.KeyId, state.Have)
}

// readRotation asks only where AWS rotates: of other keys the question is refused.
func (k keeper) readRotation(ctx context.Context, at cloud.At, item runbook.Item, key *types.KeyMetadata, have map[string]string) error {
	if _, wanted := item.Want["rotation"]; !wanted || key.KeySpec != types.KeySpecSymmetricDefault || key.Origin != types.OriginTypeAwsKms {
		return nil
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetKeyRotationStatus, &sdk.GetKeyRotationStatusInput{KeyId: key.KeyId})
	if err != nil {
		return fmt.Errorf("rotation: %w", err)
	}
	have["rotation"] = strconv.FormatBool(out.KeyRotationEnabled)
	return nil
}

func (k keeper) readPolicy(ctx context.Context, at cloud.At, item runbook.Item, id *string, have map[string]string) error {
	policy, err := k.policy(ctx, at, id)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	for name, want := range item.Want {
		if strings.HasPrefix(name, statement) {
			have[name] = policy.Statement(want)
		}
	}
	return nil
}

func (k keeper) policy(ctx context.Context, at cloud.At, id *string) (keep.Policy, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetKeyPolicy, &sdk.GetKeyPolicyInput{KeyId: id})
	if err != nil {
		return keep.Policy{}, err
	}
	return keep.ParsePolicy(aws.ToString(out.Policy))
}

// write makes the key, or changes what differs of it.
func (k keeper) write(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	id := have.Out["id"]
	var request string
	var err error
	if !have.Found {
		if id, request, err = k.create(ctx, at, item); err != nil || id == "" {
			return request, err
		}
		have.Have = map[string]string{"state": string(types.KeyStateEnabled), "origin": string(types.OriginTypeAwsKms), "policy": "fresh"}
	}
	for _, step := range []func(context.Context, cloud.At, change) (string, error){k.enable, k.rotate, k.grant} {
		done, err := step(ctx, at, change{item, have.Have, id})
		if err != nil {
			return request, err
		}
		if done != "" {
			request = done
		}
	}
	return request, nil
}

// change is what differs of one key.
type change struct {
	item runbook.Item
	have map[string]string
	id   string
}

func (c change) differs(name string) bool {
	want, wanted := c.item.Want[name]
	return wanted && c.have[name] != want
}

// enable brings back what was disabled or is about to be deleted: with the key
// goes everything that it has encrypted.
func (k keeper) enable(ctx context.Context, at cloud.At, c change) (string, error) {
	if !c.differs("state") {
		return "", nil
	}
	switch state := types.KeyState(c.have["state"]); state {
	case types.KeyStatePendingDeletion:
		if _, err := cloud.Call(ctx, at, k.clients(at.Region).CancelKeyDeletion, &sdk.CancelKeyDeletionInput{KeyId: aws.String(c.id)}); err != nil {
			return "", fmt.Errorf("take back the deletion of key %s: %w", c.item.Name, err)
		}
	case types.KeyStateDisabled:
	default:
		return "", cloud.Errorf(cloud.Invalid, "key %s is %s, which only its owner can end: bring its key material back", c.item.Name, state)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).EnableKey, &sdk.EnableKeyInput{KeyId: aws.String(c.id)})
	if err != nil {
		return "", fmt.Errorf("enable key %s: %w", c.item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k keeper) rotate(ctx context.Context, at cloud.At, c change) (string, error) {
	if !c.differs("rotation") {
		return "", nil
	}
	if c.have["origin"] != string(types.OriginTypeAwsKms) {
		return "", cloud.Errorf(cloud.Invalid, "key %s has key material of origin %s, which AWS does not rotate: put its alias on a key that AWS made", c.item.Name, c.have["origin"])
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).EnableKeyRotation, &sdk.EnableKeyRotationInput{KeyId: aws.String(c.id)})
	if err != nil {
		return "", fmt.Errorf("rotate key %s: %w", c.item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// grant puts our statements into the key policy. The others stay.
func (k keeper) grant(ctx context.Context, at cloud.At, c change) (string, error) {
	if c.have["policy"] == "fresh" || !slices.ContainsFunc(statements(c.item), c.differs) {
		return "", nil
	}
	policy, err := k.policy(ctx, at, aws.String(c.id))
	if err != nil {
		return "", fmt.Errorf("policy of key %s: %w", c.item.Name, err)
	}
	if policy, err = with(policy, c.item); err != nil {
		return "", err
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutKeyPolicy, &sdk.PutKeyPolicyInput{KeyId: aws.String(c.id), Policy: aws.String(policy.String())})
	if err != nil {
		return "", fmt.Errorf("policy of key %s: %w", c.item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// statements are the properties of an item that are statements, sorted.
func statements(item runbook.Item) []string {
	names := slices.Sorted(maps.Keys(item.Want))
	return slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, statement) })
}

func with(policy keep.Policy, item runbook.Item) (keep.Policy, error) {
	var texts []string
	for _, name := range statements(item) {
		texts = append(texts, item.Want[name])
	}
	out, err := policy.With(texts...)
	if err != nil {
		return out, cloud.Errorf(cloud.Invalid, "policy of key %s: %w", item.Name, err)
	}
	return out, nil
}
