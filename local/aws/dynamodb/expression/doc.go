// Package expression understands DynamoDB's condition, key-condition, update
// and projection expressions.
//
// It owns their grammar, their placeholders and their evaluation on one item.
// It does not own tables, keys or error codes: every error is a plain sentence
// that the caller turns into a ValidationException. Parsing and evaluation are
// pure and never change the item they are given.
//
// Rules: "Expressions" in the Amazon DynamoDB developer guide.
package expression
