package cloudformation

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
	"lifeline/local/aws/wire"
)

// GetTemplate gives the template of a stack or of a change set as it was sent.
func (c *CloudFormation) GetTemplate(call *wire.Call, in *sdk.GetTemplateInput) (*sdk.GetTemplateOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stages := aws.StringSlice([]string{sdk.TemplateStageOriginal, sdk.TemplateStageProcessed})
	if in.ChangeSetName != nil {
		set, err := c.findChangeSet(call.Region, in.StackName, in.ChangeSetName)
		if err != nil {
			return nil, err
		}
		return &sdk.GetTemplateOutput{TemplateBody: aws.String(set.design.body), StagesAvailable: stages}, nil
	}
	s, err := c.find(call.Region, in.StackName)
	if err != nil {
		return nil, err
	}
	if s.design == nil {
		return nil, invalid("Stack with id %s does not have a template", s.name)
	}
	return &sdk.GetTemplateOutput{TemplateBody: aws.String(s.design.body), StagesAvailable: stages}, nil
}

// ValidateTemplate checks a template without parameters or resource types, as
// AWS does: a type that doesn't exist passes.
func (c *CloudFormation) ValidateTemplate(_ *wire.Call, in *sdk.ValidateTemplateInput) (*sdk.ValidateTemplateOutput, error) {
	t, err := parse(request{body: in.TemplateBody, url: in.TemplateURL})
	if err != nil {
		return nil, err
	}
	out := &sdk.ValidateTemplateOutput{
		Description: text(t.Description), Capabilities: aws.StringSlice(t.Capabilities()), CapabilitiesReason: capabilitiesReason(t),
	}
	for _, p := range t.Parameters {
		out.Parameters = append(out.Parameters, &sdk.TemplateParameter{
			ParameterKey: aws.String(p.Name), DefaultValue: p.Default, NoEcho: aws.Bool(p.NoEcho), Description: text(p.Description),
		})
	}
	return out, nil
}

func parse(r request) (*template.Template, error) {
	body, err := r.template()
	if err != nil {
		return nil, err
	}
	t, err := template.Parse(body)
	if err != nil {
		return nil, invalid("%s", err)
	}
	return t, nil
}

func capabilitiesReason(t *template.Template) *string {
	if len(t.Capabilities()) == 0 {
		return nil
	}
	var types []string
	for _, r := range t.Resources {
		if strings.HasPrefix(r.Type, "AWS::IAM::") && !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	return aws.String("The following resource(s) require capabilities: [" + strings.Join(types, ", ") + "]")
}

// GetTemplateSummary tells what a template takes and makes.
func (c *CloudFormation) GetTemplateSummary(call *wire.Call, in *sdk.GetTemplateSummaryInput) (*sdk.GetTemplateSummaryOutput, error) {
	t, err := c.summarised(call.Region, in)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetTemplateSummaryOutput{
		Description: text(t.Description), Version: text(t.Root.Get("AWSTemplateFormatVersion").Text()),
		Capabilities: aws.StringSlice(t.Capabilities()), CapabilitiesReason: capabilitiesReason(t),
	}
	for _, p := range t.Parameters {
		out.Parameters = append(out.Parameters, &sdk.ParameterDeclaration{
			ParameterKey: aws.String(p.Name), ParameterType: aws.String(p.Type), DefaultValue: p.Default, NoEcho: aws.Bool(p.NoEcho),
			Description: text(p.Description), ParameterConstraints: &sdk.ParameterConstraints{AllowedValues: aws.StringSlice(p.AllowedValues)},
		})
	}
	var types []string
	for _, r := range t.Resources {
		if !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	out.ResourceTypes = aws.StringSlice(types)
	return out, nil
}

func (c *CloudFormation) summarised(region string, in *sdk.GetTemplateSummaryInput) (*template.Template, error) {
	if in.StackName == nil {
		return parse(request{body: in.TemplateBody, url: in.TemplateURL})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(region, in.StackName)
	if err != nil {
		return nil, err
	}
	if s.design == nil {
		return nil, invalid("Stack with id %s does not have a template", s.name)
	}
	return s.design.template, nil
}
