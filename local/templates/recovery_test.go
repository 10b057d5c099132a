package templates_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	api "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func TestRecoveryStacks_AreDeployedForRealAndStayAsTheyAre(t *testing.T) {
	t.Parallel()
	r := openRegion(t)

	net := r.deploy(t, "records-network", "network.yaml", network())
	dat := r.deploy(t, "records-data", "data.yaml", data())
	com := r.deploy(t, "records-compute", "compute.yaml", compute())

	r.checkNetwork(t, net)
	r.checkData(t, net, dat)
	r.checkCompute(t, net, com)
	for stack, again := range map[string]struct {
		file  string
		given map[string]string
	}{
		"records-network": {"network.yaml", network()},
		"records-data":    {"data.yaml", data()},
		"records-compute": {"compute.yaml", compute()},
	} {
		set := r.changeSet(t, stack, again.file, types.ChangeSetTypeUpdate, again.given)
		require.Equal(t, types.ChangeSetStatusFailed, set.Status, "%s: %v", stack, set.Changes)
		require.Equal(t, "The submitted information didn't contain changes. Submit different information to create a change set.", *set.StatusReason)
		require.Empty(t, r.drift(t, stack), stack)
	}
}

func (r region) checkNetwork(t *testing.T, outputs map[string]string) {
	t.Helper()
	client := ec2.NewFromConfig(r.config)
	byVPC := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{outputs["VpcId"]}}}
	vpcs, err := client.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{VpcIds: []string{outputs["VpcId"]}})
	require.NoError(t, err)
	require.Equal(t, "10.65.0.0/16", *vpcs.Vpcs[0].CidrBlock)
	subnets, err := client.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: byVPC})
	require.NoError(t, err)
	require.Len(t, subnets.Subnets, 9)
	zones := map[string]int{}
	for _, s := range subnets.Subnets {
		zones[*s.AvailabilityZone]++
	}
	require.Equal(t, map[string]int{"us-west-2a": 3, "us-west-2b": 3, "us-west-2c": 3}, zones)
	tables, err := client.DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{Filters: byVPC})
	require.NoError(t, err)
	outward := 0
	for _, table := range tables.RouteTables {
		for _, route := range table.Routes {
			if strings.HasPrefix(aws.ToString(route.GatewayId), "igw-") {
				outward++
				require.Len(t, table.Associations, 3, "only the public subnets lead out")
			}
		}
	}
	require.Equal(t, 1, outward)
	endpoints, err := client.DescribeVpcEndpoints(t.Context(), &ec2.DescribeVpcEndpointsInput{Filters: byVPC})
	require.NoError(t, err)
	require.Len(t, endpoints.VpcEndpoints, 6)
}

func (r region) checkData(t *testing.T, net, outputs map[string]string) {
	t.Helper()
	key, err := kms.NewFromConfig(r.config).GetKeyRotationStatus(t.Context(), &kms.GetKeyRotationStatusInput{KeyId: aws.String(outputs["DataKeyArn"])})
	require.NoError(t, err)
	require.True(t, key.KeyRotationEnabled)
	client := rds.NewFromConfig(r.config)
	groups, err := client.DescribeDBSubnetGroups(t.Context(), &rds.DescribeDBSubnetGroupsInput{DBSubnetGroupName: aws.String(outputs["SubnetGroup"])})
	require.NoError(t, err)
	require.Equal(t, net["VpcId"], *groups.DBSubnetGroups[0].VpcId)
	require.Len(t, groups.DBSubnetGroups[0].Subnets, 3)
	set, err := client.DescribeDBClusterParameters(t.Context(), &rds.DescribeDBClusterParametersInput{
		DBClusterParameterGroupName: aws.String(outputs["ClusterParameters"]), Source: aws.String("user"),
	})
	require.NoError(t, err)
	require.Equal(t, "rds.force_ssl", *set.Parameters[0].ParameterName)
	require.Equal(t, "1", *set.Parameters[0].ParameterValue)
}

