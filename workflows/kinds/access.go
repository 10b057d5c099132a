package kinds

import (
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
		out = append(out, runbook.Item{
			Area: runbook.AreaAccess, Type: kmsKey, Name: s.Plan.Setup.Key, Region: string(region),
			Want: map[string]string{"state": "Enabled", "rotation": "true", "policy": keyPolicy(s)},
		})
	}
	return out
}

// keyARN is the key of a Region, once it is known.
func (s Site) keyARN(region plan.Region) string {
	return runbook.Ref(kmsKey, string(region), s.Plan.Setup.Key, "arn")
}

// keyPolicy lets the account's IAM policies decide, and lets the services use
// the key that call it in their own name: an alarm that may not use its topic's
// key fails silently (domain handbook 9.1).
func keyPolicy(s Site) string {
	services := []string{"backup.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "sns.amazonaws.com"}
	return runbook.Document(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{
				"Sid": "Account", "Effect": "Allow", "Principal": map[string]any{"AWS": "arn:aws:iam::" + s.Account + ":root"},
				"Action": "kms:*", "Resource": "*",
			},
			map[string]any{
				"Sid": "Services", "Effect": "Allow", "Principal": map[string]any{"Service": services},
				"Action": []string{"kms:Decrypt", "kms:GenerateDataKey*"}, "Resource": "*",
				"Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": s.Account}},
			},
		},
	})
}

// roleSpec is a role that a service takes on.
type roleSpec struct {
	name     string
	services []string          // who may take it on: "backup.amazonaws.com"
	attached []string          // ARNs of managed policies
	inline   map[string]string // policy documents by name, canonical
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

// roleARN is a role's ARN, once it is known.
func roleARN(name string) string { return runbook.Ref(iamRole, globalHome, name, "arn") }

// oneOrList is how IAM writes one value and several.
func oneOrList(words []string) any {
	if len(words) == 1 {
		return words[0]
	}
	return words
}
