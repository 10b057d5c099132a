package kinds

import (
	"fmt"
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
// for references. What is put in their place is one word: it neither ends the string
// that it stands in nor leads into another account.
func (s Site) stands(text, value string) bool {
	before, _, _, after, refers := runbook.CutRef(text)
	if !refers {
		return text == value
	}
	rest, ok := strings.CutPrefix(value, before)
	for ok && refers {
		var put string
		if before, _, _, after, refers = runbook.CutRef(after); refers {
			put, rest, ok = strings.Cut(rest, before)
		} else {
			put, ok = strings.CutSuffix(rest, before)
		}
		ok = ok && !strings.ContainsAny(put, "\"\\\n")
	}
	return ok && s.ours(value)
}

// ours says that no ARN in a value is of another account.
func (s Site) ours(value string) bool {
	const account, parts = 4, 6 // arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE
	for {
		_, after, found := strings.Cut(value, "arn:")
		if !found {
			return true
		}
		if of := strings.SplitN("arn:"+after, ":", parts); len(of) == parts && isAccount(of[account]) && of[account] != s.Account {
			return false
		}
		value = after
	}
}

// isAccount says that a part of an ARN is an account's number, and not empty or
// AWS's own.
func isAccount(part string) bool {
	const digits = 12
	return len(part) == digits && strings.Trim(part, "0123456789") == ""
}
