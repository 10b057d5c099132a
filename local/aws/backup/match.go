package backup

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
)

// takes says whether a selection assigns a resource, opt-in considered.
func (r *region) takes(s *sdk.Selection, res Resource) bool {
	if excluded(s, res) || !satisfies(s.Conditions, res.Tags) {
		return false
	}
	named := slices.ContainsFunc(s.Resources, func(arn *string) bool {
		return aws.StringValue(arn) != "*" && like(aws.StringValue(arn), res.ARN)
	})
	everything := slices.ContainsFunc(s.Resources, func(arn *string) bool { return aws.StringValue(arn) == "*" })
	byTag := tagged(s.ListOfTags, res.Tags) ||
		(len(s.Resources) == 0 && len(s.ListOfTags) == 0 && conditionCount(s.Conditions) > 0)
	k, known := kindOf(res.Type)
	switch {
	case !known:
		return false
	case named:
		// Named resources are backed up whatever was opted into, but for these.
		return !k.strict || r.settings.optIn[k.name]
	default:
		return (everything || byTag) && r.settings.optIn[k.name]
	}
}

func excluded(s *sdk.Selection, res Resource) bool {
	return slices.ContainsFunc(s.NotResources, func(arn *string) bool { return like(aws.StringValue(arn), res.ARN) })
}

// tagged says whether at least one condition of ListOfTags holds.
func tagged(list []*sdk.Condition, tags map[string]string) bool {
	return slices.ContainsFunc(list, func(c *sdk.Condition) bool {
		value, ok := tags[strings.TrimPrefix(*c.ConditionKey, tagPrefix)]
		return ok && value == *c.ConditionValue
	})
}

// satisfies says whether all Conditions hold. A tag that isn't there is not equal
// to anything.
func satisfies(c *sdk.Conditions, tags map[string]string) bool {
	if c == nil {
		return true
	}
	equal := func(pattern, value string) bool { return pattern == value }
	return holds(c.StringEquals, tags, equal, true) && holds(c.StringNotEquals, tags, equal, false) &&
		holds(c.StringLike, tags, like, true) && holds(c.StringNotLike, tags, like, false)
}

func holds(list []*sdk.ConditionParameter, tags map[string]string, match func(pattern, value string) bool, want bool) bool {
	for _, p := range list {
		value, ok := tags[strings.TrimPrefix(aws.StringValue(p.ConditionKey), tagPrefix)]
		if (ok && match(aws.StringValue(p.ConditionValue), value)) != want {
			return false
		}
	}
	return true
}

// like matches a text with a pattern in which * stands for anything.
func like(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// assigned are the resources that a plan's selections take now, with the role of
// the first selection that does.
func (b *Backup) assigned(r *region, p *plan) map[string]assignment {
	out := map[string]assignment{}
	for _, res := range b.resources(r.name) {
		if a, ok := r.assign(p, res); ok {
			out[res.ARN] = a
		}
	}
	return out
}

type assignment struct {
	resource Resource
	role     string
}

func (r *region) assign(p *plan, res Resource) (assignment, bool) {
	var first *selection
	for _, s := range p.selections {
		if (first == nil || s.sequence < first.sequence) && r.takes(s.document, res) {
			first = s
		}
	}
	if first == nil {
		return assignment{}, false
	}
	return assignment{res, *first.document.IamRoleArn}, true
}
