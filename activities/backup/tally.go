package backup

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// longestWhy keeps AWS's words short enough for a history.
const longestWhy = 200

// tally keeps of each resource its last job and its last failure: a history need
// not know of a hundred backups that went well.
type tally map[string][2]*Job

func (t tally) add(j Job) {
	if len(j.Why) > longestWhy {
		j.Why = strings.ToValidUTF8(j.Why[:longestWhy], "")
	}
	have := t[j.Resource]
	if have[0] == nil || j.At.After(have[0].At) {
		have[0] = &j
	}
	if j.Failed() && (have[1] == nil || j.At.After(have[1].At)) {
		have[1] = &j
	}
	t[j.Resource] = have
}

// jobs are what is kept, by resource and time.
func (t tally) jobs() []Job {
	var out []Job
	for _, resource := range slices.Sorted(maps.Keys(t)) {
		have := t[resource]
		if have[1] != nil && have[1] != have[0] {
			out = append(out, *have[1])
		}
		out = append(out, *have[0])
	}
	slices.SortStableFunc(out, func(a, b Job) int { return cmp.Or(cmp.Compare(a.Resource, b.Resource), a.At.Compare(b.At)) })
	return out
}

// vaultName is the name in arn:aws:backup:<region>:<account>:backup-vault:<name>.
func vaultName(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }
