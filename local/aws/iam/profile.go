package iam

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/wire"
)

// profile is an instance profile: what an EC2 instance gets its role by.
type profile struct {
	id, name, path, arn string
	created             time.Time
	tags                map[string]string
	roles               []*role
}

func (i *IAM) profile(name *string) (*profile, error) {
	p, ok := i.profiles[aws.StringValue(name)]
	if !ok {
		return nil, missing("Instance Profile %s cannot be found.", aws.StringValue(name))
	}
	return p, nil
}

func (p *profile) api() *sdk.InstanceProfile {
	out := &sdk.InstanceProfile{
		InstanceProfileId: aws.String(p.id), InstanceProfileName: aws.String(p.name), Path: aws.String(p.path),
		Arn: aws.String(p.arn), CreateDate: aws.Time(p.created), Roles: []*sdk.Role{},
	}
	for _, r := range p.roles {
		out.Roles = append(out.Roles, r.api())
	}
	return out
}

func (i *IAM) profilesOf(r *role) []*profile {
	var out []*profile
	for _, p := range i.profiles {
		if slices.Contains(p.roles, r) {
			out = append(out, p)
		}
	}
	return out
}

// CreateInstanceProfile makes an instance profile without a role.
func (i *IAM) CreateInstanceProfile(_ *wire.Call, in *sdk.CreateInstanceProfileInput) (*sdk.CreateInstanceProfileOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	for name := range i.profiles {
		if strings.EqualFold(name, *in.InstanceProfileName) {
			return nil, taken("Instance Profile %s already exists.", *in.InstanceProfileName)
		}
	}
	if len(i.profiles) >= maxProfiles {
		return nil, tooMany("InstanceProfilesPerAccount", maxProfiles)
	}
	p := &profile{
		id: newID("AIPA"), name: *in.InstanceProfileName, path: path, arn: i.arn("instance-profile", path, *in.InstanceProfileName),
		created: i.now(), tags: map[string]string{},
	}
	if err := setTags(p.tags, in.Tags); err != nil {
		return nil, err
	}
	i.profiles[p.name] = p
	out := p.api()
	out.Tags = tagList(p.tags)
	return &sdk.CreateInstanceProfileOutput{InstanceProfile: out}, nil
}

// GetInstanceProfile tells about an instance profile.
func (i *IAM) GetInstanceProfile(_ *wire.Call, in *sdk.GetInstanceProfileInput) (*sdk.GetInstanceProfileOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	out := p.api()
	out.Tags = tagList(p.tags)
	return &sdk.GetInstanceProfileOutput{InstanceProfile: out}, nil
}

// ListInstanceProfiles lists the instance profiles below a path.
func (i *IAM) ListInstanceProfiles(_ *wire.Call, in *sdk.ListInstanceProfilesInput) (*sdk.ListInstanceProfilesOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []*sdk.InstanceProfile
	for _, p := range i.profiles {
		if strings.HasPrefix(p.path, aws.StringValue(in.PathPrefix)) {
			all = append(all, p.api())
		}
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(p *sdk.InstanceProfile) string { return *p.InstanceProfileName })
	return &sdk.ListInstanceProfilesOutput{InstanceProfiles: found, Marker: next, IsTruncated: more}, err
}

// ListInstanceProfilesForRole lists the instance profiles that hold a role.
func (i *IAM) ListInstanceProfilesForRole(_ *wire.Call, in *sdk.ListInstanceProfilesForRoleInput) (*sdk.ListInstanceProfilesForRoleOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	r, err := i.role(in.RoleName)
	if err != nil {
		return nil, err
	}
	var all []*sdk.InstanceProfile
	for _, p := range i.profilesOf(r) {
		all = append(all, p.api())
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(p *sdk.InstanceProfile) string { return *p.InstanceProfileName })
	return &sdk.ListInstanceProfilesForRoleOutput{InstanceProfiles: found, Marker: next, IsTruncated: more}, err
}

// AddRoleToInstanceProfile puts a role into an instance profile, which holds one.
func (i *IAM) AddRoleToInstanceProfile(_ *wire.Call, in *sdk.AddRoleToInstanceProfileInput) (*sdk.AddRoleToInstanceProfileOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	r, err := i.change(in.RoleName)
	switch {
	case err != nil:
		return nil, err
	case len(p.roles) >= maxRolesOfProfile:
		return nil, tooMany("InstanceSessionsPerInstanceProfile", maxRolesOfProfile)
	}
	p.roles = append(p.roles, r)
	return nil, nil
}

// RemoveRoleFromInstanceProfile takes a role out of an instance profile.
func (i *IAM) RemoveRoleFromInstanceProfile(_ *wire.Call, in *sdk.RemoveRoleFromInstanceProfileInput) (*sdk.RemoveRoleFromInstanceProfileOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.profile(in.InstanceProfileName)
	if err != nil {
		return nil, err
	}
	r, err := i.change(in.RoleName)
	if err != nil {
		return nil, err
	}
	at := slices.Index(p.roles, r)
	if at < 0 {
		return nil, missing("The role with name %s cannot be found in the instance profile %s.", r.name, p.name)
	}
	p.roles = slices.Delete(p.roles, at, at+1)
	return nil, nil
}

// DeleteInstanceProfile removes an empty instance profile.
func (i *IAM) DeleteInstanceProfile(_ *wire.Call, in *sdk.DeleteInstanceProfileInput) (*sdk.DeleteInstanceProfileOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.profile(in.InstanceProfileName)
	switch {
	case err != nil:
		return nil, err
	case len(p.roles) > 0:
		return nil, inUse("Cannot delete entity, must remove roles from instance profile first.")
	}
	delete(i.profiles, p.name)
	return nil, nil
}
