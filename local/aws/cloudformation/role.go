package cloudformation

import (
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/cloudformation/template"
)

// roleKinds are IAM roles with their policies, and instance profiles.
func roleKinds() map[string]kind {
	return map[string]kind{
		"AWS::IAM::Role": {
			takes: 15 * time.Second, tagged: true, fixed: []string{"Path", "RoleName"},
			mutable: []string{"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Policies"},
			create:  createRole, read: readRole, update: updateRole, remove: deleteRole,
		},
		"AWS::IAM::InstanceProfile": {
			takes: 2 * time.Minute, fixed: []string{"InstanceProfileName", "Path"}, mutable: []string{"Roles"},
			create: createProfile, read: readProfile, update: updateProfile, remove: deleteProfile,
		},
	}
}

func createRole(h *hand, p props) (string, error) {
	in := &sdk.CreateRoleInput{
		RoleName: aws.String(h.name(64)), AssumeRolePolicyDocument: p.document("AssumeRolePolicyDocument"), Tags: tags[sdk.Tag](h, p),
	}
	if err := fill(in, p, "RoleName", "Path", "Description", "MaxSessionDuration"); err != nil {
		return "", err
	}
	if _, err := ask[sdk.CreateRoleOutput](h, "iam", "CreateRole", in); err != nil {
		return "", err
	}
	return *in.RoleName, setPolicies(h, *in.RoleName, nil, p)
}

// setPolicies puts and deletes inline policies, attaches and detaches managed ones.
func setPolicies(h *hand, id string, before, after props) error {
	kept := map[string]bool{}
	for _, policy := range after.objects("Policies") {
		name := policy.text("PolicyName")
		kept[aws.StringValue(name)] = true
		if _, err := ask[sdk.PutRolePolicyOutput](h, "iam", "PutRolePolicy",
			&sdk.PutRolePolicyInput{RoleName: &id, PolicyName: name, PolicyDocument: policy.document("PolicyDocument")}); err != nil {
			return err
		}
	}
	for _, policy := range before.objects("Policies") {
		if name := policy.text("PolicyName"); !kept[aws.StringValue(name)] {
			if _, err := ask[sdk.DeleteRolePolicyOutput](h, "iam", "DeleteRolePolicy", &sdk.DeleteRolePolicyInput{RoleName: &id, PolicyName: name}); err != nil && !absent(err) {
				return err
			}
		}
	}
	attach, detach := moved(before, after, "ManagedPolicyArns")
	for _, arn := range attach {
		if _, err := ask[sdk.AttachRolePolicyOutput](h, "iam", "AttachRolePolicy", &sdk.AttachRolePolicyInput{RoleName: &id, PolicyArn: arn}); err != nil {
			return err
		}
	}
	for _, arn := range detach {
		if _, err := ask[sdk.DetachRolePolicyOutput](h, "iam", "DetachRolePolicy", &sdk.DetachRolePolicyInput{RoleName: &id, PolicyArn: arn}); err != nil && !absent(err) {
			return err
		}
	}
	return nil
}

