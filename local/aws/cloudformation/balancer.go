package cloudformation

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/cloudformation/template"
)

const elb = "elasticloadbalancing"

// balancerKinds are load balancers, target groups and listeners.
func balancerKinds() map[string]kind {
	return map[string]kind{
		"AWS::ElasticLoadBalancingV2::LoadBalancer": {
			takes: 3 * time.Second, tagged: true, lingers: true, fixed: []string{"Name", "Type", "Scheme"},
			mutable: []string{"SecurityGroups", "LoadBalancerAttributes", "Subnets"},
			create:  createBalancer, ready: balancerReady, read: readBalancer, update: updateBalancer, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteLoadBalancerOutput](h, elb, "DeleteLoadBalancer", &sdk.DeleteLoadBalancerInput{LoadBalancerArn: &id})
				return err
			},
		},
		"AWS::ElasticLoadBalancingV2::TargetGroup": {
			takes: 10 * time.Second, tagged: true, fixed: []string{"TargetType", "ProtocolVersion", "Port", "Name", "VpcId", "Protocol"},
			mutable: append(healthMembers(), "TargetGroupAttributes"),
			create:  createTargets, read: readTargets, update: updateTargets, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteTargetGroupOutput](h, elb, "DeleteTargetGroup", &sdk.DeleteTargetGroupInput{TargetGroupArn: &id})
				return err
			},
		},
		"AWS::ElasticLoadBalancingV2::Listener": {
			takes: 2 * time.Second, fixed: []string{"LoadBalancerArn"}, mutable: []string{"DefaultActions", "Port", "Protocol", "SslPolicy", "Certificates"},
			create: createListener, read: readListener, update: updateListener, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteListenerOutput](h, elb, "DeleteListener", &sdk.DeleteListenerInput{ListenerArn: &id})
				return err
			},
		},
	}
}

// healthMembers are the properties of a target group's health check.
func healthMembers() []string {
	return []string{
		"HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol",
		"HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
	}
}

func retagELB(h *hand, id string, before, after props) error {
	set, remove := retag[sdk.Tag](h, before, after)
	if len(set) > 0 {
		if _, err := ask[sdk.AddTagsOutput](h, elb, "AddTags", &sdk.AddTagsInput{ResourceArns: []*string{&id}, Tags: set}); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	_, err := ask[sdk.RemoveTagsOutput](h, elb, "RemoveTags", &sdk.RemoveTagsInput{ResourceArns: []*string{&id}, TagKeys: remove})
	return err
}

// liveTags are the tags of a load balancer or a target group.
func liveTags(h *hand, id string) (any, error) {
	out, err := ask[sdk.DescribeTagsOutput](h, elb, "DescribeTags", &sdk.DescribeTagsInput{ResourceArns: []*string{&id}})
	if err != nil {
		return nil, err
	}
	return plain(out.TagDescriptions[0])["Tags"], nil
}

func createBalancer(h *hand, p props) (string, error) {
	in := &sdk.CreateLoadBalancerInput{Name: aws.String(h.name(32)), Tags: tags[sdk.Tag](h, p)}
	if err := fill(in, p, "Name", "Type", "Scheme", "Subnets", "SecurityGroups"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateLoadBalancerOutput](h, elb, "CreateLoadBalancer", in)
	if err != nil {
		return "", err
	}
	id := *out.LoadBalancers[0].LoadBalancerArn
	return id, setBalancer(h, id, p)
}

func setBalancer(h *hand, id string, p props) error {
	if len(p.objects("LoadBalancerAttributes")) == 0 {
		return nil
	}
	in := &sdk.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &id}
	if err := fill(in, p, "LoadBalancerAttributes:Attributes"); err != nil {
		return err
	}
	_, err := ask[sdk.ModifyLoadBalancerAttributesOutput](h, elb, "ModifyLoadBalancerAttributes", in)
	return err
}

func balancer(h *hand, id string) (*sdk.LoadBalancer, error) {
	out, err := ask[sdk.DescribeLoadBalancersOutput](h, elb, "DescribeLoadBalancers", &sdk.DescribeLoadBalancersInput{LoadBalancerArns: []*string{&id}})
	if err != nil {
		return nil, err
	}
	return out.LoadBalancers[0], nil
}

func balancerReady(h *hand, id string) (bool, error) {
	b, err := balancer(h, id)
	return err == nil && *b.State.Code != sdk.LoadBalancerStateEnumProvisioning, err
}

func updateBalancer(h *hand, id string, before, after props) error {
	for _, name := range changed(before, after) {
		switch name {
		case "LoadBalancerAttributes":
			if err := setBalancer(h, id, after); err != nil {
				return err
			}
		case "SecurityGroups":
			if _, err := ask[sdk.SetSecurityGroupsOutput](h, elb, "SetSecurityGroups",
				&sdk.SetSecurityGroupsInput{LoadBalancerArn: &id, SecurityGroups: after.texts(name)}); err != nil {
				return err
			}
		case "Subnets":
			if _, err := ask[sdk.SetSubnetsOutput](h, elb, "SetSubnets",
				&sdk.SetSubnetsInput{LoadBalancerArn: &id, Subnets: after.texts(name)}); err != nil {
				return err
			}
		}
	}
	return retagELB(h, id, before, after)
}

