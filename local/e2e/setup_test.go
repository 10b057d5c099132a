package e2e_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/drs"
	"lifeline/local/aws/world"
	"lifeline/local/stack"
)

// bare starts everything on an estate that only has what the application
// brings with it. Its tests run one after the other: clients of the moves that
// run in parallel must not wait for estates that are built beside them.
func bare(t *testing.T, example string) *fixture {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "bin", "temporal-server"), "run make build first")
	dir := t.TempDir()
	s, err := stack.Start(t.Context(), stack.Options{
		Dir: dir, Bin: filepath.Join(root, "bin"), Plan: filepath.Join(root, "examples", example),
		Setup: 600, Say: t.Logf, Logger: slog.New(slog.DiscardHandler), Bare: true,
	})
	require.NoError(t, err)
	f := &fixture{Stack: s, t: t, ledger: filepath.Join(dir, "ledger.jsonl")}
	t.Cleanup(func() {
		if t.Failed() {
			f.keepLogs(filepath.Join(dir, "logs"), filepath.Join(root, "out", "e2e", t.Name()))
		}
		s.Close()
	})
	return f
}

const builder = "worker-setup"

// changes are the mutating calls of the setup worker since a moment.
func (f *fixture) changes(since time.Time) []world.CallRecord {
	f.t.Helper()
	calls, err := f.Control.Calls(f.t.Context(), since)
	require.NoError(f.t, err)
	var out []world.CallRecord
	for _, c := range calls {
		if c.Mutating && c.Caller == stack.AccessKey(builder) {
			out = append(out, c)
		}
	}
	return out
}

// setup runs setup to its end.
func (f *fixture) setup() runbook.Report {
	f.t.Helper()
	a := f.starter(0, "setup", "-f", f.PlanFile, "--as", "dana", "--wait", "-o", "json")
	return f.estateOf(a.Stdout)
}

// settled runs setup until nothing waits: what archives old objects is made only
// when they have been copied.
func (f *fixture) settled() {
	f.t.Helper()
	f.eventually(3*time.Minute, "nothing waits any more", func() bool { return f.setup().Estate.Count(runbook.Blocked) == 0 })
}

func (f *fixture) estateOf(text string) runbook.Report {
	f.t.Helper()
	var rep runbook.Report
	require.NoError(f.t, json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &rep))
	require.NotNil(f.t, rep.Estate)
	return rep
}

