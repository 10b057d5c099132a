package rds

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// global is an Aurora global database.
type global struct {
	id, resource    string
	engine, version string
	database        string
	status          string
	protected       bool
	encrypted       bool
	members         []*cluster
	writer          *cluster
	state           *failover // nil when no switchover or failover runs
	// lost are clusters that a failover replaced: to be fenced, kept as a
	// snapshot and rebuilt as soon as their Region can be reached.
	lost []*cluster
}

// failover is a running switchover or failover.
type failover struct {
	status   string
	from, to *cluster
	dataLoss bool
}

func (r *RDS) serveGlobals() {
	wire.Handle(r.wire, "CreateGlobalCluster", r.createGlobal)
	wire.Handle(r.wire, "DescribeGlobalClusters", r.describeGlobals)
	wire.Handle(r.wire, "ModifyGlobalCluster", r.modifyGlobal)
	wire.Handle(r.wire, "DeleteGlobalCluster", r.deleteGlobal)
	wire.Handle(r.wire, "RemoveFromGlobalCluster", r.removeFromGlobal)
	wire.Handle(r.wire, "SwitchoverGlobalCluster", r.switchoverGlobal)
	wire.Handle(r.wire, "FailoverGlobalCluster", r.failoverGlobal)
}

// global finds one; r.mu is held.
func (r *RDS) global(id *string) (*global, error) {
	if g, ok := r.globals[strings.ToLower(aws.StringValue(id))]; ok {
		return g, nil
	}
	return nil, missing(rds.ErrCodeGlobalClusterNotFoundFault, "Global cluster %s not found", aws.StringValue(id))
}

func invalidGlobal(g *global, why string) *wire.Error {
	return fault(rds.ErrCodeInvalidGlobalClusterStateFault, "Global cluster %s is not in a valid state for this operation: %s", g.id, why)
}

func (r *RDS) createGlobal(_ *wire.Call, in *rds.CreateGlobalClusterInput) (*rds.CreateGlobalClusterOutput, error) {
	id := strings.ToLower(aws.StringValue(in.GlobalClusterIdentifier))
	if err := checkIdentifier("GlobalClusterIdentifier", id); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.globals[id] != nil {
		return nil, fault(rds.ErrCodeGlobalClusterAlreadyExistsFault, "Global cluster %s already exists", id)
	}
	g := &global{
		id: id, resource: r.world.NewID("cluster-"), status: statusAvailable,
		engine: aws.StringValue(in.Engine), version: aws.StringValue(in.EngineVersion),
		database: aws.StringValue(in.DatabaseName), protected: aws.BoolValue(in.DeletionProtection), encrypted: aws.BoolValue(in.StorageEncrypted),
	}
	switch {
	case in.SourceDBClusterIdentifier != nil:
		if err := r.adopt(g, in); err != nil {
			return nil, err
		}
	case !aurora(g.engine):
		return nil, badValue("The parameter Engine must be aurora-mysql or aurora-postgresql when no source cluster is given")
	}
	if g.version == "" {
		g.version = defaultVersion(g.engine)
	}
	r.globals[id] = g
	return &rds.CreateGlobalClusterOutput{GlobalCluster: r.describeGlobal(g)}, nil
}

// adopt makes an existing cluster the writer of a new global cluster.
func (r *RDS) adopt(g *global, in *rds.CreateGlobalClusterInput) error {
	c, err := r.cluster("", in.SourceDBClusterIdentifier)
	switch {
	case err != nil:
		return err
	case in.Engine != nil || in.EngineVersion != nil || in.DatabaseName != nil:
		return badCombination("When creating global cluster from existing db cluster, value for engineName should not be specified since it will be inherited from source cluster")
	case c.global != nil:
		return fault(rds.ErrCodeInvalidDBClusterStateFault, "Cluster %s is already part of a global cluster", c.id)
	case c.status != statusAvailable:
		return fault(rds.ErrCodeInvalidDBClusterStateFault, "Cluster %s is %s", c.id, c.status)
	}
	g.encrypted = c.encrypted
	c.join(g)
	return nil
}

func (r *RDS) describeGlobals(_ *wire.Call, in *rds.DescribeGlobalClustersInput) (*rds.DescribeGlobalClustersOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &rds.DescribeGlobalClustersOutput{}
	if in.GlobalClusterIdentifier != nil {
		g, err := r.global(in.GlobalClusterIdentifier)
		if err != nil {
			return nil, err
		}
		out.GlobalClusters = append(out.GlobalClusters, r.describeGlobal(g))
		return out, nil
	}
	for _, id := range slices.Sorted(maps.Keys(r.globals)) {
		out.GlobalClusters = append(out.GlobalClusters, r.describeGlobal(r.globals[id]))
	}
	var err error
	out.GlobalClusters, out.Marker, err = paginate(out.GlobalClusters, in.Marker, in.MaxRecords)
	return out, err
}

