package sts

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

// fake is STS in one Region.
type fake struct{ cloudtest.Service }

func (f *fake) GetCallerIdentity(ctx context.Context, _ *sdk.GetCallerIdentityInput, _ ...func(*sdk.Options)) (*sdk.GetCallerIdentityOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetCallerIdentity", func() (*sdk.GetCallerIdentityOutput, error) {
		return &sdk.GetCallerIdentityOutput{Account: aws.String("123456789012"), Arn: aws.String("arn:aws:sts::123456789012:assumed-role/lifeline/worker")}, nil
	})
}

func TestDescribeCaller_AsksTheRegionThatIsNamed(t *testing.T) {
	t.Parallel()
	f := &fake{cloudtest.Service{ID: "STS"}}
	s := &Steps{Clients: func(r plan.Region) API {
		require.Equal(t, plan.Region("us-west-2"), r)
		return f
	}}
	got, err := s.DescribeCaller(t.Context(), CallerIn{Region: "us-west-2"})
	require.NoError(t, err)
	require.Equal(t, Caller{"123456789012", "arn:aws:sts::123456789012:assumed-role/lifeline/worker"}, got)

	f.Next("GetCallerIdentity", cloudtest.Code("ExpiredToken"))
	_, err = s.DescribeCaller(t.Context(), CallerIn{Region: "us-west-2"})
	require.Equal(t, cloud.Denied, cloud.KindOf(err))
	require.ErrorContains(t, err, "ask us-west-2 who is calling")
}

func TestNew_NeverTheGlobalEndpoint(t *testing.T) {
	t.Parallel()
	client, ok := New(cloud.Using(aws.Config{}, cloud.Options{Caller: "test"})).Clients("us-west-2").(*sdk.Client)
	require.True(t, ok)
	endpoint, err := sdk.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(), sdk.EndpointParameters{
		Region: aws.String(client.Options().Region), UseGlobalEndpoint: aws.Bool(false),
	})
	require.NoError(t, err)
	require.Equal(t, "sts.us-west-2.amazonaws.com", endpoint.URI.Host)
}
