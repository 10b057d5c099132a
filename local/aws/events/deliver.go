package events

import (
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go/service/eventbridge"

	"lifeline/local/aws/events/pattern"
)

const (
	// latency is what EventBridge typically takes from an event to its targets.
	latency   = 500 * time.Millisecond
	namespace = "AWS/Events"
	principal = "events.amazonaws.com"
)

// send gives an event to the rules that want it, or to one rule alone: that whose
// schedule made it.
func (e *Events) send(region string, v envelope, only *rule) {
	if e.world.Dark(region) {
		return
	}
	ev, err := v.event()
	if err != nil {
		e.world.Logger().Error("event is lost", "source", v.Source, "error", err)
		return
	}
	seen := pattern.Normal(ev.fields)
	e.mu.Lock()
	defer e.mu.Unlock()
	if only != nil {
		e.trigger(only, ev)
		return
	}
	for at, r := range e.rules {
		if at.region == region && r.enabled() && r.wants != nil && r.wants.Match(seen) {
			e.trigger(r, ev)
		}
	}
}

// trigger starts the deliveries to a rule's targets; e.mu is held.
func (e *Events) trigger(r *rule, ev event) {
	region, name, arn, targets := r.region, r.name, r.arn, r.targets
	e.world.After(latency, func() {
		if e.world.Dark(region) {
			return
		}
		e.count(region, name, "TriggeredRules")
		for _, t := range targets {
			e.count(region, name, "Invocations")
			if err := e.deliver(region, arn, t, ev); err != nil {
				e.count(region, name, "FailedInvocations")
				e.world.Logger().Warn("event not delivered", "rule", arn, "target", *t.Arn, "error", err)
			}
		}
	})
}

func (e *Events) count(region, rule, metric string) {
	if e.o.Metrics != nil {
		e.o.Metrics.Publish(region, namespace, metric, map[string]string{"RuleName": rule}, 1)
	}
}

func (e *Events) deliver(region, ruleARN string, t *sdk.Target, ev event) error {
	payload, err := input(t, ev, ruleARN, e.world.Now())
	if err != nil {
		return fmt.Errorf("input of target %s: %w", *t.Id, err)
	}
	if strings.HasPrefix(*t.Arn, "arn:aws:sns:") {
		if e.o.Topics == nil {
			return errors.New("no SNS")
		}
		return e.o.Topics.Notify(region, *t.Arn, principal, "", string(payload))
	}
	if e.o.Functions == nil {
		return errors.New("no Lambda")
	}
	return e.o.Functions.Invoke(region, *t.Arn, payload)
}

// arm sets the timer of a rule's schedule. from is the time of the schedule's own
// clock, which runs from the rule's change at the world's compression; e.mu is held.
func (e *Events) arm(r *rule, from time.Time) {
	if r.schedule == nil || !r.enabled() {
		return
	}
	due, ok := r.schedule.Next(from)
	if !ok {
		return
	}
	turn := r.turn
	e.world.After(due.Sub(from), func() {
		e.mu.Lock()
		current := r.turn == turn
		if current {
			e.arm(r, due)
		}
		e.mu.Unlock()
		if current {
			e.send(r.region, e.envelope(r.region, "aws.events", "Scheduled Event", []string{r.arn}, []byte("{}")), r)
		}
	})
}
