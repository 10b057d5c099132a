package route53_test

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/route53"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// client is the unmodified SDK against the service over HTTP.
func client(t *testing.T) (*sdk.Client, *route53.Route53, *world.World) {
	t.Helper()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	r := route53.New(w, route53.Options{})
	server := httptest.NewServer(wire.NewServer(w, r.Wire()))
	t.Cleanup(server.Close)
	return sdk.New(sdk.Options{
		// Signed for us-west-2 on purpose: Route 53 is one state for the world.
		Region: "us-west-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}), r, w
}

func zone(t *testing.T, c *sdk.Client, name string) string {
	t.Helper()
	out, err := c.CreateHostedZone(t.Context(), &sdk.CreateHostedZoneInput{
		Name: &name, CallerReference: aws.String(name + time.Now().String()),
		HostedZoneConfig: &types.HostedZoneConfig{Comment: aws.String("test")},
	})
	require.NoError(t, err)
	require.Contains(t, *out.Location, *out.HostedZone.Id)
	require.Len(t, out.DelegationSet.NameServers, 4)
	require.Equal(t, types.ChangeStatusPending, out.ChangeInfo.Status)
	return *out.HostedZone.Id
}

func TestContract_Zones(t *testing.T) {
	t.Parallel()
	c, _, _ := client(t)
	a, b := zone(t, c, "b.example.com"), zone(t, c, "a.example.com")

	got, err := c.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: &a})
	require.NoError(t, err)
	require.Equal(t, "b.example.com.", *got.HostedZone.Name)
	require.Equal(t, int64(2), *got.HostedZone.ResourceRecordSetCount)

	first, err := c.ListHostedZones(t.Context(), &sdk.ListHostedZonesInput{MaxItems: aws.Int32(1)})
	require.NoError(t, err)
	require.True(t, first.IsTruncated)
	second, err := c.ListHostedZones(t.Context(), &sdk.ListHostedZonesInput{MaxItems: aws.Int32(1), Marker: first.NextMarker})
	require.NoError(t, err)
	require.Equal(t, []string{a, b}, []string{*first.HostedZones[0].Id, *second.HostedZones[0].Id})

	byName, err := c.ListHostedZonesByName(t.Context(), &sdk.ListHostedZonesByNameInput{DNSName: aws.String("a.example.com"), MaxItems: aws.Int32(1)})
	require.NoError(t, err)
	require.Equal(t, b, *byName.HostedZones[0].Id)
	require.Equal(t, "b.example.com.", *byName.NextDNSName)

	_, err = c.DeleteHostedZone(t.Context(), &sdk.DeleteHostedZoneInput{Id: &b})
	require.NoError(t, err)
	_, err = c.GetHostedZone(t.Context(), &sdk.GetHostedZoneInput{Id: &b})
	var missing *types.NoSuchHostedZone
	require.ErrorAs(t, err, &missing)
}

