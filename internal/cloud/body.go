package cloud

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// plainBodies hides from net/http that request bodies can write themselves. The
// SDK closes a body once an answer begins, and a closed one then fails to write
// where a read would just have met the end: net/http, still looking for that
// end, takes it for a broken request and drops the connection under the answer.
// On a busy machine the rest of a good answer was lost so.
type plainBodies struct{ next aws.HTTPClient }

// Do sends the request.
func (c plainBodies) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		sent := req.WithContext(req.Context()) // the SDK goes on to use its own
		sent.Body = struct{ io.ReadCloser }{req.Body}
		req = sent
	}
	return c.next.Do(req)
}
