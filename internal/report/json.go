package report

import (
	"encoding/json"
	"fmt"
	"io"

	"lifeline/internal/runbook"
)

// JSON writes the document for machines; durations are nanoseconds, times RFC 3339.
func JSON(w io.Writer, d Document) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(newTold(d)); err != nil {
		return fmt.Errorf("write report as JSON: %w", err)
	}
	return nil
}

// told is a document as machines read it.
type told struct {
	Report   any               `json:"report"`
	Then     []any             `json:"then,omitempty"`
	Outside  *Outside          `json:"outside,omitempty"`
	Register *runbook.Register `json:"register,omitempty"`
}

func newTold(d Document) told {
	t := told{Report: still(d.Report), Outside: d.Outside, Register: d.Register}
	for _, r := range d.Then {
		t.Then = append(t.Then, still(r))
	}
	return t
}

// still leaves out of a run that moves nothing what only a move has: Regions,
// an objective, clocks from a failure. A zero there would be read as a result.
func still(r runbook.Report) any {
	if r.Runbook == "" || r.Runbook.Moves() {
		return r
	}
	// A field of the outer struct hides the one of the same name in the report.
	return struct {
		runbook.Report
		From      *struct{} `json:"from,omitempty"`
		To        *struct{} `json:"to,omitempty"`
		Objective *struct{} `json:"objective,omitempty"`
		Predicted *struct{} `json:"predicted,omitempty"`
		RTOState  *struct{} `json:"rto_state,omitempty"`
		Clocks    *struct{} `json:"clocks,omitempty"`
		Spans     *struct{} `json:"spans,omitempty"`
	}{Report: r}
}
