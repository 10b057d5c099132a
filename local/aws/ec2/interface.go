package ec2

import (
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// interfaces are the network interfaces of a Region: the one that each instance
// has, and those of interface endpoints. Those that other services make on AWS
// (load balancers, databases) are not kept here.
func (r *region) interfaces(account string) []*sdk.NetworkInterface {
	var out []*sdk.NetworkInterface
	for _, i := range r.instances.all() {
		if i.gone() {
			continue
		}
		out = append(out, &sdk.NetworkInterface{
			NetworkInterfaceId: aws.String("eni-" + strings.TrimPrefix(*i.api.InstanceId, "i-")), OwnerId: aws.String(account),
			InterfaceType: aws.String(sdk.NetworkInterfaceTypeInterface), Status: aws.String(sdk.NetworkInterfaceStatusInUse),
			SubnetId: i.api.SubnetId, VpcId: i.api.VpcId, AvailabilityZone: i.api.Placement.AvailabilityZone, PrivateIpAddress: i.api.PrivateIpAddress,
			RequesterManaged: aws.Bool(false), Groups: i.api.SecurityGroups,
			Attachment: &sdk.NetworkInterfaceAttachment{InstanceId: i.api.InstanceId, DeviceIndex: aws.Int64(0), Status: aws.String(sdk.AttachmentStatusAttached)},
		})
	}
	for _, v := range r.endpoints.all() {
		for n, id := range v.NetworkInterfaceIds {
			out = append(out, &sdk.NetworkInterface{
				NetworkInterfaceId: id, OwnerId: aws.String(account), InterfaceType: aws.String(sdk.NetworkInterfaceTypeVpcEndpoint),
				Status: aws.String(sdk.NetworkInterfaceStatusInUse), SubnetId: v.SubnetIds[n], VpcId: v.VpcId, RequesterManaged: aws.Bool(true),
			})
		}
	}
	return out
}

// DescribeNetworkInterfaces lists network interfaces.
func (e *EC2) DescribeNetworkInterfaces(c *wire.Call, in *sdk.DescribeNetworkInterfacesInput) (*sdk.DescribeNetworkInterfacesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all store[sdk.NetworkInterface]
	for _, n := range e.in(c.Region).interfaces(e.world.Account()) {
		all.put(*n.NetworkInterfaceId, n)
	}
	found, unknown := all.named(in.NetworkInterfaceIds)
	if unknown != "" {
		return nil, refuse("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID '%s' does not exist", unknown)
	}
	found, err := choose(in.Filters, found, func(n *sdk.NetworkInterface) (fields, []*sdk.Tag) {
		f := fields{
			"network-interface-id": one(n.NetworkInterfaceId), "subnet-id": one(n.SubnetId), "vpc-id": one(n.VpcId), "status": one(n.Status),
			"interface-type": one(n.InterfaceType), "attachment.instance-id": nil,
		}
		if n.Attachment != nil {
			f["attachment.instance-id"] = one(n.Attachment.InstanceId)
		}
		return f, n.TagSet
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeNetworkInterfacesOutput{NetworkInterfaces: clones(found), NextToken: next}, err
}
