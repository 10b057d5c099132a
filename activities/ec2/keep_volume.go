package ec2

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// tag begins the name of a property that is a tag.
const tag = "tag/"

// filtered is how many values EC2 takes in one filter.
const filtered = 200

// readVolumes reads volumes by a filter: asked by id, EC2 refuses the whole call
// when one of them is gone.
func (k keeper) readVolumes(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]types.Volume{}
	var ids []string
	for _, item := range items {
		ids = append(ids, item.Name)
	}
	for some := range slices.Chunk(ids, filtered) {
		in := &sdk.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("volume-id"), Values: some}}}
		for {
			out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeVolumes, in)
			if err != nil {
				return nil, fmt.Errorf("describe volumes: %w", err)
			}
			for _, v := range out.Volumes {
				found[aws.ToString(v.VolumeId)] = v
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		if v, ok := found[item.Name]; ok {
			states[i] = volumeState(item, v)
		}
	}
	return states, nil
}

func volumeState(item runbook.Item, v types.Volume) runbook.ItemState {
	out := runbook.ItemState{ID: item.ID(), Found: true, Have: map[string]string{}, Out: map[string]string{"id": item.Name}}
	for _, t := range v.Tags {
		out.Have[tag+aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	switch v.State {
	case types.VolumeStateCreating:
		out.Busy = string(v.State)
	case types.VolumeStateDeleting, types.VolumeStateDeleted, types.VolumeStateError:
		out.Found = false
	case types.VolumeStateAvailable, types.VolumeStateInUse:
	}
	return out
}

// tagVolume puts on the tags that differ. Other tags stay.
func (k keeper) tagVolume(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return "", cloud.Errorf(cloud.NotFound, "volume %s is not in %s: setup tags volumes and makes none", item.Name, at.Region)
	}
	in := &sdk.CreateTagsInput{Resources: []string{item.Name}}
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if key, ok := strings.CutPrefix(name, tag); ok && have.Have[name] != item.Want[name] {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(item.Want[name])})
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateTags, in)
	if err != nil {
		return "", fmt.Errorf("tag volume %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
