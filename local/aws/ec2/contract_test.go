package ec2_test

import (
	"encoding/base64"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// sdkClient is the unmodified SDK, talking to EC2 over the wire.
func sdkClient(t *testing.T) *ec2.Client {
	t.Helper()
	w := world.New(world.Options{Compression: 2000})
	t.Cleanup(w.Close)
	server := httptest.NewServer(wire.NewServer(w, sim.New(w, sim.Options{}).Wire()))
	t.Cleanup(server.Close)
	return ec2.NewFromConfig(aws.Config{
		Region: west, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
}

func wireCode(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}

func TestContract_Network(t *testing.T) {
	t.Parallel()
	c, ctx := sdkClient(t), t.Context()
	vpcs, err := c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}})
	require.NoError(t, err)
	require.Len(t, vpcs.Vpcs, 1)
	vpc := vpcs.Vpcs[0].VpcId
	subnets, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{*vpc}}}})
	require.NoError(t, err)
	require.Len(t, subnets.Subnets, 3)
	require.Equal(t, "us-west-2a", *subnets.Subnets[0].AvailabilityZone)

	g, err := c.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("web"), Description: aws.String("web"), VpcId: vpc,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}}}},
	})
	require.NoError(t, err)
	open := []types.IpPermission{{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(8080), ToPort: aws.Int32(8080),
		IpRanges:         []types.IpRange{{CidrIp: aws.String("0.0.0.0/0"), Description: aws.String("clients")}},
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: g.GroupId}},
	}}
	_, err = c.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: g.GroupId, IpPermissions: open})
	require.NoError(t, err)
	_, err = c.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: g.GroupId, IpPermissions: open})
	require.Equal(t, "InvalidPermission.Duplicate", wireCode(t, err))
	groups, err := c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: []types.Filter{{Name: aws.String("tag:app"), Values: []string{"records"}}}})
	require.NoError(t, err)
	require.Equal(t, "0.0.0.0/0", *groups.SecurityGroups[0].IpPermissions[0].IpRanges[0].CidrIp)
	require.Equal(t, *g.GroupId, *groups.SecurityGroups[0].IpPermissions[0].UserIdGroupPairs[0].GroupId)
	_, err = c.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{DryRun: aws.Bool(true)})
	require.Equal(t, "DryRunOperation", wireCode(t, err))
}

func TestContract_NetworkACLs(t *testing.T) {
	t.Parallel()
	c, ctx := sdkClient(t), t.Context()
	acls, err := c.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: []types.Filter{{Name: aws.String("default"), Values: []string{"true"}}}})
	require.NoError(t, err)
	acl := acls.NetworkAcls[0]
	require.Len(t, acl.Associations, 3)
	require.Len(t, acl.Entries, 4)
	for _, egress := range []bool{true, false} {
		_, err = c.CreateNetworkAclEntry(ctx, &ec2.CreateNetworkAclEntryInput{
			NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int32(1), Egress: aws.Bool(egress), Protocol: aws.String("-1"),
			RuleAction: types.RuleActionDeny, CidrBlock: aws.String("0.0.0.0/0"),
		})
		require.NoError(t, err)
	}
	read, err := c.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{NetworkAclIds: []string{*acl.NetworkAclId}})
	require.NoError(t, err)
	require.Equal(t, int32(1), *read.NetworkAcls[0].Entries[0].RuleNumber)
	require.Equal(t, types.RuleActionDeny, read.NetworkAcls[0].Entries[0].RuleAction)
	_, err = c.DeleteNetworkAclEntry(ctx, &ec2.DeleteNetworkAclEntryInput{NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int32(1), Egress: aws.Bool(true)})
	require.NoError(t, err)
	_, err = c.DeleteNetworkAclEntry(ctx, &ec2.DeleteNetworkAclEntryInput{NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int32(1), Egress: aws.Bool(true)})
	require.Equal(t, "InvalidNetworkAclEntry.NotFound", wireCode(t, err))

	isolated, err := c.CreateNetworkAcl(ctx, &ec2.CreateNetworkAclInput{VpcId: acl.VpcId})
	require.NoError(t, err)
	moved, err := c.ReplaceNetworkAclAssociation(ctx, &ec2.ReplaceNetworkAclAssociationInput{
		AssociationId: acl.Associations[0].NetworkAclAssociationId, NetworkAclId: isolated.NetworkAcl.NetworkAclId,
	})
	require.NoError(t, err)
	require.NotEqual(t, *acl.Associations[0].NetworkAclAssociationId, *moved.NewAssociationId)
}

func TestContract_Instances(t *testing.T) {
	t.Parallel()
	c, ctx := sdkClient(t), t.Context()
	_, err := c.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: types.InstanceTypeM5Large,
			UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"lifeline":"records-application"}`))),
			TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{{
				ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}},
			}},
		},
	})
	require.NoError(t, err)
	versions, err := c.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{LaunchTemplateName: aws.String("web")})
	require.NoError(t, err)
	require.Equal(t, types.InstanceTypeM5Large, versions.LaunchTemplateVersions[0].LaunchTemplateData.InstanceType)
	run, err := c.RunInstances(ctx, &ec2.RunInstancesInput{
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web")}, MinCount: aws.Int32(2), MaxCount: aws.Int32(2),
	})
	require.NoError(t, err)
	ids := []string{*run.Instances[0].InstanceId, *run.Instances[1].InstanceId}
	require.Equal(t, types.InstanceStateNamePending, run.Instances[0].State.Name)
	require.NoError(t, ec2.NewInstanceRunningWaiter(c, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Millisecond }).Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids}, 10*time.Second))
	all, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("tag:app"), Values: []string{"records"}}}})
	require.NoError(t, err)
	require.Len(t, all.Reservations[0].Instances, 2)
	require.NotEqual(t, *all.Reservations[0].Instances[0].PrivateIpAddress, *all.Reservations[0].Instances[1].PrivateIpAddress)
	interfaces := func(filters ...types.Filter) []types.NetworkInterface {
		out, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: filters})
		require.NoError(t, err)
		return out.NetworkInterfaces
	}
	require.Len(t, interfaces(), 2)
	of := interfaces(types.Filter{Name: aws.String("attachment.instance-id"), Values: ids[:1]})
	require.Len(t, of, 1)
	got, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{*of[0].NetworkInterfaceId}})
	require.NoError(t, err)
	require.Equal(t, ids[0], *got.NetworkInterfaces[0].Attachment.InstanceId)
	_, err = c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-00000000000000000"}})
	require.Equal(t, "InvalidNetworkInterfaceID.NotFound", wireCode(t, err))
	_, err = c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: ids[:1], Tags: []types.Tag{{Key: aws.String("role"), Value: aws.String("canary")}}})
	require.NoError(t, err)
	one, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("tag:role"), Values: []string{"can*"}}}})
	require.NoError(t, err)
	require.Equal(t, ids[0], *one.Reservations[0].Instances[0].InstanceId)
	_, err = c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
	require.NoError(t, err)
	require.NoError(t, ec2.NewInstanceTerminatedWaiter(c, func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay = time.Millisecond }).Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: ids}, 10*time.Second))
	require.Empty(t, interfaces(), "they go with their instances")
	_, err = c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"i-00000000000000000"}})
	require.Equal(t, "InvalidInstanceID.NotFound", wireCode(t, err))
}
