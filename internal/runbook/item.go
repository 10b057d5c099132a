package runbook

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Area is one part of what setup builds. Each area is a child workflow; what an
// item refers to lies in its own area or in one that comes before it.
type Area string

// Areas, in the order in which they depend on each other.
const (
	AreaAccess     Area = "access"     // roles and keys
	AreaStack      Area = "stack"      // the recovery Region's network and compute
	AreaStorage    Area = "storage"    // buckets
	AreaDatabases  Area = "databases"  // replicas, retention, global databases and tables
	AreaBackup     Area = "backup"     // AWS Backup and snapshots
	AreaElasticDR  Area = "elastic-dr" // servers that replicate
	AreaTraffic    Area = "traffic"    // records, health checks, switches
	AreaMonitoring Area = "monitoring" // alarms, topics, event rules
	AreaTrigger    Area = "trigger"    // the function that an alarm fires
)

// Areas lists all areas in their order.
func Areas() []Area {
	return []Area{AreaAccess, AreaStack, AreaStorage, AreaDatabases, AreaBackup, AreaElasticDR, AreaTraffic, AreaMonitoring, AreaTrigger}
}

// Item is one thing that setup makes and keeps: an AWS resource, or one
// configuration of it, in one Region. It is pure data, computed from the plan.
type Item struct {
	Area Area   `json:"area"`
	Type string `json:"type"` // what keeps it: "backup-vault"
	// Name is AWS's name of it, unique among the items of its type and Region.
	Name   string `json:"name"`
	Region string `json:"region"` // where its API is called
	// Resource is the plan's resource that it protects; empty for what serves all.
	Resource string `json:"resource,omitempty"`
	// Want holds the wanted properties in the canonical form in which the type
	// reads them: lower-case words, sorted lists with a newline between, compact
	// JSON. What it doesn't name is nobody's business: it stays as it is.
	//
	// "${TYPE/REGION/NAME#PROPERTY}" stands for what another item turned out to
	// be, such as its ARN; the item then waits for that one.
	//
	// What begins with AtCreation counts when it is made, and is not compared: a
	// key that can't be exchanged, a tag that would cost a call to read.
	Want map[string]string `json:"want,omitempty"`
	// AtLeast are properties, whole numbers, of which more is as good: days of
	// backups that somebody keeps for longer are never shortened.
	AtLeast []string `json:"at_least,omitempty"`
	// Needs are ids of items that have to be in place first, beyond references.
	Needs []string `json:"needs,omitempty"`
	// Given says that setup only looks: it must be there, and others make it.
	Given bool `json:"given,omitempty"`
	// Why is told when Given and missing, or when it is refused.
	Why string `json:"why,omitempty"`
}

// AtCreation marks properties that count only when an item is made.
const AtCreation = "create/"

// ID names an item within a plan.
func (i Item) ID() string { return ItemID(i.Type, i.Region, i.Name) }

// ItemID is the id of an item; Ref refers to one of its properties.
func ItemID(kind, region, name string) string { return kind + "/" + region + "/" + name }

// Ref stands for a property of another item until that item has been read.
func Ref(kind, region, name, property string) string {
	return "${" + ItemID(kind, region, name) + "#" + property + "}"
}

// CutRef cuts a value around its first reference. It is done for thousands of items,
// many times in each run.
func CutRef(value string) (before, id, property, after string, found bool) {
	const open, end = "${", "}"
	for from := 0; ; {
		i := strings.Index(value[from:], open)
		if i < 0 {
			return value, "", "", "", false
		}
		from += i + len(open)
		body, after, closed := strings.Cut(value[from:], end)
		if !closed {
			return value, "", "", "", false
		}
		// Without a property it is AWS's own: "${aws:SourceAccount}".
		if id, property, ok := strings.Cut(body, "#"); ok && id != "" && property != "" {
			return value[:from-len(open)], id, property, after, true
		}
	}
}

// Waits are the ids that an item waits for, sorted.
func (i Item) Waits() []string {
	out := append(i.Refers(), i.Needs...)
	slices.Sort(out)
	return slices.Compact(out)
}

