package cloudwatch

import (
	"errors"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// TestJudge_MissingData follows the tables in AWS's "Configuring how CloudWatch
// alarms treat missing data": 0 is fine, X breaching, - missing.
func TestJudge_MissingData(t *testing.T) {
	t.Parallel()
	const keep = "" // the state stays
	for _, c := range []struct {
		data                                     string
		m                                        int64
		missing, ignore, breaching, notBreaching string
	}{
		{"0-X-X", 3, "OK", "OK", "OK", "OK"}, // three datapoints are there: none has to be filled
		{"0----", 3, "OK", "OK", "OK", "OK"},
		{"-----", 3, "INSUFFICIENT_DATA", keep, "ALARM", "OK"},
		{"0XX-X", 3, "ALARM", "ALARM", "ALARM", "ALARM"},
		{"--X--", 3, "ALARM", keep, "ALARM", "OK"},
		{"0-X-X", 2, "ALARM", "ALARM", "ALARM", "ALARM"},
		{"00X0X", 2, "ALARM", "ALARM", "ALARM", "ALARM"},
		{"0-X--", 2, "OK", "OK", "ALARM", "OK"},
		{"----0", 2, "OK", "OK", "ALARM", "OK"},
		{"---X-", 2, "ALARM", keep, "ALARM", "OK"},
	} {
		for treat, want := range map[string]string{"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreaching} {
			a := &api.MetricAlarm{
				EvaluationPeriods: aws.Int64(3), DatapointsToAlarm: aws.Int64(c.m), TreatMissingData: aws.String(treat),
				Threshold: aws.Float64(5), ComparisonOperator: aws.String("GreaterThanThreshold"),
			}
			var points []*float64
			for _, r := range c.data {
				switch r {
				case '0':
					points = append(points, aws.Float64(1))
				case 'X':
					points = append(points, aws.Float64(9))
				default:
					points = append(points, nil)
				}
			}
			got, _ := judge(a, points)
			require.Equal(t, want, got, "%s, %d of 3, %s", c.data, c.m, treat)
		}
	}
}

func TestBreaches_Operators(t *testing.T) {
	t.Parallel()
	for operator, want := range map[string][3]bool{ // below, at, above
		"GreaterThanThreshold": {false, false, true}, "GreaterThanOrEqualToThreshold": {false, true, true},
		"LessThanThreshold": {true, false, false}, "LessThanOrEqualToThreshold": {true, true, false},
	} {
		a := &api.MetricAlarm{Threshold: aws.Float64(5), ComparisonOperator: &operator}
		for i, v := range []float64{4, 5, 6} {
			require.Equal(t, want[i], breaches(a, v), "%s %v", operator, v)
		}
	}
}

func TestBucket_Statistics(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	s := &series{}
	for i := 100; i >= 1; i-- { // out of order on purpose
		s.add(single(start.Add(time.Duration(i)*time.Millisecond), float64(i), ""))
	}
	s.add(single(start.Add(time.Minute), 7, ""))
	b := s.buckets(start, start.Add(time.Hour), time.Minute, "")
	require.Len(t, b, 2)
	require.Equal(t, start, b[0].start)
	for name, want := range map[string]float64{"Sum": 5050, "SampleCount": 100, "Average": 50.5, "Minimum": 1, "Maximum": 100, "p50": 50, "p99": 99, "p100": 100, "p0": 1} {
		got, ok := b[0].stat(name)
		require.True(t, ok, name)
		require.InDelta(t, want, got, 1e-9, name)
	}
	_, ok := b[0].stat("Median")
	require.False(t, ok)
	require.Empty(t, s.buckets(start, start.Add(time.Hour), time.Minute, "Count"), "another unit")
	set := &bucket{}
	set.add(sample{count: 2, sum: 6, min: 1, max: 5})
	_, ok = set.stat("p50")
	require.False(t, ok, "a statistic set has no percentiles")
}

// recorder keeps the actions it is asked for.
type recorder struct {
	mu   sync.Mutex
	acts []string
	fail bool
}

func (r *recorder) Act(region, arn, subject, message string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acts = append(r.acts, region+" "+arn+" "+subject)
	if message == "" || r.fail {
		return errors.New("no such topic")
	}
	return nil
}

func (r *recorder) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.acts...)
}

func put(t *testing.T, c *CloudWatch, region string, change func(*api.PutMetricAlarmInput)) {
	t.Helper()
	in := &api.PutMetricAlarmInput{
		AlarmName: aws.String("lag"), Namespace: aws.String("Lifeline"), MetricName: aws.String("Lag"), Statistic: aws.String("Maximum"),
		Period: aws.Int64(60), EvaluationPeriods: aws.Int64(1), Threshold: aws.Float64(5), ComparisonOperator: aws.String("GreaterThanThreshold"),
		AlarmActions: aws.StringSlice([]string{"arn:page"}), OKActions: aws.StringSlice([]string{"arn:calm"}),
	}
	if change != nil {
		change(in)
	}
	_, err := c.putMetricAlarm(&wire.Call{Region: region}, in)
	require.NoError(t, err)
}

// fast is a world in which a minute is 60 ms.
func fast(t *testing.T, o Options) (*CloudWatch, *world.World) {
	t.Helper()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	return New(w, o), w
}

// feed publishes a value in every period until the test ends.
func feed(w *world.World, c *CloudWatch, region string, value *valve) {
	w.Every(5*time.Second, func() {
		if v := value.get(); !math.IsNaN(v) {
			c.Put(region, Datum{Namespace: "Lifeline", Name: "Lag", Value: v})
		}
	})
}

