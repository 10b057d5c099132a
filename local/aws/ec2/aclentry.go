package ec2

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// CreateNetworkACLEntry adds an entry under a free number.
func (e *EC2) CreateNetworkACLEntry(c *wire.Call, in *sdk.CreateNetworkAclEntryInput) (*sdk.CreateNetworkAclEntryOutput, error) {
	return nil, e.setEntry(c.Region, in, false)
}

// ReplaceNetworkACLEntry changes the entry under a taken number.
func (e *EC2) ReplaceNetworkACLEntry(c *wire.Call, in *sdk.ReplaceNetworkAclEntryInput) (*sdk.ReplaceNetworkAclEntryOutput, error) {
	return nil, e.setEntry(c.Region, &sdk.CreateNetworkAclEntryInput{
		NetworkAclId: in.NetworkAclId, RuleNumber: in.RuleNumber, Egress: in.Egress, Protocol: in.Protocol,
		RuleAction: in.RuleAction, CidrBlock: in.CidrBlock, Ipv6CidrBlock: in.Ipv6CidrBlock,
		PortRange: in.PortRange, IcmpTypeCode: in.IcmpTypeCode,
	}, true)
}

func (e *EC2) setEntry(region string, in *sdk.CreateNetworkAclEntryInput, replace bool) error {
	entry, err := parseEntry(in)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	acl, ok := e.in(region).acls.get(in.NetworkAclId)
	if !ok {
		return missing("NetworkAclID", "networkAcl ID", aws.StringValue(in.NetworkAclId))
	}
	i := indexOfEntry(acl, *entry.RuleNumber, *entry.Egress)
	switch {
	case i >= 0 && !replace:
		return refuse("NetworkAclEntryAlreadyExists", "The network acl entry identified by %d already exists.", *entry.RuleNumber)
	case i < 0 && replace:
		return refuse("InvalidNetworkAclEntry.NotFound", "The network ACL entry with number %d does not exist", *entry.RuleNumber)
	case i >= 0:
		acl.Entries[i] = entry
	default:
		acl.Entries = append(acl.Entries, entry)
		slices.SortStableFunc(acl.Entries, func(a, b *sdk.NetworkAclEntry) int {
			return cmp.Compare(*a.RuleNumber, *b.RuleNumber)
		})
	}
	e.signal.Raise()
	return nil
}

// DeleteNetworkACLEntry removes an entry.
func (e *EC2) DeleteNetworkACLEntry(c *wire.Call, in *sdk.DeleteNetworkAclEntryInput) (*sdk.DeleteNetworkAclEntryOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	acl, ok := e.in(c.Region).acls.get(in.NetworkAclId)
	if !ok {
		return nil, missing("NetworkAclID", "networkAcl ID", aws.StringValue(in.NetworkAclId))
	}
	i := indexOfEntry(acl, aws.Int64Value(in.RuleNumber), aws.BoolValue(in.Egress))
	if i < 0 || aws.Int64Value(in.RuleNumber) > lastUsable {
		return nil, refuse("InvalidNetworkAclEntry.NotFound", "The network ACL entry with number %d does not exist", aws.Int64Value(in.RuleNumber))
	}
	acl.Entries = slices.Delete(acl.Entries, i, i+1)
	e.signal.Raise()
	return nil, nil
}

func indexOfEntry(acl *sdk.NetworkAcl, number int64, egress bool) int {
	return slices.IndexFunc(acl.Entries, func(e *sdk.NetworkAclEntry) bool {
		return *e.RuleNumber == number && *e.Egress == egress
	})
}

func parseEntry(in *sdk.CreateNetworkAclEntryInput) (*sdk.NetworkAclEntry, error) {
	number, protocol := aws.Int64Value(in.RuleNumber), aws.StringValue(in.Protocol)
	if number < 1 || number > lastUsable {
		return nil, refuse("InvalidParameterValue", "Value (%d) for parameter ruleNumber is invalid. It must be between 1 and %d.", number, lastUsable)
	}
	switch protocol {
	case "tcp":
		protocol = "6"
	case "udp":
		protocol = "17"
	case "icmp":
		protocol = "1"
	case "all":
		protocol = "-1"
	}
	if n, err := strconv.Atoi(protocol); err != nil || n < -1 || n > 255 {
		return nil, refuse("InvalidParameterValue", "Invalid value '%s' for IP protocol.", protocol)
	}
	if (protocol == "6" || protocol == "17") && in.PortRange == nil {
		return nil, refuse("MissingParameter", "The request must contain the parameter PortRange")
	}
	if (in.CidrBlock == nil) == (in.Ipv6CidrBlock == nil) {
		return nil, refuse("MissingParameter", "Exactly one of cidrBlock and ipv6CidrBlock must be given")
	}
	for _, cidr := range []*string{in.CidrBlock, in.Ipv6CidrBlock} {
		if _, err := netip.ParsePrefix(aws.StringValue(cidr)); cidr != nil && err != nil {
			return nil, refuse("InvalidParameterValue", "CIDR block %s is malformed", *cidr)
		}
	}
	entry := &sdk.NetworkAclEntry{
		CidrBlock: in.CidrBlock, Ipv6CidrBlock: in.Ipv6CidrBlock, Egress: aws.Bool(aws.BoolValue(in.Egress)),
		Protocol: aws.String(protocol), RuleAction: in.RuleAction, RuleNumber: in.RuleNumber, IcmpTypeCode: in.IcmpTypeCode,
	}
	if protocol == "6" || protocol == "17" {
		entry.PortRange = in.PortRange
	}
	return clone(entry), nil
}
