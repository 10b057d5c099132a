package reasons

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// house is the repository's root, seen from this folder.
const house = "../.."

// requirement is what `go mod edit -json` says of one line of a go.mod.
type requirement struct {
	Path     string
	Indirect bool
}

// page maps the heading of each module to the modules that its tables name.
func page(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(house, "docs", "dependencies.md"))
	require.NoError(t, err)
	heading, named := regexp.MustCompile(`^## (\S+)`), regexp.MustCompile("`([^` ]+)`")
	out := map[string][]string{}
	module := ""
	for line := range strings.Lines(string(text)) {
		if m := heading.FindStringSubmatch(line); m != nil {
			module = m[1]
		}
		cells := strings.Split(line, "|")
		if module == "" || len(cells) < 2 {
			continue
		}
		for _, m := range named.FindAllStringSubmatch(cells[1], -1) {
			out[module] = append(out[module], m[1])
		}
	}
	return out
}

// requires lists what a module requires directly. tool lines of tools/go.mod
// make indirect requirements that are wanted for themselves: they count too.
func requires(t *testing.T, folder string) (module string, direct []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json")
	cmd.Dir = filepath.Join(house, folder)
	raw, err := cmd.Output()
	require.NoError(t, err)
	var file struct {
		Module  struct{ Path string }
		Require []requirement
		Tool    []struct{ Path string }
	}
	require.NoError(t, json.Unmarshal(raw, &file))
	for _, r := range file.Require {
		wanted := !r.Indirect
		for _, tool := range file.Tool {
			wanted = wanted || tool.Path == r.Path || strings.HasPrefix(tool.Path, r.Path+"/")
		}
		if wanted {
			direct = append(direct, r.Path)
		}
	}
	return file.Module.Path, direct
}

// covers says whether a name of the page stands for a module.
func covers(name, module string) bool {
	if below, all := strings.CutSuffix(name, "/..."); all {
		return module == below || strings.HasPrefix(module, below+"/")
	}
	return name == module
}

func TestDependencies_EachHasAReason(t *testing.T) {
	t.Parallel()
	named := page(t)
	for _, folder := range []string{".", "local", "local/temporal", "tools"} {
		module, direct := requires(t, folder)
		require.NotEmpty(t, direct, folder)
		used := map[string]bool{}
		for _, d := range direct {
			found := false
			for _, name := range named[module] {
				if covers(name, d) {
					found, used[name] = true, true
				}
			}
			require.Truef(t, found, "docs/dependencies.md gives no reason for %s under %q", d, module)
		}
		for _, name := range named[module] {
			require.Truef(t, used[name], "docs/dependencies.md still names %s under %q, which nothing requires", name, module)
		}
	}
}
