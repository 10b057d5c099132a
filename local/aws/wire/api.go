package wire

import (
	"context"
	"net/http"

	"lifeline/local/aws/world"
)

// Call is one AWS request as an operation sees it: already authenticated in
// form, decoded and validated.
type Call struct {
	context.Context //nolint:containedctx // a Call is the context of one request, made for it and gone with it
	World           *world.World
	Region          string // from the SigV4 credential scope; global services see it too but must ignore it
	Service         string // signing name
	Operation       string
	Caller          string // access key id of the credential scope
	RequestID       string
	HTTP            *http.Request
	// Header is sent with the answer, for members that the v1 shapes do not carry.
	Header http.Header
	// Status overrides the HTTP status of a good answer when not 0, such as 206.
	Status int

	body  []byte // of a JSON request, for Newer
	newer []addition
}
