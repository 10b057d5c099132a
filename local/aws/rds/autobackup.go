package rds

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

const (
	// upload is how often RDS stores the log that a point in time needs.
	upload = 5 * time.Minute
	// mostReplicated is how many automated backups a Region takes from elsewhere.
	mostReplicated = 20

	longestRetention = 35 // days
	usualRetention   = 7  // days, of a replicated backup
)

// Statuses of automated backups.
const (
	backupActive      = "active"
	backupPending     = "pending"
	backupReplicating = "replicating"
	backupRetained    = "retained" // its instance or its replication is gone
)

// autoBackup is an instance's automated backup that another Region keeps too.
type autoBackup struct {
	place     // Region that keeps it, and its own id
	source    instance
	retention int64
	key       string
	status    string
	earliest  time.Time
	latest    time.Time // zero until the first backup has arrived
}

func (r *RDS) serveAutomatedBackups() {
	wire.Handle(r.wire, "StartDBInstanceAutomatedBackupsReplication", r.startBackupReplication)
	wire.Handle(r.wire, "StopDBInstanceAutomatedBackupsReplication", r.stopBackupReplication)
	wire.Handle(r.wire, "DescribeDBInstanceAutomatedBackups", r.describeAutomatedBackups)
	wire.Handle(r.wire, "DeleteDBInstanceAutomatedBackup", r.deleteAutomatedBackup)
	r.world.Every(upload, r.shipBackups)
}

func checkRetention(days *int64) error {
	if days != nil && (*days < 0 || *days > longestRetention) {
		return badValue("Invalid backup retention period: %d. Must be between 0 and %d.", *days, longestRetention)
	}
	return nil
}

// window is what an instance can be restored to; nil while it has no backup.
func (r *RDS) window(i *instance) *rds.RestoreWindow {
	if i.retention == 0 || i.backedUp.IsZero() {
		return nil
	}
	now, step := r.world.Now(), r.world.Wall(upload)
	earliest := now.Add(-r.world.Wall(time.Duration(i.retention) * 24 * time.Hour))
	if earliest.Before(i.backedUp) {
		earliest = i.backedUp
	}
	latest := i.backedUp
	if step > 0 {
		latest = latest.Add(now.Sub(i.backedUp).Truncate(step))
	}
	return &rds.RestoreWindow{EarliestTime: &earliest, LatestTime: &latest}
}

// startBackupReplication is called in the Region that is to keep the backups.
func (r *RDS) startBackupReplication(call *wire.Call, in *rds.StartDBInstanceAutomatedBackupsReplicationInput) (*rds.StartDBInstanceAutomatedBackupsReplicationOutput, error) {
	if days := in.BackupRetentionPeriod; days != nil && (*days < 1 || *days > longestRetention) {
		return nil, badValue("Invalid backup retention period: %d. Must be between 1 and %d.", *days, longestRetention)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !strings.HasPrefix(*in.SourceDBInstanceArn, "arn:") {
		return nil, badValue("Invalid source DB instance ARN: %s", *in.SourceDBInstanceArn)
	}
	source, err := r.instance(call.Region, in.SourceDBInstanceArn)
	if err != nil {
		return nil, err
	}
	if err := r.replicable(call.Region, source, in.KmsKeyId); err != nil {
		return nil, err
	}
	b := &autoBackup{
		place: place{call.Region, strings.ToLower(r.world.NewID("ab-"))}, source: *source, status: backupPending,
		retention: cmp.Or(aws.Int64Value(in.BackupRetentionPeriod), usualRetention), key: aws.StringValue(in.KmsKeyId),
	}
	r.autoBackups[b.place] = b
	r.settle(r.options.Create, func() {
		if b.status == backupPending {
			b.status = backupReplicating
			r.ship(b)
		}
	})
	return &rds.StartDBInstanceAutomatedBackupsReplicationOutput{DBInstanceAutomatedBackup: r.describeReplicated(b)}, nil
}

// replicable refuses what can't be backed up into a Region.
func (r *RDS) replicable(region string, source *instance, key *string) error {
	held := 0
	for at, b := range r.autoBackups {
		switch {
		case at.region != region:
		case b.of(source) && b.status != backupRetained:
			return fault(rds.ErrCodeInvalidDBInstanceAutomatedBackupStateFault, "Automated backups of %s are already replicated to %s.", source.id, region)
		case b.status != backupRetained:
			held++
		}
	}
	switch {
	case source.region == region:
		return badCombination("Automated backups can't be replicated within a Region.")
	case !r.world.Reachable(region, source.region):
		return invalidInstance("The source instance %s cannot be reached", source.id)
	case source.cluster != nil:
		return invalidInstance("Automated backups of Aurora instances can't be replicated: %s", source.id)
	case source.retention == 0:
		return invalidInstance("Automated backups are not enabled for %s.", source.id)
	case source.status != statusAvailable:
		return invalidInstance("The source instance %s is %s", source.id, source.status)
	case held >= mostReplicated:
		return fault(rds.ErrCodeDBInstanceAutomatedBackupQuotaExceededFault, "The Region keeps %d automated backups of other Regions already.", held)
	case source.encrypted && key == nil:
		return keyNotAccessible("Replicated backups of an encrypted instance need a KMS key of their own Region")
	case !source.encrypted && key != nil:
		return badCombination("KmsKeyId can't be specified for the backups of an instance that isn't encrypted")
	}
	return r.checkKey(region, key)
}

func keyNotAccessible(format string, args ...any) error {
	return fault(rds.ErrCodeKMSKeyNotAccessibleFault, format, args...)
}

// checkKey refuses a key that the Region doesn't have, or that can't be used.
func (r *RDS) checkKey(region string, key *string) error {
	const inARN = 3 // arn:aws:kms:REGION:...
	if aws.StringValue(key) == "" {
		return nil
	}
	if parts := strings.Split(*key, ":"); len(parts) > inARN && parts[inARN] != region {
		return keyNotAccessible("The specified KMS key [%s] does not exist, is not enabled or you do not have permissions to access it.", *key)
	}
	if r.options.Keys == nil {
		return nil
	}
	if err := r.options.Keys.Check(region, *key); err != nil {
		return keyNotAccessible("The specified KMS key [%s] does not exist, is not enabled or you do not have permissions to access it.", *key)
	}
	return nil
}

func (b *autoBackup) of(i *instance) bool {
	return b.source.place == i.place && b.source.resource == i.resource
}

// shipBackups sends what was uploaded since the last time.
func (r *RDS) shipBackups() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.autoBackups {
		r.ship(b)
	}
}