func (r region) checkCompute(t *testing.T, net, outputs map[string]string) {
	t.Helper()
	balancers, err := elasticloadbalancingv2.NewFromConfig(r.config).DescribeLoadBalancers(t.Context(),
		&elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{outputs["LoadBalancerArn"]}})
	require.NoError(t, err)
	require.Equal(t, outputs["LoadBalancerName"], *balancers.LoadBalancers[0].DNSName)
	require.Equal(t, net["VpcId"], *balancers.LoadBalancers[0].VpcId)
	groups, err := autoscaling.NewFromConfig(r.config).DescribeAutoScalingGroups(t.Context(),
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{outputs["FleetName"]}})
	require.NoError(t, err)
	require.Equal(t, []string{outputs["TargetGroupArn"]}, groups.AutoScalingGroups[0].TargetGroupARNs)
	require.NotEmpty(t, groups.AutoScalingGroups[0].Instances, "the stack is complete when the fleet runs")
	name := outputs["InstanceRoleArn"][strings.LastIndex(outputs["InstanceRoleArn"], "/")+1:]
	policies, err := iam.NewFromConfig(r.config).ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &name})
	require.NoError(t, err)
	require.Equal(t, []string{"application"}, policies.PolicyNames)
}

func TestRecoveryStacks_HandMadeChangesAreFoundAsDrift(t *testing.T) {
	t.Parallel()
	r := openRegion(t)
	net := r.deploy(t, "records-network", "network.yaml", network())
	dat := r.deploy(t, "records-data", "data.yaml", data())
	com := r.deploy(t, "records-compute", "compute.yaml", compute())
	ctx, ec2s, rdss := t.Context(), ec2.NewFromConfig(r.config), rds.NewFromConfig(r.config)

	_, err := ec2s.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: aws.String(net["DatabaseGroup"]),
		IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}},
	})
	require.NoError(t, err)
	resource, err := r.stacks.DescribeStackResource(ctx, &api.DescribeStackResourceInput{StackName: aws.String("records-network"), LogicalResourceId: aws.String("S3Endpoint")})
	require.NoError(t, err)
	_, err = ec2s.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*resource.StackResourceDetail.PhysicalResourceId}})
	require.NoError(t, err)
	_, err = rdss.ModifyDBClusterParameterGroup(ctx, &rds.ModifyDBClusterParameterGroupInput{
		DBClusterParameterGroupName: aws.String(dat["ClusterParameters"]),
		Parameters:                  []rdstypes.Parameter{{ParameterName: aws.String("rds.force_ssl"), ParameterValue: aws.String("0"), ApplyMethod: rdstypes.ApplyMethodImmediate}},
	})
	require.NoError(t, err)
	_, err = autoscaling.NewFromConfig(r.config).UpdateAutoScalingGroup(ctx, &autoscaling.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(com["FleetName"]), MaxSize: aws.Int32(2),
	})
	require.NoError(t, err)

	drifted := r.drift(t, "records-network")
	require.Len(t, drifted, 2)
	require.Equal(t, types.StackResourceDriftStatusDeleted, drifted["S3Endpoint"].StackResourceDriftStatus)
	group := drifted["DatabaseGroup"]
	require.Equal(t, types.StackResourceDriftStatusModified, group.StackResourceDriftStatus)
	require.Len(t, group.PropertyDifferences, 1)
	require.Equal(t, types.DifferenceTypeAdd, group.PropertyDifferences[0].DifferenceType)
	require.Equal(t, "/SecurityGroupIngress/1", *group.PropertyDifferences[0].PropertyPath)
	require.Contains(t, *group.PropertyDifferences[0].ActualValue, `"FromPort":22`)

	drifted = r.drift(t, "records-data")
	require.Len(t, drifted, 1)
	require.Equal(t, []types.PropertyDifference{{
		PropertyPath: aws.String("/Parameters/rds.force_ssl"), DifferenceType: types.DifferenceTypeNotEqual,
		ExpectedValue: aws.String("1"), ActualValue: aws.String("0"),
	}}, drifted["ClusterParameters"].PropertyDifferences)

	drifted = r.drift(t, "records-compute")
	require.Len(t, drifted, 1)
	require.Equal(t, "/MaxSize", *drifted["Fleet"].PropertyDifferences[0].PropertyPath)
	stack := r.await(t, "records-compute", types.StackStatusCreateComplete)
	require.Equal(t, types.StackDriftStatusDrifted, stack.DriftInformation.StackDriftStatus)
}

