package sns

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	GetTopicAttributes(context.Context, *sdk.GetTopicAttributesInput, ...func(*sdk.Options)) (*sdk.GetTopicAttributesOutput, error)
	CreateTopic(context.Context, *sdk.CreateTopicInput, ...func(*sdk.Options)) (*sdk.CreateTopicOutput, error)
	SetTopicAttributes(context.Context, *sdk.SetTopicAttributesInput, ...func(*sdk.Options)) (*sdk.SetTopicAttributesOutput, error)
	ListSubscriptionsByTopic(context.Context, *sdk.ListSubscriptionsByTopicInput, ...func(*sdk.Options)) (*sdk.ListSubscriptionsByTopicOutput, error)
	Subscribe(context.Context, *sdk.SubscribeInput, ...func(*sdk.Options)) (*sdk.SubscribeOutput, error)
	GetSubscriptionAttributes(context.Context, *sdk.GetSubscriptionAttributesInput, ...func(*sdk.Options)) (*sdk.GetSubscriptionAttributesOutput, error)
	SetSubscriptionAttributes(context.Context, *sdk.SetSubscriptionAttributesInput, ...func(*sdk.Options)) (*sdk.SetSubscriptionAttributesOutput, error)
}

// keeper keeps topics and who is subscribed to them.
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
		{Type: "sns-topic", Read: keep.Each(k.readTopic), Write: k.writeTopic},
		{Type: "sns-subscription", Read: k.readSubscriptions, Write: k.writeSubscription, Inside: subTopic},
	}
}
