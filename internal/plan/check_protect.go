package plan

import (
	"slices"
	"time"
)

// quickest is the slowest recovery that a Glacier restore can be a part of: bulk
// and standard retrievals take hours (S3 User Guide, "Restoring an archived
// object").
const quickest = 12 * time.Hour

// protect checks what setup is to keep for one resource.
func (c *checker) protect(at string, r Resource) {
	p := r.Protect
	at += ".protect"
	if p == nil {
		if r.Kind == EBSVolume {
			c.errorf(parent(at), "protect: {snapshots: {by: backup}}", "%s is kept by snapshots alone, and the plan takes none of it", r.Name)
		}
		return
	}
	c.known(at, r)
	if p.PITRDays != 0 {
		c.between(at+".pitrDays", p.PITRDays, 1, 35, "AWS keeps every second for 35 days at most")
	}
	c.consistency(at, r)
	c.instance(at, r)
	c.bucket(at, r)
	c.volume(at, r)
	c.launch(at, r)
}

// known refuses what the kind doesn't have.
func (c *checker) known(at string, r Resource) {
	p := r.Protect
	for _, f := range []struct {
		key   string
		given bool
		kinds []Kind
	}{
		{"pitrDays", p.PITRDays != 0, []Kind{DynamoDBTable, AuroraGlobal, RDSInstance}},
		{"consistency", p.Consistency != "", []Kind{DynamoDBTable}},
		{"multiAZ", p.MultiAZ, []Kind{RDSInstance}},
		{"readReplica", p.ReadReplica, []Kind{RDSInstance}},
		{"automatedBackups", p.AutomatedBackups, []Kind{RDSInstance}},
		{"optionGroup", p.OptionGroup != "", []Kind{RDSInstance}},
		{"replication", p.Replication != nil, []Kind{S3Bucket}},
		{"archiveAfterDays", p.ArchiveAfterDays != 0, []Kind{S3Bucket}},
		{"archive", p.Archive != "", []Kind{S3Bucket}},
		{"snapshots", p.Snapshots != nil, []Kind{EBSVolume}},
		{"launch", p.Launch != nil, []Kind{DRSServer}},
	} {
		if f.given && !slices.Contains(f.kinds, r.Kind) {
			c.errorf(join(at, f.key), "take it out", "kind %s has no %s", r.Kind, f.key)
		}
	}
}

func (c *checker) between(path string, value, least, most int, hint string) {
	if value < least || value > most {
		c.errorf(path, hint, "%s must be %d to %d, but is %d", path, least, most, value)
	}
}

func (c *checker) consistency(at string, r Resource) {
	if r.Protect.Consistency == "" || !oneOf(c, at+".consistency", r.Protect.Consistency, "eventual", "strong") {
		return
	}
	if r.Protect.Consistency == "strong" && c.regionsRead() && len(c.plan.Regions) != 3 {
		c.errorf(at+".consistency", "two Regions that serve and one with \"role: witness\"",
			"a table with strong consistency lives in exactly three Regions, and the plan has %d", len(c.plan.Regions))
	}
}

func (c *checker) instance(at string, r Resource) {
	p := r.Protect
	if r.Kind != RDSInstance {
		return
	}
	if !p.ReadReplica && !p.AutomatedBackups {
		why := "nothing of %s is kept in another Region"
		if p.MultiAZ {
			why = "Multi-AZ protects %s against the loss of a zone, not of a Region"
		}
		c.errorf(at, "add \"readReplica: true\" or \"automatedBackups: true\"", why, r.Name)
	}
	if p.AutomatedBackups && p.PITRDays == 0 {
		c.errorf(at, "add \"pitrDays: 30\"", "automated backups of %s are to be replicated, but none are kept", r.Name)
	}
	if p.OptionGroup != "" {
		c.shape(at+".optionGroup", optionGroup, p.OptionGroup, "an option group's name")
	}
}

