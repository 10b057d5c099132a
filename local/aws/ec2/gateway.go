package ec2

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// attached says whether a gateway is the VPC's.
func attached(g *sdk.InternetGateway, vpc string) bool {
	return slices.ContainsFunc(g.Attachments, func(a *sdk.InternetGatewayAttachment) bool { return *a.VpcId == vpc })
}

func (e *EC2) addGateway(r *region, tags []*sdk.Tag) *sdk.InternetGateway {
	g := &sdk.InternetGateway{
		InternetGatewayId: aws.String(e.world.NewID("igw-")), OwnerId: aws.String(e.world.Account()), Tags: tags,
	}
	r.gateways.put(*g.InternetGatewayId, g)
	return g
}

func attach(g *sdk.InternetGateway, vpc string) {
	g.Attachments = []*sdk.InternetGatewayAttachment{{VpcId: aws.String(vpc), State: aws.String("available")}}
}

func (r *region) gateway(id *string) (*sdk.InternetGateway, error) {
	g, ok := r.gateways.get(id)
	if !ok {
		return nil, missing("InternetGatewayID", "internetGateway ID", aws.StringValue(id))
	}
	return g, nil
}

// CreateInternetGateway makes a gateway that belongs to no VPC yet.
func (e *EC2) CreateInternetGateway(c *wire.Call, in *sdk.CreateInternetGatewayInput) (*sdk.CreateInternetGatewayOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := e.addGateway(e.in(c.Region), tagsFor(in.TagSpecifications, "internet-gateway"))
	return &sdk.CreateInternetGatewayOutput{InternetGateway: clone(g)}, nil
}

// DeleteInternetGateway removes a gateway that is attached to nothing.
func (e *EC2) DeleteInternetGateway(c *wire.Call, in *sdk.DeleteInternetGatewayInput) (*sdk.DeleteInternetGatewayOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	g, err := r.gateway(in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if len(g.Attachments) > 0 {
		return nil, refuse("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", *g.InternetGatewayId)
	}
	r.gateways.drop(*g.InternetGatewayId)
	return nil, nil
}

// AttachInternetGateway gives a VPC its one gateway.
func (e *EC2) AttachInternetGateway(c *wire.Call, in *sdk.AttachInternetGatewayInput) (*sdk.AttachInternetGatewayOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	g, err := r.gateway(in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	vpc, ok := r.vpcs.get(in.VpcId)
	switch {
	case !ok:
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	case len(g.Attachments) > 0:
		return nil, refuse("Resource.AlreadyAssociated", "resource %s is already attached to network %s", *g.InternetGatewayId, *g.Attachments[0].VpcId)
	case slices.ContainsFunc(r.gateways.all(), func(g *sdk.InternetGateway) bool { return attached(g, *vpc.VpcId) }):
		return nil, refuse("InvalidParameterValue", "Network %s already has an internet gateway attached", *vpc.VpcId)
	}
	attach(g, *vpc.VpcId)
	return nil, nil
}

// DetachInternetGateway takes a VPC's gateway away; routes to it become holes.
func (e *EC2) DetachInternetGateway(c *wire.Call, in *sdk.DetachInternetGatewayInput) (*sdk.DetachInternetGatewayOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	g, err := r.gateway(in.InternetGatewayId)
	if err != nil {
		return nil, err
	}
	if !attached(g, aws.StringValue(in.VpcId)) {
		return nil, refuse("Gateway.NotAttached", "resource %s is not attached to network %s", *g.InternetGatewayId, aws.StringValue(in.VpcId))
	}
	g.Attachments = nil
	for _, t := range r.tables.all() {
		for _, route := range t.Routes {
			if aws.StringValue(route.GatewayId) == *g.InternetGatewayId {
				route.State = aws.String(sdk.RouteStateBlackhole)
			}
		}
	}
	return nil, nil
}

// DescribeInternetGateways lists gateways.
func (e *EC2) DescribeInternetGateways(c *wire.Call, in *sdk.DescribeInternetGatewaysInput) (*sdk.DescribeInternetGatewaysOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).gateways.named(in.InternetGatewayIds)
	if unknown != "" {
		return nil, missing("InternetGatewayID", "internetGateway ID", unknown)
	}
	found, err := choose(in.Filters, found, func(g *sdk.InternetGateway) (fields, []*sdk.Tag) {
		f := fields{
			"internet-gateway-id": one(g.InternetGatewayId), "owner-id": one(g.OwnerId),
			"attachment.vpc-id": nil, "attachment.state": nil,
		}
		for _, a := range g.Attachments {
			f["attachment.vpc-id"], f["attachment.state"] = one(a.VpcId), one(a.State)
		}
		return f, g.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeInternetGatewaysOutput{InternetGateways: clones(found), NextToken: next}, err
}
