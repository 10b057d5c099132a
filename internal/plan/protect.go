package plan

// Drift says what setup does with what somebody changed by hand.
type Drift string

// What becomes of drift.
const (
	Repair     Drift = "repair"
	ReportOnly Drift = "report"
)

// Setup says how the estate is kept.
type Setup struct {
	Drift Drift `yaml:"drift" json:"drift"`
	// Key is the alias of the customer-managed KMS key that setup keeps in each
	// Region that carries traffic: "alias/patient-records". Copies, vaults and
	// topics need one, since AWS's own keys can't be used by other services there.
	Key string `yaml:"key" json:"key"`
}

// Protect says what setup keeps for one resource. What a kind doesn't know is
// refused for it.
type Protect struct {
	// PITRDays is how long any second can be restored: 1 to 35. DynamoDB, RDS, Aurora.
	PITRDays int `yaml:"pitrDays,omitempty" json:"pitrDays,omitempty"`
	// Consistency of a DynamoDB global table: "eventual" (default) or "strong"
	// (exactly three Regions: the two that serve and the witness).
	Consistency string `yaml:"consistency,omitempty" json:"consistency,omitempty"`
	// MultiAZ (rds-instance) is zonal availability, no measure against the loss of a Region.
	MultiAZ bool `yaml:"multiAZ,omitempty" json:"multiAZ,omitempty"`
	// ReadReplica and AutomatedBackups (rds-instance) are the two ways across Regions.
	ReadReplica      bool `yaml:"readReplica,omitempty" json:"readReplica,omitempty"`
	AutomatedBackups bool `yaml:"automatedBackups,omitempty" json:"automatedBackups,omitempty"`
	// OptionGroup (rds-instance) is a custom option group, which has to exist in
	// the recovery Region before a copy can succeed.
	OptionGroup string `yaml:"optionGroup,omitempty" json:"optionGroup,omitempty"`
	// Replication of an s3-bucket.
	Replication *Replication `yaml:"replication,omitempty" json:"replication,omitempty"`
	// ArchiveAfterDays moves objects of an s3-bucket to Archive; 0 never does.
	ArchiveAfterDays int `yaml:"archiveAfterDays,omitempty" json:"archiveAfterDays,omitempty"`
	// Archive is the storage class: GLACIER (default), DEEP_ARCHIVE or GLACIER_IR.
	Archive string `yaml:"archive,omitempty" json:"archive,omitempty"`
	// Snapshots of an ebs-volume.
	Snapshots *Snapshots `yaml:"snapshots,omitempty" json:"snapshots,omitempty"`
	// Launch settings of a drs-server.
	Launch *Launch `yaml:"launch,omitempty" json:"launch,omitempty"`
}

// Replication is how two buckets are kept alike.
type Replication struct {
	// Direction is "both" (active/active) or "one-way" (primary to recovery).
	Direction string `yaml:"direction" json:"direction"`
	// TimeControl is RTC: 99.9 % within 15 minutes, with metrics.
	TimeControl   bool `yaml:"timeControl,omitempty" json:"timeControl,omitempty"`
	DeleteMarkers bool `yaml:"deleteMarkers,omitempty" json:"deleteMarkers,omitempty"`
	// Existing also copies what was there before the rule (S3 Batch Replication).
	Existing bool `yaml:"existing,omitempty" json:"existing,omitempty"`
}

// Snapshots of a volume: by AWS Backup or by Data Lifecycle Manager, never both.
type Snapshots struct {
	By         string `yaml:"by" json:"by"`                                 // "backup" or "dlm"
	Time       string `yaml:"time,omitempty" json:"time,omitempty"`         // dlm: "03:00", UTC
	Keep       int    `yaml:"keep,omitempty" json:"keep,omitempty"`         // dlm: how many
	CopyRetain int    `yaml:"copyDays,omitempty" json:"copyDays,omitempty"` // dlm: days that copies stay in the recovery Region
}

// Launch settings of a server in Elastic Disaster Recovery.
type Launch struct {
	RightSizing string `yaml:"rightSizing,omitempty" json:"rightSizing,omitempty"` // NONE (default) or IN_AWS; BASIC picks C5 only
	Disposition string `yaml:"disposition,omitempty" json:"disposition,omitempty"` // STARTED (default) or STOPPED
	CopyTags    bool   `yaml:"copyTags,omitempty" json:"copyTags,omitempty"`
	OS          string `yaml:"os,omitempty" json:"os,omitempty"` // linux (default) or windows: they boot at different speeds
}

// Backup is the AWS Backup side of the plan.
type Backup struct {
	Vault string `yaml:"vault" json:"vault"` // name, the same in both Regions
	Role  string `yaml:"role" json:"role"`   // name of the service role
	// Template names one of AWS's plan templates ("Daily-Weekly-Monthly-..."); its
	// rules come before Rules.
	Template string       `yaml:"template,omitempty" json:"template,omitempty"`
	Rules    []BackupRule `yaml:"rules,omitempty" json:"rules,omitempty"`
	Lock     *VaultLock   `yaml:"lock,omitempty" json:"lock,omitempty"`
	Select   BackupSelect `yaml:"select" json:"select"`
}

