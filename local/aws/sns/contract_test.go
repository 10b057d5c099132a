package sns_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// scene is an SNS behind a server, with a client for each Region.
type scene struct {
	world *world.World
	sns   *sns.SNS
	at    func(region string) *sdk.Client
}

func stage(t *testing.T, o sns.Options) scene {
	t.Helper()
	w := world.New(world.Options{Compression: 2000}) // 20 s are 10 ms
	t.Cleanup(w.Close)
	s := sns.New(w, o)
	server := httptest.NewServer(wire.NewServer(w, s.Wire()))
	t.Cleanup(server.Close)
	return scene{world: w, sns: s, at: func(region string) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		})
	}}
}

// topic makes a topic in us-west-2.
func (s scene) topic(t *testing.T, name string, attributes map[string]string) string {
	t.Helper()
	out, err := s.at("us-west-2").CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: &name, Attributes: attributes})
	require.NoError(t, err)
	return *out.TopicArn
}

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.ErrorCode())
}

func TestContract_Topics(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	west := s.at("us-west-2")

	arn := s.topic(t, "page", map[string]string{"DisplayName": "Page"})
	require.Equal(t, "arn:aws:sns:us-west-2:123456789012:page", arn)
	require.Equal(t, arn, s.topic(t, "page", nil), "creating again gives the same topic")
	_, err := west.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("page"), Attributes: map[string]string{"DisplayName": "Other"}})
	requireCode(t, "InvalidParameter", err)
	_, err = west.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("no blanks")})
	requireCode(t, "InvalidParameter", err)

	_, err = west.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{TopicArn: &arn, AttributeName: aws.String("DisplayName"), AttributeValue: aws.String("On call")})
	require.NoError(t, err)
	got, err := west.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn})
	require.NoError(t, err)
	require.Equal(t, "On call", got.Attributes["DisplayName"])
	require.Equal(t, "0", got.Attributes["SubscriptionsConfirmed"])

	_, err = west.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}, {Key: aws.String("x"), Value: aws.String("y")}}})
	require.NoError(t, err)
	_, err = west.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"x"}})
	require.NoError(t, err)
	tags, err := west.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &arn})
	require.NoError(t, err)
	require.Equal(t, []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}}, tags.Tags)

	east, err := s.at("us-east-1").ListTopics(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, east.Topics, "each Region has its own topics")
	for range 2 {
		_, err = west.DeleteTopic(t.Context(), &sdk.DeleteTopicInput{TopicArn: &arn})
		require.NoError(t, err, "deleting twice is no error")
	}
	_, err = west.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn})
	var missing *types.NotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestContract_Publish_RefusesWhatSNSRefuses(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	arn := s.topic(t, "page", nil)
	for name, in := range map[string]*sdk.PublishInput{
		"empty message":         {TopicArn: &arn, Message: aws.String("")},
		"message too long":      {TopicArn: &arn, Message: aws.String(strings.Repeat("m", 256*1024+1))},
		"subject too long":      {TopicArn: &arn, Message: aws.String("m"), Subject: aws.String(strings.Repeat("s", 101))},
		"line break in subject": {TopicArn: &arn, Message: aws.String("m"), Subject: aws.String("a\nb")},
		"empty subject":         {TopicArn: &arn, Message: aws.String("m"), Subject: aws.String("")},
		"no default text":       {TopicArn: &arn, Message: aws.String(`{"email":"m"}`), MessageStructure: aws.String("json")},
		"no topic":              {Message: aws.String("m")},
		"topic of elsewhere":    {TopicArn: aws.String(strings.Replace(arn, "us-west-2", "us-east-1", 1)), Message: aws.String("m")},
	} {
		_, err := s.at("us-west-2").Publish(t.Context(), in)
		var invalid *types.InvalidParameterException
		require.ErrorAs(t, err, &invalid, name)
	}
	_, err := s.at("us-west-2").Publish(t.Context(), &sdk.PublishInput{TopicArn: aws.String(arn + "2"), Message: aws.String("m")})
	var missing *types.NotFoundException
	require.ErrorAs(t, err, &missing)
	require.Empty(t, s.sns.Messages(arn))

	out, err := s.at("us-west-2").Publish(t.Context(), &sdk.PublishInput{TopicArn: &arn, Message: aws.String("m"), Subject: aws.String(strings.Repeat("s", 100))})
	require.NoError(t, err, "a hundred characters are taken")
	messages := s.sns.Messages(arn)
	require.Len(t, messages, 1)
	require.Equal(t, *out.MessageId, messages[0].ID)
	require.Equal(t, "AKIATEST", messages[0].Caller)
}

