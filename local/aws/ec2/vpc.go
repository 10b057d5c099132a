package ec2

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// zones are the letters of the availability zones that every Region has here.
const zones = "abc"

// reservedAddresses are the first four addresses and the last one of a subnet.
const reservedAddresses = 5

// subnet is a subnet and the addresses that are taken in it.
type subnet struct {
	api   *sdk.Subnet
	block netip.Prefix
	taken map[netip.Addr]bool
}

// free gives the next free address.
func (s *subnet) free() (netip.Addr, bool) {
	addr := s.block.Addr()
	for range reservedAddresses - 1 {
		addr = addr.Next()
	}
	for ; s.block.Contains(addr.Next()); addr = addr.Next() {
		if !s.taken[addr] {
			return addr, true
		}
	}
	return netip.Addr{}, false
}

func (s *subnet) describe() *sdk.Subnet {
	out := clone(s.api)
	out.AvailableIpAddressCount = aws.Int64(int64(1<<(32-s.block.Bits()) - reservedAddresses - len(s.taken)))
	return out
}

func zoneID(region, zone string) string {
	parts := strings.Split(region, "-")
	if len(parts) != 3 {
		return zone
	}
	letter := zone[len(zone)-1]
	return fmt.Sprintf("%s%c%s-az%d", parts[0], parts[1][0], parts[2], letter-'a'+1)
}

// makeDefaultVPC gives a Region what every account has from its first day.
func (e *EC2) makeDefaultVPC(r *region) {
	vpc := e.addVPC(r, "172.31.0.0/16", nil)
	vpc.IsDefault = aws.Bool(true)
	gateway := e.addGateway(r, nil)
	attach(gateway, *vpc.VpcId)
	main := r.mainTable(*vpc.VpcId)
	main.Routes = append(main.Routes, &sdk.Route{
		DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: aws.String(*gateway.InternetGatewayId),
		Origin: aws.String(sdk.RouteOriginCreateRoute), State: aws.String(sdk.RouteStateActive),
	})
	for i, letter := range zones {
		s := e.addSubnet(r, vpc, netip.MustParsePrefix(fmt.Sprintf("172.31.%d.0/20", i*16)), r.name+string(letter))
		s.api.DefaultForAz, s.api.MapPublicIpOnLaunch = aws.Bool(true), aws.Bool(true)
	}
}

// addVPC makes a VPC with the security group and the network ACL that each has.
func (e *EC2) addVPC(r *region, block string, tags []*sdk.Tag) *sdk.Vpc {
	vpc := &sdk.Vpc{
		VpcId: aws.String(e.world.NewID("vpc-")), CidrBlock: aws.String(block), State: aws.String("available"),
		OwnerId: aws.String(e.world.Account()), InstanceTenancy: aws.String("default"), IsDefault: aws.Bool(false),
		DhcpOptionsId: aws.String(e.world.NewID("dopt-")), Tags: tags,
	}
	vpc.CidrBlockAssociationSet = []*sdk.VpcCidrBlockAssociation{{
		AssociationId: aws.String(e.world.NewID("vpc-cidr-assoc-")), CidrBlock: vpc.CidrBlock,
		CidrBlockState: &sdk.VpcCidrBlockState{State: aws.String("associated")},
	}}
	r.vpcs.put(*vpc.VpcId, vpc)
	e.addTable(r, vpc, true)
	g := e.addGroup(r, *vpc.VpcId, "default", "default VPC security group")
	g.rules = append(g.rules, rule{ID: e.world.NewID("sgr-"), Protocol: "-1", From: -1, To: -1, Group: g.id})
	acl := e.addACL(r, *vpc.VpcId, true)
	for _, egress := range []bool{true, false} {
		acl.Entries = append([]*sdk.NetworkAclEntry{{
			CidrBlock: aws.String("0.0.0.0/0"), Egress: aws.Bool(egress), Protocol: aws.String("-1"),
			RuleAction: aws.String("allow"), RuleNumber: aws.Int64(100),
		}}, acl.Entries...)
	}
	return vpc
}

