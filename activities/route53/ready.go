package route53

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of zones and health checks. It is
// control plane, and no step of an emergency: a proof has time.
type ReadyAPI interface {
	ListHostedZonesByName(context.Context, *sdk.ListHostedZonesByNameInput, ...func(*sdk.Options)) (*sdk.ListHostedZonesByNameOutput, error)
	ListResourceRecordSets(context.Context, *sdk.ListResourceRecordSetsInput, ...func(*sdk.Options)) (*sdk.ListResourceRecordSetsOutput, error)
	ListHealthChecks(context.Context, *sdk.ListHealthChecksInput, ...func(*sdk.Options)) (*sdk.ListHealthChecksOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
	// DNS makes an asker whose questions take at most timeout.
	DNS func(timeout time.Duration) Asker
}

// NewReady makes the steps on AWS and real DNS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{
		Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) }),
		DNS:     New().DNS,
	}
}

// controlHome is where Route 53's control plane is.
const controlHome = plan.Region("us-east-1")

// slow is the timeout of one call: lists of a control plane take their time.
const slow = 10 * time.Second

// TreeRef is the plan whose part of a hosted zone is read: what it names is how
// Regions are recognised.
type TreeRef struct {
	Traffic plan.Traffic      `json:"traffic"`
	Regions []plan.RegionSpec `json:"regions"`
}

// LiveTree is the record tree as Route 53 has it, in the plan's words: checks are
// named by AWS's ids, and what the plan does not know has no Region.
type LiveTree struct {
	Tree plan.Tree `json:"tree"`
	// Disabled are checks that count as healthy whatever happens.
	Disabled []string `json:"disabled,omitempty"`
	// Opaque are checks that no walk of the tree can foretell.
	Opaque []string `json:"opaque,omitempty"`
	// Few are checks that fewer than three Regions look at.
	Few []string `json:"few,omitempty"`
	// Differences from the plan's own tree, and who would be Stranded by the loss
	// of a Region, one line each; Walk is that loss, answer by answer.
	Differences []string       `json:"differences,omitempty"`
	Stranded    []string       `json:"stranded,omitempty"`
	Walk        []plan.LossRow `json:"walk,omitempty"`
}

// Judge holds the tree to the plan and walks it through the loss of each Region.
func (t LiveTree) Judge(p plan.Plan) LiveTree {
	t.Differences, t.Stranded, t.Walk = p.Differences(t.Tree), p.Stranding(t.Tree), t.Tree.LossTable(p.TrafficRegions())
	return t
}

// DescribeTree reads the records that clients are answered from, and the health
// checks behind them: the whole zone and all checks, in as few calls as lists take.
func (r *Ready) DescribeTree(ctx context.Context, in TreeRef) (LiveTree, error) {
	at := cloud.At{Region: controlHome, Timeout: slow}
	zone, err := r.zone(ctx, at, canonical(aws.String(in.Traffic.Zone)))
	if err != nil {
		return LiveTree{}, err
	}
	records, err := r.records(ctx, at, zone)
	if err != nil {
		return LiveTree{}, err
	}
	checks, err := r.checks(ctx, at)
	if err != nil {
		return LiveTree{}, err
	}
	p := plan.Plan{Traffic: in.Traffic, Regions: in.Regions}
	return reader{plan: p, records: records, checks: checks}.read().Judge(p), nil
}

// zone is the id of the public zone of a name.
func (r *Ready) zone(ctx context.Context, at cloud.At, name string) (string, error) {
	page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListHostedZonesByName, &sdk.ListHostedZonesByNameInput{DNSName: aws.String(name)})
	if err != nil {
		return "", fmt.Errorf("find hosted zone %s: %w", name, err)
	}
	for _, z := range page.HostedZones {
		if canonical(z.Name) == name && (z.Config == nil || !z.Config.PrivateZone) {
			return bare(z.Id), nil
		}
	}
	return "", cloud.Errorf(cloud.NotFound, "find hosted zone %s: there is none", name)
}

// records are all record sets of a zone by name.
func (r *Ready) records(ctx context.Context, at cloud.At, zone string) (map[string][]types.ResourceRecordSet, error) {
	out := map[string][]types.ResourceRecordSet{}
	in := &sdk.ListResourceRecordSetsInput{HostedZoneId: aws.String(zone)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListResourceRecordSets, in)
		if err != nil {
			return nil, fmt.Errorf("list records of zone %s: %w", zone, err)
		}
		for _, set := range page.ResourceRecordSets {
			// An address of the other family stands beside one of these, if at all.
			if set.Type == types.RRTypeA || set.Type == types.RRTypeCname {
				out[canonical(set.Name)] = append(out[canonical(set.Name)], set)
			}
		}
		if !page.IsTruncated {
			return out, nil
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = page.NextRecordName, page.NextRecordType, page.NextRecordIdentifier
	}
}

// checks are all health checks of the account by id.
func (r *Ready) checks(ctx context.Context, at cloud.At) (map[string]types.HealthCheck, error) {
	out := map[string]types.HealthCheck{}
	in := &sdk.ListHealthChecksInput{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListHealthChecks, in)
		if err != nil {
			return nil, fmt.Errorf("list health checks: %w", err)
		}
		for _, c := range page.HealthChecks {
			out[aws.ToString(c.Id)] = c
		}
		if !page.IsTruncated {
			return out, nil
		}
		in.Marker = page.NextMarker
	}
}

// Told is what all name servers together tell clients, by location name.
type Told struct {
	ByLocation map[string]ToldLocation `json:"by_location"`
	// Silent are the name servers that did not answer.
	Silent []string `json:"silent,omitempty"`
}

// ToldLocation is what clients of one location are told.
type ToldLocation struct {
	// Regions that servers name, each once, sorted; "" is an address of no Region
	// of the plan. More than one means that servers differ.
	Regions []string `json:"regions"`
	TTL     int      `json:"ttl"` // seconds, the longest
	Nobody  bool     `json:"nobody,omitempty"`
}

// DescribeAnswers asks every name server what clients of every location are told
// now. It judges nothing: after an evacuation other answers are right.
func (r *Ready) DescribeAnswers(ctx context.Context, in AnswersInput) (Told, error) {
	if len(in.Traffic.NameServers) == 0 {
		return Told{}, cloud.Errorf(cloud.Invalid, "ask for %s: the plan names no name servers", in.Traffic.Name)
	}
	v := verification{asker: r.DNS(in.Timeout), in: in, silent: map[string]bool{}}
	targets := v.known(ctx)
	out := Told{ByLocation: map[string]ToldLocation{}}
	for _, location := range in.Traffic.Locations {
		told, err := v.told(ctx, location, targets)
		if err != nil {
			return Told{}, fmt.Errorf("ask for %s in %s: %w", in.Traffic.Name, location.Name, err)
		}
		out.ByLocation[location.Name] = told
	}
	for server := range v.silent {
		out.Silent = append(out.Silent, server)
	}
	slices.Sort(out.Silent)
	return out, nil
}