func updateRole(h *hand, id string, before, after props) error {
	if !template.Same(before["AssumeRolePolicyDocument"], after["AssumeRolePolicyDocument"]) {
		if _, err := ask[sdk.UpdateAssumeRolePolicyOutput](h, "iam", "UpdateAssumeRolePolicy",
			&sdk.UpdateAssumeRolePolicyInput{RoleName: &id, PolicyDocument: after.document("AssumeRolePolicyDocument")}); err != nil {
			return err
		}
	}
	in := &sdk.UpdateRoleInput{RoleName: &id}
	if err := fill(in, after, "Description", "MaxSessionDuration"); err != nil {
		return err
	}
	if _, err := ask[sdk.UpdateRoleOutput](h, "iam", "UpdateRole", in); err != nil {
		return err
	}
	if err := setPolicies(h, id, before, after); err != nil {
		return err
	}
	set, remove := retag[sdk.Tag](h, before, after)
	if len(set) > 0 {
		if _, err := ask[sdk.TagRoleOutput](h, "iam", "TagRole", &sdk.TagRoleInput{RoleName: &id, Tags: set}); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	_, err := ask[sdk.UntagRoleOutput](h, "iam", "UntagRole", &sdk.UntagRoleInput{RoleName: &id, TagKeys: remove})
	return err
}

func deleteRole(h *hand, id string, p props) error {
	if err := setPolicies(h, id, p, nil); err != nil {
		return err
	}
	_, err := ask[sdk.DeleteRoleOutput](h, "iam", "DeleteRole", &sdk.DeleteRoleInput{RoleName: &id})
	return err
}

func readRole(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.GetRoleOutput](h, "iam", "GetRole", &sdk.GetRoleInput{RoleName: &id})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.Role)
	live["AssumeRolePolicyDocument"] = readDocument(out.Role.AssumeRolePolicyDocument)
	names, err := ask[sdk.ListRolePoliciesOutput](h, "iam", "ListRolePolicies", &sdk.ListRolePoliciesInput{RoleName: &id})
	if err != nil {
		return nil, nil, err
	}
	policies := []any{}
	for _, name := range names.PolicyNames {
		policy, err := ask[sdk.GetRolePolicyOutput](h, "iam", "GetRolePolicy", &sdk.GetRolePolicyInput{RoleName: &id, PolicyName: name})
		if err != nil {
			return nil, nil, err
		}
		policies = append(policies, map[string]any{"PolicyName": *name, "PolicyDocument": readDocument(policy.PolicyDocument)})
	}
	live["Policies"] = policies
	attached, err := ask[sdk.ListAttachedRolePoliciesOutput](h, "iam", "ListAttachedRolePolicies", &sdk.ListAttachedRolePoliciesInput{RoleName: &id})
	if err != nil {
		return nil, nil, err
	}
	managed := []any{}
	for _, a := range attached.AttachedPolicies {
		managed = append(managed, *a.PolicyArn)
	}
	live["ManagedPolicyArns"] = managed
	return live, map[string]any{"Arn": live["Arn"], "RoleId": live["RoleId"]}, nil
}

func createProfile(h *hand, p props) (string, error) {
	in := &sdk.CreateInstanceProfileInput{InstanceProfileName: aws.String(h.name(128))}
	if err := fill(in, p, "InstanceProfileName", "Path"); err != nil {
		return "", err
	}
	if _, err := ask[sdk.CreateInstanceProfileOutput](h, "iam", "CreateInstanceProfile", in); err != nil {
		return "", err
	}
	return *in.InstanceProfileName, updateProfile(h, *in.InstanceProfileName, nil, p)
}

func updateProfile(h *hand, id string, before, after props) error {
	add, drop := moved(before, after, "Roles")
	for _, role := range drop {
		if _, err := ask[sdk.RemoveRoleFromInstanceProfileOutput](h, "iam", "RemoveRoleFromInstanceProfile",
			&sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &id, RoleName: role}); err != nil && !absent(err) {
			return err
		}
	}
	for _, role := range add {
		if _, err := ask[sdk.AddRoleToInstanceProfileOutput](h, "iam", "AddRoleToInstanceProfile",
			&sdk.AddRoleToInstanceProfileInput{InstanceProfileName: &id, RoleName: role}); err != nil {
			return err
		}
	}
	return nil
}

func deleteProfile(h *hand, id string, p props) error {
	if err := updateProfile(h, id, p, nil); err != nil {
		return err
	}
	_, err := ask[sdk.DeleteInstanceProfileOutput](h, "iam", "DeleteInstanceProfile", &sdk.DeleteInstanceProfileInput{InstanceProfileName: &id})
	return err
}

func readProfile(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.GetInstanceProfileOutput](h, "iam", "GetInstanceProfile", &sdk.GetInstanceProfileInput{InstanceProfileName: &id})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.InstanceProfile)
	roles := []any{}
	for _, r := range out.InstanceProfile.Roles {
		roles = append(roles, aws.StringValue(r.RoleName))
	}
	live["Roles"] = roles
	return live, map[string]any{"Arn": live["Arn"]}, nil
}