type valve struct {
	mu sync.Mutex
	v  float64
}

func (v *valve) get() float64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.v
}

func (v *valve) set(n float64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.v = n
}

func state(c *CloudWatch, region string) string {
	a, ok := c.Alarm(region, "lag")
	if !ok {
		return "gone"
	}
	return *a.StateValue
}

func TestAlarm_FollowsTheDataAndActs(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	c, w := fast(t, Options{Actions: r})
	v := &valve{v: 1}
	feed(w, c, "us-west-2", v)
	put(t, c, "us-west-2", nil)
	become := func(want string) {
		require.Eventually(t, func() bool { return state(c, "us-west-2") == want }, 20*time.Second, 5*time.Millisecond, want)
	}
	become("OK")
	v.set(9)
	become("ALARM")
	v.set(math.NaN())
	become("INSUFFICIENT_DATA")
	require.Eventually(t, func() bool { return len(r.seen()) == 2 }, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, []string{`us-west-2 arn:calm OK: "lag" in us-west-2`, `us-west-2 arn:page ALARM: "lag" in us-west-2`}, r.seen())

	out, err := c.describeAlarmHistory(&wire.Call{Region: "us-west-2"}, &api.DescribeAlarmHistoryInput{HistoryItemType: aws.String("StateUpdate"), ScanBy: aws.String("TimestampAscending")})
	require.NoError(t, err)
	require.Len(t, out.AlarmHistoryItems, 3)
	require.Equal(t, "Alarm updated from INSUFFICIENT_DATA to OK", *out.AlarmHistoryItems[0].HistorySummary)
	other, err := c.describeAlarms(&wire.Call{Region: "us-east-1"}, &api.DescribeAlarmsInput{})
	require.NoError(t, err)
	require.Empty(t, other.MetricAlarms, "alarms are Regional")
}

func TestAlarm_DarkRegion_StandsStill(t *testing.T) {
	t.Parallel()
	c, w := fast(t, Options{})
	v := &valve{v: 1}
	feed(w, c, "us-west-2", v)
	feed(w, c, "us-east-1", v)
	put(t, c, "us-west-2", nil)
	put(t, c, "us-east-1", nil)
	both := func(east, west string) func() bool {
		return func() bool { return state(c, "us-east-1") == east && state(c, "us-west-2") == west }
	}
	require.Eventually(t, both("OK", "OK"), 20*time.Second, 5*time.Millisecond)
	w.Inject(world.Fault{ID: "dark", Kind: world.Blackout, Region: "us-east-1"})
	v.set(9)
	require.Eventually(t, both("OK", "ALARM"), 20*time.Second, 5*time.Millisecond)
	east, _ := c.Alarm("us-east-1", "lag")
	require.Equal(t, "INSUFFICIENT_DATA", c.Judge("us-east-1", east), "nothing can be read there")
	require.Equal(t, "ALARM", c.Judge("us-west-2", east))
	w.Remove("dark")
	require.Eventually(t, both("ALARM", "ALARM"), 20*time.Second, 5*time.Millisecond)
}

func TestSetAlarmState_ActsButDoesNotFoolJudge(t *testing.T) {
	t.Parallel()
	r := &recorder{fail: true}
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	c := New(w, Options{Actions: r})
	put(t, c, "us-east-1", nil)
	c.Put("us-east-1", Datum{Namespace: "Lifeline", Name: "Lag", Value: 1, At: time.Now().Add(-time.Minute)})
	_, err := c.setAlarmState(&wire.Call{Region: "us-east-1"}, &api.SetAlarmStateInput{
		AlarmName: aws.String("lag"), StateValue: aws.String("ALARM"), StateReason: aws.String("drill"),
	})
	require.NoError(t, err)
	a, _ := c.Alarm("us-east-1", "lag")
	require.Equal(t, "ALARM", *a.StateValue)
	require.Equal(t, "OK", c.Judge("us-east-1", a))
	require.Len(t, r.seen(), 1)
	out, err := c.describeAlarmHistory(&wire.Call{Region: "us-east-1"}, &api.DescribeAlarmHistoryInput{HistoryItemType: aws.String("Action")})
	require.NoError(t, err)
	require.Len(t, out.AlarmHistoryItems, 1)
	require.Contains(t, *out.AlarmHistoryItems[0].HistorySummary, "Failed to execute action arn:page")
}

func TestMathAlarm_DividesMetrics(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	c := New(w, Options{})
	put(t, c, "us-east-1", func(in *api.PutMetricAlarmInput) {
		in.MetricName, in.Namespace, in.Statistic, in.Period = nil, nil, nil, nil
		stat := func(id, name string) *api.MetricDataQuery {
			return &api.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &api.MetricStat{
				Metric: &api.Metric{Namespace: aws.String("Lifeline"), MetricName: &name}, Period: aws.Int64(60), Stat: aws.String("Sum"),
			}}
		}
		in.Metrics = []*api.MetricDataQuery{stat("bad", "Errors"), stat("all", "Calls"), {Id: aws.String("rate"), Expression: aws.String("100 * bad / (all + 0)")}}
	})
	before := time.Now().Add(-time.Minute)
	c.Put("us-east-1", Datum{Namespace: "Lifeline", Name: "Errors", Value: 3, At: before})
	c.Put("us-east-1", Datum{Namespace: "Lifeline", Name: "Calls", Value: 10, At: before})
	a, _ := c.Alarm("us-east-1", "lag")
	require.Equal(t, "ALARM", c.Judge("us-east-1", a), "30 percent of 5")
}
