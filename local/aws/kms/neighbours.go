package kms

import (
	"strings"

	"lifeline/local/aws/iam/policy"
)

// Check is KMS's own refusal of a key that a service of the Region is to use: it
// doesn't exist there, is disabled, or is pending deletion. nil is none.
func (k *KMS) Check(region, keyRef string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.find(region, keyRef, true)
	if err != nil {
		return err
	}
	return found.in(usable()...)
}

// Usable says whether a key of the Region, named by id, ARN, alias or alias's ARN,
// exists and is enabled; it gives the key's ARN. A key of another Region isn't.
func (k *KMS) Usable(region, keyRef string) (arn string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.find(region, keyRef, true)
	if err != nil || found.in(usable()...) != nil {
		return "", false
	}
	return found.arn, true
}

// Managed says whether a key is one that AWS manages, which nobody can share and
// whose policy nobody can change.
func (k *KMS) Managed(region, keyRef string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.find(region, keyRef, true)
	return err == nil && found.service != ""
}

// Allows says whether a key's policy lets a principal do something with the key:
// a service such as cloudwatch.amazonaws.com, or an identity by ARN. Conditions on
// the source's ARN count as met, since some resource of the account can meet them.
func (k *KMS) Allows(region, keyRef, principal, action string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.find(region, keyRef, true)
	if err != nil {
		return false
	}
	ask := policy.Request{
		Principals: []policy.Principal{policy.Service(principal)}, Action: action, Resource: found.arn,
		Context: map[string]string{"aws:SourceAccount": k.world.Account()}, Open: []string{"aws:SourceArn"},
	}
	if strings.HasPrefix(principal, "arn:") {
		ask = k.request([]string{principal}, action, found.arn)
	}
	return found.document.Allows(ask)
}
