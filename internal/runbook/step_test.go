package runbook

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// thing is a world of one switch; it counts what is done to it.
type thing struct {
	on      bool
	looks   int
	acts    int
	sticky  bool // acts are answered but do nothing
	lookErr map[int]error
	actErr  error
}

func (w *thing) act() Act {
	return Act{
		Check: func(context.Context) (bool, string, error) {
			w.looks++
			return w.on, map[bool]string{true: "it is on", false: "it is off"}[w.on], w.lookErr[w.looks]
		},
		Do: func(context.Context) (string, error) {
			w.acts++
			w.on = w.on || !w.sticky
			return "req-1", w.actErr
		},
		Would: "switch it on",
	}
}

func TestAct_Run(t *testing.T) {
	t.Parallel()
	broken := errors.New("no answer")
	for name, c := range map[string]struct {
		world *thing
		dry   bool
		want  Outcome
		err   error
		acts  int
	}{
		"acts and reads back":      {&thing{}, false, Outcome{Effect: Acted, Evidence: "it is on", RequestID: "req-1"}, nil, 1},
		"already so":               {&thing{on: true}, false, Outcome{Effect: Already, Evidence: "it is on"}, nil, 0},
		"dry run":                  {&thing{}, true, Outcome{Effect: Would, Evidence: "switch it on (now: it is off)"}, nil, 0},
		"dry run, already so":      {&thing{on: true}, true, Outcome{Effect: Already, Evidence: "it is on"}, nil, 0},
		"never acts on the unread": {&thing{lookErr: map[int]error{1: broken}}, false, Outcome{}, broken, 0},
		"not in a dry run either":  {&thing{lookErr: map[int]error{1: broken}}, true, Outcome{}, broken, 0},
		"the act fails":            {&thing{actErr: broken}, false, Outcome{}, broken, 1},
		"answered but not so":      {&thing{sticky: true}, false, Outcome{}, ErrNotConfirmed, 1},
		"can't be read back":       {&thing{lookErr: map[int]error{2: broken}}, false, Outcome{}, broken, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.world.act().Run(t.Context(), c.dry)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			require.Equal(t, c.acts, c.world.acts)
		})
	}
}

func TestAct_Run_TellsOthersWorkFromItsOwn(t *testing.T) {
	t.Parallel()
	first := FirstAttempt(t.Context())
	got, err := (&thing{on: true}).act().Run(first, false)
	require.NoError(t, err)
	require.True(t, got.Before, "so before anybody of us touched it")
	got, err = (&thing{on: true}).act().Run(t.Context(), false)
	require.NoError(t, err)
	require.False(t, got.Before, "a repetition: it may be ours, its answer lost")
	got, err = (&thing{}).act().Run(first, false)
	require.NoError(t, err)
	require.False(t, got.Before)
}
