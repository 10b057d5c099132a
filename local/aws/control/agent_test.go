package control_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"lifeline/local/aws/control"
)

func TestInstall_PassesTheServerOnAndTheRefusalBack(t *testing.T) {
	t.Parallel()
	_, c := open(t, control.Options{Install: func(region string, server json.RawMessage) (string, error) {
		if string(server) != `{"hostname":"app-1"}` {
			return "", errors.New("not initialized")
		}
		return "s-" + region, nil
	}})
	id, err := c.Install(t.Context(), "us-west-2", map[string]string{"hostname": "app-1"})
	require.NoError(t, err)
	require.Equal(t, "s-us-west-2", id)
	_, err = c.Install(t.Context(), "us-west-2", map[string]string{})
	require.ErrorContains(t, err, "not initialized")
	_, err = c.Install(t.Context(), "mars-1", map[string]string{})
	require.ErrorContains(t, err, "mars-1")
	_, none := open(t, control.Options{})
	_, err = none.Install(t.Context(), "us-west-2", map[string]string{})
	require.ErrorContains(t, err, "no agents")
}
