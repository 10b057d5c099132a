package arrows

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// violations are imports that must be refused: the file that has it, what it
// imports, and a piece of the reason that the linter must give.
func violations() []arrow {
	return []arrow{
		{"internal/plan/upwards/a.go", "lifeline/internal/runbook", "ground floor"},
		{"internal/plan/clients/a.go", "lifeline/internal/cloud", "ground floor"},
		{"internal/runbook/aws/a.go", "lifeline/internal/cloud", "pure words"},
		{"internal/runbook/steps/a.go", "lifeline/activities/rds", "pure words"},
		{"internal/cloud/steps/a.go", "lifeline/activities/rds", "knows no step"},
		{"internal/cloud/queues/a.go", "lifeline/internal/temporal", "knows no step and no Temporal"},
		{"internal/temporal/books/a.go", "lifeline/workflows", "knows no runbook"},
		{"internal/report/runs/a.go", "lifeline/workflows", "reaches nothing that runs"},
		{"internal/report/clients/a.go", "lifeline/internal/cloud", "reaches nothing that runs"},
		{"activities/rds/books/a.go", "lifeline/workflows/kinds", "a step calls AWS"},
		{"activities/rds/others/a.go", "lifeline/activities/s3", "no other service's steps"},
		{"activities/rds/queues/a.go", "lifeline/internal/temporal", "a step calls AWS"},
		{"activities/rds/tested/a_test.go", "lifeline/internal/temporal", "work without Temporal"},
		{"workflows/kinds/aurora/a.go", "lifeline/workflows", "neither the runbooks above"},
		{"workflows/kinds/clients/a.go", "lifeline/internal/cloud", "nor AWS clients"},
		{"workflows/drill/a.go", "lifeline/internal/cloud", "replayed from its history"},
		{"workflows/pages/a.go", "lifeline/internal/report", "replayed from its history"},
		{"workflows/calls/a.go", "github.com/aws/aws-sdk-go-v2/service/rds", "workflow code makes no AWS call"},
		{"workflows/files/a.go", "os", "no file, variable or process"},
		{"workflows/kinds/processes/a.go", "os/exec", "no file, variable or process"},
		{"internal/runbook/files/a.go", "os", "no file, variable or process"},
		{"workflows/sockets/a.go", "net", "open no connection"},
		{"workflows/requests/a.go", "net/http", "send no request"},
		{"workflows/dice/a.go", "crypto/rand", "roll no dice"},
		{"worker/shortcut/a.go", "lifeline/local/aws", "never imports what stands in"},
		{"starter/shortcut/a_test.go", "lifeline/local/aws", "never imports what stands in"},
		{"trigger/shortcut/a.go", "lifeline/local/aws", "never imports what stands in"},
		{"workflows/shortcut/a.go", "lifeline/local/aws", "never imports what stands in"},
		{"internal/cloud/old/a.go", "github.com/aws/aws-sdk-go/service/rds", "out of support"},
		{"internal/temporal/server/a.go", "go.temporal.io/server/temporal", "start bin/temporal-server"},
		{"local/e2e/ui/a.go", "github.com/temporalio/ui-server/v2/server", "start bin/temporal-server"},
		{"local/aws/rds/a.go", "lifeline/internal/cloud", "shares no code with it"},
		{"local/aws/s3/a_test.go", "lifeline/activities/s3", "shares no code with it"},
		{"local/temporal/own/a.go", "lifeline/internal/temporal", "imports nothing of ours"},
		{"worker/chance/a.go", "math/rand", "math/rand/v2"},
		{"worker/logs/a.go", "log", "slog.Logger"},
	}
}

