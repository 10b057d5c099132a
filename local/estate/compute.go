package estate

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	asg "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"

	"lifeline/internal/plan"
)

// compute makes the service in every Region: launch template, load balancer,
// target group, listener and Auto Scaling group.
func (b *Builder) compute(ctx context.Context) error {
	front, ok := b.Plan.Front()
	if !ok {
		return fmt.Errorf("the plan has no service that clients reach")
	}
	names := make([]string, len(b.Plan.TrafficRegions()))
	g, gctx := errgroup.WithContext(ctx)
	for i, region := range b.Plan.TrafficRegions() {
		g.Go(func() error {
			name, err := b.service(gctx, region, front)
			names[i] = name
			if err != nil {
				return fmt.Errorf("service in %s: %w", region, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	b.elbNames = map[plan.Region]string{}
	for i, region := range b.Plan.TrafficRegions() {
		b.elbNames[region] = names[i]
	}
	return nil
}

func (b *Builder) service(ctx context.Context, region plan.Region, front plan.Resource) (dnsName string, err error) {
	ids := front.Regions[region]
	net, err := b.network(ctx, region, front.Name)
	if err != nil {
		return "", err
	}
	template, err := b.template(ctx, region, front.Name, net.group)
	if err != nil {
		return "", err
	}
	dnsName, group, err := b.balancer(ctx, region, ids, net)
	if err != nil {
		return "", err
	}
	_, err = autoscaling.NewFromConfig(b.in(region)).CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(ids["autoScalingGroup"]),
		MinSize:              aws.Int32(2), MaxSize: aws.Int32(6), DesiredCapacity: aws.Int32(2),
		LaunchTemplate:    &asg.LaunchTemplateSpecification{LaunchTemplateId: aws.String(template), Version: aws.String("$Default")},
		TargetGroupARNs:   []string{group},
		VPCZoneIdentifier: aws.String(net.subnets[0] + "," + net.subnets[1]),
		HealthCheckType:   aws.String("EC2"),
	})
	if err != nil {
		return "", fmt.Errorf("auto scaling group: %w", err)
	}
	return dnsName, nil
}

type network struct {
	vpc, group string
	subnets    []string // the first two
}

// network uses the Region's default VPC and opens the application's port in a
// security group of its own.
func (b *Builder) network(ctx context.Context, region plan.Region, name string) (network, error) {
	api := ec2.NewFromConfig(b.in(region))
	vpcs, err := api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: []ec2types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}})
	if err != nil || len(vpcs.Vpcs) == 0 {
		return network{}, fmt.Errorf("default VPC: %w", err)
	}
	n := network{vpc: aws.ToString(vpcs.Vpcs[0].VpcId)}
	subnets, err := api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{n.vpc}}}})
	if err != nil {
		return n, fmt.Errorf("subnets of %s: %w", n.vpc, err)
	}
	if len(subnets.Subnets) < 2 {
		return n, fmt.Errorf("%s has %d subnets; a load balancer needs 2", n.vpc, len(subnets.Subnets))
	}
	for _, s := range subnets.Subnets[:2] {
		n.subnets = append(n.subnets, aws.ToString(s.SubnetId))
	}
	if err := b.ownACL(ctx, api, n); err != nil {
		return n, fmt.Errorf("network ACL: %w", err)
	}
	group, err := api.CreateSecurityGroup(ctx, &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(name), Description: aws.String("serves " + name), VpcId: aws.String(n.vpc),
	})
	if err != nil {
		return n, fmt.Errorf("security group: %w", err)
	}
	n.group = aws.ToString(group.GroupId)
	_, err = api.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: group.GroupId,
		IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(int32(b.Plan.Traffic.Port)), ToPort: aws.Int32(int32(b.Plan.Traffic.Port)),
			IpRanges: []ec2types.IpRange{{CidrIp: aws.String("0.0.0.0/0")}},
		}},
	})
	return n, err
}