// Refers are the ids of which an item takes properties, sorted.
func (i Item) Refers() []string {
	seen := map[string]bool{}
	for _, value := range i.Want {
		for {
			_, id, _, after, found := CutRef(value)
			if !found {
				break
			}
			seen[id], value = true, after
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Resolve puts in what other items turned out to be. It names the references
// that nothing answers yet.
func (i Item) Resolve(known map[string]map[string]string) (Item, []string) {
	out, open := i, map[string]bool{}
	out.Want = make(map[string]string, len(i.Want))
	for key, value := range i.Want {
		out.Want[key] = resolve(value, known, open)
	}
	return out, slices.Sorted(maps.Keys(open))
}

// resolve puts in what is known, and notes what is not.
func resolve(value string, known map[string]map[string]string, open map[string]bool) string {
	var out strings.Builder
	for {
		before, id, property, after, found := CutRef(value)
		if !found {
			if out.Len() == 0 {
				return value
			}
			out.WriteString(value)
			return out.String()
		}
		out.WriteString(before)
		if v, ok := known[id][property]; ok {
			out.WriteString(v)
		} else {
			open[id+"#"+property] = true
			out.WriteString("${" + id + "#" + property + "}")
		}
		value = after
	}
}

// ItemState is what was read of one item.
type ItemState struct {
	ID    string `json:"id"`
	Found bool   `json:"found"`
	// Have are its properties, in the form of Item.Want.
	Have map[string]string `json:"have,omitempty"`
	// Out is what others may refer to: "arn", "id", and so on.
	Out map[string]string `json:"out,omitempty"`
	// Busy says that AWS still works on it ("creating"): wait, don't act.
	Busy string `json:"busy,omitempty"`
}

// Property is one difference.
type Property struct {
	Name string `json:"name"`
	Have string `json:"have"`
	Want string `json:"want"`
}

// Difference lists the wanted properties that are otherwise, sorted by name.
func (i Item) Difference(have ItemState) []Property {
	var out []Property
	for _, name := range slices.Sorted(maps.Keys(i.Want)) {
		if strings.HasPrefix(name, AtCreation) {
			continue
		}
		if got := have.Have[name]; got != i.Want[name] && !i.enough(name, got) {
			out = append(out, Property{Name: name, Have: got, Want: i.Want[name]})
		}
	}
	return out
}

// enough says that more than what is wanted is there, where more is as good.
func (i Item) enough(name, got string) bool {
	if !slices.Contains(i.AtLeast, name) {
		return false
	}
	have, err := strconv.Atoi(got)
	want, wrong := strconv.Atoi(i.Want[name])
	return err == nil && wrong == nil && have >= want
}

// Verdict is what setup has to say about one item.
type Verdict string

// Verdicts.
const (
	InPlace     Verdict = "in-place"    // as wanted; nothing to do
	ToCreate    Verdict = "create"      // not there
	ToChange    Verdict = "change"      // there, and otherwise
	Drifted     Verdict = "drifted"     // otherwise, and only reported: the plan says so, or AWS lets nobody change it
	Missing     Verdict = "missing"     // others must make it first
	Blocked     Verdict = "blocked"     // what it needs is not in place
	Unavailable Verdict = "unavailable" // the endpoint has no such service or operation
	Created     Verdict = "created"     // made by this run
	Changed     Verdict = "changed"     // changed by this run
	Unkept      Verdict = "failed"      // AWS refused, or it did not become as wanted
)

// Good says that nothing is left to do.
func (v Verdict) Good() bool { return v == InPlace || v == Created || v == Changed }

// There says that the item exists, if perhaps otherwise than wanted: others may
// refer to it.
func (v Verdict) There() bool { return v.Good() || v == Drifted || v == ToChange }

// ItemResult is the line of one item in a preview or a report.
type ItemResult struct {
	ID       string            `json:"id"`
	Resource string            `json:"resource,omitempty"`
	Verdict  Verdict           `json:"verdict"`
	Changes  []Property        `json:"changes,omitempty"`
	Why      string            `json:"why,omitempty"` // for people: what failed, what is missing, what to do
	Out      map[string]string `json:"out,omitempty"`
	Request  string            `json:"request_id,omitempty"`
}

// Waves orders items so that each comes after what it waits for. What waits for
// something unknown, or in a circle, is in rest.
func Waves(items []Item, known map[string]map[string]string) (waves [][]Item, rest []Item) {
	done := map[string]bool{}
	for id := range known {
		done[id] = true
	}
	rest = slices.Clone(items)
	slices.SortStableFunc(rest, func(a, b Item) int { return cmp.Compare(a.ID(), b.ID()) })
	for len(rest) > 0 {
		var wave, later []Item
		for _, i := range rest {
			if slices.ContainsFunc(i.Waits(), func(id string) bool { return !done[id] }) {
				later = append(later, i)
			} else {
				wave = append(wave, i)
			}
		}
		if len(wave) == 0 {
			return waves, rest
		}
		for _, i := range wave {
			done[i.ID()] = true
		}
		waves, rest = append(waves, wave), later
	}
	return waves, nil
}

// List is the canonical form of a set of words: sorted, one a line.
func List(words ...string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(words))), "\n")
}

// Document is the canonical form of a JSON document: compact, keys sorted.
func Document(v any) string {
	if plain(v) {
		// Go sorts the keys of maps: what is made of them is canonical as it is
		// written, and it is written thousands of times.
		text, err := compact(v)
		if err != nil {
			return ""
		}
		return text
	}
	b, err := json.Marshal(v)
	if err != nil {
		// Only what plain maps, lists and words make comes here.
		return ""
	}
	out, err := CanonicalDocument(string(b))
	if err != nil {
		return ""
	}
	return out
}

// plain says that a value is made of maps, lists and simple values alone.
func plain(v any) bool {
	switch v := v.(type) {
	case nil, string, bool, int, []string, map[string]string:
		return true
	case map[string]any:
		for _, value := range v {
			if !plain(value) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(v, func(value any) bool { return !plain(value) })
	}
	return false
}

// compact is JSON without spaces, and without the escapes that only HTML needs.
func compact(v any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", fmt.Errorf("write JSON document: %w", err)
	}
	return strings.TrimSpace(out.String()), nil
}

// CanonicalDocument brings a JSON text that AWS answered into that form.
func CanonicalDocument(text string) (string, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return "", fmt.Errorf("read JSON document: %w", err)
	}
	return compact(v)
}
