package route53

import (
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func TestAnswer_PlainRecords_GiveValuesWithTheirTTL(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(record("www.example.com", "A", "192.0.2.1"), record("a.b.example.com", "TXT", `"hi"`), record("c.example.com", "CNAME", "www.example.com"))

	rr := f.Answer("WWW.example.com", dns.TypeA, netip.Prefix{})
	require.Len(t, rr, 1)
	require.Equal(t, uint32(20), rr[0].Header().Ttl)
	require.Equal(t, []string{"192.0.2.1"}, f.ask("www.example.com.", "A", ""))
	require.Equal(t, []string{"www.example.com."}, f.ask("c.example.com", "A", ""), "a CNAME stands in for any type")

	for name, exists := range map[string]bool{
		"www.example.com": true, "example.com": true, "b.example.com": true /* empty, but there is a.b */, "nope.example.com": false,
	} {
		res := f.Query(name, dns.TypeMX, netip.Prefix{})
		require.Equal(t, exists, res.Exists, name)
		require.Empty(t, res.Records, name)
		require.Equal(t, "example.com.", res.Zone)
		require.NotNil(t, res.SOA)
	}
	require.Empty(t, f.Query("example.org", dns.TypeA, netip.Prefix{}).Zone, "not ours")
}

func TestAnswer_Wildcard_CoversOnlyNamesThatDoNotExist(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(record("*.example.com", "A", "192.0.2.1"), record("www.example.com", "TXT", `"x"`))

	require.Equal(t, []string{"192.0.2.1"}, f.ask("anything.example.com", "A", ""))
	require.Equal(t, []string{"192.0.2.1"}, f.ask("deep.anything.example.com", "A", ""))
	require.Empty(t, f.ask("www.example.com", "A", ""), "www exists, with another type")
	require.Empty(t, f.ask("below.www.example.com", "A", ""), "www is the closest encloser")
}

func TestGeolocation_FallsBackToLargerAreasNeverToANeighbour(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	checks := map[string]string{}
	for _, place := range []string{"state", "country", "continent", "default", "eu"} {
		checks[place] = f.check(nil)
	}
	f.put(
		record("app.example.com", "A", "192.0.2.1", inState("VA"), checkedBy(checks["state"])),
		record("app.example.com", "A", "192.0.2.2", inCountry("US"), checkedBy(checks["country"])),
		record("app.example.com", "A", "192.0.2.3", inContinent("NA"), checkedBy(checks["continent"])),
		record("app.example.com", "A", "192.0.2.4", inContinent("EU"), checkedBy(checks["eu"])),
		record("app.example.com", "A", "192.0.2.5", inCountry("*"), checkedBy(checks["default"])),
	)
	const virginia, dutch, japan = "192.149.252.7", "193.0.0.1", "202.12.29.1"

	for _, step := range []struct{ lose, want string }{
		{"", "192.0.2.1"},
		{"state", "192.0.2.2"},
		{"country", "192.0.2.3"},
		{"continent", "192.0.2.5"},
		{"default", "192.0.2.1"}, // all of the client's areas are down: the smallest answers
	} {
		if step.lose != "" {
			f.fail(checks[step.lose])
		}
		require.Equal(t, []string{step.want}, f.ask("app.example.com", "A", virginia), "after losing %q", step.lose)
	}
	require.Equal(t, []string{"192.0.2.4"}, f.ask("app.example.com", "A", dutch), "Europe is untouched")
	require.Equal(t, []string{"192.0.2.5"}, f.ask("app.example.com", "A", japan))
	require.Equal(t, []string{"192.0.2.5"}, f.ask("app.example.com", "A", ""), "who can't be located gets the default")
	require.Equal(t, []string{"192.0.2.5"}, f.ask("app.example.com", "A", "127.0.0.1"))
}

func TestGeolocation_WithoutDefault_AnswersNothingElsewhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(record("app.example.com", "A", "192.0.2.4", inContinent("EU")))
	res := f.Query("app.example.com", dns.TypeA, netip.MustParsePrefix("199.212.0.0/24"))
	require.Empty(t, res.Records)
	require.True(t, res.Exists)
}

func TestGeo_BuiltInTable_KnowsThePlansLocations(t *testing.T) {
	t.Parallel()
	g := NewGeo()
	for addr, want := range map[string]Place{
		"199.212.0.9":  {Continent: "NA", Country: "US"},
		"193.0.7.255":  {Continent: "EU", Country: "NL"},
		"202.12.29.3":  {Continent: "AS", Country: "JP"},
		"200.3.15.1":   {Continent: "SA", Country: "UY"},
		"196.216.2.1":  {Continent: "AF", Country: "MU"},
		"203.119.3.1":  {Continent: "OC", Country: "AU"},
		"203.119.4.1":  {},
		"2001:db8::12": {},
	} {
		place, _ := g.Locate(netip.MustParseAddr(addr))
		require.Equal(t, want, place, addr)
	}
}

