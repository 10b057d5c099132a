package servicequotas_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/servicequotas"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// account is a Service Quotas behind a server, with a client for each Region.
func account(t *testing.T) (*servicequotas.Quotas, func(region string) *sdk.Client) {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	q := servicequotas.New(w)
	server := httptest.NewServer(wire.NewServer(w, q.Wire()))
	t.Cleanup(server.Close)
	return q, func(region string) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		})
	}
}

func TestContract_VCPUs_AreThoseOfEachRegion(t *testing.T) {
	t.Parallel()
	q, at := account(t)
	usual := q.VCPUs("us-east-1")
	q.Set("us-west-2", "ec2", servicequotas.StandardVCPUs, 48)

	west, err := at("us-west-2").GetServiceQuota(t.Context(), &sdk.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1216C47A")})
	require.NoError(t, err)
	require.InDelta(t, 48, *west.Quota.Value, 0)
	require.True(t, west.Quota.Adjustable)
	require.Equal(t, "arn:aws:servicequotas:us-west-2:123456789012:ec2/L-1216C47A", *west.Quota.QuotaArn)
	require.Equal(t, 48, q.VCPUs("us-west-2"))

	east, err := at("us-east-1").GetServiceQuota(t.Context(), &sdk.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1216C47A")})
	require.NoError(t, err)
	require.InDelta(t, usual, *east.Quota.Value, 0, "one Region's value says nothing about another's")

	unraised, err := at("us-west-2").GetAWSDefaultServiceQuota(t.Context(), &sdk.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1216C47A")})
	require.NoError(t, err)
	require.InDelta(t, usual, *unraised.Quota.Value, 0, "the default stays what it was")
}

func TestContract_DisasterRecoveryQuotas(t *testing.T) {
	t.Parallel()
	_, at := account(t)
	got := map[string]float64{}
	for p := sdk.NewListServiceQuotasPaginator(at("us-west-2"), &sdk.ListServiceQuotasInput{ServiceCode: aws.String("drs"), MaxResults: aws.Int32(4)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Quotas), 4)
		for _, quota := range page.Quotas {
			got[*quota.QuotaCode] = *quota.Value
		}
	}
	require.Equal(t, map[string]float64{
		"L-C1D14A2B": 300, "L-E28BE5E0": 4000, "L-B827C881": 100, "L-05AFA8C6": 500, "L-D88FAC3A": 20, "L-DD6D028C": 1,
	}, got)
}

func TestContract_WhatALaunchTakes_HasQuotas(t *testing.T) {
	t.Parallel()
	_, at := account(t)
	for code, want := range map[string]struct {
		service string
		value   float64
	}{
		"L-DF5E4CA3": {"vpc", 5000}, "L-7A658B76": {"ebs", 50}, "L-D18FCD1D": {"ebs", 50}, "L-309BACF6": {"ebs", 100_000},
		"L-A0D0B863": {"elasticloadbalancing", 1000}, "L-7E6692B2": {"elasticloadbalancing", 1000}, "L-EEF1AD04": {"elasticloadbalancing", 3000},
	} {
		got, err := at("us-west-2").GetServiceQuota(t.Context(), &sdk.GetServiceQuotaInput{ServiceCode: aws.String(want.service), QuotaCode: aws.String(code)})
		require.NoError(t, err, code)
		require.InDelta(t, want.value, *got.Quota.Value, 0, code)
		require.True(t, got.Quota.Adjustable, code)
	}
}

func TestContract_Unknown_IsNoSuchResource(t *testing.T) {
	t.Parallel()
	_, at := account(t)
	c := at("us-west-2")
	calls := map[string]error{}
	_, calls["quota"] = c.GetServiceQuota(t.Context(), &sdk.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-00000000")})
	_, calls["default"] = c.GetAWSDefaultServiceQuota(t.Context(), &sdk.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String("drs"), QuotaCode: aws.String("L-1216C47A")})
	_, calls["service"] = c.ListServiceQuotas(t.Context(), &sdk.ListServiceQuotasInput{ServiceCode: aws.String("nope")})
	_, calls["increase"] = c.RequestServiceQuotaIncrease(t.Context(), &sdk.RequestServiceQuotaIncreaseInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-00000000"), DesiredValue: aws.Float64(9)})
	_, calls["request"] = c.GetRequestedServiceQuotaChange(t.Context(), &sdk.GetRequestedServiceQuotaChangeInput{RequestId: aws.String("nope")})
	for name, err := range calls {
		var missing *types.NoSuchResourceException
		require.ErrorAs(t, err, &missing, name)
	}
}

func TestContract_Increase_RefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	q, at := account(t)
	for name, in := range map[string]*sdk.RequestServiceQuotaIncreaseInput{
		"not adjustable": {ServiceCode: aws.String("drs"), QuotaCode: aws.String("L-B827C881"), DesiredValue: aws.Float64(200)},
		"no increase":    {ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1216C47A"), DesiredValue: aws.Float64(float64(q.VCPUs("us-west-2")))},
	} {
		_, err := at("us-west-2").RequestServiceQuotaIncrease(t.Context(), in)
		var illegal *types.IllegalArgumentException
		require.ErrorAs(t, err, &illegal, name)
	}
	require.Equal(t, q.VCPUs("us-east-1"), q.VCPUs("us-west-2"))
}

func TestContract_Increase_IsRecorded(t *testing.T) {
	t.Parallel()
	_, at := account(t)
	c := at("us-west-2")

	asked, err := c.RequestServiceQuotaIncrease(t.Context(), &sdk.RequestServiceQuotaIncreaseInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String("L-1216C47A"), DesiredValue: aws.Float64(4096)})
	require.NoError(t, err)
	kept, err := c.GetRequestedServiceQuotaChange(t.Context(), &sdk.GetRequestedServiceQuotaChangeInput{RequestId: asked.RequestedQuota.Id})

	require.NoError(t, err)
	require.InDelta(t, 4096, *kept.RequestedQuota.DesiredValue, 0)
	require.Equal(t, "L-1216C47A", *kept.RequestedQuota.QuotaCode)
	require.Equal(t, asked.RequestedQuota.Status, kept.RequestedQuota.Status)
}
