package ec2

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// endpointReady is how long an interface endpoint is pending, in AWS time; a
// gateway endpoint is a route and there at once.
const endpointReady = time.Minute

const allowAll = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`

// CreateVpcEndpoint makes a way to an AWS service that stays inside the VPC.
func (e *EC2) CreateVpcEndpoint(c *wire.Call, in *sdk.CreateVpcEndpointInput) (*sdk.CreateVpcEndpointOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	if err := r.checkEndpoint(in); err != nil {
		return nil, err
	}
	kind := cmp.Or(aws.StringValue(in.VpcEndpointType), sdk.VpcEndpointTypeGateway)
	v := &sdk.VpcEndpoint{
		VpcEndpointId: aws.String(e.world.NewID("vpce-")), VpcEndpointType: aws.String(kind),
		VpcId: in.VpcId, ServiceName: in.ServiceName, OwnerId: aws.String(e.world.Account()),
		State: aws.String("available"), CreationTimestamp: aws.Time(e.world.Now()),
		PolicyDocument:   aws.String(cmp.Or(aws.StringValue(in.PolicyDocument), allowAll)),
		RequesterManaged: aws.Bool(false), PrivateDnsEnabled: aws.Bool(false),
		RouteTableIds: in.RouteTableIds, SubnetIds: in.SubnetIds,
		Tags: tagsFor(in.TagSpecifications, "vpc-endpoint"),
	}
	if kind != sdk.VpcEndpointTypeGateway {
		e.dressInterface(r, v, in)
	}
	r.endpoints.put(*v.VpcEndpointId, v)
	return &sdk.CreateVpcEndpointOutput{VpcEndpoint: clone(v), ClientToken: in.ClientToken}, nil
}

func (r *region) checkEndpoint(in *sdk.CreateVpcEndpointInput) error {
	if _, ok := r.vpcs.get(in.VpcId); !ok {
		return refuse("InvalidVpcId.NotFound", "The Vpc Id %s does not exist", aws.StringValue(in.VpcId))
	}
	if !strings.HasPrefix(aws.StringValue(in.ServiceName), "com.amazonaws."+r.name+".") {
		return refuse("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", aws.StringValue(in.ServiceName))
	}
	for _, id := range in.RouteTableIds {
		if _, ok := r.tables.get(id); !ok {
			return refuse("InvalidRouteTableId.NotFound", "The routeTable ID '%s' does not exist", aws.StringValue(id))
		}
	}
	for _, id := range in.SubnetIds {
		if _, ok := r.subnets.get(id); !ok {
			return refuse("InvalidSubnetId.NotFound", "The subnet ID '%s' does not exist", aws.StringValue(id))
		}
	}
	for _, id := range in.SecurityGroupIds {
		if _, err := r.findGroup(id, nil); err != nil {
			return err
		}
	}
	return nil
}

// dressInterface gives an endpoint what only interfaces have; e.mu is held.
func (e *EC2) dressInterface(r *region, v *sdk.VpcEndpoint, in *sdk.CreateVpcEndpointInput) {
	v.State = aws.String("pending")
	// Private names are on unless refused, as the API documents it.
	v.PrivateDnsEnabled = aws.Bool(in.PrivateDnsEnabled == nil || *in.PrivateDnsEnabled)
	for _, id := range in.SecurityGroupIds {
		if g, err := r.findGroup(id, nil); err == nil {
			v.Groups = append(v.Groups, &sdk.SecurityGroupIdentifier{GroupId: aws.String(g.id), GroupName: aws.String(g.name)})
		}
	}
	for range in.SubnetIds {
		v.NetworkInterfaceIds = append(v.NetworkInterfaceIds, aws.String(e.world.NewID("eni-")))
	}
	service := (*v.ServiceName)[strings.LastIndex(*v.ServiceName, ".")+1:]
	v.DnsEntries = []*sdk.DnsEntry{{
		DnsName: aws.String(fmt.Sprintf("%s.%s.%s.vpce.amazonaws.com", *v.VpcEndpointId, service, r.name)),
	}}
	e.world.After(endpointReady, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		v.State = aws.String("available")
	})
}

// DeleteVpcEndpoints removes endpoints; it answers 200 and lists the unknown.
func (e *EC2) DeleteVpcEndpoints(c *wire.Call, in *sdk.DeleteVpcEndpointsInput) (*sdk.DeleteVpcEndpointsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, out := e.in(c.Region), &sdk.DeleteVpcEndpointsOutput{}
	for _, id := range in.VpcEndpointIds {
		if _, ok := r.endpoints.get(id); !ok {
			out.Unsuccessful = append(out.Unsuccessful, &sdk.UnsuccessfulItem{ResourceId: id, Error: &sdk.UnsuccessfulItemError{
				Code:    aws.String("InvalidVpcEndpointId.NotFound"),
				Message: aws.String(fmt.Sprintf("The Vpc Endpoint Id '%s' does not exist", aws.StringValue(id))),
			}})
			continue
		}
		r.endpoints.drop(*id)
	}
	return out, nil
}

// DescribeVpcEndpoints lists endpoints.
func (e *EC2) DescribeVpcEndpoints(c *wire.Call, in *sdk.DescribeVpcEndpointsInput) (*sdk.DescribeVpcEndpointsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).endpoints.named(in.VpcEndpointIds)
	if unknown != "" {
		return nil, refuse("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", unknown)
	}
	found, err := choose(in.Filters, found, func(v *sdk.VpcEndpoint) (fields, []*sdk.Tag) {
		return fields{
			"vpc-endpoint-id": one(v.VpcEndpointId), "vpc-id": one(v.VpcId), "service-name": one(v.ServiceName),
			"vpc-endpoint-type": one(v.VpcEndpointType), "vpc-endpoint-state": endpointState(v),
		}, v.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeVpcEndpointsOutput{VpcEndpoints: clones(found), NextToken: next}, err
}

// endpointState is the state as the filter spells it, in both spellings in use.
func endpointState(v *sdk.VpcEndpoint) []string {
	state := aws.StringValue(v.State)
	return slices.Compact([]string{state, strings.ToUpper(state[:1]) + state[1:]})
}
