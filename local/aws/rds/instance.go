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

// instance is a DB instance: alone, a read replica, or a member of a cluster.
type instance struct {
	place
	resource        string
	status          string
	class           string
	engine, version string
	database, user  string
	storage, port   int64
	created         time.Time
	retention       int64
	backedUp        time.Time // since when it can be restored; zero = it can't
	multiAZ         bool
	protected       bool
	encrypted       bool
	key             string
	subnetGroup     string
	options         string // option group
	maintenance     string // weekly window, ddd:hh24:mi-ddd:hh24:mi UTC
	backup          string // daily window, hh24:mi-hh24:mi UTC
	groups          []string
	tags            map[string]string
	cluster         *cluster // nil when not Aurora
	source          place    // of a read replica; zero otherwise
	volume          *volume
	pending         *rds.PendingModifiedValues
}

// mostReplicas is how many read replicas an instance may have.
const mostReplicas = 15

func (r *RDS) serveInstances() {
	wire.Handle(r.wire, "CreateDBInstance", r.createInstance)
	wire.Handle(r.wire, "CreateDBInstanceReadReplica", r.createReplica)
	wire.Handle(r.wire, "DescribeDBInstances", r.describeInstances)
	wire.Handle(r.wire, "ModifyDBInstance", r.modifyInstance)
	wire.Handle(r.wire, "RebootDBInstance", r.rebootInstance)
	wire.Handle(r.wire, "PromoteReadReplica", r.promoteReplica)
	wire.Handle(r.wire, "StopDBInstance", r.stopInstance)
	wire.Handle(r.wire, "StartDBInstance", r.startInstance)
	wire.Handle(r.wire, "DeleteDBInstance", r.deleteInstance)
}

// serving tells whether an instance answers connections.
func (r *RDS) serving(i *instance) bool {
	return i.status == statusAvailable || i.status == statusModifying
}

// instance finds one by identifier or ARN; r.mu is held.
func (r *RDS) instance(region string, idOrARN *string) (*instance, error) {
	if i, ok := r.instances[locate(region, idOrARN)]; ok {
		return i, nil
	}
	return nil, missing(rds.ErrCodeDBInstanceNotFoundFault, "DBInstance %s not found.", aws.StringValue(idOrARN))
}

// ready finds an instance that can be changed now.
func (r *RDS) ready(region string, id *string) (*instance, error) {
	i, err := r.instance(region, id)
	if err != nil {
		return nil, err
	}
	if i.status != statusAvailable {
		return nil, invalidInstance("Database instance %s is not in available state; it is %s.", i.id, i.status)
	}
	return i, nil
}

func invalidInstance(format string, args ...any) *wire.Error {
	return fault(rds.ErrCodeInvalidDBInstanceStateFault, format, args...)
}

