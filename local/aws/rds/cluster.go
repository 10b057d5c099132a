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

// Statuses of clusters, instances and global clusters.
const (
	statusCreating      = "creating"
	statusAvailable     = "available"
	statusModifying     = "modifying"
	statusRebooting     = "rebooting"
	statusDeleting      = "deleting"
	statusStopping      = "stopping"
	statusStopped       = "stopped"
	statusStarting      = "starting"
	statusFailingOver   = "failing-over"
	statusSwitchingOver = "switching-over"
	statusPromoting     = "promoting"
	statusRebuilding    = "rebuilding"
)

// cluster is an Aurora cluster in one Region.
type cluster struct {
	place
	resource        string
	status          string
	engine, version string
	database, user  string
	port            int64
	created         time.Time
	retention       int64
	protected       bool
	forwarding      bool
	subnetGroup     string
	parameterGroup  string
	groups          []string
	zones           []string
	encrypted       bool
	key             string
	tags            map[string]string
	members         []*instance
	volume          *volume
	global          *global
	sync            string // synchronization with the global cluster's writer
	fenced          bool   // storage refuses writes: another cluster was promoted
	frozen          bool   // writes pause while a switchover drains
	kept            bool   // what a failover lost here is in a snapshot
}

// isWriter tells whether the cluster takes writes: alone, or as the writer of
// its global cluster.
func (c *cluster) isWriter() bool { return c.global == nil || c.global.writer == c }

func (r *RDS) serveClusters() {
	wire.Handle(r.wire, "CreateDBCluster", r.createCluster)
	wire.Handle(r.wire, "DescribeDBClusters", r.describeClusters)
	wire.Handle(r.wire, "ModifyDBCluster", r.modifyCluster)
	wire.Handle(r.wire, "DeleteDBCluster", r.deleteCluster)
}

// cluster finds one by identifier or ARN; r.mu is held.
func (r *RDS) cluster(region string, idOrARN *string) (*cluster, error) {
	if c, ok := r.clusters[locate(region, idOrARN)]; ok {
		return c, nil
	}
	return nil, missing(rds.ErrCodeDBClusterNotFoundFault, "DBCluster %s not found.", aws.StringValue(idOrARN))
}

func (r *RDS) createCluster(call *wire.Call, in *rds.CreateDBClusterInput) (*rds.CreateDBClusterOutput, error) {
	if err := checkIdentifier("DBClusterIdentifier", aws.StringValue(in.DBClusterIdentifier)); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := locate(call.Region, in.DBClusterIdentifier)
	if r.clusters[at] != nil {
		return nil, fault(rds.ErrCodeDBClusterAlreadyExistsFault, "DB Cluster already exists")
	}
	if !aurora(aws.StringValue(in.Engine)) {
		return nil, badValue("Invalid DB engine: %s. Valid DB engines are aurora-mysql and aurora-postgresql", aws.StringValue(in.Engine))
	}
	g, err := r.joining(at.region, in)
	if err != nil {
		return nil, err
	}
	c := r.newCluster(at, in)
	c.join(g)
	r.clusters[at] = c
	r.settle(r.options.Create, func() { r.clusterCreated(c) })
	return &rds.CreateDBClusterOutput{DBCluster: r.describeCluster(c)}, nil
}

func (r *RDS) newCluster(at place, in *rds.CreateDBClusterInput) *cluster {
	engine := aws.StringValue(in.Engine)
	version := cmp.Or(aws.StringValue(in.EngineVersion), defaultVersion(engine))
	c := &cluster{
		place: at, resource: strings.ToUpper(r.world.NewID("cluster-")), status: statusCreating,
		engine: engine, version: version,
		database: aws.StringValue(in.DatabaseName), user: aws.StringValue(in.MasterUsername),
		port: cmp.Or(aws.Int64Value(in.Port), defaultPort(engine)), created: r.world.Now(),
		retention: cmp.Or(aws.Int64Value(in.BackupRetentionPeriod), 1), protected: aws.BoolValue(in.DeletionProtection),
		forwarding: aws.BoolValue(in.EnableGlobalWriteForwarding), subnetGroup: cmp.Or(aws.StringValue(in.DBSubnetGroupName), "default"),
		parameterGroup: cmp.Or(aws.StringValue(in.DBClusterParameterGroupName), "default."+familyOf(engine, version)),
		groups:         aws.StringValueSlice(in.VpcSecurityGroupIds), zones: aws.StringValueSlice(in.AvailabilityZones),
		encrypted: aws.BoolValue(in.StorageEncrypted), key: aws.StringValue(in.KmsKeyId),
		tags: tagsOf(in.Tags), volume: newVolume(at.region),
	}
	if len(c.zones) == 0 {
		c.zones = []string{at.region + "a", at.region + "b", at.region + "c"}
	}
	return c
}