func TestGeo_Scope_IsTheLargestNetworkWithOneAnswer(t *testing.T) {
	t.Parallel()
	g := &Geo{places: map[netip.Prefix]Place{}}
	g.Add(netip.MustParsePrefix("10.0.0.0/8"), Place{Country: "US"})
	g.Add(netip.MustParsePrefix("10.1.0.0/16"), Place{Country: "CA"})
	for addr, want := range map[string]struct {
		country string
		scope   int
	}{
		"10.1.2.3":   {"CA", 16},
		"10.0.2.3":   {"US", 16}, // 10.0/15 holds the Canadian network
		"10.128.0.1": {"US", 9},
		"11.0.0.1":   {"", 8},
		"192.0.2.1":  {"", 1},
	} {
		place, scope := g.Locate(netip.MustParseAddr(addr))
		require.Equal(t, want.country, place.Country, addr)
		require.Equal(t, want.scope, scope, addr)
	}
}

func TestFailover_PrimaryThenSecondaryThenOpen(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	primary, secondary := f.check(nil), f.check(nil)
	f.put(
		record("geo.example.com", "CNAME", "east.elb.amazonaws.com", role(true), checkedBy(primary)),
		record("geo.example.com", "CNAME", "west.elb.amazonaws.com", role(false), checkedBy(secondary)),
	)
	require.Equal(t, []string{"east.elb.amazonaws.com."}, f.ask("geo.example.com", "A", ""))
	f.fail(primary)
	require.Equal(t, []string{"west.elb.amazonaws.com."}, f.ask("geo.example.com", "A", ""))
	f.fail(secondary)
	require.Equal(t, []string{"east.elb.amazonaws.com."}, f.ask("geo.example.com", "A", ""), "nobody is healthy: fails open to the primary")
	f.mend(secondary)
	require.Equal(t, []string{"west.elb.amazonaws.com."}, f.ask("geo.example.com", "A", ""))
}

func TestFailover_SecondaryWithoutCheck_IsAlwaysHealthy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	primary := f.check(nil)
	f.put(record("x.example.com", "A", "192.0.2.1", role(true), checkedBy(primary)), record("x.example.com", "A", "192.0.2.2", role(false)))
	f.fail(primary)
	require.Equal(t, []string{"192.0.2.2"}, f.ask("x.example.com", "A", ""))
}

func TestSimpleRecord_Unhealthy_StillAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(nil)
	f.put(record("only.example.com", "A", "192.0.2.1", checkedBy(id)))
	f.fail(id)
	require.Equal(t, []string{"192.0.2.1"}, f.ask("only.example.com", "A", ""))
}

// tree is the record tree that evacuates a Region: location -> failover pair ->
// load balancer names, with a calculated check on each leaf.
func tree(f *fixture) (deepEast, switchEast, deepWest string) {
	deepEast, deepWest = f.check(nil), f.check(nil)
	switchEast = f.check(func(c *api.HealthCheckConfig) { c.Inverted = aws.Bool(true) })
	f.fail(switchEast) // the object isn't there: inverted, that is healthy
	leaf := f.create(&api.HealthCheckConfig{
		Type: aws.String("CALCULATED"), HealthThreshold: aws.Int64(2), ChildHealthChecks: aws.StringSlice([]string{deepEast, switchEast}),
	})
	f.put(
		record("geo-east.example.com", "CNAME", "east.elb", role(true), checkedBy(leaf)),
		record("geo-east.example.com", "CNAME", "west.elb", role(false), checkedBy(deepWest)),
		record("geo-west.example.com", "CNAME", "west.elb", role(true), checkedBy(deepWest)),
		record("geo-west.example.com", "CNAME", "east.elb", role(false), checkedBy(leaf)),
	)
	f.put(
		alias(f.zone, "app.example.com", "CNAME", "geo-east.example.com", inContinent("NA")),
		alias(f.zone, "app.example.com", "CNAME", "geo-west.example.com", inContinent("EU")),
		alias(f.zone, "app.example.com", "CNAME", "geo-east.example.com", inCountry("*")),
	)
	return deepEast, switchEast, deepWest
}

func TestTree_SwitchObjectEvacuatesEveryLocation(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	deepEast, switchEast, deepWest := tree(f)
	const us, nl, jp = "199.212.0.1", "193.0.0.1", "202.12.29.1"
	answers := func() []string {
		var out []string
		for _, from := range []string{us, nl, jp} {
			out = append(out, f.ask("app.example.com", "A", from)...)
		}
		return out
	}
	require.Equal(t, []string{"east.elb.", "west.elb.", "east.elb."}, answers())

	f.mend(switchEast) // the object is put: inverted, that is unhealthy
	require.Equal(t, []string{"west.elb.", "west.elb.", "west.elb."}, answers())

	f.fail(switchEast)
	require.Equal(t, []string{"east.elb.", "west.elb.", "east.elb."}, answers())

	f.fail(deepEast)
	require.Equal(t, []string{"west.elb.", "west.elb.", "west.elb."}, answers())

	f.fail(deepWest)
	require.Equal(t, []string{"east.elb.", "west.elb.", "east.elb."}, answers(), "both down: open at each level")
}

