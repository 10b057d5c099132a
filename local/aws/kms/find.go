package kms

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

// find gives a key by id or ARN and, where that is allowed, by an alias's name or
// ARN. An ARN of another Region finds nothing. k.mu is held.
func (k *KMS) find(region, ref string, aliases bool) (*key, error) {
	name := ref
	if strings.HasPrefix(ref, "arn:") {
		parts := strings.SplitN(ref, ":", 6)
		switch {
		case len(parts) < 6 || parts[2] != "kms" || !strings.Contains(parts[5], "/"):
			return nil, refuse(sdk.ErrCodeInvalidArnException, "Invalid arn %s", ref)
		case parts[3] != region:
			return nil, notFound("Invalid arn %s", parts[3])
		case parts[4] != k.world.Account():
			return nil, refuse("AccessDeniedException", "The key %s belongs to another account, which doesn't share it", ref)
		}
		name = strings.TrimPrefix(parts[5], "key/")
	}
	if strings.HasPrefix(name, aliasPrefix) {
		if !aliases {
			return nil, notFound("Invalid keyId '%s'", ref)
		}
		return k.byAlias(region, name)
	}
	found, ok := k.keys[place{region, name}]
	if !ok {
		return nil, notFound("Key '%s' does not exist", k.arn(region, "key/"+name))
	}
	return found, nil
}

// open gives the key that a call means, if the key's policy lets the caller call
// and the key is in one of the states in which the call works; no state is any.
func (k *KMS) open(c *wire.Call, ref *string, states ...string) (*key, error) {
	aliases := slices.Contains([]string{
		"DescribeKey", "Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext",
	}, c.Operation)
	found, err := k.find(c.Region, aws.StringValue(ref), aliases)
	if err != nil {
		return nil, err
	}
	if err := k.admit(c, found); err != nil {
		return nil, err
	}
	return found, found.in(states...)
}

// in refuses a key that is in none of the states.
func (k *key) in(states ...string) error {
	switch {
	case len(states) == 0 || slices.Contains(states, k.state):
		return nil
	case k.state == sdk.KeyStateDisabled:
		return refuse(sdk.ErrCodeDisabledException, "%s is disabled.", k.arn)
	case k.state == sdk.KeyStatePendingDeletion, k.state == sdk.KeyStatePendingReplicaDeletion:
		return refuse(sdk.ErrCodeInvalidStateException, "%s is pending deletion.", k.arn)
	default:
		return refuse(sdk.ErrCodeInvalidStateException, "%s is %s.", k.arn, strings.ToLower(k.state))
	}
}

// usable are the states in which a key encrypts and can be configured.
func usable() []string { return []string{sdk.KeyStateEnabled, sdk.KeyStateUpdating} }

// present are the states of a key that isn't on its way out.
func present() []string { return append(usable(), sdk.KeyStateDisabled) }

// admit asks the key's policy about the caller.
func (k *KMS) admit(c *wire.Call, to *key) error {
	who := k.principals(c.Caller)
	action := "kms:" + c.Operation
	if to.document.Allows(k.request(who, action, to.arn)) {
		return nil
	}
	return refuse("AccessDeniedException",
		"User: %s is not authorized to perform: %s on resource: %s because no resource-based policy allows the %s action", who[0], action, to.arn, action)
}

func (k *KMS) principals(caller string) []string {
	if k.callers != nil {
		return k.callers.Principals(caller)
	}
	return []string{"arn:aws:iam::" + k.world.Account() + ":user/" + caller}
}

func (k *KMS) request(callers []string, action, arn string) policy.Request {
	return policy.Request{
		Principals: policy.Identities(callers), Action: action, Resource: arn,
		Context: map[string]string{
			"kms:CallerAccount": k.world.Account(), "aws:PrincipalAccount": k.world.Account(), "aws:PrincipalArn": callers[len(callers)-1],
		},
	}
}
