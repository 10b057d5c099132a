package dynamodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// races is how often a lost race is looked at again. The holder renews a few
// times per TTL, so losing twice in a row is already rare.
const races = 5

// lease is the item as it is stored.
type lease struct {
	Lease
	exists bool
	// renewed is the attribute as written, to condition on exactly what was read.
	renewed string
	// freeAt is when the holder before this one had surely stopped.
	freeAt time.Time
}

// DescribeLease reads who may write.
func (s *Steps) DescribeLease(ctx context.Context, in LeaseRef) (Lease, error) {
	l, err := s.lease(ctx, in)
	if err != nil {
		return Lease{}, err
	}
	if !l.exists {
		return Lease{}, cloud.Errorf(cloud.NotFound, "read write lease of %q in table %q: there is none", in.Application, in.Table)
	}
	return l.Lease, nil
}

// FenceLease takes the write lease from From and gives it to To, at a higher
// epoch. From stops at its next renewal, or when its last one lapses if it is
// cut off: FreeAt. It works under partition, which no other fence does.
func (s *Steps) FenceLease(ctx context.Context, in LeaseFence) (LeaseResult, error) {
	return s.handOver(ctx, in)
}

// UnfenceLease gives the write lease back: From and To are the other way round
// than in FenceLease. The epoch rises again, it never falls: a writer of the
// epoch in between must not be believed.
func (s *Steps) UnfenceLease(ctx context.Context, in LeaseFence) (LeaseResult, error) {
	return s.handOver(ctx, in)
}

// handOver raises the epoch in favour of in.To unless it holds the lease.
func (s *Steps) handOver(ctx context.Context, in LeaseFence) (LeaseResult, error) {
	if in.To == "" || in.From == in.To {
		return LeaseResult{}, cloud.Errorf(cloud.Invalid, "move write lease of %q from %q to %q: two Regions are needed", in.Application, in.From, in.To)
	}
	var now lease
	outcome, err := runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) {
			var err error
			now, err = s.lease(ctx, in.ref())
			return now.exists && now.Holder == string(in.To), now.String(), err
		},
		Do: func(ctx context.Context) (string, error) { return s.raise(ctx, in, now) },
		Would: fmt.Sprintf("give the write lease of %q to %s at a higher epoch, in table %q in %s",
			in.Application, in.To, in.Table, in.Region),
	}.Run(ctx, in.DryRun)
	if err != nil {
		return LeaseResult{}, fmt.Errorf("move write lease of %q to %s: %w", in.Application, in.To, err)
	}
	free := now.free(s.Now(), in.TTL)
	if outcome.Effect == runbook.Would {
		free = now.lapses(s.Now(), in.TTL).UTC()
	}
	return LeaseResult{Outcome: outcome, Epoch: now.Epoch, FreeAt: free}, nil
}

// raise writes the new holder on condition that nothing changed since old was
// read. The condition covers the renewal time too: a renewal that slips in
// between would otherwise let From write past FreeAt.
func (s *Steps) raise(ctx context.Context, in LeaseFence, old lease) (string, error) {
	for range races {
		out, err := cloud.Call(ctx, in.at(), s.Clients(in.Region).UpdateItem, raising(in, old, s.Now()))
		if err == nil {
			return cloud.RequestID(out.ResultMetadata), nil
		}
		var lost *types.ConditionalCheckFailedException
		if !errors.As(err, &lost) {
			return "", err
		}
		if old, err = s.lease(ctx, in.ref()); err != nil {
			return "", err
		}
		if old.Holder == string(in.To) {
			// An answer was lost, or another run of this step was faster.
			return "", nil
		}
	}
	return "", cloud.Errorf(cloud.Conflict, "lost the race against renewals %d times", races)
}

