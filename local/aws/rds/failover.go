package rds

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

// drainPoll is how often a switchover looks whether the target has everything.
const drainPoll = 200 * time.Millisecond

func (r *RDS) switchoverGlobal(call *wire.Call, in *rds.SwitchoverGlobalClusterInput) (*rds.SwitchoverGlobalClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.switchover(call.Region, in.GlobalClusterIdentifier, in.TargetDbClusterIdentifier)
	if err != nil {
		return nil, err
	}
	return &rds.SwitchoverGlobalClusterOutput{GlobalCluster: r.describeGlobal(g)}, nil
}

// failoverGlobal is a switchover unless data loss is allowed: that is AWS's
// default, and the reason why a failover that forgot AllowDataLoss does nothing
// when the primary is dead.
func (r *RDS) failoverGlobal(call *wire.Call, in *rds.FailoverGlobalClusterInput) (*rds.FailoverGlobalClusterOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	act := r.switchover
	switch {
	case aws.BoolValue(in.AllowDataLoss) && aws.BoolValue(in.Switchover):
		return nil, badCombination("AllowDataLoss and Switchover cannot be specified together")
	case aws.BoolValue(in.AllowDataLoss):
		act = r.failover
	}
	g, err := act(call.Region, in.GlobalClusterIdentifier, in.TargetDbClusterIdentifier)
	if err != nil {
		return nil, err
	}
	return &rds.FailoverGlobalClusterOutput{GlobalCluster: r.describeGlobal(g)}, nil
}

// target finds the member to be promoted and refuses what AWS refuses for a
// switchover and a failover alike.
func (r *RDS) target(region string, globalID, targetID *string) (*global, *cluster, error) {
	g, err := r.global(globalID)
	if err != nil {
		return nil, nil, err
	}
	to, err := r.cluster(region, targetID)
	switch {
	case err != nil:
		return nil, nil, err
	case to.global != g:
		return nil, nil, missing(rds.ErrCodeDBClusterNotFoundFault, "DBCluster %s is not a member of global cluster %s", to.id, g.id)
	case g.state != nil:
		return nil, nil, invalidGlobal(g, "it is "+g.status)
	case g.writer == to:
		return nil, nil, invalidGlobal(g, "the target is the primary cluster already")
	case len(to.members) == 0:
		return nil, nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "DB cluster %s has no DB instances (headless cluster) and cannot become the primary cluster", to.id)
	case to.status != statusAvailable || !r.usable(to):
		return nil, nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "DB cluster %s is not available", to.id)
	case to.volume.source == nil || to.sync != rds.GlobalClusterMemberSynchronizationStatusConnected:
		return nil, nil, fault(rds.ErrCodeInvalidDBClusterStateFault, "DB cluster %s is not synchronized: %s", to.id, to.sync)
	}
	return g, to, nil
}

// usable tells whether a cluster has an instance that works, in a Region that does.
func (r *RDS) usable(c *cluster) bool {
	if r.world.Dark(c.region) {
		return false
	}
	for _, i := range c.members {
		if r.serving(i) {
			return true
		}
	}
	return false
}

// switchover begins the planned move: the primary stops taking writes, the
// target receives the rest, the roles change. Nothing is lost.
func (r *RDS) switchover(region string, globalID, targetID *string) (*global, error) {
	g, to, err := r.target(region, globalID, targetID)
	switch {
	case err != nil:
		return nil, err
	case g.writer.region != region:
		return nil, invalidGlobal(g, "a switchover has to be started in the primary cluster's Region, "+g.writer.region)
	case g.writer.status != statusAvailable || !r.usable(g.writer) || !r.world.Reachable(region, to.region):
		return nil, invalidGlobal(g, "the primary cluster is not healthy")
	}
	from := g.writer
	r.begin(g, &failover{status: rds.FailoverStatusPending, from: from, to: to}, statusSwitchingOver)
	from.frozen = true
	r.settle(r.options.Switchover, func() { r.drain(g, g.state) })
	return g, nil
}

func (r *RDS) begin(g *global, f *failover, status string) {
	g.state, g.status = f, status
	f.to.status = status
	if r.world.Reachable(f.to.region, f.from.region) {
		f.from.status = status
	}
	// AWS answers with "pending" and goes to work a moment later.
	r.settle(time.Second, func() {
		if g.state == f && f.status == rds.FailoverStatusPending {
			f.status = status
		}
	})
	r.event(f.to.place, "db-cluster", "global-failover", fmt.Sprintf("Global %s to DB cluster %s in Region %s started.", f.words(), f.to.id, f.to.region))
}

func (f *failover) words() string {
	if f.dataLoss {
		return "failover"
	}
	return "switchover"
}

// drain ends a switchover once the target has every commit, or cancels it when
// the primary cannot deliver any more.
func (r *RDS) drain(g *global, f *failover) {
	if g.state != f {
		return
	}
	switch {
	case !r.world.Reachable(f.from.region, f.to.region):
		r.cancel(g, f)
	case f.to.volume.lsn < f.from.volume.lsn:
		r.settle(drainPoll, func() { r.drain(g, f) })
	default:
		f.from.frozen = false
		f.to.volume.leave()
		r.promote(g, f)
		for _, c := range g.members {
			if c != f.to {
				r.connectMember(c)
			}
		}
	}
}

