package backup

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

const mostTags = 50

func checkTags(tags map[string]*string) error {
	if len(tags) > mostTags {
		return overLimit("A resource can have up to %d tags, not %d", mostTags, len(tags))
	}
	for key, value := range tags {
		switch {
		case key == "" || len(key) > 128 || len(aws.StringValue(value)) > 256:
			return invalid("Tag %q is longer than its limit", key)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return invalid("Tag keys cannot begin with aws:, as %q does", key)
		}
	}
	return nil
}

// tag adds tags to what has an ARN; b.mu is held.
func (r *region) tag(arn string, tags map[string]*string) {
	if r.tags[arn] == nil {
		r.tags[arn] = map[string]string{}
	}
	maps.Copy(r.tags[arn], aws.StringValueMap(tags))
}

// taggable refuses an ARN that nothing has.
func (r *region) taggable(arn *string) error {
	if _, ok := r.tags[aws.StringValue(arn)]; !ok {
		return notFound("Resource %s does not exist", aws.StringValue(arn))
	}
	return nil
}

func (b *Backup) tagResource(c *wire.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	if err := r.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	after := maps.Clone(r.tags[*in.ResourceArn])
	maps.Copy(after, aws.StringValueMap(in.Tags))
	if len(after) > mostTags {
		return nil, overLimit("A resource can have up to %d tags, not %d", mostTags, len(after))
	}
	r.tags[*in.ResourceArn] = after
	return &sdk.TagResourceOutput{}, nil
}

func (b *Backup) untagResource(c *wire.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	if err := r.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	for _, key := range in.TagKeyList {
		delete(r.tags[*in.ResourceArn], aws.StringValue(key))
	}
	return &sdk.UntagResourceOutput{}, nil
}

func (b *Backup) listTags(c *wire.Call, in *sdk.ListTagsInput) (*sdk.ListTagsOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	if err := r.taggable(in.ResourceArn); err != nil {
		return nil, err
	}
	return &sdk.ListTagsOutput{Tags: aws.StringMap(r.tags[*in.ResourceArn])}, nil
}
