package cloudformation

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"
)

// networkKinds are VPCs, subnets and internet gateways.
func networkKinds() map[string]kind {
	return map[string]kind{
		"AWS::EC2::VPC": {
			takes: 12 * time.Second, tagged: true, fixed: []string{"CidrBlock"},
			mutable: []string{"EnableDnsSupport", "EnableDnsHostnames", "InstanceTenancy"},
			create:  createVPC, read: readVPC, update: updateVPC, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteVpcOutput](h, "ec2", "DeleteVpc", &sdk.DeleteVpcInput{VpcId: &id})
				return err
			},
		},
		"AWS::EC2::Subnet": {
			takes: 5 * time.Second, tagged: true, fixed: []string{"VpcId", "AvailabilityZone", "CidrBlock"},
			mutable: []string{"MapPublicIpOnLaunch"},
			create:  createSubnet, read: readSubnet, update: updateSubnet, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteSubnetOutput](h, "ec2", "DeleteSubnet", &sdk.DeleteSubnetInput{SubnetId: &id})
				return err
			},
		},
		"AWS::EC2::InternetGateway": {
			takes: 15 * time.Second, tagged: true,
			create: createGateway, read: readGateway, update: retagEC2, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteInternetGatewayOutput](h, "ec2", "DeleteInternetGateway", &sdk.DeleteInternetGatewayInput{InternetGatewayId: &id})
				return err
			},
		},
		"AWS::EC2::VPCGatewayAttachment": {
			takes: 5 * time.Second, fixed: []string{"VpcId", "InternetGatewayId"},
			create: attachGateway, read: readAttachment, update: retagEC2, remove: detachGateway,
		},
	}
}

