package kinds

import (
	"cmp"
	"math"
	"strconv"
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// watch is one alarm: a metric, in the Region that publishes it, and what is too
// much or too little of it.
type watch struct {
	name      string // after the application's: "records-replication-latency"
	resource  string
	region    plan.Region
	about     string // what its page is about: the resource's kind, "backup" or "silence"
	says      string // what it means, for the one who is woken
	namespace string
	metric    string
	of        map[string]string // dimensions
	statistic string
	every     time.Duration // period
	times     int           // periods in a row
	compare   string
	threshold float64
	missing   string // what no data means
	// silent tells people when the data ends: what publishes it does so always, so
	// its silence is a sign of its own. An alarm whose missing data is breaching
	// needs it for the moments in which CloudWatch itself has none.
	silent bool
	aside  bool // for those who look; it pages nobody
	needs  []string
}

// watcher is what a kind has alarms for.
type watcher interface {
	watches(s Site, r plan.Resource) []watch
}

// Comparisons and meanings of missing data, as CloudWatch calls them.
const (
	isAbove        = "GreaterThanThreshold"
	isBelow        = "LessThanThreshold"
	missingUnknown = "missing"
	missingFine    = "notBreaching"
	missingAlarms  = "breaching"
	statMaximum    = "Maximum"
	statMinimum    = "Minimum"
	statSum        = "Sum"
	milliseconds   = float64(time.Millisecond)
	silence        = "silence" // what a page about it is called
)

// watches are all alarms of a plan.
func (s Site) watches() []watch {
	out := about("backup", s.backupWatches())
	for _, r := range s.Plan.Resources {
		kind, _ := For(r.Kind)
		if w, ok := kind.(watcher); ok {
			out = append(out, about(string(r.Kind), w.watches(s, r))...)
		}
	}
	return out
}

// about says what the page of alarms is about, unless they say so themselves.
func about(what string, watches []watch) []watch {
	for i := range watches {
		watches[i].about = cmp.Or(watches[i].about, what)
	}
	return watches
}

func (s Site) alarms(watches []watch) []runbook.Item {
	out := make([]runbook.Item, len(watches))
	for i, w := range watches {
		out[i] = s.alarm(w)
	}
	return out
}

// alarm is the item of one alarm. It tells nobody by itself that it is in ALARM:
// the page of its Region does, once for all of them.
func (s Site) alarm(w watch) runbook.Item {
	item := runbook.Item{
		Area: runbook.AreaMonitoring, Type: metricAlarm, Name: s.alarmName(w.name), Region: string(w.region), Resource: w.resource, Needs: w.needs,
		Want: map[string]string{
			"namespace": w.namespace, "metric": w.metric, "dimensions": runbook.Document(w.of), "statistic": w.statistic,
			"period": seconds(plan.Duration(w.every)), "periods": strconv.Itoa(w.times), "datapoints": strconv.Itoa(w.times),
			"comparison": w.compare, "threshold": strconv.FormatFloat(w.threshold, 'f', -1, 64), "missing": w.missing,
			"actions": "true", "description": w.says, tagAtCreation: s.Plan.Application,
		},
	}
	if w.silent {
		item.Want["tells/INSUFFICIENT_DATA"] = s.topicARN(w.region)
	}
	return item
}

// inARow is for how many minutes something has to last before it is a sign: as
// many as the objective leaves, since an alarm that waits longer is late. Five
// minutes are enough for anything.
func inARow(objective plan.Duration) int {
	const most = 5
	return min(max(1, int(objective.D()/time.Minute)), most)
}

// spanning gives periods that together are as long as d. CloudWatch looks back
// over a day at most, or over seven with periods of an hour.
func spanning(d time.Duration) (every time.Duration, times int) {
	const day, week = 24 * time.Hour, 7 * 24 * time.Hour
	switch {
	case d <= time.Hour:
		every = time.Minute
	case d <= day:
		every = 5 * time.Minute
	default:
		every = time.Hour
	}
	return every, int(math.Ceil(float64(min(max(d, every), week)) / float64(every)))
}

// backupWatches watch AWS Backup: what failed, and what did not happen at all.
// Its metrics are published only when they aren't zero, so a plan that backs
// nothing up any more looks like one without failures (handbook 9.1).
func (s Site) backupWatches() []watch {
	if s.Plan.Backup == nil {
		return nil
	}
	home := s.Plan.Primary()
	out := []watch{
		s.jobs(home, "backups-failed", "NumberOfBackupJobsFailed", "A backup failed."),
		s.jobs(home, "backups-expired", "NumberOfBackupJobsExpired", "A backup did not begin within its start window."),
		s.jobs(home, "backups-partial", "NumberOfBackupJobsPartial", "A backup is incomplete: for recovery that is a failure."),
		s.jobs(home, "copies-failed", "NumberOfCopyJobsFailed", "A copy into the other Region failed."),
		s.silence(home, "backups-silent", "NumberOfBackupJobsCompleted", "No backup was completed"),
	}
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, s.jobs(region, "restores-failed", "NumberOfRestoreJobsFailed", "A restore failed."))
	}
	if away := s.recovery(); away != "" {
		out = append(out, s.silence(away, "copies-silent", "NumberOfRecoveryPointsCompleted", "No recovery point arrived"))
	}
	return out
}

