package kinds

import (
	"maps"
	"slices"

	"lifeline/internal/runbook"
)

func (s Site) stackRoleName() string { return roleName(s.Plan.Application, "stacks") }

// stackRole is what CloudFormation acts as: setup itself needs none of the rights
// to make networks and fleets. It deletes what it has made when a stack is rolled
// back. Roles of instances it makes only under the stacks' own names.
func (s Site) stackRole() runbook.Item {
	var roles, profiles []string
	for _, stack := range s.Plan.RecoveryStacks {
		roles = append(roles, "arn:aws:iam::"+s.Account+":role/"+stack.Name+"-*")
		profiles = append(profiles, "arn:aws:iam::"+s.Account+":instance-profile/"+stack.Name+"-*")
	}
	var actions, own []string
	for _, kind := range slices.Sorted(maps.Keys(stackActions())) {
		switch kind {
		case "AWS::IAM::Role", "AWS::IAM::InstanceProfile":
			own = append(own, stackActions()[kind]...)
		default:
			actions = append(actions, stackActions()[kind]...)
		}
	}
	slices.Sort(actions)
	linked := allow("*", map[string]any{"StringEquals": map[string]any{"iam:AWSServiceName": []string{"autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com"}}},
		"iam:CreateServiceLinkedRole")
	return role(roleSpec{
		name: s.stackRoleName(), services: []string{"cloudformation.amazonaws.com"},
		inline: map[string]string{"stacks": policyDocument(
			allow("*", nil, slices.Compact(actions)...), allow(append(roles, profiles...), nil, own...), linked,
		)},
	})
}

// stackActions are what CloudFormation calls for each type of the templates.
func stackActions() map[string][]string {
	in := func(service string, actions ...string) []string {
		out := make([]string, len(actions))
		for i, a := range actions {
			out[i] = service + ":" + a
		}
		return out
	}
	ec2 := func(actions ...string) []string { return in("ec2", append(actions, "CreateTags", "DeleteTags")...) }
	elb := func(actions ...string) []string {
		return in("elasticloadbalancing", append(actions, "AddTags", "RemoveTags", "DescribeTags")...)
	}
	rds := func(actions ...string) []string {
		return in("rds", append(actions, "AddTagsToResource", "RemoveTagsFromResource", "ListTagsForResource")...)
	}
	out := map[string][]string{
		"AWS::EC2::VPC":                         ec2("CreateVpc", "DeleteVpc", "DescribeVpcs", "DescribeVpcAttribute", "ModifyVpcAttribute", "DescribeNetworkAcls"),
		"AWS::EC2::Subnet":                      ec2("CreateSubnet", "DeleteSubnet", "DescribeSubnets", "ModifySubnetAttribute"),
		"AWS::EC2::InternetGateway":             ec2("CreateInternetGateway", "DeleteInternetGateway", "DescribeInternetGateways"),
		"AWS::EC2::VPCGatewayAttachment":        ec2("AttachInternetGateway", "DetachInternetGateway"),
		"AWS::EC2::RouteTable":                  ec2("CreateRouteTable", "DeleteRouteTable", "DescribeRouteTables"),
		"AWS::EC2::Route":                       ec2("CreateRoute", "DeleteRoute", "ReplaceRoute"),
		"AWS::EC2::SubnetRouteTableAssociation": ec2("AssociateRouteTable", "DisassociateRouteTable", "ReplaceRouteTableAssociation"),
		"AWS::EC2::VPCEndpoint":                 ec2("CreateVpcEndpoint", "DeleteVpcEndpoints", "DescribeVpcEndpoints", "ModifyVpcEndpoint", "DescribeNetworkInterfaces"),
		"AWS::EC2::LaunchTemplate":              ec2("CreateLaunchTemplate", "CreateLaunchTemplateVersion", "DeleteLaunchTemplate", "DescribeLaunchTemplates", "DescribeLaunchTemplateVersions"),
		"AWS::KMS::Key": in("kms", "CreateKey", "DescribeKey", "EnableKeyRotation", "DisableKeyRotation", "GetKeyPolicy", "GetKeyRotationStatus", "PutKeyPolicy",
			"ListResourceTags", "ScheduleKeyDeletion", "TagResource", "UntagResource", "UpdateKeyDescription"),
		"AWS::KMS::Alias":         in("kms", "CreateAlias", "DeleteAlias", "UpdateAlias", "ListAliases"),
		"AWS::RDS::DBSubnetGroup": rds("CreateDBSubnetGroup", "ModifyDBSubnetGroup", "DeleteDBSubnetGroup", "DescribeDBSubnetGroups"),
		"AWS::RDS::DBParameterGroup": rds("CreateDBParameterGroup", "ModifyDBParameterGroup", "ResetDBParameterGroup", "DeleteDBParameterGroup",
			"DescribeDBParameterGroups", "DescribeDBParameters", "DescribeEngineDefaultParameters"),
		"AWS::RDS::DBClusterParameterGroup": rds("CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ResetDBClusterParameterGroup", "DeleteDBClusterParameterGroup",
			"DescribeDBClusterParameterGroups", "DescribeDBClusterParameters", "DescribeEngineDefaultClusterParameters", "DescribeDBClusters"),
		"AWS::ElasticLoadBalancingV2::LoadBalancer": elb("CreateLoadBalancer", "DeleteLoadBalancer", "DescribeLoadBalancers", "DescribeLoadBalancerAttributes",
			"ModifyLoadBalancerAttributes", "SetSecurityGroups", "SetSubnets"),
		"AWS::ElasticLoadBalancingV2::Listener": elb("CreateListener", "DeleteListener", "DescribeListeners", "ModifyListener"),
		"AWS::ElasticLoadBalancingV2::TargetGroup": elb("CreateTargetGroup", "DeleteTargetGroup", "DescribeTargetGroups", "DescribeTargetGroupAttributes",
			"ModifyTargetGroup", "ModifyTargetGroupAttributes"),
		"AWS::IAM::Role": in("iam", "CreateRole", "DeleteRole", "GetRole", "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription", "PutRolePolicy", "DeleteRolePolicy",
			"GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies", "AttachRolePolicy", "DetachRolePolicy", "TagRole", "UntagRole", "PassRole"),
		"AWS::IAM::InstanceProfile": in("iam", "CreateInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile", "AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"),
	}
	out["AWS::EC2::SecurityGroup"] = ec2("CreateSecurityGroup", "DeleteSecurityGroup", "DescribeSecurityGroups", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
		"RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress", "UpdateSecurityGroupRuleDescriptionsIngress", "UpdateSecurityGroupRuleDescriptionsEgress")
	out["AWS::AutoScaling::AutoScalingGroup"] = append(in("autoscaling", "CreateAutoScalingGroup", "UpdateAutoScalingGroup", "DeleteAutoScalingGroup", "DescribeAutoScalingGroups",
		"DescribeScalingActivities", "CreateOrUpdateTags", "DeleteTags"), ec2("RunInstances", "DescribeInstances", "DescribeImages")...)
	return out
}
