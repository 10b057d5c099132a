package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Document is a policy, taken apart.
type Document struct {
	Version    string
	ID         string     `json:"Id"`
	Statements statements `json:"Statement"`
}

// Statement is one sentence of a policy.
type Statement struct {
	Sid, Effect             string
	Principal, NotPrincipal Principals
	Action, NotAction       words
	Resource, NotResource   words
	Condition               map[string]map[string]values
}

// Principals are ids by kind: AWS, Service, Federated, CanonicalUser. Everybody
// is the kind "*".
type Principals map[string]words

// Kind is where a document is used, which decides what it must hold.
type Kind int

// The kinds of document.
const (
	Identity Kind = iota // what somebody may do
	Trust                // who may take a role
	Resource             // who may do what with the thing that it is attached to
)

type (
	statements []Statement
	words      []string
	values     []string
)

// UnmarshalJSON reads one statement or a list of them.
func (s *statements) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		var single Statement
		if err := strictly(raw, &single); err != nil {
			return err
		}
		*s = statements{single}
		return nil
	}
	var list []Statement
	if err := strictly(raw, &list); err != nil {
		return err
	}
	*s = list
	return nil
}

// UnmarshalJSON reads one string or a list of them.
func (w *words) UnmarshalJSON(raw []byte) error {
	var single string
	if json.Unmarshal(raw, &single) == nil {
		*w = words{single}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

// UnmarshalJSON reads one value or a list of them; numbers and booleans may stand
// without quotes.
func (v *values) UnmarshalJSON(raw []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	for _, item := range list {
		text := strings.TrimSpace(string(item))
		switch {
		case strings.HasPrefix(text, `"`):
			var s string
			if err := json.Unmarshal(item, &s); err != nil {
				return err
			}
			*v = append(*v, s)
		case text == "null", strings.ContainsAny(text, "{["):
			return errors.New("a condition's value is a scalar")
		default:
			*v = append(*v, text)
		}
	}
	return nil
}

// UnmarshalJSON reads "*" or ids by kind.
func (p *Principals) UnmarshalJSON(raw []byte) error {
	var everybody string
	if json.Unmarshal(raw, &everybody) == nil {
		if everybody != "*" {
			return fmt.Errorf("principal %q has no kind", everybody)
		}
		*p = Principals{"*": {"*"}}
		return nil
	}
	return json.Unmarshal(raw, (*map[string]words)(p))
}

func strictly(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
