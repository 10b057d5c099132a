package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
	"lifeline/local/aws/probe"
)

// Summary is out/demo/summary.json: what was measured from the outside, beside
// what the run says of itself. Times are seconds.
type Summary struct {
	TimeCompression  float64            `json:"time_compression"`
	ClientRTO        float64            `json:"client_rto_s"`
	ClientRTOByKind  map[string]float64 `json:"client_rto_by_kind_s"`
	ClientRPO        float64            `json:"client_rpo_s"`
	AckedWrites      int                `json:"acked_writes"`
	LostWrites       int                `json:"lost_writes"`
	LostOutsideLag   int                `json:"lost_writes_outside_measured_lag"`
	TwoWriters       float64            `json:"two_writers_s"`
	Detect           float64            `json:"detect_s"`
	Decide           float64            `json:"decide_s"`
	Execute          float64            `json:"execute_s"`
	OwnRTO           float64            `json:"own_rto_s"`
	PredictedFloor   float64            `json:"predicted_floor_s"`
	WorkerKills      int                `json:"worker_kills"`
	KillCost         float64            `json:"kill_cost_s"`
	DuplicateEffects int                `json:"duplicate_effects"`
	FailbackDowntime float64            `json:"failback_downtime_s"`
	FailbackByKind   map[string]float64 `json:"failback_downtime_by_kind_s"`
	FailbackLost     int                `json:"failback_lost_writes"`
	LostForGood      int                `json:"lost_for_good"` // still missing after replication had caught up
	Unaudited        int                `json:"unaudited_writes"`
	ProbeInterval    float64            `json:"probe_interval_s"`
	MeasuredWindows  map[string]float64 `json:"measured_loss_window_s"`
	Setup            SetupSummary       `json:"setup"`
	Promises         map[string]bool    `json:"promises"`
	FenceResult      string             `json:"fence"`
	FailoverStarted  time.Time          `json:"failover_started"`
	BlackoutAt       time.Time          `json:"blackout_at"`
}

// measure stops the clients, audits every acknowledged write, and holds what was
// promised against it.
func (s *story) measure(ctx context.Context) error {
	if err := s.settled(ctx); err != nil {
		return err
	}
	s.probe.Interrupt()
	lines, err := probe.ReadLedger(s.ledger())
	if err != nil {
		return err
	}
	final, err := s.finalAudit(ctx, lines)
	if err != nil {
		return err
	}
	calls, err := s.stack.Control.Calls(ctx, s.begun)
	if err != nil {
		return err
	}
	windows := []probe.Window{{Name: "failback", From: s.at("failback begins"), To: s.at("failback ends")}}
	marks := probe.Marks{Failed: s.dark, Windows: windows}
	during, after := probe.Summarise(lines, s.survivor, marks), probe.Summarise(lines, final, marks)
	sum := s.summary(during, after, lines)
	sum.DuplicateEffects = duplicates(calls, s.dark, s.healed) + duplicates(calls, s.healed, time.Now())
	sum.Promises = promises(sum)
	if err := s.write(sum, lines); err != nil {
		return err
	}
	return s.verdict(sum)
}

// finalAudit looks for every acknowledged write at home. What was written in the
// other Region within the last moments may still be on its way, so it looks
// again until nothing more arrives.
func (s *story) finalAudit(ctx context.Context, lines []probe.Line) (probe.AuditResult, error) {
	var last probe.AuditResult
	missing, same := -1, 0
	err := until(ctx, 2*time.Minute, "replication is quiet", func() (bool, error) {
		audit, err := s.audit(ctx, s.stack.Plan.Primary(), time.Now())
		if err != nil {
			return false, err
		}
		same++
		if n := len(audit.Lost(lines)); n != missing {
			missing, same = n, 0
		}
		last = audit
		return missing == 0 || same >= quietAudits, nil
	})
	return last, err
}

// quietAudits is how often in a row an audit must find the same: each takes
// longer than replication lags.
const quietAudits = 10

// settled waits until every client has been served for a while at home.
func (s *story) settled(ctx context.Context) error {
	return until(ctx, time.Minute, "every client is served at home", func() (bool, error) {
		sound, err := s.soundSince(time.Now().Add(-5 * time.Second))
		if err != nil {
			return false, nil //nolint:nilerr // an attempt failed within the last seconds: not yet
		}
		return sound, nil
	})
}

func (s *story) at(text string) time.Time {
	for _, m := range s.marks {
		if m.Text == text {
			return m.At
		}
	}
	return time.Time{}
}

