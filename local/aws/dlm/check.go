package dlm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/dlm"
)

// problems are everything that is wrong with a policy.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// check gives the details with their defaults filled in, or refuses them with
// every problem that they have.
func (d *DLM) check(region string, in *sdk.PolicyDetails) (*sdk.PolicyDetails, error) {
	if in == nil {
		return nil, invalid("PolicyDetails is required.")
	}
	out, bad := clone(in), problems{}
	out.PolicyType = aws.String(cmp.Or(aws.StringValue(in.PolicyType), sdk.PolicyTypeValuesEbsSnapshotManagement))
	if *out.PolicyType != sdk.PolicyTypeValuesEbsSnapshotManagement {
		bad.add("PolicyType %s is not offered here", *out.PolicyType)
	}
	if len(in.ResourceTypes) != 1 {
		bad.add("ResourceTypes must name one type")
	}
	if len(in.TargetTags) == 0 {
		bad.add("TargetTags is required")
	}
	if len(in.Schedules) == 0 {
		bad.add("Schedules is required")
	}
	out.PolicyLanguage = aws.String(sdk.PolicyLanguageValuesStandard)
	if len(out.ResourceLocations) == 0 {
		out.ResourceLocations = []*string{aws.String(sdk.ResourceLocationValuesCloud)}
	}
	names := map[string]bool{}
	for i, s := range out.Schedules {
		s.Name = aws.String(cmp.Or(aws.StringValue(s.Name), fmt.Sprintf("Schedule %d", i+1)))
		if names[*s.Name] {
			bad.add("two schedules are named %s", *s.Name)
		}
		names[*s.Name] = true
		d.checkSchedule(region, s, &bad)
	}
	if len(bad) > 0 {
		return nil, invalid("%s.", strings.Join(bad, "; "))
	}
	return out, nil
}

func (d *DLM) checkSchedule(region string, s *sdk.Schedule, bad *problems) {
	if s.ArchiveRule != nil || s.FastRestoreRule != nil || len(s.ShareRules) > 0 || s.DeprecateRule != nil {
		bad.add("%s: archiving, fast restore, sharing and deprecation are not offered here", *s.Name)
	}
	if s.CreateRule == nil {
		bad.add("%s: CreateRule is required", *s.Name)
	} else {
		checkCreate(s, bad)
	}
	if s.RetainRule == nil {
		bad.add("%s: RetainRule is required", *s.Name)
	} else {
		checkRetain(s, bad)
	}
	seen := map[string]bool{region: true}
	for _, r := range s.CrossRegionCopyRules {
		d.checkCopy(s, r, seen, bad)
	}
}

func checkCreate(s *sdk.Schedule, bad *problems) {
	r := s.CreateRule
	switch {
	case aws.StringValue(r.Location) == sdk.LocationValuesOutpostLocal:
		bad.add("%s: there are no Outposts here", *s.Name)
	case (r.CronExpression == nil) == (r.Interval == nil):
		bad.add("%s: CreateRule needs CronExpression or Interval, and not both", *s.Name)
	case r.CronExpression != nil:
		if len(r.Times) > 0 || r.IntervalUnit != nil {
			bad.add("%s: CronExpression excludes Times and IntervalUnit", *s.Name)
		}
		if _, err := parseCron(*r.CronExpression); err != nil {
			bad.add("%s: CronExpression: %v", *s.Name, err)
		}
	case !slices.Contains([]int64{1, 2, 3, 4, 6, 8, 12, 24}, *r.Interval):
		bad.add("%s: Interval must be 1, 2, 3, 4, 6, 8, 12 or 24, not %d", *s.Name, *r.Interval)
	case r.IntervalUnit == nil:
		bad.add("%s: Interval needs IntervalUnit", *s.Name)
	}
	if r.Interval != nil && len(r.Times) == 0 {
		r.Times = []*string{aws.String("09:00")}
	}
	r.Location = aws.String(sdk.LocationValuesCloud)
}

func checkRetain(s *sdk.Schedule, bad *problems) {
	r := s.RetainRule
	counted := aws.Int64Value(r.Count) != 0
	aged := aws.Int64Value(r.Interval) != 0
	switch {
	case counted == aged:
		bad.add("%s: RetainRule needs Count or Interval, and not both", *s.Name)
	case counted && (*r.Count < 1 || *r.Count > 1000):
		bad.add("%s: Count must be between 1 and 1000", *s.Name)
	case aged:
		checkAge(*s.Name, r.Interval, r.IntervalUnit, bad)
	}
}

// checkAge keeps a retention between a day and a hundred years.
func checkAge(schedule string, interval *int64, unit *string, bad *problems) {
	const days = 36500
	switch {
	case unit == nil || interval == nil:
		bad.add("%s: a retention needs Interval and IntervalUnit", schedule)
	case *interval < 1 || *interval > days || lasting(*interval, *unit).Hours() > days*24:
		bad.add("%s: a retention lasts between one day and 100 years", schedule)
	}
}

func (d *DLM) checkCopy(s *sdk.Schedule, r *sdk.CrossRegionCopyRule, seen map[string]bool, bad *problems) {
	target := copyTarget(r)
	switch {
	case (r.Target == nil) == (r.TargetRegion == nil):
		bad.add("%s: a copy rule needs Target or TargetRegion, and not both", *s.Name)
	case !slices.Contains(d.world.Regions(), target):
		bad.add("%s: %s is no Region", *s.Name, target)
	case seen[target]:
		bad.add("%s: the copies of a schedule go to Regions that differ from each other and from its own, not to %s", *s.Name, target)
	}
	seen[target] = true
	if r.CmkArn != nil && !aws.BoolValue(r.Encrypted) {
		bad.add("%s: CmkArn needs Encrypted", *s.Name)
	}
	if r.DeprecateRule != nil {
		bad.add("%s: snapshots can't be deprecated", *s.Name)
	}
	if r.RetainRule != nil {
		checkAge(*s.Name, r.RetainRule.Interval, r.RetainRule.IntervalUnit, bad)
	}
}

func copyTarget(r *sdk.CrossRegionCopyRule) string {
	return cmp.Or(aws.StringValue(r.Target), aws.StringValue(r.TargetRegion))
}
