package iam

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

// AWS's default quotas.
const (
	maxRoles          = 1000
	maxTrust          = 2048 // characters of a trust policy
	defaultSession    = 3600 // seconds
	maxInline         = 10_240
	maxAttached       = 10
	maxTags           = 50
	maxVersions       = 5
	maxPolicySize     = 6144
	maxPolicies       = 1500
	maxProfiles       = 1000
	maxRolesOfProfile = 1
)

// role is a role with everything that hangs on it.
type role struct {
	id, name, path, arn string
	description         string
	boundary            string
	trust               string
	document            policy.Document // trust, taken apart
	created             time.Time
	longest             int64 // seconds of a session
	linked              bool  // to a service, which alone may change it
	tags                map[string]string
	inline              map[string]string // document by name
	attached            []string          // ARNs
}

// role gives a role by name; i.mu is held.
func (i *IAM) role(name *string) (*role, error) {
	r, ok := i.roles[strings.ToLower(aws.StringValue(name))]
	if !ok {
		return nil, missing("The role with name %s cannot be found.", aws.StringValue(name))
	}
	return r, nil
}

// change gives a role that may be changed; i.mu is held.
func (i *IAM) change(name *string) (*role, error) {
	r, err := i.role(name)
	if err == nil && r.linked {
		return nil, wire.Errorf(http.StatusBadRequest, sdk.ErrCodeUnmodifiableEntityException,
			"Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.name)
	}
	return r, err
}

func (r *role) api() *sdk.Role {
	out := &sdk.Role{
		RoleId: aws.String(r.id), RoleName: aws.String(r.name), Path: aws.String(r.path), Arn: aws.String(r.arn),
		AssumeRolePolicyDocument: encoded(r.trust), CreateDate: aws.Time(r.created), MaxSessionDuration: aws.Int64(r.longest),
	}
	if r.description != "" {
		out.Description = aws.String(r.description)
	}
	if r.boundary != "" {
		out.PermissionsBoundary = &sdk.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: aws.String(r.boundary), PermissionsBoundaryType: aws.String("Policy"),
		}
	}
	return out
}

// whole is what GetRole and CreateRole tell and lists don't.
func (r *role) whole() *sdk.Role {
	out := r.api()
	out.Tags = tagList(r.tags)
	return out
}

// CreateRole makes a role.
func (i *IAM) CreateRole(_ *wire.Call, in *sdk.CreateRoleInput) (*sdk.CreateRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(path, "/aws-service-role/") {
		return nil, invalidInput("The path '%s' is reserved for roles that AWS services create", path)
	}
	r := &role{
		id: newID("AROA"), name: *in.RoleName, path: path, arn: i.arn("role", path, *in.RoleName),
		description: aws.StringValue(in.Description), boundary: aws.StringValue(in.PermissionsBoundary),
		created: i.now(), longest: defaultSession, tags: map[string]string{}, inline: map[string]string{},
	}
	if in.MaxSessionDuration != nil {
		r.longest = *in.MaxSessionDuration
	}
	if err := i.admit(r, in); err != nil {
		return nil, err
	}
	i.roles[strings.ToLower(r.name)] = r
	return &sdk.CreateRoleOutput{Role: r.whole()}, nil
}

// admit checks a new role and fills in what has to be checked first.
func (i *IAM) admit(r *role, in *sdk.CreateRoleInput) error {
	if _, ok := i.roles[strings.ToLower(r.name)]; ok {
		return taken("Role with name %s already exists.", r.name)
	}
	if len(i.roles) >= maxRoles {
		return tooMany("RolesPerAccount", maxRoles)
	}
	if _, ok := i.policies[r.boundary]; r.boundary != "" && !ok {
		return missing("Scope ARN: %s does not exist or is not attachable.", r.boundary)
	}
	if err := i.setTrust(r, *in.AssumeRolePolicyDocument); err != nil {
		return err
	}
	return setTags(r.tags, in.Tags)
}

