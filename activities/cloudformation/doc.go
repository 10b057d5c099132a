// Package cloudformation owns the recovery stacks: it makes and changes them by
// change sets, which say what they would do before they do it, and looks whether
// what they made has been changed by hand.
//
// It does not own the templates (deploy/cloudformation has them) and never deletes
// a stack. A change that would replace or remove what holds data, and a stack that
// AWS lets nobody update, are Invalid: the message says what to do. Otherwise it
// fails with the kinds of package cloud.
package cloudformation
