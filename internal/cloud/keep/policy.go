package keep

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lifeline/internal/runbook"
)

// SamePolicy gives what to report as read of a policy document or statement:
// want when both mean the same, and otherwise what was read in canonical form.
//
// AWS gives documents back otherwise than it got them: S3 shuffles principals,
// sorts actions, and makes a string of a list of one. So lists are compared as
// sets, and a set of one is the same as its element.
func SamePolicy(want, have string) string {
	canonical, err := policyForm(have)
	if err != nil {
		return have
	}
	if wanted, err := policyForm(want); err == nil && wanted == canonical {
		return want
	}
	return canonical
}

// policyForm is one text for all documents that mean the same.
func policyForm(text string) (string, error) {
	v, err := decode(text)
	if err != nil {
		return "", err
	}
	return runbook.Document(setForm(v)), nil
}

func decode(text string) (any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("read policy document: %w", err)
	}
	return v, nil
}

// setForm sorts lists and takes lists of one apart.
func setForm(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, member := range v {
			if key != "Sid" || member != "" { // S3 adds an empty one
				out[key] = setForm(member)
			}
		}
		return out
	case []any:
		byText := map[string]any{}
		texts := make([]string, 0, len(v))
		for _, member := range v {
			form := setForm(member)
			text := runbook.Document(form)
			byText[text], texts = form, append(texts, text)
		}
		slices.Sort(texts)
		texts = slices.Compact(texts)
		if len(texts) == 1 {
			return byText[texts[0]]
		}
		out := make([]any, len(texts))
		for i, text := range texts {
			out[i] = byText[text]
		}
		return out
	default:
		return v
	}
}

// Policy is a policy document that several parties share: each owns the
// statements with its Sids and leaves the others alone.
type Policy struct {
	document   map[string]any
	statements []any
}

// ParsePolicy takes a document apart; "" is one without statements.
func ParsePolicy(text string) (Policy, error) {
	var p Policy
	if text == "" {
		return p, nil
	}
	v, err := decode(text)
	if err != nil {
		return p, err
	}
	document, ok := v.(map[string]any)
	if !ok {
		return p, fmt.Errorf("read policy document: %.40q is no object", text)
	}
	p.document = document
	switch statements := document["Statement"].(type) {
	case []any:
		p.statements = statements
	case map[string]any:
		p.statements = []any{statements}
	}
	return p, nil
}

// Statement gives what to report as read of the statement with the Sid that
// want has: want itself when they mean the same, and "" when there is none.
func (p Policy) Statement(want string) string {
	sid, err := sidOf(want)
	if err != nil {
		return ""
	}
	for _, s := range p.statements {
		if named(s, sid) {
			return SamePolicy(want, runbook.Document(s))
		}
	}
	return ""
}

// With puts statements in, each in the place of the one with its Sid.
func (p Policy) With(statements ...string) (Policy, error) {
	out := Policy{document: p.document, statements: slices.Clone(p.statements)}
	for _, text := range statements {
		sid, err := sidOf(text)
		if err != nil {
			return p, err
		}
		v, err := decode(text)
		if err != nil {
			return p, err
		}
		out.statements = slices.DeleteFunc(out.statements, func(s any) bool { return named(s, sid) })
		out.statements = append(out.statements, v)
	}
	return out, nil
}

// String is the document as it is sent.
func (p Policy) String() string {
	out := map[string]any{}
	if p.document == nil {
		out["Version"] = "2012-10-17" // never added to somebody's document: it changes what variables mean
	}
	maps.Copy(out, p.document)
	out["Statement"] = p.statements
	return runbook.Document(out)
}

// PolicyIncludes says whether every statement of want is among those of have,
// whatever their Sids.
func PolicyIncludes(have, want string) bool {
	missing, _, err := missing(have, want)
	return err == nil && len(missing) == 0
}

// PolicyUnion adds to have the statements of want that it lacks.
func PolicyUnion(have, want string) (string, error) {
	missing, p, err := missing(have, want)
	p.statements = append(slices.Clone(p.statements), missing...)
	return p.String(), err
}

func missing(have, want string) (out []any, from Policy, err error) {
	if from, err = ParsePolicy(have); err != nil {
		return nil, from, err
	}
	wanted, err := ParsePolicy(want)
	if err != nil {
		return nil, from, err
	}
	for _, w := range wanted.statements {
		if !slices.ContainsFunc(from.statements, func(h any) bool { return unnamed(h) == unnamed(w) }) {
			out = append(out, w)
		}
	}
	return out, from, nil
}

// unnamed is what a statement says, without its Sid.
func unnamed(statement any) string {
	form, ok := setForm(statement).(map[string]any)
	if ok {
		delete(form, "Sid")
	}
	return runbook.Document(form)
}

// Bare says that the document has no statement.
func (p Policy) Bare() bool { return len(p.statements) == 0 }

func named(statement any, sid string) bool {
	s, ok := statement.(map[string]any)
	return ok && s["Sid"] == sid
}

// sidOf reads the Sid, without which a statement has no owner.
func sidOf(statement string) (string, error) {
	var s struct{ Sid string }
	if err := json.Unmarshal([]byte(statement), &s); err != nil {
		return "", fmt.Errorf("read policy statement: %w", err)
	}
	if s.Sid == "" {
		return "", fmt.Errorf("a statement without Sid: %.80s", statement)
	}
	return s.Sid, nil
}
