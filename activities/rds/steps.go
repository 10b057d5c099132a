package rds

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// GlobalAPI is what is called of global databases.
type GlobalAPI interface {
	DescribeGlobalClusters(context.Context, *sdk.DescribeGlobalClustersInput, ...func(*sdk.Options)) (*sdk.DescribeGlobalClustersOutput, error)
	FailoverGlobalCluster(context.Context, *sdk.FailoverGlobalClusterInput, ...func(*sdk.Options)) (*sdk.FailoverGlobalClusterOutput, error)
	SwitchoverGlobalCluster(context.Context, *sdk.SwitchoverGlobalClusterInput, ...func(*sdk.Options)) (*sdk.SwitchoverGlobalClusterOutput, error)
}

// ClusterAPI is what is called of the clusters in a Region.
type ClusterAPI interface {
	DescribeDBInstances(context.Context, *sdk.DescribeDBInstancesInput, ...func(*sdk.Options)) (*sdk.DescribeDBInstancesOutput, error)
	DescribeDBClusterSnapshots(context.Context, *sdk.DescribeDBClusterSnapshotsInput, ...func(*sdk.Options)) (*sdk.DescribeDBClusterSnapshotsOutput, error)
	CopyDBClusterSnapshot(context.Context, *sdk.CopyDBClusterSnapshotInput, ...func(*sdk.Options)) (*sdk.CopyDBClusterSnapshotOutput, error)
}

// API is every operation of this package: its part of the IAM policy.
type API interface {
	GlobalAPI
	ClusterAPI
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) })}
}
