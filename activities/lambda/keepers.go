package lambda

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	GetFunctionConfiguration(context.Context, *sdk.GetFunctionConfigurationInput, ...func(*sdk.Options)) (*sdk.GetFunctionConfigurationOutput, error)
	CreateFunction(context.Context, *sdk.CreateFunctionInput, ...func(*sdk.Options)) (*sdk.CreateFunctionOutput, error)
	UpdateFunctionCode(context.Context, *sdk.UpdateFunctionCodeInput, ...func(*sdk.Options)) (*sdk.UpdateFunctionCodeOutput, error)
	UpdateFunctionConfiguration(context.Context, *sdk.UpdateFunctionConfigurationInput, ...func(*sdk.Options)) (*sdk.UpdateFunctionConfigurationOutput, error)
	GetPolicy(context.Context, *sdk.GetPolicyInput, ...func(*sdk.Options)) (*sdk.GetPolicyOutput, error)
	AddPermission(context.Context, *sdk.AddPermissionInput, ...func(*sdk.Options)) (*sdk.AddPermissionOutput, error)
}

// keeper keeps functions.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }))
}

func keepers(clients func(plan.Region) SetupAPI) []keep.Keeper {
	k := keeper{clients}
	return []keep.Keeper{
		{Type: "lambda-function", Read: keep.Each(k.readFunction), Write: k.writeFunction},
		{Type: "lambda-permission", Read: keep.Each(k.readPermission), Write: k.writePermission},
	}
}
