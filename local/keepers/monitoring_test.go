package keepers_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkcloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	sdkelb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	sdkevents "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	sdksns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/activities/backup"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/elb"
	"lifeline/activities/events"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/sns"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	simsns "lifeline/local/aws/sns"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

const (
	alarmTopic   = "patient-records-alarms"
	page         = "lifeline-patient-records-page-aurora-global"
	pageOfTables = "lifeline-patient-records-page-dynamodb-table"
)

// monitored is what is watched of a table, a database and a service, with vaults
// to be told of.
func monitored(t *testing.T, p plan.Plan) []runbook.Item {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	return slices.DeleteFunc(of(all, runbook.AreaAccess, runbook.AreaBackup, runbook.AreaMonitoring), func(i runbook.Item) bool {
		return i.Type == "backup-selection" || i.Type == "ebs-volume"
	})
}

// watchedPlan is the example's, without the bucket: the number of its rule is
// another area's to know.
func watchedPlan(t *testing.T) plan.Plan {
	t.Helper()
	p := complete(t, "patient-records.yaml")
	p.Resources = slices.DeleteFunc(p.Resources, func(r plan.Resource) bool { return r.Kind == plan.S3Bucket })
	return p
}

// complete is an example as it ships, setup section and all.
func complete(t *testing.T, name string) plan.Plan {
	t.Helper()
	p, problems := plan.Load("../../examples/" + name)
	require.NoError(t, problems.Err())
	return p
}

// watchable is a world with the target groups of a plan's service.
func watchable(t *testing.T, p plan.Plan) *site {
	t.Helper()
	s := bare(t, 2000, iam.Keepers, kms.Keepers, backup.Keepers, sns.Keepers, cloudwatch.Keepers, events.Keepers, elb.Keepers)
	front, ok := p.Front()
	require.True(t, ok)
	for _, region := range p.TrafficRegions() {
		subnets, err := sdkec2.NewFromConfig(s.in(region)).DescribeSubnets(t.Context(), &sdkec2.DescribeSubnetsInput{})
		require.NoError(t, err)
		api := sdkelb.NewFromConfig(s.in(region))
		balancer, err := api.CreateLoadBalancer(t.Context(), &sdkelb.CreateLoadBalancerInput{
			Name:    aws.String(front.Regions[region]["loadBalancer"]),
			Subnets: []string{aws.ToString(subnets.Subnets[0].SubnetId), aws.ToString(subnets.Subnets[1].SubnetId)},
		})
		require.NoError(t, err)
		group, err := api.CreateTargetGroup(t.Context(), &sdkelb.CreateTargetGroupInput{
			Name: aws.String(front.Regions[region]["targetGroup"]), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: subnets.Subnets[0].VpcId,
		})
		require.NoError(t, err)
		_, err = api.CreateListener(t.Context(), &sdkelb.CreateListenerInput{
			LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80),
			DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: group.TargetGroups[0].TargetGroupArn}},
		})
		require.NoError(t, err)
	}
	return s
}

func (s *site) alarms(region plan.Region) *sdkcloudwatch.Client {
	return sdkcloudwatch.NewFromConfig(s.in(region))
}

func topicOf(region plan.Region) string {
	return "arn:aws:sns:" + string(region) + ":" + account + ":" + alarmTopic
}

func TestMonitoring_BareWorld_GetsEverythingAndThenNothing(t *testing.T) {
	t.Parallel()
	p := watchedPlan(t)
	s := watchable(t, p)
	items := monitored(t, p)
	before := s.setup()
	preview := before.survey(items, true)
	preview.read(t)
	require.Empty(t, before.changed(), "a survey changes nothing")
	require.Equal(t, runbook.ToCreate, preview["cloudwatch-alarm/us-east-1/lifeline-patient-records-backups-failed"].Verdict)

	first := s.setup().converge(items, true)
	first.good(t)
	require.Equal(t, "waits until the receiver confirms", first["sns-subscription/us-west-2/"+alarmTopic+"/email/on-call@patients.example"].Out["state"])

	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed(), "nobody is asked twice to confirm")
	require.LessOrEqual(t, len(again.calls()), len(items)+8, "about one call for each item")
	reads := map[string]int{}
	for _, c := range again.calls() {
		reads[c.Operation+" "+c.Region]++
	}
	require.LessOrEqual(t, reads["DescribeAlarms us-west-2"], 5, "a hundred alarms with each call, in each wave")
}

