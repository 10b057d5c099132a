// Package schedule reads EventBridge's schedule expressions, rate(5 minutes) and
// cron(0 2 ? * SUN *), and says when they are due next.
//
// It owns no timer. Everything is UTC. An expression that breaks the grammar, or
// that can never be due, is an error.
package schedule
