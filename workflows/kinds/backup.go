package kinds

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strconv"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area.
const (
	backupSettings      = "backup-region-settings"
	backupVault         = "backup-vault"
	backupNotifications = "backup-vault-notifications"
	backupLock          = "backup-vault-lock"
	backupPlan          = "backup-plan"
	backupSelection     = "backup-selection"
)

// Properties of a vault lock that decisions hang on.
const (
	lockMode   = "mode"
	compliance = "compliance"
)

// backups is the AWS Backup side: what is allowed, where points go, when they are
// made and of what. The plan itself runs in the primary Region; its copies go to
// the recovery Region, where they count.
func backups(s Site) []runbook.Item {
	b := s.Plan.Backup
	if b == nil {
		return nil
	}
	out := []runbook.Item{s.backupRole()}
	for _, region := range s.Plan.TrafficRegions() {
		if settings, needed := s.backupSettings(region); needed {
			out = append(out, settings)
		}
		out = append(out, runbook.Item{
			Area: runbook.AreaBackup, Type: backupVault, Name: b.Vault, Region: string(region),
			// AWS's own key would do for the vault, and every copy of a volume, an
			// instance or a database into it would fail (domain handbook 3.2).
			Want: map[string]string{"key": s.keyARN(region), tagAtCreation: s.Plan.Application},
		})
		if s.Plan.Monitoring != nil {
			out = append(out, s.vaultNotifications(region))
		}
		if b.Lock != nil {
			out = append(out, s.vaultLock(region))
		}
	}
	out = append(out, s.backupPlan())
	return append(out, s.selections()...)
}

// Irrevocable are the items that nobody can take back once they are made and
// their cooling-off time has passed: people have to approve them first.
func Irrevocable(items []runbook.Item) []runbook.Item {
	var out []runbook.Item
	for _, item := range items {
		if item.Type == backupLock && item.Want[lockMode] == compliance {
			out = append(out, item)
		}
	}
	return out
}

// backupTypes are AWS Backup's names of what a plan backs up, sorted. A selection
// by tag may find any kind that the plan knows.
func (s Site) backupTypes() []string {
	b := s.Plan.Backup
	needed := map[string]bool{}
	for _, name := range b.Select.Types {
		needed[name] = true
	}
	for _, r := range s.Plan.Resources {
		kind := plan.BackupType(r.Kind)
		if kind != "" && (s.backedUp(r) || len(b.Select.Tags) > 0) {
			needed[kind] = true
		}
	}
	return slices.Sorted(maps.Keys(needed))
}

// backupSettings opts in to what the plan needs, and to nothing else: the
// settings are the account's, and others live by them too.
func (s Site) backupSettings(region plan.Region) (runbook.Item, bool) {
	want := map[string]string{}
	for _, kind := range s.backupTypes() {
		want["opt-in/"+kind] = "true"
		if kind == "DynamoDB" {
			// Without advanced features tables are neither copied nor put into the
			// vault's own encryption.
			want["advanced/"+kind] = "true"
		}
	}
	return runbook.Item{Area: runbook.AreaBackup, Type: backupSettings, Name: "account", Region: string(region), Want: want}, len(want) > 0
}

// vaultNotifications tell the alarm topic what a job's state alone would hide. It
// belongs to monitoring, since the topic must be there first.
func (s Site) vaultNotifications(region plan.Region) runbook.Item {
	topic := s.Plan.Monitoring.Topic
	return runbook.Item{
		Area: runbook.AreaMonitoring, Type: backupNotifications, Name: s.Plan.Backup.Vault, Region: string(region),
		Want: map[string]string{
			"topic": s.arn("sns", region, topic),
			"events": runbook.List("BACKUP_JOB_COMPLETED", "COPY_JOB_FAILED", "RESTORE_JOB_COMPLETED",
				"CONTINUOUS_BACKUP_INTERRUPTED", "S3_BACKUP_OBJECT_FAILED", "S3_RESTORE_OBJECT_FAILED"),
		},
		Needs: []string{s.vaultID(region), runbook.ItemID("sns-topic", string(region), topic)},
	}
}