// jobs counts jobs that ended badly. AWS Backup publishes every five minutes.
func (s Site) jobs(region plan.Region, name, metric, says string) watch {
	return watch{
		name: name, region: region, says: says, namespace: "AWS/Backup", metric: metric, of: s.ofVault(),
		statistic: statSum, every: 5 * time.Minute, times: 1, compare: isAbove, missing: missingFine,
	}
}

// silence is the absence of what should happen. Where it has never happened yet, the
// alarm says so from its first minute: nothing could be recovered until it does.
func (s Site) silence(region plan.Region, name, metric, says string) watch {
	d := s.Plan.Monitoring.Silence
	return watch{
		name: name, region: region, about: silence, says: says + " for " + d.String() + ".", namespace: "AWS/Backup", metric: metric, of: s.ofVault(),
		statistic: statSum, every: time.Hour, times: hours(d.D()), compare: isBelow, threshold: 1, missing: missingAlarms, silent: true,
	}
}

// hours are counted up, and no more than CloudWatch looks back over.
func hours(d time.Duration) int {
	const most = 7 * 24
	return min(max(1, int(math.Ceil(d.Hours()))), most)
}

func (s Site) ofVault() map[string]string {
	return map[string]string{"BackupVaultName": s.Plan.Backup.Vault}
}

// lag is a replication that is further behind than the resource may lose.
func lag(s Site, r plan.Resource, region plan.Region, w watch) watch {
	rpo := s.Plan.ObjectivesOf(r).RPO
	w.resource, w.region, w.says = r.Name, region, w.says+" more than "+rpo.String()+" behind: more would be lost than the plan allows."
	w.every, w.times, w.compare = time.Minute, inARow(rpo), isAbove
	if w.missing == "" {
		w.missing = missingUnknown
	}
	return w
}

// Alarms watch the replicas of a table, in each Region for what it sends.
func (k table) Alarms(s Site, r plan.Resource) []runbook.Item { return s.alarms(k.watches(s, r)) }

// A table of strong consistency has no latency: nothing is ever behind. Others
// are never without data, since Lifeline's watermarks are written all the time.
func (table) watches(s Site, r plan.Resource) []watch {
	if protectOf(r).Consistency == "strong" {
		return nil
	}
	var out []watch
	for _, from := range s.Plan.TrafficRegions() {
		to := s.across(from)
		if to == "" {
			continue
		}
		out = append(out, lag(s, r, from, watch{
			name: r.Name + "-replication-latency", says: "Replicas of " + r.Name + " in " + string(to) + " are",
			namespace: "AWS/DynamoDB", metric: "ReplicationLatency", statistic: "Average",
			of:        map[string]string{"TableName": r.Regions[from]["table"], "ReceivingRegion": string(to)},
			threshold: float64(s.Plan.ObjectivesOf(r).RPO.D()) / milliseconds, silent: true,
		}))
	}
	return out
}

// Alarms watch the lag of the secondary.
func (k aurora) Alarms(s Site, r plan.Resource) []runbook.Item { return s.alarms(k.watches(s, r)) }

// Only a secondary publishes its lag, and which one that is changes with every
// failover: there is an alarm in both Regions, and the one of the writer is
// without data, which is no news. Readiness looks whether there is a secondary.
func (aurora) watches(s Site, r plan.Resource) []watch {
	var out []watch
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, lag(s, r, region, watch{
			name: r.Name + "-replication-lag", says: "The Aurora cluster of " + r.Name + " in " + string(region) + " is",
			namespace: "AWS/RDS", metric: "AuroraGlobalDBRPOLag", statistic: statMaximum,
			of:        map[string]string{"DBClusterIdentifier": rdsName(r.Regions[region]["cluster"])},
			threshold: float64(s.Plan.ObjectivesOf(r).RPO.D()) / milliseconds,
		}))
	}
	return out
}