func TestAlias_WithoutEvaluateTargetHealth_DoesNotLookBehind(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(nil)
	f.put(record("only.example.com", "CNAME", "east.elb", checkedBy(id)))
	blind := alias(f.zone, "app.example.com", "CNAME", "only.example.com", inContinent("EU"))
	blind.AliasTarget.EvaluateTargetHealth = aws.Bool(false)
	f.put(blind, record("app.example.com", "CNAME", "west.elb", inCountry("*")))
	f.fail(id)
	require.Equal(t, []string{"east.elb."}, f.ask("app.example.com", "A", "193.0.0.1"), "fails closed to nobody else")
}

func TestAlias_ToLoadBalancer_FollowsItsHealth(t *testing.T) {
	t.Parallel()
	lb := targets{"east.elb.amazonaws.com": true, "west.elb.amazonaws.com": true}
	f := newFixture(t, Options{Targets: lb})
	f.put(
		alias("ZELB", "app.example.com", "A", "dualstack.east.elb.amazonaws.com", role(true)),
		record("app.example.com", "A", "192.0.2.2", role(false)),
	)
	rr := f.Answer("app.example.com", dns.TypeA, netip.Prefix{})
	require.Len(t, rr, 1)
	require.Equal(t, uint32(60), rr[0].Header().Ttl, "the load balancer's TTL")
	require.Equal(t, []string{"127.9.9.9"}, f.ask("app.example.com", "A", ""))
	require.Empty(t, f.ask("app.example.com", "AAAA", ""))

	lb["east.elb.amazonaws.com"] = false
	require.Equal(t, []string{"192.0.2.2"}, f.ask("app.example.com", "A", ""))
	delete(lb, "east.elb.amazonaws.com")
	require.Equal(t, []string{"192.0.2.2"}, f.ask("app.example.com", "A", ""), "a deleted load balancer is not healthy")
}

func TestWeighted_SharesAndZeroes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	heavy, light := f.check(nil), f.check(nil)
	f.put(
		record("w.example.com", "A", "192.0.2.1", named("a"), weight(3), checkedBy(heavy)),
		record("w.example.com", "A", "192.0.2.2", named("b"), weight(1), checkedBy(light)),
		record("w.example.com", "A", "192.0.2.3", named("c"), weight(0)),
	)
	count := func() map[string]int {
		seen := map[string]int{}
		for range 400 {
			seen[f.ask("w.example.com", "A", "")[0]]++
		}
		return seen
	}
	seen := count()
	require.InDelta(t, 300, seen["192.0.2.1"], 60)
	require.Zero(t, seen["192.0.2.3"])
	f.fail(heavy)
	require.Equal(t, map[string]int{"192.0.2.2": 400}, count())
	f.fail(light)
	require.Equal(t, map[string]int{"192.0.2.3": 400}, count(), "weight zero steps in when all others are down")
}

func TestMultivalue_GivesHealthyOnesUpToEight(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(nil)
	multi := func(s *api.ResourceRecordSet) { s.MultiValueAnswer = aws.Bool(true) }
	f.put(record("m.example.com", "A", "192.0.2.100", named("bad"), multi, checkedBy(id)))
	for i := range byte(9) {
		f.put(record("m.example.com", "A", netip.AddrFrom4([4]byte{192, 0, 2, i}).String(), named(string('a'+rune(i))), multi))
	}
	f.fail(id)
	for range 20 {
		got := f.ask("m.example.com", "A", "")
		require.Len(t, got, 8)
		require.NotContains(t, got, "192.0.2.100")
	}
}

func TestPropagation_AnswersLagBehindHealth(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Propagation: 60 * 1e9}) // 600 ms of wall time
	served := make(chan world.Event, 4)
	f.w.Subscribe(func(e world.Event) {
		if e.Kind == "health-served" {
			served <- e
		}
	})
	primary := f.check(nil)
	f.put(record("x.example.com", "A", "192.0.2.1", role(true), checkedBy(primary)), record("x.example.com", "A", "192.0.2.2", role(false)))
	f.fail(primary)
	now, seen, _ := f.Healthy(primary)
	require.False(t, now)
	require.True(t, seen, "the name servers don't know yet")
	require.Equal(t, []string{"192.0.2.1"}, f.ask("x.example.com", "A", ""))
	e := <-served
	require.Equal(t, primary, e.ID)
	require.Equal(t, "unhealthy", e.Detail["status"])
	require.Equal(t, []string{"192.0.2.2"}, f.ask("x.example.com", "A", ""))
}

func TestQuery_Scope_OnlyWhenThePlaceMatters(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(record("app.example.com", "A", "192.0.2.4", inContinent("EU")), record("www.example.com", "A", "192.0.2.1"))
	nl := netip.MustParsePrefix("193.0.1.0/24")
	require.Equal(t, 21, f.Query("app.example.com", dns.TypeA, nl).Scope)
	require.Zero(t, f.Query("www.example.com", dns.TypeA, nl).Scope)
}
