package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/runbook"
	"lifeline/local/stack"
)

// SetupSummary is what the demo saw of setup and readiness. The mutating calls
// are counted in AWS's call log, and not in the run's report.
type SetupSummary struct {
	Items               int     `json:"items"`
	Created             int     `json:"created"`
	Seconds             float64 `json:"seconds"`
	SecondRunMutations  int     `json:"second_run_mutations"`
	ReadyScore          int     `json:"ready_score"`
	Ready               bool    `json:"ready_after_setup"`
	RedWhenBroken       bool    `json:"red_when_broken"`
	ReadyAfterTheRepair bool    `json:"ready_after_repair"`
}

// protect builds what recovery relies on, on an estate that has none of it: the
// difference first, then the act, then a second run that has nothing to do.
func (s *story) protect(ctx context.Context) error {
	preview, err := s.setup(ctx, "preview", "setup")
	if err != nil {
		return err
	}
	s.say("preview: %s", preview.Summary)
	begun := time.Now()
	// What waits for a copy of old objects is made by a later run, as in life.
	for waiting := 1; waiting > 0; {
		run, err := s.setup(ctx, "setup", "--wait")
		if err != nil {
			return err
		}
		waiting = run.Estate.Count(runbook.Blocked)
		s.built.Created += run.Estate.Count(runbook.Created)
		s.built.Items, s.built.Seconds = items(run), time.Since(begun).Seconds()
		s.say("%s, in %.0f s", run.Summary, s.built.Seconds)
	}
	again := time.Now()
	second, err := s.setup(ctx, "setup", "--wait")
	if err != nil {
		return err
	}
	s.built.SecondRunMutations, err = s.mutations(ctx, again)
	if err != nil {
		return err
	}
	s.say("a second run: %d items in place, %d mutating calls in AWS's log", second.Estate.Count(runbook.InPlace), s.built.SecondRunMutations)
	return s.stack.Open(ctx)
}

func items(r runbook.Report) int {
	n := 0
	for _, a := range r.Estate.Areas {
		n += a.Items
	}
	return n
}

// setup types one command of setup and reads its report.
func (s *story) setup(ctx context.Context, words ...string) (runbook.Report, error) {
	var rep runbook.Report
	args := append(words, "-f", s.stack.PlanFile, "--as", "dana", "-o", "json")
	s.say("dana types: starter %s -f PLAN --as dana", strings.Join(words, " "))
	a, err := s.stack.Starter(ctx, args...)
	if err != nil {
		return rep, err
	}
	if a.Code != 0 {
		return rep, fmt.Errorf("starter %s: exit %d: %s", strings.Join(words, " "), a.Code, a.Stderr+a.Stdout)
	}
	// The answer is the last JSON value: progress may stand before it.
	if err := json.Unmarshal([]byte(a.Stdout[strings.Index(a.Stdout, "{"):]), &rep); err != nil {
		return rep, fmt.Errorf("starter %s: %w", strings.Join(words, " "), err)
	}
	if rep.Estate == nil {
		return rep, fmt.Errorf("starter %s: no estate in the report", strings.Join(words, " "))
	}
	return rep, nil
}

// mutations counts what the setup worker has changed since, by AWS's call log.
func (s *story) mutations(ctx context.Context, since time.Time) (int, error) {
	calls, err := s.stack.Control.Calls(ctx, since)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, c := range calls {
		if c.Mutating && c.Caller == stack.AccessKey("worker-setup") {
			n++
		}
	}
	return n, nil
}

// ready proves readiness, breaks something by hand as people do in a console,
// sees readiness turn red, and lets setup mend it.
func (s *story) ready(ctx context.Context) error {
	before, err := s.provenUntil(ctx, func(r runbook.ReadinessReport) bool { return r.Ready })
	if err != nil {
		return err
	}
	s.built.Ready, s.built.ReadyScore = before.Ready, before.Score
	s.say("readiness: %s", before.Summary)
	if err := s.breakRecord(ctx); err != nil {
		return err
	}
	broken, err := s.proven(ctx)
	if err != nil {
		return err
	}
	for _, c := range broken.Checks {
		if c.Grade == runbook.Red {
			s.say("RED: %s: %s", c.Title, c.Why)
		}
	}
	s.built.RedWhenBroken = !broken.Ready
	repair, err := s.setup(ctx, "setup", "--wait")
	if err != nil {
		return err
	}
	s.say("%s", repair.Summary)
	after, err := s.provenUntil(ctx, func(r runbook.ReadinessReport) bool { return r.Ready })
	if err != nil {
		return err
	}
	s.built.ReadyAfterTheRepair = after.Ready
	s.say("readiness: %s", after.Summary)
	return nil
}

// provenUntil proves again while watermarks and health checks settle.
func (s *story) provenUntil(ctx context.Context, enough func(runbook.ReadinessReport) bool) (runbook.ReadinessReport, error) {
	var last runbook.ReadinessReport
	err := until(ctx, 2*time.Minute, "readiness", func() (bool, error) {
		var err error
		last, err = s.proven(ctx)
		return err == nil && enough(last), err
	})
	if err != nil && last.Summary != "" {
		err = fmt.Errorf("%w\n%s", err, last.Summary)
	}
	return last, err
}

// proven types starter readiness and reads its answer; "not ready" is an answer.
func (s *story) proven(ctx context.Context) (runbook.ReadinessReport, error) {
	var rep runbook.ReadinessReport
	a, err := s.stack.Starter(ctx, "readiness", "-f", s.stack.PlanFile, "-o", "json")
	if err != nil {
		return rep, err
	}
	if a.Code != 0 && a.Code != notReady {
		return rep, fmt.Errorf("starter readiness: exit %d: %s", a.Code, a.Stderr)
	}
	if err := json.Unmarshal([]byte(a.Stdout), &rep); err != nil {
		return rep, fmt.Errorf("starter readiness: %w", err)
	}
	return rep, nil
}

// notReady is starter's exit code for a check that is red or unknown.
const notReady = 4

// breakRecord deletes the record that leads one location to the other Region, as
// a tired person might: nobody notices until the day of the outage.
func (s *story) breakRecord(ctx context.Context) error {
	api := route53.NewFromConfig(s.stack.AWS("console"))
	zones, err := api.ListHostedZonesByName(ctx, &route53.ListHostedZonesByNameInput{DNSName: aws.String(s.stack.Plan.Traffic.Zone)})
	if err != nil || len(zones.HostedZones) == 0 {
		return fmt.Errorf("find the hosted zone: %w", err)
	}
	zone := zones.HostedZones[0].Id
	sets, err := api.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: zone})
	if err != nil {
		return fmt.Errorf("list records: %w", err)
	}
	for _, set := range sets.ResourceRecordSets {
		if set.Failover != r53.ResourceRecordSetFailoverSecondary || !strings.HasPrefix(aws.ToString(set.Name), "geo-europe.") {
			continue
		}
		_, err := api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{
			HostedZoneId: zone, ChangeBatch: &r53.ChangeBatch{Changes: []r53.Change{{Action: r53.ChangeActionDelete, ResourceRecordSet: &set}}},
		})
		if err != nil {
			return fmt.Errorf("delete a record: %w", err)
		}
		s.say("somebody deletes %s (%s) in the console: Europe has nowhere to go", aws.ToString(set.Name), aws.ToString(set.SetIdentifier))
		return nil
	}
	return fmt.Errorf("the record tree has no failover record of Europe to break")
}
