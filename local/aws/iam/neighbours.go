package iam

import (
	"strings"
	"time"

	"lifeline/local/aws/iam/policy"
)

// RoleExists says whether a role of this ARN, path included, exists.
func (i *IAM) RoleExists(arn string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.exists(arn)
}

func (i *IAM) exists(arn string) bool { return i.byARN(arn) != nil }

// byARN gives a role or nil; i.mu is held.
func (i *IAM) byARN(arn string) *role {
	r := i.roles[strings.ToLower(arn[strings.LastIndex(arn, "/")+1:])]
	if r == nil || r.arn != arn {
		return nil
	}
	return r
}

// Trusts says whether a service, such as backup.amazonaws.com, may take a role.
// Conditions on the account are judged; one on the source's ARN counts as met,
// since some resource of the account can meet it.
func (i *IAM) Trusts(arn, servicePrincipal string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	r := i.byARN(arn)
	return r != nil && r.document.Allows(policy.Request{
		Principals: []policy.Principal{policy.Service(servicePrincipal)}, Action: "sts:AssumeRole",
		Context: map[string]string{"aws:SourceAccount": i.world.Account()}, Open: []string{"aws:SourceArn"},
	})
}

// Take is what STS asks: whether the trust policy of a role lets a caller, known
// by these ARNs, take it. It gives the role's unique id and its longest session.
func (i *IAM) Take(arn string, callers []string, externalID string) (id string, longest time.Duration, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r := i.byARN(arn)
	if r == nil || r.linked {
		return "", 0, false
	}
	about := map[string]string{"aws:PrincipalAccount": i.world.Account()}
	if externalID != "" {
		about["sts:ExternalId"] = externalID
	}
	if !r.document.Allows(policy.Request{Principals: policy.Identities(callers), Action: "sts:AssumeRole", Context: about}) {
		return "", 0, false
	}
	return r.id, time.Duration(r.longest) * time.Second, true
}
