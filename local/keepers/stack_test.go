package keepers_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkcfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/activities/cloudformation"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	templates "lifeline/deploy/cloudformation"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

const (
	networkID = "cfn-stack/us-west-2/imaging-network"
	dataID    = "cfn-stack/us-west-2/imaging-data"
	driftID   = "cfn-drift/us-west-2/imaging-network"
)

// stacked are the keys, roles and stacks of a plan.
func stacked(t *testing.T, p plan.Plan) []runbook.Item {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	return of(all, runbook.AreaAccess, runbook.AreaStack)
}

func stackSite(t *testing.T) *site {
	t.Helper()
	return bare(t, 1000, iam.Keepers, kms.Keepers, cloudformation.Keepers)
}

func (s *site) stacks() *sdkcfn.Client { return sdkcfn.NewFromConfig(s.in(west)) }

func (s *site) stack(t *testing.T, name string) cfntypes.Stack {
	t.Helper()
	out, err := s.stacks().DescribeStacks(t.Context(), &sdkcfn.DescribeStacksInput{StackName: aws.String(name)})
	require.NoError(t, err)
	return out.Stacks[0]
}

func TestStacks_BareRegion_GetsThemInOrderAndThenNothing(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	items := stacked(t, complete(t, "imaging.yaml"))
	first := s.setup().converge(items, true)
	first.good(t)
	require.Equal(t, runbook.Created, first[dataID].Verdict)
	for _, name := range []string{"imaging-network", "imaging-data"} {
		stack := s.stack(t, name)
		require.Equal(t, cfntypes.StackStatusCreateComplete, stack.StackStatus)
		require.True(t, *stack.EnableTerminationProtection)
		require.Equal(t, "arn:aws:iam::"+account+":role/lifeline-imaging-stacks", *stack.RoleARN, "setup itself may make no network")
		require.Contains(t, stack.Tags, cfntypes.Tag{Key: aws.String("lifeline:application"), Value: aws.String("imaging")})
	}
	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, slices.DeleteFunc(again.changed(), func(c string) bool { return c == "cloudformation:DetectStackDrift" }), "a look for drift changes nothing")
}

func TestStacks_ParameterOfThePlanChanged_ChangesInPlaceAndKeepsTheOthers(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[:1]
	p.RecoveryStacks[0].Parameters = map[string]string{"Application": "imaging", "ClientCidr": "10.0.0.0/8"}
	s.setup().converge(stacked(t, p), true).good(t)
	p.RecoveryStacks[0].Parameters = map[string]string{"Application": "imaging", "Zones": "3", "ApplicationPort": "9090"}
	got := s.setup().converge(stacked(t, p), true)
	got.good(t)
	require.Equal(t, runbook.Changed, got[networkID].Verdict)
	stack := s.stack(t, "imaging-network")
	require.Equal(t, cfntypes.StackStatusUpdateComplete, stack.StackStatus)
	require.Contains(t, stack.Parameters, cfntypes.Parameter{ParameterKey: aws.String("ApplicationPort"), ParameterValue: aws.String("9090")})
	require.Contains(t, stack.Parameters, cfntypes.Parameter{ParameterKey: aws.String("ClientCidr"), ParameterValue: aws.String("10.0.0.0/8")}, "what the plan leaves out stays")
}

func TestStacks_ProtectionTakenAwayByHand_ComesBack(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[:1]
	items := stacked(t, p)
	s.setup().converge(items, true).good(t)
	_, err := s.stacks().UpdateTerminationProtection(t.Context(), &sdkcfn.UpdateTerminationProtectionInput{StackName: aws.String("imaging-network"), EnableTerminationProtection: aws.Bool(false)})
	require.NoError(t, err)
	only := s.setup()
	require.Equal(t, runbook.Drifted, only.converge(items, false)[networkID].Verdict)
	mend := s.setup()
	require.Equal(t, runbook.Changed, mend.converge(items, true)[networkID].Verdict)
	require.NotContains(t, mend.changed(), "cloudformation:CreateChangeSet")
	require.True(t, *s.stack(t, "imaging-network").EnableTerminationProtection)
}

func TestStacks_ResourceChangedByHand_IsToldAndLeftToPeople(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[:1]
	items := stacked(t, p)
	s.setup().converge(items, true).good(t)
	resources, err := s.stacks().DescribeStackResources(t.Context(), &sdkcfn.DescribeStackResourcesInput{StackName: aws.String("imaging-network")})
	require.NoError(t, err)
	api := sdkec2.NewFromConfig(s.in(west))
	for _, r := range resources.StackResources {
		if aws.ToString(r.ResourceType) == "AWS::EC2::SecurityGroup" && strings.Contains(aws.ToString(r.LogicalResourceId), "LoadBalancer") {
			_, err := api.AuthorizeSecurityGroupIngress(t.Context(), &sdkec2.AuthorizeSecurityGroupIngressInput{GroupId: r.PhysicalResourceId, IpPermissions: []ec2types.IpPermission{{
				IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
			}}})
			require.NoError(t, err)
		}
	}
	run := s.setup()
	got := run.converge(items, true)
	require.Equal(t, runbook.Drifted, got[driftID].Verdict)
	require.Equal(t, []runbook.Property{{Name: "drift", Have: "DRIFTED", Want: "IN_SYNC"}}, got[driftID].Changes)
	require.Contains(t, got[driftID].Why, "describe-stack-resource-drifts --stack-name imaging-network --region us-west-2")
	require.Equal(t, runbook.InPlace, got[networkID].Verdict)
	require.NotContains(t, run.changed(), "cloudformation:ExecuteChangeSet")
}

