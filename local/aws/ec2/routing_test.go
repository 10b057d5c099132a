package ec2_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"
)

func newVPC(t *testing.T, c *ec2.Client) (vpc, subnet *string) {
	t.Helper()
	v, err := c.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.1.0.0/16")})
	require.NoError(t, err)
	s, err := c.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: v.Vpc.VpcId, CidrBlock: aws.String("10.1.0.0/24")})
	require.NoError(t, err)
	return v.Vpc.VpcId, s.Subnet.SubnetId
}

func TestContract_Routing(t *testing.T) {
	t.Parallel()
	c, ctx := sdkClient(t), t.Context()
	vpc, subnet := newVPC(t, c)
	byVPC := []types.Filter{{Name: aws.String("vpc-id"), Values: []string{*vpc}}}
	tables, err := c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: byVPC})
	require.NoError(t, err)
	require.Len(t, tables.RouteTables, 1)
	require.True(t, *tables.RouteTables[0].Associations[0].Main)

	table, err := c.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc})
	require.NoError(t, err)
	id := table.RouteTable.RouteTableId
	gateway, err := c.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})
	require.NoError(t, err)
	route := &ec2.CreateRouteInput{RouteTableId: id, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: gateway.InternetGateway.InternetGatewayId}
	_, err = c.CreateRoute(ctx, route)
	require.Equal(t, "InvalidParameterValue", wireCode(t, err), "the gateway is not the VPC's yet")
	_, err = c.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: route.GatewayId, VpcId: vpc})
	require.NoError(t, err)
	_, err = c.CreateRoute(ctx, route)
	require.NoError(t, err)
	_, err = c.CreateRoute(ctx, route)
	require.Equal(t, "RouteAlreadyExists", wireCode(t, err))
	made, err := c.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: id, SubnetId: subnet})
	require.NoError(t, err)
	found, err := c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("association.subnet-id"), Values: []string{*subnet}}}})
	require.NoError(t, err)
	require.Equal(t, *id, *found.RouteTables[0].RouteTableId)
	require.Len(t, found.RouteTables[0].Routes, 2)

	_, err = c.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: id})
	require.Equal(t, "DependencyViolation", wireCode(t, err))
	_, err = c.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: route.GatewayId, VpcId: vpc})
	require.NoError(t, err)
	found, err = c.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{RouteTableIds: []string{*id}})
	require.NoError(t, err)
	require.Equal(t, types.RouteStateBlackhole, found.RouteTables[0].Routes[1].State)
	_, err = c.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{AssociationId: made.AssociationId})
	require.NoError(t, err)
	_, err = c.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: id})
	require.NoError(t, err)
	_, err = c.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: subnet})
	require.NoError(t, err)
	_, err = c.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: vpc})
	require.NoError(t, err)
}

func TestContract_VPCAttributes(t *testing.T) {
	t.Parallel()
	c, ctx := sdkClient(t), t.Context()
	vpc, subnet := newVPC(t, c)
	names := func() bool {
		out, err := c.DescribeVpcAttribute(ctx, &ec2.DescribeVpcAttributeInput{VpcId: vpc, Attribute: types.VpcAttributeNameEnableDnsHostnames})
		require.NoError(t, err)
		return *out.EnableDnsHostnames.Value
	}
	require.False(t, names())
	on := &types.AttributeBooleanValue{Value: aws.Bool(true)}
	_, err := c.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpc, EnableDnsHostnames: on})
	require.NoError(t, err)
	require.True(t, names())
	_, err = c.ModifyVpcAttribute(ctx, &ec2.ModifyVpcAttributeInput{VpcId: vpc, EnableDnsHostnames: on, EnableDnsSupport: on})
	require.Equal(t, "InvalidParameterCombination", wireCode(t, err))
	_, err = c.ModifySubnetAttribute(ctx, &ec2.ModifySubnetAttributeInput{SubnetId: subnet, MapPublicIpOnLaunch: on})
	require.NoError(t, err)
	subnets, err := c.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{SubnetIds: []string{*subnet}})
	require.NoError(t, err)
	require.True(t, *subnets.Subnets[0].MapPublicIpOnLaunch)
}

func TestContract_Endpoints(t *testing.T) {
	t.Parallel()
	c, ctx := sdkClient(t), t.Context()
	vpc, subnet := newVPC(t, c)
	_, err := c.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{VpcId: vpc, ServiceName: aws.String("com.amazonaws.us-east-1.s3")})
	require.Equal(t, "InvalidServiceName", wireCode(t, err), "an endpoint reaches its own Region only")
	made, err := c.CreateVpcEndpoint(ctx, &ec2.CreateVpcEndpointInput{
		VpcId: vpc, ServiceName: aws.String("com.amazonaws.us-west-2.ec2"), VpcEndpointType: types.VpcEndpointTypeInterface, SubnetIds: []string{*subnet},
	})
	require.NoError(t, err)
	require.Equal(t, "pending", string(made.VpcEndpoint.State))
	require.Eventually(t, func() bool {
		out, err := c.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{Filters: []types.Filter{
			{Name: aws.String("service-name"), Values: []string{"com.amazonaws.us-west-2.ec2"}}, {Name: aws.String("vpc-endpoint-state"), Values: []string{"available"}},
		}})
		return err == nil && len(out.VpcEndpoints) == 1
	}, 10*time.Second, 5*time.Millisecond)
	interfaces, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{Filters: []types.Filter{{Name: aws.String("interface-type"), Values: []string{"vpc_endpoint"}}}})
	require.NoError(t, err)
	require.Len(t, interfaces.NetworkInterfaces, 1)
	require.Equal(t, *subnet, *interfaces.NetworkInterfaces[0].SubnetId)
	_, err = c.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: vpc})
	require.Equal(t, "DependencyViolation", wireCode(t, err))
	gone, err := c.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*made.VpcEndpoint.VpcEndpointId, "vpce-0123456789abcdef0"}})
	require.NoError(t, err)
	require.Len(t, gone.Unsuccessful, 1)
}
