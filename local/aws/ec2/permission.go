package ec2

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// edit is one change of a security group's rules.
type edit struct {
	region   string
	id, name *string // of the group
	egress   bool
	asked    []*sdk.IpPermission
	ruleIDs  []*string // revoke only
}

// AuthorizeSecurityGroupIngress lets traffic in.
func (e *EC2) AuthorizeSecurityGroupIngress(c *wire.Call, in *sdk.AuthorizeSecurityGroupIngressInput) (*sdk.AuthorizeSecurityGroupIngressOutput, error) {
	added, err := e.authorize(edit{
		region: c.Region, id: in.GroupId, name: in.GroupName,
		asked: withSimple(in.IpPermissions, in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp),
	})
	return &sdk.AuthorizeSecurityGroupIngressOutput{Return: aws.Bool(err == nil), SecurityGroupRules: added}, err
}

// AuthorizeSecurityGroupEgress lets traffic out.
func (e *EC2) AuthorizeSecurityGroupEgress(c *wire.Call, in *sdk.AuthorizeSecurityGroupEgressInput) (*sdk.AuthorizeSecurityGroupEgressOutput, error) {
	added, err := e.authorize(edit{region: c.Region, id: in.GroupId, asked: in.IpPermissions, egress: true})
	return &sdk.AuthorizeSecurityGroupEgressOutput{Return: aws.Bool(err == nil), SecurityGroupRules: added}, err
}

// RevokeSecurityGroupIngress takes permissions back; connections that are
// tracked already go on, as on AWS.
func (e *EC2) RevokeSecurityGroupIngress(c *wire.Call, in *sdk.RevokeSecurityGroupIngressInput) (*sdk.RevokeSecurityGroupIngressOutput, error) {
	err := e.revoke(edit{
		region: c.Region, id: in.GroupId, name: in.GroupName, ruleIDs: in.SecurityGroupRuleIds,
		asked: withSimple(in.IpPermissions, in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp),
	})
	return &sdk.RevokeSecurityGroupIngressOutput{Return: aws.Bool(err == nil)}, err
}

// RevokeSecurityGroupEgress takes permissions back.
func (e *EC2) RevokeSecurityGroupEgress(c *wire.Call, in *sdk.RevokeSecurityGroupEgressInput) (*sdk.RevokeSecurityGroupEgressOutput, error) {
	err := e.revoke(edit{
		region: c.Region, id: in.GroupId, asked: in.IpPermissions, ruleIDs: in.SecurityGroupRuleIds, egress: true,
	})
	return &sdk.RevokeSecurityGroupEgressOutput{Return: aws.Bool(err == nil)}, err
}

// withSimple adds the permission that old-style members of a request spell out.
func withSimple(asked []*sdk.IpPermission, protocol *string, from, to *int64, cidr *string) []*sdk.IpPermission {
	if protocol == nil {
		return asked
	}
	return append(asked, &sdk.IpPermission{
		IpProtocol: protocol, FromPort: from, ToPort: to, IpRanges: []*sdk.IpRange{{CidrIp: cidr}},
	})
}

func (e *EC2) authorize(ed edit) ([]*sdk.SecurityGroupRule, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(ed.region)
	g, err := r.findGroup(ed.id, ed.name)
	if err != nil {
		return nil, err
	}
	rules, err := r.expand(ed.asked, ed.egress)
	if err != nil {
		return nil, err
	}
	for _, p := range rules {
		if slices.ContainsFunc(g.rules, p.same) {
			return nil, refuse("InvalidPermission.Duplicate", "the specified rule \"peer: %s%s, %s, from port: %d, to port: %d, ALLOW\" already exists",
				p.CIDR, p.Group, p.Protocol, p.From, p.To)
		}
	}
	var added []*sdk.SecurityGroupRule
	for _, p := range rules {
		p.ID = e.world.NewID("sgr-")
		g.rules = append(g.rules, p)
		added = append(added, e.describeRule(g, p))
	}
	e.signal.Raise()
	return added, nil
}

func (e *EC2) revoke(ed edit) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(ed.region)
	g, err := r.findGroup(ed.id, ed.name)
	if err != nil {
		return err
	}
	doomed, err := r.expand(ed.asked, ed.egress)
	if err != nil && len(ed.ruleIDs) == 0 {
		return err
	}
	keep := slices.Clone(g.rules)
	for _, p := range doomed {
		i := slices.IndexFunc(keep, p.same)
		if i < 0 {
			return refuse("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
		}
		keep = slices.Delete(keep, i, i+1)
	}
	for _, id := range ed.ruleIDs {
		i := slices.IndexFunc(keep, func(p rule) bool { return p.ID == aws.StringValue(id) && p.Egress == ed.egress })
		if i < 0 {
			return refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", aws.StringValue(id))
		}
		keep = slices.Delete(keep, i, i+1)
	}
	g.rules = keep
	e.signal.Raise()
	return nil
}

