package plan

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const schemaFile = "plan.schema.json"

// The schema is generated here and not in the program: editors need the file,
// nobody needs the generator at run time. Rules that look at more than one
// value (quorums, Regions that must be listed, cycles) stay with Parse.
func generate(t *testing.T) []byte {
	t.Helper()
	r := &jsonschema.Reflector{Anonymous: true, Mapper: mapped}
	require.NoError(t, r.AddGoComments("lifeline/internal/plan", "."))
	tidy(r.CommentMap)
	s := r.Reflect(Plan{})
	s.ID = "https://lifeline.example/plan.schema.json"
	s.Title = "Lifeline plan"
	refine(t, s)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(s))
	return b.Bytes()
}

// tidy joins the lines of a comment and drops what speaks to Go programmers.
func tidy(comments map[string]string) {
	for k, c := range comments {
		comments[k] = strings.Join(strings.Fields(c), " ")
	}
}

// mapped gives the words and shapes of the named types.
func mapped(t reflect.Type) *jsonschema.Schema {
	words := map[reflect.Type][]any{
		reflect.TypeFor[Strategy]():       {ActiveActive, ElasticDR},
		reflect.TypeFor[Role]():           {Primary, Recovery, Witness},
		reflect.TypeFor[SwitchProvider](): {SwitchS3Object, SwitchARCControl},
		reflect.TypeFor[OnSilence]():      {Hold, Proceed},
	}
	for _, l := range FenceLayers() {
		words[reflect.TypeFor[FenceLayer]()] = append(words[reflect.TypeFor[FenceLayer]()], l)
	}
	for _, k := range Kinds() {
		words[reflect.TypeFor[Kind]()] = append(words[reflect.TypeFor[Kind]()], k.Kind)
	}
	switch {
	case words[t] != nil:
		return &jsonschema.Schema{Type: "string", Enum: words[t]}
	case t == reflect.TypeFor[Duration]():
		return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`, Examples: []any{"500ms", "20s", "1h30m"}}
	case t == reflect.TypeFor[Region]():
		return &jsonschema.Schema{Type: "string", Pattern: labelName, Examples: []any{"us-east-1"}}
	}
	return nil
}

// refine adds the rules that hold for one value alone.
func refine(t *testing.T, s *jsonschema.Schema) {
	t.Helper()
	of := func(def, property string) *jsonschema.Schema {
		d, ok := s.Definitions[def]
		require.True(t, ok, def)
		p, ok := d.Properties.Get(property)
		require.True(t, ok, "%s.%s", def, property)
		return p
	}
	of("Plan", "apiVersion").Const = Version
	for _, p := range []struct{ def, property, pattern string }{
		{"Plan", "application", labelName},
		{"Resource", "name", labelName},
		{"RegionSpec", "endpoint", hostName},
		{"Traffic", "zone", hostName},
		{"Traffic", "name", hostName},
		{"HealthCheck", "path", urlPath},
		{"Transaction", "write", urlPath},
		{"Transaction", "status", urlPath},
		{"Transaction", "read", idPath},
		{"Location", "name", locationName},
		{"Location", "country", countryCode},
		{"Location", "subdivision", subdivision},
		{"Observer", "name", labelName},
		{"Approver", "name", personName},
		{"Approver", "publicKey", `^[A-Za-z0-9+/]{43}=$`},
		{"Lease", "table", tableName},
	} {
		of(p.def, p.property).Pattern = p.pattern
	}
	of("Traffic", "scheme").Enum = []any{"http", "https"}
	of("Approvals", "evacuate").Enum = []any{EvacuateAutomatic, EvacuateApproval}
	of("HealthCheck", "interval").Enum = []any{"10s", "30s"}
	for _, c := range continents() {
		of("Location", "continent").Enum = append(of("Location", "continent").Enum, c)
	}
	for _, n := range []struct {
		def, property string
		least, most   json.Number
	}{
		{"Resource", "tier", "1", "4"},
		{"Traffic", "port", "1", "65535"},
		{"HealthCheck", "threshold", "1", "10"},
		{"Observers", "rounds", "1", ""},
		{"Observers", "quorum", "2", ""},
		{"Approvals", "quorum", "1", ""},
	} {
		of(n.def, n.property).Minimum, of(n.def, n.property).Maximum = n.least, n.most
	}
}

func TestSchema_IsCurrent(t *testing.T) {
	t.Parallel()
	got := generate(t)
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.WriteFile(schemaFile, got, 0o600))
	}
	want, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "go test ./internal/plan -run TestSchema -update")
}

// Schema and parser read the same keys, by different tags.
func TestTypes_YAMLAndJSONAgree(t *testing.T) {
	t.Parallel()
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(ty reflect.Type) {
		switch ty.Kind() { //nolint:exhaustive // the kinds that hold others
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(ty.Elem())
		case reflect.Struct:
			if seen[ty] {
				return
			}
			seen[ty] = true
			for i := range ty.NumField() {
				f := ty.Field(i)
				require.NotEmpty(t, f.Tag.Get("yaml"), "%s.%s", ty, f.Name)
				require.Equal(t, f.Tag.Get("yaml"), f.Tag.Get("json"), "%s.%s", ty, f.Name)
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Plan]())
	require.Greater(t, len(seen), 15)
}

func compile(t *testing.T) *validator.Schema {
	t.Helper()
	src, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	doc, err := validator.UnmarshalJSON(bytes.NewReader(src))
	require.NoError(t, err)
	c := validator.NewCompiler()
	require.NoError(t, c.AddResource("plan.json", doc))
	s, err := c.Compile("plan.json")
	require.NoError(t, err)
	return s
}

func judge(t *testing.T, s *validator.Schema, text string) error {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	doc, err := validator.UnmarshalJSON(bytes.NewReader(asJSON))
	require.NoError(t, err)
	return s.Validate(doc)
}

func TestSchema_AcceptsTheExamples_AndRefusesSlips(t *testing.T) {
	t.Parallel()
	s := compile(t)
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		src, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, judge(t, s, string(src)), f)
	}
	src, err := os.ReadFile(filepath.Join("..", "..", "examples", "patient-records.yaml"))
	require.NoError(t, err)
	for _, slip := range [][2]string{
		{"  ttl: 20s", "  ttl: 20"},
		{"  ttl: 20s", "  ttl: 20 seconds"},
		{"  ttl: 20s", "  tll: 20s"},
		{"kind: s3-bucket", "kind: s3"},
		{"interval: 10s, threshold", "interval: 20s, threshold"},
		{"  port: 8080", "  port: 80800"},
		{"role: witness", "role: observer"},
		{"application: patient-records", "application: Patient Records"},
		{"failback: {stableFor: 15s, stepPause: 5s}", ""},
		{"name: app.patients.example", "name: \"app patients\""},
		{"fence: [lease,", "fence: [leash,"},
	} {
		require.Equal(t, 1, strings.Count(string(src), slip[0]), slip[0])
		require.Error(t, judge(t, s, strings.Replace(string(src), slip[0], slip[1], 1)), slip[1])
	}
}
