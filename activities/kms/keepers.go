package kms

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	DescribeKey(context.Context, *sdk.DescribeKeyInput, ...func(*sdk.Options)) (*sdk.DescribeKeyOutput, error)
	GetKeyPolicy(context.Context, *sdk.GetKeyPolicyInput, ...func(*sdk.Options)) (*sdk.GetKeyPolicyOutput, error)
	GetKeyRotationStatus(context.Context, *sdk.GetKeyRotationStatusInput, ...func(*sdk.Options)) (*sdk.GetKeyRotationStatusOutput, error)
	ListKeys(context.Context, *sdk.ListKeysInput, ...func(*sdk.Options)) (*sdk.ListKeysOutput, error)
	ListAliases(context.Context, *sdk.ListAliasesInput, ...func(*sdk.Options)) (*sdk.ListAliasesOutput, error)
	CreateKey(context.Context, *sdk.CreateKeyInput, ...func(*sdk.Options)) (*sdk.CreateKeyOutput, error)
	CreateAlias(context.Context, *sdk.CreateAliasInput, ...func(*sdk.Options)) (*sdk.CreateAliasOutput, error)
	PutKeyPolicy(context.Context, *sdk.PutKeyPolicyInput, ...func(*sdk.Options)) (*sdk.PutKeyPolicyOutput, error)
	EnableKey(context.Context, *sdk.EnableKeyInput, ...func(*sdk.Options)) (*sdk.EnableKeyOutput, error)
	EnableKeyRotation(context.Context, *sdk.EnableKeyRotationInput, ...func(*sdk.Options)) (*sdk.EnableKeyRotationOutput, error)
	CancelKeyDeletion(context.Context, *sdk.CancelKeyDeletionInput, ...func(*sdk.Options)) (*sdk.CancelKeyDeletionOutput, error)
}

// keeper keeps keys.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }))
}

func keepers(clients func(plan.Region) SetupAPI) []keep.Keeper {
	k := keeper{clients}
	return []keep.Keeper{{Type: "kms-key", Read: keep.Each(k.read), Write: k.write, Fixed: []string{"manager", "spec"}}}
}
