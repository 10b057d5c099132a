package checkers_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	wiredns "github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/checkers"
	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/dns"
	"lifeline/local/aws/route53"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// stage is two Regions behind the record tree of a real plan: Route 53, its
// checkers and the name server are all real, the endpoints are switches.
type stage struct {
	t      *testing.T
	world  *world.World
	r53    *route53.Route53
	dns    *dns.Server
	sdk    *sdk.Client
	cw     *cloudwatch.CloudWatch
	zone   string
	status map[string]*atomic.Int64 // HTTP status by endpoint name
}

// names are what AWS would own.
type names struct{}

func (names) Resolve(name string) ([]netip.Addr, time.Duration, bool) {
	switch name {
	case "east.us-east-1.elb.amazonaws.com":
		return []netip.Addr{netip.MustParseAddr("127.77.1.1")}, time.Minute, true
	case "west.us-west-2.elb.amazonaws.com":
		return []netip.Addr{netip.MustParseAddr("127.77.1.2")}, time.Minute, true
	case "switch.s3.us-west-2.amazonaws.com":
		return []netip.Addr{netip.MustParseAddr("127.77.1.3")}, time.Minute, true
	default:
		return nil, 0, false
	}
}

func newStage(t *testing.T) *stage {
	t.Helper()
	w := world.New(world.Options{Compression: 50}) // 10 s are 200 ms
	t.Cleanup(w.Close)
	s := &stage{t: t, world: w, r53: route53.New(w, route53.Options{}), cw: cloudwatch.New(w, cloudwatch.Options{}), status: map[string]*atomic.Int64{}}
	s.dns = dns.New(dns.Options{Address: "127.0.0.1:0", Zones: s.r53, Resolvers: []dns.Resolver{names{}}})
	require.NoError(t, s.dns.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, s.dns.Close()) })
	addresses := map[string]string{}
	for host, status := range map[string]int64{"127.77.1.1": 200, "127.77.1.2": 200, "127.77.1.3": 404} {
		now := &atomic.Int64{}
		now.Store(status)
		s.status[host] = now
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(int(now.Load())) }))
		t.Cleanup(server.Close)
		addresses[host] = server.Listener.Addr().String()
	}
	f := checkers.New(w, checkers.Options{
		Route53: s.r53, Metrics: s.cw,
		Resolve: func(ctx context.Context, name string) ([]netip.Addr, error) {
			return s.dns.Addresses(ctx, name, netip.Prefix{})
		},
		Dial: func(ctx context.Context, host string, _ int) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addresses[host])
		},
	})
	t.Cleanup(f.Close)
	api := httptest.NewServer(wire.NewServer(w, s.r53.Wire()))
	t.Cleanup(api.Close)
	s.sdk = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &api.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
	return s
}

func (s *stage) check(ref string, config types.HealthCheckConfig) string {
	s.t.Helper()
	out, err := s.sdk.CreateHealthCheck(s.t.Context(), &sdk.CreateHealthCheckInput{CallerReference: &ref, HealthCheckConfig: &config})
	require.NoError(s.t, err)
	return *out.HealthCheck.Id
}

func (s *stage) endpoint(host, path string, inverted bool) string {
	return s.check(host, types.HealthCheckConfig{
		Type: types.HealthCheckTypeHttp, FullyQualifiedDomainName: &host, ResourcePath: &path, Inverted: &inverted,
		RequestInterval: aws.Int32(10), FailureThreshold: aws.Int32(2),
	})
}

func (s *stage) leaf(name, role, target, check string) types.Change {
	return types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: &types.ResourceRecordSet{
		Name: &name, Type: types.RRTypeCname, TTL: aws.Int64(20), SetIdentifier: &role, Failover: types.ResourceRecordSetFailover(role),
		HealthCheckId: &check, ResourceRecords: []types.ResourceRecord{{Value: &target}},
	}}
}

func (s *stage) location(id, target string, geo types.GeoLocation) types.Change {
	return types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: &types.ResourceRecordSet{
		Name: aws.String("records.example.com"), Type: types.RRTypeCname, SetIdentifier: &id, GeoLocation: &geo,
		AliasTarget: &types.AliasTarget{HostedZoneId: &s.zone, DNSName: &target, EvaluateTargetHealth: true},
	}}
}

