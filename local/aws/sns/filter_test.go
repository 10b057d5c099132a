package sns_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	v1 "github.com/aws/aws-sdk-go/service/sns"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

func TestSubscription_Filter_LetsOnlyWhatItNamesThrough(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	f := &functions{}
	s := sim.New(w, sim.Options{Functions: f})
	c := &wire.Call{Context: t.Context(), World: w, Region: west, Caller: "AKIATEST"}
	topic, err := s.CreateTopic(c, &v1.CreateTopicInput{Name: aws.String("alarms")})
	require.NoError(t, err)
	subscribe := func(attributes map[string]*string) (*v1.SubscribeOutput, error) {
		return s.Subscribe(c, &v1.SubscribeInput{
			TopicArn: topic.TopicArn, Protocol: aws.String("lambda"), Endpoint: aws.String("arn:aws:lambda:us-west-2:123456789012:function:f"), Attributes: attributes,
		})
	}
	policy := aws.String(`{"AlarmName":[{"prefix":"lifeline-"}]}`)
	for title, attributes := range map[string]map[string]*string{
		"unknown attribute":            {"Filter": policy},
		"no such scope":                {"FilterPolicy": policy, "FilterPolicyScope": aws.String("Body")},
		"no JSON":                      {"FilterPolicy": aws.String("{"), "FilterPolicyScope": aws.String("MessageBody")},
		"by attributes, not simulated": {"FilterPolicy": policy},
	} {
		_, err := subscribe(attributes)
		require.ErrorContains(t, err, "InvalidParameter", title)
	}
	sub, err := subscribe(map[string]*string{"FilterPolicy": policy, "FilterPolicyScope": aws.String("MessageBody")})
	require.NoError(t, err)
	publish := func(text string) {
		_, err := s.Publish(c, &v1.PublishInput{TopicArn: topic.TopicArn, Message: &text})
		require.NoError(t, err)
	}
	publish("no JSON")
	publish(`{"AlarmName":"cpu"}`)
	publish(`{"AlarmName":"lifeline-page"}`)
	require.Eventually(t, func() bool { return len(s.Messages("")[2].Delivered) == 1 }, 5*time.Second, time.Millisecond)
	require.Empty(t, s.Messages("")[0].Delivered)
	require.Empty(t, s.Messages("")[1].Delivered)

	set := func(name, value string) error {
		_, err := s.SetSubscriptionAttributes(c, &v1.SetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn, AttributeName: &name, AttributeValue: &value})
		return err
	}
	require.ErrorContains(t, set("FilterPolicy", `{"AlarmName":"cpu"}`), "InvalidParameter")
	require.NoError(t, set("FilterPolicy", `{"AlarmName":["cpu"]}`))
	publish(`{"AlarmName":"cpu"}`)
	require.Eventually(t, func() bool { return len(s.Messages("")[3].Delivered) == 1 }, 5*time.Second, time.Millisecond)
	got, err := s.GetSubscriptionAttributes(c, &v1.GetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn})
	require.NoError(t, err)
	require.Equal(t, "MessageBody", *got.Attributes["FilterPolicyScope"], "the others stay")
}
