package world

import (
	"path"
	"slices"
	"strings"
)

// SetPolicy gives a caller an allow list of IAM actions such as "rds:Describe*"
// or "s3:PutObject". From then on everything else is denied to that caller; a
// nil list lifts the restriction.
func (w *World) SetPolicy(caller string, actions []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if actions == nil {
		delete(w.policies, caller)
		return
	}
	w.policies[caller] = slices.Clone(actions)
}

// Allowed says whether the caller's policy, if there is one, allows the action.
func (w *World) Allowed(caller, action string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	actions, restricted := w.policies[caller]
	return !restricted || slices.ContainsFunc(actions, func(pattern string) bool {
		ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(action))
		return err == nil && ok
	})
}