// setTrust takes a trust policy whose roles exist.
func (i *IAM) setTrust(r *role, text string) error {
	if size(text) > maxTrust {
		return tooMany("ACLSizePerRole", maxTrust)
	}
	d, err := parsed(text, policy.Trust)
	if err != nil {
		return err
	}
	for _, arn := range d.Named() {
		if strings.HasPrefix(arn, i.arn("role", "/", "")) && !i.exists(arn) {
			return wire.Errorf(http.StatusBadRequest, sdk.ErrCodeMalformedPolicyDocumentException, "Invalid principal in policy: \"AWS\":\"%s\"", arn)
		}
	}
	r.trust, r.document = text, d
	return nil
}

// GetRole tells about a role.
func (i *IAM) GetRole(_ *wire.Call, in *sdk.GetRoleInput) (*sdk.GetRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRoleOutput{Role: r.whole()}, nil
}

// ListRoles lists the roles below a path.
func (i *IAM) ListRoles(_ *wire.Call, in *sdk.ListRolesInput) (*sdk.ListRolesOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []*sdk.Role
	for _, r := range i.roles {
		if strings.HasPrefix(r.path, aws.StringValue(in.PathPrefix)) {
			all = append(all, r.api())
		}
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(r *sdk.Role) string { return *r.RoleName })
	return &sdk.ListRolesOutput{Roles: found, Marker: next, IsTruncated: more}, err
}

// UpdateRole changes description and longest session.
func (i *IAM) UpdateRole(_ *wire.Call, in *sdk.UpdateRoleInput) (*sdk.UpdateRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		r.description = *in.Description
	}
	if in.MaxSessionDuration != nil {
		r.longest = *in.MaxSessionDuration
	}
	return nil, nil
}

// UpdateAssumeRolePolicy changes whom a role trusts.
func (i *IAM) UpdateAssumeRolePolicy(_ *wire.Call, in *sdk.UpdateAssumeRolePolicyInput) (*sdk.UpdateAssumeRolePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	return nil, i.setTrust(r, *in.PolicyDocument)
}

// DeleteRole removes a role on which nothing hangs any more.
func (i *IAM) DeleteRole(_ *wire.Call, in *sdk.DeleteRoleInput) (*sdk.DeleteRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	switch {
	case len(i.profilesOf(r)) > 0:
		return nil, inUse("Cannot delete entity, must remove roles from instance profile first.")
	case len(r.attached) > 0:
		return nil, inUse("Cannot delete entity, must detach all policies first.")
	case len(r.inline) > 0:
		return nil, inUse("Cannot delete entity, must delete policies first.")
	}
	delete(i.roles, strings.ToLower(r.name))
	return nil, nil
}

func setTags(have map[string]string, tags []*sdk.Tag) error {
	next := maps.Clone(have)
	given := map[string]bool{}
	for _, t := range tags {
		key := strings.ToLower(*t.Key)
		switch {
		case strings.HasPrefix(key, "aws:"):
			return invalidInput("Tag keys that start with aws: are reserved for AWS use")
		case given[key]:
			return invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		given[key] = true
		maps.DeleteFunc(next, func(k, _ string) bool { return strings.EqualFold(k, *t.Key) })
		next[*t.Key] = *t.Value
	}
	if len(next) > maxTags {
		return tooMany("TagsPerRole", maxTags)
	}
	clear(have)
	maps.Copy(have, next)
	return nil
}

func tagList(tags map[string]string) []*sdk.Tag {
	var out []*sdk.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, &sdk.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// TagRole adds tags or changes their values.
func (i *IAM) TagRole(_ *wire.Call, in *sdk.TagRoleInput) (*sdk.TagRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	return nil, setTags(r.tags, in.Tags)
}

// UntagRole takes tags off; those that aren't there are off already.
func (i *IAM) UntagRole(_ *wire.Call, in *sdk.UntagRoleInput) (*sdk.UntagRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		maps.DeleteFunc(r.tags, func(k, _ string) bool { return strings.EqualFold(k, *key) })
	}
	return nil, nil
}

// ListRoleTags lists a role's tags.
func (i *IAM) ListRoleTags(_ *wire.Call, in *sdk.ListRoleTagsInput) (*sdk.ListRoleTagsOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	found, next, more, err := page(in.Marker, in.MaxItems, tagList(r.tags), func(t *sdk.Tag) string { return *t.Key })
	return &sdk.ListRoleTagsOutput{Tags: found, Marker: next, IsTruncated: more}, err
}
