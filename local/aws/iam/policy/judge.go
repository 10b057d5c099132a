package policy

import (
	"slices"
	"strings"
)

// Principal is somebody who asks: an AWS identity by ARN, or a service by name.
type Principal struct{ Kind, ID string }

// Service is an AWS service, such as backup.amazonaws.com.
func Service(name string) Principal { return Principal{"Service", name} }

// Identities are the ARNs under which one caller is known.
func Identities(arns []string) []Principal {
	out := make([]Principal, 0, len(arns))
	for _, arn := range arns {
		out = append(out, Principal{"AWS", arn})
	}
	return out
}

// Request is what a document is asked about.
type Request struct {
	Principals []Principal // all of one caller; empty for identity policies
	Action     string
	Resource   string
	// Context has the values of condition keys. A key that isn't there fails a
	// condition, as on AWS.
	Context map[string]string
	// Open are keys whose value the asker can't know yet; they meet any condition.
	Open []string
}

// Allows says whether a statement allows the request and none denies it.
func (d Document) Allows(r Request) bool {
	verdict := func(effect string) bool {
		return slices.ContainsFunc(d.Statements, func(s Statement) bool {
			return s.Effect == effect && s.covers(r)
		})
	}
	return verdict("Allow") && !verdict("Deny")
}

func (s Statement) covers(r Request) bool {
	return s.means(r.Principals) && s.acts(r.Action) && s.on(r.Resource) && s.holds(r)
}

func (s Statement) means(callers []Principal) bool {
	switch {
	case len(s.NotPrincipal) > 0:
		return !s.NotPrincipal.include(callers)
	case len(s.Principal) > 0:
		return s.Principal.include(callers)
	default:
		return true
	}
}

func (p Principals) include(callers []Principal) bool {
	if _, all := p["*"]; all || slices.Contains(p["AWS"], "*") {
		return true
	}
	return slices.ContainsFunc(callers, func(c Principal) bool {
		return slices.ContainsFunc(p[c.Kind], func(id string) bool {
			return id == c.ID || (c.Kind == "AWS" && accountOf(id) != "" && accountOf(id) == owner(c.ID))
		})
	})
}

// accountOf is the account that a principal stands for as a whole, or "".
func accountOf(id string) string {
	if !strings.Contains(id, ":") {
		return id
	}
	if strings.HasSuffix(id, ":root") {
		return owner(id)
	}
	return ""
}

func owner(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

func (s Statement) acts(action string) bool {
	if len(s.NotAction) > 0 {
		return !s.NotAction.match(action, true)
	}
	return s.Action.match(action, true)
}

func (s Statement) on(resource string) bool {
	switch {
	case len(s.NotResource) > 0:
		return !s.NotResource.match(resource, false)
	case len(s.Resource) > 0:
		return s.Resource.match(resource, false)
	default:
		return true
	}
}

func (w words) match(v string, fold bool) bool {
	return slices.ContainsFunc(w, func(pattern string) bool {
		if fold {
			return Match(strings.ToLower(pattern), strings.ToLower(v))
		}
		return Match(pattern, v)
	})
}

// Match compares with a pattern in which * stands for any text and ? for any
// character. Unlike in file names, both may stand for a slash.
func Match(pattern, v string) bool {
	p, s, star, mark := 0, 0, -1, 0
	for s < len(v) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, s
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == v[s]):
			p++
			s++
		case star >= 0:
			mark++
			p, s = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// holds says whether every condition is met.
func (s Statement) holds(r Request) bool {
	for operator, keys := range s.Condition {
		for key, want := range keys {
			if !r.meets(operator, key, want) {
				return false
			}
		}
	}
	return true
}

func (r Request) meets(operator, key string, want values) bool {
	if slices.ContainsFunc(r.Open, func(k string) bool { return strings.EqualFold(k, key) }) {
		return true
	}
	got, known := r.value(key)
	base := plain(operator)
	negated := strings.Contains(base, "Not")
	switch {
	case base == "Null":
		return slices.Contains(want, "true") != known
	case !known:
		return negated || strings.HasSuffix(operator, "IfExists") || strings.HasPrefix(operator, "ForAllValues:")
	}
	same := comparison(strings.Replace(base, "Not", "", 1))
	return same != nil && negated != slices.ContainsFunc(want, func(w string) bool { return same(w, got) })
}

func (r Request) value(key string) (string, bool) {
	for k, v := range r.Context {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// comparison is how an operator compares; nil for those that aren't judged.
func comparison(operator string) func(want, got string) bool {
	switch operator {
	case "StringEquals":
		return func(want, got string) bool { return want == got }
	case "StringEqualsIgnoreCase", "Bool":
		return strings.EqualFold
	case "StringLike", "ArnLike", "ArnEquals":
		return Match
	default:
		return nil
	}
}
