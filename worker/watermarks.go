package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lifeline/activities/dynamodb"
	"lifeline/activities/s3"
	"lifeline/internal/plan"
)

// mark writes one watermark.
type mark struct {
	resource string
	write    func(context.Context) error
}

// marksOf lists the watermarks of a Region: one for each store of the plan whose
// replication has no better measure. Aurora tells its lag itself.
func marksOf(p plan.Plan, region plan.Region, s steps) []mark {
	var out []mark
	timeout := markTimeout(p)
	for _, r := range p.Resources {
		ids, here := r.Regions[region]
		if !here {
			continue
		}
		switch r.Kind {
		case plan.DynamoDBTable:
			in := dynamodb.TableWatermark{Region: region, Table: ids["table"], Timeout: timeout}
			out = append(out, mark{r.Name, func(ctx context.Context) error { return s.tables.WriteTableWatermark(ctx, in) }})
		case plan.S3Bucket:
			in := s3.BucketWatermark{Region: region, Bucket: ids["bucket"], Timeout: timeout}
			out = append(out, mark{r.Name, func(ctx context.Context) error { return s.buckets.WriteBucketWatermark(ctx, in) }})
		case plan.AuroraGlobal, plan.Service, plan.RDSInstance, plan.EBSVolume, plan.DRSServer:
		}
	}
	return out
}

// markTimeout bounds one write, so that a hanging store delays its next mark by
// little.
func markTimeout(p plan.Plan) time.Duration {
	return max(p.Failover.Watermarks.D(), 2*time.Second)
}

// keepMarking writes all marks at every tick until ctx ends. Each store has its
// own loop: one that hangs must not age the marks of the others.
func keepMarking(ctx context.Context, marks []mark, every time.Duration, log *slog.Logger) {
	var loops sync.WaitGroup
	for _, m := range marks {
		loops.Go(func() {
			tick := time.NewTicker(every)
			defer tick.Stop()
			m.keep(ctx, tick.C, log.With("resource", m.resource))
		})
	}
	loops.Wait()
}

// keep writes a mark at every tick and logs only when that begins or ceases to
// work: a dark Region would fill the log otherwise.
func (m mark) keep(ctx context.Context, ticks <-chan time.Time, log *slog.Logger) {
	broken := false
	for {
		err := m.write(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !broken:
			log.WarnContext(ctx, "watermark was not written; data loss can't be measured while this lasts", "error", err)
		case err == nil && broken:
			log.InfoContext(ctx, "watermarks are written again")
		}
		broken = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		}
	}
}