// Intents of rules. AWS decides what is full and what is incremental;
// differential does not exist (domain handbook 3.2).
const (
	IntentWeekly     = "weekly-full"
	IntentDaily      = "daily"
	IntentTwiceDaily = "twice-daily"
	IntentContinuous = "continuous"
)

// BackupRule is one rule of a backup plan.
type BackupRule struct {
	Intent   string   `yaml:"intent" json:"intent"`
	Schedule string   `yaml:"schedule" json:"schedule"` // AWS cron of six fields, UTC
	Start    Duration `yaml:"startWindow" json:"startWindow"`
	Complete Duration `yaml:"completeWindow" json:"completeWindow"`
	Days     int      `yaml:"retentionDays" json:"retentionDays"`
	ColdDays int      `yaml:"coldAfterDays,omitempty" json:"coldAfterDays,omitempty"`
	// CopyDays is how long the copy in the recovery Region stays.
	CopyDays   int  `yaml:"copyRetentionDays" json:"copyRetentionDays"`
	Continuous bool `yaml:"continuous,omitempty" json:"continuous,omitempty"`
}

// VaultLock is write-once protection of both vaults.
type VaultLock struct {
	Mode    string `yaml:"mode" json:"mode"` // governance or compliance
	MinDays int    `yaml:"minRetentionDays" json:"minRetentionDays"`
	MaxDays int    `yaml:"maxRetentionDays" json:"maxRetentionDays"`
	// CoolingOffDays (compliance): until then it can be taken back, never after.
	CoolingOffDays int `yaml:"coolingOffDays,omitempty" json:"coolingOffDays,omitempty"`
}

// BackupSelect says what is backed up: resources of this plan by name, anything
// of a type, and anything with tags.
type BackupSelect struct {
	Resources []string          `yaml:"resources,omitempty" json:"resources,omitempty"`
	Types     []string          `yaml:"types,omitempty" json:"types,omitempty"` // RDS, Aurora, EBS, EC2, DynamoDB, S3
	Tags      map[string]string `yaml:"tags,omitempty" json:"tags,omitempty"`
}

// ElasticDRSite is what Elastic Disaster Recovery needs in each Region: servers
// replicate into the recovery Region, and back after a failover.
type ElasticDRSite struct {
	Staging map[Region]Staging `yaml:"staging" json:"staging"`
	// Points in time: minutes apart for an hour, hourly for a day, then days.
	KeepDays int `yaml:"keepDays" json:"keepDays"` // 1 to 365
}

// Staging is where replication servers run in one Region.
type Staging struct {
	Subnet         string   `yaml:"subnet" json:"subnet"`
	SecurityGroups []string `yaml:"securityGroups,omitempty" json:"securityGroups,omitempty"`
}

// RecoveryStack is one stack that CloudFormation builds in the recovery Region,
// ahead of time: making load balancers on the night itself needs us-east-1.
type RecoveryStack struct {
	Name string `yaml:"name" json:"name"`
	// Template is a file name in deploy/cloudformation, without folder.
	Template   string            `yaml:"template" json:"template"`
	Parameters map[string]string `yaml:"parameters,omitempty" json:"parameters,omitempty"`
}

// Monitoring says who is told by alarms, and what counts as silence.
type Monitoring struct {
	// Topic is the name of the alarm topic in each Region that carries traffic.
	Topic       string         `yaml:"topic" json:"topic"`
	Subscribers []Subscription `yaml:"subscribers,omitempty" json:"subscribers,omitempty"`
	// Silence raises an alarm when no backup has been completed for this long.
	Silence Duration `yaml:"silence" json:"silence"`
}

// Subscription is one receiver of alarms.
type Subscription struct {
	Protocol string `yaml:"protocol" json:"protocol"` // email, https, http, sms, sqs
	Endpoint string `yaml:"endpoint" json:"endpoint"`
}

// Trigger is the function that alarms fire in the recovery Region.
type Trigger struct {
	Function string `yaml:"function" json:"function"`
	// Package is the zip with the compiled function, as make trigger builds it.
	Package string `yaml:"package" json:"package"`
}

// Readiness says how old proof may be, and how often it is made anew.
type Readiness struct {
	Every      Duration `yaml:"every" json:"every"`           // of the schedule: starter schedules
	DrillAge   Duration `yaml:"drillAge" json:"drillAge"`     // the last drill may be this old
	RestoreAge Duration `yaml:"restoreAge" json:"restoreAge"` // the last restore test may be this old
	PointAge   Duration `yaml:"pointAge" json:"pointAge"`     // the newest restorable point in the recovery Region may be this old
	// Headroom is the part of a quota, in percent, that must stay free when
	// everything is launched at once.
	Headroom int `yaml:"headroomPercent" json:"headroomPercent"`
	// RecoveryRole is the name of a role that must be assumable in the recovery
	// Region by its Regional STS.
	RecoveryRole string `yaml:"recoveryRole,omitempty" json:"recoveryRole,omitempty"`
}
