package probe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/probe"
)

// at is a moment, in seconds after the beginning.
func at(seconds float64) time.Time {
	return time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// attempts of one client, one a second, each half a second long: "+" succeeds,
// "-" fails.
func attempts(kind probe.Kind, location, outcomes string) []probe.Line {
	var out []probe.Line
	for i, c := range outcomes {
		out = append(out, probe.Line{
			Seq: int64(i + 1), Kind: kind, Location: location, ID: location + "-" + string(kind) + "-" + string(rune('a'+i)),
			Started: at(float64(i)), Ended: at(float64(i) + 0.5), OK: c == '+', Region: "us-east-1", Epoch: 1,
		})
	}
	return out
}

func TestSummarise_Recovery(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		outcomes  string
		marks     probe.Marks
		seconds   float64
		recovered bool
		failed    int
	}{
		"never failed":                  {"++++", probe.Marks{}, 0, true, 0},
		"one outage":                    {"++---++", probe.Marks{}, 3.5, true, 3},
		"never recovered":               {"++---", probe.Marks{}, 2.5, false, 3},
		"failed from the beginning":     {"---", probe.Marks{}, 2.5, false, 3},
		"flapping counts to the end":    {"+-+-+-++", probe.Marks{}, 5.5, true, 3},
		"one success is no recovery":    {"+--+-", probe.Marks{}, 3.5, false, 3},
		"failures before the mark":      {"+-+--++", probe.Marks{Failed: at(2.8)}, 2.5, true, 2},
		"attempt under way at the mark": {"++--++", probe.Marks{Failed: at(2.2)}, 2.5, true, 2},
		"later outage is another one":   {"+--++--+", probe.Marks{Failed: at(0.9), Until: at(4.8)}, 2.5, true, 2},
		"planned window ends the judgement": {
			"+--++--+", probe.Marks{Failed: at(0.9), Windows: []probe.Window{{Name: "failback", From: at(4.8), To: at(9)}}}, 2.5, true, 2,
		},
		"window before the failure does not": {
			"+--++--+", probe.Marks{Failed: at(0.9), Windows: []probe.Window{{Name: "earlier", From: at(0.1), To: at(0.2)}}}, 6.5, true, 4,
		},
		"recovered only after the window": {"+---+", probe.Marks{Failed: at(0.9), Until: at(2.9)}, 3.5, true, 2},
		"no attempts at all":              {"", probe.Marks{Failed: at(0)}, 0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := probe.Summarise(attempts(probe.Record, "europe", c.outcomes), probe.AuditResult{}, c.marks)
			r := s.Recoveries[probe.Record]["europe"]
			require.InDelta(t, c.seconds, r.Seconds, 1e-9)
			require.InDelta(t, c.seconds, s.ClientRTO[probe.Record], 1e-9)
			require.Equal(t, c.recovered, s.Recovered[probe.Record])
			require.Equal(t, c.failed, r.FailedAttempts)
		})
	}
}

func TestSummarise_WorstLocationCountsAndKindsAreApart(t *testing.T) {
	t.Parallel()
	ledger := slices.Concat(
		attempts(probe.Record, "europe", "+--+++"),
		attempts(probe.Record, "asia", "++++++"),
		attempts(probe.Record, "north-america", "+----+"),
		attempts(probe.Invoice, "europe", "+-----"),
	)
	s := probe.Summarise(ledger, probe.AuditResult{}, probe.Marks{})
	require.InDelta(t, 4.5, s.ClientRTO[probe.Record], 1e-9)
	require.True(t, s.Recovered[probe.Record])
	require.False(t, s.Recovered[probe.Invoice], "one location that never came back spoils it")
	require.Zero(t, s.Recoveries[probe.Record]["asia"].Seconds)
	require.Equal(t, 24, s.Attempts)
	require.Equal(t, map[probe.Kind]int{probe.Record: 12, probe.Invoice: 1}, s.AckedWrites)
}

func TestSummarise_OrderOfLinesAndBrokenClock(t *testing.T) {
	t.Parallel()
	ledger := attempts(probe.Record, "europe", "++---++")
	want := probe.Summarise(ledger, probe.AuditResult{}, probe.Marks{})
	slices.Reverse(ledger)
	require.Equal(t, want, probe.Summarise(ledger, probe.AuditResult{}, probe.Marks{}))

	ledger[0].Ended = ledger[0].Started.Add(-time.Hour) // the clock stepped back
	s := probe.Summarise(ledger, probe.AuditResult{}, probe.Marks{})
	require.InDelta(t, 3.5, s.ClientRTO[probe.Record], 1e-9)
}

