package wire

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an AWS error answer.
type Error struct {
	Status  int    // HTTP status
	Code    string // wire code, e.g. "DBInstanceNotFound"
	Message string
	// Detail is a pointer to a v1 exception struct whose members go into the
	// answer beside code and message, for protocols that carry them (JSON,
	// CBOR); nil for none.
	Detail any

	// problem is set on errors of the wire itself: each service has its own
	// status and code for it.
	problem problem
}

// Error is "Code: message".
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an AWS error answer.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid is a refused parameter value. The server replaces status and code by
// those that the service uses for it (InvalidParameterValue, ValidationError,
// ValidationException, InvalidInput, ...).
func Invalid(format string, args ...any) *Error {
	return refuse(invalidParameter, format, args...)
}

// Missing is a required parameter that is not there; its code is filled in like
// that of Invalid.
func Missing(format string, args ...any) *Error {
	return refuse(missingParameter, format, args...)
}

// problem is a way in which a call fails before or beside its operation.
type problem int

const (
	noProblem problem = iota
	missingParameter
	invalidParameter
	malformedBody
	unknownOperation
	missingAuth
	malformedAuth
	expiredAuth
	foreignRegion
	denied
	throttled
	unavailable
	internal
	tooLarge
	badDigest
)

func refuse(p problem, format string, args ...any) *Error {
	e := Errorf(http.StatusBadRequest, "InvalidParameterValue", format, args...)
	e.problem = p
	return e
}

// asError turns whatever an operation returned into an answer. An error that is
// no *Error is a bug of the simulator and shows as the service's 500.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return refuse(internal, "%v", err)
}
