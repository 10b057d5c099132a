package elbv2_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	ec2sdk "github.com/aws/aws-sdk-go/service/ec2"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/ec2"
	"lifeline/local/aws/elbv2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1"
	west = "us-west-2"
)

// metrics keeps what was published.
type metrics struct {
	mu  sync.Mutex
	sum map[string]float64
}

func (m *metrics) Put(region string, d cloudwatch.Datum) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum[region+" "+d.Name] += d.Value
}

func (m *metrics) of(name string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sum[name]
}

// site is one Region's web tier, whose machines answer with their id, and 503 on
// /health while sick.
type site struct {
	*elbv2.ELB
	t       *testing.T
	world   *world.World
	ec2     *ec2.EC2
	region  string
	metrics *metrics
	sick    sync.Map // instance id -> true
	hold    atomic.Pointer[chan struct{}]

	subnets []*string
	group   *string // security group
	vpc     *string
	balance *sdk.LoadBalancer
	targets *sdk.TargetGroup
	port    int64
}

func newSite(t *testing.T, region string) *site {
	t.Helper()
	s := &site{t: t, region: region, port: 8080, metrics: &metrics{sum: map[string]float64{}}}
	s.world = world.New(world.Options{Compression: 1000})
	t.Cleanup(s.world.Close)
	s.ec2 = ec2.New(s.world, ec2.Options{Boot: s.boot})
	s.ELB = elbv2.New(s.world, s.ec2, elbv2.Options{Metrics: s.metrics})
	subnets, err := s.ec2.DescribeSubnets(s.call(), &ec2sdk.DescribeSubnetsInput{})
	require.NoError(t, err)
	for _, n := range subnets.Subnets {
		s.subnets = append(s.subnets, n.SubnetId)
	}
	s.vpc = subnets.Subnets[0].VpcId
	g, err := s.ec2.CreateSecurityGroup(s.call(), &ec2sdk.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web")})
	require.NoError(t, err)
	s.group = g.GroupId
	_, err = s.ec2.AuthorizeSecurityGroupIngress(s.call(), &ec2sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: s.group, IpProtocol: aws.String("tcp"), FromPort: aws.Int64(1), ToPort: aws.Int64(65535), CidrIp: aws.String("0.0.0.0/0"),
	})
	require.NoError(t, err)
	return s
}

func (s *site) boot(_ context.Context, m ec2.Machine) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, sick := s.sick.Load(m.ID); sick && r.URL.Path == "/health" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if hold := s.hold.Load(); hold != nil && r.URL.Path == "/slow" {
			<-*hold
		}
		w.Header().Set("X-For", r.Header.Get("X-Forwarded-For"))
		_, _ = io.WriteString(w, m.ID)
	}), nil
}

func (s *site) call() *wire.Call {
	return &wire.Call{Context: s.t.Context(), World: s.world, Region: s.region}
}

// build makes a load balancer on the port with an empty target group behind it.
func (s *site) build() *site {
	s.t.Helper()
	b, err := s.CreateLoadBalancer(s.call(), &sdk.CreateLoadBalancerInput{
		Name: aws.String("patient-web"), Subnets: s.subnets, SecurityGroups: []*string{s.group},
	})
	require.NoError(s.t, err)
	s.balance = b.LoadBalancers[0]
	g, err := s.CreateTargetGroup(s.call(), &sdk.CreateTargetGroupInput{
		Name: aws.String("patient-web"), Protocol: aws.String("HTTP"), Port: &s.port, VpcId: s.vpc,
		HealthCheckPath: aws.String("/health"), HealthCheckIntervalSeconds: aws.Int64(10), HealthyThresholdCount: aws.Int64(2),
	})
	require.NoError(s.t, err)
	s.targets = g.TargetGroups[0]
	_, err = s.CreateListener(s.call(), &sdk.CreateListenerInput{
		LoadBalancerArn: s.balance.LoadBalancerArn, Port: &s.port, Protocol: aws.String("HTTP"),
		DefaultActions: []*sdk.Action{{Type: aws.String("forward"), TargetGroupArn: s.targets.TargetGroupArn}},
	})
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		out, err := s.DescribeLoadBalancers(s.call(), &sdk.DescribeLoadBalancersInput{Names: []*string{aws.String("patient-web")}})
		return err == nil && *out.LoadBalancers[0].State.Code == "active"
	}, 10*time.Second, time.Millisecond)
	return s
}

// instance starts a machine that is in no target group.
func (s *site) instance(subnet int) string {
	s.t.Helper()
	out, err := s.ec2.RunInstances(s.call(), &ec2sdk.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), MinCount: aws.Int64(1), MaxCount: aws.Int64(1), SubnetId: s.subnets[subnet],
		SecurityGroupIds: []*string{s.group},
		UserData:         aws.String(base64.StdEncoding.EncodeToString([]byte(`{"lifeline":"records-application"}`))),
	})
	require.NoError(s.t, err)
	id := *out.Instances[0].InstanceId
	require.Eventually(s.t, func() bool { p, ok := s.ec2.Placement(s.region, id); return ok && p.State == "running" }, 10*time.Second, time.Millisecond)
	return id
}

