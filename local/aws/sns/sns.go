package sns

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/sns"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Message is one published message.
type Message struct {
	ID        string
	Topic     string // ARN
	Region    string
	Subject   string
	Text      string
	Published time.Time
	Caller    string
	// Delivered lists the subscription ARNs that took it.
	Delivered []string
}

// Functions calls Lambda functions for SNS, if their policies let it.
type Functions interface {
	Invoke(region, functionARN string, payload []byte) error
}

// Options configure SNS.
type Options struct {
	// Client sends to http and https endpoints; nil = a client with SNS's
	// time-out of 15 seconds.
	Client *http.Client
	// Log gets each message sent to a subscription of protocol "log", whose
	// endpoint is name.
	Log func(name string, m Message)
	// Functions takes what goes to subscriptions of protocol lambda; nil: every
	// delivery to a function fails.
	Functions Functions
	// Keys are the keys that topics are encrypted with; nil = any key exists and
	// lets everybody in, except AWS's own, which never lets an alarm in.
	Keys Keys
}

// Keys is what SNS asks KMS.
type Keys interface {
	// Check is KMS's refusal of a key that can't be used in the Region.
	Check(region, keyRef string) error
	// Managed says whether AWS manages the key.
	Managed(region, keyRef string) bool
	// Allows says whether the key's policy lets a service do something.
	Allows(region, keyRef, principal, action string) bool
}

// SNS is the service in all Regions.
type SNS struct {
	world     *world.World
	client    *http.Client
	log       func(string, Message)
	functions Functions
	keys      Keys

	mu       sync.Mutex
	topics   []*topic
	messages []*Message
}

// topic is a topic with its subscriptions.
type topic struct {
	arn, name, region string
	attributes        map[string]string
	tags              []*sdk.Tag
	subscriptions     []*subscription
}

// subscription is one receiver of a topic.
type subscription struct {
	arn, protocol, endpoint string
	attributes              map[string]string
	token                   string // what confirms it; "" once confirmed
}

// New makes an SNS without topics.
func New(w *world.World, o Options) *SNS {
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 15 * time.Second}
	}
	if o.Log == nil {
		o.Log = func(string, Message) {}
	}
	return &SNS{world: w, client: o.Client, log: o.Log, functions: o.Functions, keys: o.Keys}
}

// Wire is the service's API.
func (s *SNS) Wire() *wire.Service {
	w := wire.NewService("sns", sdk.New(wire.V1Session()), wire.Query)
	wire.Handle(w, "CreateTopic", s.CreateTopic)
	wire.Handle(w, "DeleteTopic", s.DeleteTopic)
	wire.Handle(w, "ListTopics", s.ListTopics)
	wire.Handle(w, "GetTopicAttributes", s.GetTopicAttributes)
	wire.Handle(w, "SetTopicAttributes", s.SetTopicAttributes)
	wire.Handle(w, "TagResource", s.TagResource)
	wire.Handle(w, "UntagResource", s.UntagResource)
	wire.Handle(w, "ListTagsForResource", s.ListTagsForResource)
	wire.Handle(w, "Subscribe", s.Subscribe)
	wire.Handle(w, "ConfirmSubscription", s.ConfirmSubscription)
	wire.Handle(w, "Unsubscribe", s.Unsubscribe)
	wire.Handle(w, "ListSubscriptions", s.ListSubscriptions)
	wire.Handle(w, "ListSubscriptionsByTopic", s.ListSubscriptionsByTopic)
	wire.Handle(w, "GetSubscriptionAttributes", s.GetSubscriptionAttributes)
	wire.Handle(w, "SetSubscriptionAttributes", s.SetSubscriptionAttributes)
	wire.Handle(w, "Publish", s.Publish)
	wire.Handle(w, "PublishBatch", s.PublishBatch)
	return w
}

func refuse(status int, code, format string, args ...any) error {
	return wire.Errorf(status, code, format, args...)
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameter", "Invalid parameter: "+format, args...)
}

func notFound(what string) error {
	return refuse(http.StatusNotFound, "NotFound", "%s does not exist", what)
}

// find gives a topic of the Region that is called; s.mu is held.
func (s *SNS) find(region string, arn *string) (*topic, error) {
	parts := strings.Split(aws.StringValue(arn), ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sns" {
		return nil, invalid("TopicArn")
	}
	if parts[3] != region {
		return nil, invalid("TopicArn")
	}
	for _, t := range s.topics {
		if t.arn == *arn {
			return t, nil
		}
	}
	return nil, notFound("Topic")
}

// settable are the attributes of a topic that can be set, with their defaults.
func settable() map[string]string {
	return map[string]string{
		"DisplayName": "", "Policy": "", "DeliveryPolicy": "", "KmsMasterKeyId": "", "TracingConfig": "PassThrough", "SignatureVersion": "1",
	}
}

