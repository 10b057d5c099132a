package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// Newer decodes members of a JSON request that are younger than version 1's
// shapes into dst, a pointer to a struct with json tags. A call from inside the
// simulator has none.
func (c *Call) Newer(dst any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.body, dst); err != nil {
		return Invalid("Invalid value for a parameter: %v", err)
	}
	return nil
}

// AddNewer puts members that are younger than version 1's shapes into the JSON
// answer, in the object to which path leads; an object that isn't there is made.
func (c *Call) AddNewer(members map[string]any, path ...string) {
	c.newer = append(c.newer, addition{path: path, members: members})
}

// addition is what AddNewer adds.
type addition struct {
	path    []string
	members map[string]any
}

// withNewer is the answer's body with what was added.
func withNewer(body []byte, additions []addition) ([]byte, error) {
	doc := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // numbers keep the form that they have
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	for _, a := range additions {
		at := doc
		for _, name := range a.path {
			inner, ok := at[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		maps.Copy(at, a.members)
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write answer: %w", err)
	}
	return out, nil
}