// ship moves a replicated backup on, if its source can be reached and still has
// backups; r.mu is held.
func (r *RDS) ship(b *autoBackup) {
	source := r.instances[b.source.place]
	if b.status != backupReplicating || source == nil || !b.of(source) || !r.world.Reachable(b.source.region, b.region) {
		return
	}
	w := r.window(source)
	if w == nil {
		return
	}
	if b.earliest.IsZero() {
		b.earliest = *w.LatestTime
	}
	b.latest = *w.LatestTime
	if limit := r.world.Now().Add(-r.world.Wall(time.Duration(b.retention) * 24 * time.Hour)); b.earliest.Before(limit) {
		b.earliest = limit
	}
}

func (r *RDS) stopBackupReplication(call *wire.Call, in *rds.StopDBInstanceAutomatedBackupsReplicationInput) (*rds.StopDBInstanceAutomatedBackupsReplicationOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Not by looking the instance up: its Region may be gone.
	source := locate(call.Region, in.SourceDBInstanceArn)
	for at, b := range r.autoBackups {
		if at.region == call.Region && b.source.place == source && b.status != backupRetained {
			b.status = backupRetained
			return &rds.StopDBInstanceAutomatedBackupsReplicationOutput{DBInstanceAutomatedBackup: r.describeReplicated(b)}, nil
		}
	}
	if _, err := r.instance(call.Region, in.SourceDBInstanceArn); err != nil {
		return nil, err
	}
	return nil, invalidInstance("Automated backups of %s are not replicated to %s.", source.id, call.Region)
}

func (r *RDS) deleteAutomatedBackup(call *wire.Call, in *rds.DeleteDBInstanceAutomatedBackupInput) (*rds.DeleteDBInstanceAutomatedBackupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.autoBackups[locate(call.Region, in.DBInstanceAutomatedBackupsArn)]
	switch {
	case in.DBInstanceAutomatedBackupsArn == nil:
		return nil, badCombination("DBInstanceAutomatedBackupsArn must be given: only backups of other Regions can be deleted by hand")
	case !ok || b.region != call.Region:
		return nil, missing(rds.ErrCodeDBInstanceAutomatedBackupNotFoundFault, "DBInstanceAutomatedBackup %s not found.", *in.DBInstanceAutomatedBackupsArn)
	case b.status != backupRetained:
		return nil, fault(rds.ErrCodeInvalidDBInstanceAutomatedBackupStateFault, "Only retained backups can be deleted; %s is %s", b.id, b.status)
	}
	delete(r.autoBackups, b.place)
	return &rds.DeleteDBInstanceAutomatedBackupOutput{DBInstanceAutomatedBackup: r.describeReplicated(b)}, nil
}

