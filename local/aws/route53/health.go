package route53

import (
	"cmp"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	"github.com/aws/aws-sdk-go/service/cloudwatch"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// check is a health check with what is known of it.
type check struct {
	api.HealthCheck
	sequence int
	alarm    *cloudwatch.MetricAlarm // CLOUDWATCH_METRIC: as it was when it was named
	reports  map[string]Observation  // by checker Region; endpoint checks
	failures map[string]Observation  // last failure by checker Region

	last    bool // health before inversion, when nothing newer is known
	current bool // effective health now
	served  bool // effective health as the answers see it
	version int  // of current
	applied int  // version that served stems from
}

func (c *check) id() string                     { return *c.Id }
func (c *check) config() *api.HealthCheckConfig { return c.HealthCheckConfig }

// endpoint says whether checkers probe for it.
func (c *check) endpoint() bool { return endpointType(*c.config().Type) }

func endpointType(t string) bool {
	switch t {
	case api.HealthCheckTypeHttp, api.HealthCheckTypeHttps, api.HealthCheckTypeHttpStrMatch, api.HealthCheckTypeHttpsStrMatch, api.HealthCheckTypeTcp:
		return true
	default:
		return false
	}
}

// describe copies the check, so that the answer can be written without the lock.
func (c *check) describe() *api.HealthCheck {
	out := &api.HealthCheck{}
	awsutil.Copy(out, &c.HealthCheck)
	return out
}

func (r *Route53) createHealthCheck(call *wire.Call, in *api.CreateHealthCheckInput) (*api.CreateHealthCheckOutput, error) {
	call.Status = http.StatusCreated
	config := &api.HealthCheckConfig{}
	awsutil.Copy(config, in.HealthCheckConfig)
	r.mu.Lock()
	setDefaults(config)
	if err := r.checkConfig("", config); err != nil {
		r.mu.Unlock()
		return nil, err
	}
	if c, err := r.repeated(*in.CallerReference, config); c != nil || err != nil {
		defer r.mu.Unlock()
		if err != nil {
			return nil, err
		}
		return created(c), nil
	}
	r.sequence++
	c := &check{sequence: r.sequence, last: true}
	c.Id, c.CallerReference = aws.String(uuid.NewString()), in.CallerReference
	c.HealthCheckVersion, c.HealthCheckConfig = aws.Int64(1), config
	r.capture(c)
	c.resetReports()
	r.checks[c.id()] = c
	c.current = r.effective(c, map[string]bool{})
	c.served = c.current // a new check has nothing to propagate
	out := created(c)
	r.unlockAndTell(nil)
	r.tellWatchers()
	return out, nil
}

// repeated is the check that an earlier request with the same caller reference
// made. AWS remembers the references of deleted checks for days.
func (r *Route53) repeated(reference string, config *api.HealthCheckConfig) (*check, error) {
	used := r.spent[reference]
	for _, c := range r.checks {
		if *c.CallerReference != reference {
			continue
		}
		if reflect.DeepEqual(c.config(), config) {
			return c, nil
		}
		used = true
	}
	if used {
		return nil, wire.Errorf(409, "HealthCheckAlreadyExists", "A health check has already been created with the specified caller reference.")
	}
	return nil, nil
}

func created(c *check) *api.CreateHealthCheckOutput {
	return &api.CreateHealthCheckOutput{
		HealthCheck: c.describe(), Location: aws.String("https://route53.amazonaws.com/2013-04-01/healthcheck/" + c.id()),
	}
}

// capture copies the configuration of the alarm that the check names: later
// edits of the alarm don't reach the check, as on AWS.
func (r *Route53) capture(c *check) {
	a := c.config().AlarmIdentifier
	if a == nil || r.o.Metrics == nil {
		return
	}
	alarm, ok := r.o.Metrics.Alarm(*a.Region, *a.Name)
	if !ok {
		return
	}
	c.alarm = alarm
	c.CloudWatchAlarmConfiguration = &api.CloudWatchAlarmConfiguration{
		ComparisonOperator: alarm.ComparisonOperator, EvaluationPeriods: alarm.EvaluationPeriods, MetricName: alarm.MetricName,
		Namespace: alarm.Namespace, Period: alarm.Period, Statistic: alarm.Statistic, Threshold: alarm.Threshold,
	}
	for _, d := range alarm.Dimensions {
		c.CloudWatchAlarmConfiguration.Dimensions = append(c.CloudWatchAlarmConfiguration.Dimensions, &api.Dimension{Name: d.Name, Value: d.Value})
	}
}

func (r *Route53) health(id string) (*check, error) {
	c, ok := r.checks[bare(id)]
	if !ok {
		return nil, wire.Errorf(404, "NoSuchHealthCheck", "A health check with id %s does not exist.", id)
	}
	return c, nil
}

func (r *Route53) getHealthCheck(_ *wire.Call, in *api.GetHealthCheckInput) (*api.GetHealthCheckOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.health(*in.HealthCheckId)
	if err != nil {
		return nil, err
	}
	return &api.GetHealthCheckOutput{HealthCheck: c.describe()}, nil
}

func (r *Route53) getHealthCheckCount(*wire.Call, *api.GetHealthCheckCountInput) (*api.GetHealthCheckCountOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &api.GetHealthCheckCountOutput{HealthCheckCount: aws.Int64(int64(len(r.checks)))}, nil
}

func (r *Route53) listHealthChecks(_ *wire.Call, in *api.ListHealthChecksInput) (*api.ListHealthChecksOutput, error) {
	size, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.SortedFunc(maps.Values(r.checks), func(a, b *check) int { return cmp.Compare(a.sequence, b.sequence) })
	from := 0
	if in.Marker != nil && *in.Marker != "" {
		from = slices.IndexFunc(all, func(c *check) bool { return c.id() == *in.Marker })
		if from < 0 {
			return nil, wire.Errorf(400, "InvalidInput", "The marker %s names no health check.", *in.Marker)
		}
	}
	to := min(from+size, len(all))
	out := &api.ListHealthChecksOutput{
		Marker: aws.String(aws.StringValue(in.Marker)), MaxItems: aws.String(strconv.Itoa(size)),
		IsTruncated: aws.Bool(to < len(all)), HealthChecks: []*api.HealthCheck{},
	}
	for _, c := range all[from:to] {
		out.HealthChecks = append(out.HealthChecks, c.describe())
	}
	if to < len(all) {
		out.NextMarker = aws.String(all[to].id())
	}
	return out, nil
}

func (r *Route53) deleteHealthCheck(_ *wire.Call, in *api.DeleteHealthCheckInput) (*api.DeleteHealthCheckOutput, error) {
	r.mu.Lock()
	c, err := r.health(*in.HealthCheckId)
	if err != nil {
		r.mu.Unlock()
		return nil, err
	}
	r.spent[*c.CallerReference] = true
	delete(r.checks, c.id())
	delete(r.tags, "healthcheck/"+c.id())
	r.unlockAndTell(r.recompute())
	r.tellWatchers()
	return &api.DeleteHealthCheckOutput{}, nil
}
