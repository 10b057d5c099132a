package templates

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The module whose schemas are read, and its hash: nothing else may stand there.
const (
	module  = "github.com/aws-cloudformation/rain@v1.24.4"
	sum     = "h1:OBXwmwlKfqb+Cs7KNLY/SdPdQpXZN4ybSBYfvQF2cKs="
	folder  = "internal/aws/cfn/schemas"
	noCheck = "GONOSUMDB=github.com/aws-cloudformation/rain" // the hash above is stricter
)

// Schemas finds the schemas of resource types in a folder.
type Schemas struct{ dir string }

// Fetch finds the schemas in Go's module cache, and has Go download the module
// when it isn't there yet.
func Fetch(ctx context.Context) (Schemas, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Env = append(os.Environ(), noCheck)
	raw, err := cmd.Output()
	if err != nil {
		return Schemas{}, fmt.Errorf("download %s: %w: %s", module, err, raw)
	}
	var found struct{ Dir, Sum string }
	if err := json.Unmarshal(raw, &found); err != nil {
		return Schemas{}, fmt.Errorf("read answer of go mod download: %w", err)
	}
	if found.Sum != sum {
		return Schemas{}, fmt.Errorf("%s has the hash %s, not %s", module, found.Sum, sum)
	}
	return Schemas{filepath.Join(found.Dir, folder)}, nil
}

// Schema is what AWS publishes of a resource type.
type Schema struct {
	TypeName             string           `json:"typeName"`
	Properties           map[string]*node `json:"properties"`
	Definitions          map[string]*node `json:"definitions"`
	Required             []string         `json:"required"`
	ReadOnlyProperties   []string         `json:"readOnlyProperties"`
	CreateOnlyProperties []string         `json:"createOnlyProperties"`
	PrimaryIdentifier    []string         `json:"primaryIdentifier"`
}

// node is a piece of a schema.
type node struct {
	Ref                  string           `json:"$ref"`
	Type                 any              `json:"type"` // a name or a list of names
	Enum                 []any            `json:"enum"`
	Pattern              string           `json:"pattern"`
	MinLength            *int             `json:"minLength"`
	MaxLength            *int             `json:"maxLength"`
	MinItems             *int             `json:"minItems"`
	MaxItems             *int             `json:"maxItems"`
	Minimum              *float64         `json:"minimum"`
	Maximum              *float64         `json:"maximum"`
	Items                *node            `json:"items"`
	Properties           map[string]*node `json:"properties"`
	PatternProperties    map[string]any   `json:"patternProperties"`
	AdditionalProperties any              `json:"additionalProperties"`
	Required             []string         `json:"required"`
	OneOf                []*node          `json:"oneOf"`
	AnyOf                []*node          `json:"anyOf"`
}

// Of reads the schema of a type such as AWS::EC2::VPC; nil when AWS has none.
func (s Schemas) Of(resourceType string) (*Schema, error) {
	parts := strings.Split(strings.ToLower(resourceType), "::")
	raw, err := os.ReadFile(filepath.Join(append([]string{s.dir}, parts...)...) + ".json")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is no such type
	}
	if err != nil {
		return nil, fmt.Errorf("read schema of %s: %w", resourceType, err)
	}
	var out Schema
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, fmt.Errorf("read schema of %s: %w", resourceType, err)
	}
	return &out, nil
}

// names are the first members of JSON pointers such as /properties/Arn.
func names(pointers []string) []string {
	var out []string
	for _, p := range pointers {
		out = append(out, strings.ReplaceAll(strings.TrimPrefix(p, "/properties/"), "/", "."))
	}
	return out
}

// CreateOnly are the properties whose change makes another resource.
func (s *Schema) CreateOnly() []string { return names(s.CreateOnlyProperties) }

// Attributes are what GetAtt gives.
func (s *Schema) Attributes() []string { return names(s.ReadOnlyProperties) }

// resolve follows a reference.
func (s *Schema) resolve(n *node) *node {
	for n != nil && n.Ref != "" {
		n = s.Definitions[strings.TrimPrefix(n.Ref, "#/definitions/")]
	}
	return n
}

// is says whether a node may be of a type.
func (n *node) is(name string) bool {
	switch t := n.Type.(type) {
	case string:
		return t == name
	case []any:
		for _, item := range t {
			if item == name {
				return true
			}
		}
	}
	return false
}
