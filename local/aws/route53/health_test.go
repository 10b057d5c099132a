package route53

import (
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/cloudwatch"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

func TestEndpoint_EighteenPercentRule(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(nil)
	require.True(t, f.healthy(id), "a new check is healthy")
	for votes, want := range map[int]bool{0: false, 1: false /* 12.5 % */, 2: true /* 25 % */, 8: true} {
		f.vote(id, votes)
		require.Equal(t, want, f.healthy(id), "%d of 8 checkers", votes)
	}
}

func TestEndpoint_OwnCheckerRegions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(func(c *api.HealthCheckConfig) {
		c.Regions = aws.StringSlice([]string{"eu-west-1", "sa-east-1", "ap-southeast-1"})
	})
	f.Observe(id, Observation{Region: "us-east-1", Healthy: false}) // not asked
	for i, region := range []string{"eu-west-1", "sa-east-1", "ap-southeast-1"} {
		require.True(t, f.healthy(id), "after %d bad votes of 3", i)
		f.Observe(id, Observation{Region: region, Healthy: false})
	}
	require.False(t, f.healthy(id))
}

func TestInverted_StartsUnhealthyAndSwaps(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(func(c *api.HealthCheckConfig) { c.Inverted = aws.Bool(true) })
	now, served, _ := f.Healthy(id)
	require.False(t, now)
	require.False(t, served)
	f.fail(id)
	require.True(t, f.healthy(id))
	f.mend(id)
	require.False(t, f.healthy(id))
}

func TestDisabled_IsHealthyEvenWhenInverted(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, inverted := range []bool{false, true} {
		id := f.check(func(c *api.HealthCheckConfig) { c.Inverted = &inverted })
		f.vote(id, map[bool]int{false: 0, true: 8}[inverted])
		require.False(t, f.healthy(id))
		_, err := f.updateHealthCheck(&wire.Call{}, &api.UpdateHealthCheckInput{HealthCheckId: &id, Disabled: aws.Bool(true)})
		require.NoError(t, err)
		require.True(t, f.healthy(id), "disabled, inverted=%v", inverted)
		require.Empty(t, f.EndpointChecks(), "nobody probes for a disabled check")
		_, err = f.updateHealthCheck(&wire.Call{}, &api.UpdateHealthCheckInput{HealthCheckId: &id, Disabled: aws.Bool(false)})
		require.NoError(t, err)
		require.False(t, f.healthy(id), "enabled again")
		_, err = f.deleteHealthCheck(&wire.Call{}, &api.DeleteHealthCheckInput{HealthCheckId: &id})
		require.NoError(t, err)
	}
}

func TestDarkCheckerRegion_HasNoVote(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(nil)
	f.vote(id, 2) // us-east-1 and us-west-1 say healthy: 2 of 8
	require.True(t, f.healthy(id))
	fault := f.w.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	require.False(t, f.healthy(id), "1 of 7 is left")
	f.w.Remove(fault)
	require.True(t, f.healthy(id))
}

func TestCalculated_Thresholds(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	a, b, c := f.check(nil), f.check(nil), f.check(nil)
	calculated := func(threshold int64, change func(*api.HealthCheckConfig)) string {
		config := &api.HealthCheckConfig{
			Type: aws.String("CALCULATED"), HealthThreshold: &threshold, ChildHealthChecks: aws.StringSlice([]string{a, b, c}),
		}
		if change != nil {
			change(config)
		}
		return f.create(config)
	}
	zero, two, three, four := calculated(0, nil), calculated(2, nil), calculated(3, nil), calculated(4, nil)
	swapped := calculated(3, func(c *api.HealthCheckConfig) { c.Inverted = aws.Bool(true) })
	look := func() []bool {
		return []bool{f.healthy(zero), f.healthy(two), f.healthy(three), f.healthy(four), f.healthy(swapped)}
	}
	require.Equal(t, []bool{true, true, true, false, false}, look())
	f.fail(a)
	require.Equal(t, []bool{true, true, false, false, true}, look())
	f.fail(b)
	f.fail(c)
	require.Equal(t, []bool{true, false, false, false, true}, look())
	for _, id := range []string{a, b, c} {
		_, err := f.updateHealthCheck(&wire.Call{}, &api.UpdateHealthCheckInput{HealthCheckId: &id, Disabled: aws.Bool(true)})
		require.NoError(t, err)
	}
	require.Equal(t, []bool{true, true, true, false, false}, look(), "disabled children count as healthy")
}

