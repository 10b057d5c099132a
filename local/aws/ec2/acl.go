package ec2

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

const (
	lastResort = 32767 // the number of the entry that denies whatever no other entry matched
	lastUsable = 32766
)

// addACL makes a network ACL that denies everything.
func (e *EC2) addACL(r *region, vpc string, isDefault bool) *sdk.NetworkAcl {
	acl := &sdk.NetworkAcl{
		NetworkAclId: aws.String(e.world.NewID("acl-")), VpcId: aws.String(vpc),
		IsDefault: aws.Bool(isDefault), OwnerId: aws.String(e.world.Account()),
	}
	for _, egress := range []bool{true, false} {
		acl.Entries = append(acl.Entries, &sdk.NetworkAclEntry{
			CidrBlock: aws.String("0.0.0.0/0"), Egress: aws.Bool(egress), Protocol: aws.String("-1"),
			RuleAction: aws.String("deny"), RuleNumber: aws.Int64(lastResort),
		})
	}
	r.acls.put(*acl.NetworkAclId, acl)
	return acl
}

func (e *EC2) association(acl *sdk.NetworkAcl, subnet string) *sdk.NetworkAclAssociation {
	return &sdk.NetworkAclAssociation{
		NetworkAclAssociationId: aws.String(e.world.NewID("aclassoc-")),
		NetworkAclId:            acl.NetworkAclId, SubnetId: aws.String(subnet),
	}
}

func dissociate(acl *sdk.NetworkAcl, subnet string) {
	acl.Associations = slices.DeleteFunc(acl.Associations, func(a *sdk.NetworkAclAssociation) bool {
		return *a.SubnetId == subnet
	})
}

// allows judges one TCP packet by the first matching entry, lowest number first.
func allows(acl *sdk.NetworkAcl, egress bool, peer netip.Addr, port int) bool {
	entries := slices.SortedFunc(slices.Values(acl.Entries), func(a, b *sdk.NetworkAclEntry) int {
		return cmp.Compare(*a.RuleNumber, *b.RuleNumber)
	})
	for _, e := range entries {
		if *e.Egress == egress && matches(e, peer, port) {
			return *e.RuleAction == "allow"
		}
	}
	return false
}

func matches(e *sdk.NetworkAclEntry, peer netip.Addr, port int) bool {
	block, err := netip.ParsePrefix(aws.StringValue(e.CidrBlock))
	if err != nil || !block.Contains(peer) {
		return false
	}
	switch *e.Protocol {
	case "-1":
		return true
	case "6":
		return e.PortRange == nil ||
			(int64(port) >= aws.Int64Value(e.PortRange.From) && int64(port) <= aws.Int64Value(e.PortRange.To))
	default:
		return false
	}
}

// aclOf is the network ACL of a subnet; every subnet has exactly one.
func (r *region) aclOf(subnet string) (*sdk.NetworkAcl, bool) {
	for _, acl := range r.acls.all() {
		for _, a := range acl.Associations {
			if *a.SubnetId == subnet {
				return acl, true
			}
		}
	}
	return nil, false
}

// CreateNetworkACL makes an ACL that denies everything until entries are added.
func (e *EC2) CreateNetworkACL(c *wire.Call, in *sdk.CreateNetworkAclInput) (*sdk.CreateNetworkAclOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	if _, ok := r.vpcs.get(in.VpcId); !ok {
		return nil, missing("VpcID", "vpc ID", aws.StringValue(in.VpcId))
	}
	token := aws.StringValue(in.ClientToken)
	if id, ok := r.aclTokens[token]; ok && token != "" {
		if acl, ok := r.acls.get(&id); ok {
			return &sdk.CreateNetworkAclOutput{NetworkAcl: clone(acl), ClientToken: in.ClientToken}, nil
		}
	}
	acl := e.addACL(r, *in.VpcId, false)
	acl.Tags = tagsFor(in.TagSpecifications, "network-acl")
	if token != "" {
		r.aclTokens[token] = *acl.NetworkAclId
	}
	return &sdk.CreateNetworkAclOutput{NetworkAcl: clone(acl), ClientToken: in.ClientToken}, nil
}

