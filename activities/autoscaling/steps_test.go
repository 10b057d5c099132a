package autoscaling

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fake is Auto Scaling in one Region with one group.
type fake struct {
	cloudtest.Service
	min, max, desired int32
	suspended         map[string]bool
	tags              map[string]string
	effects           int
}

func newFake(suspended ...string) *fake {
	f := &fake{
		Service: cloudtest.Service{ID: "Auto Scaling"}, min: 2, max: 6, desired: 3,
		suspended: map[string]bool{}, tags: map[string]string{"team": "web"},
	}
	for _, p := range suspended {
		f.suspended[p] = true
	}
	return f
}

func (f *fake) steps() *Steps { return &Steps{Clients: func(plan.Region) API { return f }} }

func (f *fake) names() []string { return slices.Sorted(maps.Keys(f.suspended)) }

func (f *fake) DescribeAutoScalingGroups(ctx context.Context, in *sdk.DescribeAutoScalingGroupsInput, _ ...func(*sdk.Options)) (*sdk.DescribeAutoScalingGroupsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeAutoScalingGroups", func() (*sdk.DescribeAutoScalingGroupsOutput, error) {
		if in.AutoScalingGroupNames[0] != "web" {
			return &sdk.DescribeAutoScalingGroupsOutput{}, nil
		}
		g := types.AutoScalingGroup{
			MinSize: aws.Int32(f.min), MaxSize: aws.Int32(f.max), DesiredCapacity: aws.Int32(f.desired),
			VPCZoneIdentifier: aws.String("subnet-a, subnet-b"),
			Instances: []types.Instance{
				{LifecycleState: types.LifecycleStateInService}, {LifecycleState: types.LifecycleStatePending},
			},
		}
		for _, p := range f.names() {
			g.SuspendedProcesses = append(g.SuspendedProcesses, types.SuspendedProcess{ProcessName: aws.String(p)})
		}
		for k, v := range f.tags {
			g.Tags = append(g.Tags, types.TagDescription{Key: aws.String(k), Value: aws.String(v)})
		}
		return &sdk.DescribeAutoScalingGroupsOutput{AutoScalingGroups: []types.AutoScalingGroup{g}}, nil
	})
}

func (f *fake) UpdateAutoScalingGroup(ctx context.Context, in *sdk.UpdateAutoScalingGroupInput, _ ...func(*sdk.Options)) (*sdk.UpdateAutoScalingGroupOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "UpdateAutoScalingGroup", func() (*sdk.UpdateAutoScalingGroupOutput, error) {
		for to, from := range map[*int32]*int32{&f.min: in.MinSize, &f.max: in.MaxSize, &f.desired: in.DesiredCapacity} {
			if from != nil && *to != *from {
				*to = *from
				f.effects++
			}
		}
		if f.desired < f.min || f.desired > f.max {
			return nil, cloudtest.Refuse("ValidationError", "desired outside min and max")
		}
		return &sdk.UpdateAutoScalingGroupOutput{}, nil
	})
}

func (f *fake) SuspendProcesses(ctx context.Context, in *sdk.SuspendProcessesInput, _ ...func(*sdk.Options)) (*sdk.SuspendProcessesOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "SuspendProcesses", func() (*sdk.SuspendProcessesOutput, error) {
		for _, p := range in.ScalingProcesses {
			if !f.suspended[p] {
				f.suspended[p] = true
				f.effects++
			}
		}
		return &sdk.SuspendProcessesOutput{}, nil
	})
}

func (f *fake) ResumeProcesses(ctx context.Context, in *sdk.ResumeProcessesInput, _ ...func(*sdk.Options)) (*sdk.ResumeProcessesOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "ResumeProcesses", func() (*sdk.ResumeProcessesOutput, error) {
		for _, p := range in.ScalingProcesses {
			if f.suspended[p] {
				delete(f.suspended, p)
				f.effects++
			}
		}
		return &sdk.ResumeProcessesOutput{}, nil
	})
}

func (f *fake) CreateOrUpdateTags(ctx context.Context, in *sdk.CreateOrUpdateTagsInput, _ ...func(*sdk.Options)) (*sdk.CreateOrUpdateTagsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "CreateOrUpdateTags", func() (*sdk.CreateOrUpdateTagsOutput, error) {
		f.tags[*in.Tags[0].Key] = *in.Tags[0].Value
		f.effects++
		return &sdk.CreateOrUpdateTagsOutput{}, nil
	})
}

func (f *fake) DeleteTags(ctx context.Context, in *sdk.DeleteTagsInput, _ ...func(*sdk.Options)) (*sdk.DeleteTagsOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DeleteTags", func() (*sdk.DeleteTagsOutput, error) {
		delete(f.tags, *in.Tags[0].Key)
		f.effects++
		return &sdk.DeleteTagsOutput{}, nil
	})
}

