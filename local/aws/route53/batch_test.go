package route53

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func TestChange_RefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Targets: targets{"lb.elb.amazonaws.com": true}})
	id := f.check(nil)
	f.put(record("www.example.com", "A", "192.0.2.1"), record("alias.example.com", "CNAME", "www.example.com"),
		record("f.example.com", "A", "192.0.2.1", role(true), checkedBy(id)), record("g.example.com", "A", "192.0.2.1", inContinent("EU")))
	both := alias(f.zone, "x.example.com", "A", "www.example.com")
	both.TTL = aws.Int64(5)
	neither := record("x.example.com", "A", "192.0.2.1")
	neither.ResourceRecords = nil
	for name, c := range map[string]struct {
		change *api.Change
		code   string
		says   string
	}{
		"exists":              {create(record("www.example.com", "A", "192.0.2.9")), "InvalidChangeBatch", "already exists"},
		"delete unknown":      {remove(record("nope.example.com", "A", "192.0.2.9")), "InvalidChangeBatch", "was not found"},
		"delete other value":  {remove(record("www.example.com", "A", "192.0.2.9")), "InvalidChangeBatch", "do not match the current values"},
		"outside the zone":    {create(record("www.example.org", "A", "192.0.2.9")), "InvalidChangeBatch", "is not permitted in zone"},
		"cname at apex":       {create(record("example.com", "CNAME", "x.example.org")), "InvalidChangeBatch", "not permitted at apex"},
		"cname beside a":      {create(record("www.example.com", "CNAME", "x.example.org")), "InvalidChangeBatch", "conflicts with other records"},
		"a beside cname":      {create(record("alias.example.com", "A", "192.0.2.1")), "InvalidChangeBatch", "conflicts with other records"},
		"bad address":         {create(record("x.example.com", "A", "192.0.2")), "InvalidChangeBatch", "Value is not valid"},
		"bad mx":              {create(record("x.example.com", "MX", "mail.example.com")), "InvalidChangeBatch", "Value is not valid"},
		"mixed policies":      {create(record("www.example.com", "A", "192.0.2.9", role(true))), "InvalidChangeBatch", "routing policy simple"},
		"second primary":      {create(record("f.example.com", "A", "192.0.2.9", role(true), named("other"))), "InvalidChangeBatch", "same setting"},
		"same continent":      {create(record("g.example.com", "A", "192.0.2.9", inContinent("EU"), named("other"))), "InvalidChangeBatch", "same setting"},
		"alias and ttl":       {create(both), "InvalidInput", "more than one"},
		"neither":             {create(neither), "InvalidInput", "found none"},
		"no identifier":       {create(record("x.example.com", "A", "192.0.2.9", weight(1))), "InvalidInput", "Missing field 'SetIdentifier'"},
		"identifier alone":    {create(record("x.example.com", "A", "192.0.2.9", named("a"))), "InvalidInput", "found none"},
		"two policies":        {create(record("x.example.com", "A", "192.0.2.9", role(true), weight(1))), "InvalidInput", "more than one"},
		"weight 256":          {create(record("x.example.com", "A", "192.0.2.9", named("a"), weight(256))), "InvalidInput", "between 0 and 255"},
		"no such continent":   {create(record("x.example.com", "A", "192.0.2.9", inContinent("XX"))), "NoSuchGeoLocation", "XX"},
		"no such check":       {create(record("x.example.com", "A", "192.0.2.9", checkedBy("nope"))), "NoSuchHealthCheck", "nope"},
		"alias to nothing":    {create(alias(f.zone, "x.example.com", "A", "nope.example.com")), "InvalidChangeBatch", "was not found"},
		"alias to other type": {create(alias(f.zone, "x.example.com", "A", "alias.example.com")), "InvalidChangeBatch", "was not found"},
		"alias to itself":     {create(alias(f.zone, "x.example.com", "A", "x.example.com")), "InvalidChangeBatch", "the alias itself"},
		"alias elsewhere":     {create(alias(f.zone, "x.example.com", "A", "www.example.org")), "InvalidChangeBatch", "does not lie within"},
		"no such balancer":    {create(alias("ZELB", "x.example.com", "A", "no.elb.amazonaws.com")), "InvalidChangeBatch", "was not found"},
		"balancer's zone":     {create(alias("ZOTHER", "x.example.com", "A", "lb.elb.amazonaws.com")), "InvalidChangeBatch", "does not lie within"},
	} {
		err := f.change(c.change)
		var refused *wire.Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, c.code, refused.Code, name)
		require.Contains(t, refused.Message, c.says, name)
	}
}

func TestChange_BatchIsAtomicAndTellsEveryProblem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(record("old.example.com", "A", "192.0.2.1"))
	err := f.change(
		create(record("new.example.com", "A", "192.0.2.1")),
		create(record("old.example.com", "A", "192.0.2.2")),
		remove(record("gone.example.com", "A", "192.0.2.2")),
	)
	require.ErrorContains(t, err, "name='old.example.com.'")
	require.ErrorContains(t, err, "name='gone.example.com.'")
	require.Empty(t, f.ask("new.example.com", "A", ""), "nothing of the batch is applied")
	require.Equal(t, []string{"192.0.2.1"}, f.ask("old.example.com", "A", ""))
}

