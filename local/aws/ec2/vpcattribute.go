package ec2

import (
	"maps"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// vpcSettings are the attributes of a VPC that DescribeVpcs doesn't tell. A VPC
// is born with name resolution; only the default VPC also names its instances.
type vpcSettings struct {
	dnsSupport, dnsHostnames, usageMetrics bool
}

// settings gives the attributes of a VPC; e.mu is held.
func (r *region) settings(vpc *sdk.Vpc) *vpcSettings {
	s, ok := r.vpcSettings[*vpc.VpcId]
	if !ok {
		s = &vpcSettings{dnsSupport: true, dnsHostnames: aws.BoolValue(vpc.IsDefault)}
		r.vpcSettings[*vpc.VpcId] = s
	}
	return s
}

// ModifyVpcAttribute changes one attribute of a VPC; AWS takes one at a time.
func (e *EC2) ModifyVpcAttribute(c *wire.Call, in *sdk.ModifyVpcAttributeInput) (*sdk.ModifyVpcAttributeOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	vpc, ok := r.vpcs.get(in.VpcId)
	if !ok {
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	}
	s := r.settings(vpc)
	changes := map[*bool]*sdk.AttributeBooleanValue{
		&s.dnsSupport: in.EnableDnsSupport, &s.dnsHostnames: in.EnableDnsHostnames,
		&s.usageMetrics: in.EnableNetworkAddressUsageMetrics,
	}
	maps.DeleteFunc(changes, func(_ *bool, to *sdk.AttributeBooleanValue) bool { return to == nil })
	if len(changes) != 1 {
		return nil, refuse("InvalidParameterCombination", "Exactly one attribute must be specified")
	}
	for value, to := range changes {
		*value = aws.BoolValue(to.Value)
	}
	return nil, nil
}

// DescribeVpcAttribute tells one attribute of a VPC.
func (e *EC2) DescribeVpcAttribute(c *wire.Call, in *sdk.DescribeVpcAttributeInput) (*sdk.DescribeVpcAttributeOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	vpc, ok := r.vpcs.get(in.VpcId)
	if !ok {
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	}
	s, out := r.settings(vpc), &sdk.DescribeVpcAttributeOutput{VpcId: aws.String(*vpc.VpcId)}
	value := func(v bool) *sdk.AttributeBooleanValue { return &sdk.AttributeBooleanValue{Value: aws.Bool(v)} }
	switch aws.StringValue(in.Attribute) {
	case sdk.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = value(s.dnsSupport)
	case sdk.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = value(s.dnsHostnames)
	default:
		out.EnableNetworkAddressUsageMetrics = value(s.usageMetrics)
	}
	return out, nil
}

// ModifySubnetAttribute says whether instances get public addresses at launch;
// the other attributes of a subnet are not simulated.
func (e *EC2) ModifySubnetAttribute(c *wire.Call, in *sdk.ModifySubnetAttributeInput) (*sdk.ModifySubnetAttributeOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.in(c.Region).subnets.get(in.SubnetId)
	switch {
	case !ok:
		return nil, missing("SubnetID", "subnet ID", aws.StringValue(in.SubnetId))
	case in.MapPublicIpOnLaunch == nil:
		return nil, refuse("UnsupportedOperation", "Only the attribute mapPublicIpOnLaunch can be modified here")
	}
	s.api.MapPublicIpOnLaunch = aws.Bool(aws.BoolValue(in.MapPublicIpOnLaunch.Value))
	return nil, nil
}