func (e *EC2) addSubnet(r *region, vpc *sdk.Vpc, block netip.Prefix, zone string) *subnet {
	id := e.world.NewID("subnet-")
	s := &subnet{block: block.Masked(), taken: map[netip.Addr]bool{}, api: &sdk.Subnet{
		SubnetId: aws.String(id), VpcId: vpc.VpcId, CidrBlock: aws.String(block.Masked().String()),
		AvailabilityZone: aws.String(zone), AvailabilityZoneId: aws.String(zoneID(r.name, zone)),
		State: aws.String("available"), OwnerId: aws.String(e.world.Account()),
		DefaultForAz: aws.Bool(false), MapPublicIpOnLaunch: aws.Bool(false),
		SubnetArn: aws.String(fmt.Sprintf("arn:aws:ec2:%s:%s:subnet/%s", r.name, e.world.Account(), id)),
	}}
	r.subnets.put(id, s)
	for _, acl := range r.acls.all() {
		if *acl.VpcId == *vpc.VpcId && *acl.IsDefault {
			acl.Associations = append(acl.Associations, e.association(acl, id))
		}
	}
	return s
}

// DescribeAvailabilityZones lists the zones of the Region.
func (e *EC2) DescribeAvailabilityZones(c *wire.Call, in *sdk.DescribeAvailabilityZonesInput) (*sdk.DescribeAvailabilityZonesOutput, error) {
	var all []*sdk.AvailabilityZone
	for _, letter := range zones {
		zone := c.Region + string(letter)
		all = append(all, &sdk.AvailabilityZone{
			ZoneName: aws.String(zone), ZoneId: aws.String(zoneID(c.Region, zone)), RegionName: aws.String(c.Region),
			State: aws.String("available"), ZoneType: aws.String("availability-zone"),
			OptInStatus: aws.String("opt-in-not-required"), GroupName: aws.String(c.Region),
		})
	}
	found, err := choose(in.Filters, all, func(z *sdk.AvailabilityZone) (fields, []*sdk.Tag) {
		return fields{
			"zone-name": one(z.ZoneName), "zone-id": one(z.ZoneId), "state": one(z.State),
			"region-name": one(z.RegionName), "zone-type": one(z.ZoneType), "opt-in-status": one(z.OptInStatus),
		}, nil
	})
	return &sdk.DescribeAvailabilityZonesOutput{AvailabilityZones: found}, err
}

// CreateVpc makes a VPC.
func (e *EC2) CreateVpc(c *wire.Call, in *sdk.CreateVpcInput) (*sdk.CreateVpcOutput, error) {
	block, err := parseBlock(in.CidrBlock, "InvalidVpc.Range")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	vpc := e.addVPC(e.in(c.Region), block.String(), tagsFor(in.TagSpecifications, "vpc"))
	return &sdk.CreateVpcOutput{Vpc: clone(vpc)}, nil
}

// DeleteVpc removes an empty VPC with its default group and ACL.
func (e *EC2) DeleteVpc(c *wire.Call, in *sdk.DeleteVpcInput) (*sdk.DeleteVpcOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	vpc, ok := r.vpcs.get(in.VpcId)
	if !ok {
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	}
	for _, s := range r.subnets.all() {
		if *s.api.VpcId == *vpc.VpcId {
			return nil, refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", *vpc.VpcId)
		}
	}
	for _, g := range r.groups.all() {
		if g.vpc == *vpc.VpcId && g.name != "default" {
			return nil, refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", *vpc.VpcId)
		}
	}
	if r.routed(*vpc.VpcId) {
		return nil, refuse("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", *vpc.VpcId)
	}
	r.dropMainTable(*vpc.VpcId)
	for _, g := range r.groups.all() {
		if g.vpc == *vpc.VpcId {
			r.groups.drop(g.id)
		}
	}
	for _, a := range r.acls.all() {
		if *a.VpcId == *vpc.VpcId {
			r.acls.drop(*a.NetworkAclId)
		}
	}
	r.vpcs.drop(*vpc.VpcId)
	delete(r.vpcSettings, *vpc.VpcId)
	return nil, nil
}

