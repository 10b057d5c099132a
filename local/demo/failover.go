package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"golang.org/x/sync/errgroup"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
)

// failover starts the runbook as the on-call engineer does, kills workers in
// the middle of it, and approves as two people do.
func (s *story) failover(parent context.Context) error {
	g, ctx := errgroup.WithContext(parent)
	lease := s.stack.Plan.Lease
	fault := world.Fault{Service: "dynamodb", Operation: "UpdateItem", Region: string(lease.Region)}
	g.Go(func() error { return s.killInStep(ctx, "FenceLease", fault, s.leaseMoved) })
	g.Go(func() error {
		run, err := s.begin("failover", s.from, s.to)
		if err != nil {
			return err
		}
		if err := s.decideUnderFire(ctx, run); err != nil {
			return err
		}
		promote := world.Fault{Service: "rds", Operation: "FailoverGlobalCluster", Region: s.to}
		return s.finish(ctx, runbook.Failover, run, func(ctx context.Context) error {
			if err := s.killInStep(ctx, "FailoverAurora", promote, s.promotionBegun); err != nil {
				return err
			}
			return nil
		})
	})
	if err := g.Wait(); err != nil {
		return err
	}
	var err error
	s.survivor, err = s.audit(parent, s.stack.Plan.TrafficRegions()[1], s.dark)
	if err == nil {
		s.say("%s holds %d of the writes acknowledged before the outage", s.to, s.survivor.Present)
	}
	return err
}

// begin starts a runbook and follows it in the background.
func (s *story) begin(verb, from, to string) (awaited, error) {
	s.say("dana types: starter %s -f PLAN --from %s --to %s --as dana --wait", verb, from, to)
	return s.stack.Run("starter-"+verb, "starter", verb, "-f", s.stack.PlanFile, "--from", from, "--to", to, "--as", "dana", "--wait")
}

// awaited is a command that runs in the background.
type awaited interface {
	Wait(ctx context.Context) (code int, output string, err error)
	Ended() (ended bool, why string)
}

// finish approves by the second person, lets fire have its way, and waits for
// the end of the run.
func (s *story) finish(ctx context.Context, name runbook.Name, run awaited, fire func(context.Context) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return fire(gctx) })
	g.Go(func() error { return s.approve(gctx, run, "bela") })
	if err := g.Wait(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, runPatience)
	defer cancel()
	code, output, err := run.Wait(ctx)
	if err != nil {
		return err
	}
	if code != 0 {
		return fmt.Errorf("%s ended with exit code %d:\n%s", name, code, output)
	}
	rep, err := s.status(ctx)
	if err != nil {
		return err
	}
	s.runs[name] = rep
	s.say("%s", rep.Summary)
	return nil
}

// runPatience bounds a whole runbook in the demo.
const runPatience = 15 * time.Minute

// asked waits until the run asks for approval. A run that has ended asks no more.
func (s *story) asked(ctx context.Context, run awaited) (runbook.Report, error) {
	var rep runbook.Report
	over := ""
	err := until(ctx, 10*time.Minute, "approval is asked for", func() (bool, error) {
		if ended, why := run.Ended(); ended {
			over = why
			return true, nil
		}
		var err error
		rep, err = s.status(ctx)
		return err == nil && rep.Ballot() != nil, err
	})
	if over != "" {
		return rep, fmt.Errorf("the run ended without asking: %s", over)
	}
	return rep, err
}

// decideUnderFire shows who may not approve, kills the worker that waits, and
// lets the first approver decide meanwhile: the decision must not be lost.
func (s *story) decideUnderFire(ctx context.Context, run awaited) error {
	rep, err := s.asked(ctx, run)
	if err != nil {
		return err
	}
	s.say("people are asked: %s", rep.Ballot().Question)
	a, err := s.stack.Starter(ctx, "approve", "-f", s.stack.PlanFile, "--as", "dana")
	if err != nil {
		return err
	}
	if a.Code == 0 {
		return fmt.Errorf("dana, who started the run, could approve it:\n%s", a.Stdout)
	}
	s.say("dana can't approve her own run: exit %d, %s", a.Code, firstLine(a.Stderr))
	at, err := s.killWaiting(ctx)
	if err != nil {
		return err
	}
	if err := s.approve(ctx, run, "amara"); err != nil {
		return err
	}
	kill := &s.kills[len(s.kills)-1]
	kill.Cost = time.Since(at)
	s.say("the run heard amara %.1f s after its worker was killed", kill.Cost.Seconds())
	return s.stack.Launch(ctx, kill.Worker)
}

// approve is one person who names every risk that is shown.
func (s *story) approve(ctx context.Context, run awaited, name string) error {
	rep, err := s.asked(ctx, run)
	if err != nil {
		return err
	}
	args := []string{"approve", "-f", s.stack.PlanFile, "--as", name, "--comment", "seen on the bridge call"}
	for _, risk := range rep.Ballot().Risks {
		args = append(args, "--acknowledge", risk.Code)
	}
	a, err := s.stack.Starter(ctx, args...)
	if err != nil {
		return err
	}
	if a.Code != 0 {
		return fmt.Errorf("%s approves: exit %d: %s", name, a.Code, a.Stderr)
	}
	s.say("%s approves %s", name, rep.Ballot().Stage)
	return nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// leaseMoved reads the lease table as anybody could.
func (s *story) leaseMoved(ctx context.Context) (bool, error) {
	lease := s.stack.Plan.Lease
	cfg := s.stack.AWS("demo")
	cfg.Region = string(lease.Region)
	out, err := dynamodb.NewFromConfig(cfg).GetItem(ctx, &dynamodb.GetItemInput{
		TableName: aws.String(lease.Table), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"application": &types.AttributeValueMemberS{Value: s.stack.Plan.Application}},
	})
	if err != nil {
		return false, err
	}
	holder, ok := out.Item["holder"].(*types.AttributeValueMemberS)
	return ok && holder.Value == s.to, nil
}

// promotionBegun reads the global cluster in the surviving Region.
func (s *story) promotionBegun(ctx context.Context) (bool, error) {
	cfg := s.stack.AWS("demo")
	cfg.Region = s.to
	for _, r := range s.stack.Plan.Resources {
		if r.Kind != plan.AuroraGlobal {
			continue
		}
		out, err := rds.NewFromConfig(cfg).DescribeGlobalClusters(ctx, &rds.DescribeGlobalClustersInput{GlobalClusterIdentifier: aws.String(r.Global["globalCluster"])})
		if err != nil || len(out.GlobalClusters) == 0 {
			return false, err
		}
		return out.GlobalClusters[0].FailoverState != nil, nil
	}
	return false, fmt.Errorf("the plan has no Aurora global database")
}

// failback brings everything home; nothing may be lost on the way.
func (s *story) failback(ctx context.Context) error {
	s.mark("failback begins")
	run, err := s.begin("failback", s.to, s.from)
	if err != nil {
		return err
	}
	if err := s.approve(ctx, run, "chidi"); err != nil {
		return err
	}
	err = s.finish(ctx, runbook.Failback, run, func(context.Context) error { return nil })
	s.mark("failback ends")
	return err
}
