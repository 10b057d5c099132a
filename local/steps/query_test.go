package steps_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/activities/autoscaling"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dynamodb"
	"lifeline/activities/elb"
	"lifeline/activities/rds"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// query is a step that changes nothing that matters: it reads, waits, marks or tells.
type query struct {
	name    string
	ask     func(context.Context, *worker) error
	regions []plan.Region
	waits   bool // for something: looks over passing failures until its deadline
	// tolerates is the action without which it still answers, with less.
	tolerates string
}

// prove asks well, throttled, denied each of its calls, and into the dark.
func (q query) prove(t *testing.T, f *fixture, a *audit) {
	t.Helper()
	w := f.worker()
	require.NoError(t, q.ask(within(t, patience), w), q.name)
	require.NotEmpty(t, w.calls(), q.name)
	a.add(needed(w)...)
	for _, action := range needed(w) {
		if action == q.tolerates {
			continue
		}
		err := q.ask(within(t, patience), f.worker(action))
		require.Error(t, err, "%s without %s", q.name, action)
		require.Equal(t, cloud.Denied, cloud.KindOf(err), "%s without %s: %v", q.name, action, err)
		require.ErrorContains(t, err, action)
	}
	q.throttle(t, f)
	q.darken(t, f)
}

func (q query) throttle(t *testing.T, f *fixture) {
	t.Helper()
	w := f.worker()
	w.suffer(world.Fault{Kind: world.Throttle, Times: len(q.regions)})
	err := q.ask(within(t, patience), w)
	if err != nil {
		require.Equal(t, cloud.Throttled, cloud.KindOf(err), "%s: %v", q.name, err)
		err = q.ask(within(t, patience), w)
	}
	require.NoError(t, err, "%s after it was throttled", q.name)
	require.Contains(t, outcomes(w), "throttled")
}

func (q query) darken(t *testing.T, f *fixture) {
	t.Helper()
	w := f.worker()
	w.timeout = suspect
	for _, region := range q.regions {
		w.suffer(world.Fault{Kind: world.Blackout, Region: string(region)})
	}
	if !q.waits {
		inTime(t, q.name, 1, func() error { return q.ask(t.Context(), w) })
		return
	}
	started := time.Now()
	err := q.ask(within(t, 3*suspect), w)
	require.Less(t, time.Since(started), 3*suspect+2*time.Second, q.name)
	require.Contains(t, []cloud.Kind{cloud.NotYet, cloud.Unreachable}, cloud.KindOf(err), "%s: %v", q.name, err)
}

func (f *fixture) queries() []query {
	table, bucket := f.id("records", east, "table"), f.id("documents", west, "bucket")
	group, targets := f.id("web", west, "autoScalingGroup"), f.id("web", west, "targetGroup")
	lease := dynamodb.LeaseRef{Region: witness, Table: f.plan.Lease.Table, Application: f.plan.Application}
	return append(f.waits(), []query{
		{name: "DescribeGroup", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.autoscaling.DescribeGroup(ctx, autoscaling.GroupRef{Region: west, Group: group, Timeout: w.timeout})
			return err
		}},
		{name: "DescribeTargets", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.elb.DescribeTargets(ctx, elb.TargetsRef{Region: west, TargetGroup: targets, Timeout: w.timeout})
			return err
		}},
		{name: "DescribeLease", regions: []plan.Region{witness}, ask: func(ctx context.Context, w *worker) error {
			lease := lease
			lease.Timeout = w.timeout
			_, err := w.dynamodb.DescribeLease(ctx, lease)
			return err
		}},
		{name: "DescribeReplicas", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.dynamodb.DescribeReplicas(ctx, dynamodb.TableRef{Region: west, Table: table, Timeout: w.timeout})
			return err
		}},
		{name: "WriteTableWatermark", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			return w.dynamodb.WriteTableWatermark(ctx, dynamodb.TableWatermark{Region: west, Table: table, Timeout: w.timeout})
		}},
		{name: "MeasureTableLag", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.dynamodb.MeasureTableLag(ctx, dynamodb.TableLag{Region: west, Of: east, Table: table, Timeout: w.timeout})
			return err
		}},
		{name: "WriteBucketWatermark", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			return w.s3.WriteBucketWatermark(ctx, s3.BucketWatermark{Region: west, Bucket: bucket, Timeout: w.timeout})
		}},
		{name: "MeasureBucketLag", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.s3.MeasureBucketLag(ctx, s3.BucketLag{Region: west, Of: east, Bucket: bucket, Timeout: w.timeout})
			return err
		}},
		{name: "MeasureAuroraLag", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.cloudwatch.MeasureAuroraLag(ctx, cloudwatch.AuroraLag{Region: west, Cluster: f.id("billing", west, "cluster"), Timeout: w.timeout})
			return err
		}},
		{name: "MeasureHeadroom", regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.quotas.MeasureHeadroom(ctx, servicequotas.HeadroomRef{Region: west, Timeout: w.timeout})
			return err
		}},
		{name: "Notify", regions: []plan.Region{west, witness}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.sns.Notify(ctx, sns.Notification{
				Topics: f.plan.Notifications.Topics, Subject: "test", Message: "one Region is dark", Token: "t", Timeout: w.timeout,
			})
			return err
		}},
	}...)
}

