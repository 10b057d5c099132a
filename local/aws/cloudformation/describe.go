package cloudformation

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/wire"
)

// pageSize is how many entries CloudFormation gives at once.
const pageSize = 100

// page cuts one page; entries keep their order, and the token is a position.
func page[T any](all []T, token *string) ([]T, *string, error) {
	keyed := make([]int, len(all))
	for i := range keyed {
		keyed[i] = i
	}
	found, next, err := wire.Paginate(wire.Page{Token: token, Default: pageSize}, keyed, func(i int) string { return fmt.Sprintf("%08d", i) })
	if err != nil {
		return nil, nil, fmt.Errorf("list: %w", err)
	}
	var out []T
	for _, i := range found {
		out = append(out, all[i])
	}
	return out, next, nil
}

// DescribeStacks tells one stack, or all that weren't deleted.
func (c *CloudFormation) DescribeStacks(call *wire.Call, in *sdk.DescribeStacksInput) (*sdk.DescribeStacksOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.StackName != nil {
		s, err := c.find(call.Region, in.StackName)
		if err != nil {
			return nil, err
		}
		return &sdk.DescribeStacksOutput{Stacks: []*sdk.Stack{s.describe()}}, nil
	}
	var all []*sdk.Stack
	for _, s := range slices.Backward(c.stacks) {
		if s.region == call.Region && !s.gone() {
			all = append(all, s.describe())
		}
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.DescribeStacksOutput{Stacks: found, NextToken: next}, err
}

// describe tells everything about a stack; CloudFormation.mu is held.
func (s *stack) describe() *sdk.Stack {
	out := &sdk.Stack{
		StackId: aws.String(s.id), StackName: aws.String(s.name), StackStatus: aws.String(s.status), StackStatusReason: text(s.reason),
		CreationTime: aws.Time(s.created), LastUpdatedTime: moment(s.updated), DeletionTime: moment(s.deleted),
		EnableTerminationProtection: aws.Bool(s.protected), DisableRollback: aws.Bool(s.onFailure == sdk.OnFailureDoNothing),
		RollbackConfiguration: &sdk.RollbackConfiguration{}, ChangeSetId: text(s.changeSet),
		DriftInformation: &sdk.StackDriftInformation{StackDriftStatus: aws.String(s.driftStatus()), LastCheckTimestamp: moment(s.driftedAt)},
	}
	if s.design != nil {
		out.Description, out.Parameters, out.Tags = text(s.design.template.Description), s.design.parameters(), describeTags(s.design.tags)
		out.Capabilities, out.RoleARN = aws.StringSlice(s.design.capabilities), text(s.design.role)
		out.NotificationARNs = aws.StringSlice(s.design.notify)
	}
	for _, o := range s.outputs {
		out.Outputs = append(out.Outputs, &sdk.Output{
			OutputKey: aws.String(o.name), OutputValue: aws.String(o.value), Description: text(o.description), ExportName: text(o.export),
		})
	}
	return out
}

func (s *stack) driftStatus() string {
	if s.drift == "" {
		return sdk.StackDriftStatusNotChecked
	}
	return s.drift
}

// ListStacks lists stacks, newest first, with those that were deleted.
func (c *CloudFormation) ListStacks(call *wire.Call, in *sdk.ListStacksInput) (*sdk.ListStacksOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := aws.StringValueSlice(in.StackStatusFilter)
	var all []*sdk.StackSummary
	for _, s := range slices.Backward(c.stacks) {
		if s.region != call.Region || (len(wanted) > 0 && !slices.Contains(wanted, s.status)) {
			continue
		}
		d := s.describe()
		all = append(all, &sdk.StackSummary{
			StackId: d.StackId, StackName: d.StackName, StackStatus: d.StackStatus, StackStatusReason: d.StackStatusReason,
			CreationTime: d.CreationTime, LastUpdatedTime: d.LastUpdatedTime, DeletionTime: d.DeletionTime, TemplateDescription: d.Description,
			DriftInformation: &sdk.StackDriftInformationSummary{StackDriftStatus: d.DriftInformation.StackDriftStatus, LastCheckTimestamp: d.DriftInformation.LastCheckTimestamp},
		})
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.ListStacksOutput{StackSummaries: found, NextToken: next}, err
}

// DescribeStackEvents tells what happened to a stack, newest first.
func (c *CloudFormation) DescribeStackEvents(call *wire.Call, in *sdk.DescribeStackEventsInput) (*sdk.DescribeStackEventsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(call.Region, in.StackName)
	if err != nil {
		return nil, invalid("Stack [%s] does not exist", aws.StringValue(in.StackName))
	}
	var all []*sdk.StackEvent
	for _, event := range slices.Backward(s.events) {
		copied := *event
		all = append(all, &copied)
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.DescribeStackEventsOutput{StackEvents: found, NextToken: next}, err
}

func (s *stack) describeResource(r *resource) *sdk.StackResource {
	return &sdk.StackResource{
		StackId: aws.String(s.id), StackName: aws.String(s.name), LogicalResourceId: aws.String(r.logical), PhysicalResourceId: text(r.physical),
		ResourceType: aws.String(r.kind), ResourceStatus: aws.String(r.status), ResourceStatusReason: text(r.reason), Timestamp: aws.Time(r.changed),
		DriftInformation: &sdk.StackResourceDriftInformation{StackResourceDriftStatus: aws.String(r.driftStatus()), LastCheckTimestamp: r.driftTime()},
	}
}

// DescribeStackResource tells one resource of a stack.
func (c *CloudFormation) DescribeStackResource(call *wire.Call, in *sdk.DescribeStackResourceInput) (*sdk.DescribeStackResourceOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(call.Region, in.StackName)
	if err != nil {
		return nil, invalid("Stack '%s' does not exist", aws.StringValue(in.StackName))
	}
	r := s.resource(aws.StringValue(in.LogicalResourceId))
	if r == nil {
		return nil, invalid("Resource %s does not exist for stack %s", aws.StringValue(in.LogicalResourceId), s.name)
	}
	d := s.describeResource(r)
	return &sdk.DescribeStackResourceOutput{StackResourceDetail: &sdk.StackResourceDetail{
		StackId: d.StackId, StackName: d.StackName, LogicalResourceId: d.LogicalResourceId, PhysicalResourceId: d.PhysicalResourceId,
		ResourceType: d.ResourceType, ResourceStatus: d.ResourceStatus, ResourceStatusReason: d.ResourceStatusReason,
		LastUpdatedTimestamp: d.Timestamp, DriftInformation: d.DriftInformation,
	}}, nil
}

// DescribeStackResources tells the resources of a stack, or of the stack that
// made a physical one.
func (c *CloudFormation) DescribeStackResources(call *wire.Call, in *sdk.DescribeStackResourcesInput) (*sdk.DescribeStackResourcesOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(call.Region, in.StackName)
	if in.StackName == nil && in.PhysicalResourceId != nil {
		s = c.owner(call.Region, *in.PhysicalResourceId)
		if s == nil {
			return nil, invalid("Stack for %s does not exist", *in.PhysicalResourceId)
		}
	} else if err != nil {
		return nil, err
	}
	out := &sdk.DescribeStackResourcesOutput{}
	for _, r := range s.resources {
		if in.LogicalResourceId == nil || *in.LogicalResourceId == r.logical {
			out.StackResources = append(out.StackResources, s.describeResource(r))
		}
	}
	return out, nil
}

func (c *CloudFormation) owner(region, physical string) *stack {
	for _, s := range c.stacks {
		for _, r := range s.live() {
			if s.region == region && r.physical == physical {
				return s
			}
		}
	}
	return nil
}

// ListStackResources lists the resources of a stack.
func (c *CloudFormation) ListStackResources(call *wire.Call, in *sdk.ListStackResourcesInput) (*sdk.ListStackResourcesOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.find(call.Region, in.StackName)
	if err != nil {
		return nil, err
	}
	var all []*sdk.StackResourceSummary
	for _, r := range s.resources {
		all = append(all, &sdk.StackResourceSummary{
			LogicalResourceId: aws.String(r.logical), PhysicalResourceId: text(r.physical), ResourceType: aws.String(r.kind),
			ResourceStatus: aws.String(r.status), ResourceStatusReason: text(r.reason), LastUpdatedTimestamp: aws.Time(r.changed),
			DriftInformation: &sdk.StackResourceDriftInformationSummary{StackResourceDriftStatus: aws.String(r.driftStatus()), LastCheckTimestamp: r.driftTime()},
		})
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.ListStackResourcesOutput{StackResourceSummaries: found, NextToken: next}, err
}
