package sts

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// API is every operation of this package. It needs no permission: AWS tells
// everybody who they are.
type API interface {
	GetCallerIdentity(context.Context, *sdk.GetCallerIdentityInput, ...func(*sdk.Options)) (*sdk.GetCallerIdentityOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) })}
}

// CallerIn says which Region's endpoint is asked.
type CallerIn struct {
	Region  plan.Region   `json:"region"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Caller is who the worker is in AWS.
type Caller struct {
	Account string `json:"account"` // 12 digits
	ARN     string `json:"arn"`
}

// DescribeCaller says which account and identity the worker's calls come from.
func (s *Steps) DescribeCaller(ctx context.Context, in CallerIn) (Caller, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out, err := cloud.Call(ctx, at, s.Clients(in.Region).GetCallerIdentity, &sdk.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, fmt.Errorf("ask %s who is calling: %w", in.Region, err)
	}
	return Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}
