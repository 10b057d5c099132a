package cloudformation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/wire"
)

// mayExport refuses exports that another stack has, and changes to exports that
// another stack uses; c.mu is held. The words are AWS's.
func (c *CloudFormation) mayExport(s *stack, next []output) error {
	now := map[string]string{}
	for _, o := range next {
		if o.export == "" {
			continue
		}
		now[o.export] = o.value
		if other := c.exporter(s.region, o.export); other != nil && other != s {
			return fmt.Errorf("Export with name %s is already exported by stack %s", o.export, other.name) //nolint:staticcheck // AWS's words
		}
	}
	for _, o := range s.outputs {
		by := c.importer(s.region, o.export)
		if v, kept := now[o.export]; by != "" && (!kept || v != o.value) {
			if !kept {
				return fmt.Errorf("Cannot delete export %s as it is in use by %s", o.export, by) //nolint:staticcheck // AWS's words
			}
			return fmt.Errorf("Cannot update export %s as it is in use by %s", o.export, by) //nolint:staticcheck // AWS's words
		}
	}
	return nil
}

// exporter is the stack that exports a name; c.mu is held.
func (c *CloudFormation) exporter(region, name string) *stack {
	for _, s := range c.stacks {
		if s.region == region && !s.gone() && slices.ContainsFunc(s.outputs, func(o output) bool { return o.export == name }) {
			return s
		}
	}
	return nil
}

// ListExports lists what the Region's stacks export, by name.
func (c *CloudFormation) ListExports(call *wire.Call, in *sdk.ListExportsInput) (*sdk.ListExportsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*sdk.Export
	for _, s := range c.stacks {
		for _, o := range s.outputs {
			if s.region == call.Region && o.export != "" {
				all = append(all, &sdk.Export{ExportingStackId: aws.String(s.id), Name: aws.String(o.export), Value: aws.String(o.value)})
			}
		}
	}
	slices.SortFunc(all, func(a, b *sdk.Export) int { return strings.Compare(*a.Name, *b.Name) })
	found, next, err := page(all, in.NextToken)
	return &sdk.ListExportsOutput{Exports: found, NextToken: next}, err
}

// ListImports lists the stacks that use an export.
func (c *CloudFormation) ListImports(call *wire.Call, in *sdk.ListImportsInput) (*sdk.ListImportsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := aws.StringValue(in.ExportName)
	var users []*string
	for _, s := range c.stacks {
		if s.region == call.Region && !s.gone() && s.imports[name] {
			users = append(users, aws.String(s.name))
		}
	}
	if len(users) == 0 {
		return nil, invalid("Export '%s' is not imported by any stack.", name)
	}
	found, next, err := page(users, in.NextToken)
	return &sdk.ListImportsOutput{Imports: found, NextToken: next}, err
}
