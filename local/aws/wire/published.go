package wire

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:generate go run ./tables -out tables_gen.go

// enumValues gives the enumerations of a service with their values. A service
// that isn't in the table has none, and then nothing is refused for its value.
func enumValues(signingName string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(enumTable(signingName)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) > 1 {
			out[fields[0]] = fields[1:]
		}
	}
	return out
}

// statuses gives the operations that answer with something else than 200.
func statuses(signingName string) map[string]int {
	out := map[string]int{}
	for line := range strings.Lines(statusTable(signingName)) {
		name, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if code, err := strconv.Atoi(text); err == nil {
			out[name] = code
		}
	}
	return out
}

// bound is what the model demands of a value beside its type. The zero bound
// demands nothing.
type bound struct {
	min, max       int64
	hasMin, hasMax bool
	pattern        string
}

// bounds are a service's bounds by where they apply: "structure.member" in lower
// case, with "[]" for the items of a list.
type bounds struct {
	byPath   map[string]bound
	compiled sync.Map // pattern -> *regexp.Regexp
}

func readBounds(signingName string) *bounds {
	const fields = 4
	out := &bounds{byPath: map[string]bound{}}
	for line := range strings.Lines(limitTable(signingName)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", fields)
		if len(parts) < fields {
			continue
		}
		b := bound{pattern: parts[3]}
		var err error
		b.min, err = strconv.ParseInt(parts[1], 10, 64)
		b.hasMin = err == nil
		b.max, err = strconv.ParseInt(parts[2], 10, 64)
		b.hasMax = err == nil
		out.byPath[parts[0]] = b
	}
	out.withoutStutter(signingName)
	return out
}

// withoutStutter knows shapes also by the names that Go gives them: those that
// begin with the service's own lose it (BackupRuleInput is backup.RuleInput).
func (b *bounds) withoutStutter(service string) {
	for path, of := range maps.Clone(b.byPath) {
		short, ok := strings.CutPrefix(path, service)
		if _, taken := b.byPath[short]; ok && !taken && short != "" && short[0] != '.' {
			b.byPath[short] = of
		}
	}
}

// matches says whether the whole text matches, as AWS's services mean patterns.
func (b *bounds) matches(pattern, text string) bool {
	if known, ok := b.compiled.Load(pattern); ok {
		if re, ok := known.(*regexp.Regexp); ok {
			return re.MatchString(text)
		}
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return true // the table holds only what compiles
	}
	b.compiled.Store(pattern, re)
	return re.MatchString(text)
}
