package workflows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/workflows"
)

func TestApproval_FromStarterStrangerForgerOrTwice_IsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// dana, who starts, is an approver here too: being listed is not enough.
	w.plan.Approvals.Approvers = append(w.plan.Approvals.Approvers, w.plan.Approvals.Operators[0])
	verdicts := map[string]*verdict{}
	w.at(20*time.Second, func() {
		verdicts["starter"] = w.decide(w.decision("dana", true))
		verdicts["stranger"] = w.decide(w.decision("mallory", true))
		forged := w.decision("amara", true)
		forged.By = "bela"
		verdicts["forged"] = w.decide(forged)
		other := w.decision("amara", true)
		other.Nonce = "another"
		verdicts["other ballot"] = w.decide(w.sign(other))
	})
	w.at(21*time.Second, func() { verdicts["first"] = w.decide(w.decision("amara", true)) })
	w.at(22*time.Second, func() {
		again := w.decision("amara", true)
		again.Comment = "once more"
		verdicts["twice"] = w.decide(w.sign(again))
	})
	w.at(23*time.Second, func() { require.Equal(t, east, w.writer, "one approver, however often, is no quorum of two") })
	w.at(24*time.Second, func() { verdicts["second"] = w.decide(w.decision("bela", true)) })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))

	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.ErrorContains(t, verdicts["starter"].refused, runbook.ErrStarter.Error())
	require.ErrorContains(t, verdicts["stranger"].refused, runbook.ErrStranger.Error())
	require.ErrorContains(t, verdicts["forged"].refused, runbook.ErrSignature.Error())
	require.ErrorContains(t, verdicts["other ballot"].refused, runbook.ErrOtherBallot.Error())
	require.ErrorContains(t, verdicts["twice"].refused, runbook.ErrDuplicate.Error())
	require.NoError(t, verdicts["first"].refused)
	require.NoError(t, verdicts["second"].refused)
	require.Len(t, rep.Ballots[0].Decisions, 2)
}

func TestApproval_Rejected_PromotesNothingAndLeavesTrafficWhereItIsSafe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(40*time.Second, func() { w.decide(w.decision("amara", false)) })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))

	require.Equal(t, runbook.Refused, rep.Status)
	require.Equal(t, runbook.Rejected, rep.Ballots[0].Result)
	require.Equal(t, east, w.writer)
	require.Equal(t, east, w.holder, "the lease goes back: the fence was for a promotion that will not be")
	require.Equal(t, int64(3), w.epoch, "an epoch never falls")
	require.True(t, w.objects["evacuate/us-east-1"], "clients are not sent back into a dark Region")
	require.Contains(t, rep.Safe, "EvacuateByObject")
}

func TestApproval_Expired_IsAskedAnewAndTheOldOneIsWorthless(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	expiry := w.plan.Approvals.Expiry.D()
	var old runbook.Decision
	var late *verdict
	w.at(20*time.Second, func() { old = w.decision("amara", true) })
	w.at(expiry+30*time.Second, func() { late = w.decide(old) })
	w.approveAt(expiry+40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))

	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.ErrorContains(t, late.refused, runbook.ErrOtherBallot.Error())
	require.Len(t, rep.Ballots, 2)
	require.Equal(t, runbook.Lapsed, rep.Ballots[0].Result)
	require.NotEqual(t, rep.Ballots[0].Nonce, rep.Ballots[1].Nonce)
	require.Positive(t, rep.Ballots[0].Escalated, "silence was escalated before")
}

func TestApproval_QuorumReachedLate_PromotesOnlyThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := w.plan.Approvals.Expiry.D() - 20*time.Second
	w.approveAt(20*time.Second, "amara")
	w.at(late-time.Second, func() { require.Equal(t, east, w.writer) })
	w.approveAt(late, "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Len(t, rep.Ballots, 1)
	require.Equal(t, west, w.writer)
	require.Positive(t, w.pages("only 1 of 2 have decided"), "amara's vote is not hushed up while bela's is awaited")
	require.Zero(t, w.pages("nobody has decided"))
}