// What setup has made is tried: an alarm, an event and a page.
func TestMonitoring_SignsReachThePeopleOfTheirRegion(t *testing.T) {
	t.Parallel()
	p := watchedPlan(t)
	s := watchable(t, p)
	s.setup().converge(monitored(t, p), true).good(t)
	heard := func(region plan.Region, what ...string) bool {
		return slices.ContainsFunc(s.SNS.Messages(topicOf(region)), func(m simsns.Message) bool {
			return !slices.ContainsFunc(what, func(w string) bool { return !strings.Contains(m.Text, w) })
		})
	}
	_, err := s.alarms(west).SetAlarmState(t.Context(), &sdkcloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("lifeline-patient-records-billing-replication-lag"), StateValue: cloudwatchtypes.StateValueAlarm, StateReason: aws.String("a test"),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return heard(west, `"AlarmName":"`+page+`"`, `"NewStateValue":"ALARM"`) }, patience, time.Millisecond, "the page of the Region, through an encrypted topic")
	require.False(t, heard(west, `"AlarmName":"lifeline-patient-records-billing-replication-lag"`), "once, and not from every resource")

	// What is red already hides nothing that reddens later in another kind.
	_, err = s.alarms(west).SetAlarmState(t.Context(), &sdkcloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("lifeline-patient-records-records-replication-latency"), StateValue: cloudwatchtypes.StateValueAlarm, StateReason: aws.String("a test"),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return heard(west, `"AlarmName":"`+pageOfTables+`"`, `"NewStateValue":"ALARM"`) }, patience, time.Millisecond)

	s.Events.Emit(string(east), "aws.backup", "Restore Job State Change", nil, map[string]any{"status": "FAILED", "restoreJobId": "r-1"})
	s.Events.Emit(string(east), "aws.backup", "Backup Job State Change", nil, map[string]any{"state": "EXPIRED", "backupVaultName": vault, "backupJobId": "b-1"})
	s.Events.Emit(string(east), "aws.backup", "Backup Job State Change", nil, map[string]any{"state": "COMPLETED", "backupVaultName": vault, "backupJobId": "b-2"})
	require.Eventually(t, func() bool { return heard(east, "r-1") && heard(east, "b-1") }, patience, time.Millisecond, "whichever word an event has for its end")
	require.False(t, heard(east, "b-2"))
	require.False(t, heard(west, "r-1"))
}

// driftsOfMonitoring are changes by hand, by the item that they spoil.
func driftsOfMonitoring() map[string]func(*testing.T, *site) {
	return map[string]func(*testing.T, *site){
		"sns-topic/us-west-2/" + alarmTopic: func(t *testing.T, s *site) {
			t.Helper()
			for name, value := range map[string]string{"KmsMasterKeyId": "alias/aws/sns", "Policy": `{"Version":"2008-10-17","Statement":[
				{"Sid":"Theirs","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + account + `:root"},"Action":"sns:Publish","Resource":"` + topicOf(west) + `"}]}`} {
				_, err := sdksns.NewFromConfig(s.in(west)).SetTopicAttributes(t.Context(), &sdksns.SetTopicAttributesInput{
					TopicArn: aws.String(topicOf(west)), AttributeName: aws.String(name), AttributeValue: aws.String(value),
				})
				require.NoError(t, err)
			}
		},
		"cloudwatch-alarm/us-east-1/lifeline-patient-records-backups-silent": func(t *testing.T, s *site) {
			t.Helper()
			_, err := s.alarms(east).PutMetricAlarm(t.Context(), &sdkcloudwatch.PutMetricAlarmInput{
				AlarmName: aws.String("lifeline-patient-records-backups-silent"), Namespace: aws.String("AWS/Backup"), MetricName: aws.String("NumberOfBackupJobsCompleted"),
				Statistic: cloudwatchtypes.StatisticSum, Period: aws.Int32(300), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1),
				ComparisonOperator: cloudwatchtypes.ComparisonOperatorLessThanThreshold, AlarmActions: []string{topicOf(east)},
			})
			require.NoError(t, err)
		},
		"cloudwatch-composite-alarm/us-west-2/" + page: func(t *testing.T, s *site) {
			t.Helper()
			_, err := s.alarms(west).DisableAlarmActions(t.Context(), &sdkcloudwatch.DisableAlarmActionsInput{AlarmNames: []string{page}})
			require.NoError(t, err)
		},
		"event-rule/us-east-1/lifeline-patient-records-restore-jobs": func(t *testing.T, s *site) {
			t.Helper()
			api := sdkevents.NewFromConfig(s.in(east))
			_, err := api.RemoveTargets(t.Context(), &sdkevents.RemoveTargetsInput{Rule: aws.String("lifeline-patient-records-restore-jobs"), Ids: []string{"lifeline"}})
			require.NoError(t, err)
			_, err = api.DisableRule(t.Context(), &sdkevents.DisableRuleInput{Name: aws.String("lifeline-patient-records-restore-jobs")})
			require.NoError(t, err)
		},
	}
}

