package ec2

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// template is a launch template with all its versions, oldest first.
type template struct {
	api      *sdk.LaunchTemplate
	versions []*sdk.LaunchTemplateVersion
}

// version resolves "$Latest", "$Default", "" (the default) or a number.
func (t *template) version(v string) (*sdk.LaunchTemplateVersion, error) {
	number := *t.api.DefaultVersionNumber
	switch v {
	case "", "$Default":
	case "$Latest":
		number = *t.api.LatestVersionNumber
	default:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the launch template version %s", v)
		}
		number = n
	}
	for _, known := range t.versions {
		if *known.VersionNumber == number {
			return known, nil
		}
	}
	return nil, refuse("InvalidLaunchTemplateId.VersionNotFound", "Could not find the launch template version %d", number)
}

// findTemplate resolves a template by id or name.
func (r *region) findTemplate(id, name *string) (*template, error) {
	if id != nil {
		if t, ok := r.templates.get(id); ok {
			return t, nil
		}
		return nil, refuse("InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID %s, does not exist.", *id)
	}
	for _, t := range r.templates.all() {
		if *t.api.LaunchTemplateName == aws.StringValue(name) {
			return t, nil
		}
	}
	return nil, refuse("InvalidLaunchTemplateName.NotFoundException",
		"At least one of the launch templates specified in the request does not exist: %s", aws.StringValue(name))
}

// as copies template data between the request and the response shape, which
// have the same members under the same names.
func as[T any](v any) (*T, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("copy launch template data: %w", err)
	}
	out := new(T)
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("copy launch template data: %w", err)
	}
	return out, nil
}

// CreateLaunchTemplate makes a template with its first version.
func (e *EC2) CreateLaunchTemplate(c *wire.Call, in *sdk.CreateLaunchTemplateInput) (*sdk.CreateLaunchTemplateOutput, error) {
	data, err := as[sdk.ResponseLaunchTemplateData](in.LaunchTemplateData)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	if _, err := r.findTemplate(nil, in.LaunchTemplateName); err == nil {
		return nil, refuse("InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use.")
	}
	t := &template{api: &sdk.LaunchTemplate{
		LaunchTemplateId: aws.String(e.world.NewID("lt-")), LaunchTemplateName: aws.String(*in.LaunchTemplateName),
		CreateTime: aws.Time(e.world.Now()), CreatedBy: aws.String("arn:aws:iam::" + e.world.Account() + ":root"),
		DefaultVersionNumber: aws.Int64(1), LatestVersionNumber: aws.Int64(0),
		Tags: tagsFor(in.TagSpecifications, "launch-template"),
	}}
	e.addVersion(t, data, in.VersionDescription)
	r.templates.put(*t.api.LaunchTemplateId, t)
	return &sdk.CreateLaunchTemplateOutput{LaunchTemplate: clone(t.api)}, nil
}

func (e *EC2) addVersion(t *template, data *sdk.ResponseLaunchTemplateData, description *string) *sdk.LaunchTemplateVersion {
	*t.api.LatestVersionNumber++
	v := &sdk.LaunchTemplateVersion{
		LaunchTemplateId: t.api.LaunchTemplateId, LaunchTemplateName: t.api.LaunchTemplateName,
		VersionNumber: aws.Int64(*t.api.LatestVersionNumber), VersionDescription: description,
		CreateTime: aws.Time(e.world.Now()), CreatedBy: t.api.CreatedBy, LaunchTemplateData: data,
	}
	t.versions = append(t.versions, v)
	return v
}

func (t *template) describe(v *sdk.LaunchTemplateVersion) *sdk.LaunchTemplateVersion {
	out := clone(v)
	out.DefaultVersion = aws.Bool(*v.VersionNumber == *t.api.DefaultVersionNumber)
	return out
}

