package plan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Severity says whether a plan with the problem may be used.
type Severity string

// Severities. A plan with an error is never run; a warning is for a person to judge.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Position is a place in a plan file: line and column count from 1, columns in
// characters. The zero Position means the file as a whole.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Problem is one thing wrong with a plan.
type Problem struct {
	File     string   `json:"file,omitempty"`
	Position Position `json:"position"`
	// Path leads to the value from the plan's root, "resources[1].regions.us-east-1".
	Path     string   `json:"path,omitempty"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
	// Source is the line of the file that Position points into.
	Source string `json:"-"`
}

// String is the problem as compilers print it, the hint on a line of its own.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Position.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", p.Position.Line, p.Position.Column)
	} else if p.Path != "" {
		b.WriteString(p.Path + ":")
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	fmt.Fprintf(&b, "%s: %s", p.Severity, p.Message)
	if p.Hint != "" {
		b.WriteString("\n    hint: " + p.Hint)
	}
	return b.String()
}

// Problems is everything that is wrong with a plan, in the order of the file.
// It is an error, but a list that holds warnings alone is no reason to stop:
// callers return Err(), not the list.
type Problems []Problem

// Error is all problems, one after the other.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil unless a problem of severity error is among them.
func (p Problems) Err() error {
	if len(p.Errors()) == 0 {
		return nil
	}
	return p
}

// Errors are the problems that forbid to use the plan.
func (p Problems) Errors() Problems { return p.of(Error) }

// Warnings are the problems that a person should judge.
func (p Problems) Warnings() Problems { return p.of(Warning) }

func (p Problems) of(s Severity) Problems {
	var out Problems
	for _, problem := range p {
		if problem.Severity == s {
			out = append(out, problem)
		}
	}
	return out
}

// Print writes the problems with the line that each one is about and a mark
// under the place, then the count.
func (p Problems) Print(w io.Writer) error {
	var b strings.Builder
	for _, problem := range p {
		b.WriteString(problem.excerpt())
	}
	if len(p) > 0 {
		fmt.Fprintf(&b, "%s, %s\n", count(len(p.Errors()), "error"), count(len(p.Warnings()), "warning"))
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print the plan's problems: %w", err)
	}
	return nil
}

// excerpt is the problem with its line of source between message and hint.
func (p Problem) excerpt() string {
	head, hint, _ := strings.Cut(p.String(), "\n")
	var b strings.Builder
	b.WriteString(head + "\n")
	if p.Source != "" {
		number := fmt.Sprintf("%5d", p.Position.Line)
		text, mark := window(p.Source, p.Position.Column-1)
		fmt.Fprintf(&b, "%s | %s\n", number, text)
		fmt.Fprintf(&b, "%s | %s^\n", strings.Repeat(" ", len(number)), mark)
	}
	if hint != "" {
		b.WriteString(hint + "\n")
	}
	return b.String()
}

// window is the part of a line around its n-th character, and the white space
// that leads to the same place: tabs stay tabs in both. What a terminal would
// obey instead of print is replaced.
func window(line string, n int) (text, mark string) {
	const width = 120
	runes := []rune(line)
	n = min(n, len(runes))
	first := max(0, n-width/2)
	last := min(len(runes), first+width)
	var t, m strings.Builder
	for i, r := range runes[first:last] {
		if r != '\t' && invisible(r) {
			r = '\ufffd'
		}
		t.WriteRune(r)
		if i < n-first {
			if r != '\t' {
				r = ' '
			}
			m.WriteRune(r)
		}
	}
	return t.String(), m.String()
}

// sorted orders by position, and by severity and words where several share one.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Position.Line, b.Position.Line),
			cmp.Compare(a.Position.Column, b.Position.Column),
			cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return p
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
