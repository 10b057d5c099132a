package kinds

import (
	"fmt"
	"regexp"
	"strings"

	"lifeline/internal/runbook"
)

// Wants is what a plan wants in an account. Whoever may write to the Temporal
// namespace can schedule a step with items of their own; what a worker builds has
// to be what its plan says, in its own account.
type Wants struct {
	site Site
	byID map[string]runbook.Item
}

// NewWants computes it.
func NewWants(s Site) (*Wants, error) {
	all, err := Items(s)
	w := &Wants{s, map[string]runbook.Item{}}
	for _, item := range all {
		w.byID[item.ID()] = item
	}
	return w, err
}

// Cover refuses items that are none of it. Only what AWS alone can know, the
// properties of other items, is taken as it comes.
func (w *Wants) Cover(given []runbook.Item) error {
	for _, item := range given {
		want, known := w.byID[item.ID()]
		if !known || want.Given != item.Given || len(want.Want) != len(item.Want) {
			return fmt.Errorf("%s is no item of this worker's plan", item.ID())
		}
		for name, text := range want.Want {
			if value, ok := item.Want[name]; !ok || !w.site.stands(text, value) {
				return fmt.Errorf("%s of %s is not what this worker's plan says", name, item.ID())
			}
		}
	}
	return nil
}

// stands says that a value is what a plan's text may have become: the same, but
// for references, which may not lead into another account.
func (s Site) stands(text, value string) bool {
	if !strings.Contains(text, "${") {
		return text == value
	}
	parts := regexp.MustCompile(`\$\{[^}]+\}`).Split(text, -1)
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	m := regexp.MustCompile(`(?s)^` + strings.Join(parts, "(.*)") + `$`).FindStringSubmatch(value)
	for _, put := range m {
		for _, arn := range regexp.MustCompile(`arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}):`).FindAllStringSubmatch(put, -1) {
			if arn[1] != s.Account {
				return false
			}
		}
	}
	return m != nil
}
