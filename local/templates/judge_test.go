package templates_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	deploy "lifeline/deploy/cloudformation"
	"lifeline/local/aws/cloudformation"
	"lifeline/local/templates"
)

func schemas(t *testing.T) templates.Schemas {
	t.Helper()
	s, err := templates.Fetch(t.Context())
	require.NoError(t, err)
	return s
}

// verdict is every problem of a template as file:line:column: message.
func verdict(t *testing.T, s templates.Schemas, name, body string) []string {
	t.Helper()
	problems, err := templates.Check(body, s)
	require.NoError(t, err)
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s:%d:%d: %s", name, p.Line, p.Column, p.Message))
	}
	return out
}

func files(t *testing.T) map[string]string {
	t.Helper()
	files, err := fs.Glob(deploy.Templates, "*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := map[string]string{}
	for _, file := range files {
		body, err := fs.ReadFile(deploy.Templates, file)
		require.NoError(t, err)
		out[file] = string(body)
	}
	return out
}

func TestTemplates_AreWhatAWSPublishes(t *testing.T) {
	t.Parallel()
	s := schemas(t)
	for file, body := range files(t) {
		require.Empty(t, verdict(t, s, "deploy/cloudformation/"+file, body))
	}
}

// TestTemplates_PassTheOtherJudge asks AWS's own linter where it is installed; it
// knows rules that no schema holds. It is a Python program, so nobody needs it.
func TestTemplates_PassTheOtherJudge(t *testing.T) {
	t.Parallel()
	if exec.CommandContext(t.Context(), "cfn-lint", "--version").Run() != nil {
		t.Skip("cfn-lint isn't installed")
	}
	args := []string{"--"}
	for file, body := range files(t) {
		path := filepath.Join(t.TempDir(), file)
		require.NoError(t, os.WriteFile(path, []byte(body), 0o600))
		args = append(args, path)
	}
	out, err := exec.CommandContext(t.Context(), "cfn-lint", args...).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestCheck_FindsEachSlipAtItsPlace(t *testing.T) {
	t.Parallel()
	s := schemas(t)
	const good = `Description: d
Parameters:
  Size: {Type: Number, Description: d, MinValue: 1, MaxValue: 9}
Conditions:
  Big: !Equals [!Ref Size, 9]
Resources:
  Net:
    Type: AWS::EC2::VPC
    Condition: Big
    Properties:
      CidrBlock: 10.0.0.0/16
      EnableDnsSupport: true
      Tags: [{Key: Name, Value: x}]
Outputs:
  Id: {Description: d, Value: !GetAtt Net.VpcId, Export: {Name: n}}
`
	require.Empty(t, verdict(t, s, "good", good))
	for name, c := range map[string]struct{ old, now, want string }{
		"unknown property":    {"EnableDnsSupport", "EnableDns", "t:12:7: Net: AWS::EC2::VPC has no property EnableDns"},
		"wrong type":          {"EnableDnsSupport: true", "EnableDnsSupport: perhaps", `t:12:25: Net.EnableDnsSupport: "perhaps" is not boolean`},
		"list for a scalar":   {"CidrBlock: 10.0.0.0/16", "CidrBlock: !Cidr [10.0.0.0/8, 1, 8]", "t:11:18: Net.CidrBlock: Fn::Cidr gives a list, not string"},
		"scalar for a list":   {"Tags: [{Key: Name, Value: x}]", "Tags: !Ref Size", "t:13:13: Net.Tags: Ref gives one value, not array"},
		"unknown member":      {"Value: x", "Valeu: x", "t:13:26: Net.Tags[0]: has no member Valeu"},
		"missing member":      {"{Key: Name, Value: x}", "{Key: Name}", "t:13:15: Net.Tags[0]: needs the member Value"},
		"unknown type":        {"AWS::EC2::VPC", "AWS::EC2::VCP", "t:8:5: Net: AWS has no resource type AWS::EC2::VCP"},
		"unresolved Ref":      {"Value: !GetAtt Net.VpcId", "Value: !Ref Nobody", "t:15:31: Template format error: Unresolved resource dependencies [Nobody] in the Outputs block of the template"},
		"unknown attribute":   {"Net.VpcId", "Net.Name", "t:15:31: Net of type AWS::EC2::VPC has no attribute Name"},
		"unused condition":    {"    Condition: Big\n", "", "t:5:8: condition Big is never used"},
		"unused parameter":    {"!Equals [!Ref Size, 9]", "!Equals [1, 9]", "t:3:10: parameter Size is never used"},
		"any number":          {", MaxValue: 9}", "}", "t:3:10: parameter Size takes any number"},
		"no export":           {", Export: {Name: n}", "", "t:15:8: output Id needs a description and an export"},
		"alias":               {"CidrBlock: 10", "CidrBlock: &a 10", "t:11:18: Template format error: YAML aliases are not allowed in CloudFormation templates"},
		"read only":           {"CidrBlock: 10.0.0.0/16", "VpcId: vpc-1", "t:11:14: Net.VpcId: is read only"},
		"key without policy":  {"Resources:\n", "Resources:\n  Key: {Type: AWS::KMS::Key}\n", "t:7:9: Key holds data or keys: DeletionPolicy and UpdateReplacePolicy must be Retain"},
		"wildcard":            {"Resources:\n", "Resources:\n  Ro: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: [{Action: 'sts:*'}]}}}\n", "t:7:91: IAM action sts:* has a wildcard"},
		"missing property":    {"Resources:\n", "Resources:\n  Al: {Type: AWS::KMS::Alias, Properties: {AliasName: alias/x}}\n", "t:7:8: Al: AWS::KMS::Alias needs the property TargetKeyId"},
		"pattern":             {"Resources:\n", "Resources:\n  Al: {Type: AWS::KMS::Alias, Properties: {AliasName: x, TargetKeyId: k}}\n", `t:7:55: Al.AliasName: "x" doesn't match ^(alias/)[a-zA-Z0-9:/_-]+$`},
		"condition undefined": {"Condition: Big", "Condition: Bag", "t:8:5: Template format error: Unresolved condition dependency Bag in the Resources block of the template"},
	} {
		require.Contains(t, good, c.old, name)
		require.Contains(t, verdict(t, s, "t", strings.Replace(good, c.old, c.now, 1)), c.want, name)
	}
}

func TestKinds_ReplaceWhatAWSReplaces(t *testing.T) {
	t.Parallel()
	s := schemas(t)
	for _, name := range cloudformation.Types() {
		schema, err := s.Of(name)
		require.NoError(t, err)
		require.NotNil(t, schema, name)
		fixed, mutable := cloudformation.Properties(name)
		for _, property := range append(slices.Clone(fixed), mutable...) {
			require.Contains(t, schema.Properties, property, name)
		}
		// Of an attachment, AWS replaces the VPC only; ours has nothing to change a
		// gateway with.
		if name != "AWS::EC2::VPCGatewayAttachment" {
			require.Subset(t, schema.CreateOnly(), fixed, name)
		}
		for _, property := range schema.CreateOnly() {
			require.NotContains(t, mutable, property, name)
		}
	}
}
