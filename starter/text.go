package main

import (
	"fmt"
	"reflect"

	"lifeline/internal/report"
)

// painted is a text of our own that may hold colours.
type painted string

// textf formats a line for people. Whatever came from AWS, from a worker or from
// another person passes through report.Printable: it must not steer the terminal.
func textf(format string, args ...any) string {
	clean := make([]any, len(args))
	for i, arg := range args {
		clean[i] = printable(arg)
	}
	return fmt.Sprintf(format, clean...)
}

func printable(arg any) any {
	switch v := arg.(type) {
	case painted:
		return string(v)
	case error:
		return report.Printable(v.Error())
	}
	if v := reflect.ValueOf(arg); v.Kind() == reflect.String {
		return report.Printable(v.String())
	}
	return arg
}
