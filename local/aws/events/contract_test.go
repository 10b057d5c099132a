package events_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/events"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	west     = "us-west-2"
	function = "arn:aws:lambda:us-west-2:123456789012:function:page"
	failures = `{"source":["aws.backup"],"detail":{"state":["FAILED","EXPIRED"]}}`
)

// functions remembers what it is called with, and fails for functions named so.
type functions struct {
	mu    sync.Mutex
	calls []string
}

func (f *functions) Invoke(_, arn string, payload []byte) error {
	if strings.HasSuffix(arn, ":broken") {
		return fmt.Errorf("invoke %s: ResourceNotFoundException", arn)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, string(payload))
	return nil
}

func (f *functions) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.calls...)
}

// counts are metrics by "Region metric rule".
type counts struct {
	mu  sync.Mutex
	sum map[string]float64
}

func (c *counts) Publish(region, namespace, name string, dimensions map[string]string, value float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sum[region+" "+namespace+" "+name+" "+dimensions["RuleName"]] += value
}

func (c *counts) of(metric, rule string) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sum[west+" AWS/Events "+metric+" "+rule]
}

// stage is an EventBridge behind a server, with a client for us-west-2.
type stage struct {
	*sdk.Client
	world     *world.World
	events    *events.Events
	functions *functions
	counts    *counts
	at        func(region string) *sdk.Client
}

func newStage(t *testing.T, compression float64, topics func(*world.World) events.Topics) stage {
	t.Helper()
	s := stage{
		world:     world.New(world.Options{Compression: compression}),
		functions: &functions{}, counts: &counts{sum: map[string]float64{}},
	}
	t.Cleanup(s.world.Close)
	o := events.Options{Functions: s.functions, Metrics: s.counts}
	if topics != nil {
		o.Topics = topics(s.world)
	}
	s.events = events.New(s.world, o)
	server := httptest.NewServer(wire.NewServer(s.world, s.events.Wire()))
	t.Cleanup(server.Close)
	s.at = func(region string) *sdk.Client {
		return sdk.New(sdk.Options{
			Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		})
	}
	s.Client = s.at(west)
	return s
}

// rule makes a rule with a pattern and gives its ARN.
func (s stage) rule(t *testing.T, name, pattern string) string {
	t.Helper()
	out, err := s.PutRule(t.Context(), &sdk.PutRuleInput{Name: &name, EventPattern: &pattern})
	require.NoError(t, err)
	return *out.RuleArn
}

func (s stage) targets(t *testing.T, rule string, targets ...types.Target) error {
	t.Helper()
	out, err := s.PutTargets(t.Context(), &sdk.PutTargetsInput{Rule: &rule, Targets: targets})
	if err == nil {
		require.Zero(t, out.FailedEntryCount)
	}
	return err
}

func target(id, arn string) types.Target { return types.Target{Id: &id, Arn: &arn} }

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.ErrorCode(), refused.ErrorMessage())
}

