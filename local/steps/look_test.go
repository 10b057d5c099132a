package steps_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"lifeline/internal/plan"
)

// What follows looks at the world as a person with a console does: with the
// plain SDK, never through the code under test.

// groupSeen is an Auto Scaling group from outside.
type groupSeen struct {
	Min, Max, Desired int32
	Suspended         []string
	Tags              map[string]string
}

func (f *fixture) group(ctx context.Context, region plan.Region) (groupSeen, error) {
	out, err := autoscaling.NewFromConfig(f.in(region)).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{f.id("web", region, "autoScalingGroup")},
	})
	if err != nil {
		return groupSeen{}, err
	}
	if len(out.AutoScalingGroups) != 1 {
		return groupSeen{}, fmt.Errorf("%d groups in %s", len(out.AutoScalingGroups), region)
	}
	g := out.AutoScalingGroups[0]
	seen := groupSeen{Min: *g.MinSize, Max: *g.MaxSize, Desired: *g.DesiredCapacity, Suspended: []string{}, Tags: map[string]string{}}
	for _, p := range g.SuspendedProcesses {
		seen.Suspended = append(seen.Suspended, *p.ProcessName)
	}
	slices.Sort(seen.Suspended)
	for _, t := range g.Tags {
		seen.Tags[*t.Key] = *t.Value
	}
	return seen, nil
}

// id is what the plan calls a part of a resource.
func (f *fixture) id(resource string, region plan.Region, key string) string {
	r, _ := f.plan.Resource(resource)
	return r.Regions[region][key]
}

func (f *fixture) subnets(ctx context.Context, region plan.Region) ([]string, error) {
	out, err := autoscaling.NewFromConfig(f.in(region)).DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{
		AutoScalingGroupNames: []string{f.id("web", region, "autoScalingGroup")},
	})
	if err != nil || len(out.AutoScalingGroups) != 1 {
		return nil, fmt.Errorf("describe group in %s: %w", region, err)
	}
	return strings.Split(*out.AutoScalingGroups[0].VPCZoneIdentifier, ","), nil
}

// acls are the rules of the ACLs of some subnets, one line each.
func (f *fixture) acls(ctx context.Context, region plan.Region, subnets []string) ([]string, error) {
	out, err := ec2.NewFromConfig(f.in(region)).DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{
		Filters: []ec2types.Filter{{Name: aws.String("association.subnet-id"), Values: subnets}},
	})
	if err != nil {
		return nil, err
	}
	var rules []string
	for _, acl := range out.NetworkAcls {
		for _, e := range acl.Entries {
			rules = append(rules, fmt.Sprintf("%s egress=%t %d %s %s %s",
				*acl.NetworkAclId, *e.Egress, *e.RuleNumber, e.RuleAction, *e.Protocol, aws.ToString(e.CidrBlock)))
		}
	}
	slices.Sort(rules)
	return rules, nil
}

// leaseSeen is the write lease of an application.
type leaseSeen struct{ Holder, Epoch string }

func (f *fixture) lease(ctx context.Context, application string) (leaseSeen, error) {
	l := f.plan.Lease
	out, err := dynamodb.NewFromConfig(f.in(l.Region)).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(l.Table), ConsistentRead: aws.Bool(true),
		Key: map[string]ddb.AttributeValue{"application": &ddb.AttributeValueMemberS{Value: application}},
	})
	if err != nil {
		return leaseSeen{}, err
	}
	holder, _ := out.Item["holder"].(*ddb.AttributeValueMemberS)
	epoch, _ := out.Item["epoch"].(*ddb.AttributeValueMemberN)
	if holder == nil || epoch == nil {
		return leaseSeen{}, fmt.Errorf("lease of %q is %v", application, out.Item)
	}
	return leaseSeen{holder.Value, epoch.Value}, nil
}

// putLease makes the lease of an application that nobody renews.
func (f *fixture) putLease(ctx context.Context, application string, holder plan.Region) error {
	l := f.plan.Lease
	_, err := dynamodb.NewFromConfig(f.in(l.Region)).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(l.Table),
		Item: map[string]ddb.AttributeValue{
			"application": &ddb.AttributeValueMemberS{Value: application},
			"holder":      &ddb.AttributeValueMemberS{Value: string(holder)},
			"epoch":       &ddb.AttributeValueMemberN{Value: "1"},
			"renewed":     &ddb.AttributeValueMemberS{Value: time.Now().UTC().Format(time.RFC3339Nano)},
			"ttl_ms":      &ddb.AttributeValueMemberN{Value: "10000"},
		},
	})
	return err
}

// object says whether a key is there, and how many versions and markers it has.
func (f *fixture) object(ctx context.Context, region plan.Region, bucket, key string) (there bool, versions int, err error) {
	api := s3.NewFromConfig(f.in(region), func(o *s3.Options) { o.UsePathStyle = true })
	out, err := api.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: aws.String(bucket), Prefix: aws.String(key)})
	if err != nil {
		return false, 0, err
	}
	for _, v := range out.Versions {
		if *v.Key == key {
			there = there || *v.IsLatest
			versions++
		}
	}
	for _, m := range out.DeleteMarkers {
		if *m.Key == key {
			versions++
		}
	}
	return there, versions, nil
}

