package expression

import (
	"strings"
	"unicode"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // attribute name, keyword or function
	tokenName             // #placeholder
	tokenValue            // :placeholder
	tokenIndex            // digits inside [ ]
	tokenSymbol           // ( ) [ ] , . = <> < <= > >= + -
)

type token struct {
	kind tokenKind
	text string
}

// is tells whether the token is this symbol or, ignoring case, this keyword.
func (t token) is(text string) bool {
	switch t.kind {
	case tokenSymbol:
		return t.text == text
	case tokenWord:
		return strings.EqualFold(t.text, text)
	case tokenEnd, tokenName, tokenValue, tokenIndex:
		return false
	}
	return false
}

func lex(src string) ([]token, error) {
	var tokens []token
	for rest := strings.TrimLeftFunc(src, unicode.IsSpace); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		t, err := nextToken(rest)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		rest = rest[len(t.text):]
	}
	if len(tokens) == 0 {
		return nil, invalid("The expression can not be empty;")
	}
	return append(tokens, token{kind: tokenEnd, text: "<EOF>"}), nil
}

func nextToken(rest string) (token, error) {
	for _, symbol := range []string{"<>", "<=", ">="} {
		if strings.HasPrefix(rest, symbol) {
			return token{tokenSymbol, symbol}, nil
		}
	}
	first := rune(rest[0])
	switch {
	case strings.ContainsRune("()[],.=<>+-", first):
		return token{tokenSymbol, rest[:1]}, nil
	case first == '#':
		return placeholder(tokenName, rest)
	case first == ':':
		return placeholder(tokenValue, rest)
	case unicode.IsDigit(first):
		return token{tokenIndex, rest[:span(rest, unicode.IsDigit)]}, nil
	case unicode.IsLetter(first) || first == '_':
		return token{tokenWord, rest[:span(rest, isNameRune)]}, nil
	default:
		return token{}, syntaxError(string(first), rest)
	}
}

func placeholder(kind tokenKind, rest string) (token, error) {
	n := span(rest[1:], isNameRune)
	if n == 0 {
		return token{}, syntaxError(rest[:1], rest)
	}
	return token{kind, rest[:1+n]}, nil
}

func isNameRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// span is the length in bytes of the longest prefix of runes that satisfy f.
func span(s string, f func(rune) bool) int {
	if end := strings.IndexFunc(s, func(r rune) bool { return !f(r) }); end >= 0 {
		return end
	}
	return len(s)
}

func syntaxError(tok, near string) error {
	return invalid("Syntax error; token: %q, near: %q", tok, near[:min(len(near), 20)])
}