func defaultVersion(engine string) string {
	switch engine {
	case "aurora-mysql":
		return "8.0.mysql_aurora.3.08.2"
	case "mysql":
		return "8.0.42"
	case "aurora-postgresql", "postgres":
		return "16.8"
	default:
		return "1.0"
	}
}

func defaultPort(engine string) int64 {
	if strings.Contains(engine, "postgres") {
		return 5432
	}
	return 3306
}

// joining finds the global cluster that a new cluster is to be part of, and
// refuses what AWS refuses; nil when it is to stand alone.
func (r *RDS) joining(region string, in *rds.CreateDBClusterInput) (*global, error) {
	credentials := in.MasterUsername != nil
	if in.GlobalClusterIdentifier == nil {
		if !credentials {
			return nil, badValue("The parameter MasterUsername must be provided and must not be blank.")
		}
		return nil, nil
	}
	g, err := r.global(in.GlobalClusterIdentifier)
	if err != nil {
		return nil, err
	}
	switch {
	case g.state != nil:
		return nil, invalidGlobal(g, "it is "+g.status)
	case g.writer == nil && !credentials:
		return nil, badValue("The parameter MasterUsername must be provided and must not be blank.")
	case g.writer != nil && credentials:
		return nil, badCombination("Cannot specify user name for cross region replication cluster")
	case slices.ContainsFunc(g.members, func(c *cluster) bool { return c.region == region }):
		return nil, fault(rds.ErrCodeInvalidGlobalClusterStateFault, "Global cluster %s already has a member in Region %s", g.id, region)
	case g.engine != "" && g.engine != aws.StringValue(in.Engine):
		return nil, badCombination("The engine %s does not match the global cluster's engine %s", aws.StringValue(in.Engine), g.engine)
	case g.writer != nil && in.EngineVersion != nil && *in.EngineVersion != g.version:
		return nil, badCombination("The engine version %s does not match the global cluster's engine version %s", *in.EngineVersion, g.version)
	case g.writer != nil && !r.world.Reachable(region, g.writer.region):
		return nil, invalidGlobal(g, "its primary cluster cannot be reached")
	}
	return g, nil
}

// join makes a cluster a member: the first is the writer, the others will
// follow it and take its engine version and user.
func (c *cluster) join(g *global) {
	if g == nil {
		return
	}
	c.global = g
	g.members = append(g.members, c)
	if g.writer == nil {
		g.writer = c
		g.engine, g.version = c.engine, c.version
		c.sync = rds.GlobalClusterMemberSynchronizationStatusConnected
		return
	}
	c.version, c.user, c.database = g.version, g.writer.user, g.writer.database
	c.sync = rds.GlobalClusterMemberSynchronizationStatusPendingResync
}

func (r *RDS) clusterCreated(c *cluster) {
	if c.status != statusCreating {
		return
	}
	c.status = statusAvailable
	if c.global != nil && c.global.writer != c {
		r.connectMember(c)
	}
	r.event(c.place, "db-cluster", "creation", "DB cluster created")
}

func (r *RDS) describeClusters(call *wire.Call, in *rds.DescribeDBClustersInput) (*rds.DescribeDBClustersOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted, err := r.selectClusters(call.Region, in)
	if err != nil {
		return nil, err
	}
	out := &rds.DescribeDBClustersOutput{}
	for _, c := range wanted {
		out.DBClusters = append(out.DBClusters, r.describeCluster(c))
	}
	out.DBClusters, out.Marker, err = paginate(out.DBClusters, in.Marker, in.MaxRecords)
	return out, err
}

func (r *RDS) selectClusters(region string, in *rds.DescribeDBClustersInput) ([]*cluster, error) {
	if in.DBClusterIdentifier != nil {
		c, err := r.cluster(region, in.DBClusterIdentifier)
		return []*cluster{c}, err
	}
	var out []*cluster
	for at, c := range r.clusters {
		if at.region == region && filtered(in.Filters, map[string][]string{
			"db-cluster-id":          {c.id, r.arn(c.region, "cluster", c.id)},
			"db-cluster-resource-id": {c.resource},
			"engine":                 {c.engine},
		}) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b *cluster) int { return cmp.Compare(a.id, b.id) })
	return out, nil
}

