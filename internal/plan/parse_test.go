package plan_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

func TestLoad_Examples_AreWithoutProblems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "*.yaml"))
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 2)
	for _, f := range files {
		p, problems := plan.Load(f)
		require.Empty(t, problems, f)
		require.NoError(t, problems.Err())
		require.NotEmpty(t, p.Application)
	}
}

func TestParse_ReadsEveryValue(t *testing.T) {
	t.Parallel()
	p := valid(t)
	require.Equal(t, plan.RegionSpec{Name: "us-west-2", Role: plan.Recovery, Endpoint: "usw2.patients.example"}, p.Regions[1])
	require.Equal(t, plan.Objectives{RTO: seconds(600), RPO: seconds(90)}, *p.Resources[1].Objectives)
	require.Equal(t, []plan.FenceLayer{plan.FenceLease, plan.FenceCompute, plan.FenceNetwork, plan.FenceAurora}, p.Resources[1].Fence)
	require.Equal(t, "patient-billing", p.Resources[1].Global["globalCluster"])
	require.Equal(t, "patient-billing-usw2", p.Resources[1].Regions["us-west-2"]["cluster"])
	require.Equal(t, plan.Lease{Region: "us-east-2", Table: "lifeline-lease", TTL: seconds(10)}, *p.Lease)
	require.Equal(t, plan.Transaction{Write: "/records", Read: "/records/{id}", Status: "/lifeline/status"}, p.Traffic.Transaction)
	require.Equal(t, 8080, p.Traffic.Port)
	require.Len(t, p.Approvals.Operators, 1)
}

// A plan travels to workflows as JSON.
func TestPlan_SurvivesJSON(t *testing.T) {
	t.Parallel()
	for _, p := range []plan.Plan{valid(t), withARC(t), valid(t).Scale(7)} {
		b, err := json.Marshal(p)
		require.NoError(t, err)
		var back plan.Plan
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, p, back)
	}
}

func TestDuration_UnmarshalText_RefusesABareNumber(t *testing.T) {
	t.Parallel()
	var d plan.Duration
	require.Error(t, d.UnmarshalText([]byte("20")))
	require.NoError(t, d.UnmarshalText([]byte("1h30m")))
	require.Equal(t, "1h30m0s", d.String())
}

func TestLoad_MissingFile_IsAProblemWithoutPosition(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "nowhere.yaml")
	_, problems := plan.Load(path)
	require.Len(t, problems, 1)
	require.Error(t, problems.Err())
	require.Zero(t, problems[0].Position)
	require.Contains(t, problems.Error(), path+": error: the plan can't be read")
	require.Contains(t, problems[0].Hint, "-f PLAN")
}

func TestLoad_Directory_IsAProblem(t *testing.T) {
	t.Parallel()
	_, problems := plan.Load(t.TempDir())
	require.Error(t, problems.Err())
}

func TestLoad_HugeFile_IsRefusedWithoutReadingIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "huge.yaml")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, 1<<40))
	_, problems := plan.Load(path)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Message, "more than 262144")
}

func TestParse_TextThatIsTooLong(t *testing.T) {
	t.Parallel()
	_, problems := plan.Parse("p", []byte(edited(t, example(t, "patient-records.yaml"), "platform-on-call@patients.example", strings.Repeat("x", 1025))))
	require.Len(t, problems, 1)
	require.Equal(t, "owner has 1025 bytes, more than 1024", problems[0].Message)
}

func TestParse_ByteOrderMarkAndCRLF_ChangeNothing(t *testing.T) {
	t.Parallel()
	text := "\ufeff" + strings.ReplaceAll(example(t, "patient-records.yaml"), "\n", "\r\n")
	p, problems := plan.Parse("p", []byte(text))
	require.Empty(t, problems)
	require.Equal(t, valid(t), p)

	_, problems = plan.Parse("p", []byte("\ufeff"+"x: 1\r\ny: 2\r\n"))
	require.Contains(t, problems.Error(), "p:1:1: error: unknown key \"x\"")
	require.Contains(t, problems.Error(), "p:2:1: error: unknown key \"y\"")
}

