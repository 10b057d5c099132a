package ec2

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// group is a security group.
type group struct {
	id, name, description, vpc string
	rules                      []rule
	tags                       []*sdk.Tag
}

// rule is one permission: exactly one source or destination.
type rule struct {
	ID          string
	Egress      bool
	Protocol    string // "-1", "tcp", "udp", "icmp" or a number
	From, To    int64
	CIDR, Group string
	Description string
}

// same is equality in the sense of InvalidPermission.Duplicate.
func (r rule) same(o rule) bool {
	return r.Egress == o.Egress && r.Protocol == o.Protocol && r.From == o.From && r.To == o.To &&
		r.CIDR == o.CIDR && r.Group == o.Group
}

// admits says whether the rule lets TCP traffic of this peer through.
func (r rule) admits(egress bool, peer netip.Addr, peerGroups []string, port int) bool {
	if r.Egress != egress || (r.Protocol != "-1" && r.Protocol != "tcp" && r.Protocol != "6") {
		return false
	}
	if r.Protocol != "-1" && (int64(port) < r.From || int64(port) > r.To) {
		return false
	}
	if r.Group != "" {
		return slices.Contains(peerGroups, r.Group)
	}
	block, err := netip.ParsePrefix(r.CIDR)
	return err == nil && block.Contains(peer)
}

// Admits says whether any of the security groups lets a new TCP connection of
// this peer in. Groups that don't exist admit nothing.
func (e *EC2) Admits(region string, groups []string, peer netip.Addr, port int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.in(region).admits(false, groups, peer, nil, port)
}

func (r *region) admits(egress bool, groups []string, peer netip.Addr, peerGroups []string, port int) bool {
	for _, id := range groups {
		if g, ok := r.groups.get(&id); ok && slices.ContainsFunc(g.rules, func(p rule) bool {
			return p.admits(egress, peer, peerGroups, port)
		}) {
			return true
		}
	}
	return false
}

func (e *EC2) addGroup(r *region, vpc, name, description string) *group {
	g := &group{id: e.world.NewID("sg-"), name: name, description: description, vpc: vpc, rules: []rule{
		{ID: e.world.NewID("sgr-"), Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0"},
	}}
	r.groups.put(g.id, g)
	return g
}

// defaultVPC is the VPC that requests without one mean.
func (r *region) defaultVPC() (*sdk.Vpc, error) {
	for _, v := range r.vpcs.all() {
		if *v.IsDefault {
			return v, nil
		}
	}
	return nil, refuse("VPCIdNotSpecified", "No default VPC for this user")
}

// CreateSecurityGroup makes a group that lets everything out and nothing in.
func (e *EC2) CreateSecurityGroup(c *wire.Call, in *sdk.CreateSecurityGroupInput) (*sdk.CreateSecurityGroupOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	vpc, err := r.defaultVPC()
	if in.VpcId != nil {
		var ok bool
		if vpc, ok = r.vpcs.get(in.VpcId); !ok {
			return nil, missing("VpcID", "vpc ID", *in.VpcId)
		}
	} else if err != nil {
		return nil, err
	}
	name := aws.StringValue(in.GroupName)
	if strings.HasPrefix(name, "sg-") || name == "default" {
		return nil, refuse("InvalidParameterValue", "Invalid value '%s' for groupName.", name)
	}
	for _, g := range r.groups.all() {
		if g.vpc == *vpc.VpcId && g.name == name {
			return nil, refuse("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, g.vpc)
		}
	}
	g := e.addGroup(r, *vpc.VpcId, name, aws.StringValue(in.Description))
	g.tags = tagsFor(in.TagSpecifications, "security-group")
	return &sdk.CreateSecurityGroupOutput{GroupId: aws.String(g.id), Tags: clones(g.tags)}, nil
}

// findGroup resolves a group by id, or by name in the default VPC.
func (r *region) findGroup(id, name *string) (*group, error) {
	if id != nil {
		if g, ok := r.groups.get(id); ok {
			return g, nil
		}
		return nil, missing("Group", "security group", *id)
	}
	vpc, err := r.defaultVPC()
	if err != nil {
		return nil, err
	}
	for _, g := range r.groups.all() {
		if g.vpc == *vpc.VpcId && g.name == aws.StringValue(name) {
			return g, nil
		}
	}
	return nil, missing("Group", "security group", aws.StringValue(name))
}

// DeleteSecurityGroup removes a group that nothing uses.
func (e *EC2) DeleteSecurityGroup(c *wire.Call, in *sdk.DeleteSecurityGroupInput) (*sdk.DeleteSecurityGroupOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	g, err := r.findGroup(in.GroupId, in.GroupName)
	if err != nil {
		return nil, err
	}
	if g.name == "default" {
		return nil, refuse("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", g.id)
	}
	for _, i := range r.instances.all() {
		if !i.gone() && slices.Contains(i.groupIDs(), g.id) {
			return nil, refuse("DependencyViolation", "resource %s has a dependent object", g.id)
		}
	}
	for _, other := range r.groups.all() {
		if other != g && slices.ContainsFunc(other.rules, func(p rule) bool { return p.Group == g.id }) {
			return nil, refuse("DependencyViolation", "resource %s has a dependent object", g.id)
		}
	}
	r.groups.drop(g.id)
	return nil, nil
}

// DescribeSecurityGroups lists groups.
func (e *EC2) DescribeSecurityGroups(c *wire.Call, in *sdk.DescribeSecurityGroupsInput) (*sdk.DescribeSecurityGroupsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	ids := in.GroupIds
	for _, name := range in.GroupNames {
		g, err := r.findGroup(nil, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, aws.String(g.id))
	}
	found, unknown := r.groups.named(ids)
	if unknown != "" {
		return nil, missing("Group", "security group", unknown)
	}
	found, err := choose(in.Filters, found, func(g *group) (fields, []*sdk.Tag) {
		return fields{
			"group-id": {g.id}, "group-name": {g.name}, "vpc-id": {g.vpc},
			"description": {g.description}, "owner-id": {e.world.Account()},
		}, g.tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeSecurityGroupsOutput{NextToken: next}
	for _, g := range found {
		out.SecurityGroups = append(out.SecurityGroups, e.describeGroup(g))
	}
	return out, err
}

func (e *EC2) describeGroup(g *group) *sdk.SecurityGroup {
	return &sdk.SecurityGroup{
		GroupId: aws.String(g.id), GroupName: aws.String(g.name), Description: aws.String(g.description),
		VpcId: aws.String(g.vpc), OwnerId: aws.String(e.world.Account()), Tags: clones(g.tags),
		IpPermissions: e.permissions(g.rules, false), IpPermissionsEgress: e.permissions(g.rules, true),
	}
}
