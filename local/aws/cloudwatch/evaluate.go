package cloudwatch

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"
)

// evaluationTick is how often alarms are looked at. CloudWatch evaluates alarms
// with sub-minute periods every ten seconds and all others once a minute.
const evaluationTick = 10 * time.Second

// spare is how many periods beyond EvaluationPeriods are fetched, so that a late
// or missing datapoint does not decide alone.
const spare = 2

func (c *CloudWatch) evaluateAll() {
	now := c.world.Now()
	c.mu.Lock()
	var fires []func()
	for region, r := range c.regions {
		if c.world.Dark(region) {
			continue
		}
		for _, a := range r.alarms {
			if a.rule != nil || now.Before(a.due) {
				continue
			}
			a.due = now.Truncate(c.cadence(a)).Add(c.cadence(a))
			fires = append(fires, c.evaluate(region, a, now))
		}
	}
	c.mu.Unlock()
	for _, fire := range fires {
		fire()
	}
}

func (c *CloudWatch) cadence(a *alarm) time.Duration {
	if a.seconds() < 60 {
		return c.world.Wall(evaluationTick)
	}
	return c.world.Wall(time.Minute)
}

// evaluate returns what has to be sent after the lock is released.
func (c *CloudWatch) evaluate(region string, a *alarm, now time.Time) func() {
	points := c.datapoints(region, &a.MetricAlarm, now)
	state, breaching := judge(&a.MetricAlarm, points)
	if state == "" || state == *a.StateValue {
		return func() {}
	}
	return c.transition(region, a, state, reason(&a.MetricAlarm, state, points, breaching), reasonData(a, points, now))
}

// datapoints are the alarm's newest complete periods, oldest first; nil is a
// period without data.
func (c *CloudWatch) datapoints(region string, a *api.MetricAlarm, now time.Time) []*float64 {
	seconds := (&alarm{MetricAlarm: *a}).seconds()
	period := c.period(seconds)
	n := *a.EvaluationPeriods + spare
	to := now.UTC().Truncate(period)
	from := to.Add(-time.Duration(n) * period)
	queries := a.Metrics
	if len(queries) == 0 {
		queries = []*api.MetricDataQuery{asQuery(a)}
	}
	e := evaluator{c: c, region: c.region(region), queries: queries, from: from, to: to}
	points, err := e.points(returned(queries)[0])
	if err != nil {
		c.log.Warn("alarm expression not evaluated", "alarm", aws.StringValue(a.AlarmName), "error", err)
	}
	out := make([]*float64, n)
	for i := range out {
		if v, ok := points[from.Add(time.Duration(i)*period)]; ok {
			out[i] = &v
		}
	}
	return out
}

// asQuery puts a single-metric alarm in the form of a query.
func asQuery(a *api.MetricAlarm) *api.MetricDataQuery {
	stat := a.Statistic
	if stat == nil {
		stat = a.ExtendedStatistic
	}
	return &api.MetricDataQuery{Id: aws.String("m"), MetricStat: &api.MetricStat{
		Metric: &api.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions},
		Period: a.Period, Stat: stat, Unit: a.Unit,
	}}
}

// judge applies CloudWatch's documented treatment of missing data. "" means
// that the state stays as it is.
func judge(a *api.MetricAlarm, points []*float64) (state string, breaching int) {
	n := int(*a.EvaluationPeriods)
	m := n
	if a.DatapointsToAlarm != nil {
		m = int(*a.DatapointsToAlarm)
	}
	var have []float64
	for _, p := range points {
		if p != nil {
			have = append(have, *p)
		}
	}
	have = have[max(0, len(have)-n):]
	for _, v := range have {
		if breaches(a, v) {
			breaching++
		}
	}
	return verdict(aws.StringValue(a.TreatMissingData), n-len(have), len(have)-breaching, breaching, m), breaching
}

// verdict decides from the counts of missing, good and breaching datapoints and
// the number of breaching ones that it takes.
func verdict(treat string, missing, good, breaching, needed int) string {
	switch {
	case breaching >= needed:
		return api.StateValueAlarm
	case missing == 0:
		return api.StateValueOk
	case treat == "breaching":
		if breaching+missing >= needed {
			return api.StateValueAlarm
		}
		return api.StateValueOk
	case treat == "notBreaching":
		return api.StateValueOk
	case good > 0:
		return api.StateValueOk
	case treat == "ignore":
		return ""
	case breaching > 0: // nothing but breaching data: alarm rather than doubt
		return api.StateValueAlarm
	default:
		return api.StateValueInsufficientData
	}
}

func breaches(a *api.MetricAlarm, v float64) bool {
	switch *a.ComparisonOperator {
	case api.ComparisonOperatorGreaterThanThreshold:
		return v > *a.Threshold
	case api.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return v >= *a.Threshold
	case api.ComparisonOperatorLessThanThreshold:
		return v < *a.Threshold
	case api.ComparisonOperatorLessThanOrEqualToThreshold:
		return v <= *a.Threshold
	default:
		return false // the anomaly operators need a band, which checkAlarm refuses
	}
}

func reason(a *api.MetricAlarm, state string, points []*float64, breaching int) string {
	if state == api.StateValueInsufficientData {
		return fmt.Sprintf("Insufficient Data: %d datapoints were unknown.", *a.EvaluationPeriods)
	}
	var values []string
	for i := len(points) - 1; i >= 0 && len(values) < int(*a.EvaluationPeriods); i-- {
		if points[i] != nil {
			values = append(values, fmt.Sprint(*points[i]))
		}
	}
	return fmt.Sprintf("Threshold Crossed: %d of the last %d datapoints [%s] were %s (%v).",
		breaching, *a.EvaluationPeriods, strings.Join(values, ", "), *a.ComparisonOperator, *a.Threshold)
}

// Alarm describes a Region's metric alarm; ok is false when there is none.
func (c *CloudWatch) Alarm(region, name string) (alarm *api.MetricAlarm, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.region(region).alarms[name]
	if !ok || a.rule != nil {
		return nil, false
	}
	return a.copy(), true
}

// Judge says what the metric data alone makes of an alarm's configuration,
// whatever state the alarm itself is in: OK, ALARM or INSUFFICIENT_DATA. Nothing
// can be read from a dark Region.
func (c *CloudWatch) Judge(region string, a *api.MetricAlarm) string {
	if c.world.Dark(region) {
		return api.StateValueInsufficientData
	}
	now := c.world.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	state, _ := judge(a, c.datapoints(region, a, now))
	return state
}

// Metrics lists the names of a namespace's metrics in a Region, sorted.
func (c *CloudWatch) Metrics(region, namespace string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	set := map[string]bool{}
	for _, s := range c.region(region).series {
		if s.id.namespace == namespace {
			set[s.id.name] = true
		}
	}
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}