// allowed are the arrows that the house is built on; a rule that refuses one of
// them is too strict.
func allowed() []arrow {
	return []arrow{
		{"internal/runbook/fine/a.go", "lifeline/internal/plan", ""},
		{"internal/cloud/fine/a.go", "lifeline/internal/runbook", ""},
		{"internal/temporal/fine/a.go", "lifeline/internal/cloud", ""},
		{"internal/report/fine/a.go", "lifeline/internal/runbook", ""},
		{"activities/rds/fine/a.go", "lifeline/internal/runbook", ""},
		{"activities/s3/fine/a.go", "lifeline/internal/cloud", ""},
		{"activities/s3/fine/a_test.go", "lifeline/activities/s3", ""},
		{"workflows/kinds/fine/a.go", "lifeline/activities/rds", ""},
		{"workflows/fine/a.go", "lifeline/workflows/kinds", ""},
		{"workflows/queues/a.go", "lifeline/internal/temporal", ""},
		{"worker/fine/a.go", "lifeline/workflows", ""},
		{"worker/clients/a.go", "lifeline/internal/cloud", ""},
		{"starter/fine/a.go", "lifeline/internal/report", ""},
		{"trigger/fine/a.go", "lifeline/workflows", ""},
		{"local/aws/fine/a.go", "lifeline/internal/plan", ""},
		{"local/aws/old/a.go", "github.com/aws/aws-sdk-go/service/rds", ""},
		{"local/e2e/fine/a.go", "lifeline/workflows", ""},
		{"local/demo/fine/a.go", "lifeline/internal/report", ""},
		{"local/temporal/fine/a.go", "go.temporal.io/server/temporal", ""},
		{"workflows/files/a_test.go", "os", ""},
		{"workflows/addresses/a.go", "net/netip", ""},
		{"worker/dice/a.go", "math/rand/v2", ""},
		{"worker/slog/a.go", "log/slog", ""},
	}
}

// arrow is one import of one file, and why it is refused (empty: it is not).
type arrow struct{ file, imports, reason string }

func TestRules_WrongArrows_AreRefusedWithTheirReason(t *testing.T) {
	t.Parallel()
	found := lint(t, append(violations(), allowed()...))
	for _, v := range violations() {
		require.Contains(t, found[v.file], "import '"+v.imports+"' is not allowed", "%s imports %s and nobody complains", v.file, v.imports)
		require.Contains(t, found[v.file], v.reason, v.file)
		delete(found, v.file)
	}
	require.Empty(t, found, "arrows of the house are refused")
}

// TestRules_EachHasAViolation keeps the list above complete: a rule that is added
// to the configuration without a violation here fails.
func TestRules_EachHasAViolation(t *testing.T) {
	t.Parallel()
	config := readConfig(t)
	begin := strings.Index(config, "    depguard:\n")
	require.Positive(t, begin)
	section := config[begin:]
	section = section[:strings.Index(section, "\n    errcheck:")]
	reasons := 0
	for line := range strings.Lines(section) {
		reason, ok := strings.CutPrefix(strings.TrimSpace(line), "desc: ")
		if !ok || strings.Contains(reason, "errors and fmt.Errorf") {
			continue // that package is not even in the module cache
		}
		reasons++
		require.True(t, proven(reason), "no violation proves the rule %q", reason)
	}
	require.GreaterOrEqual(t, reasons, 15)
}

func proven(reason string) bool {
	for _, v := range violations() {
		if strings.Contains(reason, v.reason) {
			return true
		}
	}
	return false
}

// lint builds a house with these arrows and returns what depguard says, by file.
func lint(t *testing.T, arrows []arrow) map[string]string {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir()) // the linter compares real paths
	require.NoError(t, err)
	write(t, root, ".golangci.yml", readConfig(t))
	write(t, root, "go.mod", "module lifeline\n\ngo 1.26\n")
	for _, a := range arrows {
		write(t, root, a.file, "package room\n\nimport _ \""+a.imports+"\"\n")
	}
	cmd := exec.CommandContext(t.Context(), linter(t), "run", "--enable-only", "depguard", "--output.json.path", "stdout", "--output.text.path", "stderr", "--show-stats=false", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOLANGCI_LINT_CACHE="+t.TempDir())
	output, err := cmd.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the linter found nothing")
	require.Equal(t, 1, exit.ExitCode(), "linter: %s", exit.Stderr)

	var report struct {
		Issues []struct {
			FromLinter, Text string
			Pos              struct{ Filename string }
		}
	}
	require.NoError(t, json.Unmarshal(output, &report))
	found := map[string]string{}
	for _, issue := range report.Issues {
		if issue.FromLinter == "depguard" {
			found[issue.Pos.Filename] += issue.Text + "\n"
		}
	}
	return found
}

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func readConfig(t *testing.T) string {
	t.Helper()
	config, err := os.ReadFile("../../.golangci.yml")
	require.NoError(t, err)
	return string(config)
}

// linter is the pinned one that make builds.
func linter(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/tools/golangci-lint")
	require.NoError(t, err)
	_, err = os.Stat(path)
	require.NotErrorIs(t, err, fs.ErrNotExist, "run `make tools` first")
	return path
}