func TestApproval_SilencePreauthorised_ProceedsOnlyWithoutRisks(t *testing.T) {
	t.Parallel()
	for name, unmeasured := range map[string]bool{"no risk": false, "unmeasured loss": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.plan.Approvals.OnSilence = plan.Proceed
			if unmeasured {
				w.auroraAt = -1
				w.at(2*w.plan.Approvals.Expiry.D(), func() { w.order("dana", runbook.Abort, "") })
			}
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			if unmeasured {
				require.Equal(t, runbook.Aborted, rep.Status)
				require.Equal(t, east, w.writer, "silence names no risk")
				return
			}
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Equal(t, runbook.Preauthorised, rep.Ballots[0].Result)
		})
	}
}

func TestApproval_BySignal_IsJudgedByTheSameJudge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(20*time.Second, func() { w.env.SignalWorkflow(runbook.SignalDecide, w.decision("mallory", true)) })
	w.at(21*time.Second, func() { w.env.SignalWorkflow(runbook.SignalDecide, w.decision("amara", true)) })
	w.at(22*time.Second, func() { w.env.SignalWorkflow(runbook.SignalDecide, w.decision("bela", true)) })
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Len(t, rep.Ballots[0].Decisions, 2)
	require.Contains(t, texts(rep, "decision"), "refused: decision by \"mallory\" on approve: "+runbook.ErrStranger.Error())
}

func TestApproval_RiskNotNamed_IsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(*world)
		code string
	}{
		"fence unconfirmed":  {func(w *world) { w.leaseIn = false }, "fence-unconfirmed:billing"},
		"loss too large":     {func(w *world) { w.auroraAt = time.Minute }, "data-loss:billing"},
		"loss not measured":  {func(w *world) { w.auroraAt = -1 }, "data-loss:billing"},
		"plan without lease": {func(w *world) { w.plan.Lease = nil }, "fence-unconfirmed:billing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.make(w)
			var blind *verdict
			w.at(40*time.Second, func() {
				d := w.decision("amara", true)
				require.Contains(t, d.Acknowledge, c.code)
				d.Acknowledge = nil
				blind = w.decide(w.sign(d))
			})
			w.approveAt(50*time.Second, "amara", "bela")
			rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
			require.ErrorContains(t, blind.refused, runbook.ErrUnacknowledged.Error())
			require.ErrorContains(t, blind.refused, c.code)
			require.Equal(t, runbook.Done, rep.Status, rep.Summary)
			require.Equal(t, west, w.writer)
		})
	}
}

func TestApproval_RequiredForTraffic_HoldsItBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.plan.Approvals.Evacuate = "approval"
	w.at(20*time.Second, func() { require.Empty(t, only(w.effects(), "put")) })
	w.approveAt(30*time.Second, "amara", "bela")
	w.approveAt(90*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	require.Equal(t, runbook.Decide, rep.Ballots[0].Stage)
	require.Equal(t, w.zero.Add(31*time.Second), rep.Clocks.Decided.UTC())
}

func TestApproval_FloodOfSignals_DoesNotSwellTheReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.at(20*time.Second, func() {
		huge := w.decision("mallory", true)
		huge.By = strings.Repeat("m", 10_000)
		for range 200 {
			w.env.SignalWorkflow(runbook.SignalDecide, huge)
			w.env.SignalWorkflow(runbook.SignalDecide, w.decision("mallory", true))
		}
	})
	w.approveAt(40*time.Second, "amara", "bela")
	rep := w.play(workflows.FailoverName, w.start(runbook.Failover, east, west))
	require.Equal(t, runbook.Done, rep.Status, rep.Summary)
	told := texts(rep, "decision")
	require.Len(t, told, 20+1+2, "twenty refusals, a word on the rest, and two decisions")
	require.Less(t, len(strings.Join(told, "")), 5_000)
}