func web(dry bool) GroupStep {
	return GroupStep{
		Command: runbook.Command{DryRun: dry}, Region: "us-east-1", Group: "web", Timeout: cloud.SuspectTimeout,
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	type step = func(*Steps, context.Context, GroupStep) (runbook.Outcome, error)
	after := func(first step) func() *fake {
		return func() *fake {
			f := newFake("AZRebalance")
			// Not t.Context itself: a case in a bubble would make its channel there.
			_, err := first(f.steps(), context.WithoutCancel(t.Context()), web(false))
			require.NoError(t, err)
			f.effects = 0
			f.Service = cloudtest.Service{ID: f.ID}
			return f
		}
	}
	grow := func(s *Steps, ctx context.Context, in GroupStep) (runbook.Outcome, error) {
		return s.ScaleGroup(ctx, GroupScale{Command: in.Command, Region: in.Region, Group: in.Group, Desired: 9, Timeout: in.Timeout})
	}
	for name, c := range map[string]struct {
		fresh     func() *fake
		run       step
		operation string
	}{
		"FreezeScaling":   {func() *fake { return newFake("AZRebalance") }, (*Steps).FreezeScaling, "SuspendProcesses"},
		"UnfreezeScaling": {after((*Steps).FreezeScaling), (*Steps).UnfreezeScaling, "ResumeProcesses"},
		"ScaleGroup":      {func() *fake { return newFake() }, grow, "UpdateAutoScalingGroup"},
		"FenceCompute":    {func() *fake { return newFake() }, (*Steps).FenceCompute, "UpdateAutoScalingGroup"},
		"UnfenceCompute":  {after((*Steps).FenceCompute), (*Steps).UnfenceCompute, "UpdateAutoScalingGroup"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloudtest.CheckChange(t, "autoscaling:"+c.operation, func() cloudtest.Change {
				f := c.fresh()
				return cloudtest.Change{
					Service: &f.Service, Operation: c.operation, Effects: func() int { return f.effects },
					Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) { return c.run(f.steps(), ctx, web(dry)) },
				}
			})
		})
	}
}

func TestFreeze_ThenUnfreeze_LeavesWhatOthersSuspended(t *testing.T) {
	t.Parallel()
	f := newFake("AZRebalance", "HealthCheck")
	_, err := f.steps().FreezeScaling(t.Context(), web(false))
	require.NoError(t, err)
	require.Equal(t, []string{"AZRebalance", "AlarmNotification", "HealthCheck", "ReplaceUnhealthy", "ScheduledActions", "Terminate"}, f.names())
	_, err = f.steps().UnfreezeScaling(t.Context(), web(false))
	require.NoError(t, err)
	require.Equal(t, []string{"AZRebalance", "HealthCheck"}, f.names())
	require.Equal(t, map[string]string{"team": "web"}, f.tags)
}

func TestFence_OfAFrozenGroup_TerminatesAndGivesEverythingBack(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := f.steps()
	for _, step := range []func(context.Context, GroupStep) (runbook.Outcome, error){s.FreezeScaling, s.FenceCompute} {
		_, err := step(t.Context(), web(false))
		require.NoError(t, err)
	}
	require.Equal(t, []int32{0, 0, 0}, []int32{f.min, f.max, f.desired})
	require.True(t, f.suspended[launch])
	require.False(t, f.suspended[terminate], "a suspended Terminate would keep the instances")
	require.Equal(t, "2/6/3/Terminate", f.tags[beforeFence])

	_, err := s.UnfenceCompute(t.Context(), web(false))
	require.NoError(t, err)
	require.Equal(t, []int32{2, 6, 3}, []int32{f.min, f.max, f.desired})
	require.True(t, f.suspended[terminate], "frozen again, as before the fence")
	require.False(t, f.suspended[launch])
	_, err = s.UnfreezeScaling(t.Context(), web(false))
	require.NoError(t, err)
	require.Empty(t, f.names())
	require.Equal(t, map[string]string{"team": "web"}, f.tags)
}

func TestFence_HalfDone_RemembersTheTrueSizes(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"CreateOrUpdateTags", "SuspendProcesses", "UpdateAutoScalingGroup"} {
		f := newFake()
		f.Next(operation, cloudtest.Lost())
		_, err := f.steps().FenceCompute(t.Context(), web(false))
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		_, err = f.steps().FenceCompute(t.Context(), web(false))
		require.NoError(t, err)
		require.Equal(t, "2/6/3", f.tags[beforeFence], operation)
	}
}

func TestUnfence_GroupThatLifelineDidNotFence_IsLeftAlone(t *testing.T) {
	t.Parallel()
	f := newFake("Launch")
	f.min, f.max, f.desired = 0, 0, 0
	o, err := f.steps().UnfenceCompute(t.Context(), web(false))
	require.NoError(t, err)
	require.Equal(t, runbook.Already, o.Effect)
	require.Empty(t, f.Changes())
}

func TestUnfence_UnreadableMemory_NeedsAPerson(t *testing.T) {
	t.Parallel()
	for _, tag := range []string{"", "2/6", "two/6/3", "1/2/3/Launch/5"} {
		f := newFake()
		f.tags[beforeFence] = tag
		_, err := f.steps().UnfenceCompute(t.Context(), web(false))
		require.Equal(t, cloud.Invalid, cloud.KindOf(err), tag)
		require.Empty(t, f.Changes())
	}
}

func TestScaleGroup_NeverScalesIn(t *testing.T) {
	t.Parallel()
	f := newFake()
	o, err := f.steps().ScaleGroup(t.Context(), GroupScale{Region: "us-west-2", Group: "web", Desired: 1})
	require.NoError(t, err)
	require.Equal(t, runbook.Already, o.Effect)
	require.Empty(t, f.Changes())
	_, err = f.steps().ScaleGroup(t.Context(), GroupScale{Region: "us-west-2", Group: "web", Desired: 5})
	require.NoError(t, err)
	require.Equal(t, []int32{2, 6, 5}, []int32{f.min, f.max, f.desired}, "the maximum is raised only when it must be")
}

func TestDescribeGroup(t *testing.T) {
	t.Parallel()
	f := newFake("Launch")
	g, err := f.steps().DescribeGroup(t.Context(), GroupRef{Region: "us-west-2", Group: "web"})
	require.NoError(t, err)
	require.Equal(t, Group{
		Min: 2, Max: 6, Desired: 3, Instances: 2, InService: 1,
		Suspended: []string{"Launch"}, Subnets: []string{"subnet-a", "subnet-b"},
	}, g)
	_, err = f.steps().DescribeGroup(t.Context(), GroupRef{Region: "us-west-2", Group: "other"})
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
}