// CreateTopic makes a topic, or gives the one that exists.
func (s *SNS) CreateTopic(c *wire.Call, in *sdk.CreateTopicInput) (*sdk.CreateTopicOutput, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`).MatchString(*in.Name) {
		return nil, invalid("Topic Name")
	}
	attributes := settable()
	for key, value := range in.Attributes {
		if _, known := attributes[key]; !known {
			return nil, invalid("AttributeName")
		}
		attributes[key] = aws.StringValue(value)
	}
	if err := checkPolicy(attributes["Policy"]); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := fmt.Sprintf("arn:aws:sns:%s:%s:%s", c.Region, s.world.Account(), *in.Name)
	if t, err := s.find(c.Region, &arn); err == nil {
		for key, value := range in.Attributes {
			if t.attributes[key] != aws.StringValue(value) {
				return nil, invalid("Attributes Reason: Topic already exists with different attributes")
			}
		}
		return &sdk.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
	}
	t := &topic{arn: arn, name: *in.Name, region: c.Region, attributes: attributes}
	t.setTags(in.Tags)
	s.topics = append(s.topics, t)
	return &sdk.CreateTopicOutput{TopicArn: aws.String(arn)}, nil
}

// DeleteTopic removes a topic with its subscriptions; one that isn't there is
// deleted already.
func (s *SNS) DeleteTopic(c *wire.Call, in *sdk.DeleteTopicInput) (*sdk.DeleteTopicOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, err := s.find(c.Region, in.TopicArn); err == nil {
		s.topics = slices.DeleteFunc(s.topics, func(o *topic) bool { return o == t })
	}
	return nil, nil
}

// ListTopics lists the Region's topics.
func (s *SNS) ListTopics(c *wire.Call, in *sdk.ListTopicsInput) (*sdk.ListTopicsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*sdk.Topic
	for _, t := range s.topics {
		if t.region == c.Region {
			found = append(found, &sdk.Topic{TopicArn: aws.String(t.arn)})
		}
	}
	found, next, err := page(found, in.NextToken)
	return &sdk.ListTopicsOutput{Topics: found, NextToken: next}, err
}

// page gives up to 100 items, SNS's fixed page size.
func page[T any](items []T, token *string) ([]T, *string, error) {
	const size = 100
	start := 0
	if token != nil {
		n, err := strconv.Atoi(*token)
		if err != nil || n < 0 || n > len(items) {
			return nil, nil, invalid("NextToken")
		}
		start = n
	}
	if end := start + size; end < len(items) {
		return items[start:end], aws.String(strconv.Itoa(end)), nil
	}
	return items[start:], nil, nil
}

// GetTopicAttributes tells about a topic.
func (s *SNS) GetTopicAttributes(c *wire.Call, in *sdk.GetTopicAttributesInput) (*sdk.GetTopicAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(c.Region, in.TopicArn)
	if err != nil {
		return nil, err
	}
	out := maps.Clone(t.attributes)
	maps.DeleteFunc(out, func(key, value string) bool { return value == "" && key != "DisplayName" })
	pending := 0
	for _, sub := range t.subscriptions {
		if sub.token != "" {
			pending++
		}
	}
	out["TopicArn"], out["Owner"] = t.arn, s.world.Account()
	out["SubscriptionsConfirmed"] = strconv.Itoa(len(t.subscriptions) - pending)
	out["SubscriptionsPending"], out["SubscriptionsDeleted"] = strconv.Itoa(pending), "0"
	return &sdk.GetTopicAttributesOutput{Attributes: aws.StringMap(out)}, nil
}

// SetTopicAttributes changes one attribute of a topic.
func (s *SNS) SetTopicAttributes(c *wire.Call, in *sdk.SetTopicAttributesInput) (*sdk.SetTopicAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(c.Region, in.TopicArn)
	if err != nil {
		return nil, err
	}
	if _, known := settable()[*in.AttributeName]; !known {
		return nil, invalid("AttributeName")
	}
	if *in.AttributeName == "Policy" {
		if err := checkPolicy(aws.StringValue(in.AttributeValue)); err != nil {
			return nil, err
		}
	}
	t.attributes[*in.AttributeName] = aws.StringValue(in.AttributeValue)
	return nil, nil
}

func (t *topic) setTags(tags []*sdk.Tag) {
	for _, tag := range tags {
		t.tags = slices.DeleteFunc(t.tags, func(o *sdk.Tag) bool { return *o.Key == *tag.Key })
		t.tags = append(t.tags, &sdk.Tag{Key: aws.String(*tag.Key), Value: aws.String(*tag.Value)})
	}
}

// resource gives a topic for the tag operations, which have a code of their own.
func (s *SNS) resource(region string, arn *string) (*topic, error) {
	t, err := s.find(region, arn)
	if err != nil {
		return nil, refuse(http.StatusNotFound, "ResourceNotFound", "Resource does not exist")
	}
	return t, nil
}

// TagResource sets tags of a topic.
func (s *SNS) TagResource(c *wire.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.resource(c.Region, in.ResourceArn)
	if err == nil {
		t.setTags(in.Tags)
	}
	return nil, err
}

// UntagResource removes tags of a topic.
func (s *SNS) UntagResource(c *wire.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.resource(c.Region, in.ResourceArn)
	if err == nil {
		t.tags = slices.DeleteFunc(t.tags, func(o *sdk.Tag) bool {
			return slices.Contains(aws.StringValueSlice(in.TagKeys), *o.Key)
		})
	}
	return nil, err
}

// ListTagsForResource tells the tags of a topic.
func (s *SNS) ListTagsForResource(c *wire.Call, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.resource(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{Tags: slices.Clone(t.tags)}, nil
}
