package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const current = "2012-10-17"

// Problem is what is wrong with a document, in AWS's words.
type Problem string

// Error is the text.
func (p Problem) Error() string { return string(p) }

// Parse reads a document and checks what AWS checks before it stores one. Its
// error is a Problem.
func Parse(text string, kind Kind) (Document, error) {
	var d Document
	if !json.Valid([]byte(text)) || !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return d, Problem("This policy contains invalid Json")
	}
	if err := strictly([]byte(text), &d); err != nil {
		return d, syntax()
	}
	switch {
	case d.Version != "" && d.Version != current && d.Version != "2008-10-17", len(d.Statements) == 0:
		return d, syntax()
	case kind == Identity && d.Version != current:
		return d, Problem("Policy document must be version 2012-10-17 or greater.")
	}
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if s.Sid != "" && seen[s.Sid] {
			return d, Problem("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.Sid] = true
		if err := s.check(kind); err != nil {
			return d, err
		}
	}
	return d, nil
}

func syntax() error {
	return Problem("Syntax errors in policy.")
}

func (s Statement) check(kind Kind) error {
	if s.Effect != "Allow" && s.Effect != "Deny" {
		return syntax()
	}
	if kind == Identity && !regexp.MustCompile(`^[A-Za-z0-9]*$`).MatchString(s.Sid) {
		return Problem("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
	}
	return firstOf(s.checkParts(kind), s.checkActions(kind), s.checkResources(kind), s.checkPrincipals(), s.checkConditions())
}

func firstOf(problems ...error) error {
	for _, p := range problems {
		if p != nil {
			return p
		}
	}
	return nil
}

// checkParts says which elements a statement of this kind has and hasn't.
func (s Statement) checkParts(kind Kind) error {
	who := len(s.Principal)+len(s.NotPrincipal) > 0
	what := len(s.Resource)+len(s.NotResource) > 0
	switch {
	case len(s.Principal) > 0 && len(s.NotPrincipal) > 0, len(s.Action) > 0 && len(s.NotAction) > 0,
		len(s.Resource) > 0 && len(s.NotResource) > 0:
		return syntax()
	case kind == Identity && who:
		return Problem("Policy document should not specify a principal.")
	case kind != Identity && !who:
		return Problem("Missing required field Principal")
	case kind == Trust && what:
		return Problem("Has prohibited field Resource")
	case kind != Trust && !what:
		return Problem("Policy statement must contain resources.")
	case len(s.Action)+len(s.NotAction) == 0:
		return Problem("Policy statement must contain actions.")
	}
	return nil
}

func (s Statement) checkActions(kind Kind) error {
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		vendor, name, ok := strings.Cut(a, ":")
		switch {
		case a == "*" && kind != Trust:
		case kind == Trust && (!strings.EqualFold(vendor, "sts") || !ok):
			return Problem("AssumeRole policy may only specify STS AssumeRole actions.")
		case !ok:
			return Problem("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		case !regexp.MustCompile(`^[a-zA-Z0-9-]+$`).MatchString(vendor):
			return Problem(fmt.Sprintf("Vendor %s is not valid", vendor))
		case !regexp.MustCompile(`^[a-zA-Z0-9*?]+$`).MatchString(name):
			return syntax()
		}
	}
	return nil
}

func (s Statement) checkResources(kind Kind) error {
	for _, r := range slices.Concat(s.Resource, s.NotResource) {
		if kind == Identity && r != "*" && (!strings.HasPrefix(r, "arn:") || strings.Count(r, ":") < 5) {
			return Problem(fmt.Sprintf("Resource %s must be in ARN format or \"*\".", r))
		}
	}
	return nil
}

func (s Statement) checkPrincipals() error {
	for _, of := range []Principals{s.Principal, s.NotPrincipal} {
		for kind, ids := range of {
			for _, id := range ids {
				if !principal(kind, id) {
					return Problem(fmt.Sprintf("Invalid principal in policy: \"%s\":\"%s\"", strings.ToUpper(kind), id))
				}
			}
		}
	}
	return nil
}

func principal(kind, id string) bool {
	switch kind {
	case "AWS":
		return id == "*" || regexp.MustCompile(`^(\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)/.+)|A[A-Z0-9]{15,})$`).MatchString(id)
	case "Service":
		return regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$`).MatchString(id)
	case "*", "Federated", "CanonicalUser":
		return id != ""
	default:
		return false
	}
}

func (s Statement) checkConditions() error {
	for operator, keys := range s.Condition {
		base := plain(operator)
		if !slices.Contains(operators(), base) {
			return Problem(fmt.Sprintf("Invalid Condition type : %s.", operator))
		}
		for key := range keys {
			if !strings.Contains(key, ":") {
				return Problem("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
	}
	return nil
}

// plain is a condition operator without what may stand around it.
func plain(operator string) string {
	if _, after, ok := strings.Cut(operator, ":"); ok {
		operator = after
	}
	return strings.TrimSuffix(operator, "IfExists")
}

func operators() []string {
	return []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
		"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
		"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
		"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	}
}

// Named are the AWS principals that a document names one by one.
func (d Document) Named() []string {
	var out []string
	for _, s := range d.Statements {
		out = slices.Concat(out, s.Principal["AWS"], s.NotPrincipal["AWS"])
	}
	return out
}