func TestSummarise_LostWrites(t *testing.T) {
	t.Parallel()
	ledger := attempts(probe.Record, "europe", "+++--++")
	id := func(n int) string { return "record/" + ledger[n].ID }
	verdicts := map[string]probe.Verdict{
		id(0): probe.Present, id(1): probe.Lost, id(2): probe.Lost, id(3): probe.Lost, // 3 was never acknowledged
		id(5): probe.Unknown,
	}
	s := probe.Summarise(ledger, probe.AuditResult{Verdicts: verdicts}, probe.Marks{Failed: at(2.7)})
	require.Equal(t, 2, s.LostWrites[probe.Record])
	require.InDelta(t, 1.2, s.ClientRPO[probe.Record], 1e-9, "from the oldest lost acknowledgement, at 1.5, to the failure at 2.7")
	require.Equal(t, 2, s.UnauditedWrites[probe.Record], "one without a clear answer, one that was not looked for")

	none := probe.Summarise(ledger, probe.AuditResult{Verdicts: map[string]probe.Verdict{id(0): probe.Present}}, probe.Marks{Failed: at(2.7)})
	require.Zero(t, none.ClientRPO[probe.Record])
	require.Zero(t, none.LostWrites[probe.Record])

	late := probe.Summarise(ledger, probe.AuditResult{Verdicts: map[string]probe.Verdict{id(5): probe.Lost}}, probe.Marks{Failed: at(2.7)})
	require.Equal(t, 1, late.LostWrites[probe.Record])
	require.Zero(t, late.ClientRPO[probe.Record], "a write after the failure has no age at the failure")
}

// ack is one acknowledged invoice.
func ack(seconds float64, region string, epoch int64) probe.Line {
	return probe.Line{Kind: probe.Invoice, ID: region + at(seconds).String(), Started: at(seconds - 0.1), Ended: at(seconds), OK: true, Region: region, Epoch: epoch}
}

func TestSummarise_TwoWriters(t *testing.T) {
	t.Parallel()
	const east, west = "us-east-1", "us-west-2"
	for name, c := range map[string]struct {
		ledger    []probe.Line
		seconds   float64
		conflicts int
	}{
		"no writes":              {nil, 0, 0},
		"one writer":             {[]probe.Line{ack(1, east, 1), ack(9, east, 1)}, 0, 0},
		"handed over":            {[]probe.Line{ack(1, east, 1), ack(5, east, 1), ack(6, west, 2), ack(9, west, 2)}, 0, 0},
		"there and back":         {[]probe.Line{ack(1, east, 1), ack(5, west, 2), ack(9, east, 3)}, 0, 0},
		"old writer goes on":     {[]probe.Line{ack(1, east, 1), ack(5, west, 2), ack(8, east, 1), ack(9, west, 2)}, 3, 0},
		"zombie long afterwards": {[]probe.Line{ack(1, east, 1), ack(5, west, 2), ack(6, west, 2), ack(60, east, 1)}, 55, 0},
		"same epoch, at once":    {[]probe.Line{ack(1, east, 1), ack(4, west, 1), ack(6, east, 1), ack(9, west, 1)}, 2, 1},
		"same epoch, in turn":    {[]probe.Line{ack(1, east, 1), ack(2, east, 1), ack(4, west, 1)}, 0, 1},
		"three, counted once":    {[]probe.Line{ack(1, east, 1), ack(2, west, 2), ack(3, "us-east-2", 3), ack(5, east, 1), ack(6, west, 2)}, 4, 0},
		"epoch rises in place":   {[]probe.Line{ack(1, east, 1), ack(3, east, 2), ack(4, east, 1)}, 0, 0},
		"refusals do not count":  {[]probe.Line{ack(1, east, 1), ack(5, west, 2), {Kind: probe.Invoice, Started: at(6), Ended: at(8), Region: east, Epoch: 1}}, 0, 0},
		"records do not count":   {[]probe.Line{ack(1, west, 2), {Kind: probe.Record, Started: at(6), Ended: at(8), OK: true, Region: east, Epoch: 1}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			slices.Reverse(c.ledger)
			s := probe.Summarise(c.ledger, probe.AuditResult{}, probe.Marks{})
			require.InDelta(t, c.seconds, s.TwoWritersSeconds, 1e-9)
			require.Equal(t, c.conflicts, s.EpochConflicts)
		})
	}
}

func TestSummarise_Duplicates(t *testing.T) {
	t.Parallel()
	ledger := attempts(probe.Record, "europe", "+++-")
	ledger[1].ID, ledger[2].ID, ledger[3].ID = ledger[0].ID, ledger[0].ID, ledger[0].ID
	other := attempts(probe.Invoice, "europe", "+")
	other[0].ID = ledger[0].ID // the same id of another kind is another write
	require.Equal(t, 2, probe.Summarise(append(ledger, other...), probe.AuditResult{}, probe.Marks{}).Duplicates)
}

func TestSummarise_FailbackWindow(t *testing.T) {
	t.Parallel()
	ledger := slices.Concat(
		attempts(probe.Record, "europe", "+--++++++++"),
		attempts(probe.Invoice, "europe", "+--++--++++"),
	)
	lost := probe.AuditResult{Verdicts: map[string]probe.Verdict{
		"invoice/" + ledger[11+3].ID: probe.Lost, // acknowledged at 3.5: before the window
		"invoice/" + ledger[11+7].ID: probe.Lost, // at 7.5: within
	}}
	s := probe.Summarise(ledger, lost, probe.Marks{Failed: at(0.9), Windows: []probe.Window{{Name: "failback", From: at(4.9), To: at(9)}}})
	require.Len(t, s.Windows, 1)
	w := s.Windows[0]
	require.Zero(t, w.DowntimeSeconds[probe.Record])
	require.InDelta(t, 2.5, w.DowntimeSeconds[probe.Invoice], 1e-9)
	require.Equal(t, map[probe.Kind]int{probe.Record: 0, probe.Invoice: 1}, w.LostWrites)
	require.True(t, w.Recovered)
	require.InDelta(t, 2.5, s.ClientRTO[probe.Invoice], 1e-9, "the failback is not part of the failure")
}