func TestChange_WithinABatch_OrderCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(record("x.example.com", "A", "192.0.2.1"))
	require.NoError(t, f.change(
		remove(record("X.example.com.", "A", "192.0.2.1")),
		create(record("x.example.com", "CNAME", "y.example.com")),
		create(alias(f.zone, "z.example.com", "CNAME", "x.example.com")),
	), "replacing a record by another type, and an alias to it, in one batch")
	require.Equal(t, []string{"y.example.com."}, f.ask("z.example.com", "A", ""))
	require.NoError(t, f.change(&api.Change{Action: aws.String("UPSERT"), ResourceRecordSet: record("x.example.com", "CNAME", "w.example.com")}))
	require.Equal(t, []string{"w.example.com."}, f.ask("z.example.com", "A", ""))
}

func TestChange_ApexRecordsStay(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	out, err := f.listResourceRecordSets(&wire.Call{}, &api.ListResourceRecordSetsInput{HostedZoneId: &f.zone})
	require.NoError(t, err)
	require.Len(t, out.ResourceRecordSets, 2)
	for _, s := range out.ResourceRecordSets {
		require.ErrorContains(t, f.change(remove(s)), "A HostedZone must contain")
	}
}

func TestChange_IsAnsweredOnceInSync(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{ChangeSync: 50 * time.Second}) // 500 ms of wall time
	out, err := f.changeResourceRecordSets(&wire.Call{}, &api.ChangeResourceRecordSetsInput{
		HostedZoneId: &f.zone, ChangeBatch: &api.ChangeBatch{Changes: []*api.Change{create(record("x.example.com", "A", "192.0.2.1"))}},
	})
	require.NoError(t, err)
	require.Equal(t, "PENDING", *out.ChangeInfo.Status)
	require.Empty(t, f.ask("x.example.com", "A", ""))
	require.Eventually(t, func() bool {
		got, err := f.getChange(&wire.Call{}, &api.GetChangeInput{Id: out.ChangeInfo.Id})
		return err == nil && *got.ChangeInfo.Status == "INSYNC"
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, []string{"192.0.2.1"}, f.ask("x.example.com", "A", ""))
}

func TestList_OrderAndPaging(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.put(
		record("c.example.com", "A", "192.0.2.1"), record("b.a.example.com", "A", "192.0.2.1"), record("a.example.com", "TXT", `"x"`),
		record("a.example.com", "A", "192.0.2.1"), record("*.example.com", "A", "192.0.2.1"),
		record("w.example.com", "A", "192.0.2.1", named("two"), weight(1)), record("w.example.com", "A", "192.0.2.1", named("one"), weight(1)),
	)
	var got []string
	in := &api.ListResourceRecordSetsInput{HostedZoneId: &f.zone, MaxItems: aws.String("2")}
	for {
		out, err := f.listResourceRecordSets(&wire.Call{}, in)
		require.NoError(t, err)
		require.LessOrEqual(t, len(out.ResourceRecordSets), 2)
		for _, s := range out.ResourceRecordSets {
			got = append(got, *s.Name+" "+*s.Type+" "+aws.StringValue(s.SetIdentifier))
		}
		if !*out.IsTruncated {
			break
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	require.Equal(t, []string{
		"example.com. NS ", "example.com. SOA ", `\052.example.com. A `, "a.example.com. A ", "a.example.com. TXT ",
		"b.a.example.com. A ", "c.example.com. A ", "w.example.com. A one", "w.example.com. A two",
	}, got)
}

func TestZones_LongestNameAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	out, err := f.createHostedZone(&wire.Call{}, &api.CreateHostedZoneInput{Name: aws.String("sub.example.com"), CallerReference: aws.String("2")})
	require.NoError(t, err)
	f.put(record("x.sub.example.com", "A", "192.0.2.1"))
	require.Equal(t, "sub.example.com.", f.Query("x.sub.example.com", dns.TypeA, netip.Prefix{}).Zone)
	require.Empty(t, f.ask("x.sub.example.com", "A", ""), "the record lies in the other zone")
	_, err = f.deleteHostedZone(&wire.Call{}, &api.DeleteHostedZoneInput{Id: out.HostedZone.Id})
	require.NoError(t, err)
	require.Equal(t, []string{"192.0.2.1"}, f.ask("x.sub.example.com", "A", ""))
	_, err = f.deleteHostedZone(&wire.Call{}, &api.DeleteHostedZoneInput{Id: &f.zone})
	require.ErrorContains(t, err, "HostedZoneNotEmpty")
}

func FuzzNames(f *testing.F) {
	f.Add(`\052.Example.com`)
	f.Add("a..b")
	f.Add(`\999x\`)
	f.Fuzz(func(t *testing.T, name string) {
		kept := fqdn(name)
		require.Equal(t, kept, fqdn(escape(kept)), "what the API shows names the same record")
		_ = nameProblem(kept)
	})
}

func TestSort_NamesByLabelFromTheRight(t *testing.T) {
	t.Parallel()
	names := []string{"c.example.com.", "b.a.example.com.", "example.com.", "a.example.com."}
	slices.SortFunc(names, compareNames)
	require.Equal(t, []string{"example.com.", "a.example.com.", "b.a.example.com.", "c.example.com."}, names)
	for i := range 4 {
		require.Negative(t, compareNames("example.com.", strconv.Itoa(i)+".example.com."))
	}
}
