package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	store "lifeline/local/aws/dynamodb"
)

// watchEvery is how often a Region that doesn't hold the lease looks at it.
const watchEvery = 500 * time.Millisecond

// lease is what an instance knows of the write lease.
type lease struct {
	mu     sync.Mutex
	known  bool // read at least once since the boot
	holder string
	epoch  int64
	until  time.Time // while this Region holds it: valid to here
}

// view is a lease at one moment.
type view struct {
	known  bool
	holder string
	epoch  int64
	held   bool // by this Region, and valid
}

func (l *lease) view(self string, now time.Time) view {
	l.mu.Lock()
	defer l.mu.Unlock()
	return view{l.known, l.holder, l.epoch, l.known && l.holder == self && now.Before(l.until)}
}

func (l *lease) set(holder string, epoch int64, until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.holder, l.epoch, l.until = true, holder, epoch, until
}

func (l *lease) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known, l.holder, l.epoch, l.until = false, "", 0, time.Time{}
}

// leave gives up a lease that another has taken; who, the next look will tell.
func (l *lease) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holder, l.until = "", time.Time{}
}

// keepLease reads, and while this Region is the holder renews, the lease until
// the context ends. A renewal that fails is not repeated at once: the lease runs
// out by itself, and with it the right to accept invoices.
func (i *Instance) keepLease(ctx context.Context) {
	for {
		if err := i.tendLease(); err != nil {
			i.logger.Debug("lease not reached", "error", err)
		}
		wait := i.Lease.ttl() / 3
		if !i.lease.view(i.Region, time.Now()).held {
			wait = min(wait, watchEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (i *Instance) tendLease() error {
	if v := i.lease.view(i.Region, time.Now()); v.held {
		taken, err := i.renew(v.epoch)
		if !taken {
			return err
		}
		i.lease.leave()
	}
	item, err := i.tables().GetItem(i.Region, i.Lease.Region, &dynamodb.GetItemInput{
		TableName: &i.Lease.Table, Key: i.leaseKey(), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return fmt.Errorf("read lease of %q: %w", i.Application, err)
	}
	if item == nil {
		return i.createLease()
	}
	holder, epoch, err := readLease(item)
	if err != nil {
		return err
	}
	if !i.fleet.advance(i.site(), epoch) {
		return fmt.Errorf("lease of %q went back to epoch %d: not trusted", i.Application, epoch)
	}
	if holder != i.Region {
		i.lease.set(holder, epoch, time.Time{})
		return nil
	}
	_, err = i.renew(epoch)
	return err
}

func (i *Instance) leaseKey() map[string]*dynamodb.AttributeValue {
	return map[string]*dynamodb.AttributeValue{"application": {S: &i.Application}}
}

func readLease(item map[string]*dynamodb.AttributeValue) (holder string, epoch int64, err error) {
	if item["holder"] == nil || item["epoch"] == nil {
		return "", 0, errors.New("lease item has no holder or no epoch")
	}
	epoch, err = strconv.ParseInt(aws.StringValue(item["epoch"].N), 10, 64)
	if err != nil {
		return "", 0, fmt.Errorf("lease item: epoch: %w", err)
	}
	return aws.StringValue(item["holder"].S), epoch, nil
}

// renew extends the lease if it is still this Region's at this epoch; taken says
// that it is not. The new time to live counts from before the call: the answer
// may have been slow.
func (i *Instance) renew(epoch int64) (taken bool, err error) {
	started := time.Now()
	_, err = i.tables().UpdateItem(i.Region, i.Lease.Region, &dynamodb.UpdateItemInput{
		TableName: &i.Lease.Table, Key: i.leaseKey(),
		UpdateExpression:    aws.String("SET renewed = :now, ttl_ms = :ttl"),
		ConditionExpression: aws.String("holder = :self AND epoch = :mine"),
		ExpressionAttributeValues: map[string]*dynamodb.AttributeValue{
			":now":  {S: aws.String(started.UTC().Format(time.RFC3339Nano))},
			":ttl":  {N: aws.String(strconv.FormatInt(i.Lease.TTL, 10))},
			":self": {S: &i.Region},
			":mine": {N: aws.String(strconv.FormatInt(epoch, 10))},
		},
	})
	switch {
	case store.ConditionFailed(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("renew lease of %q: %w", i.Application, err)
	}
	i.lease.set(i.Region, epoch, started.Add(i.Lease.ttl()))
	return false, nil
}

// createLease makes the first lease, in the Region that has the writer.
func (i *Instance) createLease() error {
	if _, region := i.fleet.stores.Databases.Writer(i.GlobalCluster); region != i.Region {
		return nil
	}
	started := time.Now()
	item := i.leaseKey()
	item["holder"] = &dynamodb.AttributeValue{S: &i.Region}
	item["epoch"] = &dynamodb.AttributeValue{N: aws.String("1")}
	item["renewed"] = &dynamodb.AttributeValue{S: aws.String(started.UTC().Format(time.RFC3339Nano))}
	item["ttl_ms"] = &dynamodb.AttributeValue{N: aws.String(strconv.FormatInt(i.Lease.TTL, 10))}
	_, err := i.tables().PutItem(i.Region, i.Lease.Region, &dynamodb.PutItemInput{
		TableName: &i.Lease.Table, Item: item, ConditionExpression: aws.String("attribute_not_exists(application)"),
	})
	switch {
	case store.ConditionFailed(err):
		return nil // another instance was faster; the next look finds its lease
	case err != nil:
		return fmt.Errorf("create lease of %q: %w", i.Application, err)
	case !i.fleet.advance(i.site(), 1):
		return fmt.Errorf("lease of %q vanished: not trusted", i.Application)
	}
	i.lease.set(i.Region, 1, started.Add(i.Lease.ttl()))
	return nil
}
