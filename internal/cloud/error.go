package cloud

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"

	"lifeline/internal/plan"
)

// Error is a failure with its kind. Its text is for the on-call engineer.
type Error struct {
	Kind   Kind
	Region plan.Region
	// Permission is the IAM action that the caller lacks, for Denied only.
	Permission string
	// RequestID is AWS's id of the refused call, when there was an answer.
	RequestID string
	Err       error
}

// Error says where, and for a denial which permission is missing.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Region != "" {
		fmt.Fprintf(&b, "%s: ", e.Region)
	}
	if e.Permission != "" {
		fmt.Fprintf(&b, "permission %s is missing: ", e.Permission)
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind. Like fmt.Errorf it wraps what %w names.
func Errorf(kind Kind, format string, args ...any) error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Explain gives a failed call its kind, its Region and, when it was denied, the
// name of the permission that is missing.
func Explain(region plan.Region, err error) error {
	e := &Error{Kind: KindOf(err), Region: region, Err: err}
	var answer interface{ ServiceRequestID() string }
	if errors.As(err, &answer) {
		e.RequestID = answer.ServiceRequestID()
	}
	var operation *smithy.OperationError
	if e.Kind == Denied && errors.As(err, &operation) {
		e.Permission = lacking(operation.Service(), operation.Operation(), err)
	}
	return e
}
