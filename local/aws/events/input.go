package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/eventbridge"
)

// input is what a target gets of an event.
func input(t *sdk.Target, ev event, ruleARN string, now time.Time) ([]byte, error) {
	switch {
	case t.Input != nil:
		return []byte(*t.Input), nil
	case t.InputPath != nil:
		v, err := pick(*t.InputPath, ev.fields)
		if err != nil {
			return nil, err
		}
		return encode(v)
	case t.InputTransformer != nil:
		return transform(t.InputTransformer, ev, ruleARN, now)
	default:
		return ev.raw, nil
	}
}

// encode writes JSON as EventBridge does: without escaping for HTML.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// parsePath reads a JSONPath of names and indexes: $.detail.tags[0]['a key'].
func parsePath(path string) ([]any, error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, errors.New("a path begins with $")
	}
	step := regexp.MustCompile(`^(?:\.([A-Za-z0-9_-]+)|\[(\d{1,6})\]|\['([^']+)'\])`)
	var out []any
	for rest != "" {
		found := step.FindStringSubmatch(rest)
		switch {
		case found == nil:
			return nil, fmt.Errorf("%q is no name and no index", rest)
		case found[2] != "":
			n, err := strconv.Atoi(found[2])
			if err != nil {
				return nil, fmt.Errorf("index %s: %w", found[2], err)
			}
			out = append(out, n)
		default:
			out = append(out, found[1]+found[3])
		}
		rest = rest[len(found[0]):]
	}
	return out, nil
}

// pick gives what is at a path; nil when nothing is.
func pick(path string, fields map[string]any) (any, error) {
	steps, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	var at any = fields
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			object, _ := at.(map[string]any)
			at = object[s]
		case int:
			list, _ := at.([]any)
			if s >= len(list) {
				return nil, nil
			}
			at = list[s]
		}
	}
	return at, nil
}

// transform fills a template in. Inside of quotes a value stands as text, outside
// of them as JSON; one that the event doesn't have leaves nothing.
func transform(t *sdk.InputTransformer, ev event, ruleARN string, now time.Time) ([]byte, error) {
	values, err := valuesOf(t, ev, ruleARN, now)
	if err != nil {
		return nil, err
	}
	template := *t.InputTemplate
	var out strings.Builder
	last, quoted := 0, false
	for _, at := range placeholder().FindAllStringSubmatchIndex(template, -1) {
		between := template[last:at[0]]
		out.WriteString(between)
		quoted = quoted != (strings.Count(strings.ReplaceAll(between, `\"`, ""), `"`)%2 == 1)
		v, known := values[template[at[2]:at[3]]]
		if known && v != nil {
			text, err := fill(v, quoted)
			if err != nil {
				return nil, err
			}
			out.WriteString(text)
		}
		last = at[1]
	}
	out.WriteString(template[last:])
	return []byte(out.String()), nil
}

func valuesOf(t *sdk.InputTransformer, ev event, ruleARN string, now time.Time) (map[string]any, error) {
	without := maps.Clone(ev.fields)
	delete(without, "detail")
	values := map[string]any{
		"aws.events.rule-arn": ruleARN, "aws.events.rule-name": ruleARN[strings.LastIndex(ruleARN, "/")+1:],
		"aws.events.event.ingestion-time": now.UTC().Format(time.RFC3339), "aws.events.event.json": ev.fields, "aws.events.event": without,
	}
	for name, path := range t.InputPathsMap {
		v, err := pick(aws.StringValue(path), ev.fields)
		if err != nil {
			return nil, err
		}
		values[name] = v
	}
	return values, nil
}

func fill(v any, quoted bool) (string, error) {
	raw, err := encode(v)
	if err != nil || !quoted {
		return string(raw), err
	}
	if _, isText := v.(string); isText {
		return string(raw[1 : len(raw)-1]), nil
	}
	text, err := encode(string(raw))
	if err != nil {
		return "", err
	}
	return string(text[1 : len(text)-1]), nil
}
