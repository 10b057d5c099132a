// Package lambda owns the trigger's function: its code as it lies packaged on the
// worker's machine, its settings, and who may call it.
//
// It does not own what the function does. It fails with the kinds of package
// cloud; a package that is missing or is no program is Invalid and says how to
// make it.
package lambda
