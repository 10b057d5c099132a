// Package plan owns the plan file: its types, strict parsing with positions,
// validation, JSON Schema, the capability that a configuration can reach, the
// DNS record tree that a plan stands for, and the simulation of a lost Region
// over that tree. It reads no network and calls no AWS.
//
// It does not own what AWS really has: whether the estate matches the record
// tree, and whether a table is replicated, is asked by the readiness steps.
//
// It fails by returning Problems, all at once, each with its place in the file
// and a hint. No text makes it panic, and none keeps it busy: size, lines and
// depth are limited before the YAML library sees them.
//
// # Editors
//
// plan.schema.json describes the file for editors that speak the YAML language
// server (VS Code with the Red Hat YAML extension, Neovim, JetBrains). A plan
// names it in its first line:
//
//	# yaml-language-server: $schema=../internal/plan/plan.schema.json
//
// The schema holds what can be said of one value; what relates several values
// (quorums, Regions that must be listed, cycles, objectives) is said by
// `starter validate`. After a change to the types or the patterns:
//
//	go test ./internal/plan -run TestSchema -update
package plan
