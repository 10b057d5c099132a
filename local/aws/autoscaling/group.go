package autoscaling

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"
	ec2sdk "github.com/aws/aws-sdk-go/service/ec2"
	"github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// CreateAutoScalingGroup makes a group, which begins to launch at once.
func (a *AutoScaling) CreateAutoScalingGroup(c *wire.Call, in *sdk.CreateAutoScalingGroupInput) (*sdk.CreateAutoScalingGroupOutput, error) {
	if in.MixedInstancesPolicy != nil || in.LaunchConfigurationName != nil || in.InstanceId != nil || in.LaunchTemplate == nil {
		return nil, invalid("Valid requests must contain a LaunchTemplate; other sources of instances are not simulated.")
	}
	template, err := a.template(c, in.LaunchTemplate)
	if err != nil {
		return nil, err
	}
	zones, err := a.zones(c.Region, aws.StringValue(in.VPCZoneIdentifier))
	if err != nil {
		return nil, err
	}
	if err := a.checkTargets(c, in.TargetGroupARNs); err != nil {
		return nil, err
	}
	api := clone(&sdk.Group{
		AutoScalingGroupName: in.AutoScalingGroupName, AutoScalingGroupARN: a.arn(c.Region, *in.AutoScalingGroupName),
		LaunchTemplate: template, MinSize: in.MinSize, MaxSize: in.MaxSize, DesiredCapacity: in.DesiredCapacity,
		VPCZoneIdentifier: in.VPCZoneIdentifier, AvailabilityZones: zones, TargetGroupARNs: in.TargetGroupARNs,
		HealthCheckType: orDefault(in.HealthCheckType, "EC2"), HealthCheckGracePeriod: orDefault(in.HealthCheckGracePeriod, 0),
		DefaultCooldown: orDefault(in.DefaultCooldown, 300), CreatedTime: aws.Time(a.world.Now()),
		TerminationPolicies:              orDefaults(in.TerminationPolicies, "Default"),
		NewInstancesProtectedFromScaleIn: orDefault(in.NewInstancesProtectedFromScaleIn, false),
		ServiceLinkedRoleARN:             aws.String("arn:aws:iam::" + a.world.Account() + ":role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"),
	})
	if api.DesiredCapacity == nil {
		api.DesiredCapacity = aws.Int64(*in.MinSize)
	}
	if err := checkSizes(api); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.find(c.Region, in.AutoScalingGroupName); err == nil {
		return nil, refuse("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name %s already exists", *in.AutoScalingGroupName)
	}
	g := &group{api: api, region: c.Region}
	g.setTags(in.Tags)
	a.groups = append(a.groups, g)
	a.wake(g)
	return nil, nil
}

func orDefault[T any](v *T, otherwise T) *T {
	if v == nil {
		return &otherwise
	}
	return v
}

func orDefaults(v []*string, otherwise string) []*string {
	if len(v) == 0 {
		return []*string{&otherwise}
	}
	return v
}

func checkSizes(g *sdk.Group) error {
	low, high, want := *g.MinSize, *g.MaxSize, *g.DesiredCapacity
	switch {
	case low < 0 || high < low:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", high, low)
	case want < low:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d", want, low, high)
	case want > high:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d", want, low, high)
	}
	if t := *g.HealthCheckType; t != "EC2" && t != "ELB" {
		return invalid("HealthCheckType '%s' is not simulated", t)
	}
	return nil
}

// template fills in both id and name, as AWS answers them.
func (a *AutoScaling) template(c *wire.Call, t *sdk.LaunchTemplateSpecification) (*sdk.LaunchTemplateSpecification, error) {
	ask := &ec2sdk.DescribeLaunchTemplatesInput{}
	switch {
	case t.LaunchTemplateId != nil:
		ask.LaunchTemplateIds = []*string{t.LaunchTemplateId}
	case t.LaunchTemplateName != nil:
		ask.LaunchTemplateNames = []*string{t.LaunchTemplateName}
	default:
		return nil, invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
	}
	out, err := a.ec2.DescribeLaunchTemplates(c, ask)
	if err != nil {
		return nil, invalid("You must use a valid fully-formed launch template. %v", err)
	}
	found := out.LaunchTemplates[0]
	return &sdk.LaunchTemplateSpecification{
		LaunchTemplateId: found.LaunchTemplateId, LaunchTemplateName: found.LaunchTemplateName,
		Version: orDefault(t.Version, "$Default"),
	}, nil
}

