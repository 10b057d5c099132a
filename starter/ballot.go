package main

import (
	"time"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// ballotLines show what is asked, with all that an approver must know: the
// risks, the measured losses, the evidence, who has decided and until when.
func ballotLines(b runbook.Ballot, r runbook.Report) []string {
	lines := []string{
		textf("APPROVAL %s: %s", b.Stage, b.Question),
		textf("  needs     %d different approvers, none of them %s, until %s", b.Quorum, r.StartedBy, b.Expires.UTC().Format(time.RFC3339)),
	}
	if r.Evidence != nil {
		lines = append(lines, textf("  evidence  %s: %s", r.Evidence.Finding, r.Evidence.Why))
	}
	for _, l := range r.Losses {
		loss := "could not be measured"
		if l.Known {
			loss = report.Span(l.Window)
		}
		lines = append(lines, textf("  loss      %s: %s, objective %s (%s)", l.Resource, loss, report.Span(l.Objective), l.Evidence))
	}
	if r.Fence != "" {
		lines = append(lines, "  fence     "+string(r.Fence))
	}
	for _, risk := range b.Risks {
		lines = append(lines, textf("  RISK      %s: %s", risk.Code, risk.Text))
	}
	for _, d := range b.Decisions {
		word := "rejected"
		if d.Approve {
			word = "approved"
		}
		lines = append(lines, textf("  %s  %s at %s %s", word, d.By, d.Received.UTC().Format(time.RFC3339), d.Comment))
	}
	if b.Result != runbook.Open {
		lines = append(lines, textf("  result    %s", b.Result))
	}
	return lines
}

// acknowledgements are the flags that name every risk of a ballot.
func acknowledgements(b runbook.Ballot) []string {
	var flags []string
	for _, risk := range b.Risks {
		flags = append(flags, "--acknowledge "+risk.Code)
	}
	return flags
}
