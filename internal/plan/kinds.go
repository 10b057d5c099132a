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
}

// Identifier is one key of Identifiers.
type Identifier struct {
	Key     string
	What    string
	Pattern string // a regular expression, AWS's own rule for such names
}

// Kinds lists every kind of resource that a plan may hold.
func Kinds() []KindSpec {
	return []KindSpec{
		{
			Kind:        DynamoDBTable,
			What:        "DynamoDB global table, multi-Region eventual consistency",
			Regional:    []Identifier{{"table", "table name", tableName}},
			Replication: "asynchronous, last writer wins per item",
		},
		{
			Kind:        AuroraGlobal,
			What:        "Aurora global database",
			Global:      []Identifier{{"globalCluster", "global cluster identifier", rdsName}},
			Regional:    []Identifier{{"cluster", "cluster identifier", rdsName}},
			Promoted:    true,
			Fences:      []FenceLayer{FenceLease, FenceAurora, FenceCompute, FenceNetwork},
			Replication: "asynchronous, storage level",
		},
		{
			Kind:        S3Bucket,
			What:        "S3 buckets, replicated both ways",
			Regional:    []Identifier{{"bucket", "bucket name", bucketName}},
			Replication: "asynchronous, no bound without replication time control",
		},
		{
			Kind: Service,
			What: "load-balanced Auto Scaling group in each Region",
			Regional: []Identifier{
				{"autoScalingGroup", "Auto Scaling group name", `^[A-Za-z0-9][A-Za-z0-9._/-]{0,254}$`},
				{"loadBalancer", "load balancer name", elbName},
				{"targetGroup", "target group name", elbName},
			},
			Stateless: true,
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
