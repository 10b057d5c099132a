package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// GroupAPI is what is called to read and size groups.
type GroupAPI interface {
	DescribeAutoScalingGroups(context.Context, *sdk.DescribeAutoScalingGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeAutoScalingGroupsOutput, error)
	UpdateAutoScalingGroup(context.Context, *sdk.UpdateAutoScalingGroupInput, ...func(*sdk.Options)) (*sdk.UpdateAutoScalingGroupOutput, error)
}

// ProcessAPI is what is called to stop and restart a group's processes, and to
// remember what was before.
type ProcessAPI interface {
	SuspendProcesses(context.Context, *sdk.SuspendProcessesInput, ...func(*sdk.Options)) (*sdk.SuspendProcessesOutput, error)
	ResumeProcesses(context.Context, *sdk.ResumeProcessesInput, ...func(*sdk.Options)) (*sdk.ResumeProcessesOutput, error)
	CreateOrUpdateTags(context.Context, *sdk.CreateOrUpdateTagsInput, ...func(*sdk.Options)) (*sdk.CreateOrUpdateTagsOutput, error)
	DeleteTags(context.Context, *sdk.DeleteTagsInput, ...func(*sdk.Options)) (*sdk.DeleteTagsOutput, error)
}

// API is every operation of this package: its part of the IAM policy.
type API interface {
	GroupAPI
	ProcessAPI
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) })}
}

// group is one group in one Region, with the calls that steps make on it.
type group struct {
	api     API
	region  plan.Region
	timeout time.Duration
	name    string
}

func (s *Steps) group(in GroupRef) group {
	return group{api: s.Clients(in.Region), region: in.Region, timeout: in.Timeout, name: in.Group}
}

func (g group) at() cloud.At { return cloud.At{Region: g.region, Timeout: g.timeout} }

// state is a group as it was read, with Lifeline's memory of it.
type state struct {
	Group
	tags map[string]string
}

// DescribeGroup reads a group's sizes, suspended processes and subnets.
func (s *Steps) DescribeGroup(ctx context.Context, in GroupRef) (Group, error) {
	st, err := s.group(in).read(ctx)
	return st.Group, err
}

// read describes the group.
func (g group) read(ctx context.Context) (state, error) {
	out, err := cloud.Call(ctx, g.at(), g.api.DescribeAutoScalingGroups,
		&sdk.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{g.name}})
	if err != nil {
		return state{}, fmt.Errorf("describe auto scaling group %q: %w", g.name, err)
	}
	if len(out.AutoScalingGroups) == 0 {
		return state{}, cloud.Errorf(cloud.NotFound, "describe auto scaling group %q in %s: it does not exist", g.name, g.region)
	}
	return read(out.AutoScalingGroups[0]), nil
}

// read is AWS's description in Lifeline's words.
func read(g types.AutoScalingGroup) state {
	st := state{tags: map[string]string{}, Group: Group{
		Min:       int(aws.ToInt32(g.MinSize)),
		Max:       int(aws.ToInt32(g.MaxSize)),
		Desired:   int(aws.ToInt32(g.DesiredCapacity)),
		Instances: len(g.Instances),
	}}
	for _, instance := range g.Instances {
		if instance.LifecycleState == types.LifecycleStateInService {
			st.InService++
		}
	}
	for _, p := range g.SuspendedProcesses {
		st.Suspended = append(st.Suspended, aws.ToString(p.ProcessName))
	}
	slices.Sort(st.Suspended)
	for _, t := range g.Tags {
		st.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	for subnet := range strings.SplitSeq(aws.ToString(g.VPCZoneIdentifier), ",") {
		if subnet = strings.TrimSpace(subnet); subnet != "" {
			st.Subnets = append(st.Subnets, subnet)
		}
	}
	return st
}

// suspended says that all of the processes are suspended.
func (g Group) suspended(processes ...string) bool {
	return !slices.ContainsFunc(processes, func(p string) bool { return !slices.Contains(g.Suspended, p) })
}

// among are those of the processes that are suspended.
func (g Group) among(processes ...string) []string {
	return slices.DeleteFunc(slices.Clone(processes), func(p string) bool { return !slices.Contains(g.Suspended, p) })
}

// String is the evidence.
func (g Group) String() string {
	processes := "no process"
	if len(g.Suspended) > 0 {
		processes = strings.Join(g.Suspended, ", ")
	}
	return fmt.Sprintf("min %d, max %d, desired %d, %d of %d instances in service, suspended: %s",
		g.Min, g.Max, g.Desired, g.InService, g.Instances, processes)
}