// describeGlobal works on a copy: answers are written after the lock is gone.
func (r *RDS) describeGlobal(live *global) *rds.GlobalCluster {
	one := *live
	g := &one
	out := &rds.GlobalCluster{
		GlobalClusterIdentifier: &g.id, GlobalClusterArn: aws.String(r.globalARN(g.id)), GlobalClusterResourceId: &g.resource,
		Status: &g.status, Engine: &g.engine, EngineVersion: &g.version, DeletionProtection: &g.protected, StorageEncrypted: &g.encrypted,
	}
	if g.database != "" {
		out.DatabaseName = &g.database
	}
	for _, c := range g.members {
		out.GlobalClusterMembers = append(out.GlobalClusterMembers, r.describeMember(g, c))
	}
	if g.state != nil {
		out.FailoverState = &rds.FailoverState{
			Status: aws.String(g.state.status), IsDataLossAllowed: aws.Bool(g.state.dataLoss),
			FromDbClusterArn: aws.String(r.arn(g.state.from.region, "cluster", g.state.from.id)),
			ToDbClusterArn:   aws.String(r.arn(g.state.to.region, "cluster", g.state.to.id)),
		}
	}
	return out
}

func (r *RDS) describeMember(g *global, c *cluster) *rds.GlobalClusterMember {
	m := &rds.GlobalClusterMember{
		DBClusterArn: aws.String(r.arn(c.region, "cluster", c.id)),
		IsWriter:     aws.Bool(g.writer == c),
	}
	if c.sync != "" {
		m.SynchronizationStatus = aws.String(c.sync)
	}
	if g.writer == c { // the writer lists the clusters that read from it
		for _, other := range g.members {
			if other != c {
				m.Readers = append(m.Readers, aws.String(r.arn(other.region, "cluster", other.id)))
			}
		}
		return m
	}
	forwarding := rds.WriteForwardingStatusDisabled
	if c.forwarding {
		forwarding = rds.WriteForwardingStatusEnabled
	}
	m.GlobalWriteForwardingStatus = &forwarding
	return m
}

func (r *RDS) modifyGlobal(_ *wire.Call, in *rds.ModifyGlobalClusterInput) (*rds.ModifyGlobalClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.global(in.GlobalClusterIdentifier)
	switch {
	case err != nil:
		return nil, err
	case g.state != nil:
		return nil, invalidGlobal(g, "it is "+g.status)
	}
	if in.DeletionProtection != nil {
		g.protected = *in.DeletionProtection
	}
	if renamed := strings.ToLower(aws.StringValue(in.NewGlobalClusterIdentifier)); renamed != "" {
		if r.globals[renamed] != nil {
			return nil, fault(rds.ErrCodeGlobalClusterAlreadyExistsFault, "Global cluster %s already exists", renamed)
		}
		delete(r.globals, g.id)
		g.id = renamed
		r.globals[renamed] = g
	}
	g.version = cmp.Or(aws.StringValue(in.EngineVersion), g.version)
	return &rds.ModifyGlobalClusterOutput{GlobalCluster: r.describeGlobal(g)}, nil
}

func (r *RDS) deleteGlobal(_ *wire.Call, in *rds.DeleteGlobalClusterInput) (*rds.DeleteGlobalClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.global(in.GlobalClusterIdentifier)
	switch {
	case err != nil:
		return nil, err
	case g.protected:
		return nil, badCombination("Cannot delete protected global cluster, please disable deletion protection and try again.")
	case len(g.members) > 0:
		return nil, invalidGlobal(g, "it still has member clusters")
	}
	delete(r.globals, g.id)
	g.status = statusDeleting
	return &rds.DeleteGlobalClusterOutput{GlobalCluster: r.describeGlobal(g)}, nil
}

func (r *RDS) removeFromGlobal(call *wire.Call, in *rds.RemoveFromGlobalClusterInput) (*rds.RemoveFromGlobalClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.global(in.GlobalClusterIdentifier)
	if err != nil {
		return nil, err
	}
	c, err := r.cluster(call.Region, in.DbClusterIdentifier)
	switch {
	case err != nil:
		return nil, err
	case c.global != g:
		return nil, missing(rds.ErrCodeDBClusterNotFoundFault, "DBCluster %s is not a member of global cluster %s", c.id, g.id)
	case g.state != nil:
		return nil, invalidGlobal(g, "it is "+g.status)
	case g.writer == c && len(g.members) > 1:
		return nil, invalidGlobal(g, "its primary cluster can only be removed as the last member")
	}
	r.detach(g, c)
	return &rds.RemoveFromGlobalClusterOutput{GlobalCluster: r.describeGlobal(g)}, nil
}

// detach makes a member a cluster of its own, which takes writes from what it
// has received so far.
func (r *RDS) detach(g *global, c *cluster) {
	g.members = slices.DeleteFunc(g.members, func(m *cluster) bool { return m == c })
	g.lost = slices.DeleteFunc(g.lost, func(m *cluster) bool { return m == c })
	if g.writer == c {
		g.writer = nil
	}
	c.volume.leave()
	c.global, c.sync, c.fenced = nil, "", false
	if c.status == statusAvailable {
		c.status = statusPromoting
		r.settle(r.options.Modify, func() { c.leave(statusPromoting) })
	}
}

// connectMember makes a member a working secondary of the writer.
func (r *RDS) connectMember(c *cluster) {
	c.volume.follow(c.global.writer.volume, r.world.Now())
	c.fenced, c.kept, c.status = false, false, statusAvailable
	c.sync = rds.GlobalClusterMemberSynchronizationStatusConnected
	r.publish(c, "connected")
}

// publish tells the world about a member of a global cluster, for those who
// wait for it. It does so without the lock.
func (r *RDS) publish(c *cluster, kind string) {
	e := world.Event{Service: "rds", Kind: "global-cluster-" + kind, Region: c.region, ID: c.id}
	if c.global != nil {
		e.Detail = map[string]string{"globalCluster": c.global.id}
	}
	r.world.After(0, func() { r.world.Publish(e) })
}
