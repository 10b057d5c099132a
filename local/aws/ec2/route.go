package ec2

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// Routes are kept and told; packets don't follow them: what gates traffic here
// are network ACLs, security groups and outages.

func (e *EC2) serveRouting(s *wire.Service) {
	handle(s, "ModifyVpcAttribute", e.ModifyVpcAttribute)
	handle(s, "DescribeVpcAttribute", e.DescribeVpcAttribute)
	handle(s, "ModifySubnetAttribute", e.ModifySubnetAttribute)
	handle(s, "CreateRouteTable", e.CreateRouteTable)
	handle(s, "DeleteRouteTable", e.DeleteRouteTable)
	handle(s, "DescribeRouteTables", e.DescribeRouteTables)
	handle(s, "AssociateRouteTable", e.AssociateRouteTable)
	handle(s, "DisassociateRouteTable", e.DisassociateRouteTable)
	handle(s, "CreateRoute", e.CreateRoute)
	handle(s, "DeleteRoute", e.DeleteRoute)
	handle(s, "CreateInternetGateway", e.CreateInternetGateway)
	handle(s, "DeleteInternetGateway", e.DeleteInternetGateway)
	handle(s, "AttachInternetGateway", e.AttachInternetGateway)
	handle(s, "DetachInternetGateway", e.DetachInternetGateway)
	handle(s, "DescribeInternetGateways", e.DescribeInternetGateways)
	handle(s, "CreateVpcEndpoint", e.CreateVpcEndpoint)
	handle(s, "DeleteVpcEndpoints", e.DeleteVpcEndpoints)
	handle(s, "DescribeVpcEndpoints", e.DescribeVpcEndpoints)
	handle(s, "ModifyVpcEndpoint", e.ModifyVpcEndpoint)
	handle(s, "DescribeNetworkInterfaces", e.DescribeNetworkInterfaces)
}

// addTable makes a route table that reaches the whole VPC.
func (e *EC2) addTable(r *region, vpc *sdk.Vpc, isMain bool) *sdk.RouteTable {
	t := &sdk.RouteTable{
		RouteTableId: aws.String(e.world.NewID("rtb-")), VpcId: aws.String(*vpc.VpcId), OwnerId: aws.String(e.world.Account()),
		Routes: []*sdk.Route{{
			DestinationCidrBlock: aws.String(*vpc.CidrBlock), GatewayId: aws.String("local"),
			Origin: aws.String(sdk.RouteOriginCreateRouteTable), State: aws.String(sdk.RouteStateActive),
		}},
	}
	if isMain {
		t.Associations = append(t.Associations, e.tableAssociation(t, nil))
	}
	r.tables.put(*t.RouteTableId, t)
	return t
}

func (e *EC2) tableAssociation(t *sdk.RouteTable, subnet *string) *sdk.RouteTableAssociation {
	return &sdk.RouteTableAssociation{
		RouteTableAssociationId: aws.String(e.world.NewID("rtbassoc-")), RouteTableId: aws.String(*t.RouteTableId),
		SubnetId: subnet, Main: aws.Bool(subnet == nil),
		AssociationState: &sdk.RouteTableAssociationState{State: aws.String(sdk.RouteTableAssociationStateCodeAssociated)},
	}
}

func isMain(t *sdk.RouteTable) bool {
	return slices.ContainsFunc(t.Associations, func(a *sdk.RouteTableAssociation) bool { return *a.Main })
}

// mainTable is the table of the subnets that have none of their own.
func (r *region) mainTable(vpc string) *sdk.RouteTable {
	for _, t := range r.tables.all() {
		if *t.VpcId == vpc && isMain(t) {
			return t
		}
	}
	return nil
}

func (r *region) dropMainTable(vpc string) {
	if t := r.mainTable(vpc); t != nil {
		r.tables.drop(*t.RouteTableId)
	}
}

// routed says whether a VPC has anything of this file's that keeps it alive.
func (r *region) routed(vpc string) bool {
	return slices.ContainsFunc(r.tables.all(), func(t *sdk.RouteTable) bool { return *t.VpcId == vpc && !isMain(t) }) ||
		slices.ContainsFunc(r.gateways.all(), func(g *sdk.InternetGateway) bool { return attached(g, vpc) }) ||
		slices.ContainsFunc(r.endpoints.all(), func(v *sdk.VpcEndpoint) bool { return *v.VpcId == vpc })
}

