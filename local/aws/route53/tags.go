package route53

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

// maxTags is how many tags a resource may have.
const maxTags = 50

// tagged checks that the resource exists and gives the key of its tags.
func (r *Route53) tagged(kind, id string) (string, error) {
	id = bare(id)
	var err error
	if kind == api.TagResourceTypeHostedzone {
		_, err = r.zone(id)
	} else {
		_, err = r.health(id)
	}
	return kind + "/" + id, err
}

func (r *Route53) changeTagsForResource(_ *wire.Call, in *api.ChangeTagsForResourceInput) (*api.ChangeTagsForResourceOutput, error) {
	if len(in.AddTags)+len(in.RemoveTagKeys) == 0 {
		return nil, invalidInput("At least one of AddTags and RemoveTagKeys must be given.")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key, err := r.tagged(*in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	next := maps.Clone(r.tags[key])
	if next == nil {
		next = map[string]string{}
	}
	for _, k := range in.RemoveTagKeys {
		delete(next, *k)
	}
	for _, t := range in.AddTags {
		next[aws.StringValue(t.Key)] = aws.StringValue(t.Value)
	}
	if len(next) > maxTags {
		return nil, invalidInput("A resource cannot have more than %d tags.", maxTags)
	}
	r.tags[key] = next
	return &api.ChangeTagsForResourceOutput{}, nil
}

func (r *Route53) listTagsForResource(_ *wire.Call, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, err := r.tagged(*in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &api.ListTagsForResourceOutput{ResourceTagSet: r.tagSet(key, *in.ResourceType, *in.ResourceId)}, nil
}

func (r *Route53) listTagsForResources(_ *wire.Call, in *api.ListTagsForResourcesInput) (*api.ListTagsForResourcesOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &api.ListTagsForResourcesOutput{ResourceTagSets: []*api.ResourceTagSet{}}
	for _, id := range in.ResourceIds {
		key, err := r.tagged(*in.ResourceType, *id)
		if err != nil {
			return nil, err
		}
		out.ResourceTagSets = append(out.ResourceTagSets, r.tagSet(key, *in.ResourceType, *id))
	}
	return out, nil
}

func (r *Route53) tagSet(key, kind, id string) *api.ResourceTagSet {
	out := &api.ResourceTagSet{ResourceType: &kind, ResourceId: aws.String(bare(id))}
	for _, k := range slices.Sorted(maps.Keys(r.tags[key])) {
		out.Tags = append(out.Tags, &api.Tag{Key: aws.String(k), Value: aws.String(r.tags[key][k])})
	}
	return out
}
