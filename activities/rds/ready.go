package rds

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of databases.
type ReadyAPI interface {
	DescribeGlobalClusters(context.Context, *sdk.DescribeGlobalClustersInput, ...func(*sdk.Options)) (*sdk.DescribeGlobalClustersOutput, error)
	DescribeDBClusters(context.Context, *sdk.DescribeDBClustersInput, ...func(*sdk.Options)) (*sdk.DescribeDBClustersOutput, error)
	DescribeDBClusterParameters(context.Context, *sdk.DescribeDBClusterParametersInput, ...func(*sdk.Options)) (*sdk.DescribeDBClusterParametersOutput, error)
	DescribeDBInstances(context.Context, *sdk.DescribeDBInstancesInput, ...func(*sdk.Options)) (*sdk.DescribeDBInstancesOutput, error)
	DescribeDBInstanceAutomatedBackups(context.Context, *sdk.DescribeDBInstanceAutomatedBackupsInput, ...func(*sdk.Options)) (*sdk.DescribeDBInstanceAutomatedBackupsOutput, error)
}

// Ready are the steps of a proof of readiness that no run needs: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// ClusterRef is one cluster.
type ClusterRef struct {
	Region  plan.Region   `json:"region"`
	Cluster string        `json:"cluster"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Cluster is what two members of a global database must have in common.
type Cluster struct {
	Status  string `json:"status"`
	Engine  string `json:"engine"`
	Version string `json:"version"`
	Group   string `json:"group"` // cluster parameter group
	// Parameters are those that somebody has set.
	Parameters map[string]string `json:"parameters,omitempty"`
}

// DescribeCluster reads a cluster's engine and the parameters that somebody set.
func (r *Ready) DescribeCluster(ctx context.Context, in ClusterRef) (Cluster, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeDBClusters, &sdk.DescribeDBClustersInput{DBClusterIdentifier: aws.String(in.Cluster)})
	if err != nil {
		return Cluster{}, fmt.Errorf("describe aurora cluster %q: %w", in.Cluster, err)
	}
	if len(got.DBClusters) == 0 {
		return Cluster{}, cloud.Errorf(cloud.NotFound, "describe aurora cluster %q in %s: it does not exist", in.Cluster, in.Region)
	}
	c := got.DBClusters[0]
	out := Cluster{
		Status: aws.ToString(c.Status), Engine: aws.ToString(c.Engine), Version: aws.ToString(c.EngineVersion),
		Group: aws.ToString(c.DBClusterParameterGroup), Parameters: map[string]string{},
	}
	ask := &sdk.DescribeDBClusterParametersInput{DBClusterParameterGroupName: c.DBClusterParameterGroup, Source: aws.String("user")}
	for out.Group != "" {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeDBClusterParameters, ask)
		if err != nil {
			return Cluster{}, fmt.Errorf("read parameter group %q: %w", out.Group, err)
		}
		for _, p := range page.Parameters {
			out.Parameters[aws.ToString(p.ParameterName)] = aws.ToString(p.ParameterValue)
		}
		if ask.Marker = page.Marker; aws.ToString(ask.Marker) == "" {
			break
		}
	}
	return out, nil
}

// InstanceRef is one DB instance.
type InstanceRef struct {
	Region   plan.Region   `json:"region"`
	Instance string        `json:"instance"`
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// Instance is a DB instance as it was read.
type Instance struct {
	Status     string   `json:"status"`
	Engine     string   `json:"engine"`
	Version    string   `json:"version"`
	Follows    string   `json:"follows,omitempty"`   // identifier or ARN of what it replicates from
	Followers  []string `json:"followers,omitempty"` // identifiers or ARNs of its replicas
	BackupDays int      `json:"backup_days"`
}

// DescribeInstance reads a DB instance and what it replicates from.
func (r *Ready) DescribeInstance(ctx context.Context, in InstanceRef) (Instance, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeDBInstances, &sdk.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(in.Instance)})
	if err != nil {
		return Instance{}, fmt.Errorf("describe db instance %q: %w", in.Instance, err)
	}
	if len(got.DBInstances) == 0 {
		return Instance{}, cloud.Errorf(cloud.NotFound, "describe db instance %q in %s: it does not exist", in.Instance, in.Region)
	}
	i := got.DBInstances[0]
	return Instance{
		Status: aws.ToString(i.DBInstanceStatus), Engine: aws.ToString(i.Engine), Version: aws.ToString(i.EngineVersion),
		Follows: aws.ToString(i.ReadReplicaSourceDBInstanceIdentifier), Followers: i.ReadReplicaDBInstanceIdentifiers,
		BackupDays: int(aws.ToInt32(i.BackupRetentionPeriod)),
	}, nil
}

// CopiedBackups are the automated backups of an instance that another Region keeps.
type CopiedBackups struct {
	Found  bool      `json:"found"`
	Status string    `json:"status,omitempty"`
	Latest time.Time `json:"latest,omitzero"` // up to when it can be restored
}

// DescribeCopiedBackups reads the replicated automated backups of an instance in
// the Region that keeps them.
func (r *Ready) DescribeCopiedBackups(ctx context.Context, in InstanceRef) (CopiedBackups, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeDBInstanceAutomatedBackups, &sdk.DescribeDBInstanceAutomatedBackupsInput{DBInstanceIdentifier: aws.String(in.Instance)})
	if cloud.KindOf(err) == cloud.NotFound {
		return CopiedBackups{}, nil
	}
	if err != nil {
		return CopiedBackups{}, fmt.Errorf("describe automated backups of %q in %s: %w", in.Instance, in.Region, err)
	}
	if len(got.DBInstanceAutomatedBackups) == 0 {
		return CopiedBackups{}, nil
	}
	b := got.DBInstanceAutomatedBackups[0]
	out := CopiedBackups{Found: true, Status: aws.ToString(b.Status)}
	if b.RestoreWindow != nil {
		out.Latest = aws.ToTime(b.RestoreWindow.LatestTime).UTC()
	}
	return out, nil
}

// AllRef is everything of a kind in a Region.
type AllRef struct {
	Region plan.Region `json:"region"`
}

// Databases are identifiers, sorted.
type Databases struct {
	Instances []string `json:"instances,omitempty"` // that belong to no cluster
	Clusters  []string `json:"clusters,omitempty"`
}

// FindDatabases lists the account's DB instances and clusters of one Region.
func (r *Ready) FindDatabases(ctx context.Context, in AllRef) (Databases, error) {
	at := cloud.At{Region: in.Region}
	instances, clusters := map[string]bool{}, map[string]bool{}
	ask := &sdk.DescribeDBInstancesInput{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeDBInstances, ask)
		if err != nil {
			return Databases{}, fmt.Errorf("list db instances in %s: %w", in.Region, err)
		}
		for _, i := range page.DBInstances {
			if i.DBClusterIdentifier == nil {
				instances[aws.ToString(i.DBInstanceIdentifier)] = true
			}
		}
		if ask.Marker = page.Marker; aws.ToString(ask.Marker) == "" {
			break
		}
	}
	all := &sdk.DescribeDBClustersInput{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeDBClusters, all)
		if err != nil {
			return Databases{}, fmt.Errorf("list db clusters in %s: %w", in.Region, err)
		}
		for _, c := range page.DBClusters {
			clusters[aws.ToString(c.DBClusterIdentifier)] = true
		}
		if all.Marker = page.Marker; aws.ToString(all.Marker) == "" {
			return Databases{slices.Sorted(maps.Keys(instances)), slices.Sorted(maps.Keys(clusters))}, nil
		}
	}
}