func TestContract_PublishBatch(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	arn := s.topic(t, "page", nil)
	entry := func(id, text string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &text}
	}
	publish := func(arn string, entries ...types.PublishBatchRequestEntry) (*sdk.PublishBatchOutput, error) {
		return s.at("us-west-2").PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: entries})
	}

	out, err := publish(arn, entry("a", "one"), entry("b", ""), entry("c", "three"))
	require.NoError(t, err)
	require.Len(t, out.Failed, 1)
	require.Equal(t, "b", *out.Failed[0].Id)
	require.Equal(t, "InvalidParameter", *out.Failed[0].Code)
	require.True(t, out.Failed[0].SenderFault)
	require.Len(t, out.Successful, 2)
	kept := s.sns.Messages(arn)
	require.Len(t, kept, 2)
	require.Equal(t, *out.Successful[1].MessageId, kept[1].ID)
	require.Equal(t, "three", kept[1].Text)

	half := strings.Repeat("m", 128*1024+1)
	eleven := make([]types.PublishBatchRequestEntry, 11)
	for i := range eleven {
		eleven[i] = entry(strings.Repeat("i", i+1), "m")
	}
	for want, entries := range map[string][]types.PublishBatchRequestEntry{
		"EmptyBatchRequest":            {},
		"TooManyEntriesInBatchRequest": eleven,
		"BatchEntryIdsNotDistinct":     {entry("a", "m"), entry("a", "m")},
		"InvalidBatchEntryId":          {entry("no blanks", "m")},
		"BatchRequestTooLong":          {entry("a", half), entry("b", half)},
	} {
		_, err := publish(arn, entries...)
		requireCode(t, want, err)
	}
	_, err = publish(arn+"2", entry("a", "m"))
	requireCode(t, "NotFound", err)
	require.Len(t, s.sns.Messages(arn), 2, "a refused batch publishes nothing")
}

func TestContract_HTTPSubscriber_GetsMessagesOnceConfirmed(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	got := make(chan map[string]string, 10)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body := map[string]string{}
		if json.Unmarshal(raw, &body) == nil && body["Type"] == r.Header.Get("X-Amz-Sns-Message-Type") {
			got <- body
		}
	}))
	t.Cleanup(endpoint.Close)
	arn := s.topic(t, "page", nil)
	west := s.at("us-west-2")

	sub, err := west.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &endpoint.URL})
	require.NoError(t, err)
	require.Equal(t, "pending confirmation", *sub.SubscriptionArn)
	question := receive(t, got)
	require.Equal(t, "SubscriptionConfirmation", question["Type"])
	_, err = west.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &arn, Token: aws.String("made up")})
	requireCode(t, "InvalidParameter", err)
	confirmed, err := west.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &arn, Token: aws.String(question["Token"])})
	require.NoError(t, err)
	_, err = west.ConfirmSubscription(t.Context(), &sdk.ConfirmSubscriptionInput{TopicArn: &arn, Token: aws.String("")})
	requireCode(t, "InvalidParameter", err)

	out, err := west.Publish(t.Context(), &sdk.PublishInput{TopicArn: &arn, Subject: aws.String("drill"), Message: aws.String("evacuate")})
	require.NoError(t, err)
	message := receive(t, got)
	require.Equal(t, *out.MessageId, message["MessageId"])
	require.Equal(t, "Notification evacuate drill", strings.Join([]string{message["Type"], message["Message"], message["Subject"]}, " "))
	require.Eventually(t, func() bool { return len(s.sns.Messages(arn)[0].Delivered) == 1 }, 5*time.Second, time.Millisecond)
	require.Equal(t, []string{*confirmed.SubscriptionArn}, s.sns.Messages(arn)[0].Delivered)

	_, err = west.Unsubscribe(t.Context(), &sdk.UnsubscribeInput{SubscriptionArn: confirmed.SubscriptionArn})
	require.NoError(t, err)
	left, err := west.ListSubscriptionsByTopic(t.Context(), &sdk.ListSubscriptionsByTopicInput{TopicArn: &arn})
	require.NoError(t, err)
	require.Empty(t, left.Subscriptions)
}

func receive(t *testing.T, from <-chan map[string]string) map[string]string {
	t.Helper()
	select {
	case message := <-from:
		return message
	case <-time.After(10 * time.Second):
		require.FailNow(t, "nothing was delivered")
		return nil
	}
}

func TestContract_Mail_StaysPending(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	arn := s.topic(t, "page", nil)
	for protocol, endpoint := range map[string]string{
		"email": "on-call@example.com", "sqs": "arn:aws:sqs:us-west-2:123456789012:q", "sms": "+15551234567",
		"lambda": "arn:aws:lambda:us-west-2:123456789012:function:f",
	} {
		_, err := s.at("us-west-2").Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &arn, Protocol: &protocol, Endpoint: &endpoint})
		require.NoError(t, err)
	}
	_, err := s.at("us-west-2").Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &arn, Protocol: aws.String("pigeon"), Endpoint: aws.String("loft")})
	requireCode(t, "InvalidParameter", err)

	list, err := s.at("us-west-2").ListSubscriptions(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, list.Subscriptions, 4)
	for _, sub := range list.Subscriptions {
		require.Equal(t, *sub.Protocol == "email", *sub.SubscriptionArn == "PendingConfirmation", *sub.Protocol)
	}
	attributes, err := s.at("us-west-2").GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn})
	require.NoError(t, err)
	require.Equal(t, "1", attributes.Attributes["SubscriptionsPending"])
	require.Equal(t, "3", attributes.Attributes["SubscriptionsConfirmed"])
}
