package kinds

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area.
const (
	snsTopic        = "sns-topic"
	snsSubscription = "sns-subscription"
	metricAlarm     = "cloudwatch-alarm"
	compositeAlarm  = "cloudwatch-composite-alarm"
	eventRule       = "event-rule"
	targetGroup     = "target-group"
)

// monitoring is who is told of what, in each Region on its own: an alarm, its
// topic and the topic's key die with their Region, and with no other.
func monitoring(s Site) []runbook.Item {
	if s.Plan.Monitoring == nil {
		return s.notificationTopics()
	}
	out := s.notificationTopics()
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, s.topic(region, s.Plan.Monitoring.Topic))
		for _, sub := range s.Plan.Monitoring.Subscribers {
			out = append(out, s.subscription(region, sub))
		}
		out = append(out, s.eventRules(region)...)
		out = append(out, s.composites(region)...)
	}
	return append(out, s.alarms(s.backupWatches())...)
}

// notificationTopics are the topics to which runs report, those of this account.
// One may be in a Region that carries no traffic: it needs a key there.
func (s Site) notificationTopics() []runbook.Item {
	var out []runbook.Item
	for _, region := range slices.Sorted(maps.Keys(s.Plan.Notifications.Topics)) {
		name, ours := strings.CutPrefix(s.Plan.Notifications.Topics[region], s.arn("sns", region, ""))
		if !ours {
			continue
		}
		out = append(out, s.topic(region, name))
		if !slices.Contains(s.Plan.TrafficRegions(), region) {
			out = append(out, s.key(region))
		}
	}
	return out
}

