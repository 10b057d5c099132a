package events

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	ListRules(context.Context, *sdk.ListRulesInput, ...func(*sdk.Options)) (*sdk.ListRulesOutput, error)
	PutRule(context.Context, *sdk.PutRuleInput, ...func(*sdk.Options)) (*sdk.PutRuleOutput, error)
	ListTargetsByRule(context.Context, *sdk.ListTargetsByRuleInput, ...func(*sdk.Options)) (*sdk.ListTargetsByRuleOutput, error)
	PutTargets(context.Context, *sdk.PutTargetsInput, ...func(*sdk.Options)) (*sdk.PutTargetsOutput, error)
}

// keeper keeps rules.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }))
}

func keepers(clients func(plan.Region) SetupAPI) []keep.Keeper {
	k := keeper{clients}
	return []keep.Keeper{{Type: "event-rule", Read: k.read, Write: k.write}}
}
