package kms

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fake is KMS in one Region: keys by id and one alias. What it has not, panics.
type fake struct {
	SetupAPI
	cloudtest.Service
	keys  map[string]types.KeyMetadata
	alias string // leads to this key
}

func newFake(keys ...types.KeyMetadata) *fake {
	f := &fake{Service: cloudtest.Service{ID: "KMS"}, keys: map[string]types.KeyMetadata{}}
	for _, k := range keys {
		f.keys[*k.KeyId] = k
	}
	return f
}

func (f *fake) DescribeKey(ctx context.Context, in *sdk.DescribeKeyInput, _ ...func(*sdk.Options)) (*sdk.DescribeKeyOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeKey", func() (*sdk.DescribeKeyOutput, error) {
		id := aws.ToString(in.KeyId)
		if id == alias {
			id = f.alias
		}
		key, ok := f.keys[id]
		if !ok {
			return nil, &types.NotFoundException{}
		}
		return &sdk.DescribeKeyOutput{KeyMetadata: &key}, nil
	})
}

func (f *fake) GetKeyPolicy(ctx context.Context, _ *sdk.GetKeyPolicyInput, _ ...func(*sdk.Options)) (*sdk.GetKeyPolicyOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetKeyPolicy", func() (*sdk.GetKeyPolicyOutput, error) { return &sdk.GetKeyPolicyOutput{}, nil })
}

func (f *fake) ListKeys(ctx context.Context, _ *sdk.ListKeysInput, _ ...func(*sdk.Options)) (*sdk.ListKeysOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "ListKeys", func() (*sdk.ListKeysOutput, error) {
		out := &sdk.ListKeysOutput{}
		for id := range f.keys {
			out.Keys = append(out.Keys, types.KeyListEntry{KeyId: aws.String(id)})
		}
		return out, nil
	})
}

func (f *fake) ListAliases(ctx context.Context, _ *sdk.ListAliasesInput, _ ...func(*sdk.Options)) (*sdk.ListAliasesOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "ListAliases", func() (*sdk.ListAliasesOutput, error) { return &sdk.ListAliasesOutput{}, nil })
}

func (f *fake) CreateAlias(ctx context.Context, in *sdk.CreateAliasInput, _ ...func(*sdk.Options)) (*sdk.CreateAliasOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "CreateAlias", func() (*sdk.CreateAliasOutput, error) {
		f.alias = *in.TargetKeyId
		return &sdk.CreateAliasOutput{}, nil
	})
}

const alias = "alias/records"

func item() runbook.Item {
	return runbook.Item{Area: runbook.AreaAccess, Type: "kms-key", Name: alias, Region: "us-east-1", Want: map[string]string{
		"state": "Enabled", "manager": "CUSTOMER", "spec": "SYMMETRIC_DEFAULT",
	}}
}

func converge(t *testing.T, f *fake, item runbook.Item) runbook.ItemResult {
	t.Helper()
	book, err := keep.NewBook(keepers(func(plan.Region) SetupAPI { return f })...)
	require.NoError(t, err)
	out, err := book.Converge(t.Context(), []runbook.Item{item}, true)
	require.NoError(t, err)
	return out[0]
}

func key(id string, change func(*types.KeyMetadata)) types.KeyMetadata {
	k := types.KeyMetadata{
		KeyId: aws.String(id), Arn: aws.String("arn:aws:kms:us-east-1:123456789012:key/" + id), KeyState: types.KeyStateEnabled,
		KeyManager: types.KeyManagerTypeCustomer, KeySpec: types.KeySpecSymmetricDefault, Origin: types.OriginTypeAwsKms,
	}
	if change != nil {
		change(&k)
	}
	return k
}

func TestKey_ThatDoesNotEncrypt_IsToldAndNotTouched(t *testing.T) {
	t.Parallel()
	f := newFake(key("rsa", func(k *types.KeyMetadata) { k.KeySpec = types.KeySpecRsa2048 }))
	f.alias = "rsa"
	wanted := item()
	wanted.Want["rotation"] = "true"
	r := converge(t, f, wanted)
	require.Equal(t, runbook.Drifted, r.Verdict)
	require.Contains(t, r.Why, "setup does not change spec")
	require.Empty(t, f.Changes())
}

func TestKey_WithImportedMaterial_NobodyRotates(t *testing.T) {
	t.Parallel()
	f := newFake(key("byok", func(k *types.KeyMetadata) { k.Origin = types.OriginTypeExternal }))
	f.alias = "byok"
	wanted := item()
	wanted.Want["rotation"] = "true"
	r := converge(t, f, wanted)
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "origin EXTERNAL, which AWS does not rotate")
}

func TestKey_WithoutItsMaterial_OnlyItsOwnerBringsBack(t *testing.T) {
	t.Parallel()
	f := newFake(key("byok", func(k *types.KeyMetadata) { k.KeyState = types.KeyStatePendingImport }))
	f.alias = "byok"
	r := converge(t, f, item())
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "bring its key material back")
}

func TestKey_MadeByARunThatEndedBeforeTheAlias_IsTaken(t *testing.T) {
	t.Parallel()
	f := newFake(
		key("other", func(k *types.KeyMetadata) { k.Description = aws.String("somebody's") }),
		key("dying", func(k *types.KeyMetadata) {
			k.Description, k.KeyState = aws.String(description(item())), types.KeyStatePendingDeletion
		}),
		key("ours", func(k *types.KeyMetadata) { k.Description = aws.String(description(item())) }),
	)
	r := converge(t, f, item())
	require.Equal(t, runbook.Created, r.Verdict, r.Why)
	require.Equal(t, "ours", r.Out["id"])
	require.Zero(t, f.Count("CreateKey"), "no second key")
}

func TestKey_Denied_NamesThePermission(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.Always("DescribeKey", cloudtest.Code("AccessDeniedException"))
	r := converge(t, f, item())
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "permission kms:DescribeKey is missing")
	_, err := keepers(func(plan.Region) SetupAPI { return f })[0].Write(t.Context(), cloud.At{Region: "us-east-1"}, item(),
		runbook.ItemState{Found: true, Have: map[string]string{"state": "Creating"}})
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}
