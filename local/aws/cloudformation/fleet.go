package cloudformation

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"
)

// fleetKinds are Auto Scaling groups. Their tags say whether instances get them, so
// only those of the template are given, not those of the stack.
func fleetKinds() map[string]kind {
	return map[string]kind{"AWS::AutoScaling::AutoScalingGroup": {
		takes: 20 * time.Second, lingers: true, fixed: []string{"AutoScalingGroupName"},
		mutable: append(fleetMembers(), "VPCZoneIdentifier", "TargetGroupARNs", "Tags"),
		create:  createFleet, ready: fleetReady, read: readFleet, update: updateFleet, remove: func(h *hand, id string, _ props) error {
			_, err := ask[sdk.DeleteAutoScalingGroupOutput](h, "autoscaling", "DeleteAutoScalingGroup",
				&sdk.DeleteAutoScalingGroupInput{AutoScalingGroupName: &id, ForceDelete: aws.Bool(true)})
			return absence(err)
		},
	}}
}

// fleetMembers are the properties that creating and updating spell alike.
func fleetMembers() []string {
	return []string{
		"MinSize", "MaxSize", "DesiredCapacity", "LaunchTemplate", "HealthCheckType", "HealthCheckGracePeriod",
		"Cooldown", "NewInstancesProtectedFromScaleIn", "TerminationPolicies",
	}
}

// spelled are those properties in the API's words.
func spelled() []string {
	out := fleetMembers()
	for i, name := range out {
		if name == "Cooldown" {
			out[i] = "Cooldown:DefaultCooldown"
		}
	}
	return out
}

// absence turns Auto Scaling's validation error for a missing group into one that
// says so.
func absence(err error) error {
	if err != nil && strings.Contains(err.Error(), "not found") {
		return missingNow("Auto Scaling group")
	}
	return err
}

func createFleet(h *hand, p props) (string, error) {
	name := h.name(255)
	if given := p.text("AutoScalingGroupName"); given != nil {
		name = *given
	}
	in := &sdk.CreateAutoScalingGroupInput{
		AutoScalingGroupName: &name, VPCZoneIdentifier: aws.String(strings.Join(aws.StringValueSlice(p.texts("VPCZoneIdentifier")), ",")),
		TargetGroupARNs: p.texts("TargetGroupARNs"), Tags: fleetTags(name, p),
	}
	if err := fill(in, p, spelled()...); err != nil {
		return "", err
	}
	if _, err := ask[sdk.CreateAutoScalingGroupOutput](h, "autoscaling", "CreateAutoScalingGroup", in); err != nil {
		return "", err
	}
	return name, nil
}

func fleetTags(name string, p props) []*sdk.Tag {
	var out []*sdk.Tag
	for _, t := range p.objects("Tags") {
		out = append(out, &sdk.Tag{
			Key: t.text("Key"), Value: t.text("Value"), ResourceId: aws.String(name), ResourceType: aws.String("auto-scaling-group"),
			PropagateAtLaunch: aws.Bool(aws.StringValue(t.text("PropagateAtLaunch")) == "true"),
		})
	}
	return out
}

func fleet(h *hand, id string) (*sdk.Group, error) {
	out, err := ask[sdk.DescribeAutoScalingGroupsOutput](h, "autoscaling", "DescribeAutoScalingGroups",
		&sdk.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []*string{&id}})
	switch {
	case err != nil:
		return nil, err
	case len(out.AutoScalingGroups) == 0:
		return nil, missingNow("Auto Scaling group " + id)
	}
	return out.AutoScalingGroups[0], nil
}

// fleetReady waits until the group runs what it shall run.
func fleetReady(h *hand, id string) (bool, error) {
	g, err := fleet(h, id)
	if err != nil {
		return false, err
	}
	var serving int64
	for _, i := range g.Instances {
		if aws.StringValue(i.LifecycleState) == sdk.LifecycleStateInService {
			serving++
		}
	}
	return serving >= *g.DesiredCapacity, nil
}

func readFleet(h *hand, id string, _ props) (props, map[string]any, error) {
	g, err := fleet(h, id)
	if err != nil {
		return nil, nil, err
	}
	live := plain(g)
	subnets := []any{}
	for subnet := range strings.SplitSeq(aws.StringValue(g.VPCZoneIdentifier), ",") {
		subnets = append(subnets, subnet)
	}
	live["VPCZoneIdentifier"], live["Cooldown"] = subnets, live["DefaultCooldown"]
	own := []any{}
	for _, t := range g.Tags {
		own = append(own, map[string]any{"Key": *t.Key, "Value": *t.Value, "PropagateAtLaunch": aws.BoolValue(t.PropagateAtLaunch)})
	}
	live["Tags"] = own
	return live, map[string]any{"AutoScalingGroupARN": live["AutoScalingGroupARN"]}, nil
}

func updateFleet(h *hand, id string, before, after props) error {
	in := &sdk.UpdateAutoScalingGroupInput{AutoScalingGroupName: &id}
	if err := fill(in, after, spelled()...); err != nil {
		return err
	}
	if list := after.texts("VPCZoneIdentifier"); list != nil {
		in.VPCZoneIdentifier = aws.String(strings.Join(aws.StringValueSlice(list), ","))
	}
	if _, err := ask[sdk.UpdateAutoScalingGroupOutput](h, "autoscaling", "UpdateAutoScalingGroup", in); err != nil {
		return err
	}
	attach, detach := moved(before, after, "TargetGroupARNs")
	if len(attach) > 0 {
		if _, err := ask[sdk.AttachLoadBalancerTargetGroupsOutput](h, "autoscaling", "AttachLoadBalancerTargetGroups",
			&sdk.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &id, TargetGroupARNs: attach}); err != nil {
			return err
		}
	}
	if len(detach) > 0 {
		if _, err := ask[sdk.DetachLoadBalancerTargetGroupsOutput](h, "autoscaling", "DetachLoadBalancerTargetGroups",
			&sdk.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: &id, TargetGroupARNs: detach}); err != nil {
			return err
		}
	}
	return retagFleet(h, id, before, after)
}

func retagFleet(h *hand, id string, before, after props) error {
	now := tagMap(nil, after)
	if set := fleetTags(id, after); len(set) > 0 {
		if _, err := ask[sdk.CreateOrUpdateTagsOutput](h, "autoscaling", "CreateOrUpdateTags", &sdk.CreateOrUpdateTagsInput{Tags: set}); err != nil {
			return err
		}
	}
	var gone []*sdk.Tag
	for _, t := range fleetTags(id, before) {
		if _, ok := now[*t.Key]; !ok {
			gone = append(gone, t)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := ask[sdk.DeleteTagsOutput](h, "autoscaling", "DeleteTags", &sdk.DeleteTagsInput{Tags: gone})
	return err
}