// globalSeen is the global database from outside.
type globalSeen struct {
	Writer, Moving string
	Members        []string
}

func (f *fixture) global(ctx context.Context) (globalSeen, error) {
	r, _ := f.plan.Resource("billing")
	out, err := rds.NewFromConfig(f.in(west)).DescribeGlobalClusters(ctx, &rds.DescribeGlobalClustersInput{
		GlobalClusterIdentifier: aws.String(r.Global["globalCluster"]),
	})
	if err != nil {
		return globalSeen{}, err
	}
	g := out.GlobalClusters[0]
	seen := globalSeen{}
	if g.FailoverState != nil {
		seen.Moving = string(g.FailoverState.Status)
	}
	for _, m := range g.GlobalClusterMembers {
		if *m.IsWriter {
			seen.Writer = *m.DBClusterArn
		}
		seen.Members = append(seen.Members, *m.DBClusterArn+" "+string(m.SynchronizationStatus))
	}
	slices.Sort(seen.Members)
	return seen, nil
}

// still waits until nothing moves in the global database, both members are in
// step and both clusters are available.
func (f *fixture) still(ctx context.Context) error {
	return until(ctx, "global database at rest", func() (bool, error) {
		g, err := f.global(ctx)
		if err != nil || g.Moving != "" {
			return false, err
		}
		for _, m := range g.Members {
			if !strings.HasSuffix(m, " "+string(rdstypes.GlobalClusterMemberSynchronizationStatusConnected)) {
				return false, nil
			}
		}
		for _, region := range []plan.Region{east, west} {
			out, err := rds.NewFromConfig(f.in(region)).DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{})
			if err != nil || *out.DBClusters[0].Status != "available" {
				return false, err
			}
		}
		return true, nil
	})
}

// moves counts how often a move of the writer was begun.
func (f *fixture) moves(ctx context.Context) (int, error) {
	n := 0
	for _, region := range []plan.Region{east, west} {
		out, err := rds.NewFromConfig(f.in(region)).DescribeEvents(ctx, &rds.DescribeEventsInput{Duration: aws.Int32(60)})
		if err != nil {
			return 0, err
		}
		for _, e := range out.Events {
			if strings.HasPrefix(*e.Message, "Global ") && strings.HasSuffix(*e.Message, "started.") {
				n++
			}
		}
	}
	return n, nil
}

// snapshots are the manual snapshots of a cluster.
func (f *fixture) snapshots(ctx context.Context, region plan.Region, cluster, kind string) ([]rdstypes.DBClusterSnapshot, error) {
	out, err := rds.NewFromConfig(f.in(region)).DescribeDBClusterSnapshots(ctx, &rds.DescribeDBClusterSnapshotsInput{
		DBClusterIdentifier: aws.String(cluster), SnapshotType: aws.String(kind),
	})
	if err != nil {
		return nil, err
	}
	return out.DBClusterSnapshots, nil
}

// controlStates are the routing controls as one cluster endpoint tells them.
func (f *fixture) controlStates(ctx context.Context, endpoint plan.ClusterEndpoint) (map[plan.Region]string, error) {
	cfg := f.in(endpoint.Region)
	cfg.BaseEndpoint = aws.String(endpoint.URL)
	api := route53recoverycluster.NewFromConfig(cfg)
	states := map[plan.Region]string{}
	for region, arn := range f.plan.Traffic.Switch.RoutingControls {
		out, err := api.GetRoutingControlState(ctx, &route53recoverycluster.GetRoutingControlStateInput{RoutingControlArn: aws.String(arn)})
		if err != nil {
			return nil, err
		}
		states[region] = string(out.RoutingControlState)
	}
	return states, nil
}

// until polls for what the world brings about by itself.
func until(ctx context.Context, what string, ready func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := ready()
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await %s: %w", what, errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// lagNow is the newest value of the secondary's lag, in milliseconds.
func (f *fixture) lagNow(ctx context.Context, region plan.Region, cluster string) (float64, error) {
	now := time.Now()
	out, err := cloudwatch.NewFromConfig(f.in(region)).GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/RDS"), MetricName: aws.String("AuroraGlobalDBRPOLag"),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("DBClusterIdentifier"), Value: aws.String(cluster)}},
		StartTime:  aws.Time(now.Add(-time.Minute)), EndTime: aws.Time(now.Add(time.Minute)),
		Period: aws.Int32(60), Statistics: []cwtypes.Statistic{cwtypes.StatisticMaximum},
	})
	if err != nil {
		return 0, err
	}
	newest := 0.0
	for _, d := range out.Datapoints {
		newest = max(newest, *d.Maximum)
	}
	return newest, nil
}
