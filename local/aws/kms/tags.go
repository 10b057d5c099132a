package kms

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/wire"
)

const maxTags = 50

func setTags(have map[string]string, tags []*sdk.Tag) error {
	next, given := maps.Clone(have), map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(*t.TagKey, "aws:"):
			return refuse(sdk.ErrCodeTagException, "Tag keys that start with aws: are reserved")
		case given[*t.TagKey]:
			return refuse(sdk.ErrCodeTagException, "Duplicate tag keys")
		}
		given[*t.TagKey] = true
		next[*t.TagKey] = *t.TagValue
	}
	if len(next) > maxTags {
		return refuse(sdk.ErrCodeLimitExceededException, "A key has %d tags at most", maxTags)
	}
	maps.Copy(have, next)
	return nil
}

func tagList(tags map[string]string) []*sdk.Tag {
	out := []*sdk.Tag{}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, &sdk.Tag{TagKey: aws.String(name), TagValue: aws.String(tags[name])})
	}
	return out
}

// TagResource adds tags or changes their values.
func (k *KMS) TagResource(c *wire.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId, present()...)
	if err != nil {
		return nil, err
	}
	return nil, setTags(found.tags, in.Tags)
}

// UntagResource takes tags off; those that aren't there are off already.
func (k *KMS) UntagResource(c *wire.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId, present()...)
	if err != nil {
		return nil, err
	}
	for _, name := range in.TagKeys {
		delete(found.tags, *name)
	}
	return nil, nil
}

// ListResourceTags lists a key's tags.
func (k *KMS) ListResourceTags(c *wire.Call, in *sdk.ListResourceTagsInput) (*sdk.ListResourceTagsOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	tags, next, more, err := page(in.Marker, in.Limit, 50, tagList(found.tags), func(t *sdk.Tag) string { return *t.TagKey })
	return &sdk.ListResourceTagsOutput{Tags: tags, NextMarker: next, Truncated: more}, err
}