func (s *site) launch(subnet int) string {
	s.t.Helper()
	id := s.instance(subnet)
	_, err := s.RegisterTargets(s.call(), &sdk.RegisterTargetsInput{
		TargetGroupArn: s.targets.TargetGroupArn, Targets: []*sdk.TargetDescription{{Id: &id}},
	})
	require.NoError(s.t, err)
	return id
}

func (s *site) awaitState(id, want string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.State(s.region, *s.targets.TargetGroupArn, id) == want },
		10*time.Second, time.Millisecond, "target is %s, not %s", s.State(s.region, *s.targets.TargetGroupArn, id), want)
}

func (s *site) client(timeout time.Duration) *http.Client {
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: timeout}
}

func (s *site) get(c *http.Client, path string) (status int, body string, err error) {
	addrs, _, ok := s.Resolve(*s.balance.DNSName)
	require.True(s.t, ok)
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet,
		fmt.Sprintf("http://%s%s", netip.AddrPortFrom(addrs[0], uint16(s.port)), path), http.NoBody)
	require.NoError(s.t, err)
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

func timedOut(t *testing.T, err error) {
	t.Helper()
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout(), "want silence, got %v", err)
}

func TestListener_HealthyTargets_ShareTheRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	c := s.client(5 * time.Second)
	status, _, err := s.get(c, "/")
	require.NoError(t, err)
	require.Equal(t, 503, status, "no target at all")
	require.False(t, s.Healthy(*s.balance.DNSName), "a group without targets is unhealthy for DNS")

	one, two := s.launch(0), s.launch(1)
	s.awaitState(one, "healthy")
	s.awaitState(two, "healthy")
	require.True(t, s.Healthy(*s.balance.DNSName))
	got := map[string]int{}
	for range 10 {
		status, body, err := s.get(c, "/")
		require.NoError(t, err)
		require.Equal(t, 200, status)
		got[body]++
	}
	require.Equal(t, map[string]int{one: 5, two: 5}, got)
	require.Eventually(t, func() bool { return s.metrics.of("us-east-1 RequestCount") == 11 }, 5*time.Second, time.Millisecond)
	require.InDelta(t, 10, s.metrics.of("us-east-1 HTTPCode_Target_2XX_Count"), 0)
	require.InDelta(t, 1, s.metrics.of("us-east-1 HTTPCode_ELB_5XX_Count"), 0)
}

func TestListener_SickTarget_IsSparedUntilAllAreSick(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	one, two := s.launch(0), s.launch(1)
	s.awaitState(one, "healthy")
	s.awaitState(two, "healthy")
	s.sick.Store(one, true)
	s.awaitState(one, "unhealthy")
	out, err := s.DescribeTargetHealth(s.call(), &sdk.DescribeTargetHealthInput{
		TargetGroupArn: s.targets.TargetGroupArn, Targets: []*sdk.TargetDescription{{Id: &one}},
	})
	require.NoError(t, err)
	require.Equal(t, "Target.ResponseCodeMismatch", *out.TargetHealthDescriptions[0].TargetHealth.Reason)
	c := s.client(5 * time.Second)
	for range 4 {
		_, body, err := s.get(c, "/")
		require.NoError(t, err)
		require.Equal(t, two, body)
	}
	s.sick.Store(two, true)
	s.awaitState(two, "unhealthy")
	require.False(t, s.Healthy(*s.balance.DNSName))
	got := map[string]bool{}
	for range 4 {
		status, body, err := s.get(c, "/")
		require.NoError(t, err)
		require.Equal(t, 200, status, "it fails open")
		got[body] = true
	}
	require.Len(t, got, 2)
	s.sick.Clear()
	s.awaitState(one, "healthy")
}

func TestListener_DarkRegion_IsSilentForOldAndNewConnectionsUntilHealed(t *testing.T) {
	t.Parallel()
	s := newSite(t, west).build()
	s.awaitState(s.launch(0), "healthy")
	old := s.client(150 * time.Millisecond)
	_, _, err := s.get(old, "/")
	require.NoError(t, err)
	s.world.Inject(world.Fault{Kind: world.Blackout, Region: west})
	require.False(t, s.Healthy(*s.balance.DNSName))
	_, _, err = s.get(old, "/")
	timedOut(t, err)
	_, _, err = s.get(s.client(150*time.Millisecond), "/")
	timedOut(t, err)
	_, _, resolved := s.Resolve(*s.balance.DNSName)
	require.True(t, resolved, "DNS does not live in the Region")
	s.world.Heal(west)
	status, _, err := s.get(s.client(5*time.Second), "/")
	require.NoError(t, err)
	require.Equal(t, 200, status)
}