func (s *story) summary(during, after probe.Summary, lines []probe.Line) Summary {
	run := s.runs[runbook.Failover]
	sum := Summary{
		TimeCompression: 1, ClientRTO: during.ClientRTO[probe.Record], ClientRTOByKind: map[string]float64{}, FailbackByKind: map[string]float64{},
		TwoWriters: after.TwoWritersSeconds, Detect: run.Spans.Detect.Seconds(), Decide: run.Spans.Decide.Seconds(), Execute: run.Spans.Execute.Seconds(),
		OwnRTO: run.Spans.RTO().Seconds(), PredictedFloor: s.stack.Plan.PredictedFloor().Seconds(), WorkerKills: len(s.kills),
		ProbeInterval: probeInterval.Seconds(), MeasuredWindows: map[string]float64{}, FenceResult: string(run.Fence),
		FailoverStarted: run.Started, BlackoutAt: s.dark, Setup: s.built,
	}
	for _, k := range s.kills {
		sum.KillCost = max(sum.KillCost, k.Cost.Seconds())
	}
	for kind := range after.Recoveries {
		sum.ClientRTOByKind[string(kind)] = during.ClientRTO[kind]
		sum.ClientRPO = max(sum.ClientRPO, during.ClientRPO[kind])
		sum.AckedWrites += after.AckedWrites[kind]
		sum.LostWrites += during.LostWrites[kind]
		sum.LostForGood += after.LostWrites[kind]
		sum.Unaudited += after.UnauditedWrites[kind]
	}
	for _, w := range after.Windows {
		for kind, down := range w.DowntimeSeconds {
			sum.FailbackByKind[string(kind)] = down
			sum.FailbackDowntime = max(sum.FailbackDowntime, down)
			sum.FailbackLost += w.LostWrites[kind]
		}
	}
	for _, l := range run.Losses {
		sum.MeasuredWindows[l.Resource] = l.Window.Seconds()
	}
	sum.LostOutsideLag = s.outsideLag(lines, run.Losses)
	return sum
}

// outsideLag counts lost writes that are older, at the failure, than the run
// said could be lost.
func (s *story) outsideLag(lines []probe.Line, losses []runbook.Loss) int {
	window := map[probe.Kind]time.Duration{}
	for _, loss := range losses {
		res, _ := s.stack.Plan.Resource(loss.Resource)
		switch res.Kind {
		case plan.DynamoDBTable:
			window[probe.Record] = loss.Window
		case plan.AuroraGlobal:
			window[probe.Invoice] = loss.Window
		case plan.S3Bucket:
			window[probe.Document] = loss.Window
		case plan.Service, plan.RDSInstance, plan.EBSVolume, plan.DRSServer:
		}
	}
	failure := s.runs[runbook.Failover].Clocks.Failure
	n := 0
	for _, l := range s.survivor.Lost(lines) {
		if failure.Sub(l.Ended) > window[l.Kind] {
			n++
		}
	}
	return n
}

// promises are the lines of the contract that the demo holds itself to.
func promises(sum Summary) map[string]bool {
	return map[string]bool{
		"client_rto_s <= 60":                                   sum.ClientRTO > 0 && sum.ClientRTO <= 60,
		"client_rto_s <= 1.1 x predicted_floor_s":              sum.ClientRTO <= 1.1*sum.PredictedFloor,
		"lost_writes only inside the measured replication lag": sum.LostOutsideLag == 0,
		"two_writers_s = 0":                                    sum.TwoWriters == 0,
		"duplicate_effects = 0":                                sum.DuplicateEffects == 0,
		"failback_lost_writes = 0":                             sum.FailbackLost == 0,
		"kill_cost_s <= 5":                                     sum.WorkerKills >= 2 && sum.KillCost <= 5,
		"own clocks within one probe interval":                 abs(sum.OwnRTO-sum.ClientRTO) <= sum.ProbeInterval,
		"every acknowledged write was audited":                 sum.AckedWrites > 0 && sum.Unaudited == 0,
		"a second setup makes no mutating call":                sum.Setup.Created > 0 && sum.Setup.SecondRunMutations == 0,
		"readiness is green, red when broken, green again":     sum.Setup.Ready && sum.Setup.RedWhenBroken && sum.Setup.ReadyAfterTheRepair,
	}
}

func abs(f float64) float64 { return max(f, -f) }

func (s *story) write(sum Summary, lines []probe.Line) error {
	raw, err := json.MarshalIndent(sum, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.o.Dir, "summary.json"), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write summary: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(s.o.Dir, "report.html"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	doc := report.Document{Report: s.runs[runbook.Failover], Then: []runbook.Report{s.runs[runbook.Failback]}, Outside: s.outside(sum, lines)}
	return errors.Join(report.HTML(file, doc), file.Close())
}

// verdict prints every figure and fails when a promise did not hold.
func (s *story) verdict(sum Summary) error {
	s.say("clients of records were back %.1f s after the failure (predicted worst case %.0f s); invoices %.1f s", sum.ClientRTO, sum.PredictedFloor, sum.ClientRTOByKind[string(probe.Invoice)])
	s.say("the run itself says %.1f s = detect %.1f + decide %.1f + execute %.1f", sum.OwnRTO, sum.Detect, sum.Decide, sum.Execute)
	s.say("%d acknowledged writes, %d not in %s after the failover (age at most %.2f s), %d missing for good", sum.AckedWrites, sum.LostWrites, s.to, sum.ClientRPO, sum.LostForGood)
	s.say("two writers %.1f s, duplicate effects %d, %d workers killed, dearest %.1f s", sum.TwoWriters, sum.DuplicateEffects, sum.WorkerKills, sum.KillCost)
	s.say("failback: writes stopped for %.1f s at most, %d acknowledged writes lost", sum.FailbackDowntime, sum.FailbackLost)
	var broken []string
	for name, held := range sum.Promises {
		if !held {
			broken = append(broken, name)
		}
	}
	s.say("report: %s", filepath.Join(s.o.Dir, "report.html"))
	if len(broken) > 0 {
		return fmt.Errorf("promises that did not hold: %s", strings.Join(broken, "; "))
	}
	s.say("every promise held")
	return nil
}
