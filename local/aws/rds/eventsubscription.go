package rds

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

// eventService is the principal that a topic's policy must let in.
const eventService = "events.rds.amazonaws.com"

// Topics carries events to SNS topics; *sns.SNS has it.
type Topics interface {
	Notify(region, arn, service, subject, message string) error
}

// subscription sends a Region's events to a topic.
type subscription struct {
	place
	topic, kind string // kind of source; "" = all
	sources     []string
	categories  []string
	enabled     bool
	status      string
	created     time.Time
	tags        map[string]string
}

func (r *RDS) serveSubscriptions() {
	wire.Handle(r.wire, "CreateEventSubscription", r.createSubscription)
	wire.Handle(r.wire, "DescribeEventSubscriptions", r.describeSubscriptions)
	wire.Handle(r.wire, "ModifyEventSubscription", r.modifySubscription)
	wire.Handle(r.wire, "DeleteEventSubscription", r.deleteSubscription)
}

// categoriesOf are the event categories of a kind of source; none for a kind that
// isn't known.
func categoriesOf(kind string) []string {
	switch kind {
	case rds.SourceTypeDbInstance:
		return []string{
			"availability", "backup", "configuration change", "creation", "deletion", "failover", "failure", "low storage",
			"maintenance", "notification", "read replica", "recovery", "restoration", "security", "security patching",
		}
	case rds.SourceTypeDbCluster:
		return []string{"configuration change", "creation", "deletion", "failover", "failure", "global-failover", "maintenance", "migration", "notification", "serverless"}
	case rds.SourceTypeDbSnapshot, rds.SourceTypeDbClusterSnapshot:
		return []string{"backup", "creation", "deletion", "notification", "restoration"}
	case rds.SourceTypeDbParameterGroup, rds.SourceTypeDbSecurityGroup:
		return []string{"configuration change"}
	default:
		return nil
	}
}

func (r *RDS) checkSubscription(region, kind string, categories, sources []string) error {
	known := categoriesOf(kind)
	switch {
	case kind != "" && known == nil:
		return badValue("Invalid source type: %s", kind)
	case kind == "" && len(sources) > 0:
		return badCombination("SourceType must be given with SourceIds")
	}
	for _, category := range categories {
		if kind != "" && !slices.Contains(known, category) {
			return missing(rds.ErrCodeSubscriptionCategoryNotFoundFault, "The event category %s does not exist for %s", category, kind)
		}
	}
	for _, id := range sources {
		at := place{region, strings.ToLower(id)}
		if (kind == rds.SourceTypeDbInstance && r.instances[at] == nil) || (kind == rds.SourceTypeDbCluster && r.clusters[at] == nil) {
			return missing(rds.ErrCodeSourceNotFoundFault, "Source %s of type %s not found.", id, kind)
		}
	}
	return nil
}

// greet sends the message with which RDS finds out whether it may publish.
func (r *RDS) greet(region, topic string) error {
	if parts := strings.Split(topic, ":"); len(parts) != 6 || parts[2] != "sns" || parts[3] != region {
		return fault(rds.ErrCodeSNSInvalidTopicFault, "SNS has responded that there is a problem with the SNS topic specified: %s", topic)
	}
	if r.options.Topics == nil {
		return nil
	}
	err := r.options.Topics.Notify(region, topic, eventService, "RDS Notification Message", `{"Event Message":"This is a test notification from RDS."}`)
	refused, known := errors.AsType[*wire.Error](err)
	switch {
	case err == nil:
		return nil
	case known && refused.Code == "NotFound":
		return missing(rds.ErrCodeSNSTopicArnNotFoundFault, "SNS topic %s not found.", topic)
	default:
		return fault(rds.ErrCodeSNSNoAuthorizationFault, "RDS may not publish to %s: %v", topic, err)
	}
}

func (r *RDS) createSubscription(call *wire.Call, in *rds.CreateEventSubscriptionInput) (*rds.CreateEventSubscriptionOutput, error) {
	if err := checkIdentifier("SubscriptionName", *in.SubscriptionName); err != nil {
		return nil, err
	}
	if err := r.greet(call.Region, *in.SnsTopicArn); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := place{call.Region, *in.SubscriptionName}
	s := &subscription{
		place: at, topic: *in.SnsTopicArn, kind: aws.StringValue(in.SourceType), sources: aws.StringValueSlice(in.SourceIds),
		categories: aws.StringValueSlice(in.EventCategories), enabled: in.Enabled == nil || *in.Enabled, status: statusCreating,
		created: r.world.Now(), tags: tagsOf(in.Tags),
	}
	if r.subscriptions[at] != nil {
		return nil, fault(rds.ErrCodeSubscriptionAlreadyExistFault, "Event Subscription %s already exists.", at.id)
	}
	if err := r.checkSubscription(at.region, s.kind, s.categories, s.sources); err != nil {
		return nil, err
	}
	r.subscriptions[at] = s
	r.settle(r.options.Modify, func() { s.status = "active" })
	return &rds.CreateEventSubscriptionOutput{EventSubscription: r.describeSubscription(s)}, nil
}

