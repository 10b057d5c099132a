package rds

import (
	"time"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// AuroraRef is an Aurora global database as one Region knows it.
type AuroraRef struct {
	Region        plan.Region `json:"region"` // that is asked
	GlobalCluster string      `json:"global_cluster"`
	// Suspect is a Region that is not asked about its instances.
	Suspect plan.Region   `json:"suspect,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Aurora is the state of a global database.
type Aurora struct {
	Status string `json:"status"`
	// FailoverStatus is pending, failing-over, switching-over or cancelling;
	// empty when nothing is going on.
	FailoverStatus string         `json:"failover_status,omitempty"`
	FailoverTarget string         `json:"failover_target,omitempty"` // ARN that a failover under way goes to
	WriterRegion   string         `json:"writer_region"`
	Members        []AuroraMember `json:"members"`
}

// AuroraMember is one cluster of a global database.
type AuroraMember struct {
	ARN       string `json:"arn"`
	ClusterID string `json:"cluster_id"`
	Region    string `json:"region"`
	Writer    bool   `json:"writer"`
	Sync      string `json:"sync"` // connected or pending-resync
	// Instances is the number of available instances, -1 when the member's
	// Region was not asked or did not answer.
	Instances int `json:"instances"`
}

// AuroraMove makes the cluster TargetARN the writer.
type AuroraMove struct {
	runbook.Command
	Region        plan.Region   `json:"region"` // that is called: see the step
	GlobalCluster string        `json:"global_cluster"`
	TargetARN     string        `json:"target_arn"`
	Timeout       time.Duration `json:"timeout,omitempty"`
}

// AuroraAwait waits for the cluster TargetARN.
type AuroraAwait struct {
	Region        plan.Region   `json:"region"` // that is asked
	GlobalCluster string        `json:"global_cluster"`
	TargetARN     string        `json:"target_arn"`
	Interval      time.Duration `json:"interval,omitempty"` // between two looks; 0 is the default
	Timeout       time.Duration `json:"timeout,omitempty"`
}

// SnapshotCopy asks for the writes that a forced failover cut off.
type SnapshotCopy struct {
	runbook.Command
	Region  plan.Region   `json:"region"`  // of the cluster that was left
	Cluster string        `json:"cluster"` // that was left
	After   time.Time     `json:"after"`   // older snapshots belong to an earlier failover
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Snapshot is the kept copy of the lost writes.
type Snapshot struct {
	runbook.Outcome
	Source string `json:"source,omitempty"`
	Copy   string `json:"copy,omitempty"`
	// Found is false until AWS has taken its snapshot, which it does only
	// after the Region is back.
	Found bool `json:"found"`
}
