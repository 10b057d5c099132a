package autoscaling

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/autoscaling"

	"lifeline/local/aws/wire"
)

const taggedType = "auto-scaling-group"

func (g *group) setTags(tags []*sdk.Tag) {
	for _, t := range tags {
		g.api.Tags = slices.DeleteFunc(g.api.Tags, func(o *sdk.TagDescription) bool { return *o.Key == *t.Key })
		g.api.Tags = append(g.api.Tags, &sdk.TagDescription{
			Key: aws.String(*t.Key), Value: aws.String(aws.StringValue(t.Value)), ResourceType: aws.String(taggedType),
			ResourceId: aws.String(*g.api.AutoScalingGroupName), PropagateAtLaunch: aws.Bool(aws.BoolValue(t.PropagateAtLaunch)),
		})
	}
}

// CreateOrUpdateTags sets tags of groups, or of none when one is unknown.
func (a *AutoScaling) CreateOrUpdateTags(c *wire.Call, in *sdk.CreateOrUpdateTagsInput) (*sdk.CreateOrUpdateTagsOutput, error) {
	return nil, a.eachTag(c.Region, in.Tags, func(g *group, t *sdk.Tag) { g.setTags([]*sdk.Tag{t}) })
}

// DeleteTags removes tags, by key, and by value where one is given.
func (a *AutoScaling) DeleteTags(c *wire.Call, in *sdk.DeleteTagsInput) (*sdk.DeleteTagsOutput, error) {
	return nil, a.eachTag(c.Region, in.Tags, func(g *group, t *sdk.Tag) {
		g.api.Tags = slices.DeleteFunc(g.api.Tags, func(o *sdk.TagDescription) bool {
			return *o.Key == *t.Key && (t.Value == nil || *t.Value == *o.Value)
		})
	})
}

func (a *AutoScaling) eachTag(region string, tags []*sdk.Tag, do func(*group, *sdk.Tag)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	groups := make([]*group, len(tags))
	for i, t := range tags {
		g, err := a.find(region, t.ResourceId)
		switch {
		case aws.StringValue(t.ResourceType) != taggedType:
			return invalid("Invalid resource type '%s'", aws.StringValue(t.ResourceType))
		case err != nil:
			return err
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return invalid("Tag keys starting with 'aws:' are reserved")
		}
		groups[i] = g
	}
	for i, t := range tags {
		do(groups[i], t)
	}
	return nil
}

// DescribeTags lists tags of groups.
func (a *AutoScaling) DescribeTags(c *wire.Call, in *sdk.DescribeTagsInput) (*sdk.DescribeTagsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*sdk.TagDescription
	for _, g := range a.groups {
		for _, t := range g.api.Tags {
			if g.region == c.Region && tagSatisfies(t, in.Filters) {
				found = append(found, clone(t))
			}
		}
	}
	found, next, err := page(found, in.MaxRecords, in.NextToken, func(t *sdk.TagDescription) string { return *t.ResourceId + "/" + *t.Key })
	return &sdk.DescribeTagsOutput{Tags: found, NextToken: next}, err
}

func tagSatisfies(t *sdk.TagDescription, filters []*sdk.Filter) bool {
	return !slices.ContainsFunc(filters, func(f *sdk.Filter) bool {
		have := map[string]string{"auto-scaling-group": *t.ResourceId, "key": *t.Key, "value": *t.Value}
		v, known := have[aws.StringValue(f.Name)]
		return !known || !slices.Contains(aws.StringValueSlice(f.Values), v)
	})
}
