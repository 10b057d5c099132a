package cloud

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

type options struct{}

func TestCall_DarkRegion_GivesUpAtTheAttemptsDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, _ string, _ ...func(*options)) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}
		for asked, waits := range map[time.Duration]time.Duration{SuspectTimeout: 2 * time.Second, 0: 5 * time.Second} {
			start := time.Now()
			_, err := Call(t.Context(), At{Region: "us-east-1", Timeout: asked}, hang, "in")
			require.Equal(t, Unreachable, KindOf(err))
			require.ErrorContains(t, err, "us-east-1")
			require.Equal(t, waits, time.Since(start))
		}
	})
}

func TestPoll_PassingFailuresAreLookedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, looks := time.Now(), 0
		err := Poll(t.Context(), time.Second, func(context.Context) (bool, string, error) {
			looks++
			if looks == 2 {
				return false, "", Errorf(Throttled, "slow down")
			}
			return looks == 4, "", nil
		})
		require.NoError(t, err)
		require.Equal(t, 4, looks)
		require.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestPoll_ThrottledLook_HidesNothingThatWasSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		looks := 0
		err := Poll(ctx, time.Second, func(context.Context) (bool, string, error) {
			if looks++; looks > 2 {
				return false, "", Errorf(Throttled, "slow down")
			}
			return false, "two of four", nil
		})
		require.Equal(t, NotYet, KindOf(err))
		require.ErrorContains(t, err, "two of four")
	})
}

func TestPoll_PermanentFailureEndsIt(t *testing.T) {
	t.Parallel()
	looks := 0
	err := Poll(t.Context(), time.Hour, func(context.Context) (bool, string, error) {
		looks++
		return false, "", Errorf(Denied, "no")
	})
	require.Equal(t, Denied, KindOf(err))
	require.Equal(t, 1, looks)
}

func TestPoll_DeadlineIsNotYetWithWhatWasSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		err := Poll(ctx, 0, func(context.Context) (bool, string, error) { return false, "status is creating", nil })
		require.Equal(t, NotYet, KindOf(err))
		require.ErrorContains(t, err, "status is creating")
	})
}

func TestPoll_CancelledStaysCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	err := Poll(ctx, time.Hour, func(context.Context) (bool, string, error) {
		cancel()
		return false, "", nil
	})
	require.ErrorIs(t, err, context.Canceled)
}

func TestLimits_SharedPerServiceAndRegion(t *testing.T) {
	t.Parallel()
	l := newLimits()
	first := l.bucket("RDS", "us-west-2")
	require.Same(t, first, l.bucket("RDS", "us-west-2"))
	require.NotSame(t, first, l.bucket("RDS", "us-east-1"))
	require.NotSame(t, first, l.bucket("EC2", "us-west-2"))
	for range 20 {
		require.True(t, l.bucket("EC2", "r").Allow())
	}
	require.False(t, l.bucket("EC2", "r").Allow(), "a control plane's bucket holds 20")
	for range 1000 {
		require.True(t, l.bucket("DynamoDB", "r").Allow(), "a data plane is not held back")
	}
}

// stubAWS answers like SNS and keeps what it was sent.
func stubAWS(t *testing.T, status int) (clients *Clients, got *[]http.Header) {
	t.Helper()
	got = &[]http.Header{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*got = append(*got, r.Header.Clone())
		w.Header().Set("X-Amzn-Requestid", "request-1")
		w.WriteHeader(status)
		body := `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult><ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></PublishResponse>`
		if status != http.StatusOK {
			body = `<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error><RequestId>request-1</RequestId></ErrorResponse>`
		}
		_, err := w.Write([]byte(body))
		if err != nil {
			panic(err)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	clients, err := New(t.Context(), Options{Caller: "test"})
	require.NoError(t, err)
	return clients, got
}

func TestClients_EachRegionSignsForItself(t *testing.T) {
	clients, got := stubAWS(t, http.StatusOK)
	built := 0
	perRegion := PerRegion(clients, func(cfg aws.Config) *sns.Client {
		built++
		return sns.NewFromConfig(cfg)
	})
	for _, region := range []plan.Region{"us-west-2", "us-east-2", "us-west-2"} {
		out, err := Call(t.Context(), At{Region: region}, perRegion(region).Publish,
			&sns.PublishInput{TopicArn: aws.String("t"), Message: aws.String("m")})
		require.NoError(t, err)
		require.Equal(t, "request-1", RequestID(out.ResultMetadata))
	}
	require.Equal(t, 2, built, "a client is kept")
	require.Contains(t, (*got)[0].Get("Authorization"), "/us-west-2/sns/")
	require.Contains(t, (*got)[1].Get("Authorization"), "/us-east-2/sns/")
	require.Contains(t, (*got)[0].Get("User-Agent"), "lifeline/test")
}

func TestClients_RefusedOnceIsAskedOnce(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusInternalServerError} {
		clients, got := stubAWS(t, status)
		client := sns.NewFromConfig(clients.Config("us-west-2"))
		_, err := Call(t.Context(), At{Region: "us-west-2"}, client.Publish,
			&sns.PublishInput{TopicArn: aws.String("t"), Message: aws.String("m")})
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, Denied, e.Kind)
		require.Equal(t, "sns:Publish", e.Permission)
		require.Equal(t, "request-1", e.RequestID)
		require.Len(t, *got, 1, "Temporal retries, not the SDK")
	}
}

func TestNew_BrokenConfigurationSaysSo(t *testing.T) {
	t.Setenv("AWS_CA_BUNDLE", "")
	t.Setenv("AWS_PROFILE", "no-such-profile")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	_, err := New(t.Context(), Options{})
	require.ErrorContains(t, err, "read AWS configuration")
	require.ErrorContains(t, err, "no-such-profile")
	require.Error(t, errors.Unwrap(err))
}