// CreateLaunchTemplateVersion adds a version, on top of SourceVersion where one
// is named. It doesn't become the default.
func (e *EC2) CreateLaunchTemplateVersion(c *wire.Call, in *sdk.CreateLaunchTemplateVersionInput) (*sdk.CreateLaunchTemplateVersionOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.in(c.Region).findTemplate(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	data := &sdk.ResponseLaunchTemplateData{}
	if in.SourceVersion != nil {
		source, err := t.version(*in.SourceVersion)
		if err != nil {
			return nil, err
		}
		data = clone(source.LaunchTemplateData)
	}
	raw, err := json.Marshal(in.LaunchTemplateData)
	if err != nil {
		return nil, fmt.Errorf("copy launch template data: %w", err)
	}
	if err := overlay(raw, data); err != nil {
		return nil, err
	}
	return &sdk.CreateLaunchTemplateVersionOutput{LaunchTemplateVersion: t.describe(e.addVersion(t, data, in.VersionDescription))}, nil
}

// overlay sets in data the members that raw has and that are not null.
func overlay(raw []byte, data *sdk.ResponseLaunchTemplateData) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return fmt.Errorf("copy launch template data: %w", err)
	}
	for name, v := range members {
		if string(v) == "null" {
			delete(members, name)
		}
	}
	raw, err := json.Marshal(members)
	if err != nil {
		return fmt.Errorf("copy launch template data: %w", err)
	}
	if err := json.Unmarshal(raw, data); err != nil {
		return fmt.Errorf("copy launch template data: %w", err)
	}
	return nil
}

// ModifyLaunchTemplate sets the default version.
func (e *EC2) ModifyLaunchTemplate(c *wire.Call, in *sdk.ModifyLaunchTemplateInput) (*sdk.ModifyLaunchTemplateOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.in(c.Region).findTemplate(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	v, err := t.version(aws.StringValue(in.DefaultVersion))
	if err != nil {
		return nil, err
	}
	t.api.DefaultVersionNumber = aws.Int64(*v.VersionNumber)
	return &sdk.ModifyLaunchTemplateOutput{LaunchTemplate: clone(t.api)}, nil
}

// DeleteLaunchTemplate removes a template; instances launched from it stay.
func (e *EC2) DeleteLaunchTemplate(c *wire.Call, in *sdk.DeleteLaunchTemplateInput) (*sdk.DeleteLaunchTemplateOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	t, err := r.findTemplate(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	r.templates.drop(*t.api.LaunchTemplateId)
	return &sdk.DeleteLaunchTemplateOutput{LaunchTemplate: clone(t.api)}, nil
}

// DescribeLaunchTemplates lists templates.
func (e *EC2) DescribeLaunchTemplates(c *wire.Call, in *sdk.DescribeLaunchTemplatesInput) (*sdk.DescribeLaunchTemplatesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	var asked []*template
	for _, id := range in.LaunchTemplateIds {
		t, err := r.findTemplate(id, nil)
		if err != nil {
			return nil, err
		}
		asked = append(asked, t)
	}
	for _, name := range in.LaunchTemplateNames {
		t, err := r.findTemplate(nil, name)
		if err != nil {
			return nil, err
		}
		asked = append(asked, t)
	}
	if len(asked) == 0 {
		asked = r.templates.all()
	}
	found, err := choose(in.Filters, asked, func(t *template) (fields, []*sdk.Tag) {
		return fields{"launch-template-name": one(t.api.LaunchTemplateName)}, t.api.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeLaunchTemplatesOutput{NextToken: next}
	for _, t := range found {
		out.LaunchTemplates = append(out.LaunchTemplates, clone(t.api))
	}
	return out, err
}

// DescribeLaunchTemplateVersions lists the versions of a template, newest first.
func (e *EC2) DescribeLaunchTemplateVersions(c *wire.Call, in *sdk.DescribeLaunchTemplateVersionsInput) (*sdk.DescribeLaunchTemplateVersionsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.in(c.Region).findTemplate(in.LaunchTemplateId, in.LaunchTemplateName)
	if err != nil {
		return nil, err
	}
	found := slices.Clone(t.versions)
	if len(in.Versions) > 0 {
		found = nil
	}
	for _, name := range in.Versions {
		v, err := t.version(aws.StringValue(name))
		if err != nil {
			return nil, err
		}
		found = append(found, v)
	}
	slices.SortFunc(found, func(a, b *sdk.LaunchTemplateVersion) int { return int(*b.VersionNumber - *a.VersionNumber) })
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeLaunchTemplateVersionsOutput{NextToken: next}
	for _, v := range found {
		out.LaunchTemplateVersions = append(out.LaunchTemplateVersions, t.describe(v))
	}
	return out, err
}
