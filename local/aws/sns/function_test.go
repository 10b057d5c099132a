package sns_test

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	v1 "github.com/aws/aws-sdk-go/service/sns"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// functions fails a number of times before it takes a message.
type functions struct {
	mu       sync.Mutex
	failures int
	regions  []string
	events   [][]byte
}

func (f *functions) Invoke(region, _ string, payload []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failures > 0 {
		f.failures--
		return errors.New("AccessDeniedException")
	}
	f.regions, f.events = append(f.regions, region), append(f.events, payload)
	return nil
}

func TestSubscription_Lambda_GetsSNSsEventAfterAnAttemptThatFailed(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	f := &functions{failures: 1}
	s := sim.New(w, sim.Options{Functions: f})
	c := &wire.Call{Context: t.Context(), World: w, Region: west, Caller: "AKIATEST"}
	topic, err := s.CreateTopic(c, &v1.CreateTopicInput{Name: aws.String("page")})
	require.NoError(t, err)
	subscribe := func(endpoint string) error {
		_, err := s.Subscribe(c, &v1.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("lambda"), Endpoint: &endpoint})
		return err
	}
	require.ErrorContains(t, subscribe("page"), "InvalidParameter")
	require.NoError(t, subscribe("arn:aws:lambda:us-east-1:123456789012:function:page:live"))
	_, err = s.Publish(c, &v1.PublishInput{TopicArn: topic.TopicArn, Subject: aws.String("ALARM"), Message: aws.String("the Region is dark")})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(s.Messages("")[0].Delivered) == 1 }, 5*time.Second, time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Equal(t, []string{"us-east-1"}, f.regions, "the function's Region, not the topic's")
	var event struct {
		Records []struct {
			EventSource string
			Sns         struct{ TopicArn, Subject, Message string }
		}
	}
	require.NoError(t, json.Unmarshal(f.events[0], &event))
	require.Equal(t, "aws:sns", event.Records[0].EventSource)
	require.Equal(t, *topic.TopicArn, event.Records[0].Sns.TopicArn)
	require.Equal(t, "the Region is dark", event.Records[0].Sns.Message)
}
