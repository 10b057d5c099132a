package cloudformation

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
)

// maxBody is the size of a template that travels in a request, in bytes.
const maxBody = 51_200

// request is what the operations that describe a stack have in common.
type request struct {
	body, url    *string
	usePrevious  *bool
	parameters   []*sdk.Parameter
	tags         []*sdk.Tag
	capabilities []*string
	notify       []*string
	role         *string
	previous     *design // of the stack that is updated; nil = a new one
}

// design reads a request and refuses what AWS refuses before it begins.
func (c *CloudFormation) design(r request) (*design, error) {
	body, err := r.template()
	if err != nil {
		return nil, err
	}
	parsed, err := template.Parse(body)
	if err != nil {
		return nil, invalid("%s", err)
	}
	if err := c.known(parsed); err != nil {
		return nil, err
	}
	d := &design{
		body: body, template: parsed, tags: map[string]string{}, role: aws.StringValue(r.role),
		capabilities: aws.StringValueSlice(r.capabilities), notify: aws.StringValueSlice(r.notify),
	}
	if d.given, err = r.given(parsed); err != nil {
		return nil, err
	}
	if d.values, err = parsed.Bind(d.given); err != nil {
		return nil, invalid("%s", err)
	}
	if err := d.acknowledged(); err != nil {
		return nil, err
	}
	for _, tag := range r.tags {
		if strings.HasPrefix(aws.StringValue(tag.Key), "aws:") {
			return nil, invalid("Tag key %s is reserved: it begins with aws:", aws.StringValue(tag.Key))
		}
		d.tags[aws.StringValue(tag.Key)] = aws.StringValue(tag.Value)
	}
	if r.tags == nil && r.previous != nil {
		d.tags = r.previous.tags
	}
	return d, nil
}

func (r request) template() (string, error) {
	switch {
	case aws.BoolValue(r.usePrevious) && r.previous != nil && r.body == nil && r.url == nil:
		return r.previous.body, nil
	case r.url != nil:
		return "", invalid("TemplateURL is not simulated; send the template as TemplateBody")
	case r.body == nil:
		return "", invalid("Either Template URL or Template Body must be specified.")
	case len(*r.body) > maxBody:
		return "", invalid("1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to %d", maxBody)
	}
	return *r.body, nil
}

// known refuses resource types that no kind serves.
func (c *CloudFormation) known(t *template.Template) error {
	var unknown []string
	for _, r := range t.Resources {
		if _, ok := c.kinds[r.Type]; !ok && !slices.Contains(unknown, r.Type) {
			unknown = append(unknown, r.Type)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return invalid("Template format error: Unrecognized resource types: [%s]", strings.Join(unknown, ", "))
}

// given are the values of parameters as text, those of the previous design where
// the request asks for it.
func (r request) given(t *template.Template) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range r.parameters {
		name := aws.StringValue(p.ParameterKey)
		switch {
		case !aws.BoolValue(p.UsePreviousValue):
			out[name] = aws.StringValue(p.ParameterValue)
		case r.previous == nil || r.previous.template.Parameter(name) == nil:
			return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true for a parameter key not in the previous template", name)
		case p.ParameterValue != nil:
			return nil, invalid("Invalid input for parameter key %s. Cannot specify usePreviousValue as true and non empty value for a parameter", name)
		default:
			if v, ok := r.previous.given[name]; ok && t.Parameter(name) != nil {
				out[name] = v
			}
		}
	}
	return out, nil
}

// acknowledged demands the capabilities that the template needs.
func (d *design) acknowledged() error {
	need := d.template.Capabilities()
	for _, capability := range need {
		if !slices.Contains(d.capabilities, capability) && !slices.Contains(d.capabilities, "CAPABILITY_NAMED_IAM") {
			return refuse(sdk.ErrCodeInsufficientCapabilitiesException, "Requires capabilities : [%s]", strings.Join(need, ", "))
		}
	}
	return nil
}

func checkStackName(name string) error {
	if !regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]{0,127}$`).MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name)
	}
	return nil
}
