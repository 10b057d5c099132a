package ec2

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fake is EC2 in one Region with network ACLs.
type fake struct {
	cloudtest.Service
	acls    []types.NetworkAcl
	effects int
}

func acl(id string, subnets ...string) types.NetworkAcl {
	a := types.NetworkAcl{NetworkAclId: aws.String(id)}
	for _, s := range subnets {
		a.Associations = append(a.Associations, types.NetworkAclAssociation{SubnetId: aws.String(s)})
	}
	for _, egress := range []bool{true, false} {
		a.Entries = append(a.Entries, types.NetworkAclEntry{
			RuleNumber: aws.Int32(100), Egress: aws.Bool(egress), RuleAction: types.RuleActionAllow,
			Protocol: aws.String("-1"), CidrBlock: aws.String("0.0.0.0/0"),
		})
	}
	return a
}

func newFake(acls ...types.NetworkAcl) *fake {
	return &fake{Service: cloudtest.Service{ID: "EC2"}, acls: acls}
}

func (f *fake) steps() *Steps { return &Steps{Clients: func(plan.Region) API { return f }} }

// DescribeNetworkAcls answers one ACL a page.
func (f *fake) DescribeNetworkAcls(ctx context.Context, in *sdk.DescribeNetworkAclsInput, _ ...func(*sdk.Options)) (*sdk.DescribeNetworkAclsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeNetworkAcls", func() (*sdk.DescribeNetworkAclsOutput, error) {
		var match []types.NetworkAcl
		for _, a := range f.acls {
			if slices.ContainsFunc(a.Associations, func(x types.NetworkAclAssociation) bool {
				return slices.Contains(in.Filters[0].Values, aws.ToString(x.SubnetId))
			}) {
				a.Entries = slices.Clone(a.Entries)
				match = append(match, a)
			}
		}
		page := len(aws.ToString(in.NextToken))
		out := &sdk.DescribeNetworkAclsOutput{}
		if page < len(match) {
			out.NetworkAcls = match[page : page+1]
		}
		if page+1 < len(match) {
			out.NextToken = aws.String("nnnnnnnn"[:page+1])
		}
		return out, nil
	})
}

func (f *fake) find(id *string) *types.NetworkAcl {
	i := slices.IndexFunc(f.acls, func(a types.NetworkAcl) bool { return aws.ToString(a.NetworkAclId) == aws.ToString(id) })
	return &f.acls[i]
}

//nolint:revive // the SDK names it so
func (f *fake) CreateNetworkAclEntry(ctx context.Context, in *sdk.CreateNetworkAclEntryInput, _ ...func(*sdk.Options)) (*sdk.CreateNetworkAclEntryOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "CreateNetworkAclEntry", func() (*sdk.CreateNetworkAclEntryOutput, error) {
		a := f.find(in.NetworkAclId)
		if _, taken := firstRule(*a, aws.ToBool(in.Egress)); taken {
			return nil, cloudtest.Refuse("NetworkAclEntryAlreadyExists", "rule 1")
		}
		a.Entries = append(a.Entries, types.NetworkAclEntry{
			RuleNumber: in.RuleNumber, Egress: in.Egress, RuleAction: in.RuleAction, Protocol: in.Protocol, CidrBlock: in.CidrBlock,
		})
		f.effects++
		return &sdk.CreateNetworkAclEntryOutput{}, nil
	})
}

//nolint:revive // the SDK names it so
func (f *fake) DeleteNetworkAclEntry(ctx context.Context, in *sdk.DeleteNetworkAclEntryInput, _ ...func(*sdk.Options)) (*sdk.DeleteNetworkAclEntryOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DeleteNetworkAclEntry", func() (*sdk.DeleteNetworkAclEntryOutput, error) {
		a := f.find(in.NetworkAclId)
		before := len(a.Entries)
		a.Entries = slices.DeleteFunc(a.Entries, func(e types.NetworkAclEntry) bool {
			return aws.ToInt32(e.RuleNumber) == aws.ToInt32(in.RuleNumber) && aws.ToBool(e.Egress) == aws.ToBool(in.Egress)
		})
		f.effects += before - len(a.Entries)
		return &sdk.DeleteNetworkAclEntryOutput{}, nil
	})
}

