package elbv2

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	ec2sdk "github.com/aws/aws-sdk-go/service/ec2"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
)

// balancer is a load balancer with its listeners.
type balancer struct {
	api        *sdk.LoadBalancer
	region     string
	vip        netip.Addr
	attributes attributes
	tags       []*sdk.Tag
	listeners  []*listener
	stats      stats
}

// node is the part of a load balancer that stands in one subnet.
type node struct {
	subnet  string
	address netip.Addr
}

// hostedZone is the id of the zone that AWS keeps the load balancers' names in.
func hostedZone(region string) string {
	switch region {
	case "us-east-1":
		return "Z35SXDOTRQ7X7K"
	case "us-east-2":
		return "Z3AADJGX6KTTL2"
	case "us-west-1":
		return "Z368ELLRRE2KJ0"
	case "us-west-2":
		return "Z1H1FL5HABSF5"
	case "eu-west-1":
		return "Z32O12XQLNTSW2"
	case "eu-central-1":
		return "Z215JYRZR1TBD5"
	default:
		return "Z00000000000000"
	}
}

// hexID is the 16 hex digits at the end of the service's ARNs.
func (e *ELB) hexID() string { return e.world.NewID("")[:16] }

func (e *ELB) arn(region, resource string) *string {
	return aws.String(fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:%s", region, e.world.Account(), resource))
}

// CreateLoadBalancer makes an application load balancer in at least two zones.
// Asked again with the same settings it gives the one that exists.
func (e *ELB) CreateLoadBalancer(c *wire.Call, in *sdk.CreateLoadBalancerInput) (*sdk.CreateLoadBalancerOutput, error) {
	if err := e.needDNS(c.Region); err != nil {
		return nil, err
	}
	api, err := e.design(c, in)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.balancers {
		if b.region == c.Region && *b.api.LoadBalancerName == *in.Name {
			if !sameDesign(b.api, api) {
				return nil, refuse("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings", *in.Name)
			}
			return &sdk.CreateLoadBalancerOutput{LoadBalancers: []*sdk.LoadBalancer{clone(b.api)}}, nil
		}
	}
	b := &balancer{api: api, region: c.Region, vip: e.world.VIP(), attributes: balancerDefaults(), tags: in.Tags}
	e.balancers = append(e.balancers, b)
	e.world.After(e.provision, func() { e.activate(b) })
	return &sdk.CreateLoadBalancerOutput{LoadBalancers: []*sdk.LoadBalancer{clone(b.api)}}, nil
}

// activate lets a new load balancer's listeners listen.
func (e *ELB) activate(b *balancer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.balancers, b) {
		return
	}
	b.api.State.Code = aws.String(sdk.LoadBalancerStateEnumActive)
	for _, l := range b.listeners {
		if err := e.listen(b, l); err != nil {
			b.api.State.Code = aws.String(sdk.LoadBalancerStateEnumFailed)
			b.api.State.Reason = aws.String(err.Error())
			e.world.Logger().Error("load balancer doesn't listen", "name", *b.api.LoadBalancerName, "region", b.region, "error", err)
		}
	}
}

