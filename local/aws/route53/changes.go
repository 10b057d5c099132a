package route53

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

// maxChanges is how many changes one batch may hold.
const maxChanges = 1000

func keyOf(s *api.ResourceRecordSet) recordKey {
	return recordKey{name: fqdn(*s.Name), kind: *s.Type, set: aws.StringValue(s.SetIdentifier)}
}

// changeResourceRecordSets applies all changes of the batch or none.
func (r *Route53) changeResourceRecordSets(_ *wire.Call, in *api.ChangeResourceRecordSetsInput) (*api.ChangeResourceRecordSetsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	z, err := r.zone(*in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	if n := len(in.ChangeBatch.Changes); n > maxChanges {
		return nil, wire.Errorf(400, "InvalidChangeBatch", "[Number of records limit of %d exceeded: %d changes.]", maxChanges, n)
	}
	for _, c := range in.ChangeBatch.Changes {
		if err := r.checkShape(c); err != nil {
			return nil, err
		}
	}
	b := batch{r: r, zone: z, records: maps.Clone(z.records)}
	for _, c := range in.ChangeBatch.Changes {
		b.apply(c)
	}
	b.checkResult()
	if len(b.problems) > 0 {
		return nil, wire.Errorf(400, "InvalidChangeBatch", "[%s]", strings.Join(b.problems, ", "))
	}
	z.records = b.records
	return &api.ChangeResourceRecordSetsOutput{ChangeInfo: r.startChange(z, aws.StringValue(in.ChangeBatch.Comment))}, nil
}

// startChange makes the zone's records, as they are now, what is answered from
// once the change is INSYNC. Changes of one zone never overtake each other.
func (r *Route53) startChange(z *zone, comment string) *api.ChangeInfo {
	r.sequence++
	sequence, next := r.sequence, newSnapshot(z)
	return r.recordChange(comment, func() {
		if sequence > z.servedChange {
			z.served, z.servedChange = next, sequence
		}
	})
}

// recordChange must be called with the lock held; apply runs with it held.
func (r *Route53) recordChange(comment string, apply func()) *api.ChangeInfo {
	id := strings.ToUpper(r.world.NewID("C"))
	info := &api.ChangeInfo{
		Id: aws.String("/change/" + id), Status: aws.String(api.ChangeStatusPending), SubmittedAt: aws.Time(r.world.Now().UTC()),
	}
	if comment != "" {
		info.Comment = &comment
	}
	r.changes[id] = info
	answer := *info
	if r.o.ChangeSync == 0 {
		info.Status = aws.String(api.ChangeStatusInsync)
		apply()
		return &answer
	}
	r.world.After(r.o.ChangeSync, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		info.Status = aws.String(api.ChangeStatusInsync)
		apply()
	})
	return &answer
}

func (r *Route53) getChange(_ *wire.Call, in *api.GetChangeInput) (*api.GetChangeOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, ok := r.changes[bare(*in.Id)]
	if !ok {
		return nil, wire.Errorf(404, "NoSuchChange", "Could not find resource with ID: %s", bare(*in.Id))
	}
	answer := *info
	return &api.GetChangeOutput{ChangeInfo: &answer}, nil
}

func (r *Route53) listResourceRecordSets(_ *wire.Call, in *api.ListResourceRecordSetsInput) (*api.ListResourceRecordSetsOutput, error) {
	if in.StartRecordType != nil && in.StartRecordName == nil {
		return nil, invalidInput("The record type can be given only together with the record name.")
	}
	if in.StartRecordIdentifier != nil && in.StartRecordType == nil {
		return nil, invalidInput("The record identifier can be given only together with the record type.")
	}
	size, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	z, err := r.zone(*in.HostedZoneId)
	if err != nil {
		return nil, err
	}
	keys := slices.SortedFunc(maps.Keys(z.records), compareKeys)
	if in.StartRecordName != nil {
		start := recordKey{name: fqdn(*in.StartRecordName), kind: aws.StringValue(in.StartRecordType), set: aws.StringValue(in.StartRecordIdentifier)}
		keys = slices.DeleteFunc(keys, func(k recordKey) bool { return compareKeys(k, start) < 0 })
	}
	to := min(size, len(keys))
	out := &api.ListResourceRecordSetsOutput{MaxItems: aws.String(strconv.Itoa(size)), IsTruncated: aws.Bool(to < len(keys)), ResourceRecordSets: []*api.ResourceRecordSet{}}
	for _, k := range keys[:to] {
		out.ResourceRecordSets = append(out.ResourceRecordSets, shown(z.records[k]))
	}
	if to < len(keys) {
		next := keys[to]
		out.NextRecordName, out.NextRecordType = aws.String(escape(next.name)), &next.kind
		if next.set != "" {
			out.NextRecordIdentifier = &next.set
		}
	}
	return out, nil
}

func compareKeys(a, b recordKey) int {
	return cmp.Or(compareNames(a.name, b.name), cmp.Compare(a.kind, b.kind), cmp.Compare(a.set, b.set))
}

// shown is a record set as the API shows it.
func shown(s *api.ResourceRecordSet) *api.ResourceRecordSet {
	out := &api.ResourceRecordSet{}
	awsutil.Copy(out, s)
	out.Name = aws.String(escape(*s.Name))
	if out.AliasTarget != nil {
		out.AliasTarget.DNSName = aws.String(escape(*s.AliasTarget.DNSName))
	}
	return out
}

// stored is the form in which a record set is kept.
func stored(s *api.ResourceRecordSet) *api.ResourceRecordSet {
	out := &api.ResourceRecordSet{}
	awsutil.Copy(out, s)
	out.Name = aws.String(fqdn(*s.Name))
	if out.AliasTarget != nil {
		out.AliasTarget.DNSName = aws.String(fqdn(*s.AliasTarget.DNSName))
		out.AliasTarget.HostedZoneId = aws.String(bare(*s.AliasTarget.HostedZoneId))
	}
	return out
}
