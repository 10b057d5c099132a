package wire

import (
	"context"
	"fmt"
	"net/http"

	"lifeline/local/aws/world"
)

// Call is one AWS request as an operation sees it: already authenticated in
// form, decoded and validated.
type Call struct {
	context.Context
	World     *world.World
	Region    string // from the SigV4 credential scope; global services see it too but must ignore it
	Service   string // signing name
	Operation string
	Caller    string // access key id of the credential scope
	RequestID string
	HTTP      *http.Request
	// Header is sent with the answer, for members that the v1 shapes do not carry.
	Header http.Header
}

// Error is an AWS error answer.
type Error struct {
	Status  int    // HTTP status
	Code    string // wire code, e.g. "DBInstanceNotFound"
	Message string
}

// Error is "Code: message".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an AWS error answer.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}
