package route53

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// ZoneAPI is what setup calls of hosted zones and their records.
type ZoneAPI interface {
	ListHostedZonesByName(context.Context, *sdk.ListHostedZonesByNameInput, ...func(*sdk.Options)) (*sdk.ListHostedZonesByNameOutput, error)
	GetHostedZone(context.Context, *sdk.GetHostedZoneInput, ...func(*sdk.Options)) (*sdk.GetHostedZoneOutput, error)
	CreateHostedZone(context.Context, *sdk.CreateHostedZoneInput, ...func(*sdk.Options)) (*sdk.CreateHostedZoneOutput, error)
	ListResourceRecordSets(context.Context, *sdk.ListResourceRecordSetsInput, ...func(*sdk.Options)) (*sdk.ListResourceRecordSetsOutput, error)
	ChangeResourceRecordSets(context.Context, *sdk.ChangeResourceRecordSetsInput, ...func(*sdk.Options)) (*sdk.ChangeResourceRecordSetsOutput, error)
}

// CheckAPI is what setup calls of health checks.
type CheckAPI interface {
	ListHealthChecks(context.Context, *sdk.ListHealthChecksInput, ...func(*sdk.Options)) (*sdk.ListHealthChecksOutput, error)
	CreateHealthCheck(context.Context, *sdk.CreateHealthCheckInput, ...func(*sdk.Options)) (*sdk.CreateHealthCheckOutput, error)
	UpdateHealthCheck(context.Context, *sdk.UpdateHealthCheckInput, ...func(*sdk.Options)) (*sdk.UpdateHealthCheckOutput, error)
	ListTagsForResources(context.Context, *sdk.ListTagsForResourcesInput, ...func(*sdk.Options)) (*sdk.ListTagsForResourcesOutput, error)
	ChangeTagsForResource(context.Context, *sdk.ChangeTagsForResourceInput, ...func(*sdk.Options)) (*sdk.ChangeTagsForResourceOutput, error)
}

// SetupAPI is every operation of this package's keepers: their part of the IAM
// policy of setup, never of the worker that runs an emergency.
type SetupAPI interface {
	ZoneAPI
	CheckAPI
}

// kept is what the keepers share.
type kept struct {
	clients func(plan.Region) SetupAPI
}

// Keepers keep zones, health checks and records.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(kept{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) })})
}

func keepers(k kept) []keep.Keeper {
	return []keep.Keeper{
		{Type: "route53-zone", Read: keep.Each(k.readZone), Write: k.writeZone},
		// AWS lets nobody change what a check is, or how often it looks.
		{Type: "route53-health-check", Read: k.readChecks, Write: k.writeCheck, Fixed: []string{"type", "interval", "routing-control"}},
		{Type: "route53-record", Read: k.readRecords, Write: k.writeRecord, Inside: "zone"},
	}
}

// bare is an id without the "/hostedzone/" or "/healthcheck/" before it.
func bare(id *string) string {
	s := aws.ToString(id)
	return s[strings.LastIndex(s, "/")+1:]
}

// canonical is a name as items have it. Route 53 answers with a dot at the end
// and writes a wildcard's star as an octal escape.
func canonical(name *string) string {
	return strings.TrimSuffix(strings.ToLower(strings.ReplaceAll(aws.ToString(name), `\052`, "*")), ".")
}

// number reads a property; nil when it is not wanted.
func number(want string) *int32 {
	n, err := strconv.ParseInt(want, 10, 32)
	if err != nil {
		return nil
	}
	return aws.Int32(int32(n))
}

// digits is a number as items have it, empty when AWS names none.
func digits(n *int32) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(int(*n))
}

// text is a property as the API takes it, nil when it is not wanted.
func text(want string) *string {
	if want == "" {
		return nil
	}
	return &want
}

// tags are those that an item is born with.
func tags(item runbook.Item) []types.Tag {
	var out []types.Tag
	for key, value := range item.Want {
		if name, ok := strings.CutPrefix(key, runbook.AtCreation+"tag/"); ok {
			out = append(out, types.Tag{Key: aws.String(name), Value: aws.String(value)})
		}
	}
	return out
}
