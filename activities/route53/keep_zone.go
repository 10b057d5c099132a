package route53

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// readZone finds the public hosted zone of a name. Two of one name are refused:
// clients are served from the one that the parent delegates to, and which that
// is can't be seen here.
func (k kept) readZone(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	ids, err := k.zones(ctx, at, item.Name)
	if err != nil || len(ids) == 0 {
		return runbook.ItemState{}, err
	}
	if len(ids) > 1 {
		return runbook.ItemState{}, cloud.Errorf(cloud.Invalid,
			"%d public hosted zones are named %s (%s): delete those that the parent zone does not delegate to", len(ids), item.Name, strings.Join(ids, ", "))
	}
	got, err := cloud.Call(ctx, at, k.clients(at.Region).GetHostedZone, &sdk.GetHostedZoneInput{Id: aws.String(ids[0])})
	if err != nil {
		return runbook.ItemState{}, err
	}
	out := map[string]string{"id": ids[0], "arn": "arn:aws:route53:::hostedzone/" + ids[0]}
	if got.DelegationSet != nil {
		out["name-servers"] = runbook.List(got.DelegationSet.NameServers...)
	}
	return runbook.ItemState{Found: true, Out: out}, nil
}

// zones are the ids of the public zones of a name, which stand together in the
// list.
func (k kept) zones(ctx context.Context, at cloud.At, name string) ([]string, error) {
	in := &sdk.ListHostedZonesByNameInput{DNSName: aws.String(name)}
	var ids []string
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).ListHostedZonesByName, in)
		if err != nil {
			return nil, err
		}
		for _, z := range page.HostedZones {
			if canonical(z.Name) != name {
				return ids, nil
			}
			if z.Config == nil || !z.Config.PrivateZone {
				ids = append(ids, bare(z.Id))
			}
		}
		if !page.IsTruncated {
			return ids, nil
		}
		in.DNSName, in.HostedZoneId = page.NextDNSName, page.NextHostedZoneId
	}
}

// writeZone makes a zone. The parent's delegation to it stays with people: only
// they know who runs the parent.
func (k kept) writeZone(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	made, err := cloud.Call(ctx, at, k.clients(at.Region).CreateHostedZone, &sdk.CreateHostedZoneInput{
		Name: aws.String(item.Name), CallerReference: aws.String(runbook.Token("setup", item.ID())),
		HostedZoneConfig: &types.HostedZoneConfig{Comment: aws.String("made by lifeline setup")},
	})
	if cloud.KindOf(err) == cloud.Conflict {
		return "", fmt.Errorf("setup has made this zone before: it is not listed yet, or somebody has deleted it (AWS then remembers the request for days: make the zone by hand, and setup adopts it): %w", err)
	}
	if err != nil {
		return "", err
	}
	if list := tags(item); len(list) > 0 {
		_, err = cloud.Call(ctx, at, k.clients(at.Region).ChangeTagsForResource, &sdk.ChangeTagsForResourceInput{
			ResourceType: types.TagResourceTypeHostedzone, ResourceId: aws.String(bare(made.HostedZone.Id)), AddTags: list,
		})
	}
	return cloud.RequestID(made.ResultMetadata), err
}
