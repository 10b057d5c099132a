package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Limits of AWS Backup (Developer Guide, "Quotas" and "Backup plan options").
const (
	mostRules     = 10
	leastStart    = time.Hour
	leastWarmDays = 8  // below, incremental backups lose their base
	coldExtraDays = 90 // cold storage is paid for at least this long
	mostDays      = 36500
	mostPITRDays  = 35
)

// backup checks the AWS Backup side of the plan, before the first call: AWS
// ignores some mistakes silently and finds others at night.
func (c *checker) backup() {
	b := c.plan.Backup
	if b == nil || c.isBroken("backup") {
		return
	}
	if c.plan.Setup == nil {
		c.errorf("backup", "add \"setup: {drift: repair, key: alias/NAME}\"", "backups need setup: its key encrypts the vaults")
	}
	c.shape("backup.vault", vaultName, b.Vault, "2 to 50 letters, digits, _ and -")
	c.shape("backup.role", roleName, b.Role, "an IAM role's name")
	if len(b.Rules) == 0 && b.Template == "" {
		c.errorf("backup.rules", "", "a backup plan without rules takes no backup")
	}
	if len(b.Rules) > mostRules {
		c.errorf("backup.rules", "", "%d rules: AWS Backup takes %d in a plan", len(b.Rules), mostRules)
	}
	for i, r := range b.Rules {
		c.rule(element("backup.rules", i), r)
	}
	for _, o := range Overlaps(b.Windows()) {
		c.errorf("backup.rules", "shorten the start window, or leave that day out of one schedule",
			"AWS Backup keeps one backup of the two: %s", o)
	}
	c.selection()
	c.lock()
}

func (c *checker) rule(at string, r BackupRule) {
	switch r.Intent {
	case IntentWeekly, IntentDaily, IntentTwiceDaily, IntentContinuous:
	case "differential", "incremental", "full":
		c.errorf(at+".intent", "one of: weekly-full, daily, twice-daily, continuous", "AWS decides what is full and what is incremental, and differential does not exist: name what the rule is for")
	default:
		oneOf(c, at+".intent", r.Intent, IntentWeekly, IntentDaily, IntentTwiceDaily, IntentContinuous)
	}
	if _, err := ParseCron(r.Schedule); err != nil {
		c.errorf(at+".schedule", "for example \"cron(0 2 ? * SUN *)\", UTC", "%v", err)
	}
	if r.Start.D() < leastStart {
		c.errorf(at+".startWindow", "60m is the shortest that AWS Backup takes; its default of 8h swallows other rules", "the start window is %s", brief(r.Start.D()))
	}
	if r.Complete.D() <= r.Start.D() {
		c.errorf(at+".completeWindow", "", "the backup must be complete (%s) after it may start (%s)", brief(r.Complete.D()), brief(r.Start.D()))
	}
	c.between(at+".retentionDays", r.Days, 1, mostDays, "days")
	c.between(at+".copyRetentionDays", r.CopyDays, 1, mostDays, "a backup that stays in its Region is lost with it")
	c.continuous(at, r)
	c.cold(at, r)
}

func (c *checker) continuous(at string, r BackupRule) {
	if r.Continuous != (r.Intent == IntentContinuous) {
		c.errorf(at+".intent", "the intent \"continuous\" and \"continuous: true\" go together", "the rule says %q and continuous %v", r.Intent, r.Continuous)
	}
	if !r.Continuous {
		return
	}
	if r.Days > mostPITRDays {
		c.errorf(at+".retentionDays", "", "continuous backups are kept 1 to %d days, not %d", mostPITRDays, r.Days)
	}
	if r.ColdDays > 0 {
		c.errorf(at+".coldAfterDays", "take it out", "continuous backups have no cold storage")
	}
	for i, res := range c.plan.Resources {
		relational := res.Kind == RDSInstance || res.Kind == AuroraGlobal
		if relational && res.Protect != nil && res.Protect.PITRDays > 0 && res.Protect.PITRDays != r.Days && c.plan.Backup.Select.Takes(res) {
			c.errorf(element("resources", i)+".protect.pitrDays", fmt.Sprintf("pitrDays: %d", r.Days),
				"AWS Backup keeps every second of %s for %d days by its continuous rule, and %d are wanted here: the two would undo each other", res.Name, r.Days, res.Protect.PITRDays)
		}
	}
}

