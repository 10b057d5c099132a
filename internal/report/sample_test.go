package report_test

import (
	"strings"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// at is a moment of the sample's day, in seconds after the failure.
func at(seconds float64) time.Time {
	zero := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	return zero.Add(time.Duration(seconds * float64(time.Second)))
}

// step is a step on "resource@region".
func step(name, on string, from, to float64, evidence string) runbook.StepRecord {
	resource, region, _ := strings.Cut(on, "@")
	return runbook.StepRecord{
		Step:  runbook.Step{Name: name, Resource: resource, Region: region, Plane: runbook.Data, Reversibility: runbook.Compensable, Budget: 5 * time.Second},
		State: runbook.Succeeded, Started: at(from), Ended: at(to), Effect: runbook.Acted, Evidence: evidence, Request: "req-1",
	}
}

func stage(name runbook.Stage, title string, from, to float64, steps ...runbook.StepRecord) runbook.StageRecord {
	return runbook.StageRecord{Name: name, Title: title, State: runbook.Succeeded, Started: at(from), Ended: at(to), Steps: steps}
}

// sample is a failover that kept its promise, with every part that a report has.
func sample() report.Document {
	promote := stage(runbook.Promote, "the other Region becomes the writer", 33, 43, step("FailoverAurora", "billing@us-west-2", 33, 43, "writer is us-west-2"))
	promote.OneWay = true
	promote.Steps[0].Reversibility = runbook.OneWay
	freeze := stage(runbook.Freeze, "stop automation that would work against us", 4.3, 5.1,
		step("FreezeScaling", "web@us-west-2", 4.3, 4.9, "AZRebalance, Terminate suspended"),
		step("FreezeScaling", "web@us-east-1", 4.3, 5.1, ""))
	freeze.Steps[1].State, freeze.Steps[1].Effect, freeze.Steps[1].Error = runbook.Broken, "", "us-east-1 did not answer within 2 s"
	r := runbook.Report{
		Application: "patient-records", Runbook: runbook.Failover, WorkflowID: "lifeline/patient-records", RunID: "0199-run",
		From: "us-east-1", To: "us-west-2", StartedBy: "dana", Started: at(3.4), Now: at(64), Ended: at(64),
		Status: runbook.Done, Phase: runbook.Commit, Summary: "every location is served by us-west-2",
		Safe: "us-west-2 serves and writes; us-east-1 is latched out", Next: "starter failback -f plan.yaml --from us-west-2 --as dana",
		Objective: time.Minute, Predicted: 55 * time.Second, RTOState: runbook.RTOMet,
		Clocks: runbook.Clocks{Failure: at(0), Evidence: at(4.2), Decided: at(5.4), Verified: at(32.6)},
		Fence:  runbook.FenceConfirmed, Epoch: 2,
		Evidence: &runbook.Evidence{Finding: runbook.Lost, At: at(4.2), Failure: at(0), Down: 2, Survivor: 2, Asked: 3, Why: "2 of 3 observers see us-east-1 down", Sightings: []runbook.Sighting{
			{Observer: "observer-us-west-2", Stands: "us-west-2", Regions: map[plan.Region]runbook.RegionView{"us-east-1": {Rounds: 3, Since: at(0), Detail: "timeout"}, "us-west-2": {Healthy: true, Rounds: 40}}},
		}},
		Losses: []runbook.Loss{
			{Resource: "records", Known: true, Window: 800 * time.Millisecond, Objective: 5 * time.Second, At: at(30), Evidence: "watermark"},
			{Resource: "billing", Objective: 30 * time.Second, At: at(30), Evidence: "no datapoint"},
		},
		Layers: []runbook.LayerResult{
			{Resource: "billing", Layer: plan.FenceLease, Result: runbook.FenceConfirmed, Evidence: "epoch 2 held by us-west-2"},
			{Resource: "billing", Layer: plan.FenceCompute, Result: runbook.FenceUnconfirmed, Evidence: "us-east-1 did not answer"},
		},
		Ballots: []runbook.Ballot{{
			RunID: "0199-run", Stage: runbook.Promote, Nonce: "n1", Question: "Promote billing in us-west-2?", Quorum: 2, Asked: at(12), Expires: at(312), Escalated: 1, Closed: at(33), Result: runbook.Granted,
			Risks: []runbook.Risk{{Code: "data-loss:billing", Text: "the data loss of billing could not be measured"}},
			Decisions: []runbook.Decision{
				{By: "amara", Approve: true, Acknowledge: []string{"data-loss:billing"}, Received: at(20)},
				{By: "bela", Approve: true, Acknowledge: []string{"data-loss:billing"}, Comment: "go", Received: at(33)},
			},
		}},
		Served: []runbook.Served{{Location: "europe", Region: "us-west-2", At: at(31.2)}, {Location: "north-america", Region: "us-west-2", At: at(32.6)}},
		Stages: []runbook.StageRecord{
			stage(runbook.Assess, "read the world", 3.4, 4.3, step("ObserveRegions", "@us-west-2", 3.4, 3.6, "us-east-1 down for 2 looks"), step("ObserveRegions", "@us-west-2", 3.9, 4.2, "us-east-1 down for 3 looks")),
			freeze,
			stage(runbook.Shift, "traffic leaves us-east-1", 5.4, 8, step("EvacuateByObject", "@us-west-2", 5.5, 6.1, "evacuate/us-east-1 is there")),
			promote,
			stage(runbook.Commit, "watch real transactions", 43, 64),
		},
		Events: []runbook.Event{{At: at(4.2), Kind: "note", Text: "evidence is complete"}, {At: at(30), Kind: "budget", Text: "50 % of the objective is used"}},
		Left:   []string{"reconcile the lost writes of billing from its snapshot"},
	}
	return report.Document{Report: r, Then: []runbook.Report{homecoming()}, Outside: outside()}
}

// homecoming is the failback that followed: planned, so it has no failure clock.
func homecoming() runbook.Report {
	return runbook.Report{
		Application: "patient-records", Runbook: runbook.Failback, WorkflowID: "lifeline/patient-records", RunID: "0200-run",
		From: "us-west-2", To: "us-east-1", StartedBy: "dana", Started: at(120), Now: at(150), Status: runbook.Waiting, Phase: runbook.Approve,
		Summary: "waiting for approval", Objective: time.Minute,
		Stages:  []runbook.StageRecord{{Name: runbook.Precheck, Title: "is us-east-1 fit?", State: runbook.Active, Started: at(121)}},
		Ballots: []runbook.Ballot{{Stage: runbook.Switchdata, Question: "Move the writer home?", Quorum: 2, Asked: at(130), Expires: at(430), Result: runbook.Open}},
	}
}

func outside() *report.Outside {
	o := &report.Outside{
		Source: "probe: 2 clients, one write every 500 ms each", Compression: 1, Floor: 48 * time.Second, Width: 2 * time.Second,
		Numbers: []report.Number{
			{Name: "client_rto_s", Label: "Time without acknowledged writes", Value: 31.5, Unit: "s", Limit: "at most 60 s", Verdict: report.Held},
			{Name: "two_writers_s", Label: "Two writers at once", Value: 1, Unit: "s", Limit: "0 s", Verdict: report.Missed},
			{Name: "acked_writes", Label: "Acknowledged writes", Value: 412},
		},
		Comparisons: []report.Comparison{
			{What: "failure to service", Own: 32600 * time.Millisecond, Outside: 32400 * time.Millisecond, Tolerance: 500 * time.Millisecond},
			{What: "detect", Own: 4200 * time.Millisecond, Outside: 6 * time.Second, Tolerance: 500 * time.Millisecond},
		},
		Marks: []report.Mark{{At: at(0), Text: "us-east-1 went dark"}},
		Kills: []report.Kill{{At: at(5.8), Worker: "us-west-2 #1", During: "EvacuateByObject", Cost: 2300 * time.Millisecond}},
	}
	for _, location := range []string{"europe", "north-america"} {
		t := report.Traffic{Location: location}
		for s := -10.0; s < 60; s += 2 {
			b := report.Bucket{At: at(s)}
			switch {
			case s < 0:
				b.OK = map[plan.Region]int{"us-east-1": 4}
			case s < 32:
				b.Failed = 2
			default:
				b.OK = map[plan.Region]int{"us-west-2": 4}
			}
			t.Buckets = append(t.Buckets, b)
		}
		o.Traffic = append(o.Traffic, t)
	}
	return o
}
