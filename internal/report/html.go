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
	return write(w, newPage(d), pageTemplate, runTemplate, timelineTemplate, peopleTemplate, outsideTemplate, estateTemplate, registerTemplate)
}

// write renders the first template, which may use the others.
func write(w io.Writer, page any, parts ...string) error {
	t := template.New("page")
	for _, part := range parts {
		var err error
		if t, err = t.Parse(part); err != nil {
			return fmt.Errorf("parse report template: %w", err)
		}
	}
	// Rendered in memory first: half a page must never be taken for a report.
	var whole bytes.Buffer
	if err := t.Execute(&whole, page); err != nil {
		return fmt.Errorf("render report: %w", err)
	}
	if _, err := w.Write(whole.Bytes()); err != nil {
		return fmt.Errorf("write report as HTML: %w", err)
	}
	return nil
}
