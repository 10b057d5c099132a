// Package template reads and evaluates CloudFormation templates.
//
// It owns the grammar: YAML and JSON, the long and the short form of intrinsic
// functions, parameters with their constraints, conditions, mappings, outputs,
// and the order that references between resources impose. Every node keeps its
// line and column. It does not own resources: what a reference means is answered
// by the caller's Scope, and resource types are opaque names.
//
// It fails with AWS's words: the text of an error is the message of
// CloudFormation's ValidationError.
//
// The YAML library takes an unquoted value with colons before two closing braces,
// {a: {b: !Ref AWS::Region}}, for malformed; AWS doesn't. Quoting it helps.
//
// Not offered, and refused where a template uses them: transforms and what they
// bring (Fn::ForEach, Fn::Length, ...), rules, hooks, dynamic references, and
// parameters that are read from Systems Manager.
package template
