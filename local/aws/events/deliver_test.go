package events_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	v1sns "github.com/aws/aws-sdk-go/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/events"
	"lifeline/local/aws/sns"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const fast = 1000 // AWS seconds in a second: the latency is half a millisecond

func eventually(t *testing.T, fn func() bool) {
	t.Helper()
	require.Eventually(t, fn, 10*time.Second, time.Millisecond)
}

// fail emits what AWS Backup says of a job that failed.
func (s stage) fail(job string) {
	s.events.Emit(west, "aws.backup", "Backup Job State Change", []string{"arn:aws:backup:" + job},
		map[string]any{"state": "FAILED", "backupJobId": job, "size": 300, "tags": []string{"a\"b", "<c>"}})
}

func TestEmit_ReachesTheTargetsOfMatchingRules(t *testing.T) {
	t.Parallel()
	s := newStage(t, fast, nil)
	s.rule(t, "failed", failures)
	s.rule(t, "other", `{"source":["aws.drs"]}`)
	s.rule(t, "off", failures)
	for _, name := range []string{"failed", "other", "off"} {
		require.NoError(t, s.targets(t, name, target("1", function)))
	}
	_, err := s.DisableRule(t.Context(), &sdk.DisableRuleInput{Name: aws.String("off")})
	require.NoError(t, err)

	s.events.Emit(west, "aws.backup", "Backup Job State Change", nil, map[string]any{"state": "COMPLETED"})
	s.fail("job-1")
	s.events.Emit("us-east-1", "aws.backup", "Backup Job State Change", nil, map[string]any{"state": "FAILED"})
	s.fail("job-2")

	eventually(t, func() bool { return len(s.functions.got()) == 2 })
	s.world.Close() // waits for every delivery that is under way
	require.Len(t, s.functions.got(), 2)
	var got struct {
		Version, Region, Account, Source string
		Kind                             string `json:"detail-type"`
		Detail                           struct{ Size int }
	}
	require.NoError(t, json.Unmarshal([]byte(s.functions.got()[0]), &got))
	require.Equal(t, "0", got.Version)
	require.Equal(t, "aws.backup: Backup Job State Change", got.Source+": "+got.Kind)
	require.Equal(t, "123456789012 "+west, got.Account+" "+got.Region)
	require.Equal(t, 300, got.Detail.Size)
	require.InDelta(t, 2, s.counts.of("TriggeredRules", "failed"), 0)
	require.Zero(t, s.counts.of("TriggeredRules", "other")+s.counts.of("TriggeredRules", "off"))
}

func TestDelivery_Failed_IsSeenInMetricsAlone(t *testing.T) {
	t.Parallel()
	s := newStage(t, fast, nil)
	s.rule(t, "failed", failures)
	require.NoError(t, s.targets(t, "failed", target("1", function+":broken"), target("2", "arn:aws:sns:us-west-2:123456789012:nowhere"), target("3", function)))

	s.fail("job-1")

	eventually(t, func() bool { return s.counts.of("FailedInvocations", "failed") == 2 && len(s.functions.got()) == 1 })
	require.InDelta(t, 3, s.counts.of("Invocations", "failed"), 0)
}

func TestPutEvents_ReachesTheTargets(t *testing.T) {
	t.Parallel()
	s := newStage(t, fast, nil)
	s.rule(t, "mine", `{"source":["lifeline"],"time":[{"prefix":"2026-11-25T01"}]}`)
	require.NoError(t, s.targets(t, "mine", types.Target{Id: aws.String("1"), Arn: aws.String(function), InputPath: aws.String("$.detail.stage")}))

	_, err := s.PutEvents(t.Context(), &sdk.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("lifeline"), DetailType: aws.String("Failover"), Detail: aws.String(`{"stage":"promote"}`),
		Time: aws.Time(time.Date(2026, 11, 25, 1, 2, 3, 0, time.UTC)),
	}}})

	require.NoError(t, err)
	eventually(t, func() bool { return len(s.functions.got()) == 1 })
	require.Equal(t, `"promote"`, s.functions.got()[0])
}

func TestDelivery_Inputs(t *testing.T) {
	t.Parallel()
	paths := map[string]string{"state": "$.detail.state", "tags": "$.detail.tags", "tag": "$.detail['tags'][0]", "none": "$.detail.none", "beyond": "$.detail.tags[7]"}
	for name, c := range map[string]struct {
		target types.Target
		want   string
	}{
		"constant": {types.Target{Input: aws.String(`{"fixed":true}`)}, `{"fixed":true}`},
		"path":     {types.Target{InputPath: aws.String("$.detail.tags[1]")}, `"<c>"`},
		"missing":  {types.Target{InputPath: aws.String("$.detail.none.at.all")}, `null`},
		"json": {types.Target{InputTransformer: &types.InputTransformer{
			InputPathsMap: paths, InputTemplate: aws.String(`{"state":<state>,"tags":<tags>,"text":"<state>: <tag>, <tags>","rule":"<aws.events.rule-name>"}`),
		}}, `{"state":"FAILED","tags":["a\"b","<c>"],"text":"FAILED: a\"b, [\"a\\\"b\",\"<c>\"]","rule":"failed"}`},
		"text": {types.Target{InputTransformer: &types.InputTransformer{
			InputPathsMap: paths, InputTemplate: aws.String(`"Backup <state>, a < b, <none><beyond>."`),
		}}, `"Backup FAILED, a < b, ."`},
		"rule": {types.Target{InputTransformer: &types.InputTransformer{InputTemplate: aws.String(`"<aws.events.rule-arn>"`)}}, `"arn:aws:events:us-west-2:123456789012:rule/failed"`},
	} {
		s := newStage(t, fast, nil)
		s.rule(t, "failed", failures)
		c.target.Id, c.target.Arn = aws.String("1"), aws.String(function)
		require.NoError(t, s.targets(t, "failed", c.target), name)
		s.fail("job-1")
		eventually(t, func() bool { return len(s.functions.got()) == 1 })
		require.Equal(t, c.want, s.functions.got()[0], name)
	}
}

