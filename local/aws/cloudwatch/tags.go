package cloudwatch

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// mostTags is how many tags an alarm may have.
const mostTags = 50

func tagsOf(tags []*api.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[*t.Key] = *t.Value
	}
	return out
}

// tagged finds the alarm that an ARN names; c.mu is held.
func (c *CloudWatch) tagged(region, arn string) (*alarm, error) {
	name, ok := strings.CutPrefix(arn, c.alarmARN(region, ""))
	if a := c.region(region).alarms[name]; ok && a != nil {
		return a, nil
	}
	return nil, wire.Errorf(404, api.ErrCodeResourceNotFoundException, "Unknown resource: %s", arn)
}

func (c *CloudWatch) tagResource(call *wire.Call, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.tagged(call.Region, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(a.tags)
	maps.Copy(next, tagsOf(in.Tags))
	if len(next) > mostTags {
		return nil, invalid("A resource can't have more than %d tags.", mostTags)
	}
	a.tags = next
	return nil, nil
}

func (c *CloudWatch) untagResource(call *wire.Call, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.tagged(call.Region, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(a.tags, *key)
	}
	return nil, nil
}

func (c *CloudWatch) listTagsForResource(call *wire.Call, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.tagged(call.Region, *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &api.ListTagsForResourceOutput{Tags: []*api.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(a.tags)) {
		out.Tags = append(out.Tags, &api.Tag{Key: aws.String(key), Value: aws.String(a.tags[key])})
	}
	return out, nil
}