// DeleteNetworkACL removes an ACL that no subnet uses.
func (e *EC2) DeleteNetworkACL(c *wire.Call, in *sdk.DeleteNetworkAclInput) (*sdk.DeleteNetworkAclOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	acl, ok := r.acls.get(in.NetworkAclId)
	switch {
	case !ok:
		return nil, missing("NetworkAclID", "networkAcl ID", aws.StringValue(in.NetworkAclId))
	case *acl.IsDefault:
		return nil, refuse("InvalidParameterValue", "cannot delete default network ACL %s", *acl.NetworkAclId)
	case len(acl.Associations) > 0:
		return nil, refuse("DependencyViolation", "network ACL %s has dependencies and cannot be deleted", *acl.NetworkAclId)
	}
	r.acls.drop(*acl.NetworkAclId)
	return nil, nil
}

// DescribeNetworkACLs lists ACLs.
func (e *EC2) DescribeNetworkACLs(c *wire.Call, in *sdk.DescribeNetworkAclsInput) (*sdk.DescribeNetworkAclsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, unknown := e.in(c.Region).acls.named(in.NetworkAclIds)
	if unknown != "" {
		return nil, missing("NetworkAclID", "networkAcl ID", unknown)
	}
	found, err := choose(in.Filters, found, aclFields)
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeNetworkAclsOutput{NetworkAcls: clones(found), NextToken: next}, err
}

func aclFields(a *sdk.NetworkAcl) (fields, []*sdk.Tag) {
	f := fields{
		"network-acl-id": one(a.NetworkAclId), "vpc-id": one(a.VpcId), "default": flag(a.IsDefault), "owner-id": one(a.OwnerId),
		"association.association-id": nil, "association.network-acl-id": nil, "association.subnet-id": nil,
		"entry.cidr": nil, "entry.egress": nil, "entry.rule-action": nil, "entry.protocol": nil,
	}
	for _, s := range a.Associations {
		f["association.association-id"] = append(f["association.association-id"], *s.NetworkAclAssociationId)
		f["association.network-acl-id"] = append(f["association.network-acl-id"], *s.NetworkAclId)
		f["association.subnet-id"] = append(f["association.subnet-id"], *s.SubnetId)
	}
	for _, e := range a.Entries {
		f["entry.cidr"] = append(f["entry.cidr"], aws.StringValue(e.CidrBlock))
		f["entry.egress"] = append(f["entry.egress"], flag(e.Egress)...)
		f["entry.rule-action"] = append(f["entry.rule-action"], *e.RuleAction)
		f["entry.protocol"] = append(f["entry.protocol"], *e.Protocol)
	}
	return f, a.Tags
}

// ReplaceNetworkACLAssociation puts a subnet, named by its present association,
// behind another ACL. Packets of connections that exist are judged by it at once.
func (e *EC2) ReplaceNetworkACLAssociation(c *wire.Call, in *sdk.ReplaceNetworkAclAssociationInput) (*sdk.ReplaceNetworkAclAssociationOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	to, ok := r.acls.get(in.NetworkAclId)
	if !ok {
		return nil, missing("NetworkAclID", "networkAcl ID", aws.StringValue(in.NetworkAclId))
	}
	for _, from := range r.acls.all() {
		for _, a := range from.Associations {
			if *a.NetworkAclAssociationId != aws.StringValue(in.AssociationId) {
				continue
			}
			if *from.VpcId != *to.VpcId {
				return nil, refuse("InvalidParameterValue", "Subnet %s and network ACL %s do not belong to the same VPC", *a.SubnetId, *to.NetworkAclId)
			}
			next := e.association(to, *a.SubnetId)
			dissociate(from, *a.SubnetId)
			to.Associations = append(to.Associations, next)
			defer e.signal.Raise()
			return &sdk.ReplaceNetworkAclAssociationOutput{NewAssociationId: aws.String(*next.NetworkAclAssociationId)}, nil
		}
	}
	return nil, missing("AssociationID", "association ID", aws.StringValue(in.AssociationId))
}
