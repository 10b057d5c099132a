package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// API is every operation of this package: its part of the IAM policy.
type API interface {
	DescribeNetworkAcls(context.Context, *sdk.DescribeNetworkAclsInput, ...func(*sdk.Options)) (*sdk.DescribeNetworkAclsOutput, error)
	CreateNetworkAclEntry(context.Context, *sdk.CreateNetworkAclEntryInput, ...func(*sdk.Options)) (*sdk.CreateNetworkAclEntryOutput, error)
	DeleteNetworkAclEntry(context.Context, *sdk.DeleteNetworkAclEntryInput, ...func(*sdk.Options)) (*sdk.DeleteNetworkAclEntryOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) })}
}
