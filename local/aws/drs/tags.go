package drs

import (
	"maps"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"

	"lifeline/local/aws/wire"
)

func (d *DRS) serveTags(s *wire.Service) {
	serve(d, s, "TagResource", d.tagResource)
	serve(d, s, "UntagResource", d.untagResource)
	serve(d, s, "ListTagsForResource", d.listTagsForResource)
}

// tagsOf finds the tags of anything in the Region by its ARN.
func (r *region) tagsOf(arn *string) (*map[string]*string, error) {
	want := aws.StringValue(arn)
	for _, s := range r.servers {
		if s.arn == want {
			return &s.tags, nil
		}
	}
	for _, i := range r.instances {
		if i.arn == want {
			return &i.tags, nil
		}
	}
	for _, j := range r.jobs {
		if j.arn == want {
			return &j.api.Tags, nil
		}
	}
	for _, t := range r.replication {
		if *t.Arn == want {
			return &t.Tags, nil
		}
	}
	for _, t := range r.launching {
		if *t.api.Arn == want {
			return &t.api.Tags, nil
		}
	}
	return nil, notFound("Resource", want)
}

func (d *DRS) tagResource(r *region, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	tags, err := r.tagsOf(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if *tags == nil {
		*tags = map[string]*string{}
	}
	maps.Copy(*tags, in.Tags)
	return nil, nil
}

func (d *DRS) untagResource(r *region, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	tags, err := r.tagsOf(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(*tags, aws.StringValue(key))
	}
	return nil, nil
}

func (d *DRS) listTagsForResource(r *region, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	tags, err := r.tagsOf(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{Tags: maps.Clone(*tags)}, nil
}
