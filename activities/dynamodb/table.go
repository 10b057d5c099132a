package dynamodb

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// WriteTableWatermark leaves Region's mark in its own replica. What another
// Region reads of it is the only measure of loss once Region is dark.
func (s *Steps) WriteTableWatermark(ctx context.Context, in TableWatermark) error {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	return s.mark(ctx, at, in.Table, watermarkID(in.Region), "")
}

// MeasureTableLag reads the newest watermark of Region Of in Region's replica.
func (s *Steps) MeasureTableLag(ctx context.Context, in TableLag) (runbook.Watermark, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	read := s.Now().UTC()
	item, err := s.get(ctx, at, in.Table, text("id", watermarkID(in.Of)))
	if err != nil {
		return runbook.Watermark{}, fmt.Errorf("read watermark of %s in table %q: %w", in.Of, in.Table, err)
	}
	if item == nil {
		return runbook.Watermark{Read: read}, nil
	}
	written, err := instant(item, "at")
	if err != nil {
		return runbook.Watermark{}, fmt.Errorf("read watermark of %s in table %q: %w", in.Of, in.Table, err)
	}
	return runbook.Watermark{Found: true, At: written, Read: read}, nil
}

// AwaitTableCaughtUp puts a marker into From's replica and waits until To's has
// it. After writes have stopped in From, everything before the marker is then in
// To as well. The marker is one item per Region, so markers never pile up; the
// token tells this one from the last run's.
func (s *Steps) AwaitTableCaughtUp(ctx context.Context, in TableCaughtUp) (runbook.Outcome, error) {
	if in.DryRun {
		return runbook.Outcome{
			Effect:   runbook.Would,
			Evidence: fmt.Sprintf("write a marker to table %q in %s and wait for it in %s", in.Table, in.From, in.To),
		}, nil
	}
	if in.Token == "" {
		return runbook.Outcome{}, cloud.Errorf(cloud.Invalid, "await table %q: a marker needs a token", in.Table)
	}
	start := s.Now()
	id := "lifeline#marker#" + string(in.From)
	if err := s.mark(ctx, cloud.At{Region: in.From, Timeout: in.Timeout}, in.Table, id, in.Token); err != nil {
		return runbook.Outcome{}, err
	}
	err := cloud.Poll(ctx, in.Interval, func(ctx context.Context) (bool, string, error) {
		item, err := s.get(ctx, cloud.At{Region: in.To, Timeout: in.Timeout}, in.Table, text("id", id))
		if err != nil {
			return false, "", err
		}
		return str(item, "token") == in.Token, "the marker has not arrived", nil
	})
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("await table %q from %s in %s: %w", in.Table, in.From, in.To, err)
	}
	return runbook.Outcome{
		Effect:   runbook.Acted,
		Evidence: fmt.Sprintf("a marker from %s was in %s after %s", in.From, in.To, s.Now().Sub(start).Round(time.Millisecond)),
	}, nil
}

// DescribeReplicas reads the state of every replica of a global table. The table
// of the Region that is asked is itself one of them.
func (s *Steps) DescribeReplicas(ctx context.Context, in TableRef) (Replicas, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out, err := cloud.Call(ctx, at, s.Clients(in.Region).DescribeTable, &sdk.DescribeTableInput{TableName: aws.String(in.Table)})
	if err != nil {
		return Replicas{}, fmt.Errorf("describe table %q: %w", in.Table, err)
	}
	r := Replicas{Status: map[string]string{string(in.Region): string(out.Table.TableStatus)}}
	for _, replica := range out.Table.Replicas {
		r.Status[aws.ToString(replica.RegionName)] = string(replica.ReplicaStatus)
	}
	return r, nil
}

// mark puts an item with the present time.
func (s *Steps) mark(ctx context.Context, at cloud.At, table, id, token string) error {
	item := text("id", id)
	item["at"] = value(stamp(s.Now()))
	if token != "" {
		item["token"] = value(token)
	}
	_, err := cloud.Call(ctx, at, s.Clients(at.Region).PutItem, &sdk.PutItemInput{TableName: aws.String(table), Item: item})
	if err != nil {
		return fmt.Errorf("write %q to table %q: %w", id, table, err)
	}
	return nil
}

// get reads one item with strong consistency, nil when there is none. Strong
// within the Region: what another Region wrote is there when it has arrived.
func (s *Steps) get(ctx context.Context, at cloud.At, table string, key map[string]types.AttributeValue) (map[string]types.AttributeValue, error) {
	out, err := cloud.Call(ctx, at, s.Clients(at.Region).GetItem,
		&sdk.GetItemInput{TableName: aws.String(table), Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		return nil, err
	}
	return out.Item, nil
}

func watermarkID(region plan.Region) string { return "lifeline#watermark#" + string(region) }