func TestContract_Records(t *testing.T) {
	t.Parallel()
	c, _, _ := client(t)
	id := zone(t, c, "example.com")
	check, err := c.CreateHealthCheck(t.Context(), &sdk.CreateHealthCheckInput{
		CallerReference:   aws.String("one"),
		HealthCheckConfig: &types.HealthCheckConfig{Type: types.HealthCheckTypeHttp, FullyQualifiedDomainName: aws.String("h.example.com")},
	})
	require.NoError(t, err)
	set := func(continent, value string) types.ResourceRecordSet {
		return types.ResourceRecordSet{
			Name: aws.String("app.example.com"), Type: types.RRTypeCname, TTL: aws.Int64(20), SetIdentifier: &continent,
			GeoLocation: &types.GeoLocation{ContinentCode: &continent}, HealthCheckId: check.HealthCheck.Id,
			ResourceRecords: []types.ResourceRecord{{Value: &value}},
		}
	}
	eu, na := set("EU", "eu.example.net"), set("NA", "na.example.net")
	changed, err := c.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: &id,
		ChangeBatch: &types.ChangeBatch{Comment: aws.String("tree"), Changes: []types.Change{
			{Action: types.ChangeActionCreate, ResourceRecordSet: &eu}, {Action: types.ChangeActionUpsert, ResourceRecordSet: &na},
		}},
	})
	require.NoError(t, err)
	require.Equal(t, "tree", *changed.ChangeInfo.Comment)
	require.NoError(t, sdk.NewResourceRecordSetsChangedWaiter(c, func(o *sdk.ResourceRecordSetsChangedWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 20*time.Millisecond
	}).Wait(t.Context(), &sdk.GetChangeInput{Id: changed.ChangeInfo.Id}, 10*time.Second))

	list, err := c.ListResourceRecordSets(t.Context(), &sdk.ListResourceRecordSetsInput{HostedZoneId: &id, StartRecordName: aws.String("app.example.com")})
	require.NoError(t, err)
	require.Len(t, list.ResourceRecordSets, 2)
	require.Equal(t, "app.example.com.", *list.ResourceRecordSets[0].Name)
	require.Equal(t, "EU", *list.ResourceRecordSets[0].GeoLocation.ContinentCode)
	require.Equal(t, int64(20), *list.ResourceRecordSets[0].TTL)

	answer, err := c.TestDNSAnswer(t.Context(), &sdk.TestDNSAnswerInput{
		HostedZoneId: &id, RecordName: aws.String("app.example.com"), RecordType: types.RRTypeCname, EDNS0ClientSubnetIP: aws.String("193.0.0.0"),
	})
	require.NoError(t, err)
	require.Equal(t, []string{"eu.example.net."}, answer.RecordData)
	require.Equal(t, "NOERROR", *answer.ResponseCode)

	_, err = c.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: &id, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionCreate, ResourceRecordSet: &eu}}},
	})
	var invalid *types.InvalidChangeBatch
	require.ErrorAs(t, err, &invalid)
	require.Contains(t, err.Error(), "already exists")

	eu.HealthCheckId = aws.String("nope")
	_, err = c.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: &id, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionUpsert, ResourceRecordSet: &eu}}},
	})
	var noCheck *types.NoSuchHealthCheck
	require.ErrorAs(t, err, &noCheck)
}

func TestContract_HealthChecks(t *testing.T) {
	t.Parallel()
	c, r, _ := client(t)
	in := &sdk.CreateHealthCheckInput{CallerReference: aws.String("ref"), HealthCheckConfig: &types.HealthCheckConfig{
		Type: types.HealthCheckTypeHttpStrMatch, FullyQualifiedDomainName: aws.String("h.example.com"), RequestInterval: aws.Int32(10),
		FailureThreshold: aws.Int32(2), SearchString: aws.String("ok"), ResourcePath: aws.String("/health/deep"),
		Regions: []types.HealthCheckRegion{types.HealthCheckRegionUsEast1, types.HealthCheckRegionEuWest1, types.HealthCheckRegionSaEast1},
	}}
	made, err := c.CreateHealthCheck(t.Context(), in)
	require.NoError(t, err)
	require.Contains(t, *made.Location, *made.HealthCheck.Id)
	again, err := c.CreateHealthCheck(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, *made.HealthCheck.Id, *again.HealthCheck.Id, "the same request is the same check")
	in.HealthCheckConfig.FailureThreshold = aws.Int32(3)
	_, err = c.CreateHealthCheck(t.Context(), in)
	var exists *types.HealthCheckAlreadyExists
	require.ErrorAs(t, err, &exists)

	id := made.HealthCheck.Id
	updated, err := c.UpdateHealthCheck(t.Context(), &sdk.UpdateHealthCheckInput{
		HealthCheckId: id, HealthCheckVersion: aws.Int64(1), Inverted: aws.Bool(true),
		ResetElements: []types.ResettableElementName{types.ResettableElementNameResourcePath},
	})
	require.NoError(t, err)
	require.Equal(t, int64(2), *updated.HealthCheck.HealthCheckVersion)
	require.True(t, *updated.HealthCheck.HealthCheckConfig.Inverted)
	require.Nil(t, updated.HealthCheck.HealthCheckConfig.ResourcePath)
	_, err = c.UpdateHealthCheck(t.Context(), &sdk.UpdateHealthCheckInput{HealthCheckId: id, HealthCheckVersion: aws.Int64(1), Disabled: aws.Bool(true)})
	var version *types.HealthCheckVersionMismatch
	require.ErrorAs(t, err, &version)

	at := time.Now()
	r.Observe(*id, route53.Observation{Region: "eu-west-1", Address: "54.228.16.7", Status: "Failure: HTTP Status Code 503, Service Unavailable", Failed: true, At: at})
	r.Observe(*id, route53.Observation{Region: "us-east-1", Address: "107.23.255.7", Healthy: true, Status: "Success: HTTP Status Code 200, OK", At: at})
	status, err := c.GetHealthCheckStatus(t.Context(), &sdk.GetHealthCheckStatusInput{HealthCheckId: id})
	require.NoError(t, err)
	require.Len(t, status.HealthCheckObservations, 2, "Regions that have not reported are not listed")
	require.WithinDuration(t, at, *status.HealthCheckObservations[0].StatusReport.CheckedTime, time.Second)
	failure, err := c.GetHealthCheckLastFailureReason(t.Context(), &sdk.GetHealthCheckLastFailureReasonInput{HealthCheckId: id})
	require.NoError(t, err)
	require.Len(t, failure.HealthCheckObservations, 1)
	require.Equal(t, "Failure: HTTP Status Code 503, Service Unavailable", *failure.HealthCheckObservations[0].StatusReport.Status)

	_, err = c.DeleteHealthCheck(t.Context(), &sdk.DeleteHealthCheckInput{HealthCheckId: id})
	require.NoError(t, err)
	_, err = c.GetHealthCheck(t.Context(), &sdk.GetHealthCheckInput{HealthCheckId: id})
	var missing *types.NoSuchHealthCheck
	require.ErrorAs(t, err, &missing)
}

