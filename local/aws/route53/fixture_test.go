package route53

import (
	"net/netip"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/cloudwatch"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// fixture is a Route 53 with one zone, in which changes and health take effect
// at once unless the options say otherwise.
type fixture struct {
	*Route53
	t    *testing.T
	w    *world.World
	zone string
}

func newFixture(t *testing.T, o Options) *fixture {
	t.Helper()
	if o.ChangeSync == 0 {
		o.ChangeSync = -1
	}
	if o.Propagation == 0 {
		o.Propagation = -1
	}
	w := world.New(world.Options{Regions: []string{"us-east-1", "us-west-2"}, Compression: 100})
	t.Cleanup(w.Close)
	f := &fixture{Route53: New(w, o), t: t, w: w}
	out, err := f.createHostedZone(&wire.Call{}, &api.CreateHostedZoneInput{Name: aws.String("Example.com"), CallerReference: aws.String("zone")})
	require.NoError(t, err)
	f.zone = bare(*out.HostedZone.Id)
	return f
}

func (f *fixture) change(changes ...*api.Change) error {
	_, err := f.changeResourceRecordSets(&wire.Call{}, &api.ChangeResourceRecordSetsInput{
		HostedZoneId: &f.zone, ChangeBatch: &api.ChangeBatch{Changes: changes},
	})
	return err
}

// put creates record sets and expects that to work.
func (f *fixture) put(sets ...*api.ResourceRecordSet) {
	f.t.Helper()
	var changes []*api.Change
	for _, s := range sets {
		changes = append(changes, create(s))
	}
	require.NoError(f.t, f.change(changes...))
}

func create(s *api.ResourceRecordSet) *api.Change {
	return &api.Change{Action: aws.String("CREATE"), ResourceRecordSet: s}
}

func remove(s *api.ResourceRecordSet) *api.Change {
	return &api.Change{Action: aws.String("DELETE"), ResourceRecordSet: s}
}

// option changes a record set under construction.
type option func(*api.ResourceRecordSet)

func record(name, kind, value string, options ...option) *api.ResourceRecordSet {
	s := &api.ResourceRecordSet{
		Name: &name, Type: &kind, TTL: aws.Int64(20), ResourceRecords: []*api.ResourceRecord{{Value: &value}},
	}
	for _, o := range options {
		o(s)
	}
	return s
}

func alias(zone, name, kind, target string, options ...option) *api.ResourceRecordSet {
	s := &api.ResourceRecordSet{
		Name: &name, Type: &kind,
		AliasTarget: &api.AliasTarget{HostedZoneId: &zone, DNSName: &target, EvaluateTargetHealth: aws.Bool(true)},
	}
	for _, o := range options {
		o(s)
	}
	return s
}

func named(id string) option { return func(s *api.ResourceRecordSet) { s.SetIdentifier = &id } }

func checkedBy(id string) option { return func(s *api.ResourceRecordSet) { s.HealthCheckId = &id } }

func role(primary bool) option {
	return func(s *api.ResourceRecordSet) {
		s.Failover = aws.String(map[bool]string{true: "PRIMARY", false: "SECONDARY"}[primary])
		s.SetIdentifier = s.Failover
	}
}

func weight(n int64) option { return func(s *api.ResourceRecordSet) { s.Weight = &n } }

func inContinent(code string) option {
	return func(s *api.ResourceRecordSet) {
		s.GeoLocation, s.SetIdentifier = &api.GeoLocation{ContinentCode: &code}, aws.String("continent-"+code)
	}
}

func inCountry(code string) option {
	return func(s *api.ResourceRecordSet) {
		s.GeoLocation, s.SetIdentifier = &api.GeoLocation{CountryCode: &code}, aws.String("country-"+code)
	}
}

func inState(code string) option {
	return func(s *api.ResourceRecordSet) {
		s.GeoLocation = &api.GeoLocation{CountryCode: aws.String("US"), SubdivisionCode: &code}
		s.SetIdentifier = aws.String("state-" + code)
	}
}

// check makes an endpoint check that three Regions vote on.
func (f *fixture) check(change func(*api.HealthCheckConfig)) string {
	f.t.Helper()
	config := &api.HealthCheckConfig{
		Type: aws.String("HTTP"), FullyQualifiedDomainName: aws.String("host.example.com"), RequestInterval: aws.Int64(10),
	}
	if change != nil {
		change(config)
	}
	return f.create(config)
}

func (f *fixture) create(config *api.HealthCheckConfig) string {
	f.t.Helper()
	out, err := f.createHealthCheck(&wire.Call{}, &api.CreateHealthCheckInput{CallerReference: aws.String(f.w.NewID("ref-")), HealthCheckConfig: config})
	require.NoError(f.t, err)
	return *out.HealthCheck.Id
}

// vote lets the first n checkers of a check call it healthy, the rest not.
func (f *fixture) vote(id string, n int) {
	for i, region := range CheckerRegions() {
		f.Observe(id, Observation{Region: region, Healthy: i < n, Failed: i >= n, Status: "x", At: time.Now()})
	}
}

// fail and mend put an endpoint check down and up.
func (f *fixture) fail(id string) { f.vote(id, 0) }
func (f *fixture) mend(id string) { f.vote(id, 8) }

func (f *fixture) healthy(id string) bool {
	f.t.Helper()
	now, _, ok := f.Healthy(id)
	require.True(f.t, ok)
	return now
}

// ask gives the data of the answer's records, from an address ("" is nowhere).
func (f *fixture) ask(name, kind, from string) []string {
	f.t.Helper()
	subnet := netip.Prefix{}
	if from != "" {
		subnet = netip.PrefixFrom(netip.MustParseAddr(from), 24)
	}
	out := []string{}
	for _, rr := range f.Answer(name, dns.StringToType[kind], subnet) {
		require.Equal(f.t, dns.Fqdn(name), rr.Header().Name, "the asked name owns the answer")
		out = append(out, rr.String()[len(rr.Header().String()):])
	}
	return out
}

// metrics is a CloudWatch that says what the test wants.
type metrics struct {
	alarms map[string]*cloudwatch.MetricAlarm
	say    string
	asked  *cloudwatch.MetricAlarm
}

func (m *metrics) Alarm(region, name string) (*cloudwatch.MetricAlarm, bool) {
	a, ok := m.alarms[region+"/"+name]
	return a, ok
}

func (m *metrics) Judge(_ string, a *cloudwatch.MetricAlarm) string {
	m.asked = a
	return m.say
}

type switches map[string]bool

func (s switches) On(arn string) (on, known bool) {
	on, known = s[arn]
	return on, known
}

// targets are load balancers by name.
type targets map[string]bool

func (l targets) Resolve(name string) ([]netip.Addr, time.Duration, bool) {
	if _, ok := l[name]; !ok {
		return nil, 0, false
	}
	return []netip.Addr{netip.MustParseAddr("127.9.9.9")}, time.Minute, true
}

func (l targets) AliasHealth(name string) (zone string, healthy, ok bool) {
	healthy, ok = l[name]
	return "ZELB", healthy, ok
}
