package steps_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkscaling "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	sdkrds "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/stretchr/testify/require"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/rds"
	"lifeline/activities/s3"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// TestSteps_UnderTheShippedPolicy plays every step that calls AWS in one world,
// well and in every kind of trouble, with the permissions that Lifeline ships.
// At the end every permission was needed.
func TestSteps_UnderTheShippedPolicy(t *testing.T) {
	t.Parallel()
	f := start(t, "patient-records-arc.yaml", 200, func(p *plan.Plan) {
		p.Traffic.HealthCheck.Interval = plan.Duration(30 * time.Second) // checkers have no part in this
	})
	a := &audit{used: map[string]bool{}}
	t.Run("all", func(t *testing.T) {
		t.Parallel()
		for _, c := range []change{
			f.objectSwitch(), f.controlSwitch(), f.leaseFence(), f.freeze(), f.scale(), f.computeFence(), f.networkFence(t),
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				f.proveBothWays(t, c, a)
			})
		}
		t.Run("aurora", func(t *testing.T) {
			t.Parallel()
			for _, q := range f.auroraQueries() {
				q.prove(t, f, a)
			}
			for _, c := range []change{f.failover(), f.switchover(), f.preserve()} {
				prove(t, f, c, a)
			}
		})
		for _, q := range f.queries() {
			t.Run(q.name, func(t *testing.T) {
				t.Parallel()
				q.prove(t, f, a)
			})
		}
	})
	t.Cleanup(func() {
		if t.Failed() {
			return // the steps that failed have not called everything
		}
		require.ElementsMatch(t, f.allowed, used(a), "the policy grants what steps need and nothing more")
	})
}

func used(a *audit) []string {
	return slices.Collect(maps.Keys(a.used))
}

// proveBothWays plays a change, and its way back as a change of its own.
func (f *fixture) proveBothWays(t *testing.T, c change, a *audit) {
	t.Helper()
	prove(t, f, c, a)
	if c.undo == nil {
		return
	}
	_, err := c.act(t.Context(), f.worker(), runbook.Command{Token: "so that there is something to take back"})
	require.NoError(t, err)
	prove(t, f, c.reversed(), a)
}

func (f *fixture) objectSwitch() change {
	bucket, key := f.id("documents", west, "bucket"), plan.SwitchKey(east, "")
	input := func(w *worker, cmd runbook.Command) s3.ObjectSwitch {
		return s3.ObjectSwitch{Command: cmd, Bucket: bucket, Key: key, Region: west, Timeout: w.timeout}
	}
	return change{
		name: "EvacuateByObject", regions: []plan.Region{west}, also: []string{"s3:ListBucket"},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.s3.EvacuateByObject(ctx, input(w, cmd))
		},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.s3.ReturnByObject(ctx, input(w, cmd))
		},
		look: func(ctx context.Context) (any, error) {
			there, _, err := f.object(ctx, west, bucket, key)
			return there, err
		},
		effects: func(ctx context.Context) (int, error) {
			_, n, err := f.object(ctx, west, bucket, key)
			return n, err
		},
	}
}

func (f *fixture) controlSwitch() change {
	s := f.plan.Traffic.Switch
	input := func(w *worker, cmd runbook.Command) arc.ControlSwitch {
		return arc.ControlSwitch{
			Command: cmd, Endpoints: s.ClusterEndpoints, Timeout: w.timeout,
			Off: s.RoutingControls[east], On: s.RoutingControls[west],
		}
	}
	c := change{
		name: "EvacuateByRoutingControl",
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.arc.EvacuateByRoutingControl(ctx, input(w, cmd))
		},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.arc.ReturnByRoutingControl(ctx, input(w, cmd))
		},
		look: func(ctx context.Context) (any, error) { return f.controlStates(ctx, s.ClusterEndpoints[4]) },
	}
	for _, e := range s.ClusterEndpoints {
		c.regions = append(c.regions, e.Region)
	}
	return c
}

func (f *fixture) leaseFence() change {
	const application = "contract" // that nobody renews
	input := func(w *worker, cmd runbook.Command, from, to plan.Region) dynamodb.LeaseFence {
		return dynamodb.LeaseFence{
			Command: cmd, Region: witness, Table: f.plan.Lease.Table, Application: application,
			From: from, To: to, TTL: f.plan.Lease.TTL.D(), Timeout: w.timeout,
		}
	}
	return change{
		name: "FenceLease", regions: []plan.Region{witness},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			out, err := w.dynamodb.FenceLease(ctx, input(w, cmd, east, west))
			return out.Outcome, err
		},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			out, err := w.dynamodb.UnfenceLease(ctx, input(w, cmd, west, east))
			return out.Outcome, err
		},
		look: func(ctx context.Context) (any, error) {
			l, err := f.lease(ctx, application)
			if err != nil { // the first to look makes it
				err = f.putLease(ctx, application, east)
				l.Holder = string(east)
			}
			return l.Holder, err
		},
		effects: func(ctx context.Context) (int, error) {
			l, err := f.lease(ctx, application)
			if err != nil {
				return 0, err
			}
			return strconv.Atoi(l.Epoch)
		},
	}
}

func (f *fixture) groupStep(w *worker, region plan.Region, cmd runbook.Command) autoscaling.GroupStep {
	return autoscaling.GroupStep{Command: cmd, Region: region, Group: f.id("web", region, "autoScalingGroup"), Timeout: w.timeout}
}

