package elbv2

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// tagsOf is the place where the tags of a resource are kept; e.mu is held.
func (e *ELB) tagsOf(region string, arn *string) (*[]*sdk.Tag, error) {
	if b, err := e.balancer(region, arn); err == nil {
		return &b.tags, nil
	}
	if _, l, err := e.find(region, arn); err == nil {
		return &l.tags, nil
	}
	if g, err := e.group(region, arn); err == nil {
		return &g.tags, nil
	}
	return nil, refuse("LoadBalancerNotFound", "Resource '%s' not found", aws.StringValue(arn))
}

// AddTags sets tags of resources.
func (e *ELB) AddTags(c *wire.Call, in *sdk.AddTagsInput) (*sdk.AddTagsOutput, error) {
	return nil, e.changeTags(c.Region, in.ResourceArns, func(have []*sdk.Tag) []*sdk.Tag {
		for _, t := range in.Tags {
			have = slices.DeleteFunc(have, func(h *sdk.Tag) bool { return *h.Key == *t.Key })
			have = append(have, clone(t))
		}
		return have
	})
}

// RemoveTags removes tags of resources.
func (e *ELB) RemoveTags(c *wire.Call, in *sdk.RemoveTagsInput) (*sdk.RemoveTagsOutput, error) {
	return nil, e.changeTags(c.Region, in.ResourceArns, func(have []*sdk.Tag) []*sdk.Tag {
		return slices.DeleteFunc(have, func(h *sdk.Tag) bool { return slices.Contains(aws.StringValueSlice(in.TagKeys), *h.Key) })
	})
}

// changeTags changes the tags of all the resources, or of none when one is unknown.
func (e *ELB) changeTags(region string, arns []*string, change func([]*sdk.Tag) []*sdk.Tag) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var places []*[]*sdk.Tag
	for _, arn := range arns {
		place, err := e.tagsOf(region, arn)
		if err != nil {
			return err
		}
		places = append(places, place)
	}
	for _, place := range places {
		*place = change(*place)
	}
	return nil
}

// DescribeTags lists tags of resources.
func (e *ELB) DescribeTags(c *wire.Call, in *sdk.DescribeTagsInput) (*sdk.DescribeTagsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := &sdk.DescribeTagsOutput{}
	for _, arn := range in.ResourceArns {
		tags, err := e.tagsOf(c.Region, arn)
		if err != nil {
			return nil, err
		}
		d := &sdk.TagDescription{ResourceArn: aws.String(*arn)}
		for _, t := range *tags {
			d.Tags = append(d.Tags, clone(t))
		}
		out.TagDescriptions = append(out.TagDescriptions, d)
	}
	return out, nil
}