// vaultLock comes after the rules: a lock that a rule's retention does not fit
// makes every job of it fail.
func (s Site) vaultLock(region plan.Region) runbook.Item {
	l := s.Plan.Backup.Lock
	item := runbook.Item{
		Area: runbook.AreaBackup, Type: backupLock, Name: s.Plan.Backup.Vault, Region: string(region),
		Want:  map[string]string{lockMode: l.Mode, "min-days": strconv.Itoa(l.MinDays), "max-days": strconv.Itoa(l.MaxDays)},
		Needs: []string{s.vaultID(region), s.backupPlanID()},
	}
	if l.Mode == compliance {
		item.Want[runbook.AtCreation+"cooling-off-days"] = strconv.Itoa(l.CoolingOffDays)
		item.Why = fmt.Sprintf("%d days after it is made nobody can take the lock back or delete a recovery point before its time, not even the account's root or AWS", l.CoolingOffDays)
	}
	return item
}

func (s Site) vaultID(region plan.Region) string {
	return runbook.ItemID(backupVault, string(region), s.Plan.Backup.Vault)
}

func (s Site) backupPlanID() string {
	return runbook.ItemID(backupPlan, string(s.Plan.Primary()), s.backupPlanName())
}

// backupPlanName is at most 50 characters long for AWS. It bears our name, since a
// plan of the bare application's name may be somebody else's.
func (s Site) backupPlanName() string { return short("lifeline-"+s.Plan.Application, 50) }

// backupPlan is the plan with its rules.
func (s Site) backupPlan() runbook.Item {
	b, home := s.Plan.Backup, s.Plan.Primary()
	want := map[string]string{"rules": runbook.Document(s.backupRules()), tagAtCreation: s.Plan.Application}
	if b.Template != "" {
		want["template"] = runbook.Document(s.backupTemplate())
	}
	item := runbook.Item{Area: runbook.AreaBackup, Type: backupPlan, Name: s.backupPlanName(), Region: string(home), Want: want}
	for _, region := range s.Plan.TrafficRegions() {
		item.Needs = append(item.Needs, s.vaultID(region))
	}
	return item
}

// backupRules are the plan's rules as AWS names their parts.
func (s Site) backupRules() []any {
	seen := map[string]int{}
	rules := []any{}
	for _, r := range s.Plan.Backup.Rules {
		seen[r.Intent]++
		name := r.Intent
		if n := seen[r.Intent]; n > 1 {
			name += "-" + strconv.Itoa(n)
		}
		rules = append(rules, s.backupRule(name, r))
	}
	return rules
}

func (s Site) backupRule(name string, r plan.BackupRule) map[string]any {
	lifecycle := map[string]any{"DeleteAfterDays": r.Days}
	if r.ColdDays > 0 {
		lifecycle["MoveToColdStorageAfterDays"] = r.ColdDays
	}
	rule := map[string]any{
		"RuleName": name, "TargetBackupVaultName": s.Plan.Backup.Vault,
		"ScheduleExpression": r.Schedule, "ScheduleExpressionTimezone": "Etc/UTC",
		"StartWindowMinutes": int(r.Start.D().Minutes()), "CompletionWindowMinutes": int(r.Complete.D().Minutes()),
		"Lifecycle": lifecycle, "EnableContinuousBackup": r.Continuous,
		// AWS knows no full, incremental or differential backups: the tag says what
		// people meant.
		"RecoveryPointTags": map[string]any{"dr:intent": r.Intent, "lifeline:application": s.Plan.Application},
	}
	if to := s.recovery(); to != "" {
		rule["CopyActions"] = []any{map[string]any{
			"DestinationBackupVaultArn": s.vaultARN(to), "Lifecycle": map[string]any{"DeleteAfterDays": r.CopyDays},
		}}
	}
	return rule
}

// backupTemplate is what the keeper needs to bring the rules of one of AWS's
// templates into this plan: AWS writes them for its default vault, without a copy.
func (s Site) backupTemplate() map[string]any {
	b := s.Plan.Backup
	out := map[string]any{"name": b.Template, "vault": b.Vault, "tags": map[string]any{"dr:intent": "template", "lifeline:application": s.Plan.Application}}
	if to := s.recovery(); to != "" {
		out["copyTo"] = s.vaultARN(to)
	}
	if b.Lock != nil {
		out["minDays"], out["maxDays"] = b.Lock.MinDays, b.Lock.MaxDays
	}
	return out
}

func (s Site) vaultARN(region plan.Region) string {
	return s.arn("backup", region, "backup-vault:"+s.Plan.Backup.Vault)
}

// short keeps a name within AWS's limit. What is cut off leaves its checksum, so
// that two long names stay two.
func short(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	sum := fmt.Sprintf("-%08x", crc32.ChecksumIEEE([]byte(name)))
	return name[:limit-len(sum)] + sum
}

