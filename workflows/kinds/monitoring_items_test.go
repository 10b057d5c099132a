package kinds_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

const (
	eastern = plan.Region("us-east-1")
	western = plan.Region("us-west-2")
	third   = plan.Region("us-east-2")
)

func alarmIn(t *testing.T, items itemsByID, region plan.Region, name string) runbook.Item {
	t.Helper()
	item, ok := items["cloudwatch-alarm/"+string(region)+"/lifeline-"+name]
	require.True(t, ok, "no alarm %s in %s", name, region)
	return item
}

func TestTopics_AreEncryptedByTheCustomerAndLetAWSPublish(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "patient-records.yaml"))
	for _, id := range []string{
		"sns-topic/us-east-1/patient-records-alarms", "sns-topic/us-west-2/patient-records-alarms",
		"sns-topic/us-west-2/lifeline-patient-records", "sns-topic/us-east-2/lifeline-patient-records",
	} {
		topic, ok := items[id]
		require.True(t, ok, id)
		require.Equal(t, runbook.Ref("kms-key", topic.Region, "alias/patient-records", "arn"), topic.Want["key"], "never alias/aws/sns")
		require.Contains(t, items, "kms-key/"+topic.Region+"/alias/patient-records", "a topic in the witness Region needs a key there")
		for sid, service := range map[string]string{"LifelineAlarms": "cloudwatch", "LifelineEvents": "events", "LifelineBackup": "backup"} {
			var s struct {
				Effect, Action, Resource string
				Principal                struct{ Service string }
				Condition                map[string]map[string]string
			}
			require.NoError(t, json.Unmarshal([]byte(topic.Want["statement/"+sid]), &s))
			require.Equal(t, "Allow", s.Effect)
			require.Equal(t, "sns:Publish", s.Action)
			require.Equal(t, topic.Want["arn"], s.Resource)
			require.Equal(t, service+".amazonaws.com", s.Principal.Service)
			if service == "cloudwatch" {
				require.Equal(t, "123456789012", s.Condition["StringEquals"]["aws:SourceAccount"])
			} else {
				require.Empty(t, s.Condition, "EventBridge publishes without saying for whom, and AWS Backup promises nothing")
			}
		}
	}
}

func TestTopics_OfAnotherAccount_AreNotOurs(t *testing.T) {
	t.Parallel()
	p := example(t, "patient-records.yaml")
	p.Notifications.Topics = map[plan.Region]string{third: "arn:aws:sns:us-east-2:999999999999:theirs"}
	items := itemsOf(t, p)
	require.NotContains(t, items, "sns-topic/us-east-2/theirs")
	require.NotContains(t, items, "kms-key/us-east-2/alias/patient-records")
}

func TestSubscriptions_AreOnTheTopicOfTheirRegion(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "patient-records.yaml"))
	for _, region := range []plan.Region{eastern, western} {
		sub := items["sns-subscription/"+string(region)+"/patient-records-alarms/email/on-call@patients.example"]
		require.Equal(t, runbook.Ref("sns-topic", string(region), "patient-records-alarms", "arn"), sub.Want["topic"])
		require.Equal(t, "email", sub.Want["protocol"])
	}
}

// Whatever an alarm tells, it tells in its own Region; only the page tells of ALARM.
func TestAlarms_TellTheTopicOfTheirOwnRegion(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"patient-records.yaml", "imaging.yaml"} {
		p := example(t, name)
		told := 0
		for _, item := range itemsOf(t, p) {
			for key, value := range item.Want {
				if !strings.HasPrefix(key, "tells/") {
					continue
				}
				told++
				require.Equal(t, runbook.Ref("sns-topic", item.Region, p.Monitoring.Topic, "arn"), value, item.ID())
				if item.Type == "cloudwatch-alarm" {
					require.Equal(t, "tells/INSUFFICIENT_DATA", key, "%s pages beside the page of its Region", item.ID())
				}
			}
			if strings.HasPrefix(item.Type, "cloudwatch-") {
				require.True(t, strings.HasPrefix(item.Name, "lifeline-"+p.Application+"-"), item.Name)
			}
		}
		require.Positive(t, told)
	}
}

