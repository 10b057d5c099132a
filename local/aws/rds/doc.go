// Package rds is the simulated Amazon RDS and Aurora: instances and cross-Region
// read replicas, Aurora clusters, Aurora global databases with switchover and
// failover, automated backups that another Region keeps, the groups that all these
// are placed in, and subscriptions to events.
//
// It owns their states, the volumes behind them (key and value, in commit
// order), the replication between volumes and the fencing of a writer that was
// replaced. It does not own wire formats, faults of single calls, the clock, or
// CloudWatch: metrics leave through the Metrics interface.
//
// How it fails: as AWS does, with AWS's wire codes (which are not always the
// shape names). Replication is asynchronous and keeps the order of commits: a
// secondary always holds a prefix of what its primary acknowledged. An unplanned
// failover drops the rest; the old volume is kept as a snapshot named
// "rds:unplanned-global-failover-<cluster>-<time>" once its Region can be
// reached again, and is then rebuilt from the new primary.
//
// Not simulated: SQL, what a parameter or an option changes, encryption itself,
// which Regions AWS pairs for backups, instance snapshots, point-in-time restore,
// write forwarding.
package rds
