package kms

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

const (
	policyName = "default" // the only one that KMS has
	maxPolicy  = 32 * 1024 // bytes
)

// openPolicy is the policy of a key for which none is given: identity policies of
// the account decide.
func (k *KMS) openPolicy() string {
	return fmt.Sprintf(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::%s:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`, k.world.Account())
}

// setPolicy gives a key a policy, or the open one. Unless bypassed, a policy that
// keeps its own author from changing it again is refused.
func (k *KMS) setPolicy(c *wire.Call, of *key, given *string, bypass bool) error {
	text := k.openPolicy()
	if given != nil {
		text = *given
	}
	if len(text) > maxPolicy {
		return refuse(sdk.ErrCodeLimitExceededException, "The key policy is larger than %d bytes", maxPolicy)
	}
	d, err := policy.Parse(text, policy.Resource)
	if err != nil {
		return malformed("%v", err)
	}
	for _, arn := range d.Named() {
		if k.roles != nil && strings.HasPrefix(arn, "arn:aws:iam::"+k.world.Account()+":role/") && !k.roles.RoleExists(arn) {
			return malformed("Policy contains a statement with one or more invalid principals.")
		}
	}
	if !bypass && !d.Allows(k.request(k.principals(c.Caller), "kms:PutKeyPolicy", of.arn)) {
		return malformed("The new key policy will not allow you to update the key policy in the future.")
	}
	of.policy, of.document = text, d
	return nil
}

func malformed(format string, args ...any) error {
	return refuse(sdk.ErrCodeMalformedPolicyDocumentException, format, args...)
}

func checkName(name *string) error {
	if name != nil && *name != policyName {
		return notFound("No such policy exists")
	}
	return nil
}

// GetKeyPolicy reads a key's policy.
func (k *KMS) GetKeyPolicy(c *wire.Call, in *sdk.GetKeyPolicyInput) (*sdk.GetKeyPolicyOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := checkName(in.PolicyName); err != nil {
		return nil, err
	}
	return &sdk.GetKeyPolicyOutput{Policy: aws.String(found.policy), PolicyName: aws.String(policyName)}, nil
}

// PutKeyPolicy changes a key's policy.
func (k *KMS) PutKeyPolicy(c *wire.Call, in *sdk.PutKeyPolicyInput) (*sdk.PutKeyPolicyOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := checkName(in.PolicyName); err != nil {
		return nil, err
	}
	return nil, k.setPolicy(c, found, in.Policy, aws.BoolValue(in.BypassPolicyLockoutSafetyCheck))
}

// ListKeyPolicies names a key's only policy.
func (k *KMS) ListKeyPolicies(c *wire.Call, in *sdk.ListKeyPoliciesInput) (*sdk.ListKeyPoliciesOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := k.open(c, in.KeyId); err != nil {
		return nil, err
	}
	return &sdk.ListKeyPoliciesOutput{PolicyNames: aws.StringSlice([]string{policyName}), Truncated: aws.Bool(false)}, nil
}
