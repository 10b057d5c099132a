package drs

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
)

// point is a point in time to which a server can be recovered.
type point struct {
	id    string
	order int
	at    time.Time // whose data it holds
	born  int       // in minutes of the server's replication
}

func unit(units string) int {
	switch units {
	case sdk.PITPolicyRuleUnitsDay:
		return 24 * 60
	case sdk.PITPolicyRuleUnitsHour:
		return 60
	default:
		return 1
	}
}

// policy is the server's, or DRS's own: every 10 minutes for an hour, every hour
// for a day, every day for a week.
func (s *server) policy() []*sdk.PITPolicyRule {
	if len(s.settings.PitPolicy) > 0 {
		return s.settings.PitPolicy
	}
	rule := func(units string, interval, retention int64) *sdk.PITPolicyRule {
		return &sdk.PITPolicyRule{Units: aws.String(units), Interval: aws.Int64(interval), RetentionDuration: aws.Int64(retention)}
	}
	return []*sdk.PITPolicyRule{
		rule(sdk.PITPolicyRuleUnitsMinute, 10, 60), rule(sdk.PITPolicyRuleUnitsHour, 1, 24), rule(sdk.PITPolicyRuleUnitsDay, 1, 7),
	}
}

// takePoint makes a point in time of now.
func (d *DRS) takePoint(s *server) *point {
	p := &point{id: d.world.NewID("pit-"), order: d.next(), at: d.world.Now(), born: s.replication.total}
	s.points = append(s.points, p)
	return p
}

// keepPoints takes a point when a rule wants one this minute, and drops those
// that no rule retains. The newest is always retained.
func (d *DRS) keepPoints(s *server) {
	now := s.replication.total
	rules := slices.DeleteFunc(slices.Clone(s.policy()), func(r *sdk.PITPolicyRule) bool { return r.Enabled != nil && !*r.Enabled })
	if slices.ContainsFunc(rules, func(r *sdk.PITPolicyRule) bool { return now%(int(*r.Interval)*unit(*r.Units)) == 0 }) {
		d.takePoint(s)
	}
	newest := len(s.points) - 1
	var kept []*point
	for i, p := range s.points {
		wanted := func(r *sdk.PITPolicyRule) bool {
			minutes := unit(*r.Units)
			return now-p.born <= int(*r.RetentionDuration)*minutes && p.born%(int(*r.Interval)*minutes) == 0
		}
		if i == newest || slices.ContainsFunc(rules, wanted) {
			kept = append(kept, p)
		}
	}
	s.points = kept
}

// newest is the latest point in time; nil when there is none.
func (s *server) newest() *point {
	if len(s.points) == 0 {
		return nil
	}
	return s.points[len(s.points)-1]
}

func (s *server) point(id string) (*point, error) {
	i := slices.IndexFunc(s.points, func(p *point) bool { return p.id == id })
	if i < 0 {
		return nil, notFound("Recovery snapshot", id)
	}
	return s.points[i], nil
}

// describeRecoverySnapshots lists the points in time, oldest first unless asked
// otherwise.
func (d *DRS) describeRecoverySnapshots(r *region, in *sdk.DescribeRecoverySnapshotsInput) (*sdk.DescribeRecoverySnapshotsOutput, error) {
	s, err := r.server(in.SourceServerID)
	if err != nil {
		return nil, err
	}
	from, to := time.Time{}, d.world.Now()
	if f := in.Filters; f != nil {
		if from, err = moment(f.FromDateTime, from); err != nil {
			return nil, err
		}
		if to, err = moment(f.ToDateTime, to); err != nil {
			return nil, err
		}
	}
	found := slices.DeleteFunc(slices.Clone(s.points), func(p *point) bool { return p.at.Before(from) || p.at.After(to) })
	found, next, err := page(found, in.MaxResults, in.NextToken, func(p *point) string {
		const last = 999_999_999
		at := p.order
		if aws.StringValue(in.Order) == sdk.RecoverySnapshotsOrderDesc {
			at = last - at
		}
		return fmt.Sprintf("%09d", at)
	})
	out := &sdk.DescribeRecoverySnapshotsOutput{NextToken: next, Items: []*sdk.RecoverySnapshot{}}
	for _, p := range found {
		out.Items = append(out.Items, &sdk.RecoverySnapshot{
			SnapshotID: aws.String(p.id), SourceServerID: aws.String(s.id), Timestamp: stamp(p.at), ExpectedTimestamp: stamp(p.at),
		})
	}
	return out, err
}

// moment reads a time of a filter.
func moment(text *string, missing time.Time) (time.Time, error) {
	if text == nil {
		return missing, nil
	}
	at, err := time.Parse(time.RFC3339Nano, *text)
	if err != nil {
		return time.Time{}, invalid("%q is no time.", *text)
	}
	return at, nil
}
