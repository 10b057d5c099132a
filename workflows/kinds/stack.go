package kinds

import (
	"crypto/sha256"
	"encoding/hex"

	"lifeline/deploy/cloudformation"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area.
const (
	cfnStack = "cfn-stack"
	cfnDrift = "cfn-drift"
)

// stacks are built in the recovery Region ahead of time, in the plan's order: one
// may import what another exports.
func stacks(s Site) []runbook.Item {
	to := s.recovery()
	if to == "" || len(s.Plan.RecoveryStacks) == 0 {
		return nil
	}
	out := []runbook.Item{s.stackRole()}
	var before []string
	for _, stack := range s.Plan.RecoveryStacks {
		item := s.stack(to, stack)
		item.Needs = before
		out = append(out, item, drift(item))
		before = []string{item.ID()}
	}
	return out
}

// stack is compared by its template's hash: the text is part of the program, and
// would fill histories.
func (s Site) stack(region plan.Region, r plan.RecoveryStack) runbook.Item {
	parameters := map[string]any{}
	for name, value := range r.Parameters {
		parameters[name] = value
	}
	return runbook.Item{
		Area: runbook.AreaStack, Type: cfnStack, Name: r.Name, Region: string(region),
		Want: map[string]string{
			"status": "complete", "template": templateHash(r.Template), "parameters": runbook.Document(parameters), "protection": "true",
			runbook.AtCreation + "template": r.Template, runbook.AtCreation + "role": roleARN(s.stackRoleName()), tagAtCreation: s.Plan.Application,
		},
	}
}

// drift looks whether somebody has changed what a stack has made. It is an item of
// its own because AWS takes minutes to tell, and because setup leaves the mending
// to people: a stack would have to be updated for it, and a failover changes some
// of it rightly.
func drift(stack runbook.Item) runbook.Item {
	return runbook.Item{
		Area: runbook.AreaStack, Type: cfnDrift, Name: stack.Name, Region: stack.Region, Needs: []string{stack.ID()},
		Want: map[string]string{"drift": "IN_SYNC"}, Given: true,
		Why: "see what differs with: aws cloudformation describe-stack-resource-drifts --stack-name " + stack.Name + " --region " + stack.Region,
	}
}

// templateHash names a template that doesn't exist by nothing; its stack is
// refused before anything is made.
func templateHash(file string) string {
	text, err := cloudformation.Templates.ReadFile(file)
	if err != nil {
		return ""
	}
	hash := sha256.Sum256(text)
	return hex.EncodeToString(hash[:])
}
