package dynamodb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// API is every operation of this package: its part of the IAM policy.
type API interface {
	GetItem(context.Context, *sdk.GetItemInput, ...func(*sdk.Options)) (*sdk.GetItemOutput, error)
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	UpdateItem(context.Context, *sdk.UpdateItemInput, ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error)
	DescribeTable(context.Context, *sdk.DescribeTableInput, ...func(*sdk.Options)) (*sdk.DescribeTableOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
	Now     func() time.Time
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{
		Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) }),
		Now:     time.Now,
	}
}