func (r *region) disassociateSubnet(subnet string) {
	for _, t := range r.tables.all() {
		t.Associations = slices.DeleteFunc(t.Associations, func(a *sdk.RouteTableAssociation) bool {
			return aws.StringValue(a.SubnetId) == subnet
		})
	}
}

func (r *region) table(id *string) (*sdk.RouteTable, error) {
	t, ok := r.tables.get(id)
	if !ok {
		return nil, missing("RouteTableID", "routeTable ID", aws.StringValue(id))
	}
	return t, nil
}

// CreateRouteTable makes a table with the local route only.
func (e *EC2) CreateRouteTable(c *wire.Call, in *sdk.CreateRouteTableInput) (*sdk.CreateRouteTableOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	vpc, ok := r.vpcs.get(in.VpcId)
	if !ok {
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	}
	t := e.addTable(r, vpc, false)
	t.Tags = tagsFor(in.TagSpecifications, "route-table")
	return &sdk.CreateRouteTableOutput{RouteTable: clone(t), ClientToken: in.ClientToken}, nil
}

// DeleteRouteTable removes a table that no subnet uses.
func (e *EC2) DeleteRouteTable(c *wire.Call, in *sdk.DeleteRouteTableInput) (*sdk.DeleteRouteTableOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	t, err := r.table(in.RouteTableId)
	if err != nil {
		return nil, err
	}
	if len(t.Associations) > 0 {
		return nil, refuse("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", *t.RouteTableId)
	}
	r.tables.drop(*t.RouteTableId)
	return nil, nil
}