// Every line matters: whichever is taken out, somebody is told, or the plan
// says the same or less with a valid value left out.
func TestParse_EachLineTakenOut_NeverPanicsAndStaysInTheFile(t *testing.T) {
	t.Parallel()
	lines := strings.Split(example(t, "patient-records.yaml"), "\n")
	silent := 0
	for i := range lines {
		text := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "\n")
		_, problems := plan.Parse("p", []byte(text))
		requireInside(t, text, problems)
		if len(problems) == 0 && strings.TrimSpace(lines[i]) != "" && !strings.HasPrefix(lines[i], "#") {
			silent++
			require.Regexp(t, `owner|dependsOn|objectives|nameServers|location|name: (north|europe|asia)|chidi|dana|operators|arn:aws:sns|publicKey|^notifications|topics|protect|replication|archiveAfterDays|^readiness|^trigger|intent|subscribers|protocol|^  rules`, lines[i])
		}
	}
	require.NotZero(t, silent, "some keys are optional")
}

// requireInside checks that every problem points into the text, and that the
// list is in the order of the file.
func requireInside(tb testing.TB, text string, problems plan.Problems) {
	tb.Helper()
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n"), "\n")
	last := plan.Position{}
	for _, p := range problems {
		at := p.Position
		require.NotEmpty(tb, p.Message)
		require.Contains(tb, []plan.Severity{plan.Error, plan.Warning}, p.Severity)
		if at == (plan.Position{}) {
			continue
		}
		require.GreaterOrEqual(tb, at.Line, 1)
		require.LessOrEqual(tb, at.Line, len(lines))
		require.GreaterOrEqual(tb, at.Column, 1)
		require.LessOrEqual(tb, at.Column, utf8.RuneCountInString(lines[at.Line-1])+1)
		require.False(tb, at.Line < last.Line || at.Line == last.Line && at.Column < last.Column, "in the order of the file")
		last = at
	}
}

func TestParse_ManyProblems_AreCutWithAWord(t *testing.T) {
	t.Parallel()
	_, problems := plan.Parse("p", []byte(strings.Repeat("[*a, ", 30)+strings.Repeat("*a, ", 50_000)))
	require.Len(t, problems, 501)
	require.Contains(t, problems.Error(), "more problems follow")
	var b bytes.Buffer
	require.NoError(t, problems.Print(&b))
	require.Less(t, b.Len(), 1<<20, "long lines are cut around the place")
}

func TestProblems_Err_IsForErrorsOnly(t *testing.T) {
	t.Parallel()
	warning := plan.Problem{Severity: plan.Warning, Message: "odd", Path: "a.b"}
	failure := plan.Problem{Severity: plan.Error, Message: "wrong", File: "f.yaml", Position: plan.Position{Line: 2, Column: 3}, Hint: "do it right"}
	require.NoError(t, plan.Problems{}.Err())
	require.NoError(t, plan.Problems{warning}.Err())
	both := plan.Problems{warning, failure}
	require.ErrorContains(t, both.Err(), "f.yaml:2:3: error: wrong\n    hint: do it right")
	require.Contains(t, both.Error(), "a.b: warning: odd")
	require.Equal(t, plan.Problems{failure}, both.Errors())
	require.Equal(t, plan.Problems{warning}, both.Warnings())
	var as plan.Problems
	require.ErrorAs(t, both.Err(), &as)
	require.Len(t, as, 2)
}

func TestProblems_Print_MarksThePlace(t *testing.T) {
	t.Parallel()
	_, problems := plan.Parse("p.yaml", []byte(edited(t, example(t, "patient-records.yaml"), "  port: 8080", "  port: \"8\t0\" # \u00fc")))
	var b bytes.Buffer
	require.NoError(t, problems.Print(&b))
	require.Equal(t, "p.yaml:62:9: error: traffic.port must be a whole number, not text\n"+
		"   62 |   port: \"8\t0\" # \u00fc\n"+
		"      |         ^\n"+
		"1 error, 0 warnings\n", b.String())
}

