package iam

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

// managed is a policy that stands on its own.
type managed struct {
	id, name, path, arn string
	description         string
	aws                 bool
	created, updated    time.Time
	tags                map[string]string
	versions            []version // oldest first
	current             string    // the version in force
	last                int       // number of the newest version ever
}

type version struct {
	id, document string
	created      time.Time
}

func (i *IAM) now() time.Time { return i.world.Now().UTC().Truncate(time.Second) }

// managed gives a policy by ARN; i.mu is held.
func (i *IAM) managed(arn *string) (*managed, error) {
	p, ok := i.policies[aws.StringValue(arn)]
	if !ok {
		return nil, missing("Policy %s was not found.", aws.StringValue(arn))
	}
	return p, nil
}

// own gives a policy of this account, since nobody changes AWS's; i.mu is held.
func (i *IAM) own(arn *string) (*managed, error) {
	p, err := i.managed(arn)
	if err == nil && p.aws {
		return nil, wire.Errorf(http.StatusForbidden, "AccessDenied", "User is not authorized to change the AWS managed policy %s", p.arn)
	}
	return p, err
}

func (i *IAM) attachments(p *managed) int64 {
	var n int64
	for _, r := range i.roles {
		if slices.Contains(r.attached, p.arn) {
			n++
		}
	}
	return n
}

func (i *IAM) boundaries(p *managed) int64 {
	var n int64
	for _, r := range i.roles {
		if r.boundary == p.arn {
			n++
		}
	}
	return n
}

func (i *IAM) describe(p *managed) *sdk.Policy {
	return &sdk.Policy{
		PolicyId: aws.String(p.id), PolicyName: aws.String(p.name), Path: aws.String(p.path), Arn: aws.String(p.arn),
		DefaultVersionId: aws.String(p.current), IsAttachable: aws.Bool(true),
		AttachmentCount: aws.Int64(i.attachments(p)), PermissionsBoundaryUsageCount: aws.Int64(i.boundaries(p)),
		CreateDate: aws.Time(p.created), UpdateDate: aws.Time(p.updated),
	}
}

func (p *managed) add(document string, now time.Time, inForce bool) version {
	p.last++
	v := version{id: fmt.Sprintf("v%d", p.last), document: document, created: now}
	p.versions = append(p.versions, v)
	if inForce {
		p.current, p.updated = v.id, now
	}
	return v
}

func (p *managed) version(id *string) (version, error) {
	for _, v := range p.versions {
		if v.id == aws.StringValue(id) {
			return v, nil
		}
	}
	return version{}, missing("Policy %s version %s does not exist or is not attachable.", p.arn, aws.StringValue(id))
}

// api is a version; lists leave the document out.
func (p *managed) api(v version, document bool) *sdk.PolicyVersion {
	out := &sdk.PolicyVersion{VersionId: aws.String(v.id), IsDefaultVersion: aws.Bool(v.id == p.current), CreateDate: aws.Time(v.created)}
	if document {
		out.Document = encoded(v.document)
	}
	return out
}

// checkDocument refuses what can't be a managed policy.
func checkDocument(text string) error {
	if size(text) > maxPolicySize {
		return tooMany("PolicySize", maxPolicySize)
	}
	_, err := parsed(text, policy.Identity)
	return err
}

// CreatePolicy makes a customer managed policy with its first version.
func (i *IAM) CreatePolicy(_ *wire.Call, in *sdk.CreatePolicyInput) (*sdk.CreatePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	p := &managed{
		id: newID("ANPA"), name: *in.PolicyName, path: path, arn: i.arn("policy", path, *in.PolicyName),
		description: aws.StringValue(in.Description), created: i.now(), tags: map[string]string{},
	}
	mine := 0
	for _, other := range i.policies {
		if !other.aws && strings.EqualFold(other.name, p.name) {
			return nil, taken("A policy called %s already exists. Duplicate names are not allowed.", p.name)
		}
		if !other.aws {
			mine++
		}
	}
	if mine >= maxPolicies {
		return nil, tooMany("PoliciesPerAccount", maxPolicies)
	}
	if err := checkDocument(*in.PolicyDocument); err != nil {
		return nil, err
	}
	if err := setTags(p.tags, in.Tags); err != nil {
		return nil, err
	}
	p.add(*in.PolicyDocument, p.created, true)
	i.policies[p.arn] = p
	out := i.describe(p)
	out.Tags = tagList(p.tags)
	return &sdk.CreatePolicyOutput{Policy: out}, nil
}