func (s *stage) build() {
	ctx := s.t.Context()
	zone, err := s.sdk.CreateHostedZone(ctx, &sdk.CreateHostedZoneInput{Name: aws.String("example.com"), CallerReference: aws.String("z")})
	require.NoError(s.t, err)
	s.zone = *zone.HostedZone.Id
	const eastName, westName = "east.us-east-1.elb.amazonaws.com", "west.us-west-2.elb.amazonaws.com"
	deep := s.endpoint(eastName, "/health/deep", false)
	manual := s.endpoint("switch.s3.us-west-2.amazonaws.com", "/evacuate/us-east-1", true)
	east := s.check("leaf", types.HealthCheckConfig{Type: types.HealthCheckTypeCalculated, HealthThreshold: aws.Int32(2), ChildHealthChecks: []string{deep, manual}})
	west := s.endpoint(westName, "/health/deep", false)
	out, err := s.sdk.ChangeResourceRecordSets(ctx, &sdk.ChangeResourceRecordSetsInput{HostedZoneId: &s.zone, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{
		s.leaf("geo-us-east-1.example.com", "PRIMARY", eastName, east), s.leaf("geo-us-east-1.example.com", "SECONDARY", westName, west),
		s.leaf("geo-us-west-2.example.com", "PRIMARY", westName, west), s.leaf("geo-us-west-2.example.com", "SECONDARY", eastName, east),
		s.location("na", "geo-us-east-1.example.com", types.GeoLocation{ContinentCode: aws.String("NA")}),
		s.location("eu", "geo-us-west-2.example.com", types.GeoLocation{ContinentCode: aws.String("EU")}),
		s.location("default", "geo-us-east-1.example.com", types.GeoLocation{CountryCode: aws.String("*")}),
	}}})
	require.NoError(s.t, err)
	require.NoError(s.t, sdk.NewResourceRecordSetsChangedWaiter(s.sdk, func(o *sdk.ResourceRecordSetsChangedWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 20*time.Millisecond
	}).Wait(ctx, &sdk.GetChangeInput{Id: out.ChangeInfo.Id}, 20*time.Second))
}

// from gives the address that a client network is sent to, over the network.
func (s *stage) from(network string) string {
	m := new(wiredns.Msg)
	m.SetQuestion("records.example.com.", wiredns.TypeA)
	withSubnet(m, network)
	reply, _, err := (&wiredns.Client{Timeout: 5 * time.Second}).ExchangeContext(s.t.Context(), m, s.dns.Addr().String())
	if err != nil || len(reply.Answer) == 0 {
		return ""
	}
	if a, ok := reply.Answer[len(reply.Answer)-1].(*wiredns.A); ok {
		return a.A.String()
	}
	return ""
}

func withSubnet(m *wiredns.Msg, network string) {
	p := netip.MustParsePrefix(network)
	m.SetEdns0(1232, false)
	m.IsEdns0().Option = append(m.IsEdns0().Option, &wiredns.EDNS0_SUBNET{
		Code: wiredns.EDNS0SUBNET, Family: 1, SourceNetmask: uint8(p.Bits()), Address: p.Addr().AsSlice(),
	})
}

// become waits until North America, Europe and everyone else are sent there.
func (s *stage) become(na, eu, other, why string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		return s.from("199.212.0.0/24") == na && s.from("193.0.0.0/21") == eu && s.from("203.119.0.0/22") == other
	}, 30*time.Second, 10*time.Millisecond, why)
}

func TestEvacuation_BySwitchObject_WithTheControlPlaneDark(t *testing.T) {
	t.Parallel()
	const east, west = "127.77.1.1", "127.77.1.2"
	s := newStage(t)
	s.build()
	s.become(east, west, east, "everyone at home, once the switch's check has found no object")

	s.world.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"}) // Route 53's API is gone, and a checker Region
	s.status["127.77.1.3"].Store(200)                                      // the object is put in the surviving Region
	s.become(west, west, west, "evacuated")
	s.status["127.77.1.3"].Store(404)
	s.become(east, west, east, "and back")
}

func TestEvacuation_ByDeepCheck_AndFailOpen(t *testing.T) {
	t.Parallel()
	const east, west = "127.77.1.1", "127.77.1.2"
	s := newStage(t)
	s.build()
	s.become(east, west, east, "everyone at home")
	s.status[east].Store(503)
	s.become(west, west, west, "east is sick")
	s.status[west].Store(503)
	s.become(east, west, east, "all sick: primaries answer")
	s.status[east].Store(200)
	s.become(east, east, east, "east alone is well")
}
