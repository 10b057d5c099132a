package cloudformation

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/wire"
)

// looking is how long it takes to look at one resource.
const looking = 2 * time.Second

// detection is one look for drift; guarded by CloudFormation.mu.
type detection struct {
	id             string
	stack          *stack
	started        time.Time
	status, reason string
}

func (r *resource) driftStatus() string {
	if r.drift == nil {
		return sdk.StackResourceDriftStatusNotChecked
	}
	return *r.drift.StackResourceDriftStatus
}

func (r *resource) driftTime() *time.Time {
	if r.drift == nil {
		return nil
	}
	return r.drift.Timestamp
}

// DetectStackDrift begins to compare a stack's resources with what lives.
func (c *CloudFormation) DetectStackDrift(call *wire.Call, in *sdk.DetectStackDriftInput) (*sdk.DetectStackDriftOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.current(call.Region, in.StackName)
	if err != nil {
		return nil, err
	}
	switch s.status {
	case sdk.StackStatusCreateComplete, sdk.StackStatusUpdateComplete, sdk.StackStatusUpdateRollbackComplete, sdk.StackStatusUpdateRollbackFailed:
	default:
		return nil, invalid("Stack [%s] cannot be checked for drift while in status %s", s.name, s.status)
	}
	for _, d := range c.detections {
		if d.stack == s && d.status == sdk.StackDriftDetectionStatusDetectionInProgress {
			return nil, invalid("Drift detection is already in progress for stack [%s]", s.name)
		}
	}
	d := &detection{id: newUUID(), stack: s, started: c.world.Now(), status: sdk.StackDriftDetectionStatusDetectionInProgress}
	c.detections = append(c.detections, d)
	names := aws.StringValueSlice(in.LogicalResourceIds)
	c.world.After(looking*time.Duration(1+len(s.live())), func() { c.look(d, names) })
	return &sdk.DetectStackDriftOutput{StackDriftDetectionId: aws.String(d.id)}, nil
}

// look asks the services, without the lock.
func (c *CloudFormation) look(d *detection, names []string) {
	c.mu.Lock()
	s := d.stack
	var all []*resource
	for _, r := range s.live() {
		if len(names) == 0 || slices.Contains(names, r.logical) {
			copied := *r
			all = append(all, &copied)
		}
	}
	c.mu.Unlock()
	var failed string
	found := map[string]*sdk.StackResourceDrift{}
	for _, r := range all {
		drift, err := c.examine(s, r)
		if err != nil {
			failed = "Failed to detect drift on resource [" + r.logical + "]: " + reasonOf(err)
			continue
		}
		found[r.logical] = drift
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, drift := range found {
		if r := s.resource(name); r != nil {
			r.drift = drift
		}
	}
	s.sum(c.world.Now())
	d.status, d.reason = sdk.StackDriftDetectionStatusDetectionComplete, failed
	if failed != "" {
		d.status = sdk.StackDriftDetectionStatusDetectionFailed
	}
}

// sum is what the resources' drift makes of the stack; CloudFormation.mu is held.
func (s *stack) sum(now time.Time) {
	s.drift, s.driftedAt, s.driftCount = sdk.StackDriftStatusInSync, now, 0
	for _, r := range s.live() {
		if status := r.driftStatus(); status == sdk.StackResourceDriftStatusModified || status == sdk.StackResourceDriftStatusDeleted {
			s.driftCount++
			s.drift = sdk.StackDriftStatusDrifted
		}
	}
}

// examine compares one resource with its live self.
func (c *CloudFormation) examine(s *stack, r *resource) (*sdk.StackResourceDrift, error) {
	out := &sdk.StackResourceDrift{
		StackId: aws.String(s.id), LogicalResourceId: aws.String(r.logical), PhysicalResourceId: text(r.physical), ResourceType: aws.String(r.kind),
		Timestamp: aws.Time(c.world.Now()), ExpectedProperties: aws.String(shown(map[string]any(r.props))),
	}
	h := &hand{cf: c, region: s.region, stack: s.name, logical: r.logical, tags: r.tags, wait: c.rest}
	live, _, err := c.kinds[r.kind].read(h, r.physical, r.props)
	switch {
	case absent(err):
		out.StackResourceDriftStatus = aws.String(sdk.StackResourceDriftStatusDeleted)
		return out, nil
	case err != nil:
		return nil, err
	}
	actual := props{}
	for name, expected := range r.props {
		value, ok := live[name]
		if name == "Tags" {
			value, ok = withoutStackTags(value, r.tags, expected), true
		}
		if ok {
			actual[name] = value
		}
	}
	out.ActualProperties = aws.String(shown(map[string]any(actual)))
	out.PropertyDifferences = differences(r.props, actual)
	out.StackResourceDriftStatus = aws.String(sdk.StackResourceDriftStatusInSync)
	if len(out.PropertyDifferences) > 0 {
		out.StackResourceDriftStatus = aws.String(sdk.StackResourceDriftStatusModified)
	}
	return out, nil
}

// rest waits between attempts of a look.
func (c *CloudFormation) rest(t time.Duration) error {
	d := deployment{cf: c}
	return d.wait(t)
}

// DescribeStackDriftDetectionStatus tells how far a look for drift has come.
func (c *CloudFormation) DescribeStackDriftDetectionStatus(call *wire.Call, in *sdk.DescribeStackDriftDetectionStatusInput) (*sdk.DescribeStackDriftDetectionStatusOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.detections {
		if d.id != *in.StackDriftDetectionId || d.stack.region != call.Region {
			continue
		}
		out := &sdk.DescribeStackDriftDetectionStatusOutput{
			StackDriftDetectionId: aws.String(d.id), StackId: aws.String(d.stack.id), Timestamp: aws.Time(d.started),
			DetectionStatus: aws.String(d.status), DetectionStatusReason: text(d.reason),
		}
		if d.status != sdk.StackDriftDetectionStatusDetectionInProgress {
			out.StackDriftStatus, out.DriftedStackResourceCount = aws.String(d.stack.driftStatus()), aws.Int64(d.stack.driftCount)
		}
		return out, nil
	}
	return nil, invalid("Stack drift detection with id [%s] does not exist", *in.StackDriftDetectionId)
}

// DescribeStackResourceDrifts tells what the last look found, by resource.
func (c *CloudFormation) DescribeStackResourceDrifts(call *wire.Call, in *sdk.DescribeStackResourceDriftsInput) (*sdk.DescribeStackResourceDriftsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, err := c.current(call.Region, in.StackName)
	if err != nil {
		return nil, err
	}
	wanted := aws.StringValueSlice(in.StackResourceDriftStatusFilters)
	var all []*sdk.StackResourceDrift
	for _, r := range s.live() {
		if r.drift != nil && (len(wanted) == 0 || slices.Contains(wanted, r.driftStatus())) {
			copied := *r.drift
			all = append(all, &copied)
		}
	}
	found, next, err := page(all, in.NextToken)
	return &sdk.DescribeStackResourceDriftsOutput{StackResourceDrifts: found, NextToken: next}, err
}