// A key that is made anew can't read what the old one has encrypted.
func TestStacks_ChangeThatWouldLoseAKey_IsRefusedAndNothingIsDone(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	items := stacked(t, p)
	s.setup().converge(items, true).good(t)
	// Somebody's template of the same stack has two keys, of which ours knows one.
	text, err := templates.Templates.ReadFile("data.yaml")
	require.NoError(t, err)
	theirs := strings.Replace(string(text), "  DataKeyAlias:\n    Type", `  OtherKey:
    Type: AWS::KMS::Key
    Properties:
      Description: Somebody's
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
            Action: kms:*
            Resource: "*"
  DataKeyAlias:
    Type`, 1)
	require.NotEqual(t, string(text), theirs)
	_, err = s.stacks().UpdateStack(t.Context(), &sdkcfn.UpdateStackInput{
		StackName: aws.String("imaging-data"), TemplateBody: &theirs, Parameters: []cfntypes.Parameter{
			{ParameterKey: aws.String("Application"), UsePreviousValue: aws.Bool(true)}, {ParameterKey: aws.String("NetworkStack"), UsePreviousValue: aws.Bool(true)},
		},
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.stack(t, "imaging-data").StackStatus == cfntypes.StackStatusUpdateComplete }, patience, 1e7)
	run := s.setup()
	r := run.converge(items, true)[dataID]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "OtherKey (AWS::KMS::Key) is removed")
	require.NotContains(t, run.changed(), "cloudformation:ExecuteChangeSet")
}

func TestStacks_OneThatNeverCameToLife_IsRefusedWithItsCause(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[1:]
	items := stacked(t, p) // without the network that it imports from
	r := s.setup().converge(items, true)[dataID]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "imaging-network-DataSubnets")

	// By hand, with a stack that is rolled back.
	_, err := s.stacks().DeleteStack(t.Context(), &sdkcfn.DeleteStackInput{StackName: aws.String("imaging-data")})
	require.NoError(t, err)
	p = complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[:1]
	broken := `{"Resources":{"Role":{"Type":"AWS::IAM::Role","Properties":{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[]}}}}}`
	_, err = s.stacks().CreateStack(t.Context(), &sdkcfn.CreateStackInput{
		StackName: aws.String("imaging-network"), TemplateBody: &broken, Capabilities: []cfntypes.Capability{cfntypes.CapabilityCapabilityNamedIam},
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.stack(t, "imaging-network").StackStatus == cfntypes.StackStatusRollbackComplete }, patience, 1e7)
	run := s.setup()
	r = run.converge(stacked(t, p), true)[networkID]
	require.Equal(t, runbook.Unkept, r.Verdict)
	for _, say := range []string{"ROLLBACK_COMPLETE", "Role CREATE_FAILED", "delete-stack --stack-name imaging-network --region us-west-2", "run setup again"} {
		require.Contains(t, r.Why, say)
	}
	require.NotContains(t, run.changed(), "cloudformation:CreateChangeSet")
}

func TestStacks_UnknownTemplate_IsRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[:1]
	p.RecoveryStacks[0].Template = "nothing.yaml"
	run := s.setup()
	r := run.converge(stacked(t, p), true)[networkID]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, `no template "nothing.yaml"; there are compute.yaml, data.yaml, network.yaml`)
	require.NotContains(t, run.changed(), "cloudformation:CreateChangeSet")
}

func TestStacks_LostAnswersAndThrottling_MakeOneStack(t *testing.T) {
	t.Parallel()
	s := stackSite(t)
	p := complete(t, "imaging.yaml")
	p.RecoveryStacks = p.RecoveryStacks[:1]
	items := stacked(t, p)
	run := s.setup()
	for _, operation := range []string{"CreateChangeSet", "ExecuteChangeSet", "UpdateTerminationProtection"} {
		run.suffer(world.Fault{Kind: world.LoseAnswer, Operation: operation, Times: 1})
	}
	run.suffer(world.Fault{Kind: world.Throttle, Service: "cloudformation", Probability: 0.3})
	run.converge(items, true).good(t)
	all, err := s.stacks().ListStacks(t.Context(), &sdkcfn.ListStacksInput{})
	require.NoError(t, err)
	require.Len(t, all.StackSummaries, 1)
	executed := 0
	for _, c := range run.changed() {
		if c == "cloudformation:ExecuteChangeSet" {
			executed++
		}
	}
	require.Equal(t, 1, executed)
	vpcs, err := sdkec2.NewFromConfig(s.in(west)).DescribeVpcs(t.Context(), &sdkec2.DescribeVpcsInput{})
	require.NoError(t, err)
	made := slices.DeleteFunc(vpcs.Vpcs, func(v ec2types.Vpc) bool { return aws.ToString(v.CidrBlock) != "10.64.0.0/16" })
	require.Len(t, made, 1)
}
