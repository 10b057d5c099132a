package kinds

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/cloudwatch"
	"lifeline/activities/s3"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Prove demands versions on both sides, a rule for each way with nothing failed
// and no backlog, and fresh watermarks.
func (bucket) Prove(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	return beside(ctx,
		func(ctx workflow.Context) []runbook.CheckResult { return provePairs(ctx, p, r) },
		func(ctx workflow.Context) []runbook.CheckResult {
			return proveMarks(ctx, p, r, func(ctx workflow.Context, of, in plan.Region) (mark runbook.Watermark, err error) {
				var a *s3.Steps
				err = look(ctx, p, reading{
					name: "MeasureBucketLag", resource: r.Name, region: in, activity: a.MeasureBucketLag,
					in: s3.BucketLag{Region: in, Of: of, Bucket: r.Regions[in]["bucket"]}, out: &mark,
				})
				return mark, err
			})
		})
}

// provePairs reads each bucket, and for each rule what S3 measures of it.
func provePairs(ctx workflow.Context, p Player, r plan.Resource) []runbook.CheckResult {
	ways := waysOf(p.Move().Plan, r)
	return inEach(ctx, p, func(ctx workflow.Context, region plan.Region) []runbook.CheckResult {
		var a *s3.Ready
		var got s3.Pair
		name := r.Regions[region]["bucket"]
		err := look(ctx, p, reading{
			name: "DescribePair", resource: r.Name, region: region, activity: a.DescribePair,
			in: s3.BucketRef{Region: region, Bucket: name}, out: &got,
		})
		c := onData(r, "versioning/"+r.Name+"/"+string(region), "the bucket in "+string(region)+" keeps versions", "let setup switch versioning on: nothing is replicated without it")
		checks := one(decide(ctx, c, err, judgeVersioning(got), saw(ctx, region, "versioning of %s: %q", name, got.Versioning)))
		for _, w := range ways {
			if w.from == region {
				checks = append(checks, proveRule(ctx, p, r, w, pairRead{got, err})...)
			}
		}
		return checks
	})
}

func judgeVersioning(got s3.Pair) finding {
	if got.Versioning != "Enabled" {
		return red("versioning is not enabled, so nothing is replicated")
	}
	return green("versioning is enabled")
}

// pairRead is a bucket as it was read, or why it was not.
type pairRead struct {
	s3.Pair
	err error
}

// proveRule judges one direction of replication.
func proveRule(ctx workflow.Context, p Player, r plan.Resource, w way, pair pairRead) []runbook.CheckResult {
	to := r.Regions[w.to]["bucket"]
	got, err := pair.Pair, pair.err
	rule, f := judgeRule(got, to)
	c := onData(r, "replication/"+r.Name+"/"+string(w.from), fmt.Sprintf("a rule replicates the bucket of %s to %s", w.from, w.to), "let setup make the replication rule again")
	checks := one(decide(ctx, c, err, f, saw(ctx, w.from, "%d rules are on; to %s: %q", len(got.Rules), to, rule.ID)))
	backlog := onData(r, "backlog/"+r.Name+"/"+string(w.from), fmt.Sprintf("no object of %s failed to replicate, and none waits for long", w.from),
		"see why objects fail (keys, rights), mend it, and replicate them again by S3 Batch Replication")
	backlog.Command = "aws s3api get-bucket-replication --bucket " + r.Regions[w.from]["bucket"]
	if err != nil || rule.ID == "" || !rule.Metrics {
		return append(checks, decide(ctx, backlog, err, amber("replication is not measured: failures would go unseen"), saw(ctx, w.from, "metrics of rule %q are off", rule.ID)))
	}
	failed, pending, err := measureRule(ctx, p, r, w, rule)
	return append(checks, decide(ctx, backlog, err, judgeBacklog(failed, pending), saw(ctx, w.to, "of rule %s: %s, %s", rule.ID,
		seriesWords("failed in the last hour", failed, failed.Sum), seriesWords("pending at least, in the last quarter of an hour", pending, pending.Least))))
}

// judgeRule finds the rule to the other bucket.
func judgeRule(got s3.Pair, to string) (s3.Rule, finding) {
	var partial s3.Rule
	for _, rule := range got.Rules {
		switch {
		case rule.Destination != to:
		case rule.Partial:
			partial = rule
		default:
			return rule, green("rule %s replicates to %s", rule.ID, to)
		}
	}
	if partial.ID != "" {
		return partial, amber("rule %s replicates a part of the objects only", partial.ID)
	}
	return s3.Rule{}, red("no rule that is on replicates to %s", to)
}

// measureRule reads what S3 publishes of a rule, in the destination's Region.
func measureRule(ctx workflow.Context, p Player, r plan.Resource, w way, rule s3.Rule) (failed, pending cloudwatch.Series, err error) {
	var a *cloudwatch.Ready
	var got cloudwatch.Metrics
	of := map[string]string{"SourceBucket": r.Regions[w.from]["bucket"], "DestinationBucket": r.Regions[w.to]["bucket"], "RuleId": rule.ID}
	err = look(ctx, p, reading{
		name: "MeasureMetrics", resource: r.Name, region: w.to, activity: a.MeasureMetrics, out: &got,
		in: cloudwatch.MetricsRef{Region: w.to, Metrics: []cloudwatch.Metric{
			{Namespace: "AWS/S3", Name: "OperationsFailedReplication", Dimensions: of, Window: time.Hour},
			{Namespace: "AWS/S3", Name: "OperationsPendingReplication", Dimensions: of, Window: 15 * time.Minute},
		}},
	})
	if len(got.Series) == 2 {
		failed, pending = got.Series[0], got.Series[1]
	}
	return failed, pending, err
}

func judgeBacklog(failed, pending cloudwatch.Series) finding {
	switch {
	case failed.Sum > 0:
		return red("%.0f objects failed to replicate in the last hour: S3 does not try them again", failed.Sum)
	case pending.Found && pending.Least > 0:
		return amber("%.0f objects or more have waited all the last quarter of an hour", pending.Least)
	case !failed.Found:
		return green("S3 has published nothing in the last hour: nothing was replicated")
	}
	return green("nothing failed, and the queue runs empty")
}

func seriesWords(what string, s cloudwatch.Series, v float64) string {
	if !s.Found {
		return what + ": no datapoint"
	}
	return fmt.Sprintf("%s: %.0f", what, v)
}