// raising is the conditional write.
func raising(in LeaseFence, old lease, now time.Time) *sdk.UpdateItemInput {
	ttl := old.ttl(in.TTL)
	update := &sdk.UpdateItemInput{
		TableName: aws.String(in.Table),
		Key:       text("application", in.Application),
		UpdateExpression: aws.String("SET #holder = :to, #epoch = :next, #renewed = :now, #ttl = :ttl, " +
			"#free = :free, #token = :token"),
		ConditionExpression: aws.String("attribute_not_exists(#application)"),
		ExpressionAttributeNames: map[string]string{
			"#holder": "holder", "#epoch": "epoch", "#renewed": "renewed", "#ttl": "ttl_ms",
			"#free": "free_at", "#token": "token",
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":to":    value(string(in.To)),
			":next":  number(old.Epoch + 1),
			":now":   value(stamp(now)),
			":ttl":   number(ttl.Milliseconds()),
			":free":  value(stamp(old.lapses(now, in.TTL))),
			":token": value(in.Token),
		},
	}
	if !old.exists {
		update.ExpressionAttributeNames["#application"] = "application"
		return update
	}
	update.ExpressionAttributeValues[":epoch"] = number(old.Epoch)
	condition := "#epoch = :epoch"
	for name, was := range map[string]string{"holder": old.Holder, "renewed": old.renewed} {
		if was == "" {
			condition += " AND attribute_not_exists(#" + name + ")"
			continue
		}
		condition += " AND #" + name + " = :" + name
		update.ExpressionAttributeValues[":"+name] = value(was)
	}
	update.ConditionExpression = aws.String(condition)
	return update
}

// lease reads the item; one that does not exist is no error.
func (s *Steps) lease(ctx context.Context, in LeaseRef) (lease, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	item, err := s.get(ctx, at, in.Table, text("application", in.Application))
	if err != nil {
		return lease{}, fmt.Errorf("read write lease of %q in table %q: %w", in.Application, in.Table, err)
	}
	if item == nil {
		return lease{}, nil
	}
	l, err := parse(item)
	if err != nil {
		return lease{}, cloud.Errorf(cloud.Invalid, "read write lease of %q in table %q: %w", in.Application, in.Table, err)
	}
	return l, nil
}

// parse reads an item. An epoch that can't be read is an error, because it could
// fall; a renewal that can't be read only costs time.
func parse(item map[string]types.AttributeValue) (lease, error) {
	epoch, err := whole(item, "epoch")
	if err != nil {
		return lease{}, err
	}
	l := lease{exists: true, renewed: str(item, "renewed"), Lease: Lease{Holder: str(item, "holder"), Epoch: epoch}}
	if t, err := instant(item, "renewed"); err == nil {
		l.Renewed = t
	}
	if t, err := instant(item, "free_at"); err == nil {
		l.freeAt = t
	}
	if ms, err := whole(item, "ttl_ms"); err == nil {
		l.TTL = time.Duration(ms) * time.Millisecond
	}
	return l, nil
}

// ttl is the lease's own TTL, or the plan's when it names none.
func (l lease) ttl(planned time.Duration) time.Duration {
	if l.TTL > 0 {
		return l.TTL
	}
	return planned
}

// lapses is when the holder's last renewal ends; unknown means a whole TTL from now.
func (l lease) lapses(now time.Time, planned time.Duration) time.Time {
	if l.Renewed.IsZero() {
		return now.Add(l.ttl(planned))
	}
	return l.Renewed.Add(l.ttl(planned))
}

// free is when the holder before this one has surely stopped.
func (l lease) free(now time.Time, planned time.Duration) time.Time {
	if l.freeAt.IsZero() {
		return now.Add(l.ttl(planned)).UTC()
	}
	return l.freeAt.UTC()
}

// String is the evidence.
func (l lease) String() string {
	if !l.exists {
		return "no lease exists"
	}
	return fmt.Sprintf("%s holds epoch %d, renewed %s", l.Holder, l.Epoch, stamp(l.Renewed))
}

func (in LeaseFence) at() cloud.At { return cloud.At{Region: in.Region, Timeout: in.Timeout} }

func (in LeaseFence) ref() LeaseRef {
	return LeaseRef{Region: in.Region, Table: in.Table, Application: in.Application, Timeout: in.Timeout}
}
