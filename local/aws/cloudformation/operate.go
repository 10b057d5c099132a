package cloudformation

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/wire"
)

// CreateStack begins to make a stack. Sent again with the same token it gives the
// stack that the first call made.
func (c *CloudFormation) CreateStack(call *wire.Call, in *sdk.CreateStackInput) (*sdk.CreateStackOutput, error) {
	name := aws.StringValue(in.StackName)
	if err := checkStackName(name); err != nil {
		return nil, err
	}
	if in.DisableRollback != nil && in.OnFailure != nil {
		return nil, invalid("You can specify either DisableRollback or OnFailure, but not both.")
	}
	d, err := c.design(request{
		body: in.TemplateBody, url: in.TemplateURL, parameters: in.Parameters, tags: in.Tags,
		capabilities: in.Capabilities, notify: in.NotificationARNs, role: in.RoleARN,
	})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, err := c.current(call.Region, in.StackName); err == nil {
		if in.ClientRequestToken != nil && s.token == *in.ClientRequestToken {
			return &sdk.CreateStackOutput{StackId: aws.String(s.id)}, nil
		}
		return nil, refuse(sdk.ErrCodeAlreadyExistsException, "Stack [%s] already exists", name)
	}
	s := c.open(call.Region, name)
	s.protected, s.token = aws.BoolValue(in.EnableTerminationProtection), aws.StringValue(in.ClientRequestToken)
	s.onFailure = cmp.Or(aws.StringValue(in.OnFailure), sdk.OnFailureRollback)
	if aws.BoolValue(in.DisableRollback) {
		s.onFailure = sdk.OnFailureDoNothing
	}
	c.launch(s, d, sdk.StackStatusCreateInProgress)
	return &sdk.CreateStackOutput{StackId: aws.String(s.id)}, nil
}

// open makes an empty stack; c.mu is held.
func (c *CloudFormation) open(region, name string) *stack {
	s := &stack{
		id: c.arn(region, "stack", name), name: name, region: region, created: c.world.Now(),
		imports: map[string]bool{}, onFailure: sdk.OnFailureRollback,
	}
	c.stacks = append(c.stacks, s)
	return s
}

// launch begins a deployment; c.mu is held.
func (c *CloudFormation) launch(s *stack, next *design, status string) {
	d := &deployment{
		cf: c, stack: s, previous: s.design, next: next, create: status == sdk.StackStatusCreateInProgress, imports: map[string]bool{},
	}
	s.design = next
	if !d.create {
		s.updated = c.world.Now()
	}
	c.enter(s, status, "User Initiated")
	c.world.After(0, d.run)
}

// UpdateStack begins to bring a stack to another template or other parameters.
func (c *CloudFormation) UpdateStack(call *wire.Call, in *sdk.UpdateStackInput) (*sdk.UpdateStackOutput, error) {
	c.mu.Lock()
	s, err := c.current(call.Region, in.StackName)
	if err == nil {
		err = s.updatable()
	}
	if err != nil {
		c.mu.Unlock()
		return nil, err
	}
	previous := s.design
	c.mu.Unlock()
	d, err := c.design(request{
		body: in.TemplateBody, url: in.TemplateURL, usePrevious: in.UsePreviousTemplate, parameters: in.Parameters, tags: in.Tags,
		capabilities: in.Capabilities, notify: in.NotificationARNs, role: in.RoleARN, previous: previous,
	})
	if err != nil {
		return nil, err
	}
	changes, err := c.compare(s, d)
	if err != nil {
		return nil, invalid("%s", err)
	}
	if changes.nothing() {
		return nil, invalid("No updates are to be performed.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := s.updatable(); err != nil { // somebody may have been quicker
		return nil, err
	}
	s.token = aws.StringValue(in.ClientRequestToken)
	s.onFailure = sdk.OnFailureRollback
	if aws.BoolValue(in.DisableRollback) {
		s.onFailure = sdk.OnFailureDoNothing
	}
	c.launch(s, d, sdk.StackStatusUpdateInProgress)
	return &sdk.UpdateStackOutput{StackId: aws.String(s.id)}, nil
}

// updatable says whether a stack may be updated now.
func (s *stack) updatable() error {
	switch s.status {
	case sdk.StackStatusCreateComplete, sdk.StackStatusUpdateComplete, sdk.StackStatusUpdateRollbackComplete, sdk.StackStatusUpdateFailed:
		return nil
	}
	return invalid("Stack:%s is in %s state and can not be updated.", s.id, s.status)
}

// DeleteStack begins to delete a stack; one that doesn't exist is deleted already.
func (c *CloudFormation) DeleteStack(call *wire.Call, in *sdk.DeleteStackInput) (*sdk.DeleteStackOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(call.Region, in.StackName)
	if err != nil || s.gone() || s.status == sdk.StackStatusDeleteInProgress {
		return nil, nil // AWS answers success
	}
	switch {
	case s.protected:
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", s.name)
	case s.busy():
		return nil, invalid("Stack [%s] cannot be deleted while in status %s", s.name, s.status)
	case len(in.RetainResources) > 0 && s.status != sdk.StackStatusDeleteFailed:
		return nil, invalid("Invalid operation on stack [%s]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.", s.name)
	}
	for _, o := range s.outputs {
		if by := c.importer(s.region, o.export); by != "" {
			return nil, invalid("Delete canceled. Cannot delete export %s as it is in use by %s.", o.export, by)
		}
	}
	s.token = aws.StringValue(in.ClientRequestToken)
	c.enter(s, sdk.StackStatusDeleteInProgress, "User Initiated")
	d := &deployment{cf: c, stack: s, previous: s.design, next: s.design}
	keep := aws.StringValueSlice(in.RetainResources)
	c.world.After(0, func() { d.remove(keep) })
	return nil, nil
}

// UpdateTerminationProtection locks a stack against deletion, or unlocks it.
func (c *CloudFormation) UpdateTerminationProtection(call *wire.Call, in *sdk.UpdateTerminationProtectionInput) (*sdk.UpdateTerminationProtectionOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.current(call.Region, in.StackName)
	if err != nil {
		return nil, err
	}
	s.protected = *in.EnableTerminationProtection
	return &sdk.UpdateTerminationProtectionOutput{StackId: aws.String(s.id)}, nil
}

// importer names a stack that imports an export; "" when none does. c.mu is held.
func (c *CloudFormation) importer(region, export string) string {
	if export == "" {
		return ""
	}
	i := slices.IndexFunc(c.stacks, func(s *stack) bool { return s.region == region && !s.gone() && s.imports[export] })
	if i < 0 {
		return ""
	}
	return c.stacks[i].name
}
