package sns

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

type fake struct {
	cloudtest.Service
	got []*sdk.PublishInput
}

func (f *fake) Publish(ctx context.Context, in *sdk.PublishInput, _ ...func(*sdk.Options)) (*sdk.PublishOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "Publish", func() (*sdk.PublishOutput, error) {
		f.got = append(f.got, in)
		return &sdk.PublishOutput{}, nil
	})
}

func world() (map[plan.Region]*fake, *Steps) {
	regions := map[plan.Region]*fake{
		"us-west-2": {Service: cloudtest.Service{ID: "SNS"}}, "us-east-2": {Service: cloudtest.Service{ID: "SNS"}},
	}
	return regions, &Steps{Clients: func(r plan.Region) API { return regions[r] }}
}

func news() Notification {
	return Notification{
		Topics:  map[plan.Region]string{"us-west-2": "arn:west", "us-east-2": "arn:east2"},
		Subject: "Failover of patient-records", Message: "fence confirmed", Token: "t", Timeout: cloud.SuspectTimeout,
	}
}

func TestNotify_EveryTopicGetsIt(t *testing.T) {
	t.Parallel()
	regions, s := world()
	d, err := s.Notify(t.Context(), news())
	require.NoError(t, err)
	require.Equal(t, []string{"us-east-2", "us-west-2"}, d.Regions)
	require.Empty(t, d.Refused)
	for region, topic := range news().Topics {
		require.Len(t, regions[region].got, 1)
		require.Equal(t, topic, aws.ToString(regions[region].got[0].TopicArn))
		require.Equal(t, "t", aws.ToString(regions[region].got[0].MessageAttributes["lifeline-token"].StringValue))
	}
}

func TestNotify_OneRegionDark_DelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		regions, s := world()
		regions["us-west-2"].Always("", cloudtest.Hang())
		start := time.Now()
		d, err := s.Notify(t.Context(), news())
		require.NoError(t, err)
		require.Equal(t, []string{"us-east-2"}, d.Regions)
		require.Contains(t, d.Refused["us-west-2"], "arn:west")
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}

func TestNotify_NobodyTookIt_IsAnError(t *testing.T) {
	t.Parallel()
	regions, s := world()
	for _, f := range regions {
		f.Always("Publish", cloudtest.Code("AuthorizationError"))
	}
	_, err := s.Notify(t.Context(), news())
	require.Equal(t, cloud.Denied, cloud.KindOf(err))
	require.ErrorContains(t, err, "permission sns:Publish is missing")
}

func TestNotify_NobodyToTell_IsFine(t *testing.T) {
	t.Parallel()
	_, s := world()
	d, err := s.Notify(t.Context(), Notification{Subject: "x"})
	require.NoError(t, err)
	require.Empty(t, d.Regions)
}

func TestSubject_IsWhatSNSAccepts(t *testing.T) {
	t.Parallel()
	require.Equal(t, "a b", subject(" a\nb "))
	require.Equal(t, "caf? ?", subject("café \x01"))
	require.Equal(t, "Lifeline", subject(" \n"))
	require.Len(t, subject(strings.Repeat("x", 300)), 100)
}