func fenceIn(dry bool) NetworkFence {
	return NetworkFence{
		Command: runbook.Command{DryRun: dry}, Region: "us-east-1",
		Subnets: []string{"subnet-a", "subnet-b", "subnet-c"}, Timeout: cloud.SuspectTimeout,
	}
}

func twoACLs() *fake { return newFake(acl("acl-1", "subnet-a", "subnet-b"), acl("acl-2", "subnet-c")) }

func TestFenceNetwork(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "ec2:CreateNetworkAclEntry", func() cloudtest.Change {
		f := twoACLs()
		return cloudtest.Change{
			Service: &f.Service, Operation: "CreateNetworkAclEntry", Effects: func() int { return f.effects },
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return f.steps().FenceNetwork(ctx, fenceIn(dry))
			},
		}
	})
}

func TestUnfenceNetwork(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "ec2:DeleteNetworkAclEntry", func() cloudtest.Change {
		f := twoACLs()
		_, err := f.steps().FenceNetwork(context.WithoutCancel(t.Context()), fenceIn(false))
		require.NoError(t, err)
		f.Service, f.effects = cloudtest.Service{ID: "EC2"}, 0
		return cloudtest.Change{
			Service: &f.Service, Operation: "DeleteNetworkAclEntry", Effects: func() int { return f.effects },
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return f.steps().UnfenceNetwork(ctx, fenceIn(dry))
			},
		}
	})
}

func TestFence_ThenUnfence_LeavesOtherRulesAlone(t *testing.T) {
	t.Parallel()
	f := twoACLs()
	_, err := f.steps().FenceNetwork(t.Context(), fenceIn(false))
	require.NoError(t, err)
	for _, a := range f.acls {
		require.Len(t, a.Entries, 4)
		for _, egress := range []bool{true, false} {
			e, there := firstRule(a, egress)
			require.True(t, there)
			require.Equal(t, types.RuleActionDeny, e.RuleAction)
			require.Equal(t, "0.0.0.0/0", aws.ToString(e.CidrBlock))
		}
	}
	_, err = f.steps().UnfenceNetwork(t.Context(), fenceIn(false))
	require.NoError(t, err)
	for _, a := range f.acls {
		require.Len(t, a.Entries, 2)
	}
}

func TestFence_OneTableRefused_TheOthersAreCutAllTheSame(t *testing.T) {
	t.Parallel()
	f := twoACLs()
	f.Next("CreateNetworkAclEntry", cloudtest.Code("NetworkAclEntryLimitExceeded"))
	_, err := f.steps().FenceNetwork(t.Context(), fenceIn(false))
	require.Equal(t, cloud.Quota, cloud.KindOf(err))
	require.Equal(t, 3, f.effects)
}

func TestFence_ACLThatCoversOthers_IsRefused(t *testing.T) {
	t.Parallel()
	f := newFake(acl("acl-1", "subnet-a", "subnet-b", "subnet-c", "subnet-of-the-database"))
	_, err := f.steps().FenceNetwork(t.Context(), fenceIn(false))
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
	require.ErrorContains(t, err, "subnet-of-the-database")
	require.Empty(t, f.Changes())
}

func TestFence_ForeignRuleOne_IsAConflictAndNeverRemoved(t *testing.T) {
	t.Parallel()
	foreign := acl("acl-1", "subnet-a")
	foreign.Entries[0].RuleNumber = aws.Int32(1)
	f := newFake(foreign)
	_, err := f.steps().FenceNetwork(t.Context(), fenceIn(false))
	require.Equal(t, cloud.Conflict, cloud.KindOf(err))
	require.Empty(t, f.Changes())
	o, err := f.steps().UnfenceNetwork(t.Context(), fenceIn(false))
	require.NoError(t, err)
	require.Equal(t, runbook.Already, o.Effect)
	require.Empty(t, f.Changes())
}

func TestFence_NothingToCut(t *testing.T) {
	t.Parallel()
	f := newFake()
	_, err := f.steps().FenceNetwork(t.Context(), fenceIn(false))
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	_, err = f.steps().FenceNetwork(t.Context(), NetworkFence{Region: "us-east-1"})
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}
