package workflows_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// photo is the state of the world that a run may change.
type photo struct {
	holder, writer plan.Region
	epoch          int64
	objects        map[string]bool
	frozen         map[plan.Region]bool
	fenced         map[string]bool
}

func (w *world) photo() photo {
	w.mu.Lock()
	defer w.mu.Unlock()
	return photo{w.holder, w.writer, w.epoch, maps.Clone(w.objects), maps.Clone(w.frozen), maps.Clone(w.fenced)}
}

// requireSafe asserts what holds however a run went: read from the world, and
// from the report only where the report is what is judged.
func (w *world) requireSafe(t *testing.T, before photo, rep runbook.Report) {
	t.Helper()
	after := w.photo()
	story := fmt.Sprintf("%s: %s\nacted: %s\nleft: %s", rep.Status, rep.Summary, strings.Join(w.acted, "; "), strings.Join(rep.Left, "; "))
	require.True(t, rep.Status.Final(), story)
	require.False(t, rep.Ended.IsZero(), story)
	require.NotEmpty(t, rep.Summary)
	require.NotEmpty(t, rep.Safe)
	require.NotEmpty(t, rep.Next)
	require.Nil(t, rep.Ballot(), "nobody is asked by a run that has ended: "+story)
	w.requireOneWriter(t, rep, story)
	once := map[string]bool{}
	for _, effect := range w.acted {
		require.False(t, once[effect], "twice: "+effect+"\n"+story)
		once[effect] = true
	}
	switch {
	case rep.Status == runbook.Done:
		require.Equal(t, len(w.moves) == 0, before.writer == after.writer)
		require.Equal(t, rep.To, after.writer, story)
	case begun(rep, "FailoverAurora") || begun(rep, "SwitchoverAurora"):
		require.Equal(t, runbook.Stopped, rep.Status, story)
		require.Empty(t, inState(rep, runbook.Undone, runbook.Undoing, runbook.Left), "after the point of no return nothing is taken back: "+story)
	default:
		require.NotEqual(t, runbook.Stopped, rep.Status, story)
		require.Equal(t, before.writer, after.writer, story)
		requireRestored(t, before, after, rep, story)
	}
}

// requireOneWriter asserts that the writer changed at most once, after an
// approval, and not before the old writer had stopped unless people knew.
func (w *world) requireOneWriter(t *testing.T, rep runbook.Report, story string) {
	t.Helper()
	require.True(t, slices.IsSorted(w.epochs), story)
	require.LessOrEqual(t, len(w.moves), 1, story)
	if len(w.moves) == 0 {
		return
	}
	moved := w.moves[0]
	i := slices.IndexFunc(rep.Ballots, func(b runbook.Ballot) bool {
		return b.Stage == runbook.Approve && b.Allowed() && !b.Closed.After(moved)
	})
	require.GreaterOrEqual(t, i, 0, "moved without an approval: "+story)
	if w.holder == rep.To {
		require.False(t, w.freeAt.After(moved), "the old writer may still have been at work: "+story)
		return
	}
	named := false
	for _, b := range rep.Ballots {
		for _, risk := range b.Risks {
			named = named || strings.HasPrefix(risk.Code, "fence-unconfirmed:")
		}
	}
	require.True(t, named, "no lease, and nobody was told: "+story)
}

// requireRestored asserts that every difference is named as left.
func requireRestored(t *testing.T, before, after photo, rep runbook.Report, story string) {
	t.Helper()
	left := strings.Join(rep.Left, "\n")
	if before.holder != after.holder {
		require.Contains(t, left, "FenceLease", story)
	}
	for key := range union(before.objects, after.objects) {
		if before.objects[key] != after.objects[key] {
			require.Regexp(t, "(Evacuate|Return)By", left, key+" "+story)
		}
	}
	for region := range union(before.frozen, after.frozen) {
		if before.frozen[region] != after.frozen[region] {
			require.Regexp(t, "(?i)freezescaling web in "+string(region), left, story)
		}
	}
	for key := range union(before.fenced, after.fenced) {
		if before.fenced[key] != after.fenced[key] {
			what, region, _ := strings.Cut(key, " ")
			require.Regexp(t, "(?i)fence"+what+" web in "+region, left, story)
		}
	}
}

