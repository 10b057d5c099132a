package backup

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
)

// firing is one date on which a rule fires.
type firing struct {
	plan *plan
	rule *sdk.Rule
	at   time.Time // by AWS's calendar
}

func (f firing) window() time.Duration { return minutes(f.rule.StartWindowMinutes, defaultStart) }

// identity names a rule over the versions of its plan.
func (f firing) identity() string { return f.plan.id + "/" + *f.rule.RuleName }

// arm waits for the next date of a rule, for as long as the plan's version is in
// force; b.mu is held. What was due while the world was slow follows at once.
func (b *Backup) arm(r *region, p *plan, v *version, rule *sdk.Rule, after time.Time) {
	at, ok := v.schedules[*rule.RuleName].next(after)
	if ok {
		b.waitFor(r, v, firing{p, rule, at})
	}
}

func (b *Backup) waitFor(r *region, v *version, f firing) {
	const slack = time.Second // clocks of wall and calendar are rounded
	b.settle(b.calendar.until(f.at), func() {
		switch {
		case f.plan.deleted != nil || f.plan.current() != v:
		case b.calendar.until(f.at) > slack:
			b.waitFor(r, v, f) // the world was slowed down meanwhile
		default:
			b.fire(r, f)
			b.arm(r, f.plan, v, f.rule, f.at)
		}
	})
}

// fire starts a job for every resource of the plan, unless another rule's backup
// stands in for it; b.mu is held.
func (b *Backup) fire(r *region, f firing) {
	f.plan.ran = aws.Time(b.world.Now())
	all := b.assigned(r, f.plan)
	arns := make([]string, 0, len(all))
	for arn := range all {
		arns = append(arns, arn)
	}
	slices.Sort(arns)
	for _, arn := range arns {
		a := all[arn]
		if b.swallowed(r, f, a.resource) || r.hasToday(f, a.resource) {
			continue
		}
		b.schedule(r, f, a)
	}
}

// swallowed tells whether AWS keeps another rule's backup of a resource instead:
// where start windows overlap, only the one with the longer retention is made.
func (b *Backup) swallowed(r *region, mine firing, res Resource) bool {
	for _, p := range r.plans {
		if p.deleted != nil {
			continue
		}
		if _, ok := r.assign(p, res); !ok {
			continue
		}
		v := p.current()
		for _, rule := range v.document.Rules {
			other := firing{plan: p, rule: rule}
			if other.identity() == mine.identity() {
				continue
			}
			from := mine.at.Add(-other.window())
			if from.Before(v.since) {
				from = v.since
			}
			for _, at := range v.schedules[*rule.RuleName].between(from, mine.at.Add(mine.window())) {
				other.at = at
				if other.beats(mine) {
					return true
				}
			}
		}
	}
	return false
}

// beats tells which of two overlapping backups is made: that with the longer
// retention, then the earlier, then that of the older plan and the first rule.
func (f firing) beats(other firing) bool {
	mine, yours := retention(f.rule.Lifecycle), retention(other.rule.Lifecycle)
	switch {
	case mine != yours:
		return mine > yours
	case !f.at.Equal(other.at):
		return f.at.Before(other.at)
	case f.plan != other.plan:
		return f.plan.sequence < other.plan.sequence
	default:
		rules := f.plan.current().document.Rules
		return slices.Index(rules, f.rule) < slices.Index(rules, other.rule)
	}
}

// hasToday tells whether RDS won't take another scheduled snapshot: beside a
// continuous backup it takes one a day, whatever the rules say.
func (r *region) hasToday(f firing, res Resource) bool {
	if aws.BoolValue(f.rule.EnableContinuousBackup) || (res.Type != "RDS" && res.Type != "Aurora") || r.continuous(res.ARN) == nil {
		return false
	}
	for _, j := range r.jobs {
		if *j.api.ResourceArn == res.ARN && j.firing != nil && !j.continuous && j.alive() && f.at.Sub(j.firing.at) < day {
			return true
		}
	}
	return false
}
