package servicequotas

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of Service Quotas.
type ReadyAPI interface {
	GetServiceQuota(context.Context, *sdk.GetServiceQuotaInput, ...func(*sdk.Options)) (*sdk.GetServiceQuotaOutput, error)
	GetAWSDefaultServiceQuota(context.Context, *sdk.GetAWSDefaultServiceQuotaInput, ...func(*sdk.Options)) (*sdk.GetAWSDefaultServiceQuotaOutput, error)
}

// Ready are the steps of a proof of readiness that no run needs: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// Quota is one limit as AWS numbers it.
type Quota struct {
	Service string `json:"service"` // "ebs"
	Code    string `json:"code"`    // "L-7A658B76"
}

// QuotasRef are limits of one Region.
type QuotasRef struct {
	Region  plan.Region   `json:"region"`
	Quotas  []Quota       `json:"quotas"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Limits are the values by code; a quota that AWS does not know there, or that has
// no value, is left out.
type Limits struct {
	Values map[string]float64 `json:"values"`
}

// MeasureQuotas reads limits as they apply to the account, and AWS's default of one
// that was never applied to it.
func (r *Ready) MeasureQuotas(ctx context.Context, in QuotasRef) (Limits, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out := Limits{Values: map[string]float64{}}
	for _, q := range in.Quotas {
		got, err := r.limit(ctx, at, q)
		if cloud.KindOf(err) == cloud.NotFound {
			continue
		}
		if err != nil {
			return Limits{}, fmt.Errorf("read quota %s of %s: %w", q.Code, q.Service, err)
		}
		if got != nil && got.Value != nil {
			out.Values[q.Code] = *got.Value
		}
	}
	return out, nil
}

func (r *Ready) limit(ctx context.Context, at cloud.At, q Quota) (*types.ServiceQuota, error) {
	api := r.Clients(at.Region)
	applied, err := cloud.Call(ctx, at, api.GetServiceQuota, &sdk.GetServiceQuotaInput{ServiceCode: aws.String(q.Service), QuotaCode: aws.String(q.Code)})
	if err == nil {
		return applied.Quota, nil
	}
	if cloud.KindOf(err) != cloud.NotFound {
		return nil, err
	}
	usual, err := cloud.Call(ctx, at, api.GetAWSDefaultServiceQuota, &sdk.GetAWSDefaultServiceQuotaInput{ServiceCode: aws.String(q.Service), QuotaCode: aws.String(q.Code)})
	if err != nil {
		return nil, err
	}
	return usual.Quota, nil
}
