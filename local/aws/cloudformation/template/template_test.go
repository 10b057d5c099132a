package template_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/cloudformation/template"
)

// scope evaluates in a stack with one resource called R.
func scope(t *testing.T, body string, given map[string]string) *template.Scope {
	t.Helper()
	parsed, err := template.Parse(body)
	require.NoError(t, err)
	values, err := parsed.Bind(given)
	require.NoError(t, err)
	return &template.Scope{
		Template: parsed, Parameters: values,
		Pseudo:   map[string]any{"AWS::Region": "us-west-2", "AWS::StackName": "s"},
		Resource: func(name string) (any, error) { return "id-of-" + name, nil },
		Attribute: func(name, attribute string) (any, error) {
			if attribute == "Later" {
				return template.Unknown{}, nil
			}
			return name + "'s " + attribute, nil
		},
		Import: func(name string) (any, error) {
			if name != "net-vpc" {
				return nil, errors.New("no export")
			}
			return "vpc-1", nil
		},
		Zones: func(region string) []string { return []string{region + "a", region + "b"} },
	}
}

func TestValue_OfEveryFunctionInBothForms(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"id-of-R":        {`!Ref R`, `{Ref: R}`},
		"production":     {`!Ref Stage`},
		"us-west-2":      {`!Ref "AWS::Region"`},
		"R's Arn":        {`!GetAtt R.Arn`, `!GetAtt [R, Arn]`, `{"Fn::GetAtt": [R, Arn]}`, `!Sub "${R.Arn}"`},
		"R's A.B":        {`!GetAtt R.A.B`},
		"s-production":   {`!Sub "${AWS::StackName}-${Stage}"`, `!Join ["-", [!Ref "AWS::StackName", !Ref Stage]]`, `{"Fn::Sub": "${AWS::StackName}-${Stage}"}`},
		"${Literal} x-y": {`!Sub ["${!Literal} ${Local}-y", {Local: x}]`},
		"us-west-2b":     {`!Select [1, !GetAZs ""]`, `!Select [1, {"Fn::GetAZs": {Ref: "AWS::Region"}}]`},
		"b":              {`!Select [1, !Split [",", "a,b,c"]]`},
		"10.0.32.0/20":   {`!Select [2, !Cidr [10.0.0.0/16, 9, 12]]`},
		"aGk=":           {`!Base64 hi`, `{"Fn::Base64": hi}`},
		"vpc-1":          {`!ImportValue net-vpc`, `!ImportValue {"Fn::Sub": "net-vpc"}`},
		"m6i.large":      {`!FindInMap [Sizes, production, type]`, `!FindInMap [Sizes, !Ref Stage, type]`},
		"yes":            {`!If [IsProduction, "yes", "no"]`, `!If [IsSmall, "no", "yes"]`},
		"first":          {`!Select ["0", !Ref List]`},
	} {
		for _, text := range texts {
			s := scope(t, `
Parameters:
  Stage: {Type: String, Default: production}
  List: {Type: CommaDelimitedList, Default: "first, second"}
Mappings: {Sizes: {production: {type: m6i.large}}}
Conditions:
  IsProduction: !Equals [!Ref Stage, production]
  IsSmall: !And [!Condition IsProduction, !Not [!Or [!Equals [a, b], !Equals [!Ref Stage, production]]]]
Resources: {R: {Type: A::B::C}, Other: {Type: A::B::C, Properties: {P: `+text+`}}}
`, nil)
			got, err := s.Value(s.Template.Resource("Other").Properties.Get("P"))
			require.NoError(t, err, text)
			require.Equal(t, want, got, text)
		}
	}
}

func TestValue_JSONAndNoValue(t *testing.T) {
	t.Parallel()
	s := scope(t, `{"Resources": {"R": {"Type": "A::B::C", "Properties": {"Gone": {"Ref": "AWS::NoValue"}, "List": [1, {"Ref": "AWS::NoValue"}, true]}}}}`, nil)

	got, err := s.Value(s.Template.Resource("R").Properties)

	require.NoError(t, err)
	require.True(t, template.Same(map[string]any{"List": []any{"1", "true"}}, got), "%v", got)
}

func TestValue_WhatIsMadeOfTheUnknownIsUnknown(t *testing.T) {
	t.Parallel()
	s := scope(t, `Resources: {R: {Type: A::B::C}, Other: {Type: A::B::C, Properties: {A: !Sub "${R.Later}!", B: !Join [",", [x, !GetAtt R.Later]], C: !GetAtt R.Arn}}}`, nil)

	got, err := s.Value(s.Template.Resource("Other").Properties)

	require.NoError(t, err)
	require.Equal(t, map[string]any{"A": template.Unknown{}, "B": template.Unknown{}, "C": "R's Arn"}, got)
	require.False(t, template.Same(template.Unknown{}, template.Unknown{}), "what isn't known is never the same")
}

