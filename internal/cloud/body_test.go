package cloud

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// closedEarly is a body as the SDK makes them: it writes itself, and once it is
// closed that fails.
type closedEarly struct {
	io.Reader
	closed bool
}

func (b *closedEarly) Close() error {
	b.closed = true
	return nil
}

// WriteTo fails as the SDK's bodies do.
func (b *closedEarly) WriteTo(w io.Writer) (int64, error) {
	if b.closed {
		return 0, io.EOF
	}
	return io.Copy(w, b.Reader)
}

// sender closes the body between its bytes and its end, and then does what
// net/http does: it looks for the end.
type sender struct{ t *testing.T }

func (s sender) Do(req *http.Request) (*http.Response, error) {
	sent := make([]byte, req.ContentLength)
	_, err := io.ReadFull(req.Body, sent)
	require.NoError(s.t, err)
	require.NoError(s.t, req.Body.Close())
	_, err = io.Copy(io.Discard, req.Body)
	return httptest.NewRecorder().Result(), err
}

func TestPlainBodies_ClosedWhileSent_CostNoConnection(t *testing.T) {
	t.Parallel()
	send := func(c interface {
		Do(*http.Request) (*http.Response, error)
	},
	) error {
		body := &closedEarly{Reader: strings.NewReader("Action=Describe")}
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://aws.example", body)
		req.ContentLength = int64(len("Action=Describe"))
		res, err := c.Do(req)
		require.NoError(t, res.Body.Close())
		require.Same(t, body, req.Body, "the SDK's own request is left as it was")
		return err
	}
	require.ErrorIs(t, send(sender{t}), io.EOF, "which is what has to be prevented")
	require.NoError(t, send(plainBodies{sender{t}}))
}

func TestPlainBodies_NoBody_IsLeftAlone(t *testing.T) {
	t.Parallel()
	seen := &bytes.Buffer{}
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://aws.example", http.NoBody)
	res, err := plainBodies{recorder{seen}}.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "none", seen.String())
}

type recorder struct{ seen *bytes.Buffer }

func (r recorder) Do(req *http.Request) (*http.Response, error) {
	if req.Body == http.NoBody {
		r.seen.WriteString("none")
	}
	return httptest.NewRecorder().Result(), nil
}
