package plan

import (
	"crypto/ed25519"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// Values of Approvals.Evacuate.
const (
	EvacuateAutomatic = "automatic"
	EvacuateApproval  = "approval"
)

func (c *checker) observers() {
	o := c.plan.Observers
	c.span("observers.interval", o.Interval, 100*time.Millisecond, time.Minute)
	c.span("observers.timeout", o.Timeout, 100*time.Millisecond, 30*time.Second)
	if o.Rounds < 1 {
		c.errorf("observers.rounds", "3 is usual", "observers.rounds must be at least 1, but is %d", o.Rounds)
	} else if o.Rounds < 3 {
		c.warnf("observers.rounds", "3 is usual", "%s of failure moves a Region", count(o.Rounds, "look"))
	}
	names := map[string]bool{}
	for i, m := range o.Members {
		at := element("observers.members", i)
		c.shape(at+".name", labelName, m.Name, "lower-case letters, digits and inner dashes: it names a task queue")
		c.shape(at+".region", labelName, string(m.Region), "an AWS Region, or a word for a place outside AWS")
		if names[m.Name] {
			c.errorf(at+".name", "", "observer %q is listed twice", m.Name)
		}
		names[m.Name] = true
	}
	if !c.isBroken("observers.members") {
		c.quorum()
	}
}

// quorum checks that evidence can be had about any Region, and only by agreement.
func (c *checker) quorum() {
	o := c.plan.Observers
	if len(o.Members) < 3 {
		c.errorf("observers.members", "at least 3, in different places", "%s can't outvote one that is wrong", count(len(o.Members), "observer"))
		return
	}
	switch {
	case o.Quorum > len(o.Members):
		c.errorf("observers.quorum", "", "a quorum of %d can't be reached by %d observers", o.Quorum, len(o.Members))
		return
	case o.Quorum < 2:
		c.errorf("observers.quorum", "at least 2", "a Region is never judged on one observer's word")
		return
	case 2*o.Quorum <= len(o.Members):
		c.warnf("observers.quorum", "more than half of the members", "with %d of %d, two groups of observers can reach opposite verdicts", o.Quorum, len(o.Members))
	}
	if !c.regionsRead() {
		return
	}
	traffic := c.plan.TrafficRegions()
	if !slices.ContainsFunc(o.Members, func(m Observer) bool { return !slices.Contains(traffic, m.Region) }) {
		c.errorf("observers.members", "add one in a third Region or outside AWS",
			"every observer stands in a Region that serves clients: none can tell a lost Region from a lost link")
	}
	for _, suspect := range traffic {
		able := 0
		for _, m := range o.Members {
			if m.Region != suspect {
				able++
			}
		}
		if able < o.Quorum {
			c.errorf("observers.quorum", "observers in the suspect Region don't count: add some elsewhere",
				"when %s is suspect, %d of %d observers are outside it: the quorum of %d is out of reach", suspect, able, len(o.Members), o.Quorum)
		}
	}
}

func (c *checker) approvals() {
	a := c.plan.Approvals
	c.span("approvals.expiry", a.Expiry, time.Second, 24*time.Hour)
	if c.span("approvals.escalateAfter", a.EscalateAfter, time.Second, 24*time.Hour) && a.Expiry > 0 && a.EscalateAfter >= a.Expiry {
		c.errorf("approvals.escalateAfter", "less than the expiry, "+brief(a.Expiry.D()), "a request lapses before anybody else is paged")
	}
	if oneOf(c, "approvals.onSilence", a.OnSilence, Hold, Proceed) && a.OnSilence == Proceed && c.plan.Owner == "" {
		c.errorf("approvals.onSilence", "add \"owner: NAME\" at the top, or use hold", "proceeding on silence is the owner's decision, and the plan names no owner")
	}
	oneOf(c, "approvals.evacuate", a.Evacuate, EvacuateAutomatic, EvacuateApproval)
	names, keys := map[string]bool{}, map[string]string{}
	for i, p := range a.Approvers {
		c.person(element("approvals.approvers", i), p, names, keys)
	}
	for i, p := range a.Operators {
		c.person(element("approvals.operators", i), p, names, keys)
	}
	if !c.isBroken("approvals.approvers") {
		c.enough()
	}
}

// enough checks that the approvers there are can reach the quorum.
func (c *checker) enough() {
	a := c.plan.Approvals
	switch {
	case a.Quorum < 1:
		c.errorf("approvals.quorum", "2 for steps that can lose data", "a one-way step needs at least one approver")
	case a.Quorum > len(a.Approvers):
		c.errorf("approvals.quorum", "", "%s can't give %d approvals", count(len(a.Approvers), "approver"), a.Quorum)
	case a.Quorum == len(a.Approvers) && len(a.Operators) == 0:
		c.warnf("approvals.quorum", "add an approver, or operators who start runbooks",
			"whoever starts a runbook can't approve it: when one of the %d approvers starts it, the quorum is out of reach", len(a.Approvers))
	case a.Quorum == 1:
		c.warnf("approvals.quorum", "2 for steps that can lose data", "one person alone can approve a one-way step")
	}
}

// person checks a name and key; across all lists both are used once, so that
// two approvals are two people.
func (c *checker) person(at string, p Approver, names map[string]bool, keys map[string]string) {
	c.shape(at+".name", personName, p.Name, "letters, digits and . _ @ -")
	folded := strings.ToLower(p.Name)
	if names[folded] {
		c.errorf(at+".name", "", "%q is listed twice", p.Name)
	}
	names[folded] = true
	key, err := base64.StdEncoding.Strict().DecodeString(p.PublicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		c.errorf(at+".publicKey", "base64 of the 32-byte Ed25519 public key, 44 characters", "the public key of %s can't be one", p.Name)
		return
	}
	if other, taken := keys[string(key)]; taken {
		c.errorf(at+".publicKey", "everybody signs with a key of their own", "%s has the key of %s", p.Name, other)
	}
	keys[string(key)] = p.Name
}

func (c *checker) notifications() {
	topics := c.plan.Notifications.Topics
	outside := false
	for _, region := range slices.Sorted(maps.Keys(topics)) {
		at := join("notifications.topics", string(region))
		arn := topics[region]
		c.shape(at, regionName, string(region), "topics are listed by AWS Region")
		if !c.shape(at, topicARN, arn, "arn:aws:sns:REGION:ACCOUNT:NAME") {
			continue
		}
		if in := strings.Split(arn, ":")[3]; in != string(region) {
			c.errorf(at, "", "the topic listed for %s is in %s", region, in)
		}
		outside = outside || region != c.plan.Primary()
	}
	if !outside && c.regionsRead() && !c.isBroken("notifications.topics") {
		c.warnf("notifications", "add an SNS topic in the recovery or witness Region", "nobody can be told when the primary Region is lost")
	}
}