func TestListener_SubnetsDenied_CutsClientsOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	s.awaitState(s.launch(0), "healthy")
	c := s.client(150 * time.Millisecond)
	_, _, err := s.get(c, "/")
	require.NoError(t, err)
	acls, err := s.ec2.DescribeNetworkACLs(s.call(), &ec2sdk.DescribeNetworkAclsInput{})
	require.NoError(t, err)
	_, err = s.ec2.CreateNetworkACLEntry(s.call(), &ec2sdk.CreateNetworkAclEntryInput{
		NetworkAclId: acls.NetworkAcls[0].NetworkAclId, RuleNumber: aws.Int64(1), Egress: aws.Bool(false),
		Protocol: aws.String("-1"), RuleAction: aws.String("deny"), CidrBlock: aws.String("0.0.0.0/0"),
	})
	require.NoError(t, err)
	_, _, err = s.get(c, "/")
	timedOut(t, err)
}

func TestListener_TargetsSubnetDenied_OthersServe(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	one, two := s.launch(0), s.launch(1)
	s.awaitState(one, "healthy")
	s.awaitState(two, "healthy")
	acl, err := s.ec2.CreateNetworkACL(s.call(), &ec2sdk.CreateNetworkAclInput{VpcId: s.vpc})
	require.NoError(t, err)
	acls, err := s.ec2.DescribeNetworkACLs(s.call(), &ec2sdk.DescribeNetworkAclsInput{Filters: []*ec2sdk.Filter{
		{Name: aws.String("association.subnet-id"), Values: []*string{s.subnets[0]}},
	}})
	require.NoError(t, err)
	for _, a := range acls.NetworkAcls[0].Associations {
		if *a.SubnetId == *s.subnets[0] {
			_, err = s.ec2.ReplaceNetworkACLAssociation(s.call(), &ec2sdk.ReplaceNetworkAclAssociationInput{
				AssociationId: a.NetworkAclAssociationId, NetworkAclId: acl.NetworkAcl.NetworkAclId,
			})
			require.NoError(t, err)
		}
	}
	s.awaitState(one, "unhealthy")
	_, body, err := s.get(s.client(5*time.Second), "/")
	require.NoError(t, err)
	require.Equal(t, two, body)
}

func TestListener_NoSecurityGroupAdmits_ConnectionsAreDropped(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	s.awaitState(s.launch(0), "healthy")
	_, err := s.ec2.RevokeSecurityGroupIngress(s.call(), &ec2sdk.RevokeSecurityGroupIngressInput{
		GroupId: s.group, IpProtocol: aws.String("tcp"), FromPort: aws.Int64(1), ToPort: aws.Int64(65535), CidrIp: aws.String("0.0.0.0/0"),
	})
	require.NoError(t, err)
	_, _, err = s.get(s.client(150*time.Millisecond), "/")
	timedOut(t, err)
}

func TestDeregisterTargets_RequestInFlight_DrainsFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	id := s.launch(0)
	s.awaitState(id, "healthy")
	hold := make(chan struct{})
	s.hold.Store(&hold)
	answered := make(chan int, 1)
	c := s.client(10 * time.Second)
	_, err := s.ModifyTargetGroupAttributes(s.call(), &sdk.ModifyTargetGroupAttributesInput{
		TargetGroupArn: s.targets.TargetGroupArn,
		Attributes:     []*sdk.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("3600")}},
	})
	require.NoError(t, err)
	_, err = s.ModifyLoadBalancerAttributes(s.call(), &sdk.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: s.balance.LoadBalancerArn,
		Attributes:      []*sdk.LoadBalancerAttribute{{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("4000")}},
	})
	require.NoError(t, err)
	go func() {
		status, _, _ := s.get(c, "/slow")
		answered <- status
	}()
	drain := &sdk.DeregisterTargetsInput{TargetGroupArn: s.targets.TargetGroupArn, Targets: []*sdk.TargetDescription{{Id: &id}}}
	require.Eventually(t, func() bool {
		_, err := s.DeregisterTargets(s.call(), drain)
		if s.State(east, *s.targets.TargetGroupArn, id) == "draining" {
			return true
		}
		// The request was not in flight yet and the target left at once: again.
		_, again := s.RegisterTargets(s.call(), &sdk.RegisterTargetsInput{TargetGroupArn: s.targets.TargetGroupArn, Targets: drain.Targets})
		require.NoError(t, err)
		require.NoError(t, again)
		return false
	}, 5*time.Second, 5*time.Millisecond)
	close(hold)
	require.Equal(t, 200, <-answered, "a request in flight is answered")
	require.Eventually(t, func() bool { return s.State(east, *s.targets.TargetGroupArn, id) == "" }, 5*time.Second, time.Millisecond)
}

func TestTarget_InstanceTerminated_LeavesTheGroup(t *testing.T) {
	t.Parallel()
	s := newSite(t, east).build()
	id := s.launch(0)
	s.awaitState(id, "healthy")
	_, err := s.ec2.TerminateInstances(s.call(), &ec2sdk.TerminateInstancesInput{InstanceIds: []*string{&id}})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return s.State(east, *s.targets.TargetGroupArn, id) == "" }, 5*time.Second, time.Millisecond)
}
