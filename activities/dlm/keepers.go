package dlm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dlm"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	GetLifecyclePolicies(context.Context, *sdk.GetLifecyclePoliciesInput, ...func(*sdk.Options)) (*sdk.GetLifecyclePoliciesOutput, error)
	GetLifecyclePolicy(context.Context, *sdk.GetLifecyclePolicyInput, ...func(*sdk.Options)) (*sdk.GetLifecyclePolicyOutput, error)
	CreateLifecyclePolicy(context.Context, *sdk.CreateLifecyclePolicyInput, ...func(*sdk.Options)) (*sdk.CreateLifecyclePolicyOutput, error)
	UpdateLifecyclePolicy(context.Context, *sdk.UpdateLifecyclePolicyInput, ...func(*sdk.Options)) (*sdk.UpdateLifecyclePolicyOutput, error)
}

// keeper keeps policies.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keeper{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) })}.keepers()
}

func (k keeper) keepers() []keep.Keeper {
	return []keep.Keeper{{Type: "dlm-policy", Read: k.read, Write: k.write}}
}
