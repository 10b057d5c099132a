// Package pattern reads the patterns of EventBridge rules and matches events
// with them.
//
// It owns the grammar. A pattern that breaks it is refused with the reason and the
// place; an event never fails, it matches or doesn't.
package pattern
