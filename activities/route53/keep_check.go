package route53

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

const (
	// generations is how often a check that somebody deletes is made again within
	// the days for which AWS remembers the caller references of deleted checks.
	generations = 10
	// taggedAtOnce is how many resources ListTagsForResources takes.
	taggedAtOnce = 10
	childPrefix  = "child/"
)

// references are the caller references of an item, in the order of their use.
func references(item runbook.Item) []string {
	first := runbook.Token("setup", item.ID())
	out := []string{first}
	for n := 1; n < generations; n++ {
		out = append(out, first+"/"+strconv.Itoa(n))
	}
	return out
}

// readChecks finds checks by the caller reference that setup gives them. Those
// that it did not make are found by their tag Name: it takes the tags of every
// check of the account to find them, so they are read only while one is missing.
func (k kept) readChecks(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	all, err := k.checks(ctx, at)
	if err != nil {
		return nil, err
	}
	found := byReference(all, items)
	ask := slices.Clone(all)
	if len(found) == len(items) {
		ask = slices.Collect(maps.Values(found))
	}
	names, err := k.names(ctx, at, ask)
	if err != nil {
		return nil, err
	}
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		c, ok := found[item.ID()]
		if !ok {
			c, ok = byName(all, names, item.Name)
		}
		out[i] = runbook.ItemState{ID: item.ID()}
		if ok {
			out[i] = checkState(item, c, names[aws.ToString(c.Id)])
		}
	}
	return out, nil
}

// checks are all health checks of the account.
func (k kept) checks(ctx context.Context, at cloud.At) ([]types.HealthCheck, error) {
	var out []types.HealthCheck
	in := &sdk.ListHealthChecksInput{}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).ListHealthChecks, in)
		if err != nil {
			return nil, err
		}
		out = append(out, page.HealthChecks...)
		if !page.IsTruncated {
			return out, nil
		}
		in.Marker = page.NextMarker
	}
}

// names are the Name tags of checks, by id.
func (k kept) names(ctx context.Context, at cloud.At, checks []types.HealthCheck) (map[string]string, error) {
	var ids []string
	for _, c := range checks {
		ids = append(ids, aws.ToString(c.Id))
	}
	slices.Sort(ids)
	out := map[string]string{}
	for some := range slices.Chunk(ids, taggedAtOnce) {
		got, err := cloud.Call(ctx, at, k.clients(at.Region).ListTagsForResources,
			&sdk.ListTagsForResourcesInput{ResourceType: types.TagResourceTypeHealthcheck, ResourceIds: some})
		if err != nil {
			return nil, err
		}
		for _, set := range got.ResourceTagSets {
			for _, tag := range set.Tags {
				if aws.ToString(tag.Key) == "Name" {
					out[bare(set.ResourceId)] = aws.ToString(tag.Value)
				}
			}
		}
	}
	return out, nil
}

// byReference finds checks that setup made, by item.
func byReference(all []types.HealthCheck, items []runbook.Item) map[string]types.HealthCheck {
	made := map[string]types.HealthCheck{}
	for _, c := range all {
		made[aws.ToString(c.CallerReference)] = c
	}
	out := map[string]types.HealthCheck{}
	for _, item := range items {
		for _, ref := range references(item) {
			if c, ok := made[ref]; ok {
				out[item.ID()] = c
				break
			}
		}
	}
	return out
}

// byName finds a check by its tag; of several always the same.
func byName(all []types.HealthCheck, names map[string]string, name string) (types.HealthCheck, bool) {
	var best types.HealthCheck
	ok := false
	for _, c := range all {
		if names[aws.ToString(c.Id)] == name && (!ok || aws.ToString(c.Id) < aws.ToString(best.Id)) {
			best, ok = c, true
		}
	}
	return best, ok
}

// checkState is a check in the words of items. The members of a calculated one
// are told by the names that the item has for them.
func checkState(item runbook.Item, c types.HealthCheck, name string) runbook.ItemState {
	f := c.HealthCheckConfig
	have := map[string]string{
		"type": string(f.Type), "host": canonical(f.FullyQualifiedDomainName), "port": digits(f.Port), "path": aws.ToString(f.ResourcePath),
		"interval": digits(f.RequestInterval), "threshold": digits(f.FailureThreshold), "health-threshold": digits(f.HealthThreshold),
		"inverted": strconv.FormatBool(aws.ToBool(f.Inverted)), "disabled": strconv.FormatBool(aws.ToBool(f.Disabled)),
		"sni": strconv.FormatBool(aws.ToBool(f.EnableSNI)), "routing-control": aws.ToString(f.RoutingControlArn),
		"children": strconv.Itoa(len(f.ChildHealthChecks)), "tag/Name": name,
	}
	for key, id := range item.Want {
		if strings.HasPrefix(key, childPrefix) && slices.Contains(f.ChildHealthChecks, id) {
			have[key] = id
		}
	}
	return runbook.ItemState{ID: item.ID(), Found: true, Have: have, Out: map[string]string{
		"id": aws.ToString(c.Id), "arn": "arn:aws:route53:::healthcheck/" + aws.ToString(c.Id), "version": strconv.FormatInt(aws.ToInt64(c.HealthCheckVersion), 10),
	}}
}