// ownACL gives the service's subnets a network ACL of their own that allows
// everything: the network fence denies there, and must not cut off anybody else.
func (b *Builder) ownACL(ctx context.Context, api *ec2.Client, n network) error {
	acl, err := api.CreateNetworkAcl(ctx, &ec2.CreateNetworkAclInput{VpcId: aws.String(n.vpc)})
	if err != nil {
		return err
	}
	id := acl.NetworkAcl.NetworkAclId
	for _, egress := range []bool{false, true} {
		_, err := api.CreateNetworkAclEntry(ctx, &ec2.CreateNetworkAclEntryInput{
			NetworkAclId: id, RuleNumber: aws.Int32(100), Protocol: aws.String("-1"), CidrBlock: aws.String("0.0.0.0/0"),
			RuleAction: ec2types.RuleActionAllow, Egress: aws.Bool(egress),
		})
		if err != nil {
			return err
		}
	}
	old, err := api.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{
		Filters: []ec2types.Filter{{Name: aws.String("association.subnet-id"), Values: n.subnets}},
	})
	if err != nil {
		return err
	}
	for _, a := range old.NetworkAcls {
		for _, association := range a.Associations {
			if !slices.Contains(n.subnets, aws.ToString(association.SubnetId)) {
				continue
			}
			_, err := api.ReplaceNetworkAclAssociation(ctx, &ec2.ReplaceNetworkAclAssociationInput{
				AssociationId: association.NetworkAclAssociationId, NetworkAclId: id,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// template makes the launch template; its user data configures the application.
func (b *Builder) template(ctx context.Context, region plan.Region, name, group string) (string, error) {
	data, err := b.userData(region)
	if err != nil {
		return "", err
	}
	out, err := ec2.NewFromConfig(b.in(region)).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String(name),
		LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: ec2types.InstanceTypeM6gLarge,
			SecurityGroupIds: []string{group}, UserData: aws.String(base64.StdEncoding.EncodeToString(data)),
		},
	})
	if err != nil {
		return "", fmt.Errorf("launch template: %w", err)
	}
	return aws.ToString(out.LaunchTemplate.LaunchTemplateId), nil
}

// userData is the records application's configuration in one Region.
func (b *Builder) userData(region plan.Region) ([]byte, error) {
	config := map[string]any{"lifeline": "records-application", "application": b.Plan.Application, "region": string(region), "port": b.Plan.Traffic.Port}
	for _, r := range b.Plan.Resources {
		switch r.Kind {
		case plan.DynamoDBTable:
			config["table"] = r.Regions[region]["table"]
		case plan.AuroraGlobal:
			config["globalCluster"], config["cluster"] = r.Global["globalCluster"], r.Regions[region]["cluster"]
		case plan.S3Bucket:
			config["bucket"] = r.Regions[region]["bucket"]
		case plan.Service, plan.RDSInstance, plan.EBSVolume, plan.DRSServer:
		}
	}
	if l := b.Plan.Lease; l != nil {
		config["lease"] = map[string]any{"region": string(l.Region), "table": l.Table, "ttl_ms": l.TTL.D().Milliseconds()}
	}
	return json.Marshal(config)
}

func (b *Builder) balancer(ctx context.Context, region plan.Region, ids plan.Identifiers, n network) (dnsName, targetGroup string, err error) {
	api := elb.NewFromConfig(b.in(region))
	lb, err := api.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		Name: aws.String(ids["loadBalancer"]), Subnets: n.subnets, SecurityGroups: []string{n.group}, Scheme: elbtypes.LoadBalancerSchemeEnumInternetFacing,
	})
	if err != nil {
		return "", "", fmt.Errorf("load balancer: %w", err)
	}
	// Unless told, a load balancer keeps its clients for an hour, and with it a Region that is lost.
	_, err = api.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn,
		Attributes:      []elbtypes.LoadBalancerAttribute{{Key: aws.String("client_keep_alive.seconds"), Value: aws.String(strconv.Itoa(b.keepAlive()))}},
	})
	if err != nil {
		return "", "", fmt.Errorf("attributes of the load balancer: %w", err)
	}
	group, err := api.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String(ids["targetGroup"]), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(b.Plan.Traffic.Port)), VpcId: aws.String(n.vpc),
		TargetType: elbtypes.TargetTypeEnumInstance, HealthCheckPath: aws.String(b.Plan.Traffic.HealthCheck.Path),
		HealthCheckIntervalSeconds: aws.Int32(10), HealthCheckTimeoutSeconds: aws.Int32(5), HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		return "", "", fmt.Errorf("target group: %w", err)
	}
	arn := group.TargetGroups[0].TargetGroupArn
	_, err = api.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(int32(b.Plan.Traffic.Port)),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: arn}},
	})
	if err != nil {
		return "", "", fmt.Errorf("listener: %w", err)
	}
	return aws.ToString(lb.LoadBalancers[0].DNSName), aws.ToString(arn), nil
}

// keepAlive is how many seconds clients may use one connection: what the objective
// allows, within AWS's bounds.
func (b *Builder) keepAlive() int {
	front, _ := b.Plan.Front()
	rto := int(b.Plan.ObjectivesOf(front).RTO.D().Seconds())
	return min(max(rto, 60), 604_800)
}

// awaitTargets waits until every Region has two healthy targets.
func (b *Builder) awaitTargets(ctx context.Context) error {
	front, _ := b.Plan.Front()
	for _, region := range b.Plan.TrafficRegions() {
		api := elb.NewFromConfig(b.in(region))
		groups, err := api.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{Names: []string{front.Regions[region]["targetGroup"]}})
		if err != nil {
			return err
		}
		err = await(ctx, "healthy targets in "+string(region), func(ctx context.Context) (bool, error) {
			out, err := api.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: groups.TargetGroups[0].TargetGroupArn})
			if err != nil {
				return false, err
			}
			healthy := 0
			for _, t := range out.TargetHealthDescriptions {
				if t.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
					healthy++
				}
			}
			return healthy >= 2, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