func union[K comparable](a, b map[K]bool) map[K]bool {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func begun(rep runbook.Report, step string) bool {
	for _, stage := range rep.Stages {
		for _, s := range stage.Steps {
			if s.Name == step {
				return true
			}
		}
	}
	return false
}

func inState(rep runbook.Report, states ...runbook.State) []string {
	var out []string
	for _, stage := range rep.Stages {
		for _, s := range stage.Steps {
			if slices.Contains(states, s.State) {
				out = append(out, s.Name)
			}
		}
	}
	return out
}

// setting is a runbook in the world that it is meant for.
type setting struct {
	title    string
	workflow string
	runbook  runbook.Name
	from, to plan.Region
	arrange  func(*world)
	needs    []string // activities without which it is not done
}

func settings() []setting {
	arcSwitch := func(w *world) {
		w.plan.Traffic.Switch = plan.Switch{
			Provider:         plan.SwitchARCControl,
			RoutingControls:  map[plan.Region]string{east: "control-east", west: "control-west"},
			ClusterEndpoints: []plan.ClusterEndpoint{{Region: west, URL: "https://cluster.example/v1"}},
		}
	}
	home := func(w *world) {
		w.down[east], w.writer, w.holder, w.epoch = false, west, west, 2
		w.fenced["compute us-east-1"], w.fenced["network us-east-1"], w.frozen[east] = true, true, true
		w.objects["evacuate/us-east-1"] = true
	}
	served := []string{"ObserveRegions", "VerifyAnswers", "VerifyTransaction", "AwaitServed"}
	promoted := append([]string{"DescribeAurora", "FailoverAurora", "AwaitAuroraWriter"}, served...)
	switched := append([]string{
		"DescribeAurora", "AwaitTableCaughtUp", "AwaitBucketCaughtUp", "FenceLease", "DescribeLease",
		"SwitchoverAurora", "AwaitAuroraWriter", "UnfreezeScaling",
	}, served...)
	returned := append([]string{
		"AwaitAuroraSynchronized", "PreserveLostWrites", "DescribeReplicas", "DescribeGroup",
		"UnfenceCompute", "UnfenceNetwork", "AwaitTargets",
	}, switched...)
	return []setting{
		{"failover", "Failover", runbook.Failover, east, west, func(*world) {}, append(promoted, "EvacuateByObject")},
		{"failover that promotes nothing", "Failover", runbook.Failover, east, west, func(w *world) { w.writer, w.holder = west, west }, append(served, "EvacuateByObject", "UnfreezeScaling")},
		{"failover by routing controls", "Failover", runbook.Failover, east, west, arcSwitch, append(promoted, "EvacuateByRoutingControl")},
		{"switchover", "Switchover", runbook.Switchover, east, west, func(w *world) { w.down[east] = false }, append(switched, "DescribeTargets", "EvacuateByObject")},
		{"failback", "Failback", runbook.Failback, west, east, home, append(returned, "EvacuateByObject", "ReturnByObject")},
		{"failback of traffic alone", "Failback", runbook.Failback, west, east, func(w *world) {
			home(w)
			w.writer, w.holder = east, east
		}, served},
		{"failback by routing controls", "Failback", runbook.Failback, west, east, func(w *world) {
			home(w)
			arcSwitch(w)
			w.objects = map[string]bool{"control-east": true}
		}, append(returned, "ReturnByRoutingControl")},
	}
}

// run plays a setting with mischief, people approving what is asked.
func (s setting) run(t *testing.T, what func(call) mischief) (*world, photo, runbook.Report) {
	t.Helper()
	w := newWorld(t)
	s.arrange(w)
	w.mischief = what
	w.approveWhenAsked()
	before := w.photo()
	return w, before, w.play(s.workflow, w.start(s.runbook, s.from, s.to))
}
