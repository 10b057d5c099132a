package cloud

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/middleware"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

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
	first := l.bucket("RDS", "DescribeDBClusters", "us-west-2")
	require.Same(t, first, l.bucket("RDS", "DescribeDBInstances", "us-west-2"))
	require.NotSame(t, first, l.bucket("RDS", "DescribeDBClusters", "us-east-1"))
	require.NotSame(t, first, l.bucket("EC2", "DescribeVolumes", "us-west-2"))
	for range 1000 {
		require.True(t, l.bucket("DynamoDB", "GetItem", "r").Allow(), "a data plane is not held back")
	}
}

func TestLimits_PerClassOfCall_ABitLessAtOnceThanAWSTakes(t *testing.T) {
	t.Parallel()
	l := newLimits()
	for _, c := range []struct {
		service, operation string
		perSecond          rate.Limit
		burst              int
	}{
		{"EC2", "DescribeVolumes", 20, 80},
		{"EC2", "CreateTags", 5, 40},
		{"EC2", "RunInstances", 2, 4},
		{"CloudWatch", "PutMetricAlarm", 3, 2},
		{"CloudWatch", "DescribeAlarms", 9, 7},
		{"DynamoDB", "UpdateContinuousBackups", 10, 8},
		{"Route 53", "ChangeResourceRecordSets", 5, 4},
		{"SNS", "Publish", rate.Inf, 1},
		{"SNS", "CreateTopic", 30, 24},
		{"Backup", "GetBackupSelection", 10, 16}, // AWS publishes nothing
	} {
		b := l.bucket(c.service, c.operation, "r")
		require.InDelta(t, float64(c.perSecond), float64(b.Limit()), 0, "%s %s", c.service, c.operation)
		require.Equal(t, c.burst, b.Burst(), "%s %s", c.service, c.operation)
	}
	require.NotSame(t, l.bucket("EC2", "DescribeVolumes", "r"), l.bucket("EC2", "CreateTags", "r"), "changes have a bucket of their own")
}

// answering gives the same answer to every call.
type answering struct{ body string }

func (a answering) Do(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

// TestCall_PatientAttempt_BeginsWhenItsTurnHasCome calls once in ten seconds, with
// attempts of a second: who is impatient is told, who is patient is answered.
func TestCall_PatientAttempt_BeginsWhenItsTurnHasCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimits()
		l.paces[class{service: "SNS", operation: "Publish"}] = pace{perSecond: 0.1, burst: 1}
		client := sns.New(sns.Options{
			Region: "us-west-2", HTTPClient: answering{"<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"},
			APIOptions: []func(*middleware.Stack) error{l.install}, Credentials: aws.AnonymousCredentials{},
		})
		publish := func(patient bool) error {
			at := At{Region: "us-west-2", Timeout: time.Second, Patient: patient}
			_, err := Call(t.Context(), at, client.Publish, &sns.PublishInput{TopicArn: aws.String("t"), Message: aws.String("m")})
			return err
		}
		start := time.Now()
		require.NoError(t, publish(false))
		require.Equal(t, Throttled, KindOf(publish(false)))
		require.NoError(t, publish(true))
		require.NoError(t, publish(true))
		require.Equal(t, 20*time.Second, time.Since(start).Round(time.Second))
	})
}

// TestCall_PatientAttempt_StillEnds has its turn, and no answer.
func TestCall_PatientAttempt_StillEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := sns.New(sns.Options{
			Region: "us-west-2", HTTPClient: silent{}, APIOptions: []func(*middleware.Stack) error{newLimits().install},
			Credentials: aws.AnonymousCredentials{}, RetryMaxAttempts: 1,
		})
		start := time.Now()
		_, err := Call(t.Context(), At{Region: "us-west-2", Timeout: 7 * time.Second, Patient: true}, client.Publish,
			&sns.PublishInput{TopicArn: aws.String("t"), Message: aws.String("m")})
		require.Equal(t, Unreachable, KindOf(err))
		require.Equal(t, 7*time.Second, time.Since(start))
	})
}

// silent never answers.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
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
