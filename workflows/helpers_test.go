package workflows_test

import (
	"strings"

	"lifeline/internal/runbook"
)

// only keeps the effects that begin with one of the prefixes, in order.
func only(effects []string, prefixes ...string) []string {
	var out []string
	for _, e := range effects {
		for _, p := range prefixes {
			if strings.HasPrefix(e, p) {
				out = append(out, e)
				break
			}
		}
	}
	return out
}

// texts are a report's events of one kind.
func texts(rep runbook.Report, kind string) []string {
	var out []string
	for _, e := range rep.Events {
		if e.Kind == kind {
			out = append(out, e.Text)
		}
	}
	return out
}