func TestContract_Rule_FromCreationToDeletion(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	name := aws.String("failed-backups")
	made, err := s.PutRule(t.Context(), &sdk.PutRuleInput{
		Name: name, EventPattern: aws.String(failures), Description: aws.String("page"), Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}},
	})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:events:us-west-2:123456789012:rule/failed-backups", *made.RuleArn)
	got, err := s.DescribeRule(t.Context(), &sdk.DescribeRuleInput{Name: name, EventBusName: aws.String("default")})
	require.NoError(t, err)
	require.Equal(t, types.RuleStateEnabled, got.State)
	require.JSONEq(t, failures, *got.EventPattern)
	require.Nil(t, got.ScheduleExpression)

	require.NoError(t, s.targets(t, *name, target("1", function)))
	_, err = s.PutRule(t.Context(), &sdk.PutRuleInput{Name: name, ScheduleExpression: aws.String("rate(5 minutes)"), State: types.RuleStateDisabled})
	require.NoError(t, err)
	got, err = s.DescribeRule(t.Context(), &sdk.DescribeRuleInput{Name: name})
	require.NoError(t, err)
	require.Nil(t, got.EventPattern, "what isn't given again is gone")
	require.Equal(t, types.RuleStateDisabled, got.State)
	left, err := s.ListTargetsByRule(t.Context(), &sdk.ListTargetsByRuleInput{Rule: name})
	require.NoError(t, err)
	require.Len(t, left.Targets, 1, "targets stay")
	_, err = s.EnableRule(t.Context(), &sdk.EnableRuleInput{Name: name})
	require.NoError(t, err)
	listed, err := s.ListRules(t.Context(), &sdk.ListRulesInput{NamePrefix: aws.String("failed-")})
	require.NoError(t, err)
	require.Len(t, listed.Rules, 1)
	require.Equal(t, types.RuleStateEnabled, listed.Rules[0].State)
	east, err := s.at("us-east-1").ListRules(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, east.Rules)

	remove := func() error {
		_, err := s.DeleteRule(t.Context(), &sdk.DeleteRuleInput{Name: name})
		return err
	}
	requireCode(t, "ValidationException", remove())
	_, err = s.RemoveTargets(t.Context(), &sdk.RemoveTargetsInput{Rule: name, Ids: []string{"1"}})
	require.NoError(t, err)
	require.NoError(t, remove())
	require.NoError(t, remove(), "gone already")
	_, err = s.DescribeRule(t.Context(), &sdk.DescribeRuleInput{Name: name})
	requireCode(t, "ResourceNotFoundException", err)
	_, err = s.DisableRule(t.Context(), &sdk.DisableRuleInput{Name: name})
	requireCode(t, "ResourceNotFoundException", err)
}

func TestContract_PutRule_Refusals(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	for want, in := range map[string]*sdk.PutRuleInput{
		"InvalidEventPatternException":  {Name: aws.String("r"), EventPattern: aws.String(`{"source":"aws.backup"}`)},
		"InvalidEventPatternException ": {Name: aws.String("r"), EventPattern: aws.String(`{`)},
		"ValidationException":           {Name: aws.String("r")},
		"ValidationException ":          {Name: aws.String("r"), ScheduleExpression: aws.String("rate(5 minute)")},
		"ValidationException  ":         {Name: aws.String("r"), ScheduleExpression: aws.String("cron(0 2 * * * *)")},
		"ValidationException   ":        {Name: aws.String("no blanks"), EventPattern: aws.String(failures)},
		"ResourceNotFoundException":     {Name: aws.String("r"), EventPattern: aws.String(failures), EventBusName: aws.String("other")},
	} {
		_, err := s.PutRule(t.Context(), in)
		requireCode(t, strings.TrimSpace(want), err)
	}
	for n := range 300 {
		s.rule(t, fmt.Sprint("r", n), failures)
	}
	_, err := s.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("one-more"), EventPattern: aws.String(failures)})
	requireCode(t, "LimitExceededException", err)
	s.rule(t, "r7", failures)
}

func TestContract_Targets(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	s.rule(t, "r", failures)
	s.rule(t, "other", failures)
	topic := "arn:aws:sns:us-west-2:123456789012:page"
	require.NoError(t, s.targets(t, "r", target("1", function), target("2", topic)))
	require.NoError(t, s.targets(t, "r", target("2", function+"-2"), target("3", topic), target("4", topic), target("5", topic)))
	requireCode(t, "LimitExceededException", s.targets(t, "r", target("6", topic)))
	requireCode(t, "ResourceNotFoundException", s.targets(t, "nobody", target("1", topic)))
	for name, bad := range map[string]types.Target{
		"no ARN":       target("1", "page"),
		"queue":        target("1", "arn:aws:sqs:us-west-2:123456789012:q"),
		"other Region": target("1", "arn:aws:sns:us-east-1:123456789012:page"),
		"no JSON":      {Id: aws.String("1"), Arn: &topic, Input: aws.String("{")},
		"no path":      {Id: aws.String("1"), Arn: &topic, InputPath: aws.String("detail")},
		"two inputs":   {Id: aws.String("1"), Arn: &topic, Input: aws.String("{}"), InputPath: aws.String("$.detail")},
		"no such name": {Id: aws.String("1"), Arn: &topic, InputTransformer: &types.InputTransformer{InputTemplate: aws.String("<x>")}},
		"broken path":  {Id: aws.String("1"), Arn: &topic, InputTransformer: &types.InputTransformer{InputTemplate: aws.String("<x>"), InputPathsMap: map[string]string{"x": "$..x"}}},
	} {
		err := s.targets(t, "r", bad)
		require.Error(t, err, name)
		requireCode(t, "ValidationException", err)
	}

	list, err := s.ListTargetsByRule(t.Context(), &sdk.ListTargetsByRuleInput{Rule: aws.String("r"), Limit: aws.Int32(4)})
	require.NoError(t, err)
	require.Len(t, list.Targets, 4)
	require.Equal(t, function+"-2", *list.Targets[1].Arn, "replaced by its id")
	rest, err := s.ListTargetsByRule(t.Context(), &sdk.ListTargetsByRuleInput{Rule: aws.String("r"), NextToken: list.NextToken})
	require.NoError(t, err)
	require.Len(t, rest.Targets, 1)
	names, err := s.ListRuleNamesByTarget(t.Context(), &sdk.ListRuleNamesByTargetInput{TargetArn: &topic})
	require.NoError(t, err)
	require.Equal(t, []string{"r"}, names.RuleNames)
}