// findSubscription finds one; r.mu is held.
func (r *RDS) findSubscription(region string, name *string) (*subscription, error) {
	if s, ok := r.subscriptions[place{region, aws.StringValue(name)}]; ok {
		return s, nil
	}
	return nil, missing(rds.ErrCodeSubscriptionNotFoundFault, "Event Subscription %s not found.", aws.StringValue(name))
}

func (r *RDS) modifySubscription(call *wire.Call, in *rds.ModifyEventSubscriptionInput) (*rds.ModifyEventSubscriptionOutput, error) {
	if in.SnsTopicArn != nil {
		if err := r.greet(call.Region, *in.SnsTopicArn); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.findSubscription(call.Region, in.SubscriptionName)
	if err != nil {
		return nil, err
	}
	next := *s
	next.topic, next.kind = cmp.Or(aws.StringValue(in.SnsTopicArn), s.topic), cmp.Or(aws.StringValue(in.SourceType), s.kind)
	if in.EventCategories != nil {
		next.categories = aws.StringValueSlice(in.EventCategories)
	}
	if in.Enabled != nil {
		next.enabled = *in.Enabled
	}
	if err := r.checkSubscription(s.region, next.kind, next.categories, next.sources); err != nil {
		return nil, err
	}
	*s = next
	return &rds.ModifyEventSubscriptionOutput{EventSubscription: r.describeSubscription(s)}, nil
}

func (r *RDS) deleteSubscription(call *wire.Call, in *rds.DeleteEventSubscriptionInput) (*rds.DeleteEventSubscriptionOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.findSubscription(call.Region, in.SubscriptionName)
	if err != nil {
		return nil, err
	}
	delete(r.subscriptions, s.place)
	return &rds.DeleteEventSubscriptionOutput{EventSubscription: r.describeSubscription(s)}, nil
}

func (r *RDS) describeSubscriptions(call *wire.Call, in *rds.DescribeEventSubscriptionsInput) (*rds.DescribeEventSubscriptionsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.SubscriptionName != nil {
		s, err := r.findSubscription(call.Region, in.SubscriptionName)
		if err != nil {
			return nil, err
		}
		return &rds.DescribeEventSubscriptionsOutput{EventSubscriptionsList: []*rds.EventSubscription{r.describeSubscription(s)}}, nil
	}
	found := slices.DeleteFunc(slices.Collect(maps.Values(r.subscriptions)), func(s *subscription) bool { return s.region != call.Region })
	slices.SortFunc(found, func(a, b *subscription) int { return cmp.Compare(a.id, b.id) })
	page, marker, err := paginate(found, in.Marker, in.MaxRecords)
	out := &rds.DescribeEventSubscriptionsOutput{Marker: marker}
	for _, s := range page {
		out.EventSubscriptionsList = append(out.EventSubscriptionsList, r.describeSubscription(s))
	}
	return out, err
}

func (r *RDS) describeSubscription(s *subscription) *rds.EventSubscription {
	out := &rds.EventSubscription{
		CustSubscriptionId: aws.String(s.id), EventSubscriptionArn: aws.String(r.arn(s.region, "es", s.id)), CustomerAwsId: aws.String(r.world.Account()),
		SnsTopicArn: aws.String(s.topic), Status: aws.String(s.status), Enabled: aws.Bool(s.enabled), EventCategoriesList: aws.StringSlice(s.categories),
		SourceIdsList: aws.StringSlice(s.sources), SubscriptionCreationTime: aws.String(s.created.UTC().Format(time.DateTime)),
	}
	if s.kind != "" {
		out.SourceType = aws.String(s.kind)
	}
	return out
}

// takes says whether a subscription wants an event.
func (s *subscription) takes(e *rds.Event) bool {
	return s.enabled && s.status == "active" && (s.kind == "" || s.kind == *e.SourceType) &&
		(len(s.sources) == 0 || slices.ContainsFunc(s.sources, func(id string) bool { return strings.EqualFold(id, *e.SourceIdentifier) })) &&
		(len(s.categories) == 0 || slices.Contains(s.categories, *e.EventCategories[0]))
}

// announce sends an event to whoever subscribed to it; r.mu is held.
func (r *RDS) announce(region string, e *rds.Event) {
	if r.options.Topics == nil {
		return
	}
	for _, s := range r.subscriptions {
		if s.region != region || !s.takes(e) {
			continue
		}
		topic := s.topic
		// SNS is called without the lock: it has one of its own.
		r.world.After(0, func() { r.deliver(region, topic, e) })
	}
}

func (r *RDS) deliver(region, topic string, e *rds.Event) {
	message, err := json.Marshal(map[string]string{
		"Event Source": *e.SourceType, "Event Time": e.Date.UTC().Format("2006-01-02 15:04:05.000"), "Source ID": *e.SourceIdentifier,
		"Source ARN": *e.SourceArn, "Event Message": *e.Message,
	})
	if err == nil {
		err = r.options.Topics.Notify(region, topic, eventService, "RDS Notification Message", string(message))
	}
	if err != nil {
		r.world.Logger().Warn("event not delivered", "topic", topic, "error", fmt.Sprint(err))
	}
}
