package kinds_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/deploy/cloudformation"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func TestStacks_ComeInTheOrderOfThePlanInTheRecoveryRegion(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "imaging.yaml"))
	network, data := items["cfn-stack/us-west-2/imaging-network"], items["cfn-stack/us-west-2/imaging-data"]
	text, err := cloudformation.Templates.ReadFile("network.yaml")
	require.NoError(t, err)
	hash := sha256.Sum256(text)
	require.Equal(t, hex.EncodeToString(hash[:]), network.Want["template"])
	require.JSONEq(t, `{"Application":"imaging","NetworkStack":"imaging-network"}`, data.Want["parameters"])
	require.Equal(t, "true", network.Want["protection"])
	require.Equal(t, "complete", network.Want["status"])
	require.Empty(t, network.Needs)
	require.Equal(t, []string{network.ID()}, data.Needs, "it imports what the network exports")
	drift := items["cfn-drift/us-west-2/imaging-data"]
	require.True(t, drift.Given, "setup only tells of it")
	require.Equal(t, map[string]string{"drift": "IN_SYNC"}, drift.Want)
	require.NotContains(t, items, "cfn-stack/us-east-1/imaging-network")
}

func TestStacks_UnknownTemplate_HasNoHash(t *testing.T) {
	t.Parallel()
	p := example(t, "imaging.yaml")
	p.RecoveryStacks[0].Template = "nothing.yaml"
	require.Empty(t, itemsOf(t, p)["cfn-stack/us-west-2/imaging-network"].Want["template"])
}

// The role may do what the templates need and not more than that.
func TestStackRole_NamesEachActionAndCoversEveryTypeOfTheTemplates(t *testing.T) {
	t.Parallel()
	role := itemsOf(t, example(t, "imaging.yaml"))["iam-role/us-east-1/lifeline-imaging-stacks"]
	var document struct {
		Statement []struct {
			Action   any
			Resource any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(role.Want["inline/stacks"]), &document))
	require.LessOrEqual(t, len(role.Want["inline/stacks"]), 10240, "IAM's limit")
	require.NotContains(t, role.Want["inline/stacks"], "*\",\"Effect", "no action is a wildcard")
	require.NotContains(t, role.Want["inline/stacks"], ":*\"")
	require.Equal(t, []any{
		"arn:aws:iam::123456789012:role/imaging-network-*", "arn:aws:iam::123456789012:role/imaging-data-*",
		"arn:aws:iam::123456789012:instance-profile/imaging-network-*", "arn:aws:iam::123456789012:instance-profile/imaging-data-*",
	}, document.Statement[1].Resource, "roles of the stacks' own names only")

	// One create action for each type of each template.
	creates := map[string]string{
		"AWS::AutoScaling::AutoScalingGroup": "autoscaling:CreateAutoScalingGroup", "AWS::EC2::InternetGateway": "ec2:CreateInternetGateway",
		"AWS::EC2::LaunchTemplate": "ec2:CreateLaunchTemplate", "AWS::EC2::Route": "ec2:CreateRoute", "AWS::EC2::RouteTable": "ec2:CreateRouteTable",
		"AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup", "AWS::EC2::Subnet": "ec2:CreateSubnet",
		"AWS::EC2::SubnetRouteTableAssociation": "ec2:AssociateRouteTable", "AWS::EC2::VPC": "ec2:CreateVpc", "AWS::EC2::VPCEndpoint": "ec2:CreateVpcEndpoint",
		"AWS::EC2::VPCGatewayAttachment": "ec2:AttachInternetGateway", "AWS::ElasticLoadBalancingV2::Listener": "elasticloadbalancing:CreateListener",
		"AWS::ElasticLoadBalancingV2::LoadBalancer": "elasticloadbalancing:CreateLoadBalancer", "AWS::ElasticLoadBalancingV2::TargetGroup": "elasticloadbalancing:CreateTargetGroup",
		"AWS::IAM::InstanceProfile": "iam:CreateInstanceProfile", "AWS::IAM::Role": "iam:CreateRole", "AWS::KMS::Alias": "kms:CreateAlias", "AWS::KMS::Key": "kms:CreateKey",
		"AWS::RDS::DBClusterParameterGroup": "rds:CreateDBClusterParameterGroup", "AWS::RDS::DBParameterGroup": "rds:CreateDBParameterGroup", "AWS::RDS::DBSubnetGroup": "rds:CreateDBSubnetGroup",
	}
	files, err := cloudformation.Templates.ReadDir(".")
	require.NoError(t, err)
	types := 0
	for _, f := range files {
		text, err := cloudformation.Templates.ReadFile(f.Name())
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			kind, ok := strings.CutPrefix(line, "    Type: ")
			kind = strings.TrimSpace(kind)
			if !ok || !strings.HasPrefix(kind, "AWS::") || strings.HasSuffix(kind, "::Id") {
				continue
			}
			types++
			action, known := creates[kind]
			require.True(t, known, "%s of %s: give the role of the stacks what CloudFormation calls for it", kind, f.Name())
			require.Contains(t, role.Want["inline/stacks"], `"`+action+`"`)
		}
	}
	require.Greater(t, types, 20)
}