func TestMonitoring_DriftMadeByHand_IsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	p := watchedPlan(t)
	s := watchable(t, p)
	items := monitored(t, p)
	s.setup().converge(items, true).good(t)
	for _, by := range driftsOfMonitoring() {
		by(t, s)
	}
	only := s.setup()
	told := only.converge(items, false)
	require.Empty(t, only.changed(), "repair: false only tells")
	for id := range driftsOfMonitoring() {
		require.Equal(t, runbook.Drifted, told[id].Verdict, "%s: %v", id, told[id].Changes)
	}
	mend := s.setup()
	got := mend.converge(items, true)
	got.good(t)
	for id := range driftsOfMonitoring() {
		require.Equal(t, runbook.Changed, got[id].Verdict, id)
	}
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(mend.changed()))), 5, "%v", mend.changed())

	topic, err := sdksns.NewFromConfig(s.in(west)).GetTopicAttributes(t.Context(), &sdksns.GetTopicAttributesInput{TopicArn: aws.String(topicOf(west))})
	require.NoError(t, err)
	require.Contains(t, topic.Attributes["Policy"], "Theirs", "statements of others stay")
	require.Contains(t, topic.Attributes["Policy"], "LifelineAlarms")
	alarm, err := s.alarms(east).DescribeAlarms(t.Context(), &sdkcloudwatch.DescribeAlarmsInput{AlarmNames: []string{"lifeline-patient-records-backups-silent"}})
	require.NoError(t, err)
	require.Equal(t, []string{topicOf(east)}, alarm.MetricAlarms[0].AlarmActions, "what others have added stays")
	require.Equal(t, int32(26), *alarm.MetricAlarms[0].EvaluationPeriods)
}

func TestMonitoring_LostAnswersAndThrottling_EndInTheSameState(t *testing.T) {
	t.Parallel()
	p := watchedPlan(t)
	s := watchable(t, p)
	items := monitored(t, p)
	hard := s.setup()
	for _, op := range []string{"CreateTopic", "SetTopicAttributes", "Subscribe", "PutMetricAlarm", "PutCompositeAlarm", "PutRule", "PutTargets"} {
		hard.suffer(world.Fault{Kind: world.LoseAnswer, Operation: op, Times: 2})
	}
	hard.suffer(world.Fault{Kind: world.Throttle, Probability: 0.3})
	hard.converge(items, true).good(t)
	calm := s.setup()
	calm.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, calm.changed())
	for _, region := range []plan.Region{east, west} {
		subs, err := sdksns.NewFromConfig(s.in(region)).ListSubscriptionsByTopic(t.Context(), &sdksns.ListSubscriptionsByTopicInput{TopicArn: aws.String(topicOf(region))})
		require.NoError(t, err)
		require.Len(t, subs.Subscriptions, 1)
		targets, err := sdkevents.NewFromConfig(s.in(region)).ListTargetsByRule(t.Context(), &sdkevents.ListTargetsByRuleInput{Rule: aws.String("lifeline-patient-records-copy-jobs")})
		require.NoError(t, err)
		require.Len(t, targets.Targets, 1)
	}
}
