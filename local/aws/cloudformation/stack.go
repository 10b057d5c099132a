package cloudformation

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"
	"github.com/google/uuid"

	"lifeline/local/aws/cloudformation/template"
)

func newUUID() string { return uuid.NewString() }

// stack is a stack with everything it has made. What is in it is guarded by
// CloudFormation.mu; its id, name and region never change.
type stack struct {
	id, name, region string
	status, reason   string
	created          time.Time
	updated, deleted time.Time
	protected        bool
	onFailure        string
	token            string // of the operation that runs or ran last
	changeSet        string // that was executed last

	design    *design // what it was last asked to be
	resources []*resource
	outputs   []output
	imports   map[string]bool // names of exports that it uses
	events    []*sdk.StackEvent

	drift      string // "" = never looked
	driftedAt  time.Time
	driftCount int64
}

// design is what a stack shall be.
type design struct {
	body         string
	template     *template.Template
	values       map[string]any // of parameters
	given        map[string]string
	tags         map[string]string
	capabilities []string
	notify       []string
	role         string
}

// resource is what a stack made.
type resource struct {
	logical, kind  string
	physical       string
	status, reason string
	changed        time.Time
	props          props // as they were applied
	tags           map[string]string
	attributes     map[string]any
	needs          []string
	deletionPolicy string
	replacePolicy  string
	drift          *sdk.StackResourceDrift // nil = never looked
}

// output is one output of a stack.
type output struct{ name, value, description, export string }

func (s *stack) gone() bool { return s.status == sdk.StackStatusDeleteComplete }

func (s *stack) busy() bool {
	return strings.HasSuffix(s.status, "_IN_PROGRESS") && s.status != sdk.StackStatusReviewInProgress
}

// enter moves the stack to a state; c.mu is held.
func (c *CloudFormation) enter(s *stack, status, reason string) {
	s.status, s.reason = status, reason
	c.record(s, &sdk.StackEvent{
		LogicalResourceId: aws.String(s.name), PhysicalResourceId: aws.String(s.id), ResourceType: aws.String("AWS::CloudFormation::Stack"),
		ResourceStatus: aws.String(status), ResourceStatusReason: text(reason),
	})
}

// enterResource moves a resource to a state; c.mu is held.
func (c *CloudFormation) enterResource(s *stack, r *resource, status, reason string) {
	r.status, r.reason, r.changed = status, reason, c.world.Now()
	event := &sdk.StackEvent{
		LogicalResourceId: aws.String(r.logical), PhysicalResourceId: aws.String(r.physical), ResourceType: aws.String(r.kind),
		ResourceStatus: aws.String(status), ResourceStatusReason: text(reason),
	}
	if raw, err := json.Marshal(r.props); err == nil && len(r.props) > 0 {
		event.ResourceProperties = aws.String(string(raw))
	}
	c.record(s, event)
}

func (c *CloudFormation) record(s *stack, event *sdk.StackEvent) {
	event.StackId, event.StackName = aws.String(s.id), aws.String(s.name)
	event.Timestamp, event.ClientRequestToken = aws.Time(c.world.Now()), text(s.token)
	event.EventId = aws.String(newUUID())
	if logical := *event.LogicalResourceId; logical != s.name {
		event.EventId = aws.String(logical + "-" + *event.ResourceStatus + "-" + *event.EventId)
	}
	s.events = append(s.events, event)
}

// text is a member that is left out when empty.
func text(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}

// moment is a time that is left out when zero.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func (s *stack) resource(logical string) *resource {
	for _, r := range s.resources {
		if r.logical == logical {
			return r
		}
	}
	return nil
}

func (s *stack) drop(r *resource) {
	s.resources = slices.DeleteFunc(s.resources, func(o *resource) bool { return o == r })
}

func describeTags(tags map[string]string) []*sdk.Tag {
	var out []*sdk.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, &sdk.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out
}

// parameters are the design's parameters as they are shown: secrets as stars.
func (d *design) parameters() []*sdk.Parameter {
	var out []*sdk.Parameter
	for _, p := range d.template.Parameters {
		shown := d.given[p.Name]
		if _, ok := d.given[p.Name]; !ok && p.Default != nil {
			shown = *p.Default
		}
		if p.NoEcho {
			shown = "****"
		}
		out = append(out, &sdk.Parameter{ParameterKey: aws.String(p.Name), ParameterValue: aws.String(shown)})
	}
	return out
}
