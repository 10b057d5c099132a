package ec2

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

func (e *EC2) serveReservations(s *wire.Service) {
	handle(s, "CreateCapacityReservation", e.CreateCapacityReservation)
	handle(s, "CancelCapacityReservation", e.CancelCapacityReservation)
	handle(s, "DescribeCapacityReservations", e.DescribeCapacityReservations)
}

// CreateCapacityReservation keeps room for instances of one type in one zone,
// if there is room now. Instances that match use it without being told to.
func (e *EC2) CreateCapacityReservation(c *wire.Call, in *sdk.CreateCapacityReservationInput) (*sdk.CreateCapacityReservationOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, zone := e.in(c.Region), aws.StringValue(in.AvailabilityZone)
	if letter, ok := strings.CutPrefix(zone, r.name); !ok || len(letter) != 1 || !strings.Contains(zones, letter) {
		return nil, refuse("InvalidZone.NotFound", "The zone '%s' does not exist.", zone)
	}
	n := aws.Int64Value(in.InstanceCount)
	if n < 1 || n > 1000 {
		return nil, refuse("InvalidParameterValue", "Value (%d) for parameter instanceCount is invalid. Expecting 1 to 1000.", n)
	}
	if capacity, bounded := e.capacity[r.name]; bounded {
		if int64(capacity) < n {
			return nil, wire.Errorf(500, "InsufficientInstanceCapacity", "Insufficient capacity.")
		}
		e.capacity[r.name] = capacity - int(n)
	}
	id, now := e.world.NewID("cr-"), e.world.Now()
	reservation := &sdk.CapacityReservation{
		CapacityReservationId: aws.String(id), CapacityReservationArn: aws.String(e.ebsARN(r, "capacity-reservation/"+id)),
		InstanceType: in.InstanceType, InstancePlatform: in.InstancePlatform, AvailabilityZone: aws.String(zone),
		Tenancy:            aws.String(cmp.Or(aws.StringValue(in.Tenancy), sdk.CapacityReservationTenancyDefault)),
		TotalInstanceCount: aws.Int64(n), State: aws.String(sdk.CapacityReservationStateActive),
		InstanceMatchCriteria: aws.String(cmp.Or(aws.StringValue(in.InstanceMatchCriteria), sdk.InstanceMatchCriteriaOpen)),
		EndDateType:           aws.String(cmp.Or(aws.StringValue(in.EndDateType), sdk.EndDateTypeUnlimited)), EndDate: in.EndDate,
		OwnerId: aws.String(e.world.Account()), CreateDate: aws.Time(now), StartDate: aws.Time(now),
		EbsOptimized: aws.Bool(aws.BoolValue(in.EbsOptimized)), EphemeralStorage: aws.Bool(false),
		Tags: tagsFor(in.TagSpecifications, "capacity-reservation"),
	}
	r.reservations.put(id, reservation)
	return &sdk.CreateCapacityReservationOutput{CapacityReservation: r.describeReservation(reservation)}, nil
}

// CancelCapacityReservation gives the room that is not in use back.
func (e *EC2) CancelCapacityReservation(c *wire.Call, in *sdk.CancelCapacityReservationInput) (*sdk.CancelCapacityReservationOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	found, ok := r.reservations.get(in.CapacityReservationId)
	if !ok {
		return nil, noReservation(aws.StringValue(in.CapacityReservationId))
	}
	if capacity, bounded := e.capacity[r.name]; bounded {
		e.capacity[r.name] = capacity + r.unused(found)
	}
	found.State = aws.String(sdk.CapacityReservationStateCancelled)
	return &sdk.CancelCapacityReservationOutput{Return: aws.Bool(true)}, nil
}

func noReservation(id string) error {
	return refuse("InvalidCapacityReservationId.NotFound", "The capacity reservation ID '%s' does not exist", id)
}

// unused is the room that is left in a reservation: what open instances of its
// type and zone have not taken, the oldest reservation first.
func (r *region) unused(of *sdk.CapacityReservation) int {
	running := 0
	for _, i := range r.instances.all() {
		if i.countsAgainstQuota() && *i.api.InstanceType == *of.InstanceType && *i.api.Placement.AvailabilityZone == *of.AvailabilityZone {
			running++
		}
	}
	for _, other := range r.reservations.all() {
		if *other.State != sdk.CapacityReservationStateActive || *other.InstanceType != *of.InstanceType || *other.AvailabilityZone != *of.AvailabilityZone {
			continue
		}
		taken := min(running, int(*other.TotalInstanceCount))
		if other == of {
			return int(*of.TotalInstanceCount) - taken
		}
		running -= taken
	}
	return 0
}

// reserved is the room that is kept for a type in a zone.
func (r *region) reserved(kind, zone string) int {
	n := 0
	for _, c := range r.reservations.all() {
		if *c.InstanceType == kind && *c.AvailabilityZone == zone && *c.InstanceMatchCriteria == sdk.InstanceMatchCriteriaOpen {
			n += r.unused(c)
		}
	}
	return n
}

func (r *region) describeReservation(c *sdk.CapacityReservation) *sdk.CapacityReservation {
	out := clone(c)
	out.AvailableInstanceCount = aws.Int64(int64(r.unused(c)))
	return out
}

// DescribeCapacityReservations lists reservations with what is left in them.
func (e *EC2) DescribeCapacityReservations(c *wire.Call, in *sdk.DescribeCapacityReservationsInput) (*sdk.DescribeCapacityReservationsOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	found, unknown := r.reservations.named(in.CapacityReservationIds)
	if unknown != "" {
		return nil, noReservation(unknown)
	}
	found, err := choose(in.Filters, found, func(c *sdk.CapacityReservation) (fields, []*sdk.Tag) {
		return fields{
			"instance-type": one(c.InstanceType), "availability-zone": one(c.AvailabilityZone), "state": one(c.State),
			"owner-id": one(c.OwnerId), "tenancy": one(c.Tenancy), "instance-platform": one(c.InstancePlatform),
			"instance-match-criteria": one(c.InstanceMatchCriteria), "end-date-type": one(c.EndDateType),
			"total-instance-count": {fmt.Sprint(*c.TotalInstanceCount)},
		}, c.Tags
	})
	if err != nil {
		return nil, err
	}
	found, next, err := page(found, in.MaxResults, in.NextToken)
	out := &sdk.DescribeCapacityReservationsOutput{NextToken: next}
	for _, c := range found {
		out.CapacityReservations = append(out.CapacityReservations, r.describeReservation(c))
	}
	return out, err
}
