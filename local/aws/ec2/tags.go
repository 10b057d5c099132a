package ec2

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// tagsFor are the tags of a request that are meant for this type of resource.
func tagsFor(specs []*sdk.TagSpecification, resourceType string) []*sdk.Tag {
	var out []*sdk.Tag
	for _, s := range specs {
		if aws.StringValue(s.ResourceType) == resourceType {
			out = merge(out, s.Tags)
		}
	}
	return out
}

// merge adds tags, the newer value of a key replacing the older.
func merge(have, more []*sdk.Tag) []*sdk.Tag {
	for _, t := range more {
		have = slices.DeleteFunc(have, func(h *sdk.Tag) bool { return *h.Key == aws.StringValue(t.Key) })
		have = append(have, &sdk.Tag{Key: aws.String(aws.StringValue(t.Key)), Value: aws.String(aws.StringValue(t.Value))})
	}
	return have
}

// tagged is a place where tags are kept.
type tagged struct {
	id, resourceType string
	tags             *[]*sdk.Tag
}

// taggable lists everything in the Region that can carry tags.
func (r *region) taggable() []tagged {
	var out []tagged
	for _, v := range r.vpcs.all() {
		out = append(out, tagged{*v.VpcId, "vpc", &v.Tags})
	}
	for _, s := range r.subnets.all() {
		out = append(out, tagged{*s.api.SubnetId, "subnet", &s.api.Tags})
	}
	for _, g := range r.groups.all() {
		out = append(out, tagged{g.id, "security-group", &g.tags})
	}
	for _, a := range r.acls.all() {
		out = append(out, tagged{*a.NetworkAclId, "network-acl", &a.Tags})
	}
	for _, t := range r.tables.all() {
		out = append(out, tagged{*t.RouteTableId, "route-table", &t.Tags})
	}
	for _, g := range r.gateways.all() {
		out = append(out, tagged{*g.InternetGatewayId, "internet-gateway", &g.Tags})
	}
	for _, v := range r.endpoints.all() {
		out = append(out, tagged{*v.VpcEndpointId, "vpc-endpoint", &v.Tags})
	}
	for _, t := range r.templates.all() {
		out = append(out, tagged{*t.api.LaunchTemplateId, "launch-template", &t.api.Tags})
	}
	for _, v := range r.disks.volumes.all() {
		out = append(out, tagged{*v.api.VolumeId, "volume", &v.api.Tags})
	}
	for _, s := range r.disks.snapshots.all() {
		out = append(out, tagged{*s.api.SnapshotId, "snapshot", &s.api.Tags})
	}
	for _, c := range r.reservations.all() {
		out = append(out, tagged{*c.CapacityReservationId, "capacity-reservation", &c.Tags})
	}
	for _, i := range r.instances.all() {
		out = append(out, tagged{*i.api.InstanceId, "instance", &i.api.Tags})
	}
	return out
}

func (r *region) tagPlaces(ids []*string) ([]tagged, error) {
	all := r.taggable()
	var out []tagged
	for _, id := range ids {
		i := slices.IndexFunc(all, func(t tagged) bool { return t.id == aws.StringValue(id) })
		if i < 0 {
			return nil, refuse("InvalidID", "The ID '%s' is not valid", aws.StringValue(id))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// CreateTags adds tags to resources, or to none when one of them is unknown.
func (e *EC2) CreateTags(c *wire.Call, in *sdk.CreateTagsInput) (*sdk.CreateTagsOutput, error) {
	for _, t := range in.Tags {
		if key := aws.StringValue(t.Key); key == "" || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, refuse("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	places, err := e.in(c.Region).tagPlaces(in.Resources)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		*p.tags = merge(*p.tags, in.Tags)
	}
	return nil, nil
}

// DeleteTags removes tags by key, and by value where one is given.
func (e *EC2) DeleteTags(c *wire.Call, in *sdk.DeleteTagsInput) (*sdk.DeleteTagsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	places, err := e.in(c.Region).tagPlaces(in.Resources)
	if err != nil {
		return nil, err
	}
	for _, p := range places {
		*p.tags = slices.DeleteFunc(*p.tags, func(h *sdk.Tag) bool {
			return len(in.Tags) == 0 || slices.ContainsFunc(in.Tags, func(t *sdk.Tag) bool {
				return *h.Key == aws.StringValue(t.Key) && (t.Value == nil || *t.Value == *h.Value)
			})
		})
	}
	return nil, nil
}

// DescribeTags lists tags of all resources.
func (e *EC2) DescribeTags(c *wire.Call, in *sdk.DescribeTagsInput) (*sdk.DescribeTagsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*sdk.TagDescription
	for _, p := range e.in(c.Region).taggable() {
		for _, t := range *p.tags {
			all = append(all, &sdk.TagDescription{
				ResourceId: aws.String(p.id), ResourceType: aws.String(p.resourceType),
				Key: aws.String(*t.Key), Value: aws.String(*t.Value),
			})
		}
	}
	found, err := choose(in.Filters, all, func(t *sdk.TagDescription) (fields, []*sdk.Tag) {
		return fields{
			"key": one(t.Key), "value": one(t.Value),
			"resource-id": one(t.ResourceId), "resource-type": one(t.ResourceType),
		}, []*sdk.Tag{{Key: t.Key, Value: t.Value}}
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	return &sdk.DescribeTagsOutput{Tags: found, NextToken: next}, err
}
