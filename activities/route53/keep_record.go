package route53

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// key is what Route 53 tells record sets of a zone apart by.
type key struct{ name, kind, set string }

func keyOf(r types.ResourceRecordSet) key {
	return key{canonical(r.Name), string(r.Type), aws.ToString(r.SetIdentifier)}
}

func (k kept) readRecords(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	zones := map[string]map[key]types.ResourceRecordSet{}
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		zone := item.Want["zone"]
		if zones[zone] == nil {
			sets, err := k.records(ctx, at, zone)
			if err != nil {
				return nil, err
			}
			zones[zone] = sets
		}
		out[i] = runbook.ItemState{ID: item.ID()}
		if r, ok := zones[zone][key{item.Want["name"], item.Want["type"], item.Want["set"]}]; ok {
			out[i].Found, out[i].Have = true, recordState(zone, r)
		}
	}
	return out, nil
}

// records are all record sets of a zone.
func (k kept) records(ctx context.Context, at cloud.At, zone string) (map[key]types.ResourceRecordSet, error) {
	out := map[key]types.ResourceRecordSet{}
	in := &sdk.ListResourceRecordSetsInput{HostedZoneId: aws.String(zone)}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).ListResourceRecordSets, in)
		if err != nil {
			return nil, err
		}
		for _, r := range page.ResourceRecordSets {
			out[keyOf(r)] = r
		}
		if !page.IsTruncated {
			return out, nil
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = page.NextRecordName, page.NextRecordType, page.NextRecordIdentifier
	}
}

// recordState is a record set in the words of items.
func recordState(zone string, r types.ResourceRecordSet) map[string]string {
	id := keyOf(r)
	have := map[string]string{
		"zone": zone, "name": id.name, "type": id.kind, "set": id.set,
		"failover": string(r.Failover), "location": place(r.GeoLocation), "check": aws.ToString(r.HealthCheckId),
	}
	if a := r.AliasTarget; a != nil {
		have["alias"], have["alias-zone"], have["evaluate"] = canonical(a.DNSName), bare(a.HostedZoneId), strconv.FormatBool(a.EvaluateTargetHealth)
	}
	if r.TTL != nil {
		have["ttl"] = strconv.FormatInt(*r.TTL, 10)
	}
	var values []string
	for _, v := range r.ResourceRecords {
		values = append(values, canonical(v.Value))
	}
	have["values"] = runbook.List(values...)
	return have
}

// place is a geolocation in the words of items, empty when there is none.
func place(g *types.GeoLocation) string {
	var words []string
	if g == nil {
		return ""
	}
	for _, part := range []struct {
		name  string
		value *string
	}{{"continent", g.ContinentCode}, {"country", g.CountryCode}, {"subdivision", g.SubdivisionCode}} {
		if part.value != nil {
			words = append(words, part.name+" "+*part.value)
		}
	}
	return strings.Join(words, " ")
}

// geolocation reads those words back.
func geolocation(place string) *types.GeoLocation {
	words := strings.Fields(place)
	if len(words) == 0 {
		return nil
	}
	g := &types.GeoLocation{}
	for i := 0; i+1 < len(words); i += 2 {
		switch value := &words[i+1]; words[i] {
		case "continent":
			g.ContinentCode = value
		case "country":
			g.CountryCode = value
		case "subdivision":
			g.SubdivisionCode = value
		}
	}
	return g
}

// writeRecord puts one record set, whole: half of one would be another answer.
// It is listed at once and served everywhere within a minute.
func (k kept) writeRecord(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	w := item.Want
	set := &types.ResourceRecordSet{
		Name: aws.String(w["name"]), Type: types.RRType(w["type"]), SetIdentifier: text(w["set"]),
		Failover: types.ResourceRecordSetFailover(w["failover"]), GeoLocation: geolocation(w["location"]), HealthCheckId: text(w["check"]),
	}
	if w["alias"] != "" {
		set.AliasTarget = &types.AliasTarget{HostedZoneId: text(w["alias-zone"]), DNSName: text(w["alias"]), EvaluateTargetHealth: w["evaluate"] == "true"}
	}
	if ttl, err := strconv.ParseInt(w["ttl"], 10, 64); err == nil {
		set.TTL = aws.Int64(ttl)
	}
	for _, value := range strings.Fields(w["values"]) {
		set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: aws.String(value)})
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).ChangeResourceRecordSets, &sdk.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String(w["zone"]),
		ChangeBatch: &types.ChangeBatch{
			Comment: aws.String("lifeline setup"),
			Changes: []types.Change{{Action: types.ChangeActionUpsert, ResourceRecordSet: set}},
		},
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