// topic has the customer's key: with AWS's own an alarm's message is lost, and
// only the alarm's history says so (domain handbook 9.1).
//
// EventBridge fills in no conditions when it publishes to a topic (EventBridge
// User Guide: no condition blocks in topic policies), and AWS Backup documents
// none: asking them for their account would lose every event without a trace.
func (s Site) topic(region plan.Region, name string) runbook.Item {
	arn := s.arn("sns", region, name)
	publish := func(sid, service string, condition map[string]any) string {
		body := map[string]any{"Effect": "Allow", "Principal": map[string]any{"Service": service}, "Action": "sns:Publish", "Resource": arn}
		if condition != nil {
			body["Condition"] = condition
		}
		return statement(sid, body)
	}
	return runbook.Item{
		Area: runbook.AreaMonitoring, Type: snsTopic, Name: name, Region: string(region),
		Want: map[string]string{
			"arn": arn, "key": s.keyARN(region), tagAtCreation: s.Plan.Application,
			"statement/LifelineAlarms": publish("LifelineAlarms", "cloudwatch.amazonaws.com",
				map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": s.Account}}),
			"statement/LifelineEvents": publish("LifelineEvents", "events.amazonaws.com", nil),
			"statement/LifelineBackup": publish("LifelineBackup", "backup.amazonaws.com", nil),
		},
	}
}

// topicARN is the alarm topic of a Region, once it is known.
func (s Site) topicARN(region plan.Region) string {
	return runbook.Ref(snsTopic, string(region), s.Plan.Monitoring.Topic, "arn")
}

// subscription is one receiver of a Region's alarms. Most have to confirm by
// themselves: until then it is there, and says so.
func (s Site) subscription(region plan.Region, sub plan.Subscription) runbook.Item {
	topic := s.Plan.Monitoring.Topic
	return runbook.Item{
		Area: runbook.AreaMonitoring, Type: snsSubscription, Name: topic + "/" + sub.Protocol + "/" + sub.Endpoint, Region: string(region),
		Want: map[string]string{"topic": s.topicARN(region), "protocol": sub.Protocol, "endpoint": sub.Endpoint},
	}
}

// alarmName is a name among all alarms of the account.
func (s Site) alarmName(parts ...string) string {
	return short("lifeline-"+s.Plan.Application+"-"+strings.Join(parts, "-"), longestAlarm)
}

// Limits of CloudWatch.
const (
	longestAlarm = 255
	mostChildren = 100   // of a composite alarm
	longestRule  = 10240 // characters
)

// composites turn the signs of a Region into pages, one for each kind of resource
// and one for silence: when a Region goes, people hear it a few times and not from
// every resource, and what reddens later, in another kind, is heard of too. An alarm
// that is red already tells nobody of the next sign. A rule has room for a hundred
// alarms; beyond that it is a rule over rules.
func (s Site) composites(region plan.Region) []runbook.Item {
	signs := map[string][]string{}
	for _, w := range s.watches() {
		if w.region == region && !w.aside {
			signs[w.about] = append(signs[w.about], runbook.ItemID(metricAlarm, string(w.region), s.alarmName(w.name)))
		}
	}
	var out []runbook.Item
	for _, about := range slices.Sorted(maps.Keys(signs)) {
		// Volumes of one group share their alarms.
		out = append(out, s.page(region, about, slices.Compact(slices.Sorted(slices.Values(signs[about]))))...)
	}
	return out
}

// page is the alarm that tells people of a kind, after those that it is made of.
func (s Site) page(region plan.Region, about string, ids []string) []runbook.Item {
	var out []runbook.Item
	parts := split(ids)
	if len(parts) > 1 {
		ids = nil
		for i, part := range parts {
			item := s.composite(region, s.alarmName("page", about, strconv.Itoa(i+1)), about, part)
			out, ids = append(out, item), append(ids, item.ID())
		}
	}
	page := s.composite(region, s.alarmName("page", about), about, ids)
	page.Want["tells/ALARM"], page.Want["tells/OK"] = s.topicARN(region), s.topicARN(region)
	return append(out, page)
}

func (s Site) composite(region plan.Region, name, about string, ids []string) runbook.Item {
	return runbook.Item{
		Area: runbook.AreaMonitoring, Type: compositeAlarm, Name: name, Region: string(region), Needs: ids,
		Want: map[string]string{
			"rule": ruleOf(ids), "actions": "true", tagAtCreation: s.Plan.Application,
			"description": "A sign in " + string(region) + ", about " + about + ", that " + s.Plan.Application + " could not be recovered as its plan promises.",
		},
	}
}

// either joins the terms of a rule.
const either = " OR "

// ruleOf is true as long as one of the alarms is.
func ruleOf(ids []string) string {
	terms := make([]string, len(ids))
	for i, id := range ids {
		terms[i] = termOf(id)
	}
	return strings.Join(terms, either)
}

func termOf(id string) string { return `ALARM("` + id[strings.LastIndex(id, "/")+1:] + `")` }

// split cuts ids into parts that a rule has room for.
func split(ids []string) [][]string {
	var out [][]string
	length := 0
	for _, id := range ids {
		n, longer := len(out)-1, len(either)+len(termOf(id))
		if n < 0 || len(out[n]) == mostChildren || length+longer > longestRule {
			out = append(out, nil)
			n++
			length = -len(either)
		}
		length += longer
		out[n] = append(out[n], id)
	}
	return out
}

// eventRules send failures to the topic as AWS tells them. They come at best
// effort, so nothing decides by them: metrics and readings do (handbook 9.1).
func (s Site) eventRules(region plan.Region) []runbook.Item {
	var out []runbook.Item
	add := func(name string, pattern map[string]any) {
		out = append(out, runbook.Item{
			Area: runbook.AreaMonitoring, Type: eventRule, Name: short("lifeline-"+s.Plan.Application+"-"+name, longestRuleName), Region: string(region),
			Want: map[string]string{"pattern": runbook.Document(pattern), "state": "ENABLED", "target": s.topicARN(region), tagAtCreation: s.Plan.Application},
		})
	}
	if b := s.Plan.Backup; b != nil {
		add("backup-jobs", event("aws.backup", []string{"Backup Job State Change"}, map[string]any{"$or": failed(), "backupVaultName": []string{b.Vault}}))
		add("copy-jobs", event("aws.backup", []string{"Copy Job State Change"}, map[string]any{"$or": failed(), "sourceBackupVaultArn": []string{s.vaultARN(region)}}))
		add("restore-jobs", event("aws.backup", []string{"Restore Job State Change"}, map[string]any{"$or": failed()}))
	}
	if s.Plan.ElasticDR != nil {
		add("servers", event("aws.drs", []string{"DRS Source Server Data Replication Stalled Change", "DRS Source Server Launch Result"},
			map[string]any{"state": []string{"STALLED", "RECOVERY_LAUNCH_FAILED"}}))
	}
	if slices.ContainsFunc(s.Plan.Resources, func(r plan.Resource) bool { return r.Kind == plan.EBSVolume }) {
		add("snapshots", event("aws.ec2", []string{"EBS Snapshot Notification"}, map[string]any{"result": []string{"failed"}}))
		add("snapshot-policies", event("aws.dlm", []string{"DLM Policy State Change"}, map[string]any{"state": []string{"ERROR"}}))
	}
	return out
}

// longestRuleName is EventBridge's.
const longestRuleName = 64

func event(source string, kinds []string, detail map[string]any) map[string]any {
	return map[string]any{"source": []string{source}, "detail-type": kinds, "detail": detail}
}

// failed are the ends of a job that are none. Restore jobs call it status, the
// others state (handbook 9.1).
func failed() []any {
	ends := []string{"FAILED", "EXPIRED", "ABORTED", "PARTIAL"}
	return []any{map[string]any{"state": ends}, map[string]any{"status": ends}}
}
