package sns

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// list is an SNS whose topics have receivers; what it doesn't know ends the test.
type list struct {
	SetupAPI
	pages map[string][]types.Subscription // by token
	calls int
}

func (l *list) ListSubscriptionsByTopic(_ context.Context, in *sdk.ListSubscriptionsByTopicInput, _ ...func(*sdk.Options)) (*sdk.ListSubscriptionsByTopicOutput, error) {
	l.calls++
	out := &sdk.ListSubscriptionsByTopicOutput{Subscriptions: l.pages[aws.ToString(in.NextToken)]}
	if in.NextToken == nil && len(l.pages) > 1 {
		out.NextToken = aws.String("more")
	}
	return out, nil
}

func receiver(endpoint, arn string) types.Subscription {
	return types.Subscription{TopicArn: aws.String("arn:topic"), Protocol: aws.String("email"), Endpoint: aws.String(endpoint), SubscriptionArn: aws.String(arn)}
}

func subscription(endpoint string) runbook.Item {
	return runbook.Item{Type: "sns-subscription", Region: "us-west-2", Name: "t/email/" + endpoint, Want: map[string]string{
		subTopic: "arn:topic", subProtocol: "email", subEndpoint: endpoint,
	}}
}

func TestSubscriptions_PendingIsThereAndDeletedIsNot(t *testing.T) {
	t.Parallel()
	l := &list{pages: map[string][]types.Subscription{
		"": {receiver("a@x.example", pending), receiver("b@x.example", deleted)}, "more": {receiver("c@x.example", "arn:sub")},
	}}
	items := []runbook.Item{
		subscription("a@x.example"), subscription("b@x.example"), subscription("c@x.example"), subscription("d@x.example"),
	}
	states, err := keeper{func(plan.Region) SetupAPI { return l }}.readSubscriptions(t.Context(), keep.At("us-west-2"), items)
	require.NoError(t, err)
	var found []bool
	for i, s := range states {
		require.Equal(t, items[i].ID(), s.ID)
		found = append(found, s.Found)
	}
	require.Equal(t, []bool{true, false, true, false}, found)
	require.Empty(t, items[0].Difference(states[0]), "nobody is asked again")
	require.Equal(t, "waits until the receiver confirms", states[0].Out["state"])
	require.Equal(t, "arn:sub", states[2].Out["arn"])
	require.Equal(t, 2, l.calls, "one list, of two pages, for all of a topic")
}
