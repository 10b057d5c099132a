// Package sns owns telling people. Every topic is tried and none is waited for;
// a run never stops because nobody could be told.
//
// It does not own the wording. It fails, with the kinds of package cloud, only
// when no topic took the message.
package sns
