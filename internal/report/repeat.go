package report

import "lifeline/internal/runbook"

// Repeat is a step that a stage took once or more often, e.g. a look that was
// repeated until it satisfied. It stands where its first attempt stood, and
// tells what the last one told.
type Repeat struct {
	runbook.StepRecord
	All []runbook.StepRecord
}

// Repeats joins the steps of a stage that do the same to the same resource in
// the same Region: a stage that was held for minutes stays readable.
func Repeats(steps []runbook.StepRecord) []Repeat {
	type key struct{ name, resource, region string }
	at := map[key]int{}
	var out []Repeat
	for _, s := range steps {
		k := key{s.Name, s.Resource, s.Region}
		i, seen := at[k]
		if !seen {
			i = len(out)
			at[k] = i
			out = append(out, Repeat{})
		}
		out[i].StepRecord = s
		out[i].All = append(out[i].All, s)
	}
	return out
}
