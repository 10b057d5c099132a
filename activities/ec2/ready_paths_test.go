package ec2

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

// atlas is the routes and endpoints of a Region; it answers one thing a page.
type atlas struct {
	ReadyAPI
	cloudtest.Service
	subnets   map[string]string // VPC by id
	tables    []types.RouteTable
	endpoints []types.VpcEndpoint
}

func newAtlas() (*atlas, *Ready) {
	a := &atlas{Service: cloudtest.Service{ID: "EC2"}, subnets: map[string]string{"subnet-a": "vpc-1", "subnet-b": "vpc-1", "subnet-c": "vpc-2"}}
	return a, &Ready{Clients: func(plan.Region) ReadyAPI { return a }}
}

func (a *atlas) DescribeSubnets(ctx context.Context, in *sdk.DescribeSubnetsInput, _ ...func(*sdk.Options)) (*sdk.DescribeSubnetsOutput, error) {
	return cloudtest.Serve(ctx, &a.Service, "DescribeSubnets", func() (*sdk.DescribeSubnetsOutput, error) {
		out := &sdk.DescribeSubnetsOutput{}
		for _, id := range in.SubnetIds {
			vpc, ok := a.subnets[id]
			if !ok {
				return nil, cloudtest.Refuse("InvalidSubnetID.NotFound", id)
			}
			out.Subnets = append(out.Subnets, types.Subnet{SubnetId: aws.String(id), VpcId: aws.String(vpc)})
		}
		return out, nil
	})
}

func (a *atlas) DescribeRouteTables(ctx context.Context, in *sdk.DescribeRouteTablesInput, _ ...func(*sdk.Options)) (*sdk.DescribeRouteTablesOutput, error) {
	return cloudtest.Serve(ctx, &a.Service, "DescribeRouteTables", func() (*sdk.DescribeRouteTablesOutput, error) {
		var match []types.RouteTable
		for _, t := range a.tables {
			if slices.Contains(in.Filters[0].Values, aws.ToString(t.VpcId)) {
				match = append(match, t)
			}
		}
		page, next := onePage(match, in.NextToken)
		return &sdk.DescribeRouteTablesOutput{RouteTables: page, NextToken: next}, nil
	})
}

func (a *atlas) DescribeVpcEndpoints(ctx context.Context, in *sdk.DescribeVpcEndpointsInput, _ ...func(*sdk.Options)) (*sdk.DescribeVpcEndpointsOutput, error) {
	return cloudtest.Serve(ctx, &a.Service, "DescribeVpcEndpoints", func() (*sdk.DescribeVpcEndpointsOutput, error) {
		var match []types.VpcEndpoint
		for _, v := range a.endpoints {
			if slices.Contains(in.Filters[0].Values, aws.ToString(v.VpcId)) {
				match = append(match, v)
			}
		}
		page, next := onePage(match, in.NextToken)
		return &sdk.DescribeVpcEndpointsOutput{VpcEndpoints: page, NextToken: next}, nil
	})
}

// table is a route table of subnets; of none it is its VPC's main table.
func table(vpc string, routes []types.Route, subnets ...string) types.RouteTable {
	t := types.RouteTable{RouteTableId: aws.String("rtb-" + vpc), VpcId: aws.String(vpc), Routes: append([]types.Route{{DestinationCidrBlock: aws.String("10.0.0.0/16"), GatewayId: aws.String("local")}}, routes...)}
	for _, s := range subnets {
		t.Associations = append(t.Associations, types.RouteTableAssociation{SubnetId: aws.String(s), Main: aws.Bool(false)})
	}
	if len(subnets) == 0 {
		t.Associations = []types.RouteTableAssociation{{Main: aws.Bool(true)}}
	}
	return t
}

func everywhere(r types.Route) types.Route {
	r.DestinationCidrBlock = aws.String("0.0.0.0/0")
	return r
}

func to(block string, r types.Route) types.Route {
	r.DestinationCidrBlock = aws.String(block)
	return r
}

func endpoint(vpc, service string, kind types.VpcEndpointType, state string, named bool) types.VpcEndpoint {
	return types.VpcEndpoint{VpcId: aws.String(vpc), ServiceName: aws.String(service), VpcEndpointType: kind, State: types.State(state), PrivateDnsEnabled: aws.Bool(named)}
}

func TestDescribePaths_OfItsOwnTableElseOfTheMainOne(t *testing.T) {
	t.Parallel()
	a, r := newAtlas()
	nat := types.Route{NatGatewayId: aws.String("nat-1")}
	a.tables = []types.RouteTable{
		table("vpc-9", []types.Route{everywhere(nat)}),
		table("vpc-2", []types.Route{everywhere(types.Route{TransitGatewayId: aws.String("tgw-2")})}),
		table("vpc-1", []types.Route{everywhere(types.Route{GatewayId: aws.String("igw-1")})}),
		table("vpc-1", []types.Route{everywhere(nat), to("10.8.0.0/16", types.Route{TransitGatewayId: aws.String("tgw-1")}), to("10.9.0.0/16", types.Route{TransitGatewayId: aws.String("tgw-1")})}, "subnet-a"),
	}
	for name, c := range map[string]struct {
		subnets, routes, vpcs []string
	}{
		"its own":    {[]string{"subnet-a"}, []string{"a network by a transit gateway, 2 times", "everywhere by a NAT gateway"}, []string{"vpc-1"}},
		"main":       {[]string{"subnet-b"}, []string{"everywhere by an internet gateway"}, []string{"vpc-1"}},
		"of two":     {[]string{"subnet-b", "subnet-c"}, []string{"everywhere by a transit gateway, from some of the subnets", "everywhere by an internet gateway, from some of the subnets"}, []string{"vpc-1", "vpc-2"}},
		"of unalike": {[]string{"subnet-a", "subnet-b"}, []string{"a network by a transit gateway, 2 times, from some of the subnets", "everywhere by a NAT gateway, from some of the subnets", "everywhere by an internet gateway, from some of the subnets"}, []string{"vpc-1"}},
	} {
		got, err := r.DescribePaths(t.Context(), SubnetsRef{Region: "us-west-2", Subnets: c.subnets})
		require.NoError(t, err, name)
		require.Equal(t, Paths{VPCs: c.vpcs, Routes: c.routes}, got, name)
	}
}

