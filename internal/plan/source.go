package plan

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of a plan file. They stand far above any plan that a person can read
// at 03:00, and far below what makes a parser slow or deep.
const (
	maxBytes = 256 << 10
	maxLines = 5000 // the parser's time grows with the square of a mapping's lines
	maxDepth = 32
	maxText  = 1024
	maxItems = 200
	// Beyond this many problems a list helps nobody, and costs: each holds its line.
	maxProblems = 500
)

// source is the text of a plan file and the problems found in it so far.
type source struct {
	file     string
	lines    []string
	problems Problems
}

// open reads the text into a syntax tree. The tree is nil when there is
// nothing that could be decoded; the problems say why.
func open(file string, src []byte) (*source, ast.Node) {
	src = bytes.TrimPrefix(src, []byte("\ufeff")) // a byte order mark takes no column
	s := &source{file: file}
	if len(src) > maxBytes {
		s.add(Position{}, "", Error, fmt.Sprintf("the plan has %d bytes, more than %d", len(src), maxBytes),
			"one plan holds one application: split it")
		return s, nil
	}
	text := strings.ReplaceAll(string(src), "\r\n", "\n")
	s.lines = strings.Split(text, "\n")
	if len(s.lines) > maxLines {
		s.add(Position{maxLines + 1, 1}, "", Error, fmt.Sprintf("the plan has %d lines, more than %d", len(s.lines), maxLines),
			"one plan holds one application: split it")
		return s, nil
	}
	if !s.legible() {
		return s, nil
	}
	return s, s.tree(text)
}

// legible refuses what no editor shows: broken UTF-8, control characters, and
// the invisible characters that reorder text. A plan must be what it looks like.
func (s *source) legible() bool {
	legible := true
	for i, l := range s.lines {
		column := 0
		for at, r := range l {
			column++
			_, size := utf8.DecodeRuneInString(l[at:])
			switch {
			case r == utf8.RuneError && size == 1:
				s.add(Position{i + 1, column}, "", Error, "this is not UTF-8", "save the file as UTF-8")
			case r != '\t' && invisible(r):
				s.add(Position{i + 1, column}, "", Error, fmt.Sprintf("invisible character %U", r), "delete it")
			default:
				continue
			}
			legible = false
		}
	}
	return legible
}

// invisible is true for characters that print nothing or reorder what is printed.
func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// tree parses the text as one YAML document.
func (s *source) tree(text string) (root ast.Node) {
	// The library is fuzzed less than it is used: whatever it stumbles over is a
	// plan that can't be read, never a dead process on the night it is needed.
	defer func() {
		if r := recover(); r != nil {
			s.add(Position{1, 1}, "", Error, fmt.Sprintf("the YAML can't be read: %v", r), "")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(text)
	if !s.plain(tokens) {
		return nil
	}
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		s.syntax(err)
		return nil
	}
	return s.single(f)
}

// plain refuses the parts of YAML that hide values (anchors, aliases, merge
// keys, tags) and nesting that no plan needs. Refusing anchors also leaves
// nothing to expand: there is no alias bomb.
func (s *source) plain(tokens token.Tokens) bool {
	ok, flow, line, entries := true, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, entries = t.Position.Line, 0
		}
		switch t.Type { //nolint:exhaustive // the others are what plans are made of
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType:
			s.add(at(t), "", Error, fmt.Sprintf("YAML %s are not allowed in a plan", feature(t.Type)),
				"write the value out where it applies")
			ok = false
		case token.MappingKeyType, token.SequenceEntryType:
			entries++
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		}
		if max(flow, entries, t.Position.IndentNum/4) > maxDepth {
			s.add(at(t), "", Error, fmt.Sprintf("nested more than %d levels deep", maxDepth), "")
			return false
		}
	}
	return ok
}

func feature(t token.Type) string {
	switch t {
	case token.MergeKeyType:
		return "merge keys"
	case token.TagType:
		return "tags"
	case token.DirectiveType:
		return "directives"
	default:
		return "anchors and aliases"
	}
}

// syntax turns the library's error into a problem at its place.
func (s *source) syntax(err error) {
	var broken *yaml.SyntaxError
	if !errors.As(err, &broken) || broken.Token == nil {
		s.add(Position{1, 1}, "", Error, fmt.Sprintf("the YAML can't be read: %v", err), "")
		return
	}
	hint := "look at the indentation, and at missing quotes and brackets, here and on the line before"
	if strings.Contains(broken.Message, "'\t'") {
		hint = "YAML is indented with spaces, not with tabs"
	}
	s.add(at(broken.Token), "", Error, "not valid YAML: "+strings.ReplaceAll(broken.Message, "\t", `\t`), hint)
}

// single is the one document of the file.
func (s *source) single(f *ast.File) ast.Node {
	var root ast.Node
	for _, d := range f.Docs {
		switch {
		case d.Body == nil:
		case root == nil:
			root = d.Body
		default:
			s.add(start(d.Body), "", Error, "a second document begins here",
				"a plan file holds one plan: put the other one in a file of its own")
		}
	}
	if root == nil {
		s.add(Position{1, 1}, "", Error, "the file holds no plan", "examples/patient-records.yaml is a complete one")
	}
	return root
}

// add records a problem, at a place that is certainly inside the file.
func (s *source) add(at Position, path string, severity Severity, message, hint string) {
	if len(s.problems) == maxProblems {
		path, severity, message, hint = "", Error, "more problems follow", "mend these first"
	} else if len(s.problems) > maxProblems {
		return
	}
	p := Problem{File: s.file, Path: path, Severity: severity, Message: message, Hint: hint}
	if at.Line > 0 && len(s.lines) > 0 {
		at.Line = min(at.Line, len(s.lines))
		p.Source = s.lines[at.Line-1]
		at.Column = min(max(at.Column, 1), utf8.RuneCountInString(p.Source)+1)
		p.Position = at
	}
	s.problems = append(s.problems, p)
}

// at is where a token stands.
func at(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{1, 1}
	}
	return Position{t.Position.Line, t.Position.Column}
}

// start is where a node begins: the library's own position of a block mapping
// is its first colon.
func start(n ast.Node) Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return start(n.Key)
	}
	return at(n.GetToken())
}