// Alarms watch the read replica.
func (k instance) Alarms(s Site, r plan.Resource) []runbook.Item { return s.alarms(k.watches(s, r)) }

// A replica that does not replicate any more says -1, which is not "in time". As
// with Aurora, either instance may be the replica.
func (instance) watches(s Site, r plan.Resource) []watch {
	if !protectOf(r).ReadReplica {
		return nil
	}
	var out []watch
	for _, region := range s.Plan.TrafficRegions() {
		of := map[string]string{"DBInstanceIdentifier": rdsName(r.Regions[region]["instance"])}
		late := lag(s, r, region, watch{
			name: r.Name + "-replica-lag", says: "The replica of " + r.Name + " in " + string(region) + " is",
			namespace: "AWS/RDS", metric: "ReplicaLag", statistic: statMaximum, of: of, threshold: s.Plan.ObjectivesOf(r).RPO.D().Seconds(),
		})
		stopped := late
		stopped.name, stopped.compare, stopped.threshold, stopped.statistic = r.Name+"-replica-stopped", isBelow, 0, statMinimum
		stopped.says = "The replica of " + r.Name + " in " + string(region) + " replicates no more."
		out = append(out, late, stopped)
	}
	return out
}

// Alarms watch each direction of a bucket's replication.
func (k bucket) Alarms(s Site, r plan.Resource) []runbook.Item { return s.alarms(k.watches(s, r)) }

// S3 publishes what is behind and what is pending in the Region of the
// destination, and what failed in that of the source (S3 User Guide, replication
// metrics). Of a busy bucket something is always pending, so that pages nobody.
func (bucket) watches(s Site, r plan.Resource) []watch {
	var out []watch
	rpo := s.Plan.ObjectivesOf(r).RPO
	for _, w := range s.ways(r) {
		from, to := r.Regions[w.from]["bucket"], r.Regions[w.to]["bucket"]
		of := map[string]string{"SourceBucket": from, "DestinationBucket": to, "RuleId": runbook.Ref(s3Replication, string(w.from), from, "rule")}
		late := lag(s, r, w.to, watch{
			name: r.Name + "-replication-latency", says: "Objects of " + r.Name + " from " + string(w.from) + " are",
			namespace: "AWS/S3", metric: "ReplicationLatency", statistic: statMaximum, of: of, threshold: rpo.D().Seconds(), silent: true,
		})
		pending := late
		pending.name, pending.metric, pending.statistic = r.Name+"-replication-pending", "OperationsPendingReplication", statMinimum
		pending.threshold, pending.silent, pending.aside = 0, false, true
		pending.says = "Objects of " + r.Name + " from " + string(w.from) + " were pending at every look of " + rpo.String() + "."
		pending.every, pending.times = spanning(rpo.D())
		failure := late
		failure.name, failure.metric, failure.statistic, failure.region = r.Name+"-replication-failed", "OperationsFailedReplication", statSum, w.from
		failure.threshold, failure.silent, failure.missing, failure.every, failure.times = 0, false, missingFine, 5*time.Minute, 1
		failure.says = "An object of " + r.Name + " could not be replicated to " + string(w.to) + ", and nothing tries again: copy it by S3 Batch Replication."
		out = append(out, late, pending, failure)
	}
	return out
}

// Alarms watch the load balancer and its targets.
func (k service) Alarms(s Site, r plan.Resource) []runbook.Item {
	out := s.alarms(k.watches(s, r))
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, runbook.Item{
			Area: runbook.AreaMonitoring, Type: targetGroup, Name: r.Regions[region]["targetGroup"], Region: string(region), Resource: r.Name,
			Given: true, Why: "the target group is made with the application's compute (in the recovery Region by the plan's recovery stack, if it has one): alarms watch what is there",
		})
	}
	return out
}

