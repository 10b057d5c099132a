// Package kinds says what each kind of resource does in each runbook, one file
// for each kind. A kind implements only the verbs that mean something for it:
// Freezer, Prescaler, Meter, Fencer, Promoter, Switcher, Reprotector, Catcher,
// Releaser. A runbook asks every resource of its plan and calls those that
// answer.
//
// It owns no player: a runbook lends its own as Player. All functions are
// workflow code and deterministic.
package kinds
