// Package cloudformation carries the templates of the recovery stacks, so that
// programs and tests have the very files that operators deploy.
//
// It owns no logic. It fails never: the files are part of the program.
package cloudformation

import "embed"

// Templates holds network.yaml, data.yaml and compute.yaml. They are deployed in
// this order, and each names the stacks it builds on by parameters.
//
//go:embed *.yaml
var Templates embed.FS
