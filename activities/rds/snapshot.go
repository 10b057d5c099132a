package rds

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// PreserveLostWrites copies the snapshot that AWS takes of the old volume after
// a forced failover. It is the only copy of the writes that were cut off, and
// AWS deletes it with the old cluster's retention; a manual snapshot stays.
// Until AWS has taken it the answer is not found, without an error.
func (s *Steps) PreserveLostWrites(ctx context.Context, in SnapshotCopy) (Snapshot, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	all, err := s.snapshots(ctx, at, in.Cluster)
	if err != nil {
		return Snapshot{}, err
	}
	source, found := newest(all, in)
	if !found {
		return Snapshot{Outcome: runbook.Outcome{
			Effect: runbook.Already, Evidence: fmt.Sprintf("no %s* snapshot yet: nothing to keep", prefix(in.Cluster)),
		}}, nil
	}
	name := aws.ToString(source.DBClusterSnapshotIdentifier)
	kept := copyName(name)
	outcome, err := runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			return s.kept(ctx, at, in.Cluster, kept)
		},
		Do: func(ctx context.Context) (string, error) {
			out, err := cloud.Call(ctx, at, s.Clients(in.Region).CopyDBClusterSnapshot, &sdk.CopyDBClusterSnapshotInput{
				SourceDBClusterSnapshotIdentifier: source.DBClusterSnapshotArn,
				TargetDBClusterSnapshotIdentifier: aws.String(kept),
				CopyTags:                          aws.Bool(true),
			})
			if err != nil {
				return "", fmt.Errorf("copy snapshot %q: %w", name, err)
			}
			return cloud.RequestID(out.ResultMetadata), nil
		},
		Would: fmt.Sprintf("CopyDBClusterSnapshot of %s to %s in %s", name, kept, in.Region),
	}.Run(ctx, in.DryRun)
	return Snapshot{Outcome: outcome, Source: name, Copy: kept, Found: true}, err
}

// kept says whether the copy exists and is good, or is being made.
func (s *Steps) kept(ctx context.Context, at cloud.At, cluster, name string) (bool, string, error) {
	all, err := s.snapshots(ctx, at, cluster)
	if err != nil {
		return false, "", err
	}
	for _, snapshot := range all {
		if aws.ToString(snapshot.DBClusterSnapshotIdentifier) != name {
			continue
		}
		status := aws.ToString(snapshot.Status)
		if status == "failed" {
			return false, "", cloud.Errorf(cloud.Conflict, "snapshot %s failed: delete it, then try again", name)
		}
		return true, fmt.Sprintf("snapshot %s is %s", name, status), nil
	}
	return false, fmt.Sprintf("snapshot %s does not exist", name), nil
}

// snapshots lists all snapshots of a cluster, automated and manual.
func (s *Steps) snapshots(ctx context.Context, at cloud.At, cluster string) ([]types.DBClusterSnapshot, error) {
	var all []types.DBClusterSnapshot
	in := &sdk.DescribeDBClusterSnapshotsInput{DBClusterIdentifier: aws.String(cluster)}
	for {
		out, err := cloud.Call(ctx, at, s.Clients(at.Region).DescribeDBClusterSnapshots, in)
		if err != nil {
			return nil, fmt.Errorf("list snapshots of aurora cluster %q: %w", cluster, err)
		}
		all = append(all, out.DBClusterSnapshots...)
		if aws.ToString(out.Marker) == "" {
			return all, nil
		}
		in.Marker = out.Marker
	}
}

// newest is the youngest snapshot of lost writes that belongs to this failover.
func newest(all []types.DBClusterSnapshot, in SnapshotCopy) (types.DBClusterSnapshot, bool) {
	var best types.DBClusterSnapshot
	found := false
	for _, snapshot := range all {
		taken := aws.ToTime(snapshot.SnapshotCreateTime)
		if !strings.HasPrefix(aws.ToString(snapshot.DBClusterSnapshotIdentifier), prefix(in.Cluster)) || taken.Before(in.After) {
			continue
		}
		if !found || taken.After(aws.ToTime(best.SnapshotCreateTime)) {
			best, found = snapshot, true
		}
	}
	return best, found
}

// prefix is how AWS names the snapshot of a volume that a forced failover left.
func prefix(cluster string) string { return "rds:unplanned-global-failover-" + cluster + "-" }

// copyName is the same for every attempt. Manual snapshots can't have a colon.
func copyName(source string) string {
	return "lifeline-lost-writes-" + strings.TrimPrefix(source, "rds:unplanned-global-failover-")
}

func region(m AuroraMember) plan.Region { return plan.Region(m.Region) }
