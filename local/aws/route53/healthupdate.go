package route53

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

// updateHealthCheck replaces what the request names and leaves the rest. Type,
// request interval and routing control are fixed for life.
func (r *Route53) updateHealthCheck(_ *wire.Call, in *api.UpdateHealthCheckInput) (*api.UpdateHealthCheckOutput, error) {
	r.mu.Lock()
	c, err := r.health(*in.HealthCheckId)
	if err == nil {
		err = r.update(c, in)
	}
	if err != nil {
		r.mu.Unlock()
		return nil, err
	}
	out := &api.UpdateHealthCheckOutput{HealthCheck: c.describe()}
	r.unlockAndTell(r.recompute())
	r.tellWatchers()
	return out, nil
}

func (r *Route53) update(c *check, in *api.UpdateHealthCheckInput) error {
	if v := in.HealthCheckVersion; v != nil && *v != *c.HealthCheckVersion {
		return wire.Errorf(409, "HealthCheckVersionMismatch", "The value of HealthCheckVersion in the request, %d, doesn't match the value of HealthCheckVersion in the health check, %d.", *v, *c.HealthCheckVersion)
	}
	next := &api.HealthCheckConfig{}
	awsutil.Copy(next, c.config())
	reset(next, in.ResetElements)
	merge(next, in)
	setDefaults(next)
	if err := r.checkConfig(c.id(), next); err != nil {
		return err
	}
	moved := !slices.Equal(aws.StringValueSlice(next.Regions), aws.StringValueSlice(c.config().Regions))
	c.HealthCheckConfig = next
	c.HealthCheckVersion = aws.Int64(*c.HealthCheckVersion + 1)
	if in.AlarmIdentifier != nil {
		r.capture(c)
	}
	if moved {
		c.resetReports()
	}
	return nil
}

func reset(c *api.HealthCheckConfig, elements []*string) {
	for _, e := range elements {
		switch *e {
		case api.ResettableElementNameFullyQualifiedDomainName:
			c.FullyQualifiedDomainName = nil
		case api.ResettableElementNameRegions:
			c.Regions = nil
		case api.ResettableElementNameResourcePath:
			c.ResourcePath = nil
		case api.ResettableElementNameChildHealthChecks:
			c.ChildHealthChecks = nil
		}
	}
}

func merge(c *api.HealthCheckConfig, in *api.UpdateHealthCheckInput) {
	set(&c.AlarmIdentifier, in.AlarmIdentifier)
	set(&c.Disabled, in.Disabled)
	set(&c.EnableSNI, in.EnableSNI)
	set(&c.FailureThreshold, in.FailureThreshold)
	set(&c.FullyQualifiedDomainName, in.FullyQualifiedDomainName)
	set(&c.HealthThreshold, in.HealthThreshold)
	set(&c.IPAddress, in.IPAddress)
	set(&c.InsufficientDataHealthStatus, in.InsufficientDataHealthStatus)
	set(&c.Inverted, in.Inverted)
	set(&c.Port, in.Port)
	set(&c.ResourcePath, in.ResourcePath)
	set(&c.SearchString, in.SearchString)
	if in.ChildHealthChecks != nil {
		c.ChildHealthChecks = in.ChildHealthChecks
	}
	if in.Regions != nil {
		c.Regions = in.Regions
	}
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}