// expand turns permissions into rules of one peer each.
func (r *region) expand(asked []*sdk.IpPermission, egress bool) ([]rule, error) {
	if len(asked) == 0 {
		return nil, refuse("MissingParameter", "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.")
	}
	var out []rule
	for _, p := range asked {
		base := rule{Egress: egress, Protocol: aws.StringValue(p.IpProtocol), From: -1, To: -1}
		switch base.Protocol {
		case "":
			return nil, refuse("MissingParameter", "The request must contain the parameter ipProtocol")
		case "-1", "all":
			base.Protocol = "-1"
		default:
			if p.FromPort == nil || p.ToPort == nil || *p.FromPort > *p.ToPort {
				return nil, refuse("InvalidParameterValue", "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
			}
			base.From, base.To = *p.FromPort, *p.ToPort
		}
		peers, err := r.peers(base, p)
		if err != nil {
			return nil, err
		}
		out = append(out, peers...)
	}
	return out, nil
}

func (r *region) peers(base rule, p *sdk.IpPermission) ([]rule, error) {
	var out []rule
	for _, block := range p.IpRanges {
		prefix, err := netip.ParsePrefix(aws.StringValue(block.CidrIp))
		if err != nil {
			return nil, refuse("InvalidParameterValue", "CIDR block %s is malformed", aws.StringValue(block.CidrIp))
		}
		of := base
		of.CIDR, of.Description = prefix.Masked().String(), aws.StringValue(block.Description)
		out = append(out, of)
	}
	for _, block := range p.Ipv6Ranges {
		prefix, err := netip.ParsePrefix(aws.StringValue(block.CidrIpv6))
		if err != nil || prefix.Addr().Is4() {
			return nil, refuse("InvalidParameterValue", "CIDR block %s is malformed", aws.StringValue(block.CidrIpv6))
		}
		of := base
		of.CIDR, of.Description = prefix.Masked().String(), aws.StringValue(block.Description)
		out = append(out, of)
	}
	for _, pair := range p.UserIdGroupPairs {
		g, err := r.findGroup(pair.GroupId, pair.GroupName)
		if err != nil {
			return nil, err
		}
		of := base
		of.Group, of.Description = g.id, aws.StringValue(pair.Description)
		out = append(out, of)
	}
	if len(out) == 0 {
		return nil, refuse("InvalidParameterValue", "A permission needs at least one source or destination")
	}
	return out, nil
}

// permissions groups rules the way AWS describes them: by protocol and ports.
func (e *EC2) permissions(rules []rule, egress bool) []*sdk.IpPermission {
	var out []*sdk.IpPermission
	for _, p := range rules {
		if p.Egress != egress {
			continue
		}
		i := slices.IndexFunc(out, func(o *sdk.IpPermission) bool {
			return *o.IpProtocol == p.Protocol && (p.Protocol == "-1" || (*o.FromPort == p.From && *o.ToPort == p.To))
		})
		if i < 0 {
			n := &sdk.IpPermission{IpProtocol: aws.String(p.Protocol)}
			if p.Protocol != "-1" {
				n.FromPort, n.ToPort = aws.Int64(p.From), aws.Int64(p.To)
			}
			out, i = append(out, n), len(out)
		}
		e.addPeer(out[i], p)
	}
	return out
}

func (e *EC2) addPeer(to *sdk.IpPermission, p rule) {
	var description *string
	if p.Description != "" {
		description = aws.String(p.Description)
	}
	block, err := netip.ParsePrefix(p.CIDR)
	switch {
	case p.Group != "":
		to.UserIdGroupPairs = append(to.UserIdGroupPairs, &sdk.UserIdGroupPair{
			GroupId: aws.String(p.Group), UserId: aws.String(e.world.Account()), Description: description,
		})
	case err == nil && block.Addr().Is4():
		to.IpRanges = append(to.IpRanges, &sdk.IpRange{CidrIp: aws.String(p.CIDR), Description: description})
	default:
		to.Ipv6Ranges = append(to.Ipv6Ranges, &sdk.Ipv6Range{CidrIpv6: aws.String(p.CIDR), Description: description})
	}
}

func (e *EC2) describeRule(g *group, p rule) *sdk.SecurityGroupRule {
	out := &sdk.SecurityGroupRule{
		SecurityGroupRuleId: aws.String(p.ID), GroupId: aws.String(g.id), GroupOwnerId: aws.String(e.world.Account()),
		IsEgress: aws.Bool(p.Egress), IpProtocol: aws.String(p.Protocol), FromPort: aws.Int64(p.From), ToPort: aws.Int64(p.To),
	}
	if p.Description != "" {
		out.Description = aws.String(p.Description)
	}
	block, err := netip.ParsePrefix(p.CIDR)
	switch {
	case p.Group != "":
		out.ReferencedGroupInfo = &sdk.ReferencedSecurityGroup{GroupId: aws.String(p.Group), UserId: aws.String(e.world.Account())}
	case err == nil && block.Addr().Is4():
		out.CidrIpv4 = aws.String(p.CIDR)
	default:
		out.CidrIpv6 = aws.String(p.CIDR)
	}
	return out
}

// DescribeSecurityGroupRules lists rules one by one.
func (e *EC2) DescribeSecurityGroupRules(c *wire.Call, in *sdk.DescribeSecurityGroupRulesInput) (*sdk.DescribeSecurityGroupRulesOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*sdk.SecurityGroupRule
	for _, g := range e.in(c.Region).groups.all() {
		for _, p := range g.rules {
			all = append(all, e.describeRule(g, p))
		}
	}
	for _, id := range in.SecurityGroupRuleIds {
		if !slices.ContainsFunc(all, func(p *sdk.SecurityGroupRule) bool { return *p.SecurityGroupRuleId == aws.StringValue(id) }) {
			return nil, refuse("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", aws.StringValue(id))
		}
	}
	if len(in.SecurityGroupRuleIds) > 0 {
		wanted := aws.StringValueSlice(in.SecurityGroupRuleIds)
		all = slices.DeleteFunc(all, func(p *sdk.SecurityGroupRule) bool { return !slices.Contains(wanted, *p.SecurityGroupRuleId) })
	}
	found, err := choose(in.Filters, all, func(p *sdk.SecurityGroupRule) (fields, []*sdk.Tag) {
		return fields{"group-id": one(p.GroupId), "security-group-rule-id": one(p.SecurityGroupRuleId)}, p.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeSecurityGroupRulesOutput{SecurityGroupRules: found, NextToken: next}, err
}
