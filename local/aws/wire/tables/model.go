package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// model is what AWS publishes of a service beside the Go shapes: limits and
// statuses that no tag carries.
type model struct {
	Operations map[string]struct {
		HTTP struct {
			ResponseCode int `json:"responseCode"`
		} `json:"http"`
		Input ref `json:"input"`
	} `json:"operations"`
	Shapes map[string]modelShape `json:"shapes"`
}

type ref struct {
	Shape string `json:"shape"`
}

type modelShape struct {
	Type    string         `json:"type"`
	Min     *float64       `json:"min"`
	Max     *float64       `json:"max"`
	Pattern string         `json:"pattern"`
	Members map[string]ref `json:"members"`
	Member  ref            `json:"member"`
	Value   ref            `json:"value"`
}

// readModel reads the newest model of a service by its folder name.
func readModel(root, folder string) (*model, error) {
	files, err := filepath.Glob(filepath.Join(root, "models", "apis", folder, "*", "api-2.json"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no model of %s: %w", folder, err)
	}
	slices.Sort(files)
	raw, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		return nil, fmt.Errorf("read model of %s: %w", folder, err)
	}
	var m model
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("read model of %s: %w", folder, err)
	}
	return &m, nil
}

// statuses are the operations that answer with something else than 200.
func (m *model) statuses() string {
	var lines []string
	for name, op := range m.Operations {
		if code := op.HTTP.ResponseCode; code != 0 && code != 200 {
			lines = append(lines, fmt.Sprintf("%s\t%d\n", name, code))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// limits are the limits of every member that an input can hold: structure and
// member in lower case, least, most, pattern. "[]" marks the items of a list.
func (m *model) limits() string {
	lines := map[string]bool{}
	seen := map[string]bool{}
	for name, op := range m.Operations {
		m.walk(op.Input.Shape, name+"Input", seen, lines)
	}
	sorted := make([]string, 0, len(lines))
	for line := range lines {
		sorted = append(sorted, line)
	}
	slices.Sort(sorted)
	return strings.Join(sorted, "")
}

// walk visits a structure under its Go name and whatever it holds.
func (m *model) walk(shape, goName string, seen, lines map[string]bool) {
	if seen[goName] {
		return
	}
	seen[goName] = true
	for member, target := range m.Shapes[shape].Members {
		key := strings.ToLower(goName + "." + member)
		for range 4 { // lists of lists of lists are as deep as AWS goes
			s := m.Shapes[target.Shape]
			if line := s.line(key); line != "" {
				lines[line] = true
			}
			next := target.Shape
			switch s.Type {
			case "list":
				next, key = s.Member.Shape, key+"[]"
			case "map":
				next, key = s.Value.Shape, key+"{}"
			case "structure":
				m.walk(target.Shape, strings.ToUpper(target.Shape[:1])+target.Shape[1:], seen, lines)
			}
			if next == target.Shape {
				break
			}
			target = ref{next}
		}
	}
}

// line is a shape's limits, or nothing. The least of a member stands in the tags
// already; of items only here. A pattern that Go can't read is left out.
func (s modelShape) line(key string) string {
	least, most, pattern := "", "", ""
	if s.Min != nil && strings.HasSuffix(key, "[]") {
		least = fmt.Sprintf("%.0f", *s.Min)
	}
	if s.Max != nil && *s.Max < 1<<53 {
		most = fmt.Sprintf("%.0f", *s.Max)
	}
	if _, err := regexp.Compile(s.Pattern); err == nil && !strings.ContainsAny(s.Pattern, "\t\n\r") {
		pattern = s.Pattern
	}
	if least+most+pattern == "" {
		return ""
	}
	return key + "\t" + least + "\t" + most + "\t" + pattern + "\n"
}
