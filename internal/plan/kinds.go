package plan

import "slices"

// KindSpec says what a kind of resource is, what identifies it, and what the
// loss of a Region means for it.
type KindSpec struct {
	Kind Kind
	What string
	// Global and Regional are the identifiers that AWS knows it by, once and in
	// each Region that carries traffic. All are required.
	Global   []Identifier
	Regional []Identifier
	// Promoted is true when one Region holds the only writer: losing it means
	// fence and promotion, a one-way step.
	Promoted bool
	// Fences are the layers that can stop its writes.
	Fences []FenceLayer
	// Replication says how its data reaches the other Region, and Stateless that
	// it holds none.
	Replication string
	Stateless   bool
	// Kept says that the runbooks that move a Region leave it alone, and why that
	// is said aloud: setup and readiness look after it.
	Kept string
}

// Identifier is one key of Identifiers.
type Identifier struct {
	Key     string
	What    string
	Pattern string // a regular expression, AWS's own rule for such names
	// Only is the role of the one Region where it exists; empty where it exists in
	// every Region that carries traffic.
	Only Role
}

// Kinds lists every kind of resource that a plan may hold.
func Kinds() []KindSpec {
	return []KindSpec{
		{
			Kind:        DynamoDBTable,
			What:        "DynamoDB global table, multi-Region eventual consistency",
			Regional:    []Identifier{{Key: "table", What: "table name", Pattern: tableName}},
			Replication: "asynchronous, last writer wins per item",
		},
		{
			Kind:        AuroraGlobal,
			What:        "Aurora global database",
			Global:      []Identifier{{Key: "globalCluster", What: "global cluster identifier", Pattern: rdsName}},
			Regional:    []Identifier{{Key: "cluster", What: "cluster identifier", Pattern: rdsName}},
			Promoted:    true,
			Fences:      []FenceLayer{FenceLease, FenceAurora, FenceCompute, FenceNetwork},
			Replication: "asynchronous, storage level",
		},
		{
			Kind:        S3Bucket,
			What:        "S3 buckets, replicated both ways",
			Regional:    []Identifier{{Key: "bucket", What: "bucket name", Pattern: bucketName}},
			Replication: "asynchronous, no bound without replication time control",
		},
		{
			Kind: Service,
			What: "load-balanced Auto Scaling group in each Region",
			Regional: []Identifier{
				{Key: "autoScalingGroup", What: "Auto Scaling group name", Pattern: `^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$`},
				{Key: "loadBalancer", What: "load balancer name", Pattern: elbName},
				{Key: "targetGroup", What: "target group name", Pattern: elbName},
			},
			Stateless: true,
		},
		{
			Kind:        RDSInstance,
			What:        "RDS DB instance, kept by a cross-Region read replica or by replicated backups",
			Regional:    []Identifier{{Key: "instance", What: "DB instance identifier", Pattern: rdsName}},
			Replication: "asynchronous, no bound",
			Kept:        "by setup alone: no runbook promotes it yet",
		},
		{
			Kind:        EBSVolume,
			What:        "EBS volume, kept by snapshots that are copied",
			Regional:    []Identifier{{Key: "volume", What: "volume id", Pattern: volumeID, Only: Primary}},
			Replication: "snapshots, at most every hour",
			Kept:        "by setup alone: no runbook restores it yet",
		},
		{
			Kind:        DRSServer,
			What:        "server that Elastic Disaster Recovery replicates",
			Regional:    []Identifier{{Key: "sourceServer", What: "source server id", Pattern: serverID, Only: Recovery}},
			Replication: "asynchronous, block level",
			Kept:        "by setup alone: no runbook launches it yet",
		},
	}
}

// Spec is what Kinds says of one kind.
func (k Kind) Spec() (KindSpec, bool) {
	all := Kinds()
	i := slices.IndexFunc(all, func(s KindSpec) bool { return s.Kind == k })
	if i < 0 {
		return KindSpec{}, false
	}
	return all[i], true
}

// FenceLayers lists every fence layer.
func FenceLayers() []FenceLayer {
	return []FenceLayer{FenceLease, FenceAurora, FenceCompute, FenceNetwork}
}