func TestCalculated_OfCalculated_AndNoCircles(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	leaf := f.check(nil)
	all := func(child string) *api.HealthCheckConfig {
		return &api.HealthCheckConfig{Type: aws.String("CALCULATED"), HealthThreshold: aws.Int64(1), ChildHealthChecks: []*string{&child}}
	}
	inner := f.create(all(leaf))
	outer := f.create(all(inner))
	f.fail(leaf)
	require.False(t, f.healthy(outer))
	_, err := f.updateHealthCheck(&wire.Call{}, &api.UpdateHealthCheckInput{HealthCheckId: &inner, ChildHealthChecks: []*string{&outer}})
	require.ErrorContains(t, err, "depends on health check")
}

func TestCloudWatchMetric_ReadsDataNotTheAlarm(t *testing.T) {
	t.Parallel()
	alarm := &cloudwatch.MetricAlarm{
		AlarmName: aws.String("lag"), MetricName: aws.String("Lag"), Namespace: aws.String("Lifeline"), Statistic: aws.String("Maximum"),
		Period: aws.Int64(60), EvaluationPeriods: aws.Int64(2), Threshold: aws.Float64(5), ComparisonOperator: aws.String("GreaterThanThreshold"),
		StateValue: aws.String("ALARM"),
	}
	m := &metrics{alarms: map[string]*cloudwatch.MetricAlarm{"us-west-2/lag": alarm}, say: "OK"}
	f := newFixture(t, Options{Metrics: m})
	made := func(missing string) string {
		return f.create(&api.HealthCheckConfig{
			Type: aws.String("CLOUDWATCH_METRIC"), InsufficientDataHealthStatus: &missing,
			AlarmIdentifier: &api.AlarmIdentifier{Region: aws.String("us-west-2"), Name: aws.String("lag")},
		})
	}
	last, good, bad := made("LastKnownStatus"), made("Healthy"), made("Unhealthy")
	look := func() []bool {
		f.Refresh()
		return []bool{f.healthy(last), f.healthy(good), f.healthy(bad)}
	}
	require.Equal(t, []bool{true, true, true}, look(), "the alarm is in ALARM, the data is fine")
	m.say = "ALARM"
	require.Equal(t, []bool{false, false, false}, look())
	m.say = "INSUFFICIENT_DATA"
	require.Equal(t, []bool{false, true, false}, look())

	m.alarms["us-west-2/lag"] = &cloudwatch.MetricAlarm{Threshold: aws.Float64(99)}
	f.Refresh()
	require.InDelta(t, 5.0, *m.asked.Threshold, 0, "an edited alarm doesn't reach the check")
}

func TestRecoveryControl_FollowsItsSwitch(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:route53-recovery-control::123456789012:controlpanel/1/routingcontrol/2"
	s := switches{arn: false}
	f := newFixture(t, Options{RoutingControls: s})
	id := f.create(&api.HealthCheckConfig{Type: aws.String("RECOVERY_CONTROL"), RoutingControlArn: aws.String(arn)})
	require.False(t, f.healthy(id))
	s[arn] = true
	f.Refresh()
	require.True(t, f.healthy(id))
	_, err := f.createHealthCheck(&wire.Call{}, &api.CreateHealthCheckInput{
		CallerReference: aws.String("x"), HealthCheckConfig: &api.HealthCheckConfig{Type: aws.String("RECOVERY_CONTROL"), RoutingControlArn: aws.String("arn:other")},
	})
	require.ErrorContains(t, err, "InvalidInput")
}

func TestDeletedCheck_CountsHealthyUnderItsRecords(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	id := f.check(nil)
	f.put(record("x.example.com", "A", "192.0.2.1", role(true), checkedBy(id)), record("x.example.com", "A", "192.0.2.2", role(false)))
	f.fail(id)
	require.Equal(t, []string{"192.0.2.2"}, f.ask("x.example.com", "A", ""))
	_, err := f.deleteHealthCheck(&wire.Call{}, &api.DeleteHealthCheckInput{HealthCheckId: &id})
	require.NoError(t, err)
	require.Equal(t, []string{"192.0.2.1"}, f.ask("x.example.com", "A", ""))
}

