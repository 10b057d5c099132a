package sns_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const west = "us-west-2"

// post is what a test's own receivers got.
type post struct {
	mu  sync.Mutex
	got []map[string]string
}

func (p *post) add(m map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, m)
}

func (p *post) all() []map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]map[string]string(nil), p.got...)
}

func (p *post) await(t *testing.T, n int) []map[string]string {
	t.Helper()
	require.Eventually(t, func() bool { return len(p.all()) >= n }, 5*time.Second, time.Millisecond)
	return p.all()
}

// newService is SNS over the wire and the unmodified SDK; logged gets what the
// protocol "log" delivers.
func newService(t *testing.T) (s *sim.SNS, c *sns.Client, logged *post) {
	t.Helper()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	logged = &post{}
	s = sim.New(w, sim.Options{Log: func(name string, m sim.Message) {
		logged.add(map[string]string{"to": name, "subject": m.Subject, "text": m.Text})
	}})
	server := httptest.NewServer(wire.NewServer(w, s.Wire()))
	t.Cleanup(server.Close)
	c = sns.NewFromConfig(aws.Config{
		Region: west, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	return s, c, logged
}

func topic(t *testing.T, c *sns.Client) *string {
	t.Helper()
	out, err := c.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("lifeline")})
	require.NoError(t, err)
	return out.TopicArn
}

func subscribe(t *testing.T, c *sns.Client, arn *string, protocol, endpoint string) string {
	t.Helper()
	out, err := c.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: arn, Protocol: &protocol, Endpoint: &endpoint})
	require.NoError(t, err)
	return *out.SubscriptionArn
}

func publish(t *testing.T, c *sns.Client, arn *string, text string) {
	t.Helper()
	_, err := c.Publish(t.Context(), &sns.PublishInput{TopicArn: arn, Subject: aws.String("evacuated"), Message: &text})
	require.NoError(t, err)
}

func TestPublish_LogSubscription_GetsItAndTheLogKeepsIt(t *testing.T) {
	t.Parallel()
	s, c, logged := newService(t)
	arn := topic(t, c)
	require.Equal(t, "arn:aws:sns:us-west-2:123456789012:lifeline", *arn)
	require.Equal(t, *arn, *topic(t, c), "a topic is made once")
	sub := subscribe(t, c, arn, sim.LogProtocol, "on-call")
	publish(t, c, arn, "us-east-1 is out")
	require.Equal(t, map[string]string{"to": "on-call", "subject": "evacuated", "text": "us-east-1 is out"}, logged.await(t, 1)[0])
	require.Eventually(t, func() bool {
		kept := s.Messages(*arn)
		return len(kept) == 1 && len(kept[0].Delivered) == 1 && kept[0].Delivered[0] == sub
	}, 5*time.Second, time.Millisecond)
	require.Equal(t, "AKIATEST", s.Messages("")[0].Caller)
}

func TestPublish_HTTPSubscription_ConfirmsFirstAndRetries(t *testing.T) {
	t.Parallel()
	_, c, _ := newService(t)
	arn, got := topic(t, c), &post{}
	var refusals sync.Once
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var m map[string]string
		if err != nil || json.Unmarshal(raw, &m) != nil || m["Type"] != r.Header.Get("X-Amz-Sns-Message-Type") {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if m["Type"] == "Notification" {
			refusals.Do(func() { w.WriteHeader(http.StatusInternalServerError); m = nil })
		}
		if m != nil {
			got.add(m)
		}
	}))
	t.Cleanup(receiver.Close)
	require.Equal(t, "pending confirmation", subscribe(t, c, arn, "http", receiver.URL))
	asked := got.await(t, 1)[0]
	publish(t, c, arn, "before anybody confirmed")
	confirmed, err := c.ConfirmSubscription(t.Context(), &sns.ConfirmSubscriptionInput{TopicArn: arn, Token: aws.String(asked["Token"])})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(*confirmed.SubscriptionArn, *arn+":"))
	publish(t, c, arn, "hello")
	require.Equal(t, "hello", got.await(t, 2)[1]["Message"], "the first attempt was refused, the second delivers")
	list, err := c.ListSubscriptionsByTopic(t.Context(), &sns.ListSubscriptionsByTopicInput{TopicArn: arn})
	require.NoError(t, err)
	require.Len(t, list.Subscriptions, 1)
}