func TestRecoveryStacks_ANewImageIsAModificationThatReachesTheFleet(t *testing.T) {
	t.Parallel()
	r := openRegion(t)
	r.deploy(t, "records-network", "network.yaml", network())
	r.deploy(t, "records-data", "data.yaml", data())
	com := r.deploy(t, "records-compute", "compute.yaml", compute())
	next := compute()
	next["ImageId"] = "ami-0fedcba9876543210"

	set := r.changeSet(t, "records-compute", "compute.yaml", types.ChangeSetTypeUpdate, next)

	require.Equal(t, types.ChangeSetStatusCreateComplete, set.Status, aws.ToString(set.StatusReason))
	changes := map[string]*types.ResourceChange{}
	for _, c := range set.Changes {
		changes[*c.ResourceChange.LogicalResourceId] = c.ResourceChange
	}
	require.Len(t, changes, 2)
	template := changes["LaunchTemplate"]
	require.Equal(t, types.ChangeActionModify, template.Action)
	require.Equal(t, types.ReplacementFalse, template.Replacement)
	require.Equal(t, types.ChangeSourceParameterReference, template.Details[0].ChangeSource)
	require.Equal(t, "ImageId", *template.Details[0].CausingEntity)
	fleet := changes["Fleet"]
	require.Equal(t, types.ChangeSourceResourceAttribute, fleet.Details[0].ChangeSource)
	require.Equal(t, "LaunchTemplate.LatestVersionNumber", *fleet.Details[0].CausingEntity)
	require.Equal(t, types.EvaluationTypeDynamic, fleet.Details[0].Evaluation)
	require.Contains(t, *fleet.AfterContext, "{{changeSet:KNOWN_AFTER_APPLY}}")

	_, err := r.stacks.ExecuteChangeSet(t.Context(), &api.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)
	r.await(t, "records-compute", types.StackStatusUpdateComplete)
	groups, err := autoscaling.NewFromConfig(r.config).DescribeAutoScalingGroups(t.Context(),
		&autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{com["FleetName"]}})
	require.NoError(t, err)
	require.Equal(t, "2", *groups.AutoScalingGroups[0].LaunchTemplate.Version)
	require.Empty(t, r.drift(t, "records-compute"))
}

func TestRecoveryStacks_DeletingThemKeepsTheKeyAndRefusesWhatOthersUse(t *testing.T) {
	t.Parallel()
	r := openRegion(t)
	net := r.deploy(t, "records-network", "network.yaml", network())
	dat := r.deploy(t, "records-data", "data.yaml", data())
	r.deploy(t, "records-compute", "compute.yaml", compute())
	ctx := t.Context()
	remove := func(stack string) error {
		_, err := r.stacks.DeleteStack(ctx, &api.DeleteStackInput{StackName: &stack})
		return err
	}
	ids := map[string]string{}
	for _, stack := range []string{"records-network", "records-data", "records-compute"} {
		ids[stack] = *r.await(t, stack, types.StackStatusCreateComplete).StackId
	}

	err := remove("records-network")
	requireCode(t, "ValidationError", err)
	require.ErrorContains(t, err, "as it is in use by records-")
	for _, stack := range []string{"records-compute", "records-data", "records-network"} {
		require.NoError(t, remove(stack))
		r.await(t, ids[stack], types.StackStatusDeleteComplete)
	}

	key, err := kms.NewFromConfig(r.config).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(dat["DataKeyArn"])})
	require.NoError(t, err)
	require.Equal(t, kmstypes.KeyStateEnabled, key.KeyMetadata.KeyState, "a key that backups need outlives its stack")
	_, err = ec2.NewFromConfig(r.config).DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{net["VpcId"]}})
	requireCode(t, "InvalidVpcID.NotFound", err)
	resources, err := r.stacks.DescribeStackResources(ctx, &api.DescribeStackResourcesInput{StackName: aws.String(ids["records-data"])})
	require.NoError(t, err)
	kept := map[string]types.ResourceStatus{}
	for _, found := range resources.StackResources {
		kept[*found.LogicalResourceId] = found.ResourceStatus
	}
	require.Equal(t, types.ResourceStatusDeleteSkipped, kept["DataKey"])
	require.Equal(t, types.ResourceStatusDeleteComplete, kept["SubnetGroup"])
}