// A minute of errors is a sign as soon as the objective leaves no more time.
func (service) watches(s Site, r plan.Resource) []watch {
	var out []watch
	rto := s.Plan.ObjectivesOf(r).RTO
	for _, region := range s.Plan.TrafficRegions() {
		group := r.Regions[region]["targetGroup"]
		of := func(dimension string) string { return runbook.Ref(targetGroup, string(region), group, dimension) }
		errors := watch{
			name: r.Name + "-errors", resource: r.Name, region: region, says: "The load balancer of " + r.Name + " in " + string(region) + " answers with errors of its own.",
			namespace: "AWS/ApplicationELB", metric: "HTTPCode_ELB_5XX_Count", of: map[string]string{"LoadBalancer": of("load-balancer")},
			statistic: statSum, every: time.Minute, times: inARow(rto), compare: isAbove, missing: missingFine,
		}
		sick := errors
		sick.name, sick.metric, sick.statistic = r.Name+"-unhealthy", "UnHealthyHostCount", statMaximum
		sick.of = map[string]string{"LoadBalancer": of("load-balancer"), "TargetGroup": of("dimension")}
		sick.says, sick.missing, sick.silent = "Targets of "+r.Name+" in "+string(region)+" are unhealthy.", missingUnknown, true
		out = append(out, errors, sick)
	}
	return out
}

// Alarms watch a server's replication.
func (k server) Alarms(s Site, r plan.Resource) []runbook.Item { return s.alarms(k.watches(s, r)) }

// A server that has never been launched is one whose recovery nobody has seen.
func (server) watches(s Site, r plan.Resource) []watch {
	var out []watch
	rpo := s.Plan.ObjectivesOf(r).RPO
	for _, region := range s.Plan.TrafficRegions() {
		id := r.Regions[region]["sourceServer"]
		if id == "" {
			continue
		}
		late := lag(s, r, region, watch{
			name: r.Name + "-lag", says: "The newest point of " + r.Name + " in " + string(region) + " is",
			namespace: "AWS/DRS", metric: "LagDuration", statistic: statMaximum, of: map[string]string{"SourceServerID": id},
			threshold: rpo.D().Seconds(), silent: true,
		})
		backlog := late
		backlog.name, backlog.metric, backlog.statistic, backlog.threshold, backlog.silent = r.Name+"-backlog", "Backlog", statMinimum, 0, false
		backlog.every, backlog.times = spanning(rpo.D())
		backlog.says = "Data of " + r.Name + " waited to be replicated at every look of " + rpo.String() + "."
		out = append(out, late, backlog)
		if proof := s.Plan.Readiness; proof != nil {
			old := late
			old.name, old.metric, old.threshold, old.silent = r.Name+"-unproven", "DurationSinceLastSuccessfulRecoveryLaunch", proof.DrillAge.D().Seconds(), false
			old.says, old.every, old.times = "No launch of "+r.Name+" has succeeded for "+proof.DrillAge.String()+": drill it.", time.Hour, 1
			out = append(out, old)
		}
	}
	return out
}

// Alarms watch the snapshots of a volume.
func (k volume) Alarms(s Site, r plan.Resource) []runbook.Item { return s.alarms(k.watches(s, r)) }

// The alarms are those of the volume's group, which has one policy: volumes that
// share it share them. A policy runs once a day, and begins within the hour.
func (volume) watches(s Site, r plan.Resource) []watch {
	if snapshotsBy(r) != byDLM {
		return nil
	}
	const slowest = 26 * time.Hour
	var out []watch
	group := s.snapshotGroup(*r.Protect.Snapshots)
	for _, region := range s.Plan.TrafficRegions() {
		if r.Regions[region]["volume"] == "" {
			continue
		}
		made := watch{
			name: "snapshots-failed-" + group, region: region, says: "A snapshot of the group " + group + " failed.",
			namespace: "AWS/EBS", metric: "SnapshotsCreateFailed", of: map[string]string{"DLMPolicyId": runbook.Ref(dlmPolicy, string(region), group, "id")},
			statistic: statSum, every: 5 * time.Minute, times: 1, compare: isAbove, missing: missingFine,
		}
		copied := made
		copied.name, copied.metric, copied.says = "snapshot-copies-failed-"+group, "SnapshotsCopiedRegionFailed", "A snapshot of the group "+group+" was not copied into the other Region."
		quiet := max(s.Plan.Monitoring.Silence.D(), slowest)
		silent := made
		silent.name, silent.about, silent.metric, silent.says = "snapshots-silent-"+group, silence, "SnapshotsCreateCompleted", "No snapshot of the group "+group+" was made for "+quiet.String()+"."
		silent.every, silent.times, silent.compare, silent.threshold, silent.missing, silent.silent = time.Hour, hours(quiet), isBelow, 1, missingAlarms, true
		out = append(out, made, copied, silent)
	}
	return out
}
