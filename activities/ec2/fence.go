package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// The fence is the entry that is judged first, for every protocol and address.
const (
	rule         = 1
	everyone     = "0.0.0.0/0"
	allProtocols = "-1"
)

// direction is one of the two rule tables of an ACL.
type direction struct {
	acl    string
	egress bool
}

// FenceNetwork cuts the subnets off, in both directions and at once.
func (s *Steps) FenceNetwork(ctx context.Context, in NetworkFence) (runbook.Outcome, error) {
	var open []direction
	outcome, err := runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			acls, err := s.acls(ctx, in)
			if err != nil {
				return false, "", err
			}
			if err := only(acls, in.Subnets); err != nil {
				return false, "", err
			}
			if open, err = tables(acls, false); err != nil {
				return false, "", err
			}
			return len(open) == 0, evidence(acls, "open", open), nil
		},
		Do:    func(ctx context.Context) (string, error) { return s.deny(ctx, in, open) },
		Would: fmt.Sprintf("CreateNetworkAclEntry deny all for subnets %s in %s", strings.Join(in.Subnets, ", "), in.Region),
	}.Run(ctx, in.DryRun)
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("fence network of subnets %s: %w", strings.Join(in.Subnets, ", "), err)
	}
	return outcome, nil
}

// UnfenceNetwork removes exactly the entries that FenceNetwork makes.
func (s *Steps) UnfenceNetwork(ctx context.Context, in NetworkFence) (runbook.Outcome, error) {
	var cut []direction
	outcome, err := runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			acls, err := s.acls(ctx, in)
			if err != nil {
				return false, "", err
			}
			// A foreign rule 1 is not ours to remove, and no reason to fail.
			cut, _ = tables(acls, true)
			return len(cut) == 0, evidence(acls, "cut", cut), nil
		},
		Do:    func(ctx context.Context) (string, error) { return s.allow(ctx, in, cut) },
		Would: fmt.Sprintf("DeleteNetworkAclEntry %d for subnets %s in %s", rule, strings.Join(in.Subnets, ", "), in.Region),
	}.Run(ctx, in.DryRun)
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("unfence network of subnets %s: %w", strings.Join(in.Subnets, ", "), err)
	}
	return outcome, nil
}

// acls lists the ACLs of the subnets.
func (s *Steps) acls(ctx context.Context, in NetworkFence) ([]types.NetworkAcl, error) {
	if len(in.Subnets) == 0 {
		return nil, cloud.Errorf(cloud.Invalid, "no subnets are named")
	}
	var all []types.NetworkAcl
	query := &sdk.DescribeNetworkAclsInput{
		Filters: []types.Filter{{Name: aws.String("association.subnet-id"), Values: in.Subnets}},
	}
	for {
		out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).DescribeNetworkAcls, query)
		if err != nil {
			return nil, err
		}
		all = append(all, out.NetworkAcls...)
		if aws.ToString(out.NextToken) == "" {
			break
		}
		query.NextToken = out.NextToken
	}
	if len(all) == 0 {
		return nil, cloud.Errorf(cloud.NotFound, "no network ACL covers them in %s", in.Region)
	}
	return all, nil
}

// only refuses ACLs that cover subnets which are not to be cut off.
func only(acls []types.NetworkAcl, subnets []string) error {
	for _, acl := range acls {
		for _, a := range acl.Associations {
			if subnet := aws.ToString(a.SubnetId); !slices.Contains(subnets, subnet) {
				return cloud.Errorf(cloud.Invalid, "network ACL %s also covers subnet %s, which was not to be cut off",
					aws.ToString(acl.NetworkAclId), subnet)
			}
		}
	}
	return nil
}

// tables lists the rule tables that have the fence, or those that have not. A
// rule 1 that is something else is a Conflict.
func tables(acls []types.NetworkAcl, fenced bool) ([]direction, error) {
	var list []direction
	var err error
	for _, acl := range acls {
		for _, egress := range []bool{true, false} {
			d := direction{acl: aws.ToString(acl.NetworkAclId), egress: egress}
			first, taken := firstRule(acl, egress)
			switch {
			case taken && !ours(first):
				err = cloud.Errorf(cloud.Conflict, "rule %d of network ACL %s is taken by another entry", rule, d.acl)
			case taken == fenced:
				list = append(list, d)
			}
		}
	}
	return list, err
}

// firstRule finds rule 1 of one direction.
func firstRule(acl types.NetworkAcl, egress bool) (types.NetworkAclEntry, bool) {
	for _, e := range acl.Entries {
		if aws.ToInt32(e.RuleNumber) == rule && aws.ToBool(e.Egress) == egress {
			return e, true
		}
	}
	return types.NetworkAclEntry{}, false
}

// ours says that an entry is the fence.
func ours(e types.NetworkAclEntry) bool {
	return e.RuleAction == types.RuleActionDeny && aws.ToString(e.Protocol) == allProtocols && aws.ToString(e.CidrBlock) == everyone
}

// deny makes the missing entries. All are tried: half a fence is better than none.
func (s *Steps) deny(ctx context.Context, in NetworkFence, open []direction) (string, error) {
	return each(open, func(d direction) (string, error) {
		out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).CreateNetworkAclEntry, &sdk.CreateNetworkAclEntryInput{
			NetworkAclId: aws.String(d.acl), Egress: aws.Bool(d.egress), RuleNumber: aws.Int32(rule),
			RuleAction: types.RuleActionDeny, Protocol: aws.String(allProtocols), CidrBlock: aws.String(everyone),
		})
		if err != nil {
			return "", err
		}
		return cloud.RequestID(out.ResultMetadata), nil
	})
}

// allow removes the entries.
func (s *Steps) allow(ctx context.Context, in NetworkFence, cut []direction) (string, error) {
	return each(cut, func(d direction) (string, error) {
		out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).DeleteNetworkAclEntry, &sdk.DeleteNetworkAclEntryInput{
			NetworkAclId: aws.String(d.acl), Egress: aws.Bool(d.egress), RuleNumber: aws.Int32(rule),
		})
		if err != nil {
			return "", err
		}
		return cloud.RequestID(out.ResultMetadata), nil
	})
}

// each calls for every table and gives the last request id and the first error.
func each(list []direction, call func(direction) (string, error)) (id string, first error) {
	for _, d := range list {
		got, err := call(d)
		if err != nil && first == nil {
			first = fmt.Errorf("network ACL %s: %w", d.acl, err)
		}
		if err == nil {
			id = got
		}
	}
	return id, first
}

// evidence says how many rule tables are as they were asked for.
func evidence(acls []types.NetworkAcl, word string, list []direction) string {
	return fmt.Sprintf("%d of %d rule tables of %d network ACLs are %s", len(list), 2*len(acls), len(acls), word)
}

func (in NetworkFence) at() cloud.At { return cloud.At{Region: in.Region, Timeout: in.Timeout} }
