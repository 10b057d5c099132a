package cloudformation

import (
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/cloudformation/template"
)

// The two directions of a security group's rules.
const (
	ingress = "SecurityGroupIngress"
	egress  = "SecurityGroupEgress"
)

// groupKinds are security groups with their rules.
func groupKinds() map[string]kind {
	return map[string]kind{"AWS::EC2::SecurityGroup": {
		takes: 6 * time.Second, tagged: true, fixed: []string{"GroupDescription", "GroupName", "VpcId"}, mutable: []string{ingress, egress},
		create: createGroup, read: readGroup, update: updateGroup, remove: func(h *hand, id string, _ props) error {
			_, err := ask[sdk.DeleteSecurityGroupOutput](h, "ec2", "DeleteSecurityGroup", &sdk.DeleteSecurityGroupInput{GroupId: &id})
			return err
		},
	}}
}

func createGroup(h *hand, p props) (string, error) {
	in := &sdk.CreateSecurityGroupInput{GroupName: aws.String(h.name(255)), TagSpecifications: tagSpecs(h, p, "security-group")}
	if err := fill(in, p, "GroupName", "GroupDescription:Description", "VpcId"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateSecurityGroupOutput](h, "ec2", "CreateSecurityGroup", in)
	if err != nil {
		return "", err
	}
	id := *out.GroupId
	if err := authorize(h, id, ingress, p.objects(ingress)); err != nil || p[egress] == nil {
		return id, err
	}
	// A new group lets everything out; rules of the template take that away.
	everything := []props{{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}}
	if err := revoke(h, id, egress, everything); err != nil {
		return id, err
	}
	return id, authorize(h, id, egress, p.objects(egress))
}

func updateGroup(h *hand, id string, before, after props) error {
	for _, direction := range []string{ingress, egress} {
		old, now := before.objects(direction), after.objects(direction)
		if err := revoke(h, id, direction, without(old, now)); err != nil {
			return err
		}
		if err := authorize(h, id, direction, without(now, old)); err != nil {
			return err
		}
	}
	return retagEC2(h, id, before, after)
}

// without are the rules of one list that the other doesn't have.
func without(rules, others []props) []props {
	var out []props
	for _, r := range rules {
		found := false
		for _, o := range others {
			found = found || template.Same(map[string]any(r), map[string]any(o))
		}
		if !found {
			out = append(out, r)
		}
	}
	return out
}

func permissions(rules []props) ([]*sdk.IpPermission, error) {
	var out []*sdk.IpPermission
	for _, r := range rules {
		made := &sdk.IpPermission{}
		if err := fill(made, r, "IpProtocol", "FromPort", "ToPort"); err != nil {
			return nil, err
		}
		peer := r.text("SourceSecurityGroupId")
		if peer == nil {
			peer = r.text("DestinationSecurityGroupId")
		}
		if peer != nil {
			made.UserIdGroupPairs = []*sdk.UserIdGroupPair{{GroupId: peer, Description: r.text("Description")}}
		} else {
			made.IpRanges = []*sdk.IpRange{{CidrIp: r.text("CidrIp"), Description: r.text("Description")}}
		}
		out = append(out, made)
	}
	return out, nil
}

func authorize(h *hand, id, direction string, rules []props) error {
	list, err := permissions(rules)
	switch {
	case err != nil || len(list) == 0:
		return err
	case direction == ingress:
		_, err = ask[sdk.AuthorizeSecurityGroupIngressOutput](h, "ec2", "AuthorizeSecurityGroupIngress",
			&sdk.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: list})
	default:
		_, err = ask[sdk.AuthorizeSecurityGroupEgressOutput](h, "ec2", "AuthorizeSecurityGroupEgress",
			&sdk.AuthorizeSecurityGroupEgressInput{GroupId: &id, IpPermissions: list})
	}
	return err
}

func revoke(h *hand, id, direction string, rules []props) error {
	list, err := permissions(rules)
	switch {
	case err != nil || len(list) == 0:
		return err
	case direction == ingress:
		_, err = ask[sdk.RevokeSecurityGroupIngressOutput](h, "ec2", "RevokeSecurityGroupIngress",
			&sdk.RevokeSecurityGroupIngressInput{GroupId: &id, IpPermissions: list})
	default:
		_, err = ask[sdk.RevokeSecurityGroupEgressOutput](h, "ec2", "RevokeSecurityGroupEgress",
			&sdk.RevokeSecurityGroupEgressInput{GroupId: &id, IpPermissions: list})
	}
	if absent(err) {
		return nil // somebody else took the rule away
	}
	return err
}

func readGroup(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeSecurityGroupsOutput](h, "ec2", "DescribeSecurityGroups", &sdk.DescribeSecurityGroupsInput{GroupIds: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.SecurityGroups[0])
	live["GroupDescription"] = live["Description"]
	live[ingress], live[egress] = []any{}, []any{}
	rules, err := ask[sdk.DescribeSecurityGroupRulesOutput](h, "ec2", "DescribeSecurityGroupRules",
		&sdk.DescribeSecurityGroupRulesInput{Filters: []*sdk.Filter{{Name: aws.String("group-id"), Values: []*string{&id}}}})
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rules.SecurityGroupRules {
		direction, made := liveRule(r)
		list, _ := live[direction].([]any)
		live[direction] = append(list, made)
	}
	return live, map[string]any{"GroupId": id, "Id": id, "VpcId": live["VpcId"]}, nil
}

// liveRule is a rule of EC2 in the words of templates.
func liveRule(r *sdk.SecurityGroupRule) (direction string, rule map[string]any) {
	direction, peer := ingress, "SourceSecurityGroupId"
	if aws.BoolValue(r.IsEgress) {
		direction, peer = egress, "DestinationSecurityGroupId"
	}
	all := plain(r)
	rule = map[string]any{}
	for from, to := range map[string]string{
		"IpProtocol": "IpProtocol", "FromPort": "FromPort", "ToPort": "ToPort", "CidrIpv4": "CidrIp", "Description": "Description",
	} {
		if v, ok := all[from]; ok {
			rule[to] = v
		}
	}
	if r.ReferencedGroupInfo != nil {
		rule[peer] = aws.StringValue(r.ReferencedGroupInfo.GroupId)
	}
	return direction, rule
}
