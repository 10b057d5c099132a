package cloudformation

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// principal is who the neighbours see calling.
const principal = "cloudformation.amazonaws.com"

// Options are the services in which resources live, by their wire descriptions.
// A resource type whose service is missing can't be made.
type Options struct {
	Services []*wire.Service
}

// CloudFormation is the service in all Regions of a world.
type CloudFormation struct {
	world    *world.World
	services map[string]*wire.Service
	kinds    map[string]kind

	mu         sync.Mutex
	stacks     []*stack // oldest first, with those that were deleted
	changes    []*changeSet
	detections []*detection
}

// New makes a CloudFormation without stacks.
func New(w *world.World, o Options) *CloudFormation {
	c := &CloudFormation{world: w, services: map[string]*wire.Service{}, kinds: kinds()}
	for _, s := range o.Services {
		c.services[s.Name()] = s
	}
	return c
}

// Wire is the service's API.
func (c *CloudFormation) Wire() *wire.Service {
	w := wire.NewService("cloudformation", sdk.New(wire.V1Session()), wire.Query)
	wire.Handle(w, "CreateStack", c.CreateStack)
	wire.Handle(w, "UpdateStack", c.UpdateStack)
	wire.Handle(w, "DeleteStack", c.DeleteStack)
	wire.Handle(w, "UpdateTerminationProtection", c.UpdateTerminationProtection)
	wire.Handle(w, "DescribeStacks", c.DescribeStacks)
	wire.Handle(w, "ListStacks", c.ListStacks)
	wire.Handle(w, "DescribeStackEvents", c.DescribeStackEvents)
	wire.Handle(w, "DescribeStackResource", c.DescribeStackResource)
	wire.Handle(w, "DescribeStackResources", c.DescribeStackResources)
	wire.Handle(w, "ListStackResources", c.ListStackResources)
	wire.Handle(w, "GetTemplate", c.GetTemplate)
	wire.Handle(w, "GetTemplateSummary", c.GetTemplateSummary)
	wire.Handle(w, "ValidateTemplate", c.ValidateTemplate)
	wire.Handle(w, "CreateChangeSet", c.CreateChangeSet)
	wire.Handle(w, "DescribeChangeSet", c.DescribeChangeSet)
	wire.Handle(w, "ListChangeSets", c.ListChangeSets)
	wire.Handle(w, "ExecuteChangeSet", c.ExecuteChangeSet)
	wire.Handle(w, "DeleteChangeSet", c.DeleteChangeSet)
	wire.Handle(w, "DetectStackDrift", c.DetectStackDrift)
	wire.Handle(w, "DescribeStackDriftDetectionStatus", c.DescribeStackDriftDetectionStatus)
	wire.Handle(w, "DescribeStackResourceDrifts", c.DescribeStackResourceDrifts)
	wire.Handle(w, "ListExports", c.ListExports)
	wire.Handle(w, "ListImports", c.ListImports)
	return w
}

func refuse(code, format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

// invalid is CloudFormation's answer to nearly everything.
func invalid(format string, args ...any) *wire.Error {
	return refuse("ValidationError", format, args...)
}

// Types are the resource types that stacks may hold, sorted.
func Types() []string {
	var out []string
	for name := range kinds() {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Properties are those of a resource type that its kind serves: those whose change
// makes another resource, and those that change in place.
func Properties(resourceType string) (fixed, mutable []string) {
	k := kinds()[resourceType]
	return k.fixed, k.mutable
}

// find gives a stack by name, or by id also when it was deleted; c.mu is held.
func (c *CloudFormation) find(region string, nameOrID *string) (*stack, error) {
	want := aws.StringValue(nameOrID)
	for _, s := range slices.Backward(c.stacks) {
		if s.region == region && (s.id == want || (s.name == want && !s.gone())) {
			return s, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", want)
}

// current is find for operations that need a stack that wasn't deleted.
func (c *CloudFormation) current(region string, nameOrID *string) (*stack, error) {
	s, err := c.find(region, nameOrID)
	if err != nil || s.gone() {
		return nil, invalid("Stack [%s] does not exist", aws.StringValue(nameOrID))
	}
	return s, nil
}

func (c *CloudFormation) arn(region, kind, name string) string {
	return fmt.Sprintf("arn:aws:cloudformation:%s:%s:%s/%s/%s", region, c.world.Account(), kind, name, newUUID())
}