// children are the ids of a calculated check's members, in the order of their names.
func children(item runbook.Item) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(item.Want)) {
		if strings.HasPrefix(key, childPrefix) {
			out = append(out, item.Want[key])
		}
	}
	return out
}

// writeCheck makes a check or changes it, and gives it its name.
func (k kept) writeCheck(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return k.createCheck(ctx, at, item)
	}
	named, other := false, false
	for _, d := range item.Difference(have) {
		named = named || d.Name == "tag/Name"
		other = other || d.Name != "tag/Name"
	}
	if other {
		return k.updateCheck(ctx, at, item, have)
	}
	if named {
		return k.nameCheck(ctx, at, item, have.Out["id"])
	}
	return "", nil
}

// createCheck asks with one caller reference after the other: AWS refuses one
// that a deleted check had. It goes on only when no check has the refused one,
// so that a check which is there already is never made twice.
func (k kept) createCheck(ctx context.Context, at cloud.At, item runbook.Item) (string, error) {
	var refused error
	for _, ref := range references(item) {
		made, err := cloud.Call(ctx, at, k.clients(at.Region).CreateHealthCheck,
			&sdk.CreateHealthCheckInput{CallerReference: aws.String(ref), HealthCheckConfig: checkConfig(item)})
		if err == nil {
			_, err = k.nameCheck(ctx, at, item, aws.ToString(made.HealthCheck.Id))
			return cloud.RequestID(made.ResultMetadata), err
		}
		if cloud.KindOf(err) != cloud.Conflict {
			return "", err
		}
		refused = err
		all, err := k.checks(ctx, at)
		if err != nil {
			return "", err
		}
		if _, there := byReference(all, []runbook.Item{item})[item.ID()]; there {
			return "", refused // the next look finds it
		}
	}
	return "", refused
}

// checkConfig is a check as it is made.
func checkConfig(item runbook.Item) *types.HealthCheckConfig {
	w := item.Want
	c := &types.HealthCheckConfig{
		Type: types.HealthCheckType(w["type"]), FullyQualifiedDomainName: text(w["host"]), Port: number(w["port"]), ResourcePath: text(w["path"]),
		RequestInterval: number(w["interval"]), FailureThreshold: number(w["threshold"]), HealthThreshold: number(w["health-threshold"]),
		RoutingControlArn: text(w["routing-control"]), ChildHealthChecks: children(item),
	}
	if w["inverted"] == "true" { // the other types don't all take it
		c.Inverted = aws.Bool(true)
	}
	if w["sni"] != "" {
		c.EnableSNI = aws.Bool(w["sni"] == "true")
	}
	return c
}

// updateCheck changes what can be changed. The version refuses the change when
// somebody else was quicker: it is looked at again then.
func (k kept) updateCheck(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	c := checkConfig(item)
	in := &sdk.UpdateHealthCheckInput{
		HealthCheckId: aws.String(have.Out["id"]), FullyQualifiedDomainName: c.FullyQualifiedDomainName, Port: c.Port, ResourcePath: c.ResourcePath,
		FailureThreshold: c.FailureThreshold, HealthThreshold: c.HealthThreshold, EnableSNI: c.EnableSNI,
		ChildHealthChecks: c.ChildHealthChecks, Disabled: aws.Bool(item.Want["disabled"] == "true"),
	}
	if have.Have["inverted"] != item.Want["inverted"] {
		in.Inverted = aws.Bool(item.Want["inverted"] == "true")
	}
	if version, err := strconv.ParseInt(have.Out["version"], 10, 64); err == nil {
		in.HealthCheckVersion = aws.Int64(version)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateHealthCheck, in)
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// nameCheck puts on the tag that tells people, and the next run, whose check it is.
func (k kept) nameCheck(ctx context.Context, at cloud.At, item runbook.Item, id string) (string, error) {
	list := append(tags(item), types.Tag{Key: aws.String("Name"), Value: aws.String(item.Name)})
	out, err := cloud.Call(ctx, at, k.clients(at.Region).ChangeTagsForResource,
		&sdk.ChangeTagsForResourceInput{ResourceType: types.TagResourceTypeHealthcheck, ResourceId: aws.String(id), AddTags: list})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
