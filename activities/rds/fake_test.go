package rds

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

const (
	global  = "billing"
	eastARN = "arn:aws:rds:us-east-1:123456789012:cluster:billing-use1"
	westARN = "arn:aws:rds:us-west-2:123456789012:cluster:billing-usw2"
)

// world is one global database; every Region is asked through a fake of its own.
type world struct {
	mu        sync.Mutex
	global    types.GlobalCluster
	instances map[string][]string // cluster to instance states
	snapshots map[string]types.DBClusterSnapshot
	settle    int // looks until a move is over
	moves     int
	copies    int
	lossy     bool // the last move allowed data loss
	regions   map[plan.Region]*fake
}

type fake struct {
	cloudtest.Service
	w *world
}

func newWorld() *world {
	w := &world{
		global: types.GlobalCluster{
			GlobalClusterIdentifier: aws.String(global), Status: aws.String("available"),
			GlobalClusterMembers: []types.GlobalClusterMember{
				{DBClusterArn: aws.String(eastARN), IsWriter: aws.Bool(true), SynchronizationStatus: "connected"},
				{DBClusterArn: aws.String(westARN), IsWriter: aws.Bool(false), SynchronizationStatus: "connected"},
			},
		},
		instances: map[string][]string{"billing-use1": {"available"}, "billing-usw2": {"available", "creating"}},
		snapshots: map[string]types.DBClusterSnapshot{},
		regions:   map[plan.Region]*fake{},
	}
	for _, r := range []plan.Region{"us-east-1", "us-west-2"} {
		w.regions[r] = &fake{Service: cloudtest.Service{ID: "RDS"}, w: w}
	}
	return w
}

func (w *world) steps() *Steps {
	return &Steps{Clients: func(r plan.Region) API { return w.regions[r] }}
}

// move starts a move that is over after a few looks.
func (w *world) move(target *string, lossy bool) error {
	if w.global.FailoverState != nil {
		return cloudtest.Refuse("InvalidGlobalClusterStateFault", "a move is under way")
	}
	w.moves++
	w.lossy = lossy
	w.global.FailoverState = &types.FailoverState{Status: types.FailoverStatusFailingOver, ToDbClusterArn: target}
	return nil
}

// tick lets time pass for a move.
func (w *world) tick() {
	if w.global.FailoverState == nil {
		return
	}
	if w.settle--; w.settle > 0 {
		return
	}
	for i := range w.global.GlobalClusterMembers {
		m := &w.global.GlobalClusterMembers[i]
		m.IsWriter = aws.Bool(aws.ToString(m.DBClusterArn) == aws.ToString(w.global.FailoverState.ToDbClusterArn))
	}
	w.global.FailoverState = nil
}

func (f *fake) DescribeGlobalClusters(ctx context.Context, in *sdk.DescribeGlobalClustersInput, _ ...func(*sdk.Options)) (*sdk.DescribeGlobalClustersOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeGlobalClusters", func() (*sdk.DescribeGlobalClustersOutput, error) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		if aws.ToString(in.GlobalClusterIdentifier) != global {
			return nil, &types.GlobalClusterNotFoundFault{}
		}
		now := f.w.global
		now.GlobalClusterMembers = slices.Clone(now.GlobalClusterMembers)
		f.w.tick()
		return &sdk.DescribeGlobalClustersOutput{GlobalClusters: []types.GlobalCluster{now}}, nil
	})
}

func (f *fake) FailoverGlobalCluster(ctx context.Context, in *sdk.FailoverGlobalClusterInput, _ ...func(*sdk.Options)) (*sdk.FailoverGlobalClusterOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "FailoverGlobalCluster", func() (*sdk.FailoverGlobalClusterOutput, error) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		return &sdk.FailoverGlobalClusterOutput{}, f.w.move(in.TargetDbClusterIdentifier, aws.ToBool(in.AllowDataLoss))
	})
}

func (f *fake) SwitchoverGlobalCluster(ctx context.Context, in *sdk.SwitchoverGlobalClusterInput, _ ...func(*sdk.Options)) (*sdk.SwitchoverGlobalClusterOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "SwitchoverGlobalCluster", func() (*sdk.SwitchoverGlobalClusterOutput, error) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		return &sdk.SwitchoverGlobalClusterOutput{}, f.w.move(in.TargetDbClusterIdentifier, false)
	})
}

// DescribeDBInstances answers one instance a page.
func (f *fake) DescribeDBInstances(ctx context.Context, in *sdk.DescribeDBInstancesInput, _ ...func(*sdk.Options)) (*sdk.DescribeDBInstancesOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeDBInstances", func() (*sdk.DescribeDBInstancesOutput, error) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		states := f.w.instances[in.Filters[0].Values[0]]
		page := len(aws.ToString(in.Marker))
		out := &sdk.DescribeDBInstancesOutput{}
		if page < len(states) {
			out.DBInstances = []types.DBInstance{{DBInstanceStatus: aws.String(states[page])}}
		}
		if page+1 < len(states) {
			out.Marker = aws.String(strings.Repeat("m", page+1))
		}
		return out, nil
	})
}

func (f *fake) DescribeDBClusterSnapshots(ctx context.Context, in *sdk.DescribeDBClusterSnapshotsInput, _ ...func(*sdk.Options)) (*sdk.DescribeDBClusterSnapshotsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeDBClusterSnapshots", func() (*sdk.DescribeDBClusterSnapshotsOutput, error) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		out := &sdk.DescribeDBClusterSnapshotsOutput{}
		for _, name := range slices.Sorted(maps.Keys(f.w.snapshots)) {
			if s := f.w.snapshots[name]; aws.ToString(s.DBClusterIdentifier) == aws.ToString(in.DBClusterIdentifier) {
				out.DBClusterSnapshots = append(out.DBClusterSnapshots, s)
			}
		}
		return out, nil
	})
}

func (f *fake) CopyDBClusterSnapshot(ctx context.Context, in *sdk.CopyDBClusterSnapshotInput, _ ...func(*sdk.Options)) (*sdk.CopyDBClusterSnapshotOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "CopyDBClusterSnapshot", func() (*sdk.CopyDBClusterSnapshotOutput, error) {
		f.w.mu.Lock()
		defer f.w.mu.Unlock()
		name := aws.ToString(in.TargetDBClusterSnapshotIdentifier)
		if _, exists := f.w.snapshots[name]; exists || strings.Contains(name, ":") {
			return nil, cloudtest.Refuse("DBClusterSnapshotAlreadyExistsFault", name)
		}
		f.w.copies++
		f.w.snapshots[name] = types.DBClusterSnapshot{
			DBClusterSnapshotIdentifier: aws.String(name), DBClusterIdentifier: aws.String("billing-use1"),
			SnapshotType: aws.String("manual"), Status: aws.String("copying"), SnapshotCreateTime: aws.Time(time.Now()),
		}
		return &sdk.CopyDBClusterSnapshotOutput{}, nil
	})
}

// snapshot lets AWS take one.
func (w *world) snapshot(name string, at time.Time) {
	w.snapshots[name] = types.DBClusterSnapshot{
		DBClusterSnapshotIdentifier: aws.String(name), DBClusterIdentifier: aws.String("billing-use1"),
		DBClusterSnapshotArn: aws.String("arn:" + name), SnapshotType: aws.String("automated"),
		Status: aws.String("available"), SnapshotCreateTime: aws.Time(at),
	}
}
