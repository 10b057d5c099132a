package route53

import (
	"fmt"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

// policy is how Route 53 chooses among the record sets of one name and type.
type policy string

const (
	simple      policy = "simple"
	weighted    policy = "weighted"
	failover    policy = "failover"
	geolocation policy = "geolocation"
	multivalue  policy = "multivalue"
	unsupported policy = "unsupported"
)

// policies are all policies that a record set names; none is simple.
func policies(s *api.ResourceRecordSet) []policy {
	var out []policy
	if s.Weight != nil {
		out = append(out, weighted)
	}
	if s.Failover != nil {
		out = append(out, failover)
	}
	if s.GeoLocation != nil {
		out = append(out, geolocation)
	}
	if s.MultiValueAnswer != nil {
		out = append(out, multivalue)
	}
	if s.Region != nil || s.GeoProximityLocation != nil || s.CidrRoutingConfig != nil {
		out = append(out, unsupported)
	}
	return out
}

func policyOf(s *api.ResourceRecordSet) policy {
	if p := policies(s); len(p) > 0 {
		return p[0]
	}
	return simple
}

// checkShape refuses what no zone could hold, before the batch is looked at.
func (r *Route53) checkShape(c *api.Change) error {
	s := c.ResourceRecordSet
	if err := checkValueShape(c); err != nil {
		return err
	}
	if err := checkPolicyShape(c); err != nil {
		return err
	}
	if s.GeoLocation != nil {
		if err := checkGeoShape(s.GeoLocation); err != nil {
			return err
		}
	}
	if s.HealthCheckId != nil && *c.Action != api.ChangeActionDelete {
		if _, ok := r.checks[*s.HealthCheckId]; !ok {
			return wire.Errorf(404, "NoSuchHealthCheck", "A health check with id %s does not exist.", *s.HealthCheckId)
		}
	}
	return nil
}

func checkValueShape(c *api.Change) error {
	s := c.ResourceRecordSet
	const choice = "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found %s in Change with %s"
	plain := s.TTL != nil && len(s.ResourceRecords) > 0
	half := s.TTL != nil || len(s.ResourceRecords) > 0
	switch {
	case s.TrafficPolicyInstanceId != nil:
		return invalidInput("Traffic policy instances are not available.")
	case s.AliasTarget != nil && half:
		return invalidInput(choice, "more than one", told(c))
	case s.AliasTarget == nil && !plain:
		return invalidInput(choice, "none", told(c))
	case s.TTL != nil && (*s.TTL < 0 || *s.TTL > 2147483647):
		return invalidInput("Invalid request: TTL must be between 0 and 2147483647 in Change with %s", told(c))
	case s.AliasTarget != nil && s.MultiValueAnswer != nil:
		return invalidInput("Invalid request: MultiValueAnswer is not permitted for an alias in Change with %s", told(c))
	default:
		return nil
	}
}

func checkPolicyShape(c *api.Change) error {
	s := c.ResourceRecordSet
	named := policies(s)
	const choice = "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, GeoProximityLocation, MultiValueAnswer, or CidrRoutingConfig], but found %s in Change with %s"
	switch {
	case len(named) > 1:
		return invalidInput(choice, "more than one", told(c))
	case len(named) == 1 && named[0] == unsupported:
		return invalidInput("Latency, geoproximity and CIDR routing are not simulated: Change with %s", told(c))
	case len(named) == 1 && aws.StringValue(s.SetIdentifier) == "":
		return invalidInput("Invalid request: Missing field 'SetIdentifier' in Change with %s", told(c))
	case len(named) == 0 && s.SetIdentifier != nil:
		return invalidInput(choice, "none", told(c))
	case s.Weight != nil && (*s.Weight < 0 || *s.Weight > 255):
		return invalidInput("Invalid request: Weight must be between 0 and 255 in Change with %s", told(c))
	default:
		return nil
	}
}

func checkGeoShape(g *api.GeoLocation) error {
	switch {
	case g.ContinentCode != nil && (g.CountryCode != nil || g.SubdivisionCode != nil):
		return invalidInput("ContinentCode cannot be combined with CountryCode or SubdivisionCode.")
	case g.ContinentCode != nil && !continent(*g.ContinentCode):
		return wire.Errorf(404, "NoSuchGeoLocation", "The geolocation %s does not exist.", *g.ContinentCode)
	case g.ContinentCode == nil && g.CountryCode == nil:
		return invalidInput("One of ContinentCode and CountryCode must be given in GeoLocation.")
	case g.SubdivisionCode != nil && *g.CountryCode != "US" && *g.CountryCode != "UA":
		return invalidInput("SubdivisionCode is available for the countries US and UA only.")
	case g.CountryCode != nil && *g.CountryCode != "*" && !country(*g.CountryCode):
		return wire.Errorf(404, "NoSuchGeoLocation", "The geolocation %s does not exist.", *g.CountryCode)
	default:
		return nil
	}
}

func continent(code string) bool {
	switch code {
	case "AF", "AN", "AS", "EU", "OC", "NA", "SA":
		return true
	default:
		return false
	}
}

// country checks the form only: the table of places may know any country.
func country(code string) bool {
	return len(code) == 2 && code[0] >= 'A' && code[0] <= 'Z' && code[1] >= 'A' && code[1] <= 'Z'
}

// told names a change in Route 53's way.
func told(c *api.Change) string {
	id := "null"
	if c.ResourceRecordSet.SetIdentifier != nil {
		id = *c.ResourceRecordSet.SetIdentifier
	}
	return fmt.Sprintf("[Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", *c.Action, fqdn(*c.ResourceRecordSet.Name), *c.ResourceRecordSet.Type, id)
}
