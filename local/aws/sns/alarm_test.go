package sns_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	metrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
)

func TestAct_PublishesToTheAlarmsTopic(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	var actions cloudwatch.Actions = s.sns
	arn := s.topic(t, "page", map[string]string{"KmsMasterKeyId": "alias/records"})

	require.NoError(t, actions.Act("us-west-2", arn, "ALARM:\n"+strings.Repeat("n", 200), "{}"))

	messages := s.sns.Messages(arn)
	require.Len(t, messages, 1)
	require.Equal(t, "cloudwatch.amazonaws.com", messages[0].Caller)
	require.Equal(t, "ALARM: "+strings.Repeat("n", 93), messages[0].Subject, "a subject that SNS refuses is mended")
}

func TestAct_KeyOfAWS_RefusesAlarmsAlone(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"alias/aws/sns", "arn:aws:kms:us-west-2:123456789012:alias/aws/sns"} {
		s := stage(t, sns.Options{})
		arn := s.topic(t, "page", map[string]string{"KmsMasterKeyId": key})

		require.ErrorContains(t, s.sns.Act("us-west-2", arn, "ALARM", "{}"), "KMSAccessDenied")
		require.Empty(t, s.sns.Messages(arn))

		_, err := s.at("us-west-2").Publish(t.Context(), &sdk.PublishInput{TopicArn: &arn, Message: aws.String("m")})
		require.NoError(t, err, "whoever has IAM permissions on the key still publishes")
		require.Len(t, s.sns.Messages(arn), 1)
	}
}

func TestAct_Refusals(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	arn := s.topic(t, "page", nil)

	require.ErrorContains(t, s.sns.Act("us-west-2", arn+"2", "s", "m"), "NotFound")
	require.ErrorContains(t, s.sns.Act("us-east-1", arn, "s", "m"), "InvalidParameter", "an alarm acts in its own Region")
	require.ErrorContains(t, s.sns.Act("us-west-2", "arn:aws:automate:us-west-2:ec2:stop", "s", "m"), "no topic")
	require.Empty(t, s.sns.Messages(arn))
}

// What an operator sees: only the alarm's history tells that nobody was paged.
func TestAlarm_OnTopicWithKeyOfAWS_SaysSoInItsHistory(t *testing.T) {
	t.Parallel()
	s := stage(t, sns.Options{})
	heard := s.topic(t, "heard", nil)
	mute := s.topic(t, "mute", map[string]string{"KmsMasterKeyId": "alias/aws/sns"})
	server := httptest.NewServer(wire.NewServer(s.world, cloudwatch.New(s.world, cloudwatch.Options{Actions: s.sns}).Wire()))
	t.Cleanup(server.Close)
	alarms := metrics.New(metrics.Options{
		Region: "us-west-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	_, err := alarms.PutMetricAlarm(t.Context(), &metrics.PutMetricAlarmInput{
		AlarmName: aws.String("lag"), Namespace: aws.String("Lifeline"), MetricName: aws.String("Lag"),
		Statistic: "Maximum", Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(5),
		ComparisonOperator: "GreaterThanThreshold", TreatMissingData: aws.String("ignore"), AlarmActions: []string{heard, mute},
	})
	require.NoError(t, err)

	_, err = alarms.SetAlarmState(t.Context(), &metrics.SetAlarmStateInput{AlarmName: aws.String("lag"), StateValue: "ALARM", StateReason: aws.String("drill")})
	require.NoError(t, err)

	require.Eventually(t, func() bool { return len(s.sns.Messages(heard)) == 1 }, 5*time.Second, time.Millisecond)
	require.Contains(t, s.sns.Messages(heard)[0].Text, `"AlarmName":"lag"`)
	require.Empty(t, s.sns.Messages(mute))
	var told []string
	require.Eventually(t, func() bool {
		out, err := alarms.DescribeAlarmHistory(t.Context(), &metrics.DescribeAlarmHistoryInput{AlarmName: aws.String("lag"), HistoryItemType: "Action"})
		told = nil
		if err == nil {
			for _, item := range out.AlarmHistoryItems {
				told = append(told, *item.HistorySummary)
			}
		}
		return len(told) == 2
	}, 5*time.Second, time.Millisecond)
	require.ElementsMatch(t, []string{"Successfully executed action " + heard, "Failed to execute action " + mute}, told)
}

// nowhere fails the test when a request leaves the simulator.
type nowhere struct{ left chan string }

func (n nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	n.left <- r.URL.String()
	return nil, http.ErrServerClosed
}

func TestDelivery_LeavesThisMachineNever(t *testing.T) {
	t.Parallel()
	left := make(chan string, 100)
	s := stage(t, sns.Options{Client: &http.Client{Transport: nowhere{left}}})
	arn := s.topic(t, "page", nil)
	for _, endpoint := range []string{"http://192.0.2.1/", "http://127.0.0.1.example.com/", "http://[2001:db8::1]/", "http://localhost:1/", "http://127.9.9.9:1/"} {
		_, err := s.at("us-west-2").Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &endpoint})
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return len(left) == 2 }, 5*time.Second, time.Millisecond)
	s.world.Close() // waits for every delivery under way
	require.ElementsMatch(t, []string{"http://localhost:1/", "http://127.9.9.9:1/"}, []string{<-left, <-left})
	require.Empty(t, left)
}