func TestAlarms_LookBackNoLongerThanCloudWatchDoes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"patient-records.yaml", "imaging.yaml"} {
		for _, silence := range []time.Duration{time.Hour, 26 * time.Hour, 7 * 24 * time.Hour} {
			p := example(t, name)
			p.Monitoring.Silence = plan.Duration(silence)
			for _, item := range itemsOf(t, p) {
				if item.Type != "cloudwatch-alarm" {
					continue
				}
				period, err := strconv.Atoi(item.Want["period"])
				require.NoError(t, err)
				periods, err := strconv.Atoi(item.Want["periods"])
				require.NoError(t, err)
				require.Positive(t, periods)
				most := 24 * time.Hour
				if period >= 3600 {
					most = 7 * 24 * time.Hour
				}
				require.LessOrEqual(t, time.Duration(period*periods)*time.Second, most, item.ID())
			}
		}
	}
}

func TestAlarms_ThresholdsAreTheObjectives(t *testing.T) {
	t.Parallel()
	records, imaging := itemsOf(t, example(t, "patient-records.yaml")), itemsOf(t, example(t, "imaging.yaml"))
	for _, c := range []struct {
		items             itemsByID
		region            plan.Region
		name              string
		metric, threshold string
		dimensions        string
	}{
		{records, eastern, "patient-records-records-replication-latency", "ReplicationLatency", "5000", `{"ReceivingRegion":"us-west-2","TableName":"patient-records"}`},
		{records, western, "patient-records-records-replication-latency", "ReplicationLatency", "5000", `{"ReceivingRegion":"us-east-1","TableName":"patient-records"}`},
		{records, western, "patient-records-billing-replication-lag", "AuroraGlobalDBRPOLag", "90000", `{"DBClusterIdentifier":"patient-billing-usw2"}`},
		{records, eastern, "patient-records-billing-replication-lag", "AuroraGlobalDBRPOLag", "90000", `{"DBClusterIdentifier":"patient-billing-use1"}`},
		{
			records, western, "patient-records-documents-replication-latency", "ReplicationLatency", "900",
			`{"DestinationBucket":"patient-documents-usw2","RuleId":"${s3-replication/us-east-1/patient-documents-use1#rule}","SourceBucket":"patient-documents-use1"}`,
		},
		{imaging, western, "imaging-studies-replica-lag", "ReplicaLag", "900", `{"DBInstanceIdentifier":"imaging-studies-replica"}`},
		{imaging, western, "imaging-studies-replica-stopped", "ReplicaLag", "0", `{"DBInstanceIdentifier":"imaging-studies-replica"}`},
		{imaging, western, "imaging-archive-server-lag", "LagDuration", "900", `{"SourceServerID":"s-0123456789abcdef0"}`},
		{imaging, western, "imaging-archive-server-unproven", "DurationSinceLastSuccessfulRecoveryLaunch", "7776000", `{"SourceServerID":"s-0123456789abcdef0"}`},
		{
			imaging, western, "imaging-exports-replication-latency", "ReplicationLatency", "3600",
			`{"DestinationBucket":"imaging-exports-usw2","RuleId":"${s3-replication/us-east-1/imaging-exports-use1#rule}","SourceBucket":"imaging-exports-use1"}`,
		},
	} {
		item := alarmIn(t, c.items, c.region, c.name)
		require.Equal(t, c.metric, item.Want["metric"])
		require.Equal(t, c.threshold, item.Want["threshold"], c.name)
		require.Equal(t, c.dimensions, item.Want["dimensions"])
	}
	require.NotContains(t, imaging, "cloudwatch-alarm/us-east-1/lifeline-imaging-exports-replication-latency", "one way only")
	require.Equal(t, "LessThanThreshold", alarmIn(t, imaging, western, "imaging-studies-replica-stopped").Want["comparison"], "-1 is no lag of zero")
}

