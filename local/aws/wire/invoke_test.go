package wire_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

func TestInvoke_IsValidatedLoggedAndHitByFaults(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	s := wire.NewService("sns", sns.New(wire.V1Session()), wire.Query)
	wire.Handle(s, "CreateTopic", func(c *wire.Call, in *sns.CreateTopicInput) (*sns.CreateTopicOutput, error) {
		return &sns.CreateTopicOutput{TopicArn: aws.String(c.Region + ":" + *in.Name)}, nil
	})
	call := &wire.Call{Context: context.Background(), World: w, Region: "us-west-2", Caller: "cloudformation.amazonaws.com"}
	in := &sns.CreateTopicInput{Name: aws.String("page")}

	out, err := wire.Invoke[sns.CreateTopicOutput](call, s, "CreateTopic", in)
	require.NoError(t, err)
	require.Equal(t, "us-west-2:page", *out.TopicArn)
	_, err = wire.Invoke[sns.CreateTopicOutput](call, s, "CreateTopic", &sns.CreateTopicInput{})
	require.ErrorContains(t, err, "InvalidParameter: ")
	_, err = wire.Invoke[sns.DeleteTopicOutput](call, s, "DeleteTopic", &sns.DeleteTopicInput{TopicArn: aws.String("t")})
	require.ErrorContains(t, err, "InvalidAction: ", "nobody serves it")
	_, err = wire.Invoke[sns.DeleteTopicOutput](call, s, "NoSuch", in)
	require.ErrorContains(t, err, "no operation NoSuch")
	for kind, code := range map[world.FaultKind]string{
		world.Blackout: "ServiceUnavailable", world.Brownout: "ServiceUnavailable", world.Throttle: "Throttling", world.Deny: "AuthorizationError",
	} {
		id := w.Inject(world.Fault{Kind: kind, Region: "us-west-2"})
		_, err = wire.Invoke[sns.CreateTopicOutput](call, s, "CreateTopic", in)
		require.ErrorContains(t, err, code+": ", kind)
		w.Remove(id)
	}

	calls := w.Calls(time.Time{})
	require.Len(t, calls, 7)
	require.Equal(t, "ok", calls[0].Outcome)
	require.Equal(t, "cloudformation.amazonaws.com", calls[0].Caller)
	require.True(t, calls[0].Mutating)
	require.Equal(t, "page", calls[0].Params["Name"])
}
