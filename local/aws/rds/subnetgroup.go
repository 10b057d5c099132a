package rds

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

// subnetGroup is a DB subnet group.
type subnetGroup struct {
	place
	description, vpc string
	subnets          []*rds.Subnet
	tags             map[string]string
}

func (r *RDS) serveSubnetGroups() {
	wire.Handle(r.wire, "CreateDBSubnetGroup", r.createSubnetGroup)
	wire.Handle(r.wire, "DescribeDBSubnetGroups", r.describeSubnetGroups)
	wire.Handle(r.wire, "ModifyDBSubnetGroup", r.modifySubnetGroup)
	wire.Handle(r.wire, "DeleteDBSubnetGroup", r.deleteSubnetGroup)
}

func (r *RDS) createSubnetGroup(call *wire.Call, in *rds.CreateDBSubnetGroupInput) (*rds.CreateDBSubnetGroupOutput, error) {
	g := &subnetGroup{
		place: locate(call.Region, in.DBSubnetGroupName), description: aws.StringValue(in.DBSubnetGroupDescription), tags: tagsOf(in.Tags),
	}
	if err := checkGroupName("DBSubnetGroupName", g.id); err != nil {
		return nil, err
	}
	if err := r.cover(g, in.SubnetIds); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.subnetGroups[g.place] != nil {
		return nil, fault(rds.ErrCodeDBSubnetGroupAlreadyExistsFault, "The DB subnet group %s already exists.", g.id)
	}
	r.subnetGroups[g.place] = g
	return &rds.CreateDBSubnetGroupOutput{DBSubnetGroup: r.describeSubnetGroup(g)}, nil
}

// checkGroupName applies the rules of subnet and parameter groups: letters,
// digits and some signs, beginning with a letter, and not "default".
func checkGroupName(member, name string) error {
	ok := name != "" && name != "default" && len(name) <= 255 && isLetter(rune(name[0])) &&
		!strings.ContainsFunc(name, func(c rune) bool {
			return !isLetter(c) && (c < '0' || c > '9') && !strings.ContainsRune("-._ ", c)
		})
	if ok {
		return nil
	}
	return badValue("The parameter %s is not a valid identifier: %q", member, name)
}

// cover gives a group its subnets, which must lie in one VPC and two zones. EC2
// is asked, so r.mu is not held.
func (r *RDS) cover(g *subnetGroup, ids []*string) error {
	zones := map[string]bool{}
	var vpc string
	var subnets []*rds.Subnet
	for _, id := range aws.StringValueSlice(ids) {
		in, zone, ok := g.region, g.region+"a", true
		if r.options.Subnets != nil {
			in, zone, ok = r.options.Subnets(g.region, id)
		}
		switch {
		case !ok:
			return fault(rds.ErrCodeInvalidSubnet, "Subnet IDs are required to be valid: %s does not exist", id)
		case vpc != "" && in != vpc:
			return fault(rds.ErrCodeInvalidSubnet, "The DB subnet group must consist of subnets of one VPC.")
		}
		vpc, zones[zone] = in, true
		subnets = append(subnets, &rds.Subnet{
			SubnetIdentifier: aws.String(id), SubnetStatus: aws.String("Active"), SubnetAvailabilityZone: &rds.AvailabilityZone{Name: aws.String(zone)},
		})
	}
	if len(zones) < 2 && r.options.Subnets != nil {
		return fault(rds.ErrCodeDBSubnetGroupDoesNotCoverEnoughAZs,
			"The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: %s. Add subnets to cover at least 2 AZs.",
			strings.Join(slices.Sorted(maps.Keys(zones)), ", "))
	}
	g.vpc, g.subnets = vpc, subnets
	return nil
}

// findSubnetGroup finds one by name or ARN; r.mu is held.
func (r *RDS) findSubnetGroup(region string, name *string) (*subnetGroup, error) {
	if g := r.subnetGroups[locate(region, name)]; g != nil {
		return g, nil
	}
	return nil, missing(rds.ErrCodeDBSubnetGroupNotFoundFault, "DB subnet group '%s' does not exist.", aws.StringValue(name))
}

func (r *RDS) describeSubnetGroup(g *subnetGroup) *rds.DBSubnetGroup {
	out := &rds.DBSubnetGroup{
		DBSubnetGroupName: aws.String(g.id), DBSubnetGroupDescription: aws.String(g.description), VpcId: aws.String(g.vpc),
		SubnetGroupStatus: aws.String("Complete"), DBSubnetGroupArn: aws.String(r.arn(g.region, "subgrp", g.id)),
		SupportedNetworkTypes: []*string{aws.String("IPV4")},
	}
	for _, s := range g.subnets {
		copied := *s
		out.Subnets = append(out.Subnets, &copied)
	}
	return out
}

func (r *RDS) describeSubnetGroups(call *wire.Call, in *rds.DescribeDBSubnetGroupsInput) (*rds.DescribeDBSubnetGroupsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.DBSubnetGroupName != nil {
		g, err := r.findSubnetGroup(call.Region, in.DBSubnetGroupName)
		if err != nil {
			return nil, err
		}
		return &rds.DescribeDBSubnetGroupsOutput{DBSubnetGroups: []*rds.DBSubnetGroup{r.describeSubnetGroup(g)}}, nil
	}
	var all []*rds.DBSubnetGroup
	for at, g := range r.subnetGroups {
		if at.region == call.Region {
			all = append(all, r.describeSubnetGroup(g))
		}
	}
	slices.SortFunc(all, func(a, b *rds.DBSubnetGroup) int { return strings.Compare(*a.DBSubnetGroupName, *b.DBSubnetGroupName) })
	page, next, err := paginate(all, in.Marker, in.MaxRecords)
	return &rds.DescribeDBSubnetGroupsOutput{DBSubnetGroups: page, Marker: next}, err
}

func (r *RDS) modifySubnetGroup(call *wire.Call, in *rds.ModifyDBSubnetGroupInput) (*rds.ModifyDBSubnetGroupOutput, error) {
	next := &subnetGroup{place: locate(call.Region, in.DBSubnetGroupName)}
	if err := r.cover(next, in.SubnetIds); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.findSubnetGroup(call.Region, in.DBSubnetGroupName)
	if err != nil {
		return nil, err
	}
	g.vpc, g.subnets = next.vpc, next.subnets
	if in.DBSubnetGroupDescription != nil {
		g.description = *in.DBSubnetGroupDescription
	}
	return &rds.ModifyDBSubnetGroupOutput{DBSubnetGroup: r.describeSubnetGroup(g)}, nil
}

// deleteSubnetGroup refuses while an instance or a cluster uses the group.
func (r *RDS) deleteSubnetGroup(call *wire.Call, in *rds.DeleteDBSubnetGroupInput) (*rds.DeleteDBSubnetGroupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.findSubnetGroup(call.Region, in.DBSubnetGroupName)
	if err != nil {
		return nil, err
	}
	for at, i := range r.instances {
		if at.region == g.region && i.subnetGroup == g.id {
			return nil, fault(rds.ErrCodeInvalidDBSubnetGroupStateFault, "Cannot delete the subnet group '%s' because at least one database instance: %s is still using it.", g.id, i.id)
		}
	}
	for at, c := range r.clusters {
		if at.region == g.region && c.subnetGroup == g.id {
			return nil, fault(rds.ErrCodeInvalidDBSubnetGroupStateFault, "Cannot delete the subnet group '%s' because at least one database cluster: %s is still using it.", g.id, c.id)
		}
	}
	delete(r.subnetGroups, g.place)
	return &rds.DeleteDBSubnetGroupOutput{}, nil
}