// backupARN is how AWS Backup finds a resource in the primary Region; empty for
// what it doesn't back up.
func (s Site) backupARN(r plan.Resource) string {
	home := s.Plan.Primary()
	id := r.Regions[home]
	switch r.Kind {
	case plan.DynamoDBTable:
		return s.arn("dynamodb", home, "table/"+id["table"])
	case plan.AuroraGlobal:
		return s.arn("rds", home, "cluster:"+id["cluster"])
	case plan.RDSInstance:
		return s.arn("rds", home, "db:"+id["instance"])
	case plan.S3Bucket:
		return "arn:aws:s3:::" + id["bucket"]
	case plan.EBSVolume:
		return s.arn("ec2", home, "volume/"+id["volume"])
	case plan.Service, plan.DRSServer:
	}
	return ""
}

// backedUp says whether a resource is selected by name. A volume is snapshotted
// by AWS Backup or by Data Lifecycle Manager, never by both.
func (s Site) backedUp(r plan.Resource) bool {
	switch by := snapshotsBy(r); by {
	case byDLM:
		return false
	case byBackup:
		return true
	default:
		return slices.Contains(s.Plan.Backup.Select.Resources, r.Name)
	}
}

// selections say what is backed up. AWS lets nobody change one, so there is one
// for each resource: what is added to the plan is a selection more. The others'
// names have a dot, which no resource's has.
func (s Site) selections() []runbook.Item {
	var out []runbook.Item
	sel := s.Plan.Backup.Select
	for _, r := range s.Plan.Resources {
		if arn := s.backupARN(r); arn != "" && s.backedUp(r) {
			item := s.selection(r.Name, map[string]string{"resources": arn})
			item.Resource = r.Name
			out = append(out, item)
		}
	}
	for _, kind := range sel.Types {
		want := map[string]string{"resources": wildcard(kind)}
		if kind == "EBS" {
			want["conditions"] = runbook.Document(s.conditions(nil))
		}
		out = append(out, s.selection("type."+kind, want))
	}
	if len(sel.Tags) > 0 {
		out = append(out, s.selection("tags.all", map[string]string{"resources": "*", "conditions": runbook.Document(s.conditions(sel.Tags))}))
	}
	if _, needed := s.backupSettings(s.Plan.Primary()); needed {
		for i := range out {
			out[i].Needs = []string{runbook.ItemID(backupSettings, string(s.Plan.Primary()), "account")}
		}
	}
	return out
}

func (s Site) selection(name string, want map[string]string) runbook.Item {
	b, home := s.Plan.Backup, string(s.Plan.Primary())
	want["plan"] = runbook.Ref(backupPlan, home, s.backupPlanName(), "id")
	want["role"] = roleARN(b.Role)
	return runbook.Item{Area: runbook.AreaBackup, Type: backupSelection, Name: short(name, 50), Region: home, Want: want}
}

// conditions want all tags at once, and leave out the volumes that Data Lifecycle
// Manager snapshots.
func (s Site) conditions(tags map[string]string) map[string]any {
	const key = "aws:ResourceTag/"
	out := map[string]any{}
	var equal []any
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		equal = append(equal, map[string]any{"ConditionKey": key + name, "ConditionValue": tags[name]})
	}
	if len(equal) > 0 {
		out["StringEquals"] = equal
	}
	out["StringNotLike"] = []any{map[string]any{"ConditionKey": key + snapshotTag, "ConditionValue": "*"}}
	return out
}

// wildcard is every resource of a type, as AWS Backup's guide writes it.
func wildcard(kind string) string {
	switch kind {
	case "RDS":
		return "arn:aws:rds:*:*:db:*"
	case "Aurora":
		return "arn:aws:rds:*:*:cluster:*"
	case "EBS":
		return "arn:aws:ec2:*:*:volume/*"
	case "EC2":
		return "arn:aws:ec2:*:*:instance/*"
	case "DynamoDB":
		return "arn:aws:dynamodb:*:*:table/*"
	case "S3":
		return "arn:aws:s3:::*"
	}
	return ""
}

// Who snapshots a volume.
const (
	byBackup = "backup"
	byDLM    = "dlm"
)

func snapshotsBy(r plan.Resource) string {
	if r.Kind != plan.EBSVolume || r.Protect == nil || r.Protect.Snapshots == nil {
		return ""
	}
	return cmp.Or(r.Protect.Snapshots.By, byBackup)
}
