package cloudformation

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"
)

// endpointKinds are the ways to AWS services that stay inside a VPC.
func endpointKinds() map[string]kind {
	return map[string]kind{"AWS::EC2::VPCEndpoint": {
		takes: 5 * time.Second, tagged: true, lingers: true, fixed: []string{"ServiceName", "VpcEndpointType", "VpcId"},
		mutable: []string{"PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds", "SubnetIds"},
		create:  createEndpoint, ready: endpointReady, read: readEndpoint, update: updateEndpoint, remove: deleteEndpoint,
	}}
}

func createEndpoint(h *hand, p props) (string, error) {
	in := &sdk.CreateVpcEndpointInput{PolicyDocument: p.document("PolicyDocument"), TagSpecifications: tagSpecs(h, p, "vpc-endpoint")}
	err := fill(in, p, "ServiceName", "VpcEndpointType", "VpcId", "PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds", "SubnetIds")
	if err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateVpcEndpointOutput](h, "ec2", "CreateVpcEndpoint", in)
	if err != nil {
		return "", err
	}
	return *out.VpcEndpoint.VpcEndpointId, nil
}

func endpoint(h *hand, id string) (*sdk.VpcEndpoint, error) {
	out, err := ask[sdk.DescribeVpcEndpointsOutput](h, "ec2", "DescribeVpcEndpoints", &sdk.DescribeVpcEndpointsInput{VpcEndpointIds: []*string{&id}})
	if err != nil {
		return nil, err
	}
	return out.VpcEndpoints[0], nil
}

func endpointReady(h *hand, id string) (bool, error) {
	v, err := endpoint(h, id)
	return err == nil && strings.EqualFold(aws.StringValue(v.State), "available"), err
}

func readEndpoint(h *hand, id string, _ props) (props, map[string]any, error) {
	v, err := endpoint(h, id)
	if err != nil {
		return nil, nil, err
	}
	live := plain(v)
	live["PolicyDocument"] = readDocument(v.PolicyDocument)
	groups := []any{}
	for _, g := range v.Groups {
		groups = append(groups, aws.StringValue(g.GroupId))
	}
	live["SecurityGroupIds"] = groups
	return live, map[string]any{
		"Id": id, "CreationTimestamp": live["CreationTimestamp"], "DnsEntries": live["DnsEntries"], "NetworkInterfaceIds": live["NetworkInterfaceIds"],
	}, nil
}

func updateEndpoint(h *hand, id string, before, after props) error {
	in := &sdk.ModifyVpcEndpointInput{VpcEndpointId: &id, PolicyDocument: after.document("PolicyDocument")}
	if err := fill(in, after, "PrivateDnsEnabled"); err != nil {
		return err
	}
	in.AddRouteTableIds, in.RemoveRouteTableIds = moved(before, after, "RouteTableIds")
	in.AddSubnetIds, in.RemoveSubnetIds = moved(before, after, "SubnetIds")
	in.AddSecurityGroupIds, in.RemoveSecurityGroupIds = moved(before, after, "SecurityGroupIds")
	if len(slices.DeleteFunc(changed(before, after), func(name string) bool { return name == "Tags" })) > 0 {
		if _, err := ask[sdk.ModifyVpcEndpointOutput](h, "ec2", "ModifyVpcEndpoint", in); err != nil {
			return err
		}
	}
	return retagEC2(h, id, before, after)
}

// moved are what a list gained and what it lost.
func moved(before, after props, name string) (gained, lost []*string) {
	old, now := aws.StringValueSlice(before.texts(name)), aws.StringValueSlice(after.texts(name))
	minus := func(a, b []string) []*string {
		left := slices.DeleteFunc(slices.Clone(a), func(v string) bool { return slices.Contains(b, v) })
		if len(left) == 0 {
			return nil
		}
		return aws.StringSlice(left)
	}
	return minus(now, old), minus(old, now)
}

func deleteEndpoint(h *hand, id string, _ props) error {
	out, err := ask[sdk.DeleteVpcEndpointsOutput](h, "ec2", "DeleteVpcEndpoints", &sdk.DeleteVpcEndpointsInput{VpcEndpointIds: []*string{&id}})
	if err != nil {
		return err
	}
	for _, u := range out.Unsuccessful {
		return refuse(aws.StringValue(u.Error.Code), "%s", aws.StringValue(u.Error.Message))
	}
	return nil
}