func TestAlarms_FailedReplicationIsWatchedWhereItIsPublished(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "imaging.yaml"))
	require.Equal(t, "OperationsFailedReplication", alarmIn(t, items, eastern, "imaging-exports-replication-failed").Want["metric"], "in the Region of the source")
	pending := alarmIn(t, items, western, "imaging-exports-replication-pending")
	require.Equal(t, "Minimum", pending.Want["statistic"])
	require.NotContains(t, items["cloudwatch-composite-alarm/us-west-2/lifeline-imaging-page-s3-bucket"].Want["rule"], pending.Name, "something is always pending of a busy bucket")
}

func TestAlarms_OfSilence(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "patient-records.yaml"))
	for _, c := range []struct {
		region       plan.Region
		name, metric string
	}{
		{eastern, "backups-silent", "NumberOfBackupJobsCompleted"},    // where the jobs run
		{western, "copies-silent", "NumberOfRecoveryPointsCompleted"}, // where the copies arrive
	} {
		item := alarmIn(t, items, c.region, "patient-records-"+c.name)
		require.Equal(t, c.metric, item.Want["metric"])
		require.Equal(t, []string{"3600", "26", "26", "breaching", "LessThanThreshold", "1", "Sum"}, []string{
			item.Want["period"], item.Want["periods"], item.Want["datapoints"], item.Want["missing"], item.Want["comparison"], item.Want["threshold"], item.Want["statistic"],
		}, "the metric is published only when it isn't zero")
		require.NotEmpty(t, item.Want["tells/INSUFFICIENT_DATA"])
	}
	for _, name := range []string{"backups-failed", "backups-expired", "backups-partial", "copies-failed"} {
		require.Equal(t, "notBreaching", alarmIn(t, items, eastern, "patient-records-"+name).Want["missing"])
	}
	snapshots := alarmIn(t, itemsOf(t, example(t, "imaging.yaml")), eastern, "imaging-snapshots-silent-imaging-0300-14-14")
	require.JSONEq(t, `{"DLMPolicyId":"${dlm-policy/us-east-1/imaging-0300-14-14#id}"}`, snapshots.Want["dimensions"])
	require.Equal(t, "breaching", snapshots.Want["missing"])

	p := example(t, "imaging.yaml")
	p.Monitoring.Silence = plan.Duration(time.Hour)
	require.Equal(t, "26", alarmIn(t, itemsOf(t, p), eastern, "imaging-snapshots-silent-imaging-0300-14-14").Want["periods"], "once a day is not silence")
}

func TestAlarms_MinutesInARowFollowTheObjective(t *testing.T) {
	t.Parallel()
	p := example(t, "patient-records.yaml")
	items := itemsOf(t, p)
	require.Equal(t, "1", alarmIn(t, items, western, "patient-records-web-errors").Want["periods"], "an objective of 60 s leaves no second minute")
	require.Equal(t, "5", alarmIn(t, items, western, "patient-records-documents-replication-latency").Want["periods"])
	sick := alarmIn(t, items, eastern, "patient-records-web-unhealthy")
	require.JSONEq(t, `{"LoadBalancer":"${target-group/us-east-1/patient-web#load-balancer}","TargetGroup":"${target-group/us-east-1/patient-web#dimension}"}`, sick.Want["dimensions"])
	require.True(t, items["target-group/us-east-1/patient-web"].Given)
}

func TestAlarms_StrongTable_HasNoLatency(t *testing.T) {
	t.Parallel()
	p := example(t, "patient-records.yaml")
	p.Resources[0].Protect.Consistency = "strong"
	require.NotContains(t, itemsOf(t, p), "cloudwatch-alarm/us-east-1/lifeline-patient-records-records-replication-latency")
}

