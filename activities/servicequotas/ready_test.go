package servicequotas

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

// book is Service Quotas with what was applied to the account, and AWS's defaults,
// by service and code.
type book struct {
	cloudtest.Service
	applied, usual map[string]*float64
}

func newBook() (*book, *Ready) {
	b := &book{
		Service: cloudtest.Service{ID: "Service Quotas"},
		applied: map[string]*float64{"ebs L-1": aws.Float64(50), "ebs L-4": nil}, usual: map[string]*float64{"ebs L-1": aws.Float64(20), "ebs L-2": aws.Float64(7)},
	}
	return b, &Ready{Clients: func(plan.Region) ReadyAPI { return b }}
}

func find(in map[string]*float64, service, code *string) (*types.ServiceQuota, error) {
	v, ok := in[aws.ToString(service)+" "+aws.ToString(code)]
	if !ok {
		return nil, &types.NoSuchResourceException{}
	}
	return &types.ServiceQuota{Value: v}, nil
}

func (b *book) GetServiceQuota(ctx context.Context, in *sdk.GetServiceQuotaInput, _ ...func(*sdk.Options)) (*sdk.GetServiceQuotaOutput, error) {
	return cloudtest.Serve(ctx, &b.Service, "GetServiceQuota", func() (*sdk.GetServiceQuotaOutput, error) {
		q, err := find(b.applied, in.ServiceCode, in.QuotaCode)
		return &sdk.GetServiceQuotaOutput{Quota: q}, err
	})
}

func (b *book) GetAWSDefaultServiceQuota(ctx context.Context, in *sdk.GetAWSDefaultServiceQuotaInput, _ ...func(*sdk.Options)) (*sdk.GetAWSDefaultServiceQuotaOutput, error) {
	return cloudtest.Serve(ctx, &b.Service, "GetAWSDefaultServiceQuota", func() (*sdk.GetAWSDefaultServiceQuotaOutput, error) {
		q, err := find(b.usual, in.ServiceCode, in.QuotaCode)
		return &sdk.GetAWSDefaultServiceQuotaOutput{Quota: q}, err
	})
}

func TestMeasureQuotas_WhatIsAppliedElseTheDefaultElseNothing(t *testing.T) {
	t.Parallel()
	_, r := newBook()
	got, err := r.MeasureQuotas(t.Context(), QuotasRef{Region: "us-west-2", Quotas: []Quota{{"ebs", "L-1"}, {"ebs", "L-2"}, {"ebs", "L-3"}, {"ebs", "L-4"}, {"vpc", "L-1"}}})
	require.NoError(t, err)
	require.Equal(t, map[string]float64{"L-1": 50, "L-2": 7}, got.Values, "what AWS does not say is no limit of zero")
}

func TestMeasureQuotas_DeniedOrDark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, r := newBook()
		in := QuotasRef{Region: "us-west-2", Timeout: cloud.SuspectTimeout, Quotas: []Quota{{"ebs", "L-2"}}}
		for _, operation := range []string{"GetServiceQuota", "GetAWSDefaultServiceQuota"} {
			b.Next(operation, cloudtest.Code("AccessDeniedException"))
			_, err := r.MeasureQuotas(t.Context(), in)
			require.ErrorContains(t, err, "permission servicequotas:"+operation+" is missing")
		}
		b.Always("", cloudtest.Hang())
		start := time.Now()
		_, err := r.MeasureQuotas(t.Context(), in)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}
