// Package events owns EventBridge's rules and their targets: what AWS tells of by
// itself and who gets it.
//
// It does not own the patterns. Events come at best effort, so nothing decides by
// them. It fails with the kinds of package cloud.
package events