func TestDelivery_WholeEventInTemplate(t *testing.T) {
	t.Parallel()
	s := newStage(t, fast, nil)
	s.rule(t, "failed", failures)
	require.NoError(t, s.targets(t, "failed", types.Target{
		Id: aws.String("1"), Arn: aws.String(function),
		InputTransformer: &types.InputTransformer{InputTemplate: aws.String(`{"all":<aws.events.event.json>,"head":<aws.events.event>}`)},
	}))
	s.fail("job-1")
	eventually(t, func() bool { return len(s.functions.got()) == 1 })
	var got map[string]map[string]any
	require.NoError(t, json.Unmarshal([]byte(s.functions.got()[0]), &got))
	require.Contains(t, got["all"], "detail")
	require.NotContains(t, got["head"], "detail")
	require.Equal(t, got["all"]["id"], got["head"]["id"])
}

func TestTopic_TakesEventsOnlyByItsPolicy(t *testing.T) {
	t.Parallel()
	var topics *sns.SNS
	s := newStage(t, fast, func(w *world.World) events.Topics {
		topics = sns.New(w, sns.Options{})
		return topics
	})
	create := func(name, policy string) string {
		in := &v1sns.CreateTopicInput{Name: &name}
		if policy != "" {
			in.Attributes = map[string]*string{"Policy": &policy}
		}
		out, err := topics.CreateTopic(&wire.Call{Region: west}, in)
		require.NoError(t, err)
		return *out.TopicArn
	}
	mute := create("mute", "")
	open := create("open", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"sns:Publish","Resource":"*"}]}`)
	s.rule(t, "failed", failures)
	require.NoError(t, s.targets(t, "failed", target("1", mute), target("2", open)))

	s.fail("job-1")

	eventually(t, func() bool { return len(topics.Messages(open)) == 1 && s.counts.of("FailedInvocations", "failed") == 1 })
	require.Empty(t, topics.Messages(mute))
	require.Contains(t, topics.Messages(open)[0].Text, "job-1")
}

func TestSchedule_RunsInCompressedTime(t *testing.T) {
	t.Parallel()
	s := newStage(t, 60*1000, nil) // a minute is 1 ms
	put := func(name, expression string, state types.RuleState) {
		_, err := s.PutRule(t.Context(), &sdk.PutRuleInput{Name: &name, ScheduleExpression: &expression, State: state})
		require.NoError(t, err)
	}
	put("each-minute", "rate(1 minute)", types.RuleStateEnabled)
	require.NoError(t, s.targets(t, "each-minute", target("1", function)))
	put("nightly", "cron(0 2 * * ? *)", types.RuleStateDisabled)
	require.NoError(t, s.targets(t, "nightly", target("1", function)))

	eventually(t, func() bool { return s.counts.of("Invocations", "each-minute") >= 3 })
	require.Contains(t, s.functions.got()[0], `"detail-type":"Scheduled Event","source":"aws.events"`)
	require.Contains(t, s.functions.got()[0], "rule/each-minute")
	require.Zero(t, s.counts.of("Invocations", "nightly"))

	_, err := s.EnableRule(t.Context(), &sdk.EnableRuleInput{Name: aws.String("nightly")})
	require.NoError(t, err)
	eventually(t, func() bool { return s.counts.of("Invocations", "nightly") >= 1 }) // a day is 1.4 s
}

func TestSchedule_ChangedRule_ForgetsItsOldSchedule(t *testing.T) {
	t.Parallel()
	s := newStage(t, 60*200, nil) // a minute is 5 ms
	put := func(expression string) {
		_, err := s.PutRule(t.Context(), &sdk.PutRuleInput{Name: aws.String("r"), ScheduleExpression: &expression})
		require.NoError(t, err)
	}
	put("rate(1 minute)")
	require.NoError(t, s.targets(t, "r", target("1", function)))
	eventually(t, func() bool { return len(s.functions.got()) >= 2 })
	put("rate(365 days)")
	s.rule(t, "beat", `{"source":["lifeline.beat"]}`)
	require.NoError(t, s.targets(t, "beat", types.Target{Id: aws.String("1"), Arn: aws.String(function), Input: aws.String(`"beat"`)}))
	beat := func(times int) {
		for n := range times { // each beat is later than what was under way before it
			s.events.Emit(west, "lifeline.beat", "Beat", nil, nil)
			eventually(t, func() bool { return s.counts.of("Invocations", "beat") >= float64(n+1) })
		}
	}
	beat(5)
	before := strings.Count(strings.Join(s.functions.got(), "\n"), "Scheduled Event")
	s.counts.mu.Lock()
	clear(s.counts.sum)
	s.counts.mu.Unlock()
	beat(50)
	require.Equal(t, before, strings.Count(strings.Join(s.functions.got(), "\n"), "Scheduled Event"))
}

func TestBlackout_LosesTheRegionsEvents(t *testing.T) {
	t.Parallel()
	s := newStage(t, fast, nil)
	s.rule(t, "failed", failures)
	require.NoError(t, s.targets(t, "failed", target("1", function)))
	id := s.world.Inject(world.Fault{Kind: world.Blackout, Region: west})
	s.fail("lost")
	s.world.Remove(id)
	s.fail("kept")

	eventually(t, func() bool { return len(s.functions.got()) >= 1 })
	s.world.Close()
	require.Len(t, s.functions.got(), 1)
	require.Contains(t, s.functions.got()[0], "kept")
}
