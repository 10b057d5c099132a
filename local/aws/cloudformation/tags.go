package cloudformation

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
)

// tagMap is what a resource's tags shall be: the stack's, overridden by its own.
func tagMap(stack map[string]string, p props) map[string]string {
	out := maps.Clone(stack)
	if out == nil {
		out = map[string]string{}
	}
	for _, t := range p.objects("Tags") {
		out[aws.StringValue(t.text("Key"))] = aws.StringValue(t.text("Value"))
	}
	return out
}

// tags are a resource's tags in the shape T of its service, which names key and
// value Key and Value. Others rename them by names, as fill does.
func tags[T any](h *hand, p props, names ...string) []*T {
	all := tagMap(h.tags, p)
	var out []*T
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, tag[T](key, all[key], names...))
	}
	return out
}

func tag[T any](key, value string, names ...string) *T {
	t := new(T)
	if len(names) == 0 {
		names = []string{"Key", "Value"}
	}
	if err := fill(t, props{"Key": key, "Value": value}, names...); err != nil {
		panic(err) // a shape without these members is a mistake in this program
	}
	return t
}

// retag is how an update changes tags: those to set, and the keys to remove.
func retag[T any](h *hand, before, after props, names ...string) (set []*T, remove []*string) {
	old, now := tagMap(h.was, before), tagMap(h.tags, after)
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if v, ok := old[key]; !ok || v != now[key] {
			set = append(set, tag[T](key, now[key], names...))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(old)) {
		if _, ok := now[key]; !ok {
			remove = append(remove, aws.String(key))
		}
	}
	return set, remove
}

// withoutStackTags are live tags but for those that come from the stack and not
// from the template: they are no drift.
func withoutStackTags(live any, stack map[string]string, expected any) any {
	own := tagMap(nil, props{"Tags": expected})
	var out []any
	for _, t := range (props{"Tags": live}).objects("Tags") {
		key, value := aws.StringValue(t.text("Key")), aws.StringValue(t.text("Value"))
		_, mine := own[key]
		if from, ok := stack[key]; mine || !ok || from != value {
			out = append(out, map[string]any(t))
		}
	}
	return out
}