// GetPolicy tells about a managed policy.
func (i *IAM) GetPolicy(_ *wire.Call, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.managed(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := i.describe(p)
	out.Tags = tagList(p.tags)
	if p.description != "" {
		out.Description = aws.String(p.description)
	}
	return &sdk.GetPolicyOutput{Policy: out}, nil
}

// ListPolicies lists AWS's policies, the account's own, or both.
func (i *IAM) ListPolicies(_ *wire.Call, in *sdk.ListPoliciesInput) (*sdk.ListPoliciesOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []*sdk.Policy
	for _, p := range i.policies {
		if i.wanted(p, in) {
			all = append(all, i.describe(p))
		}
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(p *sdk.Policy) string { return *p.Arn })
	return &sdk.ListPoliciesOutput{Policies: found, Marker: next, IsTruncated: more}, err
}

func (i *IAM) wanted(p *managed, in *sdk.ListPoliciesInput) bool {
	switch aws.StringValue(in.Scope) {
	case sdk.PolicyScopeTypeAws:
		if !p.aws {
			return false
		}
	case sdk.PolicyScopeTypeLocal:
		if p.aws {
			return false
		}
	}
	if aws.BoolValue(in.OnlyAttached) && i.attachments(p) == 0 {
		return false
	}
	if aws.StringValue(in.PolicyUsageFilter) == sdk.PolicyUsageTypePermissionsBoundary && i.boundaries(p) == 0 {
		return false
	}
	return strings.HasPrefix(p.path, aws.StringValue(in.PathPrefix))
}

// DeletePolicy removes a policy that nobody has and that has one version left.
func (i *IAM) DeletePolicy(_ *wire.Call, in *sdk.DeletePolicyInput) (*sdk.DeletePolicyOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.own(in.PolicyArn)
	switch {
	case err != nil:
		return nil, err
	case i.attachments(p)+i.boundaries(p) > 0:
		return nil, inUse("Cannot delete a policy attached to entities.")
	case len(p.versions) > 1:
		return nil, inUse("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(i.policies, p.arn)
	return nil, nil
}

// CreatePolicyVersion adds a version, in force or not.
func (i *IAM) CreatePolicyVersion(_ *wire.Call, in *sdk.CreatePolicyVersionInput) (*sdk.CreatePolicyVersionOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	if err := checkDocument(*in.PolicyDocument); err != nil {
		return nil, err
	}
	if len(p.versions) >= maxVersions {
		return nil, wire.Errorf(http.StatusConflict, sdk.ErrCodeLimitExceededException,
			"A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	v := p.add(*in.PolicyDocument, i.now(), aws.BoolValue(in.SetAsDefault))
	return &sdk.CreatePolicyVersionOutput{PolicyVersion: p.api(v, false)}, nil
}

// GetPolicyVersion reads a version's document.
func (i *IAM) GetPolicyVersion(_ *wire.Call, in *sdk.GetPolicyVersionInput) (*sdk.GetPolicyVersionOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.managed(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := p.version(in.VersionId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetPolicyVersionOutput{PolicyVersion: p.api(v, true)}, nil
}

// ListPolicyVersions lists a policy's versions.
func (i *IAM) ListPolicyVersions(_ *wire.Call, in *sdk.ListPolicyVersionsInput) (*sdk.ListPolicyVersionsOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.managed(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	all := make([]*sdk.PolicyVersion, 0, len(p.versions))
	for _, v := range p.versions {
		all = append(all, p.api(v, false))
	}
	found, next, more, err := page(in.Marker, in.MaxItems, all, func(v *sdk.PolicyVersion) string { return fmt.Sprintf("%9s", *v.VersionId) })
	return &sdk.ListPolicyVersionsOutput{Versions: found, Marker: next, IsTruncated: more}, err
}

// DeletePolicyVersion removes a version that isn't in force.
func (i *IAM) DeletePolicyVersion(_ *wire.Call, in *sdk.DeletePolicyVersionInput) (*sdk.DeletePolicyVersionOutput, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	p, err := i.own(in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v, err := p.version(in.VersionId)
	if err != nil {
		return nil, err
	}
	if v.id == p.current {
		return nil, inUse("Cannot delete the default version of a policy.")
	}
	p.versions = slices.DeleteFunc(p.versions, func(o version) bool { return o.id == v.id })
	return nil, nil
}
