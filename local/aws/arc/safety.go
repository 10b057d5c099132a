package arc

import (
	"cmp"
	"maps"
	"slices"

	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"
)

// watched are the controls whose changes a rule has a say in.
func (r *rule) watched() []string {
	if r.gate {
		return r.targets
	}
	return r.controls
}

// safe asks every deployed rule that is not overridden. The lock is held.
func (a *ARC) safe(next map[string]bool, override []string) error {
	rules := slices.SortedFunc(maps.Values(a.rules), func(x, y *rule) int { return cmp.Compare(x.arn, y.arn) })
	for _, r := range rules {
		if r.status != config.StatusDeployed || slices.Contains(override, r.arn) || !a.touches(r, next) {
			continue
		}
		if wait := a.world.Wall(r.wait); a.world.Now().Before(r.changed.Add(wait)) {
			return conflict("The wait period of safety rule %s (%d ms) since the last change has not passed.", r.arn, r.wait.Milliseconds())
		}
		if !a.holds(r, next) {
			return conflict("Changing the routing control states violates safety rule %s (%s).", r.arn, r.name)
		}
	}
	return nil
}

// touches says whether the change alters a control that the rule watches over.
func (a *ARC) touches(r *rule, next map[string]bool) bool {
	return slices.ContainsFunc(r.watched(), func(arn string) bool {
		on, named := next[arn]
		c, there := a.controls[arn]
		return named && there && on != c.on
	})
}

// holds evaluates a rule: an assertion over the states after the change, a gate
// over those before it.
func (a *ARC) holds(r *rule, next map[string]bool) bool {
	var on int64
	for _, arn := range r.controls {
		state := false
		if c, ok := a.controls[arn]; ok {
			state = c.on
		}
		if wanted, named := next[arn]; named && !r.gate {
			state = wanted
		}
		if state {
			on++
		}
	}
	fine := false
	switch *r.config.Type {
	case config.RuleTypeAtleast:
		fine = on >= *r.config.Threshold
	case config.RuleTypeAnd:
		fine = on == int64(len(r.controls))
	case config.RuleTypeOr:
		fine = on > 0
	}
	return fine != *r.config.Inverted
}