// cold checks the move to cold storage.
func (c *checker) cold(at string, r BackupRule) {
	if r.ColdDays == 0 || r.Continuous {
		return
	}
	here := at + ".coldAfterDays"
	if r.ColdDays < leastWarmDays {
		c.errorf(here, "", "keep backups warm for %d days at least, not %d", leastWarmDays, r.ColdDays)
	}
	if r.Days < r.ColdDays+coldExtraDays {
		c.errorf(here, "raise retentionDays, or take coldAfterDays out", "what moves to cold storage after %d days is kept for %d at least, not %d", r.ColdDays, r.ColdDays+coldExtraDays, r.Days)
	}
	var never []string
	for _, kind := range c.selected() {
		if kind != "DynamoDB" && kind != "EBS" {
			never = append(never, kind)
		}
	}
	if len(never) > 0 {
		c.errorf(here, "give them rules of their own, without cold storage", "AWS Backup has no cold storage for %s, and says nothing when it is asked for", strings.Join(never, ", "))
	}
}

// selected are AWS Backup's types that the plan's selection names, sorted.
func (c *checker) selected() []string {
	kinds := map[string]bool{}
	for _, t := range c.plan.Backup.Select.Types {
		kinds[t] = true
	}
	for _, name := range c.plan.Backup.Select.Resources {
		if r, ok := c.plan.Resource(name); ok && BackupType(r.Kind) != "" {
			kinds[BackupType(r.Kind)] = true
		}
	}
	return slices.Sorted(maps.Keys(kinds))
}

func (c *checker) selection() {
	s := c.plan.Backup.Select
	if len(s.Resources)+len(s.Types)+len(s.Tags) == 0 {
		c.errorf("backup.select", "name resources, types or tags", "the backup plan selects nothing")
	}
	var names []string
	for _, r := range c.plan.Resources {
		names = append(names, r.Name)
	}
	for i, name := range s.Resources {
		at := element("backup.select.resources", i)
		r, known := c.plan.Resource(name)
		switch {
		case !known:
			c.errorf(at, didYouMean(name, names), "%q is no resource of this plan", name)
		case BackupType(r.Kind) == "":
			c.errorf(at, "take it out", "AWS Backup keeps nothing of kind %s", r.Kind)
		}
	}
	for i, t := range s.Types {
		oneOf(c, element("backup.select.types", i), t, "RDS", "Aurora", "EBS", "EC2", "DynamoDB", "S3")
	}
	for _, r := range c.plan.Resources {
		if r.Kind == S3Bucket && r.Protect != nil && r.Protect.ArchiveAfterDays > 0 && s.Takes(r) && r.Protect.Archive != "GLACIER_IR" {
			c.warnf("backup.select", "", "AWS Backup leaves out the objects of %s that are in Glacier", r.Name)
		}
	}
}

// lock checks the vault lock against every rule: a lock that a rule does not
// fit makes its backup and copy jobs fail, every night.
func (c *checker) lock() {
	l := c.plan.Backup.Lock
	if l == nil {
		c.warnf("backup", "add \"lock: {mode: governance, ...}\"", "the vaults are not locked: whoever steals a role can delete the backups")
		return
	}
	at := "backup.lock"
	if oneOf(c, at+".mode", l.Mode, "governance", "compliance") {
		switch {
		case l.Mode == "compliance" && l.CoolingOffDays < 3:
			c.errorf(at, "coolingOffDays: 3", "a compliance lock can be taken back for 3 days at least before nobody can, not %d", l.CoolingOffDays)
		case l.Mode == "governance" && l.CoolingOffDays != 0:
			c.errorf(at+".coolingOffDays", "take it out", "a governance lock has no cooling-off: whoever may can always lift it")
		}
		if l.Mode == "compliance" && c.plan.Approvals.Quorum < 2 {
			c.errorf(at+".mode", "approvals.quorum: 2", "a compliance lock is for ever: two people must allow it, and the quorum is %d", c.plan.Approvals.Quorum)
		}
	}
	if l.MinDays < 1 || l.MaxDays < l.MinDays {
		c.errorf(at, "", "retention from %d to %d days is no span", l.MinDays, l.MaxDays)
		return
	}
	for i, r := range c.plan.Backup.Rules {
		for _, kept := range []struct {
			key  string
			days int
		}{{"retentionDays", r.Days}, {"copyRetentionDays", r.CopyDays}} {
			if kept.days < l.MinDays || kept.days > l.MaxDays {
				c.errorf(join(element("backup.rules", i), kept.key), "widen the lock, or change the rule: the lock can only be tightened later",
					"%d days do not fit the vault lock (%d to %d): every job of this rule would fail", kept.days, l.MinDays, l.MaxDays)
			}
		}
	}
}
