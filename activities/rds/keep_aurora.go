package rds

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// clusters reads clusters of a Region by name, all in one answer.
func (k kept) clusters(ctx context.Context, at cloud.At, names []string) (map[string]types.DBCluster, error) {
	out := map[string]types.DBCluster{}
	in := &sdk.DescribeDBClustersInput{Filters: []types.Filter{{Name: aws.String("db-cluster-id"), Values: names}}}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeDBClusters, in)
		if cloud.KindOf(err) == cloud.NotFound { // AWS's answer when nothing passes the filter
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for _, c := range page.DBClusters {
			out[strings.ToLower(aws.ToString(c.DBClusterIdentifier))] = c
		}
		if aws.ToString(page.Marker) == "" {
			return out, nil
		}
		in.Marker = page.Marker
	}
}

// globals are the global databases that a Region takes part in.
func (k kept) globals(ctx context.Context, at cloud.At) ([]types.GlobalCluster, error) {
	var out []types.GlobalCluster
	in := &sdk.DescribeGlobalClustersInput{}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeGlobalClusters, in)
		if err != nil {
			return nil, err
		}
		out = append(out, page.GlobalClusters...)
		if aws.ToString(page.Marker) == "" {
			return out, nil
		}
		in.Marker = page.Marker
	}
}

// memberOf is the global database that a cluster is part of; "" when none.
func memberOf(all []types.GlobalCluster, cluster string) string {
	for _, g := range all {
		if slices.ContainsFunc(g.GlobalClusterMembers, func(m types.GlobalClusterMember) bool { return aws.ToString(m.DBClusterArn) == cluster }) {
			return aws.ToString(g.GlobalClusterIdentifier)
		}
	}
	return ""
}

func (k kept) readClusters(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.clusters(ctx, at, names(items))
	return pick(items, found, func(_ runbook.Item, c types.DBCluster) runbook.ItemState {
		return runbook.ItemState{Busy: busy(c.Status), Out: map[string]string{"arn": aws.ToString(c.DBClusterArn)}}
	}), err
}

// readDatabases finds global databases by their own name. Which member writes is
// not looked at.
func (k kept) readDatabases(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	all, err := k.globals(ctx, at)
	found := map[string]types.GlobalCluster{}
	for _, g := range all {
		found[strings.ToLower(aws.ToString(g.GlobalClusterIdentifier))] = g
	}
	return pick(items, found, func(item runbook.Item, g types.GlobalCluster) runbook.ItemState {
		have := map[string]string{}
		if memberOf([]types.GlobalCluster{g}, item.Want["source"]) != "" {
			have["source"] = item.Want["source"]
		}
		state := runbook.ItemState{Busy: busy(g.Status), Have: have, Out: map[string]string{"arn": aws.ToString(g.GlobalClusterArn)}}
		if f := g.FailoverState; f != nil && f.Status != "" {
			state.Busy = string(f.Status)
		}
		return state
	}), err
}