func (f *fixture) freeze() change {
	return change{
		name: "FreezeScaling", regions: []plan.Region{west},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.autoscaling.FreezeScaling(ctx, f.groupStep(w, west, cmd))
		},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.autoscaling.UnfreezeScaling(ctx, f.groupStep(w, west, cmd))
		},
		look: func(ctx context.Context) (any, error) {
			g, err := f.group(ctx, west)
			g.Min, g.Max, g.Desired = 0, 0, 0 // another subtest's
			return g, err
		},
	}
}

func (f *fixture) scale() change {
	return change{
		name: "ScaleGroup", regions: []plan.Region{west},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.autoscaling.ScaleGroup(ctx, autoscaling.GroupScale{
				Command: cmd, Region: west, Group: f.id("web", west, "autoScalingGroup"), Desired: 7, Timeout: w.timeout,
			})
		},
		restore: func(ctx context.Context) error {
			_, err := sdkscaling.NewFromConfig(f.in(west)).UpdateAutoScalingGroup(ctx, &sdkscaling.UpdateAutoScalingGroupInput{
				AutoScalingGroupName: aws.String(f.id("web", west, "autoScalingGroup")),
				MinSize:              aws.Int32(2), MaxSize: aws.Int32(6), DesiredCapacity: aws.Int32(2),
			})
			return err
		},
		look: func(ctx context.Context) (any, error) {
			g, err := f.group(ctx, west)
			return []int32{g.Min, g.Max, g.Desired}, err
		},
	}
}

func (f *fixture) computeFence() change {
	return change{
		name: "FenceCompute", regions: []plan.Region{east},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.autoscaling.FenceCompute(ctx, f.groupStep(w, east, cmd))
		},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.autoscaling.UnfenceCompute(ctx, f.groupStep(w, east, cmd))
		},
		look: func(ctx context.Context) (any, error) { return f.group(ctx, east) },
	}
}

func (f *fixture) networkFence(t *testing.T) change {
	t.Helper()
	subnets, err := f.subnets(t.Context(), east)
	require.NoError(t, err)
	input := func(w *worker, cmd runbook.Command) ec2.NetworkFence {
		return ec2.NetworkFence{Command: cmd, Region: east, Subnets: subnets, Timeout: w.timeout}
	}
	return change{
		name: "FenceNetwork", regions: []plan.Region{east},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.ec2.FenceNetwork(ctx, input(w, cmd))
		},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.ec2.UnfenceNetwork(ctx, input(w, cmd))
		},
		look: func(ctx context.Context) (any, error) { return f.acls(ctx, east, subnets) },
	}
}

// cluster is the ARN of the billing database's member in a Region.
func (f *fixture) cluster(region plan.Region) string {
	return "arn:aws:rds:" + string(region) + ":" + f.World.Account() + ":cluster:" + f.id("billing", region, "cluster")
}

func (f *fixture) globalCluster() string {
	r, _ := f.plan.Resource("billing")
	return r.Global["globalCluster"]
}

func (f *fixture) move(w *worker, called, target plan.Region, cmd runbook.Command) rds.AuroraMove {
	return rds.AuroraMove{Command: cmd, Region: called, GlobalCluster: f.globalCluster(), TargetARN: f.cluster(target), Timeout: w.timeout}
}

// aurora is what both moves of the writer have in common: home east, away west.
func (f *fixture) aurora(name string, called plan.Region) change {
	return change{
		name: name, regions: []plan.Region{called},
		undo: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			return w.rds.SwitchoverAurora(ctx, f.move(w, west, east, cmd))
		},
		look:    func(ctx context.Context) (any, error) { return f.global(ctx) },
		effects: f.moves,
		settled: f.still,
	}
}

func (f *fixture) failover() change {
	c := f.aurora("FailoverAurora", west)
	c.act = func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
		return w.rds.FailoverAurora(ctx, f.move(w, west, west, cmd))
	}
	return c
}

func (f *fixture) switchover() change {
	c := f.aurora("SwitchoverAurora", east)
	c.act = func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
		return w.rds.SwitchoverAurora(ctx, f.move(w, east, west, cmd))
	}
	return c
}

// preserve keeps what the failovers before it have cut off.
func (f *fixture) preserve() change {
	cluster := f.id("billing", east, "cluster")
	manual := func(ctx context.Context) ([]string, error) {
		all, err := f.snapshots(ctx, east, cluster, "manual")
		names := []string{}
		for _, s := range all {
			names = append(names, *s.DBClusterSnapshotIdentifier)
		}
		return names, err
	}
	return change{
		name: "PreserveLostWrites", regions: []plan.Region{east}, also: []string{"rds:AddTagsToResource"},
		act: func(ctx context.Context, w *worker, cmd runbook.Command) (runbook.Outcome, error) {
			out, err := w.rds.PreserveLostWrites(ctx, rds.SnapshotCopy{Command: cmd, Region: east, Cluster: cluster, Timeout: w.timeout})
			return out.Outcome, err
		},
		restore: func(ctx context.Context) error {
			names, err := manual(ctx)
			for _, name := range names {
				_, err = sdkrds.NewFromConfig(f.in(east)).DeleteDBClusterSnapshot(ctx,
					&sdkrds.DeleteDBClusterSnapshotInput{DBClusterSnapshotIdentifier: aws.String(name)})
			}
			return err
		},
		look: func(ctx context.Context) (any, error) { return manual(ctx) },
		settled: func(ctx context.Context) error {
			return until(ctx, "snapshots are made", func() (bool, error) {
				for _, kind := range []string{"manual", "automated"} {
					all, err := f.snapshots(ctx, east, cluster, kind)
					if err != nil {
						return false, err
					}
					for _, s := range all {
						if *s.Status != "available" {
							return false, nil
						}
					}
				}
				return true, nil
			})
		},
	}
}
