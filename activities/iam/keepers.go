package iam

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	GetAccountAuthorizationDetails(context.Context, *sdk.GetAccountAuthorizationDetailsInput, ...func(*sdk.Options)) (*sdk.GetAccountAuthorizationDetailsOutput, error)
	CreateRole(context.Context, *sdk.CreateRoleInput, ...func(*sdk.Options)) (*sdk.CreateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *sdk.UpdateAssumeRolePolicyInput, ...func(*sdk.Options)) (*sdk.UpdateAssumeRolePolicyOutput, error)
	PutRolePolicy(context.Context, *sdk.PutRolePolicyInput, ...func(*sdk.Options)) (*sdk.PutRolePolicyOutput, error)
	AttachRolePolicy(context.Context, *sdk.AttachRolePolicyInput, ...func(*sdk.Options)) (*sdk.AttachRolePolicyOutput, error)
}

// keeper keeps roles.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }))
}

func keepers(clients func(plan.Region) SetupAPI) []keep.Keeper {
	k := keeper{clients}
	return []keep.Keeper{{Type: "iam-role", Read: k.read, Write: k.write}}
}