// describeAutomatedBackups lists the backups of the Region's own instances and
// those that it keeps for others.
func (r *RDS) describeAutomatedBackups(call *wire.Call, in *rds.DescribeDBInstanceAutomatedBackupsInput) (*rds.DescribeDBInstanceAutomatedBackupsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*rds.DBInstanceAutomatedBackup
	for at, i := range r.instances {
		if at.region == call.Region && i.cluster == nil && i.retention > 0 {
			found = append(found, r.describeOwn(i))
		}
	}
	for at, b := range r.autoBackups {
		if at.region == call.Region {
			found = append(found, r.describeReplicated(b))
		}
	}
	found = slices.DeleteFunc(found, func(b *rds.DBInstanceAutomatedBackup) bool { return !wantedBackup(in, b) })
	slices.SortFunc(found, func(a, b *rds.DBInstanceAutomatedBackup) int {
		return cmp.Or(cmp.Compare(*a.DBInstanceIdentifier, *b.DBInstanceIdentifier), cmp.Compare(*a.DBInstanceAutomatedBackupsArn, *b.DBInstanceAutomatedBackupsArn))
	})
	if len(found) == 0 && (in.DBInstanceAutomatedBackupsArn != nil || in.DbiResourceId != nil) {
		return nil, missing(rds.ErrCodeDBInstanceAutomatedBackupNotFoundFault, "DBInstanceAutomatedBackup not found.")
	}
	page, marker, err := paginate(found, in.Marker, in.MaxRecords)
	return &rds.DescribeDBInstanceAutomatedBackupsOutput{DBInstanceAutomatedBackups: page, Marker: marker}, err
}

func wantedBackup(in *rds.DescribeDBInstanceAutomatedBackupsInput, b *rds.DBInstanceAutomatedBackup) bool {
	return (in.DBInstanceAutomatedBackupsArn == nil || *in.DBInstanceAutomatedBackupsArn == *b.DBInstanceAutomatedBackupsArn) &&
		(in.DBInstanceIdentifier == nil || strings.EqualFold(*in.DBInstanceIdentifier, *b.DBInstanceIdentifier)) &&
		(in.DbiResourceId == nil || *in.DbiResourceId == *b.DbiResourceId) &&
		filtered(in.Filters, map[string][]string{
			"status": {*b.Status}, "db-instance-id": {*b.DBInstanceIdentifier, *b.DBInstanceArn}, "dbi-resource-id": {*b.DbiResourceId},
		})
}

func (r *RDS) describeOwn(i *instance) *rds.DBInstanceAutomatedBackup {
	out := r.describeBackup(i, i.region, strings.ToLower("ab-"+strings.TrimPrefix(i.resource, "DB-")))
	out.Status, out.BackupRetentionPeriod, out.RestoreWindow = aws.String(backupActive), aws.Int64(i.retention), r.window(i)
	out.DBInstanceAutomatedBackupsReplications = r.replications(i)
	if i.encrypted && i.key != "" {
		out.KmsKeyId = aws.String(i.key)
	}
	return out
}

func (r *RDS) describeReplicated(b *autoBackup) *rds.DBInstanceAutomatedBackup {
	out := r.describeBackup(&b.source, b.region, b.id)
	out.Status, out.BackupRetentionPeriod = aws.String(b.status), aws.Int64(b.retention)
	if b.key != "" {
		out.KmsKeyId = aws.String(b.key)
	}
	if !b.latest.IsZero() {
		out.RestoreWindow = &rds.RestoreWindow{EarliestTime: aws.Time(b.earliest), LatestTime: aws.Time(b.latest)}
	}
	return out
}

// describeBackup is what both kinds have in common; Region is the source's.
func (r *RDS) describeBackup(i *instance, keeper, id string) *rds.DBInstanceAutomatedBackup {
	return &rds.DBInstanceAutomatedBackup{
		DBInstanceArn: aws.String(r.arn(i.region, "db", i.id)), DbiResourceId: aws.String(i.resource), Region: aws.String(i.region),
		DBInstanceIdentifier: aws.String(i.id), DBInstanceAutomatedBackupsArn: aws.String(r.arn(keeper, "auto-backup", id)),
		Engine: aws.String(i.engine), EngineVersion: aws.String(i.version), AllocatedStorage: aws.Int64(i.storage), Port: aws.Int64(i.port),
		MasterUsername: aws.String(i.user), InstanceCreateTime: aws.Time(i.created), Encrypted: aws.Bool(i.encrypted),
		AvailabilityZone: aws.String(i.region + "a"), BackupTarget: aws.String("region"),
	}
}

// replications are the Regions' backups of an instance.
func (r *RDS) replications(i *instance) []*rds.DBInstanceAutomatedBackupsReplication {
	var out []*rds.DBInstanceAutomatedBackupsReplication
	for at, b := range r.autoBackups {
		if b.of(i) && b.status != backupRetained {
			out = append(out, &rds.DBInstanceAutomatedBackupsReplication{DBInstanceAutomatedBackupsArn: aws.String(r.arn(at.region, "auto-backup", at.id))})
		}
	}
	slices.SortFunc(out, func(a, b *rds.DBInstanceAutomatedBackupsReplication) int {
		return cmp.Compare(*a.DBInstanceAutomatedBackupsArn, *b.DBInstanceAutomatedBackupsArn)
	})
	return out
}

// orphan keeps the backups that other Regions hold of an instance that is gone.
func (r *RDS) orphan(i *instance) {
	for _, b := range r.autoBackups {
		if b.of(i) {
			b.status = backupRetained
		}
	}
}