// TestSetup_WorkerKilledAgainAndAgain_SameEndStateAndNothingTwice kills the
// worker that builds, at moments spread over the whole run. Everything is in
// place in the end, once, and a further run changes nothing.
func TestSetup_WorkerKilledAgainAndAgain_SameEndStateAndNothingTwice(t *testing.T) {
	f := bare(t, "patient-records.yaml")
	begun := time.Now()
	p, err := f.Run("starter-setup", "starter", "setup", "-f", f.PlanFile, "--as", "dana", "--wait", "-o", "json")
	require.NoError(t, err)
	for _, after := range []int{3, 20, 45, 70} {
		f.eventually(5*time.Minute, "setup changes something", func() bool {
			ended, _ := p.Ended()
			return ended || len(f.changes(begun)) >= after
		})
		_, err := f.Process(builder).Kill()
		require.NoError(t, err)
		require.NoError(t, f.Launch(t.Context(), builder))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	code, output, err := p.Wait(ctx)
	require.NoError(t, err)
	require.Zero(t, code, output)

	f.settled()
	again := time.Now()
	rep := f.setup()
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Zero(t, rep.Estate.Count(runbook.Created, runbook.Changed, runbook.Blocked, runbook.Missing, runbook.Unkept, runbook.Unavailable), rep.Summary)
	require.Positive(t, rep.Estate.Count(runbook.InPlace))
	require.Empty(t, f.changes(again), "a second run makes no mutating call")
	f.requireOnce()
}

// requireOnce looks at AWS itself for what has no name that AWS keeps unique.
func (f *fixture) requireOnce() {
	f.t.Helper()
	in := func(region plan.Region) aws.Config {
		c := f.AWS("auditor")
		c.Region = string(region)
		return c
	}
	home := f.Plan.Primary()
	checks, err := route53.NewFromConfig(in(home)).ListHealthChecks(f.t.Context(), &route53.ListHealthChecksInput{})
	require.NoError(f.t, err)
	require.Len(f.t, checks.HealthChecks, len(f.Plan.Tree().Checks))
	plans, err := backup.NewFromConfig(in(home)).ListBackupPlans(f.t.Context(), &backup.ListBackupPlansInput{})
	require.NoError(f.t, err)
	require.Len(f.t, plans.BackupPlansList, 1)
	for _, region := range f.Plan.TrafficRegions() {
		keys, err := kms.NewFromConfig(in(region)).ListKeys(f.t.Context(), &kms.ListKeysInput{})
		require.NoError(f.t, err)
		aliases, err := kms.NewFromConfig(in(region)).ListAliases(f.t.Context(), &kms.ListAliasesInput{})
		require.NoError(f.t, err)
		customers := 0
		for _, k := range keys.Keys {
			d, err := kms.NewFromConfig(in(region)).DescribeKey(f.t.Context(), &kms.DescribeKeyInput{KeyId: k.KeyId})
			require.NoError(f.t, err)
			if d.KeyMetadata.KeyManager == "CUSTOMER" {
				customers++
			}
		}
		require.Equal(f.t, 1, customers, "keys of %s: %v", region, aliases.Aliases)
	}
}

// TestSetup_Throttled_AndAnswersLost_SameEndState refuses three calls of ten, and
// swallows one answer of ten after the act.
func TestSetup_Throttled_AndAnswersLost_SameEndState(t *testing.T) {
	f := bare(t, "patient-records.yaml")
	var ids []string
	for _, fault := range []world.Fault{
		{Kind: world.Throttle, Caller: stack.AccessKey(builder), Probability: 0.3},
		{Kind: world.LoseAnswer, Caller: stack.AccessKey(builder), Probability: 0.1},
	} {
		id, err := f.Control.Inject(t.Context(), fault)
		require.NoError(t, err)
		ids = append(ids, id)
	}
	f.setup()
	for _, id := range ids {
		require.NoError(t, f.Control.Remove(t.Context(), id))
	}
	f.settled()
	again := time.Now()
	rep := f.setup()
	require.Zero(t, rep.Estate.Count(runbook.Created, runbook.Changed, runbook.Blocked), rep.Summary)
	require.Empty(t, f.changes(again))
	f.requireOnce()
}

// TestSetup_Imaging_ServersComeLast tells the order of life with Elastic DR:
// setup readies the service and names the server that no agent has registered;
// the agent is installed; setup ends its work. Two people allow the lock that
// nobody can lift.
func TestSetup_Imaging_ServersComeLast(t *testing.T) {
	f := bare(t, "imaging.yaml")
	p, err := f.Run("starter-setup", "starter", "setup", "-f", f.PlanFile, "--as", "dana", "--wait", "-o", "json")
	require.NoError(t, err)
	for _, name := range []string{"amara", "bela"} {
		var rep runbook.Report
		f.eventually(5*time.Minute, "setup asks about the lock", func() bool {
			a, err := f.Starter(t.Context(), "status", "-f", f.PlanFile, "--of", "setup", "-o", "json")
			return err == nil && a.Code == 0 && json.Unmarshal([]byte(a.Stdout), &rep) == nil && rep.Ballot() != nil
		})
		require.Contains(t, rep.Ballot().Risks[0].Text, "lock")
		f.starter(0, "approve", "-f", f.PlanFile, "--of", "setup", "--as", name, "--acknowledge", rep.Ballot().Risks[0].Code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	code, output, err := p.Wait(ctx)
	require.NoError(t, err)
	require.Equal(t, 1, code, output)
	require.Contains(t, output, "drs-source-server/us-west-2/s-")

	id, err := f.Control.Install(t.Context(), "us-west-2", drs.Server{Hostname: "archive-1", OS: "Amazon Linux 2023", OriginRegion: "us-east-1"})
	require.NoError(t, err)
	f.rename("archive-server", "us-west-2", "sourceServer", id)
	rep := f.setup()
	require.Zero(t, rep.Estate.Count(runbook.Missing, runbook.Unkept), rep.Summary)
	f.settled()
	again := time.Now()
	rep = f.setup()
	require.Zero(t, rep.Estate.Count(runbook.Created, runbook.Changed), rep.Summary)
	require.Empty(t, f.changes(again))
}

// rename puts what AWS has named into the plan, and starts the builder with it.
func (f *fixture) rename(resource string, region plan.Region, key, id string) {
	f.t.Helper()
	for _, r := range f.Plan.Resources {
		if r.Name == resource {
			r.Regions[region][key] = id
		}
	}
	require.NoError(f.t, f.Adopt(f.Plan))
	_, err := f.Process(builder).Kill()
	require.NoError(f.t, err)
	require.NoError(f.t, f.Launch(f.t.Context(), builder))
}
