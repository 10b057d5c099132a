package rds

import (
	"cmp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

func (r *RDS) modifyInstance(call *wire.Call, in *rds.ModifyDBInstanceInput) (*rds.ModifyDBInstanceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.ready(call.Region, in.DBInstanceIdentifier)
	switch {
	case err != nil:
		return nil, err
	case in.NewDBInstanceIdentifier != nil:
		return nil, badCombination("Renaming a DB instance is not supported here")
	case in.AllocatedStorage != nil && *in.AllocatedStorage < i.storage:
		return nil, badCombination("Invalid storage size: storage can only grow")
	case i.cluster != nil && (in.MultiAZ != nil || in.BackupRetentionPeriod != nil || in.AllocatedStorage != nil):
		return nil, badCombination("This setting of an Aurora DB instance is changed on its DB cluster")
	}
	for _, err := range []error{checkRetention(in.BackupRetentionPeriod), r.checkBackupsNeeded(i, in), r.checkOptions(i.region, i.engine, in.OptionGroupName)} {
		if err != nil {
			return nil, err
		}
	}
	i.change(in)
	i.pending = merge(i.pending, pendingOf(i, in))
	switch {
	case i.pending == nil:
	case aws.BoolValue(in.ApplyImmediately):
		i.status = statusModifying
		r.settle(r.options.Modify, func() { r.applyPending(i) })
	default:
		r.settle(r.options.Window, func() { r.maintain(i) })
	}
	return &rds.ModifyDBInstanceOutput{DBInstance: r.describeInstance(i)}, nil
}

// change makes the changes that wait for nothing.
func (i *instance) change(in *rds.ModifyDBInstanceInput) {
	if in.DeletionProtection != nil {
		i.protected = *in.DeletionProtection
	}
	if in.VpcSecurityGroupIds != nil {
		i.groups = aws.StringValueSlice(in.VpcSecurityGroupIds)
	}
	i.options = cmp.Or(aws.StringValue(in.OptionGroupName), i.options)
	i.maintenance = cmp.Or(aws.StringValue(in.PreferredMaintenanceWindow), i.maintenance)
	i.backup = cmp.Or(aws.StringValue(in.PreferredBackupWindow), i.backup)
	if days := in.BackupRetentionPeriod; days != nil && *days > 0 && i.retention > 0 {
		// A new period is in force at once. Only switching backups on or off waits.
		i.retention = *days
	}
}

// checkBackupsNeeded refuses to switch the backups of an instance off while
// replicas, or other Regions' backups, live on them.
func (r *RDS) checkBackupsNeeded(i *instance, in *rds.ModifyDBInstanceInput) error {
	off := in.BackupRetentionPeriod != nil && *in.BackupRetentionPeriod == 0
	switch {
	case off && len(r.replicas(i)) > 0:
		return badCombination("Cannot disable automatic backups for the source of a read replica: %s", i.id)
	case off && len(r.replications(i)) > 0:
		return badCombination("Cannot disable automatic backups while they are replicated to another Region: %s", i.id)
	}
	return nil
}

// pendingOf are the changes that wait for ApplyImmediately, a reboot or the
// maintenance window; nil when there are none.
func pendingOf(i *instance, in *rds.ModifyDBInstanceInput) *rds.PendingModifiedValues {
	days := in.BackupRetentionPeriod
	if days != nil && (*days == 0) == (i.retention == 0) {
		days = nil
	}
	if in.DBInstanceClass == nil && in.MultiAZ == nil && days == nil && in.AllocatedStorage == nil && in.EngineVersion == nil {
		return nil
	}
	return &rds.PendingModifiedValues{
		DBInstanceClass: in.DBInstanceClass, MultiAZ: in.MultiAZ, BackupRetentionPeriod: days,
		AllocatedStorage: in.AllocatedStorage, EngineVersion: in.EngineVersion,
	}
}

// merge adds later changes to earlier ones that still wait.
func merge(earlier, later *rds.PendingModifiedValues) *rds.PendingModifiedValues {
	if earlier == nil || later == nil {
		return cmp.Or(later, earlier)
	}
	out := *later
	out.DBInstanceClass = cmp.Or(later.DBInstanceClass, earlier.DBInstanceClass)
	out.MultiAZ = cmp.Or(later.MultiAZ, earlier.MultiAZ)
	out.BackupRetentionPeriod = cmp.Or(later.BackupRetentionPeriod, earlier.BackupRetentionPeriod)
	out.AllocatedStorage = cmp.Or(later.AllocatedStorage, earlier.AllocatedStorage)
	out.EngineVersion = cmp.Or(later.EngineVersion, earlier.EngineVersion)
	return &out
}

// maintain is the maintenance window: what waited is done.
func (r *RDS) maintain(i *instance) {
	if i.pending != nil && i.status == statusAvailable {
		i.status = statusModifying
		r.settle(r.options.Modify, func() { r.applyPending(i) })
	}
}

func (r *RDS) applyPending(i *instance) {
	p := i.pending
	i.pending = nil
	if p != nil {
		i.class = cmp.Or(aws.StringValue(p.DBInstanceClass), i.class)
		i.version = cmp.Or(aws.StringValue(p.EngineVersion), i.version)
		i.storage = cmp.Or(aws.Int64Value(p.AllocatedStorage), i.storage)
		if p.MultiAZ != nil {
			i.multiAZ = *p.MultiAZ
		}
	}
	i.leave(statusModifying)
	i.leave(statusRebooting)
	if p != nil && p.BackupRetentionPeriod != nil {
		r.switchBackups(i, *p.BackupRetentionPeriod)
	}
}

// switchBackups turns automated backups on, which begins with a first backup, or
// off, which deletes them.
func (r *RDS) switchBackups(i *instance, days int64) {
	i.retention, i.backedUp = days, time.Time{}
	if days == 0 || i.status != statusAvailable {
		return
	}
	i.status = statusBackingUp
	r.settle(r.options.Modify, func() {
		i.backedUp = r.world.Now()
		i.leave(statusBackingUp)
		r.event(i.place, "db-instance", "backup", "Finished DB Instance backup")
	})
}

// statusBackingUp is the status of an instance during its first backup.
const statusBackingUp = "backing-up"

func (r *RDS) rebootInstance(call *wire.Call, in *rds.RebootDBInstanceInput) (*rds.RebootDBInstanceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.ready(call.Region, in.DBInstanceIdentifier)
	switch {
	case err != nil:
		return nil, err
	case aws.BoolValue(in.ForceFailover) && !i.multiAZ:
		return nil, badCombination("Cannot reboot with failover a DB instance that is not Multi-AZ")
	}
	i.status = statusRebooting
	r.settle(r.options.Modify, func() { r.applyPending(i) })
	r.event(i.place, "db-instance", "availability", "DB instance restarted")
	return &rds.RebootDBInstanceOutput{DBInstance: r.describeInstance(i)}, nil
}

// promoteReplica is one-way: a promoted instance never becomes a replica again.
func (r *RDS) promoteReplica(call *wire.Call, in *rds.PromoteReadReplicaInput) (*rds.PromoteReadReplicaOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.ready(call.Region, in.DBInstanceIdentifier)
	switch {
	case err != nil:
		return nil, err
	case i.source == (place{}):
		return nil, invalidInstance("DB Instance is not a read replica: %s", i.id)
	}
	i.volume.leave()
	i.status = statusModifying
	i.retention = 1
	if in.BackupRetentionPeriod != nil {
		i.retention = *in.BackupRetentionPeriod
	}
	// Promotion reboots the instance; the source shows until it is done.
	r.settle(r.options.Modify, func() { i.status = statusRebooting })
	r.settle(2*r.options.Modify, func() {
		i.source = place{}
		i.leave(statusRebooting)
		if i.retention > 0 {
			i.backedUp = r.world.Now()
		}
		r.event(i.place, "db-instance", "read replica", "Promoted read replica to a stand-alone database instance")
	})
	return &rds.PromoteReadReplicaOutput{DBInstance: r.describeInstance(i)}, nil
}

func (r *RDS) stopInstance(call *wire.Call, in *rds.StopDBInstanceInput) (*rds.StopDBInstanceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.ready(call.Region, in.DBInstanceIdentifier)
	switch {
	case err != nil:
		return nil, err
	case i.cluster != nil:
		return nil, invalidInstance("aurora databases are not eligible for stopping or starting by instance: stop the DB cluster")
	case len(r.replicas(i)) > 0:
		return nil, invalidInstance("Cannot stop or start a database instance that has a read replica: %s", i.id)
	case i.source != place{}:
		return nil, invalidInstance("Cannot stop or start a read replica: %s", i.id)
	}
	i.status = statusStopping
	r.settle(r.options.Modify, func() { i.status = statusStopped })
	return &rds.StopDBInstanceOutput{DBInstance: r.describeInstance(i)}, nil
}

func (r *RDS) startInstance(call *wire.Call, in *rds.StartDBInstanceInput) (*rds.StartDBInstanceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.instance(call.Region, in.DBInstanceIdentifier)
	switch {
	case err != nil:
		return nil, err
	case i.status != statusStopped:
		return nil, invalidInstance("Instance %s is not stopped: it cannot be started.", i.id)
	}
	i.status = statusStarting
	r.settle(r.options.Modify, func() { i.leave(statusStarting) })
	return &rds.StartDBInstanceOutput{DBInstance: r.describeInstance(i)}, nil
}

func (r *RDS) deleteInstance(call *wire.Call, in *rds.DeleteDBInstanceInput) (*rds.DeleteDBInstanceOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.instance(call.Region, in.DBInstanceIdentifier)
	if err != nil {
		return nil, err
	}
	keepsNothing := i.cluster != nil || i.source != place{}
	switch {
	case i.status == statusDeleting:
		return nil, invalidInstance("Instance %s is already being deleted.", i.id)
	case i.protected:
		return nil, badCombination("Cannot delete protected DB Instance, please disable deletion protection and try again.")
	case !keepsNothing && !aws.BoolValue(in.SkipFinalSnapshot) && aws.StringValue(in.FinalDBSnapshotIdentifier) == "":
		return nil, badCombination("FinalDBSnapshotIdentifier is required when deleting an instance unless SkipFinalSnapshot is specified.")
	}
	i.status = statusDeleting
	r.settle(r.options.Delete, func() { r.forgetInstance(i) })
	return &rds.DeleteDBInstanceOutput{DBInstance: r.describeInstance(i)}, nil
}

func (r *RDS) forgetInstance(i *instance) {
	delete(r.instances, i.place)
	if i.cluster != nil {
		i.cluster.members = removed(i.cluster.members, i)
		return
	}
	r.orphan(i)
	i.volume.leave()
	for _, replica := range r.replicas(i) {
		// Cross-Region replicas of a deleted source stop replicating and stay.
		replica.volume.leave()
	}
	r.event(i.place, "db-instance", "deletion", strings.TrimSpace("DB instance deleted "+i.id))
}

func removed(all []*instance, gone *instance) []*instance {
	var left []*instance
	for _, i := range all {
		if i != gone {
			left = append(left, i)
		}
	}
	return left
}
