package keep_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// refused is what a call says when nobody listens.
func refused() error {
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	return cloud.Explain("us-west-2", &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "http://127.0.0.1:4566/", Err: dial}})
}

// strangers is a page of a server that is no AWS.
func strangers() error {
	return cloud.Explain("us-west-2", fmt.Errorf("call: %w", unknownOperation{}))
}

type unknownOperation struct{}

func (unknownOperation) Error() string                 { return "UnknownOperationException" }
func (unknownOperation) ErrorCode() string             { return "UnknownOperationException" }
func (unknownOperation) ErrorMessage() string          { return "" }
func (unknownOperation) ErrorFault() smithy.ErrorFault { return 0 }

func TestSurvey_NotServed_IsFoundOutAtOnce_AndNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		reads  int
		within time.Duration
	}{
		"no such operation": {strangers(), 1, 0},
		"nobody listens":    {refused(), 3, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShelf()
				s.onRead = func(int) error { return c.err }
				start := time.Now()
				got, err := s.book(t, nil).Survey(t.Context(), things(2), true)
				require.NoError(t, err)
				require.Equal(t, 2, count(got)[runbook.Unavailable])
				require.Contains(t, got[0].Why, "does not serve")
				require.Equal(t, c.reads, s.reads)
				require.LessOrEqual(t, time.Since(start), c.within)
			})
		})
	}
}

// TestConverge_EndpointStartsAgain_IsNotTakenForOneThatDoesNotServe: what was
// there a moment ago is waited for.
func TestConverge_EndpointStartsAgain_IsNotTakenForOneThatDoesNotServe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		s.onRead = func(nth int) error {
			if nth > 1 && nth < 20 {
				return refused()
			}
			return nil
		}
		got, err := s.book(t, nil).Converge(t.Context(), things(2), true)
		require.NoError(t, err)
		require.Equal(t, 2, count(got)[runbook.Created])
	})
}

// TestConverge_OnlyWritesAreNotServed has a service that is read by one API and
// written by another, which the endpoint lacks.
func TestConverge_OnlyWritesAreNotServed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		writes int
	}{
		"no such operation": {strangers(), 1},
		"nobody listens":    {refused(), 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newShelf()
				s.onWrite = func(string, int) (bool, error) { return false, c.err }
				start := time.Now()
				got, err := s.book(t, nil).Converge(t.Context(), things(1), true)
				require.NoError(t, err)
				require.Equal(t, runbook.Unavailable, got[0].Verdict, got[0].Why)
				require.Equal(t, c.writes, s.writes["t000"])
				require.Less(t, time.Since(start), 20*time.Second)
			})
		})
	}
}

// TestConverge_ToldToStop_ClosesNothing: what is open then did not fail, and has to
// be taken up again.
func TestConverge_ToldToStop_ClosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newShelf()
		s.busy = time.Hour
		time.AfterFunc(time.Minute, cancel)
		_, err := s.book(t, nil).Converge(ctx, things(3), true)
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestUnserved_IsEitherOfBoth(t *testing.T) {
	t.Parallel()
	require.True(t, keep.Unserved(refused()))
	require.True(t, keep.Unserved(strangers()))
	require.False(t, keep.Unserved(cloud.Errorf(cloud.Unreachable, "no answer")))
}