// DescribeRouteTables lists route tables.
func (e *EC2) DescribeRouteTables(c *wire.Call, in *sdk.DescribeRouteTablesInput) (*sdk.DescribeRouteTablesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).tables.named(in.RouteTableIds)
	if unknown != "" {
		return nil, missing("RouteTableID", "routeTable ID", unknown)
	}
	found, err := choose(in.Filters, found, func(t *sdk.RouteTable) (fields, []*sdk.Tag) {
		f := fields{
			"route-table-id": one(t.RouteTableId), "vpc-id": one(t.VpcId), "owner-id": one(t.OwnerId),
			"association.main": {"false"}, "association.subnet-id": nil, "association.route-table-association-id": nil,
			"route.gateway-id": nil, "route.destination-cidr-block": nil,
		}
		for _, a := range t.Associations {
			f["association.main"] = flag(a.Main)
			f["association.subnet-id"] = append(f["association.subnet-id"], one(a.SubnetId)...)
			f["association.route-table-association-id"] = append(f["association.route-table-association-id"], *a.RouteTableAssociationId)
		}
		for _, route := range t.Routes {
			f["route.gateway-id"] = append(f["route.gateway-id"], one(route.GatewayId)...)
			f["route.destination-cidr-block"] = append(f["route.destination-cidr-block"], one(route.DestinationCidrBlock)...)
		}
		return f, t.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeRouteTablesOutput{RouteTables: clones(found), NextToken: next}, err
}

// AssociateRouteTable gives a subnet a table of its own.
func (e *EC2) AssociateRouteTable(c *wire.Call, in *sdk.AssociateRouteTableInput) (*sdk.AssociateRouteTableOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	t, err := r.table(in.RouteTableId)
	if err != nil {
		return nil, err
	}
	s, ok := r.subnets.get(in.SubnetId)
	switch {
	case !ok:
		return nil, missing("SubnetID", "subnet ID", aws.StringValue(in.SubnetId))
	case *s.api.VpcId != *t.VpcId:
		return nil, refuse("InvalidParameterValue", "Route table %s and subnet %s belong to different networks", *t.RouteTableId, *in.SubnetId)
	}
	for _, other := range r.tables.all() {
		for _, a := range other.Associations {
			if aws.StringValue(a.SubnetId) == *in.SubnetId && other != t {
				return nil, refuse("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", *t.RouteTableId)
			}
		}
	}
	r.disassociateSubnet(*in.SubnetId)
	a := e.tableAssociation(t, aws.String(*in.SubnetId))
	t.Associations = append(t.Associations, a)
	return &sdk.AssociateRouteTableOutput{AssociationId: aws.String(*a.RouteTableAssociationId), AssociationState: clone(a.AssociationState)}, nil
}

// DisassociateRouteTable sends a subnet back to the main table.
func (e *EC2) DisassociateRouteTable(c *wire.Call, in *sdk.DisassociateRouteTableInput) (*sdk.DisassociateRouteTableOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.in(c.Region).tables.all() {
		at := slices.IndexFunc(t.Associations, func(a *sdk.RouteTableAssociation) bool {
			return *a.RouteTableAssociationId == aws.StringValue(in.AssociationId)
		})
		switch {
		case at < 0:
			continue
		case *t.Associations[at].Main:
			return nil, refuse("InvalidParameterValue", "cannot disassociate the main route table association %s", *in.AssociationId)
		}
		t.Associations = slices.Delete(t.Associations, at, at+1)
		return nil, nil
	}
	return nil, missing("AssociationID", "association ID", aws.StringValue(in.AssociationId))
}

// CreateRoute adds a route, to a gateway or to whatever else its request names.
func (e *EC2) CreateRoute(c *wire.Call, in *sdk.CreateRouteInput) (*sdk.CreateRouteOutput, error) {
	block, err := netip.ParsePrefix(aws.StringValue(in.DestinationCidrBlock))
	if err != nil {
		return nil, refuse("InvalidParameterValue", "Value (%s) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.", aws.StringValue(in.DestinationCidrBlock))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	t, err := r.table(in.RouteTableId)
	if err != nil {
		return nil, err
	}
	if err := r.checkTarget(t, in); err != nil {
		return nil, err
	}
	route := &sdk.Route{
		DestinationCidrBlock: aws.String(block.Masked().String()), GatewayId: in.GatewayId, NatGatewayId: in.NatGatewayId,
		TransitGatewayId: in.TransitGatewayId, VpcPeeringConnectionId: in.VpcPeeringConnectionId,
		InstanceId: in.InstanceId, NetworkInterfaceId: in.NetworkInterfaceId,
		Origin: aws.String(sdk.RouteOriginCreateRoute), State: aws.String(sdk.RouteStateActive),
	}
	if slices.ContainsFunc(t.Routes, sameDestination(route.DestinationCidrBlock)) {
		return nil, refuse("RouteAlreadyExists", "The route identified by %s already exists.", block)
	}
	t.Routes = append(t.Routes, route)
	return &sdk.CreateRouteOutput{Return: aws.Bool(true)}, nil
}

func sameDestination(block *string) func(*sdk.Route) bool {
	return func(r *sdk.Route) bool { return aws.StringValue(r.DestinationCidrBlock) == aws.StringValue(block) }
}

// checkTarget refuses a route to nothing, and to a gateway of another VPC.
func (r *region) checkTarget(t *sdk.RouteTable, in *sdk.CreateRouteInput) error {
	if in.GatewayId == nil {
		if in.NatGatewayId == nil && in.TransitGatewayId == nil && in.VpcPeeringConnectionId == nil &&
			in.InstanceId == nil && in.NetworkInterfaceId == nil {
			return refuse("MissingParameter", "The request must contain a target of the route")
		}
		return nil
	}
	g, ok := r.gateways.get(in.GatewayId)
	switch {
	case !ok:
		return refuse("InvalidGatewayID.NotFound", "The gateway ID '%s' does not exist", *in.GatewayId)
	case !attached(g, *t.VpcId):
		return refuse("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", *t.RouteTableId, *in.GatewayId)
	}
	return nil
}

// DeleteRoute removes a route; the local one stays.
func (e *EC2) DeleteRoute(c *wire.Call, in *sdk.DeleteRouteInput) (*sdk.DeleteRouteOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	t, err := e.in(c.Region).table(in.RouteTableId)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(t.Routes, sameDestination(in.DestinationCidrBlock))
	switch {
	case at < 0:
		return nil, refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", aws.StringValue(in.DestinationCidrBlock), *t.RouteTableId)
	case aws.StringValue(t.Routes[at].GatewayId) == "local":
		return nil, refuse("InvalidParameterValue", "cannot remove local route %s in route table %s", *in.DestinationCidrBlock, *t.RouteTableId)
	}
	t.Routes = slices.Delete(t.Routes, at, at+1)
	return nil, nil
}
