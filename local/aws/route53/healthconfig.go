package route53

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

// Limits of health checks.
const (
	maxChildren     = 256
	maxThreshold    = 256
	maxSearchString = 255
	minCheckers     = 3
)

// CheckerRegions are the Regions that Route 53 checks from.
func CheckerRegions() []string {
	return []string{"us-east-1", "us-west-1", "us-west-2", "eu-west-1", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"}
}

func setDefaults(c *api.HealthCheckConfig) {
	def := func(p **int64, v int64) {
		if *p == nil {
			*p = aws.Int64(v)
		}
	}
	if c.Inverted == nil {
		c.Inverted = aws.Bool(false)
	}
	if c.Disabled == nil {
		c.Disabled = aws.Bool(false)
	}
	if *c.Type == api.HealthCheckTypeCloudwatchMetric && c.InsufficientDataHealthStatus == nil {
		c.InsufficientDataHealthStatus = aws.String(api.InsufficientDataHealthStatusLastKnownStatus)
	}
	if !endpointType(*c.Type) {
		return
	}
	def(&c.RequestInterval, 30)
	def(&c.FailureThreshold, 3)
	if c.MeasureLatency == nil {
		c.MeasureLatency = aws.Bool(false)
	}
	secure := *c.Type == api.HealthCheckTypeHttps || *c.Type == api.HealthCheckTypeHttpsStrMatch
	if c.EnableSNI == nil {
		c.EnableSNI = aws.Bool(secure)
	}
	switch {
	case secure:
		def(&c.Port, 443)
	case *c.Type != api.HealthCheckTypeTcp:
		def(&c.Port, 80)
	}
}

// checkConfig refuses what the type does not allow. id is the check itself when
// it is being updated, "" when it is new.
func (r *Route53) checkConfig(id string, c *api.HealthCheckConfig) error {
	switch t := *c.Type; {
	case endpointType(t):
		return checkEndpoint(c)
	case t == api.HealthCheckTypeCalculated:
		return r.checkCalculated(id, c)
	case t == api.HealthCheckTypeCloudwatchMetric:
		return r.checkMetric(c)
	default:
		return r.checkRecoveryControl(c)
	}
}

func checkEndpoint(c *api.HealthCheckConfig) error {
	search := *c.Type == api.HealthCheckTypeHttpStrMatch || *c.Type == api.HealthCheckTypeHttpsStrMatch
	switch {
	case aws.StringValue(c.IPAddress) == "" && aws.StringValue(c.FullyQualifiedDomainName) == "":
		return invalidInput("Basic health check must specify an IP address or a fully qualified domain name.")
	case c.Port == nil:
		return invalidInput("TCP health checks must specify a port.")
	case *c.Port < 1 || *c.Port > 65535:
		return invalidInput("Invalid port %d: it must be between 1 and 65535.", *c.Port)
	case *c.RequestInterval != 10 && *c.RequestInterval != 30:
		return invalidInput("Request interval must be 10 or 30 seconds, not %d.", *c.RequestInterval)
	case *c.FailureThreshold < 1 || *c.FailureThreshold > 10:
		return invalidInput("Failure threshold must be between 1 and 10, not %d.", *c.FailureThreshold)
	case *c.Type == api.HealthCheckTypeTcp && aws.StringValue(c.ResourcePath) != "":
		return invalidInput("TCP health checks must not specify a resource path.")
	case len(aws.StringValue(c.ResourcePath)) > 255:
		return invalidInput("The resource path is longer than 255 characters.")
	case search && aws.StringValue(c.SearchString) == "":
		return invalidInput("%s health checks must specify a search string.", *c.Type)
	case !search && c.SearchString != nil:
		return invalidInput("%s health checks must not specify a search string.", *c.Type)
	case len(aws.StringValue(c.SearchString)) > maxSearchString:
		return invalidInput("The search string is longer than %d characters.", maxSearchString)
	case len(c.Regions) > 0 && len(c.Regions) < minCheckers:
		return invalidInput("Health checks must be checked from at least %d Regions.", minCheckers)
	case c.ChildHealthChecks != nil || c.HealthThreshold != nil || c.AlarmIdentifier != nil || c.InsufficientDataHealthStatus != nil || c.RoutingControlArn != nil:
		return invalidInput("%s health checks must not specify child health checks, an alarm or a routing control.", *c.Type)
	}
	return checkAddress(aws.StringValue(c.IPAddress))
}

// checkAddress refuses addresses that checkers can't reach. Loopback addresses
// pass: they are the internet of the simulated world.
func checkAddress(text string) error {
	if text == "" {
		return nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return invalidInput("Invalid IP address: %s", text)
	}
	if a.IsPrivate() || a.IsMulticast() || a.IsLinkLocalUnicast() || a.IsUnspecified() {
		return invalidInput("IP address %s is private, link-local or multicast and cannot be checked.", text)
	}
	return nil
}

func (r *Route53) checkCalculated(id string, c *api.HealthCheckConfig) error {
	switch n := len(c.ChildHealthChecks); {
	case n == 0:
		return invalidInput("Calculated health checks must specify at least one child health check.")
	case n > maxChildren:
		return invalidInput("Calculated health checks must not specify more than %d child health checks.", maxChildren)
	case c.HealthThreshold == nil:
		return invalidInput("Calculated health checks must specify a health threshold.")
	case *c.HealthThreshold < 0 || *c.HealthThreshold > maxThreshold:
		return invalidInput("Health threshold must be between 0 and %d, not %d.", maxThreshold, *c.HealthThreshold)
	}
	if err := onlyFor(c); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, child := range c.ChildHealthChecks {
		if seen[*child] {
			return invalidInput("Duplicate child health check: %s", *child)
		}
		seen[*child] = true
		if _, ok := r.checks[*child]; !ok {
			return invalidInput("Child health check %s does not exist.", *child)
		}
		if id != "" && r.reaches(*child, id, 0) {
			return invalidInput("Child health check %s depends on health check %s itself.", *child, id)
		}
	}
	return nil
}

// onlyFor refuses an endpoint's members on a check that probes nothing.
func onlyFor(c *api.HealthCheckConfig) error {
	if c.IPAddress != nil || c.FullyQualifiedDomainName != nil || c.Port != nil || c.ResourcePath != nil || c.SearchString != nil ||
		c.RequestInterval != nil || c.FailureThreshold != nil || len(c.Regions) > 0 {
		return invalidInput("%s health checks must not specify an endpoint, an interval, a failure threshold or Regions.", *c.Type)
	}
	return nil
}

// reaches says whether the check from depends on the check to.
func (r *Route53) reaches(from, to string, depth int) bool {
	if from == to {
		return true
	}
	c, ok := r.checks[from]
	if !ok || depth > len(r.checks) {
		return false
	}
	return slices.ContainsFunc(c.config().ChildHealthChecks, func(child *string) bool { return r.reaches(*child, to, depth+1) })
}

// checkMetric refuses alarms that Route 53 can't follow.
func (r *Route53) checkMetric(c *api.HealthCheckConfig) error {
	if c.AlarmIdentifier == nil {
		return invalidInput("CLOUDWATCH_METRIC health checks must specify an alarm identifier.")
	}
	if r.o.Metrics == nil {
		return invalidInput("CloudWatch is not part of this world.")
	}
	if err := onlyFor(c); err != nil {
		return err
	}
	a, ok := r.o.Metrics.Alarm(*c.AlarmIdentifier.Region, *c.AlarmIdentifier.Name)
	switch {
	case !ok:
		return invalidInput("The specified alarm %s does not exist in %s.", *c.AlarmIdentifier.Name, *c.AlarmIdentifier.Region)
	case len(a.Metrics) > 0:
		return invalidInput("Alarms based on metric math are not supported by health checks.")
	case a.Statistic == nil:
		return invalidInput("Alarms based on extended statistics are not supported by health checks.")
	case a.DatapointsToAlarm != nil && *a.DatapointsToAlarm != *a.EvaluationPeriods:
		return invalidInput("M out of N alarms are not supported by health checks.")
	case *a.Period < 60:
		return invalidInput("Alarms based on high-resolution metrics are not supported by health checks.")
	default:
		return nil
	}
}

func (r *Route53) checkRecoveryControl(c *api.HealthCheckConfig) error {
	if aws.StringValue(c.RoutingControlArn) == "" {
		return invalidInput("RECOVERY_CONTROL health checks must specify a routing control ARN.")
	}
	if r.o.RoutingControls == nil {
		return wire.Errorf(400, "InvalidInput", "Routing controls are not part of this world.")
	}
	if err := onlyFor(c); err != nil {
		return err
	}
	if _, known := r.o.RoutingControls.On(*c.RoutingControlArn); !known {
		return invalidInput("The routing control %s does not exist.", *c.RoutingControlArn)
	}
	return nil
}
