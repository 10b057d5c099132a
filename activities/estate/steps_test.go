package estate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/activities/estate"
	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// What a guard refuses is neither read nor written. A look needs no signatures.
func TestSteps_RefusedBatch_ReachesNoKeeper(t *testing.T) {
	t.Parallel()
	refusal := errors.New("turned away")
	items := []runbook.Item{{Type: "thing", Region: "us-west-2", Name: "a"}}
	for name, c := range map[string]struct {
		wanted, allowed bool
		survey, build   bool // go through
	}{
		"both let it pass":   {true, true, true, true},
		"not wanted":         {false, true, false, false},
		"wanted, unapproved": {true, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, written := 0, 0
			steps, err := estate.New(keep.Keeper{
				Type: "thing",
				Read: func(context.Context, cloud.At, []runbook.Item) ([]runbook.ItemState, error) {
					read++
					return []runbook.ItemState{{ID: items[0].ID(), Found: written > 0}}, nil
				},
				Write: func(context.Context, cloud.At, runbook.Item, runbook.ItemState) (string, error) {
					written++
					return "request", nil
				},
			})
			require.NoError(t, err)
			answer := func(pass bool) error {
				if pass {
					return nil
				}
				return refusal
			}
			steps.Wanted = func(context.Context, []runbook.Item) error { return answer(c.wanted) }
			steps.Allowed = func(context.Context, estate.Batch) error { return answer(c.allowed) }

			_, err = steps.SurveyItems(t.Context(), estate.Batch{Items: items, Repair: true})
			require.Equal(t, !c.survey, errors.Is(err, refusal))
			require.Equal(t, c.survey, read > 0)
			read = 0
			_, err = steps.ConvergeItems(t.Context(), estate.Batch{Items: items, Repair: true})
			require.Equal(t, !c.build, errors.Is(err, refusal))
			require.Equal(t, c.build, read > 0 && written == 1)
		})
	}
}