// auroraQueries find the database at rest, the writer at home.
func (f *fixture) auroraQueries() []query {
	await := func(w *worker, target plan.Region) rds.AuroraAwait {
		return rds.AuroraAwait{
			Region: west, GlobalCluster: f.globalCluster(), TargetARN: f.cluster(target),
			Interval: 20 * time.Millisecond, Timeout: w.timeout,
		}
	}
	return []query{
		// Instances of a Region that is not asked are unknown, never zero.
		{name: "DescribeAurora", regions: []plan.Region{west}, tolerates: "rds:DescribeDBInstances", ask: func(ctx context.Context, w *worker) error {
			a, err := w.rds.DescribeAurora(ctx, rds.AuroraRef{Region: west, GlobalCluster: f.globalCluster(), Suspect: east, Timeout: w.timeout})
			for _, m := range a.Members {
				if m.Region == string(east) && m.Instances != -1 {
					return fmt.Errorf("the suspect Region was asked: %+v", m)
				}
			}
			return err
		}},
		{name: "AwaitAuroraWriter", waits: true, regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.rds.AwaitAuroraWriter(ctx, await(w, east))
			return err
		}},
		{name: "AwaitAuroraSynchronized", waits: true, regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.rds.AwaitAuroraSynchronized(ctx, await(w, west))
			return err
		}},
	}
}

// waits are the steps that look again and again.
func (f *fixture) waits() []query {
	table, tick := f.id("records", east, "table"), 20*time.Millisecond
	cmd := runbook.Command{Token: runbook.Token("steps", "waits")}
	from := s3.BucketRef{Region: east, Bucket: f.id("documents", east, "bucket")}
	to := s3.BucketRef{Region: west, Bucket: f.id("documents", west, "bucket")}
	return []query{
		{name: "AwaitTargets", waits: true, regions: []plan.Region{west}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.elb.AwaitTargets(ctx, elb.TargetsRef{Region: west, TargetGroup: f.id("web", west, "targetGroup"), Timeout: w.timeout})
			return err
		}},
		{name: "AwaitTableCaughtUp", waits: true, regions: []plan.Region{east}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.dynamodb.AwaitTableCaughtUp(ctx, dynamodb.TableCaughtUp{
				Command: cmd, From: east, To: west, Table: table, Interval: tick, Timeout: w.timeout,
			})
			return err
		}},
		{name: "AwaitBucketCaughtUp", waits: true, regions: []plan.Region{east}, ask: func(ctx context.Context, w *worker) error {
			_, err := w.s3.AwaitBucketCaughtUp(ctx, s3.BucketCaughtUp{Command: cmd, From: from, To: to, Interval: tick, Timeout: w.timeout})
			return err
		}},
	}
}