// design checks a request and draws what it asks for.
func (e *ELB) design(c *wire.Call, in *sdk.CreateLoadBalancerInput) (*sdk.LoadBalancer, error) {
	name := aws.StringValue(in.Name)
	if !regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?$`).MatchString(name) || strings.HasPrefix(name, "internal-") {
		return nil, refuse("ValidationError", "Load balancer name '%s' can only contain characters that are alphanumeric characters or hyphens(-), cannot be longer than '32' characters and must not begin or end with a hyphen or with 'internal-'", name)
	}
	if t := aws.StringValue(in.Type); t != "" && t != sdk.LoadBalancerTypeEnumApplication {
		return nil, refuse("ValidationError", "Load balancers of type '%s' are not simulated", t)
	}
	scheme := sdk.LoadBalancerSchemeEnumInternetFacing
	if in.Scheme != nil {
		scheme = *in.Scheme
	}
	zones, vpc, err := e.zones(c.Region, in)
	if err != nil {
		return nil, err
	}
	groups, err := e.securityGroups(c, in.SecurityGroups, vpc)
	if err != nil {
		return nil, err
	}
	dns := fmt.Sprintf("%s-%d.%s.elb.amazonaws.com", name, 100_000_000+rand.IntN(1_900_000_000), c.Region)
	if scheme == sdk.LoadBalancerSchemeEnumInternal {
		dns = "internal-" + dns
	}
	return &sdk.LoadBalancer{
		LoadBalancerName: aws.String(name), LoadBalancerArn: e.arn(c.Region, "loadbalancer/app/"+name+"/"+e.hexID()),
		DNSName: aws.String(strings.ToLower(dns)), CanonicalHostedZoneId: aws.String(hostedZone(c.Region)),
		CreatedTime: aws.Time(e.world.Now()), Scheme: aws.String(scheme), Type: aws.String(sdk.LoadBalancerTypeEnumApplication),
		IpAddressType: aws.String("ipv4"), VpcId: aws.String(vpc), AvailabilityZones: zones, SecurityGroups: groups,
		State: &sdk.LoadBalancerState{Code: aws.String(sdk.LoadBalancerStateEnumProvisioning)},
	}, nil
}

func (e *ELB) zones(region string, in *sdk.CreateLoadBalancerInput) (zones []*sdk.AvailabilityZone, vpc string, err error) {
	ids := aws.StringValueSlice(in.Subnets)
	for _, m := range in.SubnetMappings {
		ids = append(ids, aws.StringValue(m.SubnetId))
	}
	seen := map[string]bool{}
	for _, id := range ids {
		s, ok := e.ec2.Subnet(region, id)
		switch {
		case !ok:
			return nil, "", refuse("SubnetNotFound", "The subnet ID '%s' does not exist", id)
		case vpc != "" && vpc != s.VPC:
			return nil, "", refuse("InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", vpc)
		case seen[s.Zone]:
			return nil, "", refuse("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		vpc, seen[s.Zone] = s.VPC, true
		zones = append(zones, &sdk.AvailabilityZone{SubnetId: aws.String(id), ZoneName: aws.String(s.Zone)})
	}
	if len(zones) < 2 {
		return nil, "", refuse("ValidationError", "At least two subnets in two different Availability Zones must be specified")
	}
	return zones, vpc, nil
}

// securityGroups checks the groups of a load balancer; without any it gets the
// VPC's default group, which lets nobody in from outside.
func (e *ELB) securityGroups(c *wire.Call, ids []*string, vpc string) ([]*string, error) {
	ask := &ec2sdk.DescribeSecurityGroupsInput{GroupIds: ids, Filters: []*ec2sdk.Filter{
		{Name: aws.String("vpc-id"), Values: []*string{&vpc}},
	}}
	if len(ids) == 0 {
		ask.Filters = append(ask.Filters, &ec2sdk.Filter{Name: aws.String("group-name"), Values: []*string{aws.String("default")}})
	}
	found, err := e.ec2.DescribeSecurityGroups(c, ask)
	if err != nil || len(found.SecurityGroups) < max(1, len(ids)) {
		return nil, refuse("InvalidSecurityGroup", "One or more security groups are invalid: %v", aws.StringValueSlice(ids))
	}
	out := make([]*string, 0, len(found.SecurityGroups))
	for _, g := range found.SecurityGroups {
		out = append(out, g.GroupId)
	}
	return out, nil
}

func sameDesign(a, b *sdk.LoadBalancer) bool {
	subnets := func(l *sdk.LoadBalancer) []string {
		var out []string
		for _, z := range l.AvailabilityZones {
			out = append(out, *z.SubnetId)
		}
		slices.Sort(out)
		return out
	}
	groups := func(l *sdk.LoadBalancer) []string {
		out := aws.StringValueSlice(l.SecurityGroups)
		slices.Sort(out)
		return out
	}
	return *a.Scheme == *b.Scheme && slices.Equal(subnets(a), subnets(b)) && slices.Equal(groups(a), groups(b))
}

// DeleteLoadBalancer removes a load balancer and its listeners; one that doesn't
// exist is deleted already.
func (e *ELB) DeleteLoadBalancer(c *wire.Call, in *sdk.DeleteLoadBalancerInput) (*sdk.DeleteLoadBalancerOutput, error) {
	if err := e.needDNS(c.Region); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.balancer(c.Region, in.LoadBalancerArn)
	if err != nil {
		return nil, nil // AWS answers success for one that is gone
	}
	if b.attributes["deletion_protection.enabled"] == "true" {
		return nil, refuse("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", *b.api.LoadBalancerArn)
	}
	for _, l := range b.listeners {
		l.close()
	}
	e.balancers = slices.DeleteFunc(e.balancers, func(o *balancer) bool { return o == b })
	return nil, nil
}

// DescribeLoadBalancers lists load balancers.
func (e *ELB) DescribeLoadBalancers(c *wire.Call, in *sdk.DescribeLoadBalancersInput) (*sdk.DescribeLoadBalancersOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []*sdk.LoadBalancer
	for _, b := range e.balancers {
		if b.region == c.Region {
			found = append(found, b.api)
		}
	}
	found, err := pickNamed(found, in.Names, func(b *sdk.LoadBalancer) *string { return b.LoadBalancerName }, "LoadBalancerNotFound", "Load balancers")
	if err != nil {
		return nil, err
	}
	found, err = pickNamed(found, in.LoadBalancerArns, func(b *sdk.LoadBalancer) *string { return b.LoadBalancerArn }, "LoadBalancerNotFound", "Load balancers")
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.PageSize, in.Marker)
	return &sdk.DescribeLoadBalancersOutput{LoadBalancers: found, NextMarker: next}, err
}

// SetSecurityGroups replaces a load balancer's security groups.
func (e *ELB) SetSecurityGroups(c *wire.Call, in *sdk.SetSecurityGroupsInput) (*sdk.SetSecurityGroupsOutput, error) {
	e.mu.Lock()
	b, err := e.balancer(c.Region, in.LoadBalancerArn)
	e.mu.Unlock()
	if err != nil {
		return nil, err
	}
	groups, err := e.securityGroups(c, in.SecurityGroups, *b.api.VpcId)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	b.api.SecurityGroups = groups
	return &sdk.SetSecurityGroupsOutput{SecurityGroupIds: aws.StringSlice(aws.StringValueSlice(groups))}, nil
}

// nodes are the load balancer's nodes; e.mu is held.
func (e *ELB) nodes(b *balancer) []node {
	var out []node
	for _, z := range b.api.AvailabilityZones {
		s, ok := e.ec2.Subnet(b.region, *z.SubnetId)
		if !ok {
			continue
		}
		// The highest address of the subnet that is not reserved: instances
		// are given theirs from the other end.
		raw := s.Block.Addr().As4()
		host := uint32(1)<<(32-s.Block.Bits()) - 2
		base := uint32(raw[0])<<24 | uint32(raw[1])<<16 | uint32(raw[2])<<8 | uint32(raw[3])
		at := base + host
		out = append(out, node{*z.SubnetId, netip.AddrFrom4([4]byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)})})
	}
	return out
}

// sourceFor is the node that speaks to a target: one that clients reach rather
// than another, the one in the target's own subnet rather than another.
func (e *ELB) sourceFor(b *balancer, subnet string, port int) ec2.Source {
	e.mu.Lock()
	nodes := e.nodes(b)
	groups := aws.StringValueSlice(b.api.SecurityGroups)
	e.mu.Unlock()
	score := func(n node) int {
		s := 0
		if e.ec2.Passes(b.region, n.subnet, port) {
			s += 2
		}
		if n.subnet == subnet {
			s++
		}
		return s
	}
	var best node
	for i, n := range nodes {
		if i == 0 || score(n) > score(best) {
			best = n
		}
	}
	return ec2.Source{Region: b.region, Subnet: best.subnet, Address: best.address, Groups: groups}
}
