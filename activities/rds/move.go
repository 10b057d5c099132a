package rds

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// FailoverAurora makes the target the writer although the old writer does not
// answer; what was not replicated is lost. The call goes to the target's Region:
// the other one is dead. It is confirmed when AWS has taken it on, which is what
// makes a repetition harmless; AwaitAuroraWriter waits for the end.
func (s *Steps) FailoverAurora(ctx context.Context, in AuroraMove) (runbook.Outcome, error) {
	do := func(ctx context.Context) (string, error) {
		out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).FailoverGlobalCluster, &sdk.FailoverGlobalClusterInput{
			GlobalClusterIdentifier:   aws.String(in.GlobalCluster),
			TargetDbClusterIdentifier: aws.String(in.TargetARN),
			// Without this AWS takes it for a switchover, which needs the old writer.
			AllowDataLoss: aws.Bool(true),
		})
		if err != nil {
			return "", fmt.Errorf("fail over aurora global database %q: %w", in.GlobalCluster, err)
		}
		return cloud.RequestID(out.ResultMetadata), nil
	}
	return s.move(ctx, in, "FailoverGlobalCluster with data loss", do)
}

// SwitchoverAurora makes the target the writer and loses nothing. The call goes
// to the primary's Region, and both Regions must be well.
func (s *Steps) SwitchoverAurora(ctx context.Context, in AuroraMove) (runbook.Outcome, error) {
	do := func(ctx context.Context) (string, error) {
		out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).SwitchoverGlobalCluster, &sdk.SwitchoverGlobalClusterInput{
			GlobalClusterIdentifier:   aws.String(in.GlobalCluster),
			TargetDbClusterIdentifier: aws.String(in.TargetARN),
		})
		if err != nil {
			return "", fmt.Errorf("switch over aurora global database %q: %w", in.GlobalCluster, err)
		}
		return cloud.RequestID(out.ResultMetadata), nil
	}
	return s.move(ctx, in, "SwitchoverGlobalCluster", do)
}

func (in AuroraMove) at() cloud.At { return cloud.At{Region: in.Region, Timeout: in.Timeout} }

// move looks, moves and looks again. Neither call has a token, so "under way to
// the same target" counts as done.
func (s *Steps) move(ctx context.Context, in AuroraMove, call string, do func(context.Context) (string, error)) (runbook.Outcome, error) {
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			a, err := s.describe(ctx, in.at(), in.GlobalCluster)
			if err != nil {
				return false, "", err
			}
			done, err := a.movingTo(in.TargetARN)
			return done, a.String(), err
		},
		Do:    do,
		Would: fmt.Sprintf("%s of %q to %s, called in %s", call, in.GlobalCluster, in.TargetARN, in.Region),
	}.Run(ctx, in.DryRun)
}

// movingTo says whether target is the writer or is becoming it.
func (a Aurora) movingTo(target string) (bool, error) {
	m, known := a.member(target)
	if !known {
		return false, cloud.Errorf(cloud.NotFound, "cluster %s is no member of the global database", target)
	}
	if a.FailoverStatus == "" {
		return m.Writer, nil
	}
	if a.FailoverTarget != target || a.FailoverStatus == string(types.FailoverStatusCancelling) {
		return false, cloud.Errorf(cloud.Conflict, "another move is under way: %s", a)
	}
	return true, nil
}

// AwaitAuroraWriter waits until the target is the writer and nothing moves any more.
func (s *Steps) AwaitAuroraWriter(ctx context.Context, in AuroraAwait) (Aurora, error) {
	return s.await(ctx, in, func(_ context.Context, a Aurora, m AuroraMember) (bool, string, error) {
		return m.Writer && a.FailoverStatus == "", a.String(), nil
	})
}

// AwaitAuroraSynchronized waits until the target follows the writer again and
// could take over: it is a member, connected, and has an available instance. AWS
// rebuilds the cluster that was left, which takes minutes to hours.
func (s *Steps) AwaitAuroraSynchronized(ctx context.Context, in AuroraAwait) (Aurora, error) {
	return s.await(ctx, in, func(ctx context.Context, a Aurora, m AuroraMember) (bool, string, error) {
		seen := fmt.Sprintf("%s, %s is %q", a, m.ClusterID, m.Sync)
		if m.Sync != string(types.GlobalClusterMemberSynchronizationStatusConnected) || a.FailoverStatus != "" {
			return false, seen, nil
		}
		n, err := s.instances(ctx, cloud.At{Region: region(m), Timeout: in.Timeout}, m.ClusterID)
		return n > 0, fmt.Sprintf("%s with %d available instances", seen, n), err
	})
}

// await polls the global database until good accepts it.
func (s *Steps) await(
	ctx context.Context, in AuroraAwait, good func(context.Context, Aurora, AuroraMember) (bool, string, error),
) (Aurora, error) {
	var last Aurora
	err := cloud.Poll(ctx, in.Interval, func(ctx context.Context) (bool, string, error) {
		a, err := s.describe(ctx, cloud.At{Region: in.Region, Timeout: in.Timeout}, in.GlobalCluster)
		if err != nil {
			return false, "", err
		}
		last = a
		m, known := a.member(in.TargetARN)
		if !known {
			// A cluster that is rebuilt leaves the global database and comes back.
			return false, in.TargetARN + " is no member", nil
		}
		return good(ctx, a, m)
	})
	if err != nil {
		return Aurora{}, fmt.Errorf("await aurora cluster %s: %w", in.TargetARN, err)
	}
	return last, nil
}
