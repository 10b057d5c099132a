package route53

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"

	"lifeline/local/aws/wire"
)

// Route 53's own values for what every new zone holds.
const (
	nsTTL     = 172800
	soaTTL    = 900
	soaFields = "awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
	maxItems  = 100
)

// recordKey identifies a record set in its zone.
type recordKey struct{ name, kind, set string }

// zone is a hosted zone. records is what the API shows; served is what name
// servers answer from, replaced as a whole when a change is INSYNC.
type zone struct {
	id       string
	apex     string
	caller   string
	comment  *string
	private  bool
	vpc      *api.VPC
	set      *api.DelegationSet
	sequence int
	records  map[recordKey]*api.ResourceRecordSet

	served       *snapshot
	servedChange int // sequence of the change that served stems from
}

func (z *zone) describe() *api.HostedZone {
	return &api.HostedZone{
		Id: aws.String("/hostedzone/" + z.id), Name: aws.String(escape(z.apex)), CallerReference: &z.caller,
		Config:                 &api.HostedZoneConfig{Comment: z.comment, PrivateZone: &z.private},
		ResourceRecordSetCount: aws.Int64(int64(len(z.records))),
	}
}

func (r *Route53) createHostedZone(call *wire.Call, in *api.CreateHostedZoneInput) (*api.CreateHostedZoneOutput, error) {
	call.Status = http.StatusCreated
	apex := fqdn(*in.Name)
	if p := nameProblem(apex); p != "" || !strings.Contains(strings.TrimSuffix(apex, "."), ".") {
		return nil, wire.Errorf(400, "InvalidDomainName", "%s is not a valid domain name", *in.Name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, z := range r.zones {
		if z.caller == *in.CallerReference {
			return nil, wire.Errorf(409, "HostedZoneAlreadyExists", "A hosted zone has already been created with the specified caller reference.")
		}
	}
	set, err := r.delegation(in.DelegationSetId)
	if err != nil {
		return nil, err
	}
	r.sequence++
	z := &zone{
		id: strings.ToUpper(r.world.NewID("Z")), apex: apex, caller: *in.CallerReference, set: set,
		private: in.VPC != nil, vpc: in.VPC, sequence: r.sequence, records: map[recordKey]*api.ResourceRecordSet{}, served: &snapshot{apex: apex},
	}
	if in.HostedZoneConfig != nil {
		z.comment = in.HostedZoneConfig.Comment
	}
	r.zones[z.id] = z
	z.putApexRecords()
	out := &api.CreateHostedZoneOutput{
		HostedZone: z.describe(), ChangeInfo: r.startChange(z, "CREATE hosted zone"), VPC: in.VPC,
		Location: aws.String("https://route53.amazonaws.com/2013-04-01/hostedzone/" + z.id),
	}
	if !z.private {
		out.DelegationSet = set
	}
	return out, nil
}

func (z *zone) putApexRecords() {
	ns := &api.ResourceRecordSet{Name: &z.apex, Type: aws.String(api.RRTypeNs), TTL: aws.Int64(nsTTL)}
	for _, s := range z.set.NameServers {
		ns.ResourceRecords = append(ns.ResourceRecords, &api.ResourceRecord{Value: aws.String(*s + ".")})
	}
	soa := &api.ResourceRecordSet{Name: &z.apex, Type: aws.String(api.RRTypeSoa), TTL: aws.Int64(soaTTL), ResourceRecords: []*api.ResourceRecord{
		{Value: aws.String(fmt.Sprintf("%s. %s", *z.set.NameServers[0], soaFields))},
	}}
	z.records[keyOf(ns)], z.records[keyOf(soa)] = ns, soa
}

// delegation is the set of name servers for a new zone.
func (r *Route53) delegation(id *string) (*api.DelegationSet, error) {
	if id == nil || *id == "" {
		return &api.DelegationSet{NameServers: aws.StringSlice(r.o.NameServers)}, nil
	}
	set, ok := r.delegations[bare(*id)]
	if !ok {
		return nil, noDelegationSet(*id)
	}
	return set, nil
}

func (r *Route53) zone(id string) (*zone, error) {
	z, ok := r.zones[bare(id)]
	if !ok {
		return nil, wire.Errorf(404, "NoSuchHostedZone", "No hosted zone found with ID: %s", bare(id))
	}
	return z, nil
}

func (r *Route53) getHostedZone(_ *wire.Call, in *api.GetHostedZoneInput) (*api.GetHostedZoneOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	z, err := r.zone(*in.Id)
	if err != nil {
		return nil, err
	}
	out := &api.GetHostedZoneOutput{HostedZone: z.describe()}
	if z.private {
		out.VPCs = []*api.VPC{z.vpc}
	} else {
		out.DelegationSet = z.set
	}
	return out, nil
}

func (r *Route53) getHostedZoneCount(*wire.Call, *api.GetHostedZoneCountInput) (*api.GetHostedZoneCountOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &api.GetHostedZoneCountOutput{HostedZoneCount: aws.Int64(int64(len(r.zones)))}, nil
}

func (r *Route53) updateHostedZoneComment(_ *wire.Call, in *api.UpdateHostedZoneCommentInput) (*api.UpdateHostedZoneCommentOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	z, err := r.zone(*in.Id)
	if err != nil {
		return nil, err
	}
	z.comment = in.Comment
	return &api.UpdateHostedZoneCommentOutput{HostedZone: z.describe()}, nil
}

func (r *Route53) deleteHostedZone(_ *wire.Call, in *api.DeleteHostedZoneInput) (*api.DeleteHostedZoneOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	z, err := r.zone(*in.Id)
	if err != nil {
		return nil, err
	}
	for k := range z.records {
		if k.name != z.apex || k.kind != api.RRTypeNs && k.kind != api.RRTypeSoa {
			return nil, wire.Errorf(400, "HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets and so cannot be deleted.")
		}
	}
	delete(r.zones, z.id)
	delete(r.tags, "hostedzone/"+z.id)
	return &api.DeleteHostedZoneOutput{ChangeInfo: r.recordChange("DELETE hosted zone", func() {})}, nil
}

func (r *Route53) listHostedZones(_ *wire.Call, in *api.ListHostedZonesInput) (*api.ListHostedZonesOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.SortedFunc(maps.Values(r.zones), func(a, b *zone) int { return cmp.Compare(a.sequence, b.sequence) })
	all = slices.DeleteFunc(all, func(z *zone) bool {
		return in.DelegationSetId != nil && *in.DelegationSetId != "" && bare(aws.StringValue(z.set.Id)) != bare(*in.DelegationSetId)
	})
	from := 0
	if in.Marker != nil {
		from = slices.IndexFunc(all, func(z *zone) bool { return z.id == bare(*in.Marker) })
		if from < 0 {
			return nil, noMarker(*in.Marker)
		}
	}
	size, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	to := min(from+size, len(all))
	out := &api.ListHostedZonesOutput{Marker: in.Marker, MaxItems: aws.String(strconv.Itoa(size)), IsTruncated: aws.Bool(to < len(all)), HostedZones: []*api.HostedZone{}}
	for _, z := range all[from:to] {
		out.HostedZones = append(out.HostedZones, z.describe())
	}
	if to < len(all) {
		out.NextMarker = &all[to].id
	}
	return out, nil
}

func (r *Route53) listHostedZonesByName(_ *wire.Call, in *api.ListHostedZonesByNameInput) (*api.ListHostedZonesByNameOutput, error) {
	size, err := pageSize(in.MaxItems)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := slices.SortedFunc(maps.Values(r.zones), compareZones)
	if in.DNSName != nil && *in.DNSName != "" {
		start := &zone{apex: fqdn(*in.DNSName), id: bare(aws.StringValue(in.HostedZoneId))}
		all = slices.DeleteFunc(all, func(z *zone) bool { return compareZones(z, start) < 0 })
	}
	to := min(size, len(all))
	out := &api.ListHostedZonesByNameOutput{
		DNSName: in.DNSName, HostedZoneId: in.HostedZoneId, MaxItems: aws.String(strconv.Itoa(size)),
		IsTruncated: aws.Bool(to < len(all)), HostedZones: []*api.HostedZone{},
	}
	for _, z := range all[:to] {
		out.HostedZones = append(out.HostedZones, z.describe())
	}
	if to < len(all) {
		out.NextDNSName, out.NextHostedZoneId = aws.String(escape(all[to].apex)), &all[to].id
	}
	return out, nil
}

func compareZones(a, b *zone) int {
	return cmp.Or(compareNames(a.apex, b.apex), cmp.Compare(a.id, b.id))
}

// pageSize reads maxitems, which the API takes as text.
func pageSize(s *string) (int, error) {
	if s == nil || *s == "" {
		return maxItems, nil
	}
	n, err := strconv.Atoi(*s)
	if err != nil || n < 1 {
		return 0, invalidInput("The value %q for maxitems is invalid.", *s)
	}
	return min(n, maxItems), nil
}

func noMarker(marker string) *wire.Error {
	return invalidInput("The specified marker is not valid: %s", marker)
}

func invalidInput(format string, args ...any) *wire.Error {
	return wire.Errorf(400, "InvalidInput", format, args...)
}
