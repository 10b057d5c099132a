package dynamodb

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/wire"
)

// longestPeriod is how many days back a table can be restored, at most and by
// default.
const longestPeriod = 35

// backups are a table's point-in-time recovery settings, per replica.
type backups struct {
	since time.Time // zero: disabled
	days  int64
}

// period is the member of requests that is younger than version 1's shapes.
type period struct {
	PointInTimeRecoverySpecification struct {
		RecoveryPeriodInDays *int64
	}
}

// describe tells the settings; now and the length of an AWS day are the world's.
func (b backups) describe(now time.Time, day time.Duration) *dynamodb.ContinuousBackupsDescription {
	pitr := &dynamodb.PointInTimeRecoveryDescription{
		PointInTimeRecoveryStatus: aws.String(dynamodb.PointInTimeRecoveryStatusDisabled),
	}
	if !b.since.IsZero() {
		pitr.PointInTimeRecoveryStatus = aws.String(dynamodb.PointInTimeRecoveryStatusEnabled)
		earliest := now.Add(-time.Duration(b.days) * day)
		if earliest.Before(b.since) {
			earliest = b.since
		}
		// AWS restores up to five minutes before now.
		latest := now.Add(-5 * day / (24 * 60))
		if latest.Before(earliest) {
			latest = earliest
		}
		pitr.EarliestRestorableDateTime, pitr.LatestRestorableDateTime = aws.Time(earliest), aws.Time(latest)
	}
	return &dynamodb.ContinuousBackupsDescription{
		ContinuousBackupsStatus:        aws.String(dynamodb.ContinuousBackupsStatusEnabled),
		PointInTimeRecoveryDescription: pitr,
	}
}

// described is describe for an answer, with the member that version 1 lacks.
func (d *DynamoDB) described(c *wire.Call, b backups) *dynamodb.ContinuousBackupsDescription {
	if !b.since.IsZero() {
		c.AddNewer(map[string]any{"RecoveryPeriodInDays": b.days}, "ContinuousBackupsDescription", "PointInTimeRecoveryDescription")
	}
	const day = 24 * time.Hour
	return b.describe(d.world.Now(), d.world.Wall(day))
}

func (d *DynamoDB) backupsOf(region string, name *string) (*table, error) {
	t, err := d.find(region, name)
	if err != nil {
		return nil, wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeTableNotFoundException, "Table not found: %s", nameOf(name))
	}
	return t, nil
}

// updateContinuousBackups switches point-in-time recovery of one replica: the
// others keep their own setting.
func (d *DynamoDB) updateContinuousBackups(c *wire.Call, in *dynamodb.UpdateContinuousBackupsInput) (*dynamodb.UpdateContinuousBackupsOutput, error) {
	var wish period
	if err := c.Newer(&wish); err != nil {
		return nil, err
	}
	days := wish.PointInTimeRecoverySpecification.RecoveryPeriodInDays
	enabled := aws.BoolValue(in.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled)
	switch {
	case days != nil && (*days < 1 || *days > longestPeriod):
		return nil, invalidParameter("RecoveryPeriodInDays must be between 1 and %d", longestPeriod)
	case days != nil && !enabled:
		return nil, invalidParameter("RecoveryPeriodInDays can only be specified when point in time recovery is enabled")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.backupsOf(c.Region, in.TableName)
	switch {
	case err != nil:
		return nil, err
	case t.status == dynamodb.TableStatusCreating:
		return nil, wire.Errorf(http.StatusBadRequest, dynamodb.ErrCodeContinuousBackupsUnavailableException, "Backups are being enabled for the table: %s. Please retry later", t.name)
	case !enabled:
		t.backups = backups{}
	case t.backups.since.IsZero():
		t.backups = backups{since: d.world.Now(), days: longestPeriod}
	}
	if days != nil {
		t.backups.days = *days
	}
	return &dynamodb.UpdateContinuousBackupsOutput{ContinuousBackupsDescription: d.described(c, t.backups)}, nil
}

func (d *DynamoDB) describeContinuousBackups(c *wire.Call, in *dynamodb.DescribeContinuousBackupsInput) (*dynamodb.DescribeContinuousBackupsOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.backupsOf(c.Region, in.TableName)
	if err != nil {
		return nil, err
	}
	return &dynamodb.DescribeContinuousBackupsOutput{ContinuousBackupsDescription: d.described(c, t.backups)}, nil
}
