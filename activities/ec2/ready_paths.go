package ec2

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// Paths are how packets leave subnets, in words that are the same in two Regions
// when the same can be reached: ids and address ranges differ by right, the kinds
// of what routes lead to do not.
type Paths struct {
	VPCs []string `json:"vpcs,omitempty"`
	// Routes of the subnets' tables, sorted: "everywhere by a NAT gateway".
	Routes []string `json:"routes,omitempty"`
	// Dead are routes whose target is gone, as AWS wrote them.
	Dead []string `json:"dead,omitempty"`
	// Endpoints of the VPCs, sorted: "s3 by an endpoint of type gateway".
	Endpoints []string `json:"endpoints,omitempty"`
}

// DescribePaths reads the routes that apply to subnets, and their VPCs' endpoints.
func (r *Ready) DescribePaths(ctx context.Context, in SubnetsRef) (Paths, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	if len(in.Subnets) == 0 {
		return Paths{}, nil
	}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSubnets, &sdk.DescribeSubnetsInput{SubnetIds: in.Subnets})
	if err != nil {
		return Paths{}, fmt.Errorf("describe %d subnets: %w", len(in.Subnets), err)
	}
	var out Paths
	for _, s := range got.Subnets {
		out.VPCs = append(out.VPCs, aws.ToString(s.VpcId))
	}
	slices.Sort(out.VPCs)
	out.VPCs = slices.Compact(out.VPCs)
	tables, err := r.tables(ctx, at, out.VPCs)
	if err != nil {
		return Paths{}, err
	}
	var used []types.RouteTable
	for _, s := range got.Subnets {
		used = append(used, tableOf(tables, s))
	}
	out.Routes, out.Dead = routeWords(used)
	out.Endpoints, err = r.endpoints(ctx, at, out.VPCs)
	return out, err
}

// tables are all route tables of VPCs.
func (r *Ready) tables(ctx context.Context, at cloud.At, vpcs []string) ([]types.RouteTable, error) {
	ask := &sdk.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: vpcs}}}
	var out []types.RouteTable
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeRouteTables, ask)
		if err != nil {
			return nil, fmt.Errorf("describe route tables in %s: %w", at.Region, err)
		}
		out = append(out, page.RouteTables...)
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return out, nil
		}
	}
}

// tableOf is the table that applies to a subnet: its own, or else its VPC's main one.
func tableOf(all []types.RouteTable, s types.Subnet) types.RouteTable {
	var main types.RouteTable
	for _, t := range all {
		for _, a := range t.Associations {
			if aws.ToString(a.SubnetId) == aws.ToString(s.SubnetId) {
				return t
			}
			if aws.ToBool(a.Main) && aws.ToString(t.VpcId) == aws.ToString(s.VpcId) {
				main = t
			}
		}
	}
	return main
}

// routeWords puts the routes of subnets into words. What leads out of some of the
// subnets only is not what leads out of all.
func routeWords(used []types.RouteTable) (words, dead []string) {
	subnets := map[string]int{}
	for _, t := range used {
		mine := map[string]int{}
		for _, route := range t.Routes {
			by := targetOf(route)
			switch {
			case by == local:
			case route.State == types.RouteStateBlackhole:
				dead = append(dead, fmt.Sprintf("%s by %s in %s", destinationOf(route), by, aws.ToString(t.RouteTableId)))
			default:
				mine[reach(route)+" by "+by]++
			}
		}
		for word, n := range mine {
			if n > 1 {
				word += fmt.Sprintf(", %d times", n)
			}
			subnets[word]++
		}
	}
	for word, n := range subnets {
		if n < len(used) {
			word += ", from some of the subnets"
		}
		words = append(words, word)
	}
	slices.Sort(words)
	slices.Sort(dead)
	return words, slices.Compact(dead)
}

func destinationOf(r types.Route) string {
	return cmp.Or(aws.ToString(r.DestinationCidrBlock), aws.ToString(r.DestinationIpv6CidrBlock), aws.ToString(r.DestinationPrefixListId))
}

// reach is where a route leads, without address ranges and ids.
func reach(r types.Route) string {
	switch {
	case aws.ToString(r.DestinationCidrBlock) == "0.0.0.0/0":
		return "everywhere"
	case aws.ToString(r.DestinationIpv6CidrBlock) == "::/0":
		return "everywhere in IPv6"
	case r.DestinationPrefixListId != nil:
		return "a prefix list"
	}
	return "a network"
}

// local is the route that each table has to its own VPC.
const local = "local"

// targetOf is the kind of what a route leads to.
func targetOf(r types.Route) string {
	gateways := map[string]string{"igw": "an internet gateway", "vgw": "a virtual private gateway", "vpce": "an endpoint", local: local}
	prefix, _, _ := strings.Cut(aws.ToString(r.GatewayId), "-")
	switch {
	case gateways[prefix] != "":
		return gateways[prefix]
	case r.NatGatewayId != nil:
		return "a NAT gateway"
	case r.TransitGatewayId != nil:
		return "a transit gateway"
	case r.VpcPeeringConnectionId != nil:
		return "a peering connection"
	case r.EgressOnlyInternetGatewayId != nil:
		return "an egress-only internet gateway"
	case r.CoreNetworkArn != nil:
		return "a core network"
	case r.InstanceId != nil || r.NetworkInterfaceId != nil:
		return "an instance or a network interface"
	}
	return "something else"
}

// endpoints are the endpoints of VPCs that work, each service once.
func (r *Ready) endpoints(ctx context.Context, at cloud.At, vpcs []string) ([]string, error) {
	ask := &sdk.DescribeVpcEndpointsInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: vpcs}}}
	found := map[string]bool{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeVpcEndpoints, ask)
		if err != nil {
			return nil, fmt.Errorf("describe VPC endpoints in %s: %w", at.Region, err)
		}
		for _, v := range page.VpcEndpoints {
			// The API writes "available", its documentation "Available".
			if strings.EqualFold(string(v.State), string(types.StateAvailable)) {
				found[endpointWords(v, at.Region)] = true
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return slices.Sorted(maps.Keys(found)), nil
		}
	}
}

// endpointWords names an endpoint's service without its Region. A service of
// somebody's own has an id there, which differs by right.
func endpointWords(v types.VpcEndpoint, region plan.Region) string {
	service := aws.ToString(v.ServiceName)
	if strings.HasPrefix(service, "com.amazonaws.vpce.") {
		service = "a private service"
	}
	service = strings.TrimPrefix(service, "com.amazonaws."+string(region)+".")
	service = strings.ReplaceAll(service, string(region), "{region}")
	out := fmt.Sprintf("%s by an endpoint of type %s", service, strings.ToLower(string(v.VpcEndpointType)))
	if v.VpcEndpointType == types.VpcEndpointTypeInterface && !aws.ToBool(v.PrivateDnsEnabled) {
		out += " without its private name"
	}
	return out
}
