package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
)

// HTML writes the document as one self-contained file: no script, no font, no
// picture is fetched, so that it opens from an incident ticket, offline, on a phone.
func HTML(w io.Writer, d Document) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return fmt.Errorf("parse report template: %w", err)
	}
	for _, part := range []string{runTemplate, timelineTemplate, peopleTemplate, outsideTemplate} {
		if t, err = t.Parse(part); err != nil {
			return fmt.Errorf("parse report template: %w", err)
		}
	}
	// Rendered in memory first: half a page must never be taken for a report.
	var whole bytes.Buffer
	if err := t.Execute(&whole, newPage(d)); err != nil {
		return fmt.Errorf("render report: %w", err)
	}
	if _, err := w.Write(whole.Bytes()); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}
