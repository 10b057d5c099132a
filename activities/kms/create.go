package kms

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// create makes a key and its alias. CreateKey has no token: when its answer was
// lost, or the run ended before the alias, the key that was made is found by its
// description and taken. The id is empty when the alias turns out to be there.
func (k keeper) create(ctx context.Context, at cloud.At, item runbook.Item) (id, request string, err error) {
	named, taken, err := k.aliases(ctx, at, item.Name)
	if err != nil || taken {
		return "", "", err
	}
	if id, err = k.orphan(ctx, at, item, named); err != nil {
		return "", "", err
	}
	if id == "" {
		if id, request, err = k.make(ctx, at, item); err != nil {
			return "", "", err
		}
	}
	_, err = cloud.Call(ctx, at, k.clients(at.Region).CreateAlias, &sdk.CreateAliasInput{AliasName: aws.String(item.Name), TargetKeyId: aws.String(id)})
	var exists *types.AlreadyExistsException
	if errors.As(err, &exists) {
		return "", request, nil // by somebody else, meanwhile: look again
	}
	if err != nil {
		return "", "", fmt.Errorf("alias %s: %w", item.Name, err)
	}
	return id, request, nil
}

func (k keeper) make(ctx context.Context, at cloud.At, item runbook.Item) (id, request string, err error) {
	policy, err := with(keep.Policy{}, item)
	if err != nil {
		return "", "", err
	}
	in := &sdk.CreateKeyInput{Description: aws.String(description(item)), Tags: tags(item)}
	if !policy.Bare() {
		in.Policy = aws.String(policy.String())
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateKey, in)
	if err != nil {
		return "", "", fmt.Errorf("create key %s: %w", item.Name, err)
	}
	return aws.ToString(out.KeyMetadata.KeyId), cloud.RequestID(out.ResultMetadata), nil
}

// description is by which a key without alias is known again.
func description(item runbook.Item) string { return "Lifeline's key for " + item.Name }

func tags(item runbook.Item) []types.Tag {
	var out []types.Tag
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if key, ok := strings.CutPrefix(name, tag); ok {
			out = append(out, types.Tag{TagKey: aws.String(key), TagValue: aws.String(item.Want[name])})
		}
	}
	return out
}

// aliases are the keys that have one, and whether the wanted alias is taken.
func (k keeper) aliases(ctx context.Context, at cloud.At, want string) (named map[string]bool, taken bool, err error) {
	named = map[string]bool{}
	in := &sdk.ListAliasesInput{Limit: aws.Int32(100)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListAliases, in)
		if err != nil {
			return nil, false, fmt.Errorf("list aliases: %w", err)
		}
		for _, a := range out.Aliases {
			named[aws.ToString(a.TargetKeyId)] = true
			taken = taken || aws.ToString(a.AliasName) == want
		}
		if !out.Truncated {
			return named, taken, nil
		}
		in.Marker = out.NextMarker
	}
}

// orphan finds an enabled key of ours that has no alias.
func (k keeper) orphan(ctx context.Context, at cloud.At, item runbook.Item, named map[string]bool) (string, error) {
	in := &sdk.ListKeysInput{Limit: aws.Int32(1000)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListKeys, in)
		if err != nil {
			return "", fmt.Errorf("list keys: %w", err)
		}
		for _, key := range out.Keys {
			if named[aws.ToString(key.KeyId)] {
				continue
			}
			ours, err := k.ours(ctx, at, item, key.KeyId)
			if err != nil || ours {
				return aws.ToString(key.KeyId), err
			}
		}
		if !out.Truncated {
			return "", nil
		}
		in.Marker = out.NextMarker
	}
}

func (k keeper) ours(ctx context.Context, at cloud.At, item runbook.Item, id *string) (bool, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeKey, &sdk.DescribeKeyInput{KeyId: id})
	if kind := cloud.KindOf(err); kind == cloud.Denied || kind == cloud.NotFound {
		return false, nil // somebody else's
	}
	if err != nil {
		return false, fmt.Errorf("look at key %s: %w", aws.ToString(id), err)
	}
	key := out.KeyMetadata
	return aws.ToString(key.Description) == description(item) && key.KeyState == types.KeyStateEnabled, nil
}
