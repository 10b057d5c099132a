// Package tools owns the versions of the linters, in a module of its own so that
// their dependencies weigh on no other module, and the test that proves the
// linter's import rules. It owns no program; make builds what it pins into
// bin/tools.
package tools
