package iam

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

// PutRolePolicy writes an inline policy of a role, new or not.
func (i *IAM) PutRolePolicy(_ *wire.Call, in *sdk.PutRolePolicyInput) (*sdk.PutRolePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	if _, err := parsed(*in.PolicyDocument, policy.Identity); err != nil {
		return nil, err
	}
	total := size(*in.PolicyDocument)
	for name, text := range r.inline {
		if name != *in.PolicyName {
			total += size(text)
		}
	}
	if total > maxInline {
		return nil, wire.Errorf(http.StatusConflict, sdk.ErrCodeLimitExceededException,
			"Maximum policy size of %d bytes exceeded for role %s", maxInline, r.name)
	}
	r.inline[*in.PolicyName] = *in.PolicyDocument
	return nil, nil
}

// GetRolePolicy reads an inline policy.
func (i *IAM) GetRolePolicy(_ *wire.Call, in *sdk.GetRolePolicyInput) (*sdk.GetRolePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	text, ok := r.inline[*in.PolicyName]
	if !ok {
		return nil, missing("The role policy with name %s cannot be found.", *in.PolicyName)
	}
	return &sdk.GetRolePolicyOutput{RoleName: aws.String(r.name), PolicyName: aws.String(*in.PolicyName), PolicyDocument: encoded(text)}, nil
}

// ListRolePolicies lists the names of a role's inline policies.
func (i *IAM) ListRolePolicies(_ *wire.Call, in *sdk.ListRolePoliciesInput) (*sdk.ListRolePoliciesOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	found, next, more, err := page(in.Marker, in.MaxItems, slices.Collect(maps.Keys(r.inline)), func(name string) string { return name })
	return &sdk.ListRolePoliciesOutput{PolicyNames: aws.StringSlice(found), Marker: next, IsTruncated: more}, err
}

// DeleteRolePolicy removes an inline policy.
func (i *IAM) DeleteRolePolicy(_ *wire.Call, in *sdk.DeleteRolePolicyInput) (*sdk.DeleteRolePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	if _, ok := r.inline[*in.PolicyName]; !ok {
		return nil, missing("The role policy with name %s cannot be found.", *in.PolicyName)
	}
	delete(r.inline, *in.PolicyName)
	return nil, nil
}

// AttachRolePolicy gives a role a managed policy; one that it has stays.
func (i *IAM) AttachRolePolicy(_ *wire.Call, in *sdk.AttachRolePolicyInput) (*sdk.AttachRolePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	p, ok := i.policies[*in.PolicyArn]
	switch {
	case !ok:
		return nil, missing("Policy %s does not exist or is not attachable.", *in.PolicyArn)
	case strings.HasPrefix(p.path, linkedPath):
		return nil, wire.Errorf(http.StatusBadRequest, sdk.ErrCodePolicyNotAttachableException, "Cannot attach a Service Role Policy to a Customer Role.")
	case slices.Contains(r.attached, p.arn):
		return nil, nil
	case len(r.attached) >= maxAttached:
		return nil, tooMany("PoliciesPerRole", maxAttached)
	}
	r.attached = append(r.attached, p.arn)
	return nil, nil
}

// DetachRolePolicy takes a managed policy from a role.
func (i *IAM) DetachRolePolicy(_ *wire.Call, in *sdk.DetachRolePolicyInput) (*sdk.DetachRolePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	at := slices.Index(r.attached, *in.PolicyArn)
	if at < 0 {
		return nil, missing("Policy %s was not found.", *in.PolicyArn)
	}
	r.attached = slices.Delete(r.attached, at, at+1)
	return nil, nil
}

// ListAttachedRolePolicies lists a role's managed policies.
func (i *IAM) ListAttachedRolePolicies(_ *wire.Call, in *sdk.ListAttachedRolePoliciesInput) (*sdk.ListAttachedRolePoliciesOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	var all []*sdk.AttachedPolicy
	for _, arn := range r.attached {
		if p := i.policies[arn]; strings.HasPrefix(p.path, aws.StringValue(in.PathPrefix)) {
			all = append(all, &sdk.AttachedPolicy{PolicyArn: aws.String(p.arn), PolicyName: aws.String(p.name)})
		}
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(p *sdk.AttachedPolicy) string { return *p.PolicyArn })
	return &sdk.ListAttachedRolePoliciesOutput{AttachedPolicies: found, Marker: next, IsTruncated: more}, err
}
