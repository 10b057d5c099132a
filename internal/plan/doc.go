// Package plan owns the plan file: its types, strict parsing with positions,
// validation, JSON Schema, the capability that a configuration can reach, the
// DNS record tree that a plan stands for, and the simulation of a lost Region
// over that tree. It reads no network and calls no AWS.
package plan