func TestParse_RefusesInAWSsWords(t *testing.T) {
	t.Parallel()
	for want, body := range map[string]string{
		"Circular dependency between resources: [A, B]":                                            "Resources: {A: {Type: T::T::T, Properties: {P: !Ref B}}, B: {Type: T::T::T, DependsOn: A}}",
		"Template error: instance of Fn::GetAtt references undefined resource X":                   "Resources: {A: {Type: T::T::T, Properties: {P: !GetAtt X.Y}}}",
		"Template error: Fn::Transform is not supported here":                                      "Resources: {A: {Type: T::T::T, Properties: {P: !Transform {Name: x}}}}",
		"Invalid template property or properties [Resource]":                                       "Resource: {}\nResources: {A: {Type: T::T::T}}",
		"Invalid template resource property 'Property'":                                            "Resources: {A: {Type: T::T::T, Property: {}}}",
		"Template format error: Unrecognized parameter type: Text":                                 "Parameters: {P: {Type: Text}}\nResources: {A: {Type: T::T::T}}",
		"Template format error: Resource name a-b is non alphanumeric.":                            "Resources: {a-b: {Type: T::T::T}}",
		"Template format error: unsupported template version \"2011\".":                            "AWSTemplateFormatVersion: 2011\nResources: {A: {Type: T::T::T}}",
		"Template format error: Unresolved resource dependencies [Z] in the Resources block":       "Resources: {A: {Type: T::T::T, DependsOn: [Z]}}",
		"Template format error: YAML aliases are not allowed in CloudFormation templates":          "Resources: {A: {Type: &t type}}",
		"Template error: every Fn::Join object requires a list of at least 2 parameters":           "Resources: {A: {Type: T::T::T, Properties: {P: !Join [x]}}}",
		"Template format error: Unrecognized DeletionPolicy Keep for resource A":                   "Resources: {A: {Type: T::T::T, DeletionPolicy: Keep}}",
		"Template format error: Unresolved condition dependency C in the Resources block":          "Resources: {A: {Type: T::T::T, Condition: C}}",
		"Cannot reference resources in the Conditions block of the template":                       "Conditions: {C: !Equals [!Ref A, x]}\nResources: {A: {Type: T::T::T}}",
		"[/Resources/A] Every Resources object must contain a Type member.":                        "Resources: {A: {Properties: {}}}",
		"Template format error: YAML not well-formed.":                                             "Resources: {A: [",
		"Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments": "Resources: {A: {Type: T::T::T, Properties: {P: !Sub {a: b}}}}",
	} {
		_, err := template.Parse(body)
		require.ErrorContains(t, err, want, body)
	}
}

func TestBind_ConstraintsOfParameters(t *testing.T) {
	t.Parallel()
	parsed, err := template.Parse(`
Parameters:
  Text: {Type: String, Default: abc, MinLength: 2, MaxLength: 4, AllowedPattern: "[a-z]+"}
  Choice: {Type: String, Default: a, AllowedValues: [a, b]}
  Count: {Type: Number, Default: 5, MinValue: 1, MaxValue: 9}
  Counts: {Type: List<Number>, Default: "1,2"}
  Image: {Type: AWS::EC2::Image::Id, Default: ami-0123456789abcdef0}
  Own: {Type: String, Default: x, AllowedPattern: x, ConstraintDescription: only x}
Resources: {A: {Type: T::T::T}}
`)
	require.NoError(t, err)
	values, err := parsed.Bind(map[string]string{"Counts": "3, 4"})
	require.NoError(t, err)
	require.Equal(t, []any{"3", "4"}, values["Counts"])
	for want, given := range map[string]map[string]string{
		"Parameter 'Text' must match pattern [a-z]+":              {"Text": "ab1"},
		"Parameter 'Text' must contain at least 2 characters":     {"Text": "a"},
		"Parameter 'Text' must contain at most 4 characters":      {"Text": "abcde"},
		"Parameter 'Choice' must be one of AllowedValues":         {"Choice": "c"},
		"Parameter 'Count' must be a number not greater than 9":   {"Count": "10"},
		"Parameter 'Count' must be a number":                      {"Count": "x"},
		"Parameter 'Counts' must be a number":                     {"Counts": "1,x"},
		"parameter value ami-1 for parameter name Image does not": {"Image": "ami-1"},
		"Parameter 'Own' failed to satisfy constraint: only x":    {"Own": "y"},
		"Parameters: [Else] do not exist in the template":         {"Else": "y"},
	} {
		_, err := parsed.Bind(given)
		require.ErrorContains(t, err, want)
	}
}

func TestCheck_KnowsTheLine(t *testing.T) {
	t.Parallel()
	_, err := template.Parse("Resources:\n  A:\n    Type: T::T::T\n    Properties:\n      P: !Ref Nobody\n")
	var p *template.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, 5, p.Line)
}

func FuzzParse_NeverPanics(f *testing.F) {
	f.Add("Resources: {A: {Type: T::T::T, Properties: {P: !If [C, !Ref A, !Cidr [x, 1]]}}}")
	f.Add("Parameters: {P: {Type: 'List<Number>'}}\nResources: {A: {Type: !Sub [a]}}")
	f.Fuzz(func(t *testing.T, body string) {
		parsed, err := template.Parse(body)
		if err != nil {
			return
		}
		_ = parsed.Capabilities()
		require.Len(t, parsed.Order(), len(parsed.Resources), "a template without cycles has an order")
	})
}