// DescribeVpcs lists VPCs.
func (e *EC2) DescribeVpcs(c *wire.Call, in *sdk.DescribeVpcsInput) (*sdk.DescribeVpcsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).vpcs.named(in.VpcIds)
	if unknown != "" {
		return nil, missing("VpcID", "vpc ID", unknown)
	}
	found, err := choose(in.Filters, found, func(v *sdk.Vpc) (fields, []*sdk.Tag) {
		return fields{
			"vpc-id": one(v.VpcId), "cidr": one(v.CidrBlock), "cidr-block-association.cidr-block": one(v.CidrBlock),
			"state": one(v.State), "is-default": flag(v.IsDefault), "isDefault": flag(v.IsDefault), "owner-id": one(v.OwnerId),
		}, v.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeVpcsOutput{Vpcs: clones(found), NextToken: next}, err
}

// CreateSubnet makes a subnet inside its VPC's range.
func (e *EC2) CreateSubnet(c *wire.Call, in *sdk.CreateSubnetInput) (*sdk.CreateSubnetOutput, error) {
	block, err := parseBlock(in.CidrBlock, "InvalidSubnet.Range")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	vpc, ok := r.vpcs.get(in.VpcId)
	if !ok {
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	}
	whole, err := netip.ParsePrefix(*vpc.CidrBlock)
	if err != nil || !whole.Contains(block.Addr()) || block.Bits() < whole.Bits() {
		return nil, refuse("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	for _, s := range r.subnets.all() {
		if *s.api.VpcId == *vpc.VpcId && s.block.Overlaps(block) {
			return nil, refuse("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
		}
	}
	zone := aws.StringValue(in.AvailabilityZone)
	if zone == "" {
		zone = r.name + zones[:1]
	}
	if letter, ok := strings.CutPrefix(zone, r.name); !ok || len(letter) != 1 || !strings.Contains(zones, letter) {
		return nil, refuse("InvalidParameterValue",
			"Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.",
			zone, r.name+"a, "+r.name+"b, "+r.name+"c")
	}
	s := e.addSubnet(r, vpc, block, zone)
	s.api.Tags = tagsFor(in.TagSpecifications, "subnet")
	return &sdk.CreateSubnetOutput{Subnet: s.describe()}, nil
}

// DeleteSubnet removes a subnet that nothing uses.
func (e *EC2) DeleteSubnet(c *wire.Call, in *sdk.DeleteSubnetInput) (*sdk.DeleteSubnetOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	s, ok := r.subnets.get(in.SubnetId)
	if !ok {
		return nil, missing("SubnetID", "subnet ID", aws.StringValue(in.SubnetId))
	}
	if len(s.taken) > 0 {
		return nil, refuse("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", *in.SubnetId)
	}
	for _, acl := range r.acls.all() {
		dissociate(acl, *in.SubnetId)
	}
	r.disassociateSubnet(*in.SubnetId)
	r.subnets.drop(*in.SubnetId)
	return nil, nil
}

// DescribeSubnets lists subnets.
func (e *EC2) DescribeSubnets(c *wire.Call, in *sdk.DescribeSubnetsInput) (*sdk.DescribeSubnetsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).subnets.named(in.SubnetIds)
	if unknown != "" {
		return nil, missing("SubnetID", "subnet ID", unknown)
	}
	found, err := choose(in.Filters, found, func(s *subnet) (fields, []*sdk.Tag) {
		a := s.api
		return fields{
			"subnet-id": one(a.SubnetId), "vpc-id": one(a.VpcId), "state": one(a.State), "cidr-block": one(a.CidrBlock),
			"cidrBlock": one(a.CidrBlock), "availability-zone": one(a.AvailabilityZone), "availabilityZone": one(a.AvailabilityZone),
			"availability-zone-id": one(a.AvailabilityZoneId), "default-for-az": flag(a.DefaultForAz),
			"defaultForAz": flag(a.DefaultForAz), "owner-id": one(a.OwnerId), "map-public-ip-on-launch": flag(a.MapPublicIpOnLaunch),
		}, a.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeSubnetsOutput{NextToken: next}
	for _, s := range found {
		out.Subnets = append(out.Subnets, s.describe())
	}
	return out, err
}

// parseBlock reads an IPv4 block that AWS would take for a VPC or a subnet.
func parseBlock(cidr *string, code string) (netip.Prefix, error) {
	if cidr == nil {
		return netip.Prefix{}, refuse("MissingParameter", "The request must contain the parameter cidrBlock")
	}
	block, err := netip.ParsePrefix(*cidr)
	if err != nil || !block.Addr().Is4() {
		return netip.Prefix{}, refuse("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", *cidr)
	}
	if block.Bits() < 16 || block.Bits() > 28 {
		return netip.Prefix{}, refuse(code, "The CIDR '%s' is invalid.", *cidr)
	}
	return block.Masked(), nil
}