func readBalancer(h *hand, id string, p props) (props, map[string]any, error) {
	b, err := balancer(h, id)
	if err != nil {
		return nil, nil, err
	}
	live := plain(b)
	live["Name"] = live["LoadBalancerName"]
	subnets := []any{}
	for _, zone := range b.AvailabilityZones {
		subnets = append(subnets, aws.StringValue(zone.SubnetId))
	}
	live["Subnets"] = subnets
	set, err := ask[sdk.DescribeLoadBalancerAttributesOutput](h, elb, "DescribeLoadBalancerAttributes", &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: &id})
	if err != nil {
		return nil, nil, err
	}
	live["LoadBalancerAttributes"] = asked(plain(set), p.objects("LoadBalancerAttributes"))
	if live["Tags"], err = liveTags(h, id); err != nil {
		return nil, nil, err
	}
	return live, map[string]any{
		"DNSName": live["DNSName"], "CanonicalHostedZoneID": live["CanonicalHostedZoneId"], "LoadBalancerArn": id,
		"LoadBalancerName": live["Name"], "LoadBalancerFullName": lastPart(id, "loadbalancer/"),
	}, nil
}

// lastPart is an ARN's end behind a mark.
func lastPart(arn, mark string) string {
	_, end, _ := strings.Cut(arn, mark)
	return end
}

// asked are those attributes that the template sets: the service gives all of them.
func asked(answer props, wanted []props) []any {
	out := []any{}
	for _, have := range answer.objects("Attributes") {
		if slices.ContainsFunc(wanted, func(w props) bool { return template.Same(w["Key"], have["Key"]) }) {
			out = append(out, map[string]any(have))
		}
	}
	return out
}

func createTargets(h *hand, p props) (string, error) {
	in := &sdk.CreateTargetGroupInput{Name: aws.String(h.name(32)), Tags: tags[sdk.Tag](h, p)}
	if err := fill(in, p, append(healthMembers(), "Name", "TargetType", "ProtocolVersion", "Port", "VpcId", "Protocol")...); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateTargetGroupOutput](h, elb, "CreateTargetGroup", in)
	if err != nil {
		return "", err
	}
	id := *out.TargetGroups[0].TargetGroupArn
	return id, setTargets(h, id, p)
}

func setTargets(h *hand, id string, p props) error {
	if len(p.objects("TargetGroupAttributes")) == 0 {
		return nil
	}
	in := &sdk.ModifyTargetGroupAttributesInput{TargetGroupArn: &id}
	if err := fill(in, p, "TargetGroupAttributes:Attributes"); err != nil {
		return err
	}
	_, err := ask[sdk.ModifyTargetGroupAttributesOutput](h, elb, "ModifyTargetGroupAttributes", in)
	return err
}

func updateTargets(h *hand, id string, before, after props) error {
	in := &sdk.ModifyTargetGroupInput{TargetGroupArn: &id}
	if err := fill(in, after, healthMembers()...); err != nil {
		return err
	}
	if _, err := ask[sdk.ModifyTargetGroupOutput](h, elb, "ModifyTargetGroup", in); err != nil {
		return err
	}
	if err := setTargets(h, id, after); err != nil {
		return err
	}
	return retagELB(h, id, before, after)
}

func readTargets(h *hand, id string, p props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeTargetGroupsOutput](h, elb, "DescribeTargetGroups", &sdk.DescribeTargetGroupsInput{TargetGroupArns: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	live := plain(out.TargetGroups[0])
	live["Name"] = live["TargetGroupName"]
	set, err := ask[sdk.DescribeTargetGroupAttributesOutput](h, elb, "DescribeTargetGroupAttributes", &sdk.DescribeTargetGroupAttributesInput{TargetGroupArn: &id})
	if err != nil {
		return nil, nil, err
	}
	live["TargetGroupAttributes"] = asked(plain(set), p.objects("TargetGroupAttributes"))
	if live["Tags"], err = liveTags(h, id); err != nil {
		return nil, nil, err
	}
	full := id[strings.LastIndex(id, ":")+1:]
	return live, map[string]any{"TargetGroupArn": id, "TargetGroupName": live["Name"], "TargetGroupFullName": full, "LoadBalancerArns": live["LoadBalancerArns"]}, nil
}

func createListener(h *hand, p props) (string, error) {
	in := &sdk.CreateListenerInput{}
	if err := fill(in, p); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateListenerOutput](h, elb, "CreateListener", in)
	if err != nil {
		return "", err
	}
	return *out.Listeners[0].ListenerArn, nil
}

func updateListener(h *hand, id string, _, after props) error {
	in := &sdk.ModifyListenerInput{ListenerArn: &id}
	if err := fill(in, after, "DefaultActions", "Port", "Protocol", "SslPolicy", "Certificates"); err != nil {
		return err
	}
	_, err := ask[sdk.ModifyListenerOutput](h, elb, "ModifyListener", in)
	return err
}

func readListener(h *hand, id string, _ props) (props, map[string]any, error) {
	out, err := ask[sdk.DescribeListenersOutput](h, elb, "DescribeListeners", &sdk.DescribeListenersInput{ListenerArns: []*string{&id}})
	if err != nil {
		return nil, nil, err
	}
	return plain(out.Listeners[0]), map[string]any{"ListenerArn": id}, nil
}