func TestContract_PutEvents_TakesTheGoodOnes(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	entry := func(source, detail string) types.PutEventsRequestEntry {
		return types.PutEventsRequestEntry{Source: &source, DetailType: aws.String("Failover"), Detail: &detail}
	}
	elsewhere := entry("lifeline", "{}")
	elsewhere.EventBusName = aws.String("other")
	out, err := s.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		entry("lifeline", `{"stage":"promote"}`), entry("aws.backup", "{}"), entry("lifeline", "no json"), entry("", "{}"), elsewhere,
	}})
	require.NoError(t, err)
	require.Equal(t, int32(4), out.FailedEntryCount)
	require.NotEmpty(t, *out.Entries[0].EventId)
	for n, want := range []string{"NotAuthorizedForSourceException", "MalformedDetail", "InvalidArgument", "ResourceNotFoundException"} {
		require.Equal(t, want, *out.Entries[n+1].ErrorCode)
	}
	_, err = s.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry("lifeline", `{"x":"`+strings.Repeat("x", 256*1024)+`"}`)}})
	requireCode(t, "ValidationException", err)
}

func TestContract_TestEventPattern(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	whole := `{"id":"1","account":"123456789012","source":"aws.backup","time":"2026-11-25T22:00:00Z","region":"us-west-2","resources":[],"detail-type":"Backup Job State Change","detail":{"state":"FAILED"}}`
	test := func(event, pattern string) (bool, error) {
		out, err := s.TestEventPattern(t.Context(), &sdk.TestEventPatternInput{Event: &event, EventPattern: &pattern})
		if err != nil {
			return false, err
		}
		return out.Result, nil
	}
	ok, err := test(whole, failures)
	require.NoError(t, err)
	require.True(t, ok)
	ok, err = test(strings.Replace(whole, "FAILED", "COMPLETED", 1), failures)
	require.NoError(t, err)
	require.False(t, ok)
	_, err = test(`{"source":"aws.backup"}`, failures)
	requireCode(t, "ValidationException", err)
	_, err = test(whole, `{}`)
	requireCode(t, "InvalidEventPatternException", err)
}

func TestContract_TagsAndBus(t *testing.T) {
	t.Parallel()
	s := newStage(t, 1, nil)
	arn := s.rule(t, "r", failures)
	_, err := s.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: &arn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}}})
	require.NoError(t, err)
	_, err = s.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: &arn, TagKeys: []string{"a"}})
	require.NoError(t, err)
	tags, err := s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: &arn})
	require.NoError(t, err)
	require.Len(t, tags.Tags, 1)
	require.Equal(t, "b", *tags.Tags[0].Key)
	_, err = s.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: aws.String(arn + "-no")})
	requireCode(t, "ResourceNotFoundException", err)

	bus, err := s.DescribeEventBus(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "arn:aws:events:us-west-2:123456789012:event-bus/default", *bus.Arn)
	require.WithinDuration(t, time.Now(), *bus.CreationTime, time.Minute)
	_, err = s.DescribeEventBus(t.Context(), &sdk.DescribeEventBusInput{Name: aws.String("other")})
	requireCode(t, "ResourceNotFoundException", err)
	all, err := s.ListEventBuses(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, all.EventBuses, 1)
}