// A plan is printed to terminals: what is in it must not be obeyed.
func TestProblems_Print_DisarmsTheTerminal(t *testing.T) {
	t.Parallel()
	_, problems := plan.Parse("p.yaml", []byte("owner: \"\x1b[2J\u202e\"\n"))
	var b bytes.Buffer
	require.NoError(t, problems.Print(&b))
	require.NotEmpty(t, b.String())
	require.NotContains(t, b.String(), "\x1b")
	require.NotContains(t, b.String(), "\u202e")
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestPrintAndDescribe_BrokenPipe(t *testing.T) {
	t.Parallel()
	require.ErrorIs(t, plan.Problems{{Message: "x"}}.Print(brokenPipe{}), os.ErrClosed)
	require.ErrorIs(t, plan.Describe(brokenPipe{}, valid(t)), os.ErrClosed)
}

// Workers judge a plan that came over the wire, without a file to point into.
func TestValidate_HasPathsInsteadOfPositions(t *testing.T) {
	t.Parallel()
	require.Empty(t, valid(t).Validate())
	p := valid(t)
	p.Traffic.Port = 0
	p.Approvals.Quorum = 9
	problems := p.Validate()
	require.Len(t, problems, 2)
	require.Equal(t, []string{"approvals.quorum", "traffic.port"}, []string{problems[0].Path, problems[1].Path})
	require.Contains(t, problems.Error(), "traffic.port: error: port must be 1 to 65535, but is 0")
}

func TestValidate_TheEmptyPlan_IsRefusedWithoutPanic(t *testing.T) {
	t.Parallel()
	require.Error(t, plan.Plan{}.Validate().Err())
}

func TestPlan_Queries(t *testing.T) {
	t.Parallel()
	p := valid(t)
	require.Equal(t, east, p.Primary())
	require.Equal(t, regions(east, west), p.TrafficRegions())
	require.Empty(t, plan.Plan{}.Primary())
	_, known := p.Region("mars")
	require.False(t, known)
	_, known = p.Resource("mars")
	require.False(t, known)
	front, ok := p.Front()
	require.True(t, ok)
	require.Equal(t, "web", front.Name)
	p.Traffic.Service = "records"
	_, ok = p.Front()
	require.False(t, ok, "a table is no service")
}

func TestKinds_AreComplete(t *testing.T) {
	t.Parallel()
	for _, s := range plan.Kinds() {
		got, ok := s.Kind.Spec()
		require.True(t, ok)
		require.Equal(t, s, got)
		require.NotEmpty(t, s.What)
		require.NotEmpty(t, s.Regional)
		require.Equal(t, s.Promoted, len(s.Fences) > 0, "what is promoted can be fenced, and nothing else")
		require.NotEqual(t, s.Stateless, s.Replication != "", s.Kind)
	}
	_, ok := plan.Kind("mainframe").Spec()
	require.False(t, ok)
}

// No text of an allowed size keeps the parser busy: each of these took between
// one second and one minute before lines were limited.
func TestParse_HostileText_IsJudgedQuickly(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"a:\n", "a: 1\n", "a: |\n x\n", "a: >\n\n", "-\n", "k: [a, b, c]\n", "a: 1, ", "[a: 1], "} {
		for _, around := range [][2]string{{"", ""}, {"{", "}"}} {
			body := strings.Repeat(unit, (255<<10)/len(unit))
			if lines := strings.Split(body, "\n"); len(lines) > 4990 {
				body = strings.Join(lines[:4990], "\n")
			}
			began := time.Now()
			_, problems := plan.Parse("p", []byte(around[0]+body+around[1]))
			require.Error(t, problems.Err())
			require.Less(t, time.Since(began), 20*time.Second, "%q in %q", unit, around)
		}
	}
}

func TestParse_TooManyLines(t *testing.T) {
	t.Parallel()
	_, problems := plan.Parse("p", []byte(strings.Repeat("a:\n", 6000)))
	require.Len(t, problems, 1)
	require.Equal(t, plan.Position{Line: 5001, Column: 1}, problems[0].Position)
}
