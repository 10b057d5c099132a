package rds

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// DescribeAurora reads a global database from one Region, and counts the
// available instances of its members in theirs. A member whose Region does not
// answer keeps Instances -1: that must not stop a failover.
func (s *Steps) DescribeAurora(ctx context.Context, in AuroraRef) (Aurora, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	a, err := s.describe(ctx, at, in.GlobalCluster)
	if err != nil {
		return Aurora{}, err
	}
	var side sync.WaitGroup
	for i := range a.Members {
		m := &a.Members[i]
		if plan.Region(m.Region) == in.Suspect {
			continue
		}
		side.Go(func() {
			m.Instances = s.available(ctx, plan.Region(m.Region), in.Timeout, m.ClusterID)
		})
	}
	side.Wait()
	return a, nil
}

// describe reads the global database as one Region knows it, without instances.
func (s *Steps) describe(ctx context.Context, at cloud.At, global string) (Aurora, error) {
	out, err := cloud.Call(ctx, at, s.Clients(at.Region).DescribeGlobalClusters,
		&sdk.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String(global)})
	if err != nil {
		return Aurora{}, fmt.Errorf("describe aurora global database %q: %w", global, err)
	}
	if len(out.GlobalClusters) == 0 {
		return Aurora{}, cloud.Errorf(cloud.NotFound, "describe aurora global database %q in %s: it does not exist there", global, at.Region)
	}
	return aurora(out.GlobalClusters[0])
}

// aurora is a global database in Lifeline's words.
func aurora(g types.GlobalCluster) (Aurora, error) {
	a := Aurora{Status: aws.ToString(g.Status)}
	if f := g.FailoverState; f != nil && f.Status != "" {
		a.FailoverStatus, a.FailoverTarget = string(f.Status), aws.ToString(f.ToDbClusterArn)
	}
	for _, m := range g.GlobalClusterMembers {
		name, err := arn.Parse(aws.ToString(m.DBClusterArn))
		if err != nil {
			return Aurora{}, fmt.Errorf("read member of aurora global database %q: %w", aws.ToString(g.GlobalClusterIdentifier), err)
		}
		member := AuroraMember{
			ARN:       aws.ToString(m.DBClusterArn),
			ClusterID: clusterID(name),
			Region:    name.Region,
			Writer:    aws.ToBool(m.IsWriter),
			Sync:      string(m.SynchronizationStatus),
			Instances: -1,
		}
		if member.Writer {
			a.WriterRegion = member.Region
		}
		a.Members = append(a.Members, member)
	}
	return a, nil
}

// clusterID is the identifier in arn:aws:rds:<region>:<account>:cluster:<identifier>.
func clusterID(name arn.ARN) string {
	const kind = "cluster:"
	if len(name.Resource) > len(kind) && name.Resource[:len(kind)] == kind {
		return name.Resource[len(kind):]
	}
	return name.Resource
}

// available counts a cluster's available instances, -1 when nobody answers.
func (s *Steps) available(ctx context.Context, region plan.Region, timeout time.Duration, cluster string) int {
	n, err := s.instances(ctx, cloud.At{Region: region, Timeout: timeout}, cluster)
	if err != nil {
		return -1
	}
	return n
}

// instances counts a cluster's available instances.
func (s *Steps) instances(ctx context.Context, at cloud.At, cluster string) (int, error) {
	n := 0
	in := &sdk.DescribeDBInstancesInput{
		Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: []string{cluster}}},
	}
	for {
		out, err := cloud.Call(ctx, at, s.Clients(at.Region).DescribeDBInstances, in)
		if err != nil {
			return 0, fmt.Errorf("count instances of aurora cluster %q: %w", cluster, err)
		}
		for _, instance := range out.DBInstances {
			if aws.ToString(instance.DBInstanceStatus) == "available" {
				n++
			}
		}
		if aws.ToString(out.Marker) == "" {
			return n, nil
		}
		in.Marker = out.Marker
	}
}

// member finds a member by its ARN.
func (a Aurora) member(target string) (AuroraMember, bool) {
	for _, m := range a.Members {
		if m.ARN == target {
			return m, true
		}
	}
	return AuroraMember{}, false
}

// String is the evidence: who writes, and what is going on.
func (a Aurora) String() string {
	s := "writer in " + a.WriterRegion
	if a.WriterRegion == "" {
		s = "no writer"
	}
	if a.FailoverStatus != "" {
		s += fmt.Sprintf(", %s to %s", a.FailoverStatus, a.FailoverTarget)
	}
	return s
}
