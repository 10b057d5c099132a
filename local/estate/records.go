package estate

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/plan"
)

// records makes the hosted zone, its health checks and the record tree of the plan.
func (b *Builder) records(ctx context.Context) error {
	api := route53.NewFromConfig(b.in(b.Plan.Primary()))
	tree := b.Plan.Tree()
	reference := time.Now().UTC().Format(time.RFC3339Nano)
	zone, err := api.CreateHostedZone(ctx, &route53.CreateHostedZoneInput{Name: aws.String(tree.Zone), CallerReference: aws.String(reference)})
	if err != nil {
		return fmt.Errorf("hosted zone %s: %w", tree.Zone, err)
	}
	b.checks = map[string]string{}
	// Calculated checks name their children, so the children come first.
	for _, calculated := range []bool{false, true} {
		for _, c := range tree.Checks {
			if (c.Kind == plan.CheckCalculated) != calculated {
				continue
			}
			if err := b.check(ctx, api, c, reference); err != nil {
				return fmt.Errorf("health check %s: %w", c.Name, err)
			}
		}
	}
	changes := make([]r53.Change, 0, len(tree.Records))
	for _, aliases := range []bool{false, true} { // an alias must name a record that exists
		for _, r := range tree.Records {
			if (r.Alias != "") == aliases {
				changes = append(changes, r53.Change{Action: r53.ChangeActionCreate, ResourceRecordSet: b.record(r, aws.ToString(zone.HostedZone.Id))})
			}
		}
	}
	out, err := api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: zone.HostedZone.Id, ChangeBatch: &r53.ChangeBatch{Changes: changes}})
	if err != nil {
		return fmt.Errorf("records of %s: %w", tree.Zone, err)
	}
	return await(ctx, "records of "+tree.Zone, func(ctx context.Context) (bool, error) {
		change, err := api.GetChange(ctx, &route53.GetChangeInput{Id: out.ChangeInfo.Id})
		return err == nil && change.ChangeInfo.Status == r53.ChangeStatusInsync, err
	})
}

func (b *Builder) check(ctx context.Context, api *route53.Client, c plan.Check, reference string) error {
	config := &r53.HealthCheckConfig{}
	switch c.Kind {
	case plan.CheckEndpoint, plan.CheckObject:
		config.Type = r53.HealthCheckTypeHttp
		if c.Scheme == "https" {
			config.Type, config.EnableSNI = r53.HealthCheckTypeHttps, aws.Bool(true)
		}
		config.FullyQualifiedDomainName, config.ResourcePath, config.Port = aws.String(c.Host), aws.String(c.Path), aws.Int32(int32(c.Port))
		config.RequestInterval, config.FailureThreshold = aws.Int32(int32(c.Interval.D().Seconds())), aws.Int32(int32(c.Threshold))
		config.Inverted = aws.Bool(c.Inverted)
	case plan.CheckControl:
		config.Type, config.RoutingControlArn = r53.HealthCheckTypeRecoveryControl, aws.String(c.RoutingControl)
	case plan.CheckCalculated:
		config.Type, config.HealthThreshold = r53.HealthCheckTypeCalculated, aws.Int32(int32(c.HealthThreshold))
		for _, child := range c.Children {
			config.ChildHealthChecks = append(config.ChildHealthChecks, b.checks[child])
		}
	}
	caller := fmt.Sprintf("%.30s/%d", reference, len(b.checks)) // at most 64 characters
	out, err := api.CreateHealthCheck(ctx, &route53.CreateHealthCheckInput{CallerReference: aws.String(caller), HealthCheckConfig: config})
	if err != nil {
		return err
	}
	id := aws.ToString(out.HealthCheck.Id)
	b.checks[c.Name] = id
	_, err = api.ChangeTagsForResource(ctx, &route53.ChangeTagsForResourceInput{
		ResourceType: r53.TagResourceTypeHealthcheck, ResourceId: aws.String(id), AddTags: []r53.Tag{{Key: aws.String("Name"), Value: aws.String(c.Name)}},
	})
	return err
}

func (b *Builder) record(r plan.Record, zone string) *r53.ResourceRecordSet {
	set := &r53.ResourceRecordSet{Name: aws.String(r.Name), Type: r53.RRTypeCname}
	if r.SetID != "" {
		set.SetIdentifier = aws.String(r.SetID)
	}
	if r.Failover != "" {
		set.Failover = r53.ResourceRecordSetFailover(r.Failover)
	}
	if r.Location != nil {
		set.GeoLocation = geo(*r.Location)
	}
	if r.Check != "" {
		set.HealthCheckId = aws.String(b.checks[r.Check])
	}
	if r.Alias != "" {
		set.AliasTarget = &r53.AliasTarget{HostedZoneId: aws.String(zone), DNSName: aws.String(r.Alias), EvaluateTargetHealth: r.EvaluateTargetHealth}
		return set
	}
	set.TTL = aws.Int64(int64(r.TTL.D().Seconds()))
	set.ResourceRecords = []r53.ResourceRecord{{Value: aws.String(b.elbNames[r.Target.Region])}}
	return set
}

// geo is a location as Route 53 writes it; the default is country "*".
func geo(l plan.Location) *r53.GeoLocation {
	g := &r53.GeoLocation{}
	if l.Continent != "" {
		g.ContinentCode = aws.String(l.Continent)
	}
	if l.Country != "" {
		g.CountryCode = aws.String(l.Country)
	}
	if l.Subdivision != "" {
		g.SubdivisionCode = aws.String(l.Subdivision)
	}
	if l.Continent == "" && l.Country == "" {
		g.CountryCode = aws.String("*")
	}
	return g
}
