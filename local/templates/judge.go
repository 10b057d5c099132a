package templates

import (
	"fmt"
	"slices"
	"strings"

	"lifeline/local/aws/cloudformation/template"
)

// court judges one template.
type court struct {
	schemas  Schemas
	template *template.Template
	problems []*template.Problem
}

// Check lists everything wrong with a template, in the order of its lines. The
// error means that a schema can't be read.
func Check(body string, schemas Schemas) ([]*template.Problem, error) {
	t, err := template.Read(body)
	if err != nil {
		if p, ok := err.(*template.Problem); ok { //nolint:errorlint // Read gives nothing else
			return []*template.Problem{p}, nil
		}
		return nil, fmt.Errorf("read template: %w", err)
	}
	c := &court{schemas: schemas, template: t, problems: t.Check()}
	for _, r := range t.Resources {
		if err := c.resource(r); err != nil {
			return nil, err
		}
	}
	if err := c.attributes(); err != nil {
		return nil, err
	}
	c.unused()
	c.house()
	slices.SortStableFunc(c.problems, func(a, b *template.Problem) int { return a.Line - b.Line })
	return c.problems, nil
}

func (c *court) find(at *template.Node, format string, args ...any) {
	c.problems = append(c.problems, &template.Problem{Line: at.Line, Column: at.Column, Message: fmt.Sprintf(format, args...)})
}

func (c *court) resource(r *template.Resource) error {
	schema, err := c.schemas.Of(r.Type)
	if err != nil {
		return fmt.Errorf("judge %s: %w", r.Name, err)
	}
	if schema == nil {
		c.find(r.Node, "%s: AWS has no resource type %s", r.Name, r.Type)
		return nil
	}
	readOnly := schema.Attributes()
	for _, name := range schema.Required {
		if r.Properties.Get(name) == nil && !slices.Contains(readOnly, name) {
			c.find(r.Node, "%s: %s needs the property %s", r.Name, r.Type, name)
		}
	}
	if r.Properties == nil {
		return nil
	}
	for _, p := range r.Properties.Pairs {
		at := r.Name + "." + p.Key
		switch expected := schema.Properties[p.Key]; {
		case expected == nil:
			c.find(&template.Node{Line: p.Line, Column: p.Column}, "%s: %s has no property %s", r.Name, r.Type, p.Key)
		case slices.Contains(readOnly, p.Key):
			c.find(p.Value, "%s: is read only", at)
		default:
			c.value(schema, expected, p.Value, at)
		}
	}
	return nil
}

// attributes checks each GetAtt.
func (c *court) attributes() error {
	for _, ref := range c.template.Root.References() {
		r := c.template.Resource(ref.Name)
		if ref.Kind != "GetAtt" || r == nil {
			continue
		}
		schema, err := c.schemas.Of(r.Type)
		if err != nil {
			return fmt.Errorf("judge attribute of %s: %w", r.Name, err)
		}
		if schema != nil && !slices.Contains(schema.Attributes(), ref.Attribute) && !slices.Contains(names(schema.PrimaryIdentifier), ref.Attribute) {
			c.find(ref.Node, "%s of type %s has no attribute %s", r.Name, r.Type, ref.Attribute)
		}
	}
	return nil
}

// unused finds what is declared and never used.
func (c *court) unused() {
	used := map[string]bool{}
	for _, section := range []string{"Conditions", "Resources", "Outputs"} {
		for _, ref := range c.template.Root.Get(section).References() {
			used[ref.Kind+" "+ref.Name] = true
		}
	}
	for _, r := range c.template.Resources {
		used["Condition "+r.Condition] = true
	}
	for _, o := range c.template.Outputs {
		used["Condition "+o.Condition] = true
	}
	for _, p := range c.template.Parameters {
		if !used["Ref "+p.Name] {
			c.find(p.Node, "parameter %s is never used", p.Name)
		}
	}
	for _, p := range c.template.Conditions {
		if !used["Condition "+p.Key] {
			c.find(p.Value, "condition %s is never used", p.Key)
		}
	}
}

// house applies the rules for templates that operators deploy.
func (c *court) house() {
	if c.template.Description == "" {
		c.find(c.template.Root, "the template has no description")
	}
	for _, p := range c.template.Parameters {
		c.parameter(p)
	}
	for _, o := range c.template.Outputs {
		if o.Description == "" || o.Export == nil {
			c.find(o.Node, "output %s needs a description and an export", o.Name)
		}
	}
	for _, r := range c.template.Resources {
		if holdsData(r.Type) && (r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain") {
			c.find(r.Node, "%s holds data or keys: DeletionPolicy and UpdateReplacePolicy must be Retain", r.Name)
		}
		c.wildcards(r.Properties)
	}
}

func (c *court) parameter(p *template.Parameter) {
	switch {
	case p.Description == "":
		c.find(p.Node, "parameter %s has no description", p.Name)
	case p.Type == "String" && len(p.AllowedValues) == 0 && p.AllowedPattern == "" && p.MaxLength == nil:
		c.find(p.Node, "parameter %s takes any text", p.Name)
	case p.Type == "Number" && (p.MinValue == nil || p.MaxValue == nil):
		c.find(p.Node, "parameter %s takes any number", p.Name)
	}
	if p.Default == nil {
		return
	}
	if err := p.Accepts(*p.Default); err != nil {
		c.find(p.Node, "the default of parameter %s isn't allowed: %v", p.Name, err)
	}
}

func holdsData(resourceType string) bool {
	return slices.Contains([]string{
		"AWS::KMS::Key", "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::RDS::DBInstance",
		"AWS::RDS::DBCluster", "AWS::RDS::GlobalCluster", "AWS::Backup::BackupVault", "AWS::EC2::Volume", "AWS::EFS::FileSystem",
	}, resourceType)
}

// wildcards finds IAM actions that nobody has counted.
func (c *court) wildcards(n *template.Node) {
	if n == nil {
		return
	}
	for _, p := range n.Pairs {
		if p.Key == "Action" || p.Key == "NotAction" {
			for _, action := range append([]*template.Node{p.Value}, p.Value.Items...) {
				if strings.Contains(action.Text(), "*") {
					c.find(action, "IAM action %s has a wildcard", action.Text())
				}
			}
		}
		c.wildcards(p.Value)
	}
	for _, item := range n.Items {
		c.wildcards(item)
	}
}
