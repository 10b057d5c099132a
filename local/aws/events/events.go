package events

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/eventbridge"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Topics publishes to SNS topics.
type Topics interface {
	// Notify publishes for a service, if topic and key let it.
	Notify(region, topicARN, service, subject, message string) error
}

// Functions calls Lambda functions.
type Functions interface {
	Invoke(region, functionARN string, payload []byte) error
}

// Metrics receives what EventBridge publishes to CloudWatch.
type Metrics interface {
	Publish(region, namespace, name string, dimensions map[string]string, value float64)
}

// Options configure EventBridge.
type Options struct {
	Topics    Topics    // nil: every delivery to a topic fails
	Functions Functions // nil: every delivery to a function fails
	Metrics   Metrics   // nil: none are published
}

// Events is the service in all Regions.
type Events struct {
	world   *world.World
	o       Options
	started time.Time

	mu    sync.Mutex
	rules map[place]*rule
}

// place is where a rule is: a Region, and a name on its default bus.
type place struct{ region, name string }

// New makes an EventBridge with the default bus in each Region, without rules.
func New(w *world.World, o Options) *Events {
	return &Events{world: w, o: o, started: w.Now().UTC().Truncate(time.Second), rules: map[place]*rule{}}
}

// Wire is the service's API.
func (e *Events) Wire() *wire.Service {
	w := wire.NewService("events", sdk.New(wire.V1Session()), wire.JSON11)
	wire.Handle(w, "DescribeEventBus", e.DescribeEventBus)
	wire.Handle(w, "ListEventBuses", e.ListEventBuses)
	wire.Handle(w, "PutRule", e.PutRule)
	wire.Handle(w, "DescribeRule", e.DescribeRule)
	wire.Handle(w, "ListRules", e.ListRules)
	wire.Handle(w, "EnableRule", e.EnableRule)
	wire.Handle(w, "DisableRule", e.DisableRule)
	wire.Handle(w, "DeleteRule", e.DeleteRule)
	wire.Handle(w, "PutTargets", e.PutTargets)
	wire.Handle(w, "RemoveTargets", e.RemoveTargets)
	wire.Handle(w, "ListTargetsByRule", e.ListTargetsByRule)
	wire.Handle(w, "ListRuleNamesByTarget", e.ListRuleNamesByTarget)
	wire.Handle(w, "PutEvents", e.PutEvents)
	wire.Handle(w, "TestEventPattern", e.TestEventPattern)
	wire.Handle(w, "TagResource", e.TagResource)
	wire.Handle(w, "UntagResource", e.UntagResource)
	wire.Handle(w, "ListTagsForResource", e.ListTagsForResource)
	return w
}

func refuse(code, format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func notFound(format string, args ...any) error {
	return refuse(sdk.ErrCodeResourceNotFoundException, format, args...)
}

func (e *Events) arn(region, resource string) string {
	return "arn:aws:events:" + region + ":" + e.world.Account() + ":" + resource
}

const bus = "default"

// checkBus refuses every bus but the default one of the Region.
func (e *Events) checkBus(c *wire.Call, name *string) error {
	if n := aws.StringValue(name); n != "" && n != bus && n != e.arn(c.Region, "event-bus/"+bus) {
		return notFound("Event bus %s does not exist.", n[strings.LastIndex(n, "/")+1:])
	}
	return nil
}

// DescribeEventBus tells about the default bus.
func (e *Events) DescribeEventBus(c *wire.Call, in *sdk.DescribeEventBusInput) (*sdk.DescribeEventBusOutput, error) {
	if err := e.checkBus(c, in.Name); err != nil {
		return nil, err
	}
	return &sdk.DescribeEventBusOutput{
		Name: aws.String(bus), Arn: aws.String(e.arn(c.Region, "event-bus/"+bus)), CreationTime: aws.Time(e.started), LastModifiedTime: aws.Time(e.started),
	}, nil
}

// ListEventBuses lists the default bus.
func (e *Events) ListEventBuses(c *wire.Call, in *sdk.ListEventBusesInput) (*sdk.ListEventBusesOutput, error) {
	out := &sdk.ListEventBusesOutput{EventBuses: []*sdk.EventBus{}}
	if strings.HasPrefix(bus, aws.StringValue(in.NamePrefix)) {
		out.EventBuses = append(out.EventBuses, &sdk.EventBus{Name: aws.String(bus), Arn: aws.String(e.arn(c.Region, "event-bus/"+bus))})
	}
	return out, nil
}

// page gives one page of a list in the order of its keys.
func page[T any](token *string, limit *int64, items []T, by func(T) string) ([]T, *string, error) {
	out, next, err := wire.Paginate(
		wire.Page{Token: token, Size: limit, SizeName: "limit", Min: 1, Max: 100, Default: 100}, items, by)
	if out == nil {
		out = []T{}
	}
	return out, next, err
}