func TestRecoveryStacks_AThirdZoneComesAndGoes(t *testing.T) {
	t.Parallel()
	r := openRegion(t)
	client := ec2.NewFromConfig(r.config)
	two, three := network(), network()
	two["Zones"] = "2"
	net := r.deploy(t, "records-network", "network.yaml", two)
	count := func() (subnets, reached int) {
		byVPC := []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{net["VpcId"]}}}
		found, err := client.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: byVPC})
		require.NoError(t, err)
		endpoints, err := client.DescribeVpcEndpoints(t.Context(), &ec2.DescribeVpcEndpointsInput{Filters: byVPC})
		require.NoError(t, err)
		for _, e := range endpoints.VpcEndpoints {
			reached += len(e.SubnetIds)
		}
		return len(found.Subnets), reached
	}
	subnets, reached := count()
	require.Equal(t, [2]int{6, 8}, [2]int{subnets, reached})

	set := r.changeSet(t, "records-network", "network.yaml", types.ChangeSetTypeUpdate, three)
	actions := map[types.ChangeAction]int{}
	for _, c := range set.Changes {
		actions[c.ResourceChange.Action]++
	}
	require.Equal(t, map[types.ChangeAction]int{types.ChangeActionAdd: 6, types.ChangeActionModify: 4}, actions)
	_, err := r.stacks.ExecuteChangeSet(t.Context(), &api.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)
	r.await(t, "records-network", types.StackStatusUpdateComplete)
	subnets, reached = count()
	require.Equal(t, [2]int{9, 12}, [2]int{subnets, reached})
	require.Empty(t, r.drift(t, "records-network"))

	set = r.changeSet(t, "records-network", "network.yaml", types.ChangeSetTypeUpdate, two)
	_, err = r.stacks.ExecuteChangeSet(t.Context(), &api.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)
	r.await(t, "records-network", types.StackStatusUpdateComplete)
	subnets, reached = count()
	require.Equal(t, [2]int{6, 8}, [2]int{subnets, reached})
}

func TestRecoveryStacks_WhatCannotBeMadeIsRolledBackAndSaysWhy(t *testing.T) {
	t.Parallel()
	r := openRegion(t)
	r.deploy(t, "records-network", "network.yaml", network())
	r.deploy(t, "records-data", "data.yaml", data())
	r.sim.World.Inject(world.Fault{Kind: world.Brownout, Region: west, Service: "autoscaling", Operation: "CreateAutoScalingGroup"})

	set := r.changeSet(t, "records-compute", "compute.yaml", types.ChangeSetTypeCreate, compute())
	_, err := r.stacks.ExecuteChangeSet(t.Context(), &api.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)

	r.await(t, "records-compute", types.StackStatusRollbackComplete)
	require.Contains(t, r.story(t, "records-compute"), "Fleet CREATE_FAILED: Resource handler returned message")
	templates, err := ec2.NewFromConfig(r.config).DescribeLaunchTemplates(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, templates.LaunchTemplates)
	roles, err := iam.NewFromConfig(r.config).ListRoles(t.Context(), nil)
	require.NoError(t, err)
	for _, role := range roles.Roles {
		require.NotContains(t, *role.RoleName, "records-compute")
	}
}