func TestContract_HealthCheckListAndTags(t *testing.T) {
	t.Parallel()
	c, _, _ := client(t)
	var ids []string
	for _, ref := range []string{"a", "b", "c"} {
		made, err := c.CreateHealthCheck(t.Context(), &sdk.CreateHealthCheckInput{
			CallerReference: &ref, HealthCheckConfig: &types.HealthCheckConfig{Type: types.HealthCheckTypeTcp, IPAddress: aws.String("192.0.2.1"), Port: aws.Int32(443)},
		})
		require.NoError(t, err)
		ids = append(ids, *made.HealthCheck.Id)
	}
	var listed []string
	for p := sdk.NewListHealthChecksPaginator(c, &sdk.ListHealthChecksInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		for _, h := range page.HealthChecks {
			listed = append(listed, *h.Id)
		}
	}
	require.Equal(t, ids, listed)

	_, err := c.ChangeTagsForResource(t.Context(), &sdk.ChangeTagsForResourceInput{
		ResourceType: types.TagResourceTypeHealthcheck, ResourceId: &ids[0], AddTags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("deep")}},
	})
	require.NoError(t, err)
	tags, err := c.ListTagsForResources(t.Context(), &sdk.ListTagsForResourcesInput{ResourceType: types.TagResourceTypeHealthcheck, ResourceIds: ids[:2]})
	require.NoError(t, err)
	require.Len(t, tags.ResourceTagSets, 2)
	require.Equal(t, "deep", *tags.ResourceTagSets[0].Tags[0].Value)
	require.Empty(t, tags.ResourceTagSets[1].Tags)
}

func TestContract_ControlPlaneDiesWithItsRegion_AnsweringDoesNot(t *testing.T) {
	t.Parallel()
	c, r, w := client(t)
	id := zone(t, c, "example.com")
	set := types.ResourceRecordSet{Name: aws.String("x.example.com"), Type: types.RRTypeA, TTL: aws.Int64(20), ResourceRecords: []types.ResourceRecord{{Value: aws.String("192.0.2.1")}}}
	_, err := c.ChangeResourceRecordSets(t.Context(), &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: &id, ChangeBatch: &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionCreate, ResourceRecordSet: &set}}},
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(answer(r)) == 1 }, 10*time.Second, time.Millisecond)
	w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	ctx, cancel := contextWithTimeout(t)
	defer cancel()
	_, err = c.ListHostedZones(ctx, &sdk.ListHostedZonesInput{})
	require.Error(t, err)
	require.Len(t, answer(r), 1)
}

func answer(r *route53.Route53) []dns.RR {
	return r.Answer("x.example.com", dns.TypeA, netip.Prefix{})
}

func contextWithTimeout(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), 200*time.Millisecond)
}