func TestTrigger_LivesWhereTheAlarmsOfTheRecoveryRegionAre(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "patient-records.yaml"))
	function := items["lambda-function/us-west-2/patient-records-trigger"]
	require.Equal(t, "provided.al2023", function.Want["runtime"])
	require.Equal(t, "as packaged", function.Want["code"])
	require.Equal(t, "bin/trigger.zip", function.Want["create/package"])
	require.Equal(t, "patient-records", function.Want["environment/LIFELINE_APPLICATION"])
	require.NotContains(t, items, "lambda-function/us-east-1/patient-records-trigger", "a trigger in the Region that fails fails with it")

	topic := runbook.Ref("sns-topic", "us-west-2", "patient-records-alarms", "arn")
	permission := items["lambda-permission/us-west-2/patient-records-trigger/sns"]
	require.Equal(t, topic, permission.Want["source"], "this topic and no other")
	require.Equal(t, "sns.amazonaws.com", permission.Want["principal"])
	sub := items["sns-subscription/us-west-2/patient-records-alarms/lambda/patient-records-trigger"]
	require.Equal(t, runbook.AreaTrigger, sub.Area)
	require.Equal(t, topic, sub.Want["topic"])
	require.JSONEq(t, `{"AlarmName":[{"prefix":"lifeline-patient-records-"}]}`, sub.Want["filter"])
	require.Contains(t, sub.Needs, permission.ID(), "SNS may call it before it is subscribed")

	role := items["iam-role/us-east-1/lifeline-patient-records-trigger"]
	require.Equal(t, "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", role.Want["attached"], "it writes logs, and nothing else")
}

func TestTrigger_WithoutAlarms_IsNotMade(t *testing.T) {
	t.Parallel()
	p := example(t, "patient-records.yaml")
	p.Monitoring = nil
	require.NotContains(t, itemsOf(t, p), "lambda-function/us-west-2/patient-records-trigger")
	p = example(t, "imaging.yaml")
	require.Nil(t, p.Trigger)
	for _, item := range itemsOf(t, p) {
		require.NotEqual(t, runbook.AreaTrigger, item.Area)
	}
}

func TestStacks_OneRegion_HasNoRecovery(t *testing.T) {
	t.Parallel()
	p := example(t, "imaging.yaml")
	p.Regions = []plan.RegionSpec{{Name: "us-east-1", Role: plan.Primary}}
	p.Resources, p.ElasticDR, p.Traffic, p.Notifications = nil, nil, plan.Traffic{}, plan.Notifications{}
	p.Backup.Select = plan.BackupSelect{Types: []string{"EBS"}}
	items := itemsOf(t, p)
	require.NotContains(t, items, "iam-role/us-east-1/lifeline-imaging-stacks")
	require.Contains(t, items, "cloudwatch-alarm/us-east-1/lifeline-imaging-backups-silent")
	require.NotContains(t, items, "cloudwatch-alarm/us-west-2/lifeline-imaging-copies-silent")
}