// describeCluster works on a copy: answers are written after the lock is gone.
func (r *RDS) describeCluster(live *cluster) *rds.DBCluster {
	one, writer := *live, live.isWriter()
	c := &one
	host := c.id + ".cluster-" + strings.ToLower(r.world.Account()) + "." + c.region + ".rds.amazonaws.com"
	out := &rds.DBCluster{
		DBClusterIdentifier: &c.id, DBClusterArn: aws.String(r.arn(c.region, "cluster", c.id)), DbClusterResourceId: &c.resource,
		Status: &c.status, Engine: &c.engine, EngineVersion: &c.version, EngineMode: aws.String("provisioned"), Port: &c.port,
		Endpoint: &host, ReaderEndpoint: aws.String(strings.Replace(host, ".cluster-", ".cluster-ro-", 1)),
		ClusterCreateTime: &c.created, BackupRetentionPeriod: &c.retention, DeletionProtection: &c.protected,
		DBSubnetGroup: &c.subnetGroup, DBClusterParameterGroup: &c.parameterGroup, AvailabilityZones: aws.StringSlice(c.zones),
		StorageEncrypted: &c.encrypted, MultiAZ: aws.Bool(len(c.members) > 1), TagList: describeTags(c.tags),
		EarliestRestorableTime: &c.created, LatestRestorableTime: aws.Time(r.world.Now()), AllocatedStorage: aws.Int64(1),
	}
	if c.encrypted && c.key != "" {
		out.KmsKeyId = &c.key
	}
	if c.user != "" {
		out.MasterUsername = &c.user
	}
	if c.database != "" {
		out.DatabaseName = &c.database
	}
	if c.forwarding {
		out.GlobalWriteForwardingRequested = aws.Bool(true)
	}
	for _, group := range c.groups {
		out.VpcSecurityGroups = append(out.VpcSecurityGroups, &rds.VpcSecurityGroupMembership{VpcSecurityGroupId: aws.String(group), Status: aws.String("active")})
	}
	for n, m := range c.members {
		out.DBClusterMembers = append(out.DBClusterMembers, &rds.DBClusterMember{
			DBInstanceIdentifier: &m.id, IsClusterWriter: aws.Bool(n == 0 && writer), PromotionTier: aws.Int64(1),
			DBClusterParameterGroupStatus: aws.String("in-sync"),
		})
	}
	return out
}

func (r *RDS) modifyCluster(call *wire.Call, in *rds.ModifyDBClusterInput) (*rds.ModifyDBClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.cluster(call.Region, in.DBClusterIdentifier)
	switch {
	case err != nil:
		return nil, err
	case c.status != statusAvailable:
		return nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "DB cluster %s is not available; it is %s", c.id, c.status)
	case in.NewDBClusterIdentifier != nil:
		return nil, badCombination("Renaming a DB cluster is not supported here")
	}
	c.retention = cmp.Or(aws.Int64Value(in.BackupRetentionPeriod), c.retention)
	c.version = cmp.Or(aws.StringValue(in.EngineVersion), c.version)
	c.parameterGroup = cmp.Or(aws.StringValue(in.DBClusterParameterGroupName), c.parameterGroup)
	if in.DeletionProtection != nil {
		c.protected = *in.DeletionProtection
	}
	if in.EnableGlobalWriteForwarding != nil {
		c.forwarding = *in.EnableGlobalWriteForwarding
	}
	if in.VpcSecurityGroupIds != nil {
		c.groups = aws.StringValueSlice(in.VpcSecurityGroupIds)
	}
	c.status = statusModifying
	r.settle(r.options.Modify, func() { c.leave(statusModifying) })
	return &rds.ModifyDBClusterOutput{DBCluster: r.describeCluster(c)}, nil
}

// leave a passing status for available, unless something else happened meanwhile.
func (c *cluster) leave(status string) {
	if c.status == status {
		c.status = statusAvailable
	}
}

func (r *RDS) deleteCluster(call *wire.Call, in *rds.DeleteDBClusterInput) (*rds.DeleteDBClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.cluster(call.Region, in.DBClusterIdentifier)
	switch {
	case err != nil:
		return nil, err
	case c.protected:
		return nil, badCombination("Cannot delete protected Cluster, please disable deletion protection and try again.")
	case c.global != nil:
		return nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "This cluster is a part of a global cluster, please remove it from globalcluster first")
	case slices.ContainsFunc(c.members, func(i *instance) bool { return i.status != statusDeleting }):
		return nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
	case !aws.BoolValue(in.SkipFinalSnapshot) && in.FinalDBSnapshotIdentifier == nil:
		return nil, badCombination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	}
	if in.FinalDBSnapshotIdentifier != nil {
		if _, err := r.takeSnapshot(c, strings.ToLower(*in.FinalDBSnapshotIdentifier), "manual"); err != nil {
			return nil, err
		}
	}
	c.status = statusDeleting
	r.settle(r.options.Delete, func() { r.forgetCluster(c) })
	return &rds.DeleteDBClusterOutput{DBCluster: r.describeCluster(c)}, nil
}

// forgetCluster removes a cluster and, as AWS does, its automated snapshots.
func (r *RDS) forgetCluster(c *cluster) {
	delete(r.clusters, c.place)
	for at, s := range r.snapshots {
		if at.region == c.region && s.cluster == c.id && s.kind == "automated" {
			delete(r.snapshots, at)
		}
	}
}
