package route53

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

func (r *Route53) createReusableDelegationSet(call *wire.Call, in *api.CreateReusableDelegationSetInput) (*api.CreateReusableDelegationSetOutput, error) {
	call.Status = http.StatusCreated
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range r.delegations {
		if *d.CallerReference == *in.CallerReference {
			return nil, wire.Errorf(400, "DelegationSetAlreadyCreated", "A delegation set has already been created with the specified caller reference.")
		}
	}
	servers := r.o.NameServers
	if in.HostedZoneId != nil && *in.HostedZoneId != "" {
		z, err := r.zone(*in.HostedZoneId)
		if err != nil {
			return nil, wire.Errorf(404, "HostedZoneNotFound", "No hosted zone found with ID: %s", bare(*in.HostedZoneId))
		}
		servers = aws.StringValueSlice(z.set.NameServers)
	}
	id := strings.ToUpper(r.world.NewID("N"))
	d := &api.DelegationSet{Id: aws.String("/delegationset/" + id), CallerReference: in.CallerReference, NameServers: aws.StringSlice(servers)}
	r.delegations[id] = d
	return &api.CreateReusableDelegationSetOutput{
		DelegationSet: d, Location: aws.String("https://route53.amazonaws.com/2013-04-01/delegationset/" + id),
	}, nil
}

func (r *Route53) getReusableDelegationSet(_ *wire.Call, in *api.GetReusableDelegationSetInput) (*api.GetReusableDelegationSetOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.delegations[bare(*in.Id)]
	if !ok {
		return nil, noDelegationSet(*in.Id)
	}
	return &api.GetReusableDelegationSetOutput{DelegationSet: d}, nil
}

func (r *Route53) listReusableDelegationSets(_ *wire.Call, in *api.ListReusableDelegationSetsInput) (*api.ListReusableDelegationSetsOutput, error) {
	size, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := slices.Sorted(maps.Keys(r.delegations))
	from, _ := slices.BinarySearch(ids, bare(aws.StringValue(in.Marker)))
	to := min(from+size, len(ids))
	out := &api.ListReusableDelegationSetsOutput{
		Marker: aws.String(aws.StringValue(in.Marker)), MaxItems: aws.String(strconv.Itoa(size)),
		IsTruncated: aws.Bool(to < len(ids)), DelegationSets: []*api.DelegationSet{},
	}
	for _, id := range ids[from:to] {
		out.DelegationSets = append(out.DelegationSets, r.delegations[id])
	}
	if to < len(ids) {
		out.NextMarker = &ids[to]
	}
	return out, nil
}

func (r *Route53) deleteReusableDelegationSet(_ *wire.Call, in *api.DeleteReusableDelegationSetInput) (*api.DeleteReusableDelegationSetOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.delegations[bare(*in.Id)]
	if !ok {
		return nil, noDelegationSet(*in.Id)
	}
	for _, z := range r.zones {
		if z.set == d {
			return nil, wire.Errorf(400, "DelegationSetInUse", "The specified delegation set contains associated hosted zones which must be deleted first.")
		}
	}
	delete(r.delegations, bare(*in.Id))
	return &api.DeleteReusableDelegationSetOutput{}, nil
}

func noDelegationSet(id string) *wire.Error {
	return wire.Errorf(400, "NoSuchDelegationSet", "No delegation set found with ID: %s", bare(id))
}
