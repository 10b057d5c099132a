package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// ModifyVpcEndpoint changes where an endpoint is reached from, and by whom.
func (e *EC2) ModifyVpcEndpoint(c *wire.Call, in *sdk.ModifyVpcEndpointInput) (*sdk.ModifyVpcEndpointOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	v, ok := r.endpoints.get(in.VpcEndpointId)
	if !ok {
		return nil, refuse("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", aws.StringValue(in.VpcEndpointId))
	}
	if err := r.checkEndpoint(&sdk.CreateVpcEndpointInput{
		VpcId: v.VpcId, ServiceName: v.ServiceName, RouteTableIds: in.AddRouteTableIds, SubnetIds: in.AddSubnetIds, SecurityGroupIds: in.AddSecurityGroupIds,
	}); err != nil {
		return nil, err
	}
	v.RouteTableIds = shift(v.RouteTableIds, in.AddRouteTableIds, in.RemoveRouteTableIds)
	if *v.VpcEndpointType != sdk.VpcEndpointTypeGateway {
		v.SubnetIds = shift(v.SubnetIds, in.AddSubnetIds, in.RemoveSubnetIds)
		e.plug(v)
		r.regroup(v, in)
	}
	switch {
	case aws.BoolValue(in.ResetPolicy):
		v.PolicyDocument = aws.String(allowAll)
	case in.PolicyDocument != nil:
		v.PolicyDocument = aws.String(*in.PolicyDocument)
	}
	if in.PrivateDnsEnabled != nil {
		v.PrivateDnsEnabled = aws.Bool(*in.PrivateDnsEnabled)
	}
	return &sdk.ModifyVpcEndpointOutput{Return: aws.Bool(true)}, nil
}

// shift adds ids to a list and removes others.
func shift(ids, add, remove []*string) []*string {
	out := slices.DeleteFunc(aws.StringValueSlice(ids), func(id string) bool { return slices.Contains(aws.StringValueSlice(remove), id) })
	for _, id := range aws.StringValueSlice(add) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return aws.StringSlice(out)
}

// plug gives an interface endpoint one network interface a subnet.
func (e *EC2) plug(v *sdk.VpcEndpoint) {
	for len(v.NetworkInterfaceIds) < len(v.SubnetIds) {
		v.NetworkInterfaceIds = append(v.NetworkInterfaceIds, aws.String(e.world.NewID("eni-")))
	}
	v.NetworkInterfaceIds = v.NetworkInterfaceIds[:len(v.SubnetIds)]
}

func (r *region) regroup(v *sdk.VpcEndpoint, in *sdk.ModifyVpcEndpointInput) {
	var have []*string
	for _, g := range v.Groups {
		have = append(have, g.GroupId)
	}
	v.Groups = nil
	for _, id := range shift(have, in.AddSecurityGroupIds, in.RemoveSecurityGroupIds) {
		if g, err := r.findGroup(id, nil); err == nil {
			v.Groups = append(v.Groups, &sdk.SecurityGroupIdentifier{GroupId: aws.String(g.id), GroupName: aws.String(g.name)})
		}
	}
}