// writeDatabase makes the cluster the first member of a new global database, and
// never of a second one: a cluster that is part of another stays there.
func (k kept) writeDatabase(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	all, err := k.globals(ctx, at)
	if err != nil {
		return "", err
	}
	if other := memberOf(all, item.Want["source"]); other != "" && !strings.EqualFold(other, item.Name) {
		return "", cloud.Errorf(cloud.Invalid, "%s is a member of global database %q already: name that one in the plan, or remove the cluster from it", item.Want["source"], other)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateGlobalCluster, &sdk.CreateGlobalClusterInput{
		GlobalClusterIdentifier: aws.String(item.Name), SourceDBClusterIdentifier: aws.String(item.Want["source"]),
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// readMembers finds the clusters of a Region and the global databases that they
// are part of, writer or not.
func (k kept) readMembers(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.clusters(ctx, at, names(items))
	if err != nil {
		return nil, err
	}
	all, err := k.globals(ctx, at)
	return pick(items, found, func(_ runbook.Item, c types.DBCluster) runbook.ItemState {
		return runbook.ItemState{
			Busy: busy(c.Status), Have: map[string]string{"global": memberOf(all, aws.ToString(c.DBClusterArn))},
			Out: map[string]string{"arn": aws.ToString(c.DBClusterArn)},
		}
	}), err
}

// writer is the cluster that writes to a global database, and where it is.
func (k kept) writer(ctx context.Context, at cloud.At, global string) (types.DBCluster, cloud.At, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeGlobalClusters, &sdk.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String(global)})
	if err != nil {
		return types.DBCluster{}, at, err
	}
	for _, g := range out.GlobalClusters {
		for _, m := range g.GlobalClusterMembers {
			name, err := arn.Parse(aws.ToString(m.DBClusterArn))
			if err != nil || !aws.ToBool(m.IsWriter) {
				continue
			}
			home := keep.At(name.Region)
			found, err := k.clusters(ctx, home, []string{clusterID(name)})
			if c, ok := found[strings.ToLower(clusterID(name))]; ok || err != nil {
				return c, home, err
			}
		}
	}
	return types.DBCluster{}, at, cloud.Errorf(cloud.NotYet, "aurora global database %q has no writer", global)
}

// writeMember adds a secondary cluster: the writer's engine and version, a key of
// this Region when the writer is encrypted, and groups of the same name, which
// have to exist here.
func (k kept) writeMember(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	// A Region without a member may not know the global database.
	w, _, err := k.writer(ctx, keep.At(item.Want[runbook.AtCreation+"home"]), item.Want["global"])
	if err != nil {
		return "", err
	}
	in := &sdk.CreateDBClusterInput{
		DBClusterIdentifier: aws.String(item.Name), GlobalClusterIdentifier: aws.String(item.Want["global"]), Engine: w.Engine, EngineVersion: w.EngineVersion,
		DBClusterParameterGroupName: own(w.DBClusterParameterGroup), DBSubnetGroupName: own(w.DBSubnetGroup), Port: w.Port, Tags: tags(item),
		DeletionProtection: w.DeletionProtection, EnableCloudwatchLogsExports: w.EnabledCloudwatchLogsExports,
	}
	if aws.ToBool(w.StorageEncrypted) {
		in.StorageEncrypted, in.KmsKeyId = aws.Bool(true), aws.String(item.Want[runbook.AtCreation+"key"])
	}
	if s := w.ServerlessV2ScalingConfiguration; s != nil {
		in.ServerlessV2ScalingConfiguration = &types.ServerlessV2ScalingConfiguration{MinCapacity: s.MinCapacity, MaxCapacity: s.MaxCapacity}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateDBCluster, in)
	if err != nil {
		return "", fmt.Errorf("add a secondary cluster with the groups of %q, which must exist in %s under the same names: %w", aws.ToString(w.DBClusterIdentifier), at.Region, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// readMemberInstances finds the instances of clusters: one is enough, whatever
// its name. While none is available AWS is still at work.
func (k kept) readMemberInstances(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	all, err := k.instances(ctx, at, "db-cluster-id", names(items))
	if err != nil {
		return nil, err
	}
	found := map[string]types.DBInstance{}
	for _, i := range all {
		cluster, status := strings.ToLower(aws.ToString(i.DBClusterIdentifier)), aws.ToString(i.DBInstanceStatus)
		if status == "deleting" {
			continue
		}
		if _, ok := found[cluster]; !ok || status == "available" {
			found[cluster] = i
		}
	}
	return pick(items, found, func(item runbook.Item, i types.DBInstance) runbook.ItemState {
		return runbook.ItemState{
			Busy: busy(i.DBInstanceStatus), Have: map[string]string{"global": item.Want["global"]}, Out: map[string]string{"arn": aws.ToString(i.DBInstanceArn)},
		}
	}), nil
}

// writeMemberInstance gives a cluster an instance like the writer's: a cluster
// without one can't be promoted, and a smaller one can't carry the load.
func (k kept) writeMemberInstance(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	w, home, err := k.writer(ctx, at, item.Want["global"])
	if err != nil {
		return "", err
	}
	all, err := k.instances(ctx, home, "db-cluster-id", []string{aws.ToString(w.DBClusterIdentifier)})
	if err != nil {
		return "", err
	}
	model := slices.IndexFunc(all, func(i types.DBInstance) bool {
		return slices.ContainsFunc(w.DBClusterMembers, func(m types.DBClusterMember) bool {
			return aws.ToBool(m.IsClusterWriter) && aws.ToString(m.DBInstanceIdentifier) == aws.ToString(i.DBInstanceIdentifier)
		})
	})
	if model < 0 {
		return "", cloud.Errorf(cloud.NotYet, "aurora cluster %q has no writer instance to take after", aws.ToString(w.DBClusterIdentifier))
	}
	like := all[model]
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateDBInstance, &sdk.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String(item.Name + "-1"), DBClusterIdentifier: aws.String(item.Name), Engine: w.Engine,
		DBInstanceClass: like.DBInstanceClass, Tags: tags(item), DBParameterGroupName: parameterGroup(like),
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k kept) readClusterBackups(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.clusters(ctx, at, names(items))
	return pick(items, found, func(_ runbook.Item, c types.DBCluster) runbook.ItemState {
		return runbook.ItemState{Busy: busy(c.Status), Have: map[string]string{"days": strconv.Itoa(int(aws.ToInt32(c.BackupRetentionPeriod)))}}
	}), err
}

// writeClusterBackups changes how long a cluster can be restored. It costs no
// downtime: a cluster always has backups.
func (k kept) writeClusterBackups(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return "", cloud.Errorf(cloud.NotFound, "aurora cluster %q does not exist in %s", item.Name, at.Region)
	}
	days, err := strconv.ParseInt(item.Want["days"], 10, 32)
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "days of backups of aurora cluster %q: %w", item.Name, err)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).ModifyDBCluster, &sdk.ModifyDBClusterInput{
		DBClusterIdentifier: aws.String(item.Name), BackupRetentionPeriod: aws.Int32(int32(days)), ApplyImmediately: aws.Bool(true),
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