func subnets(identifier string) []string {
	return strings.FieldsFunc(identifier, func(r rune) bool { return r == ',' || r == ' ' })
}

func (a *AutoScaling) zones(region, identifier string) ([]*string, error) {
	var out []*string
	for _, id := range subnets(identifier) {
		s, ok := a.ec2.Subnet(region, id)
		if !ok {
			return nil, invalid("The subnet ID '%s' does not exist", id)
		}
		if !slices.Contains(aws.StringValueSlice(out), s.Zone) {
			out = append(out, aws.String(s.Zone))
		}
	}
	if len(out) == 0 {
		return nil, invalid("At least one Availability Zone or VPC Subnet is required.")
	}
	return out, nil
}

func (a *AutoScaling) checkTargets(c *wire.Call, arns []*string) error {
	if len(arns) == 0 {
		return nil
	}
	if _, err := a.targets.DescribeTargetGroups(c, &elbv2.DescribeTargetGroupsInput{TargetGroupArns: arns}); err != nil {
		return invalid("Provided Target Groups may not be valid. Please ensure they exist and try again. %v", err)
	}
	return nil
}

// UpdateAutoScalingGroup changes a group. A new minimum or maximum moves the
// desired capacity with it.
func (a *AutoScaling) UpdateAutoScalingGroup(c *wire.Call, in *sdk.UpdateAutoScalingGroupInput) (*sdk.UpdateAutoScalingGroupOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.find(c.Region, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if g.deleting {
		return nil, refuse("ScalingActivityInProgress", "The Auto Scaling group %s is being deleted", *in.AutoScalingGroupName)
	}
	next := clone(g.api)
	next.MinSize = orDefault(in.MinSize, *next.MinSize)
	next.MaxSize = orDefault(in.MaxSize, *next.MaxSize)
	want := min(max(*next.DesiredCapacity, *next.MinSize), *next.MaxSize)
	next.DesiredCapacity = orDefault(in.DesiredCapacity, want)
	next.HealthCheckType = orDefault(in.HealthCheckType, *next.HealthCheckType)
	next.HealthCheckGracePeriod = orDefault(in.HealthCheckGracePeriod, *next.HealthCheckGracePeriod)
	next.DefaultCooldown = orDefault(in.DefaultCooldown, *next.DefaultCooldown)
	next.NewInstancesProtectedFromScaleIn = orDefault(in.NewInstancesProtectedFromScaleIn, *next.NewInstancesProtectedFromScaleIn)
	if in.LaunchTemplate != nil {
		if next.LaunchTemplate, err = a.template(c, in.LaunchTemplate); err != nil {
			return nil, err
		}
	}
	if in.VPCZoneIdentifier != nil {
		if next.AvailabilityZones, err = a.zones(c.Region, *in.VPCZoneIdentifier); err != nil {
			return nil, err
		}
		next.VPCZoneIdentifier = aws.String(*in.VPCZoneIdentifier)
	}
	if err := checkSizes(next); err != nil {
		return nil, err
	}
	g.api = next
	a.wake(g)
	return nil, nil
}

// DeleteAutoScalingGroup removes a group; with ForceDelete also its instances.
func (a *AutoScaling) DeleteAutoScalingGroup(c *wire.Call, in *sdk.DeleteAutoScalingGroupInput) (*sdk.DeleteAutoScalingGroupOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, err := a.find(c.Region, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if len(g.members) > 0 && !aws.BoolValue(in.ForceDelete) {
		return nil, refuse("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")
	}
	g.deleting = true
	g.api.MinSize, g.api.MaxSize, g.api.DesiredCapacity = aws.Int64(0), aws.Int64(0), aws.Int64(0)
	if len(g.members) == 0 {
		a.remove(g)
	}
	a.wake(g)
	return nil, nil
}

func (a *AutoScaling) remove(g *group) {
	a.groups = slices.DeleteFunc(a.groups, func(o *group) bool { return o == g })
}

// DescribeAutoScalingGroups lists groups.
func (a *AutoScaling) DescribeAutoScalingGroups(c *wire.Call, in *sdk.DescribeAutoScalingGroupsInput) (*sdk.DescribeAutoScalingGroupsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*sdk.Group
	names := aws.StringValueSlice(in.AutoScalingGroupNames)
	for _, g := range a.groups {
		named := len(names) == 0 || slices.Contains(names, *g.api.AutoScalingGroupName)
		ok, err := g.satisfies(in.Filters)
		if err != nil {
			return nil, err
		}
		if g.region == c.Region && named && ok {
			found = append(found, g.describe())
		}
	}
	found, next, err := page(found, in.MaxRecords, in.NextToken, func(g *sdk.Group) string { return *g.AutoScalingGroupName })
	return &sdk.DescribeAutoScalingGroupsOutput{AutoScalingGroups: found, NextToken: next}, err
}

// satisfies filters by tags, the only thing that groups can be filtered by.
func (g *group) satisfies(filters []*sdk.Filter) (bool, error) {
	all := true
	for _, f := range filters {
		name, values := aws.StringValue(f.Name), aws.StringValueSlice(f.Values)
		key, byKey := strings.CutPrefix(name, "tag:")
		if !byKey && name != "tag-key" && name != "tag-value" {
			return false, invalid("Filter type %s is not correct. Allowed Filter types are: [tag-key, tag-value, tag:<key>]", name)
		}
		all = all && slices.ContainsFunc(g.api.Tags, func(t *sdk.TagDescription) bool {
			switch name {
			case "tag-key":
				return slices.Contains(values, *t.Key)
			case "tag-value":
				return slices.Contains(values, *t.Value)
			default:
				return *t.Key == key && slices.Contains(values, *t.Value)
			}
		})
	}
	return all, nil
}

// DescribeAutoScalingInstances lists the members of all groups.
func (a *AutoScaling) DescribeAutoScalingInstances(c *wire.Call, in *sdk.DescribeAutoScalingInstancesInput) (*sdk.DescribeAutoScalingInstancesOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*sdk.InstanceDetails
	ids := aws.StringValueSlice(in.InstanceIds)
	for _, g := range a.groups {
		for _, m := range g.members {
			if g.region != c.Region || (len(ids) > 0 && !slices.Contains(ids, m.id)) {
				continue
			}
			found = append(found, &sdk.InstanceDetails{
				AutoScalingGroupName: aws.String(*g.api.AutoScalingGroupName), InstanceId: aws.String(m.id),
				AvailabilityZone: aws.String(m.zone), InstanceType: aws.String(m.kind), LifecycleState: aws.String(m.lifecycle),
				HealthStatus: aws.String(strings.ToUpper(m.health())), ProtectedFromScaleIn: aws.Bool(m.protected),
				LaunchTemplate: clone(m.template),
			})
		}
	}
	found, next, err := page(found, in.MaxRecords, in.NextToken, func(i *sdk.InstanceDetails) string { return *i.InstanceId })
	return &sdk.DescribeAutoScalingInstancesOutput{AutoScalingInstances: found, NextToken: next}, err
}

// DescribeScalingActivities lists what a group did, newest first.
func (a *AutoScaling) DescribeScalingActivities(c *wire.Call, in *sdk.DescribeScalingActivitiesInput) (*sdk.DescribeScalingActivitiesOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*sdk.Activity
	ids := aws.StringValueSlice(in.ActivityIds)
	for _, g := range a.groups {
		if g.region != c.Region || (in.AutoScalingGroupName != nil && *g.api.AutoScalingGroupName != *in.AutoScalingGroupName) {
			continue
		}
		for _, activity := range g.activities {
			if len(ids) == 0 || slices.Contains(ids, *activity.ActivityId) {
				found = append(found, clone(activity))
			}
		}
	}
	if in.AutoScalingGroupName != nil {
		if _, err := a.find(c.Region, in.AutoScalingGroupName); err != nil {
			return nil, err
		}
	}
	found, next, err := page(found, in.MaxRecords, in.NextToken, func(v *sdk.Activity) string { return *v.ActivityId })
	return &sdk.DescribeScalingActivitiesOutput{Activities: found, NextToken: next}, err
}
