package expression

import "fmt"

// Error is an expression that DynamoDB refuses, in DynamoDB's own words.
type Error string

// Error is the refusal's text.
func (e Error) Error() string { return string(e) }

func invalid(format string, args ...any) error {
	return Error(fmt.Sprintf(format, args...))
}