func TestCreateHealthCheck_RefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	alarm := func(change func(*cloudwatch.MetricAlarm)) *cloudwatch.MetricAlarm {
		a := &cloudwatch.MetricAlarm{Statistic: aws.String("Average"), Period: aws.Int64(60), EvaluationPeriods: aws.Int64(3)}
		change(a)
		return a
	}
	m := &metrics{alarms: map[string]*cloudwatch.MetricAlarm{
		"us-east-1/mn":   alarm(func(a *cloudwatch.MetricAlarm) { a.DatapointsToAlarm = aws.Int64(2) }),
		"us-east-1/fast": alarm(func(a *cloudwatch.MetricAlarm) { a.Period = aws.Int64(10) }),
		"us-east-1/p99":  alarm(func(a *cloudwatch.MetricAlarm) { a.Statistic = nil }),
		"us-east-1/math": alarm(func(a *cloudwatch.MetricAlarm) { a.Metrics = []*cloudwatch.MetricDataQuery{{}} }),
	}}
	f := newFixture(t, Options{Metrics: m})
	onAlarm := func(name string) *api.HealthCheckConfig {
		return &api.HealthCheckConfig{Type: aws.String("CLOUDWATCH_METRIC"), AlarmIdentifier: &api.AlarmIdentifier{Region: aws.String("us-east-1"), Name: &name}}
	}
	host := aws.String("h.example.com")
	for name, config := range map[string]*api.HealthCheckConfig{
		"no endpoint":            {Type: aws.String("HTTP")},
		"interval 20":            {Type: aws.String("HTTP"), FullyQualifiedDomainName: host, RequestInterval: aws.Int64(20)},
		"threshold 11":           {Type: aws.String("HTTP"), FullyQualifiedDomainName: host, FailureThreshold: aws.Int64(11)},
		"tcp without port":       {Type: aws.String("TCP"), FullyQualifiedDomainName: host},
		"tcp with path":          {Type: aws.String("TCP"), FullyQualifiedDomainName: host, Port: aws.Int64(1), ResourcePath: aws.String("/")},
		"match without string":   {Type: aws.String("HTTP_STR_MATCH"), FullyQualifiedDomainName: host},
		"string without match":   {Type: aws.String("HTTP"), FullyQualifiedDomainName: host, SearchString: aws.String("x")},
		"two Regions":            {Type: aws.String("HTTP"), FullyQualifiedDomainName: host, Regions: aws.StringSlice([]string{"us-east-1", "us-west-2"})},
		"private address":        {Type: aws.String("HTTP"), IPAddress: aws.String("10.0.0.1")},
		"no children":            {Type: aws.String("CALCULATED"), HealthThreshold: aws.Int64(1)},
		"unknown child":          {Type: aws.String("CALCULATED"), HealthThreshold: aws.Int64(1), ChildHealthChecks: aws.StringSlice([]string{"nope"})},
		"no alarm":               {Type: aws.String("CLOUDWATCH_METRIC")},
		"unknown alarm":          onAlarm("nope"),
		"m out of n":             onAlarm("mn"),
		"high resolution":        onAlarm("fast"),
		"percentile":             onAlarm("p99"),
		"metric math":            onAlarm("math"),
		"no routing controls":    {Type: aws.String("RECOVERY_CONTROL"), RoutingControlArn: aws.String("arn:x")},
		"no routing control arn": {Type: aws.String("RECOVERY_CONTROL")},
	} {
		_, err := f.createHealthCheck(&wire.Call{}, &api.CreateHealthCheckInput{CallerReference: &name, HealthCheckConfig: config})
		var refused *wire.Error
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, "InvalidInput", refused.Code, name)
	}
	require.Empty(t, f.Checks())
}

func TestCheck_CallerReferenceOfADeletedOne_IsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	in := &api.CreateHealthCheckInput{
		CallerReference: aws.String("once"),
		HealthCheckConfig: &api.HealthCheckConfig{
			Type: aws.String(api.HealthCheckTypeHttp), FullyQualifiedDomainName: aws.String("use1.example.com"), ResourcePath: aws.String("/health"),
		},
	}
	first, err := f.createHealthCheck(&wire.Call{}, in)
	require.NoError(t, err)
	second, err := f.createHealthCheck(&wire.Call{}, in)
	require.NoError(t, err)
	require.Equal(t, first.HealthCheck.Id, second.HealthCheck.Id, "the same request again")
	_, err = f.deleteHealthCheck(&wire.Call{}, &api.DeleteHealthCheckInput{HealthCheckId: first.HealthCheck.Id})
	require.NoError(t, err)
	_, err = f.createHealthCheck(&wire.Call{}, in)
	require.ErrorContains(t, err, "HealthCheckAlreadyExists")
}