func TestDescribePaths_OfNoSubnets_AsksNobody(t *testing.T) {
	t.Parallel()
	a, r := newAtlas()
	got, err := r.DescribePaths(t.Context(), SubnetsRef{Region: "us-west-2"})
	require.NoError(t, err)
	require.Equal(t, Paths{}, got)
	require.Zero(t, a.Count("DescribeSubnets"), "without ids EC2 lists all")
}

func TestDescribePaths_ATargetThatIsGone_LeadsNowhere(t *testing.T) {
	t.Parallel()
	a, r := newAtlas()
	a.tables = []types.RouteTable{table("vpc-1", []types.Route{everywhere(types.Route{NatGatewayId: aws.String("nat-1"), State: types.RouteStateBlackhole})})}
	got, err := r.DescribePaths(t.Context(), SubnetsRef{Region: "us-west-2", Subnets: []string{"subnet-a", "subnet-b"}})
	require.NoError(t, err)
	require.Equal(t, Paths{VPCs: []string{"vpc-1"}, Dead: []string{"0.0.0.0/0 by a NAT gateway in rtb-vpc-1"}}, got)
}

func TestDescribePaths_EndpointsWithoutWhatDiffersByRight(t *testing.T) {
	t.Parallel()
	a, r := newAtlas()
	a.endpoints = []types.VpcEndpoint{
		endpoint("vpc-1", "com.amazonaws.us-west-2.s3", types.VpcEndpointTypeGateway, "available", false),
		endpoint("vpc-1", "com.amazonaws.us-west-2.ecr.dkr", types.VpcEndpointTypeInterface, "Available", true),
		endpoint("vpc-1", "com.amazonaws.us-west-2.ecr.dkr", types.VpcEndpointTypeInterface, "available", true),
		endpoint("vpc-1", "com.amazonaws.us-west-2.kms", types.VpcEndpointTypeInterface, "available", false),
		endpoint("vpc-1", "com.amazonaws.us-west-2.sns", types.VpcEndpointTypeInterface, "pending", true),
		endpoint("vpc-1", "com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0", types.VpcEndpointTypeInterface, "available", true),
		endpoint("vpc-1", "aws.sagemaker.us-west-2.notebook", types.VpcEndpointTypeInterface, "available", true),
		endpoint("vpc-2", "com.amazonaws.us-west-2.sqs", types.VpcEndpointTypeInterface, "available", true),
	}
	got, err := r.DescribePaths(t.Context(), SubnetsRef{Region: "us-west-2", Subnets: []string{"subnet-a"}})
	require.NoError(t, err)
	require.Equal(t, []string{
		"a private service by an endpoint of type interface", "aws.sagemaker.{region}.notebook by an endpoint of type interface", "ecr.dkr by an endpoint of type interface",
		"kms by an endpoint of type interface without its private name", "s3 by an endpoint of type gateway",
	}, got.Endpoints)
}

func TestDescribePaths_GoneOrDenied(t *testing.T) {
	t.Parallel()
	a, r := newAtlas()
	_, err := r.DescribePaths(t.Context(), SubnetsRef{Region: "us-west-2", Subnets: []string{"subnet-x"}})
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	for _, operation := range []string{"DescribeSubnets", "DescribeRouteTables", "DescribeVpcEndpoints"} {
		a.Next(operation, cloudtest.Code("UnauthorizedOperation"))
		_, err := r.DescribePaths(t.Context(), SubnetsRef{Region: "us-west-2", Subnets: []string{"subnet-a"}})
		require.ErrorContains(t, err, "permission ec2:"+operation+" is missing")
	}
}

func TestTargetOf_NamesTheKindAndNoId(t *testing.T) {
	t.Parallel()
	id := aws.String("x-1")
	for want, route := range map[string]types.Route{
		"an internet gateway": {GatewayId: aws.String("igw-1")}, "a virtual private gateway": {GatewayId: aws.String("vgw-1")}, "an endpoint": {GatewayId: aws.String("vpce-1")}, "local": {GatewayId: aws.String("local")},
		"a NAT gateway": {NatGatewayId: id}, "a transit gateway": {TransitGatewayId: id}, "a peering connection": {VpcPeeringConnectionId: id},
		"an egress-only internet gateway": {EgressOnlyInternetGatewayId: id}, "a core network": {CoreNetworkArn: id},
		"an instance or a network interface": {NetworkInterfaceId: id}, "something else": {GatewayId: id},
	} {
		require.Equal(t, want, targetOf(route))
	}
	require.Equal(t, "an instance or a network interface", targetOf(types.Route{InstanceId: id}))
	require.Equal(t, "everywhere in IPv6", reach(types.Route{DestinationIpv6CidrBlock: aws.String("::/0")}))
	require.Equal(t, "a prefix list", reach(types.Route{DestinationPrefixListId: id}))
}