func (r *RDS) createInstance(call *wire.Call, in *rds.CreateDBInstanceInput) (*rds.CreateDBInstanceOutput, error) {
	if err := checkIdentifier("DBInstanceIdentifier", aws.StringValue(in.DBInstanceIdentifier)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := locate(call.Region, in.DBInstanceIdentifier)
	if r.instances[at] != nil {
		return nil, fault(rds.ErrCodeDBInstanceAlreadyExistsFault, "DB instance already exists")
	}
	i, err := r.newInstance(at, in)
	if err != nil {
		return nil, err
	}
	r.launch(i)
	return &rds.CreateDBInstanceOutput{DBInstance: r.describeInstance(i)}, nil
}

func (r *RDS) newInstance(at place, in *rds.CreateDBInstanceInput) (*instance, error) {
	engine := aws.StringValue(in.Engine)
	i := &instance{
		place: at, class: aws.StringValue(in.DBInstanceClass), engine: engine, version: cmp.Or(aws.StringValue(in.EngineVersion), defaultVersion(engine)),
		database: aws.StringValue(in.DBName), user: aws.StringValue(in.MasterUsername), storage: aws.Int64Value(in.AllocatedStorage),
		port: cmp.Or(aws.Int64Value(in.Port), defaultPort(engine)), retention: 1, multiAZ: aws.BoolValue(in.MultiAZ),
		protected: aws.BoolValue(in.DeletionProtection), encrypted: aws.BoolValue(in.StorageEncrypted), key: aws.StringValue(in.KmsKeyId),
		subnetGroup: cmp.Or(aws.StringValue(in.DBSubnetGroupName), "default"), groups: aws.StringValueSlice(in.VpcSecurityGroupIds),
		options: cmp.Or(aws.StringValue(in.OptionGroupName), usualOptions(engine)),
		tags:    tagsOf(in.Tags), volume: newVolume(at.region),
		maintenance: cmp.Or(aws.StringValue(in.PreferredMaintenanceWindow), "sun:05:00-sun:05:30"),
		backup:      cmp.Or(aws.StringValue(in.PreferredBackupWindow), "03:00-03:30"),
	}
	if err := r.checkNeeds(at.region, engine, in.OptionGroupName, in.KmsKeyId); err != nil {
		return nil, err
	}
	if in.BackupRetentionPeriod != nil {
		i.retention = *in.BackupRetentionPeriod
	}
	if !aurora(engine) {
		return i, checkStandalone(i, in)
	}
	c, err := r.cluster(at.region, in.DBClusterIdentifier)
	switch {
	case in.DBClusterIdentifier == nil:
		return nil, badCombination("The engine mode provisioned requires a DB cluster: set DBClusterIdentifier")
	case err != nil:
		return nil, err
	case c.engine != engine:
		return nil, badCombination("The engine %s does not match the cluster's engine %s", engine, c.engine)
	case in.AllocatedStorage != nil:
		return nil, badCombination("The AllocatedStorage parameter is not valid for an Aurora DB instance")
	}
	i.cluster, i.volume = c, c.volume
	i.version, i.user, i.port, i.retention, i.storage = c.version, c.user, c.port, c.retention, 1
	c.members = append(c.members, i)
	return i, nil
}

func checkStandalone(i *instance, in *rds.CreateDBInstanceInput) error {
	switch {
	case in.DBClusterIdentifier != nil:
		return badCombination("The DB cluster's engine must be the instance's engine, Aurora")
	case i.user == "":
		return badValue("The parameter MasterUsername must be provided and must not be blank.")
	case in.AllocatedStorage == nil:
		return badValue("The parameter AllocatedStorage must be provided and must not be blank.")
	case in.KmsKeyId != nil && !i.encrypted:
		return badCombination("StorageEncrypted must be true when KmsKeyId is given")
	}
	return checkRetention(&i.retention)
}

// checkNeeds refuses an option group or a key that the Region doesn't have.
func (r *RDS) checkNeeds(region, engine string, options, key *string) error {
	if err := r.checkOptions(region, engine, options); err != nil {
		return err
	}
	return r.checkKey(region, key)
}

// launch registers an instance that becomes available later.
func (r *RDS) launch(i *instance) {
	i.resource = strings.ToUpper(r.world.NewID("db-"))
	i.status, i.created = statusCreating, r.world.Now()
	r.instances[i.place] = i
	r.settle(r.options.Create, func() {
		i.leave(statusCreating)
		if i.retention > 0 {
			i.backedUp = r.world.Now()
		}
	})
	r.event(i.place, "db-instance", "creation", "DB instance created")
}

// leave a passing status for available, unless something else happened meanwhile.
func (i *instance) leave(status string) {
	if i.status == status {
		i.status = statusAvailable
	}
}

func (r *RDS) createReplica(call *wire.Call, in *rds.CreateDBInstanceReadReplicaInput) (*rds.CreateDBInstanceReadReplicaOutput, error) {
	if err := checkIdentifier("DBInstanceIdentifier", aws.StringValue(in.DBInstanceIdentifier)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := locate(call.Region, in.DBInstanceIdentifier)
	if r.instances[at] != nil {
		return nil, fault(rds.ErrCodeDBInstanceAlreadyExistsFault, "DB instance already exists")
	}
	source, err := r.replicaSource(call.Region, in)
	if err != nil {
		return nil, err
	}
	made := *source
	made.place, made.source = at, source.place
	made.class = cmp.Or(aws.StringValue(in.DBInstanceClass), source.class)
	made.key = cmp.Or(aws.StringValue(in.KmsKeyId), source.key)
	made.multiAZ, made.protected = aws.BoolValue(in.MultiAZ), aws.BoolValue(in.DeletionProtection)
	made.retention, made.backedUp, made.pending, made.tags = 0, time.Time{}, nil, tagsOf(in.Tags)
	made.options = cmp.Or(aws.StringValue(in.OptionGroupName), usualOptions(source.engine))
	made.subnetGroup = cmp.Or(aws.StringValue(in.DBSubnetGroupName), "default")
	made.groups = aws.StringValueSlice(in.VpcSecurityGroupIds)
	made.volume = newVolume(at.region)
	made.volume.follow(source.volume, r.world.Now())
	r.launch(&made)
	return &rds.CreateDBInstanceReadReplicaOutput{DBInstance: r.describeInstance(&made)}, nil
}

func (r *RDS) replicaSource(region string, in *rds.CreateDBInstanceReadReplicaInput) (*instance, error) {
	source, err := r.instance(region, in.SourceDBInstanceIdentifier)
	switch {
	case err != nil:
		return nil, err
	case !r.world.Reachable(region, source.region):
		return nil, invalidInstance("The source instance %s cannot be reached", source.id)
	case source.cluster != nil:
		return nil, invalidInstance("The source instance %s is an Aurora instance", source.id)
	case source.status != statusAvailable:
		return nil, invalidInstance("The source instance %s is %s", source.id, source.status)
	case source.retention == 0:
		return nil, invalidInstance("Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the backup retention period to a non-zero value.")
	case source.encrypted && source.region != region && in.KmsKeyId == nil:
		return nil, keyNotAccessible("A cross-Region replica of an encrypted instance needs a KMS key of its own Region")
	case !source.encrypted && in.KmsKeyId != nil:
		return nil, badCombination("You can't create an encrypted Read Replica of the unencrypted DB instance %s.", source.id)
	case source.region == region && in.KmsKeyId != nil && *in.KmsKeyId != source.key:
		return nil, badCombination("A Read Replica in the same Region is encrypted with the key of its source.")
	case len(r.replicas(source)) >= mostReplicas:
		return nil, fault(rds.ErrCodeInstanceQuotaExceededFault, "The instance %s has %d read replicas already.", source.id, mostReplicas)
	}
	return source, r.checkNeeds(region, source.engine, in.OptionGroupName, in.KmsKeyId)
}

// replicas are the read replicas of an instance, in any Region.
func (r *RDS) replicas(i *instance) []*instance {
	var out []*instance
	for _, other := range r.instances {
		if other.source == i.place && other.status != statusDeleting {
			out = append(out, other)
		}
	}
	slices.SortFunc(out, func(a, b *instance) int { return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(a.id, b.id)) })
	return out
}

func (r *RDS) describeInstances(call *wire.Call, in *rds.DescribeDBInstancesInput) (*rds.DescribeDBInstancesOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.DBInstanceIdentifier != nil {
		i, err := r.instance(call.Region, in.DBInstanceIdentifier)
		if err != nil {
			return nil, err
		}
		return &rds.DescribeDBInstancesOutput{DBInstances: []*rds.DBInstance{r.describeInstance(i)}}, nil
	}
	var found []*instance
	for at, i := range r.instances {
		properties := map[string][]string{"db-instance-id": {i.id, r.arn(i.region, "db", i.id)}, "dbi-resource-id": {i.resource}, "engine": {i.engine}, "db-cluster-id": nil}
		if i.cluster != nil {
			properties["db-cluster-id"] = []string{i.cluster.id, r.arn(i.region, "cluster", i.cluster.id)}
		}
		if at.region == call.Region && filtered(in.Filters, properties) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *instance) int { return cmp.Compare(a.id, b.id) })
	page, marker, err := paginate(found, in.Marker, in.MaxRecords)
	out := &rds.DescribeDBInstancesOutput{Marker: marker}
	for _, i := range page {
		out.DBInstances = append(out.DBInstances, r.describeInstance(i))
	}
	return out, err
}