// retagEC2 brings the tags of anything in EC2 up to date.
func retagEC2(h *hand, id string, before, after props) error {
	set, remove := retag[sdk.Tag](h, before, after)
	if len(set) > 0 {
		if _, err := ask[sdk.CreateTagsOutput](h, "ec2", "CreateTags", &sdk.CreateTagsInput{Resources: []*string{&id}, Tags: set}); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	in := &sdk.DeleteTagsInput{Resources: []*string{&id}}
	for _, key := range remove {
		in.Tags = append(in.Tags, &sdk.Tag{Key: key})
	}
	_, err := ask[sdk.DeleteTagsOutput](h, "ec2", "DeleteTags", in)
	return err
}

// tagSpecs are the tags of a new resource of EC2; nil when there are none.
func tagSpecs(h *hand, p props, resourceType string) []*sdk.TagSpecification {
	all := tags[sdk.Tag](h, p)
	if len(all) == 0 {
		return nil
	}
	return []*sdk.TagSpecification{{ResourceType: &resourceType, Tags: all}}
}

func createVPC(h *hand, p props) (string, error) {
	in := &sdk.CreateVpcInput{TagSpecifications: tagSpecs(h, p, "vpc")}
	if err := fill(in, p, "CidrBlock", "InstanceTenancy"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateVpcOutput](h, "ec2", "CreateVpc", in)
	if err != nil {
		return "", err
	}
	id := *out.Vpc.VpcId
	return id, setVPC(h, id, p)
}

func setVPC(h *hand, id string, p props) error {
	for _, name := range []string{"EnableDnsSupport", "EnableDnsHostnames"} {
		in := &sdk.ModifyVpcAttributeInput{VpcId: &id}
		if p[name] == nil {
			continue
		}
		if err := fill(in, props{name: map[string]any{"Value": p[name]}}); err != nil {
			return err
		}
		if _, err := ask[sdk.ModifyVpcAttributeOutput](h, "ec2", "ModifyVpcAttribute", in); err != nil {
			return err
		}
	}
	return nil
}

func updateVPC(h *hand, id string, before, after props) error {
	if err := setVPC(h, id, after); err != nil {
		return err
	}
	return retagEC2(h, id, before, after)
}

func readVPC(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeVpcsOutput](h, "ec2", "DescribeVpcs", &sdk.DescribeVpcsInput{VpcIds: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.Vpcs[0])
	for name, attribute := range map[string]string{"EnableDnsSupport": "enableDnsSupport", "EnableDnsHostnames": "enableDnsHostnames"} {
		is, err := ask[sdk.DescribeVpcAttributeOutput](h, "ec2", "DescribeVpcAttribute", &sdk.DescribeVpcAttributeInput{VpcId: &id, Attribute: &attribute})
		if err != nil {
			return nil, nil, err
		}
		live[name] = plain(is).object(name)["Value"]
	}
	return live, map[string]any{"VpcId": id, "CidrBlock": live["CidrBlock"]}, nil
}

func createSubnet(h *hand, p props) (string, error) {
	in := &sdk.CreateSubnetInput{TagSpecifications: tagSpecs(h, p, "subnet")}
	if err := fill(in, p, "VpcId", "CidrBlock", "AvailabilityZone"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateSubnetOutput](h, "ec2", "CreateSubnet", in)
	if err != nil {
		return "", err
	}
	id := *out.Subnet.SubnetId
	return id, setSubnet(h, id, p)
}

func setSubnet(h *hand, id string, p props) error {
	if p["MapPublicIpOnLaunch"] == nil {
		return nil
	}
	in := &sdk.ModifySubnetAttributeInput{SubnetId: &id}
	if err := fill(in, props{"MapPublicIpOnLaunch": map[string]any{"Value": p["MapPublicIpOnLaunch"]}}); err != nil {
		return err
	}
	_, err := ask[sdk.ModifySubnetAttributeOutput](h, "ec2", "ModifySubnetAttribute", in)
	return err
}

func updateSubnet(h *hand, id string, before, after props) error {
	if err := setSubnet(h, id, after); err != nil {
		return err
	}
	return retagEC2(h, id, before, after)
}

func readSubnet(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeSubnetsOutput](h, "ec2", "DescribeSubnets", &sdk.DescribeSubnetsInput{SubnetIds: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.Subnets[0])
	return live, map[string]any{
		"SubnetId": id, "VpcId": live["VpcId"], "AvailabilityZone": live["AvailabilityZone"], "CidrBlock": live["CidrBlock"],
	}, nil
}

func createGateway(h *hand, p props) (string, error) {
	out, err := ask[sdk.CreateInternetGatewayOutput](h, "ec2", "CreateInternetGateway",
		&sdk.CreateInternetGatewayInput{TagSpecifications: tagSpecs(h, p, "internet-gateway")})
	if err != nil {
		return "", err
	}
	return *out.InternetGateway.InternetGatewayId, nil
}

func readGateway(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeInternetGatewaysOutput](h, "ec2", "DescribeInternetGateways", &sdk.DescribeInternetGatewaysInput{InternetGatewayIds: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	return plain(out.InternetGateways[0]), map[string]any{"InternetGatewayId": id}, nil
}

// An attachment has no id of its own: AWS names it by its sort and its VPC.
const attachmentPrefix = "IGW|"

func attachGateway(h *hand, p props) (string, error) {
	in := &sdk.AttachInternetGatewayInput{}
	if err := fill(in, p, "VpcId", "InternetGatewayId"); err != nil {
		return "", err
	}
	_, err := ask[sdk.AttachInternetGatewayOutput](h, "ec2", "AttachInternetGateway", in)
	return attachmentPrefix + aws.StringValue(in.VpcId), err
}

func detachGateway(h *hand, _ string, p props) error {
	in := &sdk.DetachInternetGatewayInput{}
	if err := fill(in, p, "VpcId", "InternetGatewayId"); err != nil {
		return err
	}
	_, err := ask[sdk.DetachInternetGatewayOutput](h, "ec2", "DetachInternetGateway", in)
	return err
}

func readAttachment(h *hand, id string, p props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeInternetGatewaysOutput](h, "ec2", "DescribeInternetGateways",
		&sdk.DescribeInternetGatewaysInput{InternetGatewayIds: []*string{p.text("InternetGatewayId")}})
	if err != nil {
		return nil, nil, err
	}
	vpc := strings.TrimPrefix(id, attachmentPrefix)
	for _, a := range out.InternetGateways[0].Attachments {
		if aws.StringValue(a.VpcId) == vpc {
			return props{"VpcId": vpc, "InternetGatewayId": p["InternetGatewayId"]}, map[string]any{"AttachmentType": "IGW"}, nil
		}
	}
	return nil, nil, missingNow("attachment " + id)
}