// What is red in one kind hides nothing that reddens later in another.
func TestComposites_PageForEachKindAndForSilence(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "imaging.yaml"))
	for region, kinds := range map[plan.Region][]string{
		eastern: {"backup", "silence", "s3-bucket", "rds-instance", "ebs-volume"},
		western: {"backup", "silence", "s3-bucket", "rds-instance", "drs-server"},
	} {
		for _, kind := range kinds {
			page := items["cloudwatch-composite-alarm/"+string(region)+"/lifeline-imaging-page-"+kind]
			require.NotEmpty(t, page.Want["tells/ALARM"], "%s in %s", kind, region)
			require.NotEmpty(t, page.Want["tells/OK"])
		}
	}
	for _, item := range items {
		if item.Type != "cloudwatch-alarm" || strings.HasSuffix(item.Name, "-pending") {
			continue
		}
		var told []string
		for _, page := range items {
			if page.Type == "cloudwatch-composite-alarm" && page.Region == item.Region && strings.Contains(page.Want["rule"], `ALARM("`+item.Name+`")`) {
				require.Contains(t, page.Needs, item.ID(), "AWS refuses a rule over an alarm that is not there")
				told = append(told, page.Name)
			}
		}
		require.Len(t, told, 1, "%s tells by one page", item.ID())
		require.Equal(t, strings.Contains(item.Name, "-silent"), strings.HasSuffix(told[0], "-silence"), item.ID())
	}
}

func TestComposites_MoreThanARuleHolds_AreRulesOverRules(t *testing.T) {
	t.Parallel()
	p := example(t, "patient-records.yaml")
	for i := range 130 {
		r := p.Resources[0]
		r.Name = fmt.Sprintf("table-%03d", i)
		r.Regions = map[plan.Region]plan.Identifiers{eastern: {"table": r.Name}, western: {"table": r.Name}}
		p.Resources = append(p.Resources, r)
	}
	items := itemsOf(t, p)
	page := items["cloudwatch-composite-alarm/us-west-2/lifeline-patient-records-page-dynamodb-table"]
	require.Equal(t, `ALARM("lifeline-patient-records-page-dynamodb-table-1") OR ALARM("lifeline-patient-records-page-dynamodb-table-2")`, page.Want["rule"])
	children := 0
	for _, part := range []string{"1", "2"} {
		item := items["cloudwatch-composite-alarm/us-west-2/lifeline-patient-records-page-dynamodb-table-"+part]
		require.LessOrEqual(t, len(item.Needs), 100)
		require.LessOrEqual(t, len(item.Want["rule"]), 10240)
		require.Empty(t, item.Want["tells/ALARM"], "the page does")
		children += len(item.Needs)
	}
	require.Greater(t, children, 130)
}

func TestEventRules_SendFailuresToTheTopicInBothRegions(t *testing.T) {
	t.Parallel()
	items := itemsOf(t, example(t, "imaging.yaml"))
	for _, region := range []plan.Region{eastern, western} {
		for _, name := range []string{"backup-jobs", "copy-jobs", "restore-jobs", "servers", "snapshots", "snapshot-policies"} {
			rule, ok := items["event-rule/"+string(region)+"/lifeline-imaging-"+name]
			require.True(t, ok, name)
			require.Equal(t, runbook.Ref("sns-topic", string(region), "imaging-alarms", "arn"), rule.Want["target"])
			require.Equal(t, "ENABLED", rule.Want["state"])
		}
	}
	var pattern struct {
		DetailType []string `json:"detail-type"`
		Detail     struct {
			Or []map[string][]string `json:"$or"`
		} `json:"detail"`
	}
	require.NoError(t, json.Unmarshal([]byte(items["event-rule/us-east-1/lifeline-imaging-restore-jobs"].Want["pattern"]), &pattern))
	require.Equal(t, []string{"Restore Job State Change"}, pattern.DetailType)
	require.Len(t, pattern.Detail.Or, 2)
	require.Contains(t, pattern.Detail.Or[0]["state"], "FAILED")
	require.Contains(t, pattern.Detail.Or[1]["status"], "FAILED", "restore jobs call it status")
	require.NotContains(t, itemsOf(t, example(t, "patient-records.yaml")), "event-rule/us-west-2/lifeline-patient-records-servers", "the plan has no servers")
}

func TestMonitoring_LeftOut_MakesNothingButTheTopicsOfRuns(t *testing.T) {
	t.Parallel()
	p := example(t, "patient-records.yaml")
	p.Monitoring, p.Trigger = nil, nil
	for _, item := range itemsOf(t, p) {
		if item.Area == runbook.AreaMonitoring || item.Area == runbook.AreaTrigger {
			require.Equal(t, "sns-topic", item.Type)
		}
	}
}
