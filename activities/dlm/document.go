package dlm

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dlm/types"

	"lifeline/internal/runbook"
)

// schedule is a schedule of a policy as items write it: AWS's names, and nothing
// for what is not set, so that two schedules alike have one text.
type schedule struct {
	Name     string     `json:"Name"`
	CopyTags bool       `json:"CopyTags"`
	Tags     []tag      `json:"TagsToAdd,omitempty"`
	Create   create     `json:"CreateRule"`
	Retain   retain     `json:"RetainRule"`
	Copies   []copyRule `json:"CrossRegionCopyRules,omitempty"`
}

type tag struct{ Key, Value string }

type create struct {
	Cron     string   `json:"CronExpression,omitempty"`
	Interval int32    `json:"Interval,omitempty"`
	Unit     string   `json:"IntervalUnit,omitempty"`
	Times    []string `json:"Times,omitempty"`
}

type retain struct {
	Count    int32  `json:"Count,omitempty"`
	Interval int32  `json:"Interval,omitempty"`
	Unit     string `json:"IntervalUnit,omitempty"`
}

type copyRule struct {
	Target    string  `json:"Target"`
	Encrypted bool    `json:"Encrypted"`
	Key       string  `json:"CmkArn,omitempty"`
	CopyTags  bool    `json:"CopyTags"`
	Retain    *retain `json:"RetainRule,omitempty"`
}

func schedulesOf(document string) ([]schedule, error) {
	var out []schedule
	if err := json.Unmarshal([]byte(document), &out); err != nil {
		return nil, fmt.Errorf("read schedules: %w", err)
	}
	return out, nil
}

// documentOf is the canonical text of the schedules that AWS answered.
func documentOf(have []types.Schedule) string {
	out := []schedule{}
	for _, s := range have {
		out = append(out, scheduleFrom(s))
	}
	return runbook.Document(out)
}

func scheduleFrom(s types.Schedule) schedule {
	out := schedule{Name: aws.ToString(s.Name), CopyTags: aws.ToBool(s.CopyTags)}
	for _, t := range s.TagsToAdd {
		out.Tags = append(out.Tags, tag{aws.ToString(t.Key), aws.ToString(t.Value)})
	}
	slices.SortFunc(out.Tags, func(a, b tag) int { return cmp.Compare(a.Key, b.Key) })
	if r := s.CreateRule; r != nil {
		out.Create = create{Cron: aws.ToString(r.CronExpression), Interval: aws.ToInt32(r.Interval), Unit: string(r.IntervalUnit), Times: r.Times}
	}
	if r := s.RetainRule; r != nil {
		out.Retain = retain{Count: aws.ToInt32(r.Count), Interval: aws.ToInt32(r.Interval), Unit: string(r.IntervalUnit)}
	}
	for _, c := range s.CrossRegionCopyRules {
		rule := copyRule{
			Target:    cmp.Or(aws.ToString(c.Target), aws.ToString(c.TargetRegion)),
			Encrypted: aws.ToBool(c.Encrypted), Key: aws.ToString(c.CmkArn), CopyTags: aws.ToBool(c.CopyTags),
		}
		if r := c.RetainRule; r != nil {
			rule.Retain = &retain{Interval: aws.ToInt32(r.Interval), Unit: string(r.IntervalUnit)}
		}
		out.Copies = append(out.Copies, rule)
	}
	return out
}

// input is a schedule to be sent. What Lifeline knows nothing of in the schedule
// of that name, such as archiving or fast restore, stays as it is.
func (s schedule) input(before []types.Schedule) types.Schedule {
	var in types.Schedule
	if i := slices.IndexFunc(before, func(b types.Schedule) bool { return aws.ToString(b.Name) == s.Name }); i >= 0 {
		in = before[i]
	}
	in.Name, in.CopyTags = aws.String(s.Name), aws.Bool(s.CopyTags)
	in.TagsToAdd, in.CrossRegionCopyRules = nil, nil
	for _, t := range s.Tags {
		in.TagsToAdd = append(in.TagsToAdd, types.Tag{Key: aws.String(t.Key), Value: aws.String(t.Value)})
	}
	in.CreateRule = s.Create.input()
	in.RetainRule = &types.RetainRule{Count: number(s.Retain.Count), Interval: number(s.Retain.Interval), IntervalUnit: types.RetentionIntervalUnitValues(s.Retain.Unit)}
	for _, c := range s.Copies {
		in.CrossRegionCopyRules = append(in.CrossRegionCopyRules, c.input())
	}
	return in
}

func (c create) input() *types.CreateRule {
	out := &types.CreateRule{Interval: number(c.Interval), IntervalUnit: types.IntervalUnitValues(c.Unit), Times: c.Times}
	if c.Cron != "" {
		out.CronExpression = aws.String(c.Cron)
	}
	return out
}

func (c copyRule) input() types.CrossRegionCopyRule {
	out := types.CrossRegionCopyRule{Target: aws.String(c.Target), Encrypted: aws.Bool(c.Encrypted), CopyTags: aws.Bool(c.CopyTags)}
	if c.Key != "" {
		out.CmkArn = aws.String(c.Key)
	}
	if c.Retain != nil {
		out.RetainRule = &types.CrossRegionCopyRetainRule{Interval: number(c.Retain.Interval), IntervalUnit: types.RetentionIntervalUnitValues(c.Retain.Unit)}
	}
	return out
}

// number leaves zero out: AWS reads it as a value.
func number(n int32) *int32 {
	if n == 0 {
		return nil
	}
	return &n
}