// describeInstance works on a copy: answers are written after the lock is gone.
func (r *RDS) describeInstance(live *instance) *rds.DBInstance {
	one := *live
	i := &one
	out := &rds.DBInstance{
		DBInstanceIdentifier: &i.id, DBInstanceArn: aws.String(r.arn(i.region, "db", i.id)), DbiResourceId: &i.resource,
		DBInstanceStatus: &i.status, DBInstanceClass: &i.class, Engine: &i.engine, EngineVersion: &i.version, AllocatedStorage: &i.storage,
		InstanceCreateTime: &i.created, BackupRetentionPeriod: &i.retention, MultiAZ: &i.multiAZ, DeletionProtection: &i.protected,
		StorageEncrypted: &i.encrypted, AvailabilityZone: aws.String(i.region + "a"), TagList: describeTags(i.tags),
		DBSubnetGroup:         &rds.DBSubnetGroup{DBSubnetGroupName: &i.subnetGroup},
		PendingModifiedValues: i.pending, OptionGroupMemberships: []*rds.OptionGroupMembership{{OptionGroupName: &i.options, Status: aws.String("in-sync")}},
		DBInstanceAutomatedBackupsReplications: r.replications(i), BackupTarget: aws.String("region"),
		PreferredMaintenanceWindow: &i.maintenance, PreferredBackupWindow: &i.backup,
	}
	switch w := r.window(i); {
	case i.cluster != nil:
		out.LatestRestorableTime = aws.Time(r.world.Now()) // Aurora's storage keeps its own log
	case w != nil:
		out.LatestRestorableTime = w.LatestTime
	}
	if i.user != "" {
		out.MasterUsername = &i.user
	}
	if i.database != "" {
		out.DBName = &i.database
	}
	if i.encrypted && i.key != "" {
		out.KmsKeyId = &i.key
	}
	if i.multiAZ {
		out.SecondaryAvailabilityZone = aws.String(i.region + "b")
	}
	if i.status != statusCreating {
		out.Endpoint = &rds.Endpoint{Address: aws.String(i.id + "." + r.world.Account() + "." + i.region + ".rds.amazonaws.com"), Port: &i.port}
	}
	for _, group := range i.groups {
		out.VpcSecurityGroups = append(out.VpcSecurityGroups, &rds.VpcSecurityGroupMembership{VpcSecurityGroupId: aws.String(group), Status: aws.String("active")})
	}
	if i.cluster != nil {
		out.DBClusterIdentifier = &i.cluster.id
	}
	r.describeReplication(i, out)
	return out
}

// describeReplication names replicas and sources: by identifier within a
// Region, by ARN across Regions.
func (r *RDS) describeReplication(i *instance, out *rds.DBInstance) {
	name := func(at place) *string {
		if at.region == i.region {
			return aws.String(at.id)
		}
		return aws.String(r.arn(at.region, "db", at.id))
	}
	for _, replica := range r.replicas(i) {
		out.ReadReplicaDBInstanceIdentifiers = append(out.ReadReplicaDBInstanceIdentifiers, name(replica.place))
	}
	if i.source == (place{}) {
		return
	}
	out.ReadReplicaSourceDBInstanceIdentifier = name(i.source)
	info := &rds.DBInstanceStatusInfo{StatusType: aws.String("read replication"), Status: aws.String("replicating"), Normal: aws.Bool(true)}
	if i.volume.source == nil || !r.world.Reachable(i.source.region, i.region) {
		info.Status, info.Normal, info.Message = aws.String("error"), aws.Bool(false), aws.String("The source cannot be reached")
	}
	out.StatusInfos = []*rds.DBInstanceStatusInfo{info}
}
