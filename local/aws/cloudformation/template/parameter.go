package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parameter is one entry of Parameters.
type Parameter struct {
	Name, Type, Description string
	Default                 *string
	NoEcho                  bool
	AllowedValues           []string
	AllowedPattern          string
	ConstraintDescription   string
	MinLength, MaxLength    *float64
	MinValue, MaxValue      *float64
	Node                    *Node
}

func readParameter(p Pair) (*Parameter, error) {
	known := []string{
		"Type", "Default", "NoEcho", "AllowedValues", "AllowedPattern", "ConstraintDescription",
		"Description", "MinLength", "MaxLength", "MinValue", "MaxValue",
	}
	for _, member := range p.Value.Pairs {
		if !slices.Contains(known, member.Key) {
			return nil, &Problem{member.Line, member.Column, "Invalid template parameter property '" + member.Key + "'"}
		}
	}
	out := &Parameter{
		Name: p.Key, Type: p.Value.Get("Type").Text(), Description: p.Value.Get("Description").Text(),
		NoEcho:                p.Value.Get("NoEcho").Text() == "true",
		AllowedPattern:        p.Value.Get("AllowedPattern").Text(),
		ConstraintDescription: p.Value.Get("ConstraintDescription").Text(), Node: p.Value,
	}
	if d := p.Value.Get("Default"); d != nil {
		text := d.Text()
		out.Default = &text
	}
	if list := p.Value.Get("AllowedValues"); list != nil {
		for _, item := range list.Items {
			out.AllowedValues = append(out.AllowedValues, item.Text())
		}
	}
	for key, target := range map[string]**float64{
		"MinLength": &out.MinLength, "MaxLength": &out.MaxLength, "MinValue": &out.MinValue, "MaxValue": &out.MaxValue,
	} {
		if text := p.Value.Get(key).Text(); text != "" {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, p.Value.problem("Template format error: Every %s member must be a number.", key)
			}
			*target = &f
		}
	}
	return out, out.checkDeclaration()
}

func (p *Parameter) checkDeclaration() error {
	if !alphanumeric(p.Name) {
		return p.Node.problem("Template format error: Parameter name %s is non alphanumeric.", p.Name)
	}
	if _, known := idPattern(p.inner()); !known && !slices.Contains([]string{"String", "Number", "CommaDelimitedList", "List<Number>"}, p.Type) {
		return p.Node.problem("Template format error: Unrecognized parameter type: %s", p.Type)
	}
	if _, err := regexp.Compile(p.AllowedPattern); err != nil {
		return p.Node.problem("Template format error: The AllowedPattern of parameter %s is no regular expression.", p.Name)
	}
	return nil
}

// inner is the type of the items of a list type, or the type itself.
func (p *Parameter) inner() string {
	return strings.TrimSuffix(strings.TrimPrefix(p.Type, "List<"), ">")
}

func (p *Parameter) list() bool {
	return p.Type == "CommaDelimitedList" || strings.HasPrefix(p.Type, "List<")
}

// idPattern is how the ids of an AWS-specific parameter type look.
func idPattern(awsType string) (pattern string, known bool) {
	prefix, known := map[string]string{
		"AWS::EC2::VPC::Id": "vpc-", "AWS::EC2::Subnet::Id": "subnet-", "AWS::EC2::SecurityGroup::Id": "sg-",
		"AWS::EC2::Image::Id": "ami-", "AWS::EC2::Instance::Id": "i-", "AWS::EC2::Volume::Id": "vol-",
	}[awsType]
	if known {
		return `^` + prefix + `([0-9a-f]{8}|[0-9a-f]{17})$`, true
	}
	switch awsType {
	case "AWS::EC2::AvailabilityZone::Name":
		return `^[a-z]+(-[a-z]+)+-\d[a-z]$`, true
	case "AWS::EC2::KeyPair::KeyName":
		return `^.{1,255}$`, true
	case "AWS::Route53::HostedZone::Id":
		return `^Z[0-9A-Z]{1,31}$`, true
	}
	return "", false
}

// Bind gives every parameter its value: a string, or a []any of strings for
// lists. The error is AWS's message.
func (t *Template) Bind(given map[string]string) (map[string]any, error) {
	if err := t.unknown(given); err != nil {
		return nil, err
	}
	out := map[string]any{}
	var missing []string
	for _, p := range t.Parameters {
		text, ok := given[p.Name]
		if !ok && p.Default == nil {
			missing = append(missing, p.Name)
			continue
		}
		if !ok {
			text = *p.Default
		}
		value, err := p.accept(text)
		if err != nil {
			return nil, err
		}
		out[p.Name] = value
	}
	if len(missing) > 0 {
		return nil, t.Root.problem("Parameters: [%s] must have values", strings.Join(missing, ", "))
	}
	return out, nil
}

func (t *Template) unknown(given map[string]string) error {
	var unknown []string
	for name := range given {
		if t.Parameter(name) == nil {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return t.Root.problem("Parameters: [%s] do not exist in the template", strings.Join(unknown, ", "))
}

// Accepts says what is wrong with a value; nil when nothing is.
func (p *Parameter) Accepts(text string) error {
	_, err := p.accept(text)
	return err
}

// accept checks a value against the declaration.
func (p *Parameter) accept(text string) (any, error) {
	if !p.list() {
		return text, p.check(text)
	}
	out := []any{}
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		if err := p.check(item); err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

func (p *Parameter) check(text string) error {
	length := float64(utf8.RuneCountInString(text))
	switch {
	case len(p.AllowedValues) > 0 && !slices.Contains(p.AllowedValues, text):
		return p.refuse("Parameter '%s' must be one of AllowedValues", p.Name)
	case p.AllowedPattern != "" && !regexp.MustCompile(`\A(?:`+p.AllowedPattern+`)\z`).MatchString(text):
		return p.refuse("Parameter '%s' must match pattern %s", p.Name, p.AllowedPattern)
	case p.MinLength != nil && length < *p.MinLength:
		return p.refuse("Parameter '%s' must contain at least %.0f characters", p.Name, *p.MinLength)
	case p.MaxLength != nil && length > *p.MaxLength:
		return p.refuse("Parameter '%s' must contain at most %.0f characters", p.Name, *p.MaxLength)
	}
	if pattern, _ := idPattern(p.inner()); pattern != "" && !regexp.MustCompile(pattern).MatchString(text) {
		return p.Node.problem("Parameter validation failed: parameter value %s for parameter name %s does not exist", text, p.Name)
	}
	if p.inner() == "Number" {
		return p.checkNumber(text)
	}
	return nil
}

func (p *Parameter) checkNumber(text string) error {
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil:
		return p.refuse("Parameter '%s' must be a number", p.Name)
	case p.MinValue != nil && f < *p.MinValue:
		return p.refuse("Parameter '%s' must be a number not less than %.0f", p.Name, *p.MinValue)
	case p.MaxValue != nil && f > *p.MaxValue:
		return p.refuse("Parameter '%s' must be a number not greater than %.0f", p.Name, *p.MaxValue)
	}
	return nil
}

// refuse prefers the author's words to AWS's.
func (p *Parameter) refuse(format string, args ...any) error {
	if p.ConstraintDescription != "" {
		return p.Node.problem("Parameter '%s' failed to satisfy constraint: %s", p.Name, p.ConstraintDescription)
	}
	return p.Node.problem(format, args...)
}
