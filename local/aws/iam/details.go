package iam

import (
	"maps"
	"path"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/wire"
)

// detail is a role or a policy with everything that hangs on it.
type detail struct {
	key    string
	role   *sdk.RoleDetail
	policy *sdk.ManagedPolicyDetail
}

// GetAccountAuthorizationDetails tells everything about everything, a page at a
// time. There are no users and no groups.
func (i *IAM) GetAccountAuthorizationDetails(_ *wire.Call, in *sdk.GetAccountAuthorizationDetailsInput) (*sdk.GetAccountAuthorizationDetailsOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	wanted := func(kind string) bool {
		return len(in.Filter) == 0 || slices.Contains(aws.StringValueSlice(in.Filter), kind)
	}
	var all []detail
	for name, r := range i.roles {
		if wanted(sdk.EntityTypeRole) {
			all = append(all, detail{key: "role/" + name, role: i.roleDetail(r)})
		}
	}
	for arn, p := range i.policies {
		if kind := map[bool]string{true: sdk.EntityTypeAwsmanagedPolicy, false: sdk.EntityTypeLocalManagedPolicy}[p.aws]; wanted(kind) {
			all = append(all, detail{key: "policy/" + arn, policy: i.policyDetail(p)})
		}
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(d detail) string { return d.key })
	out := &sdk.GetAccountAuthorizationDetailsOutput{Marker: next, IsTruncated: more}
	for _, d := range found {
		if d.role != nil {
			out.RoleDetailList = append(out.RoleDetailList, d.role)
		} else {
			out.Policies = append(out.Policies, d.policy)
		}
	}
	return out, err
}

func (i *IAM) roleDetail(r *role) *sdk.RoleDetail {
	whole := r.whole()
	out := &sdk.RoleDetail{
		Arn: whole.Arn, AssumeRolePolicyDocument: whole.AssumeRolePolicyDocument, CreateDate: whole.CreateDate, Path: whole.Path,
		PermissionsBoundary: whole.PermissionsBoundary, RoleId: whole.RoleId, RoleName: whole.RoleName, Tags: whole.Tags,
	}
	for _, name := range slices.Sorted(maps.Keys(r.inline)) {
		out.RolePolicyList = append(out.RolePolicyList, &sdk.PolicyDetail{PolicyName: aws.String(name), PolicyDocument: encoded(r.inline[name])})
	}
	for _, arn := range r.attached {
		out.AttachedManagedPolicies = append(out.AttachedManagedPolicies, &sdk.AttachedPolicy{PolicyArn: aws.String(arn), PolicyName: aws.String(path.Base(arn))})
	}
	for _, p := range i.profilesOf(r) {
		out.InstanceProfileList = append(out.InstanceProfileList, p.api())
	}
	return out
}

func (i *IAM) policyDetail(p *managed) *sdk.ManagedPolicyDetail {
	d := i.describe(p)
	out := &sdk.ManagedPolicyDetail{
		Arn: d.Arn, AttachmentCount: d.AttachmentCount, CreateDate: d.CreateDate, DefaultVersionId: d.DefaultVersionId, IsAttachable: d.IsAttachable,
		Path: d.Path, PermissionsBoundaryUsageCount: d.PermissionsBoundaryUsageCount, PolicyId: d.PolicyId, PolicyName: d.PolicyName, UpdateDate: d.UpdateDate,
	}
	for _, v := range p.versions {
		out.PolicyVersionList = append(out.PolicyVersionList, p.api(v, true))
	}
	return out
}
