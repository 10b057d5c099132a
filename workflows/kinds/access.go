package kinds

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// globalHome is where global control planes live: IAM's and Route 53's.
const globalHome = "us-east-1"

// Types of items in this area. Every type has its name here or beside its kind,
// once: keepers are found by it.
const (
	kmsKey  = "kms-key"
	iamRole = "iam-role"
)

// keys are the customer-managed keys, one in each Region that serves clients.
func keys(s Site) []runbook.Item {
	var out []runbook.Item
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, s.key(region))
	}
	return out
}

func (s Site) key(region plan.Region) runbook.Item {
	want := map[string]string{
		"state": "Enabled", "manager": "CUSTOMER", "spec": "SYMMETRIC_DEFAULT", "rotation": "true", tagAtCreation: s.Plan.Application,
	}
	maps.Copy(want, keyStatements(s))
	return runbook.Item{Area: runbook.AreaAccess, Type: kmsKey, Name: s.Plan.Setup.Key, Region: string(region), Want: want}
}

// keyARN is the key of a Region, once it is known.
func (s Site) keyARN(region plan.Region) string {
	return runbook.Ref(kmsKey, string(region), s.Plan.Setup.Key, "arn")
}

// keyStatements let the account's IAM policies decide, and let the services use
// the key that call it in their own name: an alarm that may not use its topic's
// key fails silently (domain handbook 9.1).
//
// EventBridge and AWS Backup say for nobody's account that they call: a condition
// on aws:SourceAccount would drop every event without a trace.
func keyStatements(s Site) map[string]string {
	use := []string{"kms:Decrypt", "kms:GenerateDataKey*"}
	return map[string]string{
		"statement/LifelineAccount": statement("LifelineAccount", map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + s.Account + ":root"}, "Action": "kms:*", "Resource": "*",
		}),
		"statement/LifelineAlarms": statement("LifelineAlarms", map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": []string{"cloudwatch.amazonaws.com", "sns.amazonaws.com"}},
			"Action": use, "Resource": "*", "Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": s.Account}},
		}),
		"statement/LifelineEvents": statement("LifelineEvents", map[string]any{
			"Effect": "Allow", "Principal": map[string]any{"Service": []string{"backup.amazonaws.com", "events.amazonaws.com"}}, "Action": use, "Resource": "*",
		}),
	}
}

// statement is one statement of a policy that several share: it is ours by its Sid.
func statement(sid string, body map[string]any) string {
	body["Sid"] = sid
	return runbook.Document(body)
}

// roleSpec is a role that services take on.
type roleSpec struct {
	name     string
	services []string          // who may take it on: "backup.amazonaws.com"
	attached []string          // ARNs of managed policies
	inline   map[string]string // policy documents by name
	resource string
}

// role is the item of a role; roleARN is what refers to it.
func role(r roleSpec) runbook.Item {
	want := map[string]string{
		"trust": runbook.Document(map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{
				"Effect": "Allow", "Principal": map[string]any{"Service": oneOrList(r.services)}, "Action": "sts:AssumeRole",
			}},
		}),
		"attached": runbook.List(r.attached...),
	}
	for name, document := range r.inline {
		want["inline/"+name] = document
	}
	return runbook.Item{Area: runbook.AreaAccess, Type: iamRole, Name: r.name, Region: globalHome, Resource: r.resource, Want: want}
}

// owned marks the roles as this application's where setup makes them: of a role
// of ours nobody else may decide who takes it on.
func owned(s Site, items []runbook.Item) {
	for _, i := range items {
		if i.Type == iamRole {
			i.Want[tagAtCreation] = s.Plan.Application
		}
	}
}

// roleARN is a role's ARN, once it is known.
func roleARN(name string) string { return runbook.Ref(iamRole, globalHome, name, "arn") }

// longestRole is how many characters a role's name may have.
const longestRole = 64

// roleName is the name of a role of ours. What is too long ends in a hash of the
// whole, so that two long names stay two.
func roleName(parts ...string) string {
	name := "lifeline-" + strings.Join(parts, "-")
	if len(name) <= longestRole {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:longestRole-9] + "-" + hex.EncodeToString(sum[:4])
}

// allow is one statement of a policy.
func allow(resource any, condition map[string]any, actions ...string) map[string]any {
	out := map[string]any{"Effect": "Allow", "Action": oneOrList(actions), "Resource": resource}
	if condition != nil {
		out["Condition"] = condition
	}
	return out
}

// policyDocument is a policy of an identity.
func policyDocument(statements ...map[string]any) string {
	return runbook.Document(map[string]any{"Version": "2012-10-17", "Statement": statements})
}

// oneOrList is how IAM writes one value and several.
func oneOrList(words []string) any {
	if len(words) == 1 {
		return words[0]
	}
	return words
}
