package autoscaling

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"
	"github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Targets is what Auto Scaling asks of load balancing.
type Targets interface {
	DescribeTargetGroups(*wire.Call, *elbv2.DescribeTargetGroupsInput) (*elbv2.DescribeTargetGroupsOutput, error)
	RegisterTargets(*wire.Call, *elbv2.RegisterTargetsInput) (*elbv2.RegisterTargetsOutput, error)
	DeregisterTargets(*wire.Call, *elbv2.DeregisterTargetsInput) (*elbv2.DeregisterTargetsOutput, error)
	// State is the state of a target, "" when it isn't registered.
	State(region, groupARN, instance string) string
}

const (
	reaction = time.Second      // from a change to the loop looking at it
	rhythm   = 10 * time.Second // at which the loop looks without a change
	backOff  = 30 * time.Second // between a failed launch and the next
)

// AutoScaling is the service in all Regions.
type AutoScaling struct {
	world   *world.World
	ec2     *ec2.EC2
	targets Targets

	mu     sync.Mutex
	groups []*group
}

// New makes Auto Scaling over the instances of e.
func New(w *world.World, e *ec2.EC2, targets Targets) *AutoScaling {
	a := &AutoScaling{world: w, ec2: e, targets: targets}
	w.Every(rhythm, a.wakeAll)
	w.OnFault(a.wakeAll)
	w.Subscribe(func(event world.Event) {
		if event.Service == "ec2" && event.Kind == "instance-state" {
			a.wakeOwner(event.ID)
		}
	})
	return a
}

// Wire is the service's API.
func (a *AutoScaling) Wire() *wire.Service {
	s := wire.NewService("autoscaling", sdk.New(wire.V1Session()), wire.Query)
	wire.Handle(s, "CreateAutoScalingGroup", a.CreateAutoScalingGroup)
	wire.Handle(s, "UpdateAutoScalingGroup", a.UpdateAutoScalingGroup)
	wire.Handle(s, "DeleteAutoScalingGroup", a.DeleteAutoScalingGroup)
	wire.Handle(s, "DescribeAutoScalingGroups", a.DescribeAutoScalingGroups)
	wire.Handle(s, "DescribeAutoScalingInstances", a.DescribeAutoScalingInstances)
	wire.Handle(s, "DescribeScalingActivities", a.DescribeScalingActivities)
	wire.Handle(s, "SetDesiredCapacity", a.SetDesiredCapacity)
	wire.Handle(s, "SetInstanceHealth", a.SetInstanceHealth)
	wire.Handle(s, "TerminateInstanceInAutoScalingGroup", a.TerminateInstanceInAutoScalingGroup)
	wire.Handle(s, "SuspendProcesses", a.SuspendProcesses)
	wire.Handle(s, "ResumeProcesses", a.ResumeProcesses)
	wire.Handle(s, "DescribeScalingProcessTypes", a.DescribeScalingProcessTypes)
	wire.Handle(s, "AttachLoadBalancerTargetGroups", a.AttachLoadBalancerTargetGroups)
	wire.Handle(s, "DetachLoadBalancerTargetGroups", a.DetachLoadBalancerTargetGroups)
	wire.Handle(s, "DescribeLoadBalancerTargetGroups", a.DescribeLoadBalancerTargetGroups)
	wire.Handle(s, "CreateOrUpdateTags", a.CreateOrUpdateTags)
	wire.Handle(s, "DeleteTags", a.DeleteTags)
	wire.Handle(s, "DescribeTags", a.DescribeTags)
	return s
}

// group is an Auto Scaling group. Its instances are in members.
type group struct {
	api        *sdk.Group
	region     string
	members    []*member
	activities []*sdk.Activity // newest first
	awake      bool            // the loop will look at it shortly
	deleting   bool
	scaledAt   time.Time // when the last scaling activity began
	failedAt   time.Time // when the last launch failed
}

// member is an instance of a group.
type member struct {
	id, zone, subnet, kind string
	template               *sdk.LaunchTemplateSpecification
	lifecycle              string
	sick                   bool
	protected              bool
	since                  time.Time // in service
	activity               *sdk.Activity
}

func refuse(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func invalid(format string, args ...any) error { return refuse("ValidationError", format, args...) }

func clone[T any](v *T) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

// find gives a group by name; a.mu is held.
func (a *AutoScaling) find(region string, name *string) (*group, error) {
	for _, g := range a.groups {
		if g.region == region && *g.api.AutoScalingGroupName == aws.StringValue(name) {
			return g, nil
		}
	}
	return nil, invalid("AutoScalingGroup name not found - AutoScalingGroup '%s' not found", aws.StringValue(name))
}

// owner gives the group and the member of an instance; a.mu is held.
func (a *AutoScaling) owner(instance string) (*group, *member) {
	for _, g := range a.groups {
		for _, m := range g.members {
			if m.id == instance {
				return g, m
			}
		}
	}
	return nil, nil
}

func (g *group) suspended(process string) bool {
	return slices.ContainsFunc(g.api.SuspendedProcesses, func(p *sdk.SuspendedProcess) bool { return *p.ProcessName == process })
}

// active are the members that count as capacity.
func (g *group) active() []*member {
	return slices.DeleteFunc(slices.Clone(g.members), func(m *member) bool { return m.leaving() })
}

func (m *member) leaving() bool { return m.lifecycle == sdk.LifecycleStateTerminating }

func (m *member) health() string {
	if m.sick {
		return "Unhealthy"
	}
	return "Healthy"
}

func (g *group) describe() *sdk.Group {
	out := clone(g.api)
	for _, m := range g.members {
		out.Instances = append(out.Instances, &sdk.Instance{
			InstanceId: aws.String(m.id), AvailabilityZone: aws.String(m.zone), InstanceType: aws.String(m.kind),
			LifecycleState: aws.String(m.lifecycle), HealthStatus: aws.String(m.health()),
			ProtectedFromScaleIn: aws.Bool(m.protected), LaunchTemplate: clone(m.template),
		})
	}
	if g.deleting {
		out.Status = aws.String("Delete in progress")
	}
	return out
}

// page cuts one page out of a list; the token is the name of the first left over.
func page[T any](items []T, limit *int64, token *string, name func(T) string) ([]T, *string, error) {
	const usual = 50
	start := 0
	if token != nil {
		start = slices.IndexFunc(items, func(i T) bool { return name(i) == *token })
		if start < 0 {
			return nil, nil, refuse("InvalidNextToken", "The token '%s' is invalid.", *token)
		}
	}
	items = items[start:]
	n := usual
	if limit != nil {
		n = int(*limit)
	}
	if n >= len(items) || n <= 0 {
		return items, nil, nil
	}
	return items[:n], aws.String(name(items[n])), nil
}

func (a *AutoScaling) arn(region, name string) *string {
	return aws.String(fmt.Sprintf("arn:aws:autoscaling:%s:%s:autoScalingGroup:%s:autoScalingGroupName/%s",
		region, a.world.Account(), a.world.NewID(""), name))
}