// cancel gives up: the old writer keeps its role.
func (r *RDS) cancel(g *global, f *failover) {
	f.from.frozen, f.from.fenced = false, false
	f.from.leave(g.status)
	f.to.leave(g.status)
	g.state, g.status = nil, statusAvailable
	r.event(f.to.place, "db-cluster", "global-failover", fmt.Sprintf("Global %s to DB cluster %s in Region %s failed.", f.words(), f.to.id, f.to.region))
	r.publish(f.to, "cancelled")
}

// promote makes the target the writer.
func (r *RDS) promote(g *global, f *failover) {
	g.writer = f.to
	f.to.sync = rds.GlobalClusterMemberSynchronizationStatusConnected
	f.to.status = statusAvailable
	f.from.leave(g.status)
	g.state, g.status = nil, statusAvailable
	r.event(f.to.place, "db-cluster", "global-failover", fmt.Sprintf("Global %s to DB cluster %s in Region %s completed.", f.words(), f.to.id, f.to.region))
	r.event(f.to.place, "db-cluster", "global-failover", "The DNS record of the global writer endpoint was updated.")
	r.publish(f.to, "promoted")
}

// failover begins the unplanned promotion of a secondary. What the old primary
// acknowledged and the target has not received by the end is lost to it.
func (r *RDS) failover(region string, globalID, targetID *string) (*global, error) {
	g, to, err := r.target(region, globalID, targetID)
	switch {
	case err != nil:
		return nil, err
	case to.region != region:
		return nil, invalidGlobal(g, "a failover has to be started in the target cluster's Region, "+to.region)
	}
	f := &failover{status: rds.FailoverStatusPending, from: g.writer, to: to, dataLoss: true}
	r.begin(g, f, statusFailingOver)
	r.fence(g)
	r.settle(r.options.Promotion, func() { r.takeOver(g, f) })
	return g, nil
}

// takeOver ends an unplanned failover.
func (r *RDS) takeOver(g *global, f *failover) {
	if g.state != f {
		return
	}
	if r.world.Dark(f.to.region) {
		r.cancel(g, f)
		return
	}
	f.to.volume.leave()
	for _, c := range g.members {
		if c != f.to {
			c.sync = rds.GlobalClusterMemberSynchronizationStatusPendingResync
			g.lost = append(g.lost, c)
		}
	}
	r.promote(g, f)
	r.fence(g)
	r.rejoin(g)
}

// fence stops writes at the storage of the cluster that is being, or was,
// replaced. Like AWS's it is best effort: it takes effect when the old Region
// can be reached, not before. r.mu is held.
func (r *RDS) fence(g *global) {
	if f := g.state; f != nil && f.dataLoss && r.world.Reachable(f.to.region, f.from.region) {
		f.from.fenced = true
	}
	for _, c := range g.lost {
		if r.world.Reachable(g.writer.region, c.region) {
			c.fenced = true
		}
	}
}

// rejoin rebuilds, from the new writer, the members that a failover left behind
// and whose Region can be reached. Their old volume is first kept as a snapshot:
// it is the only copy of what was lost. r.mu is held.
func (r *RDS) rejoin(g *global) {
	for _, c := range g.lost {
		if c.status == statusRebuilding || g.state != nil || !r.world.Reachable(g.writer.region, c.region) {
			continue
		}
		if c.volume.source == nil && !c.kept { // was the writer itself
			r.keepLostTail(c)
		}
		c.kept = true
		c.volume.leave()
		c.status = statusRebuilding
		r.event(c.place, "db-cluster", "global-failover", fmt.Sprintf("Resynchronization of DB cluster %s with global cluster %s started.", c.id, g.id))
		r.settle(r.options.Rebuild, func() { r.rebuilt(g, c) })
	}
}

func (r *RDS) keepLostTail(c *cluster) {
	name := fmt.Sprintf("rds:unplanned-global-failover-%s-%s", c.id, r.world.Now().UTC().Format("2006-01-02-15-04-05"))
	if _, err := r.takeSnapshot(c, name, "automated"); err != nil {
		r.world.Logger().Error("keep the volume of a replaced writer", "cluster", c.id, "error", err)
	}
}

// rebuilt ends a rebuild, or puts it off when the Region was lost again meanwhile.
func (r *RDS) rebuilt(g *global, c *cluster) {
	if c.status != statusRebuilding || c.global != g {
		return
	}
	if !r.world.Reachable(g.writer.region, c.region) {
		c.status = statusAvailable
		return
	}
	for n, lost := range g.lost {
		if lost == c {
			g.lost = append(g.lost[:n:n], g.lost[n+1:]...)
			break
		}
	}
	r.connectMember(c)
	r.event(c.place, "db-cluster", "global-failover", fmt.Sprintf("Resynchronization of DB cluster %s with global cluster %s completed.", c.id, g.id))
}
