package estate

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"lifeline/internal/plan"
)

// Builder builds one plan's estate.
type Builder struct {
	// Plan is what is built. The ARNs and addresses of routing controls, and the
	// ids of volumes, are AWS's to give: afterwards the plan holds the real ones.
	Plan plan.Plan
	// Config is the AWS configuration; the Region is set at each call.
	Config aws.Config
	Logger *slog.Logger
	// Patience bounds the wait for anything that AWS takes time for.
	Patience time.Duration

	elbNames map[plan.Region]string // load balancer DNS names, by Region
	checks   map[string]string      // health check ids, by name in the tree
	controls *plan.Switch           // as AWS made it; nil without routing controls
}

// step is what is built at one time, side by side.
type step struct {
	what string
	do   []func(context.Context) error
}

// Given makes what an application brings with it and setup only protects: its
// tables, clusters and instances in the primary Region, and compute in both.
func (b *Builder) Given(ctx context.Context) error {
	return b.play(ctx, []step{
		{"tables and databases of the primary Region", []func(context.Context) error{b.homeTables, b.homeClusters, b.homeInstances, b.volumes, b.staging}},
		{"compute in both Regions", []func(context.Context) error{b.compute}},
	})
}

// Serve lets an application take up its work on what setup has made: its first
// lease, and targets that are healthy.
func (b *Builder) Serve(ctx context.Context) error {
	return b.play(ctx, []step{
		{"first write lease", []func(context.Context) error{b.firstLease}},
		{"healthy targets", []func(context.Context) error{b.awaitTargets}},
	})
}

// Build makes everything and waits until it can serve. What does not depend on
// each other is built side by side.
func (b *Builder) Build(ctx context.Context) error {
	return b.play(ctx, []step{
		{"tables, clusters, buckets and topics", []func(context.Context) error{b.tables, b.lease, b.aurora, b.buckets, b.switchBuckets, b.topics, b.routingControls}},
		{"plan of what was made", []func(context.Context) error{b.adoptControls}},
		{"compute in both Regions", []func(context.Context) error{b.compute}},
		{"record tree and health checks", []func(context.Context) error{b.records}},
		{"healthy targets", []func(context.Context) error{b.awaitTargets}},
	})
}

func (b *Builder) play(ctx context.Context, steps []step) error {
	ctx, cancel := context.WithTimeout(ctx, b.Patience)
	defer cancel()
	for _, s := range steps {
		b.Logger.InfoContext(ctx, "building", "what", s.what)
		g, gctx := errgroup.WithContext(ctx)
		for _, do := range s.do {
			g.Go(func() error { return do(gctx) })
		}
		if err := g.Wait(); err != nil {
			return fmt.Errorf("build %s: %w", s.what, err)
		}
	}
	return nil
}

func (b *Builder) in(region plan.Region) aws.Config {
	cfg := b.Config.Copy()
	cfg.Region = string(region)
	return cfg
}

// await polls ready until it says true; AWS has no push for these states.
func await(ctx context.Context, what string, ready func(context.Context) (bool, error)) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := ready(ctx)
		if err == nil && ok {
			return nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = ctx.Err()
			}
			return fmt.Errorf("await %s: %w", what, err)
		case <-tick.C:
		}
	}
}
