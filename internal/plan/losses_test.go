package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A tree that answers wrongly can't be written in a plan; the rule that would
// notice one that Tree makes by mistake is tested on rows.
func TestLosses_JudgesEveryRow(t *testing.T) {
	t.Parallel()
	p, problems := Load("../../examples/patient-records.yaml")
	require.Empty(t, problems)
	for name, c := range map[string]struct {
		row      LossRow
		severity Severity
		message  string
	}{
		"healthy, wrong Region": {LossRow{Location: "europe", Answer: "us-west-2"}, Error, "with all Regions healthy, europe is answered by us-west-2"},
		"still the lost one":    {LossRow{Location: "europe", Lost: "us-east-1", Answer: "us-east-1"}, Error, "when us-east-1 is lost, europe is still answered by it"},
		"not its fallback":      {LossRow{Location: "europe", Lost: "us-east-1", Answer: "eu-west-1"}, Error, "when us-east-1 is lost, europe is answered by eu-west-1, which is not its fallback"},
		"closed":                {LossRow{Location: "europe", Lost: "us-east-1", Answer: "us-east-1", Closed: true}, Warning, "when us-east-1 is lost, europe is served by nobody"},
		"right":                 {row: LossRow{Location: "europe", Lost: "us-east-1", Answer: "us-west-2"}},
		"another's loss":        {row: LossRow{Location: "europe", Lost: "us-west-2", Answer: "us-east-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := &checker{&decoder{source: &source{}}, p}
			j.losses([]LossRow{c.row})
			if c.message == "" {
				require.Empty(t, j.problems)
				return
			}
			require.Len(t, j.problems, 1)
			require.Equal(t, c.severity, j.problems[0].Severity)
			require.Equal(t, c.message, j.problems[0].Message)
		})
	}
}