// bucket checks replication and archive of a pair of buckets.
func (c *checker) bucket(at string, r Resource) {
	p := r.Protect
	if rep := p.Replication; rep != nil {
		here := at + ".replication"
		if oneOf(c, here+".direction", rep.Direction, "both", "one-way") && rep.Direction == "one-way" && c.plan.Strategy == ActiveActive {
			c.errorf(here+".direction", "\"both\"", "one-way replication in active/active: what clients of the other Region write is never copied")
		}
		if !rep.Existing {
			c.warnf(here, "add \"existing: true\": setup then copies them once", "replication leaves out the objects that were there before its rule")
		}
	}
	if p.Archive != "" && p.ArchiveAfterDays == 0 {
		c.errorf(at+".archive", "add archiveAfterDays", "a storage class without a time to move to it")
	}
	if p.ArchiveAfterDays == 0 {
		return
	}
	c.between(at+".archiveAfterDays", p.ArchiveAfterDays, 1, 36500, "days")
	class := p.Archive
	if class == "" {
		class = "GLACIER"
	} else if !oneOf(c, at+".archive", class, "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR") {
		return
	}
	if rto := c.plan.ObjectivesOf(r).RTO.D(); class != "GLACIER_IR" && rto < quickest {
		c.errorf(at+".archiveAfterDays", "\"archive: GLACIER_IR\" answers in milliseconds",
			"objects in %s take hours to come back, and %s has an RTO of %s", class, r.Name, brief(rto))
	}
}

func (c *checker) volume(at string, r Resource) {
	s := r.Protect.Snapshots
	if r.Kind != EBSVolume {
		return
	}
	if s == nil {
		c.errorf(at, "snapshots: {by: backup}, or by: dlm with time, keep and copyDays", "%s is kept by snapshots alone, and the plan takes none of it", r.Name)
		return
	}
	here := at + ".snapshots"
	if !oneOf(c, here+".by", s.By, "backup", "dlm") {
		return
	}
	selected := c.plan.Backup != nil && c.plan.Backup.Select.Takes(r)
	switch {
	case s.By == "backup" && !selected:
		c.errorf(here+".by", "name it in backup.select.resources, or use \"by: dlm\"", "%s is left to AWS Backup, whose selection does not name it", r.Name)
	case s.By == "dlm" && selected:
		c.errorf(here+".by", "one of the two: take it out of backup.select, or use \"by: backup\"", "%s would be snapshotted twice, by Data Lifecycle Manager and by AWS Backup", r.Name)
	case s.By == "dlm":
		c.shape(here+".time", clockTime, s.Time, "HH:MM, UTC")
		c.between(here+".keep", s.Keep, 1, 1000, "how many snapshots stay")
		c.between(here+".copyDays", s.CopyRetain, 1, 36500, "days that copies stay in the recovery Region")
	}
}

// Takes says that a selection names a resource, by name or by type. What tags
// select is known to AWS alone.
func (s BackupSelect) Takes(r Resource) bool {
	return slices.Contains(s.Resources, r.Name) || slices.Contains(s.Types, BackupType(r.Kind))
}

// BackupType is AWS Backup's word for a kind; empty where it has none.
func BackupType(k Kind) string {
	switch k {
	case DynamoDBTable:
		return "DynamoDB"
	case AuroraGlobal:
		return "Aurora"
	case S3Bucket:
		return "S3"
	case RDSInstance:
		return "RDS"
	case EBSVolume:
		return "EBS"
	case Service, DRSServer:
	}
	return ""
}

func (c *checker) launch(at string, r Resource) {
	l := r.Protect.Launch
	if l == nil {
		return
	}
	here := at + ".launch"
	if l.RightSizing == "BASIC" {
		c.errorf(here+".rightSizing", "NONE keeps the launch template's type, IN_AWS the source's", "right-sizing BASIC picks C5 types only and overrides the launch template")
	} else if l.RightSizing != "" {
		oneOf(c, here+".rightSizing", l.RightSizing, "NONE", "IN_AWS")
	}
	if l.Disposition != "" {
		oneOf(c, here+".disposition", l.Disposition, "STARTED", "STOPPED")
	}
	if l.OS == "" || !oneOf(c, here+".os", l.OS, "linux", "windows") {
		return
	}
	// AWS's own averages (Elastic Disaster Recovery User Guide, concepts).
	boot := map[string]time.Duration{"linux": 5 * time.Minute, "windows": 20 * time.Minute}[l.OS]
	if rto := c.plan.ObjectivesOf(r).RTO.D(); rto < boot {
		c.errorf(here+".os", "raise the objective, or keep this server running in both Regions", "a %s server boots in %s on average, and %s has an RTO of %s", l.OS, brief(boot), r.Name, brief(rto))
	}
}
