package plan

import "time"

// Version is the only value that a plan's apiVersion may have.
const Version = "lifeline/v1"

// Region names an AWS Region, e.g. "us-east-1".
type Region string

// Strategy says how an application survives the loss of a Region.
type Strategy string

// Strategies.
const (
	ActiveActive Strategy = "active-active"
	ElasticDR    Strategy = "elastic-dr"
)

// Role is the part a Region plays.
type Role string

// Roles. A witness carries no traffic: it holds the write lease and sees both others.
const (
	Primary  Role = "primary"
	Recovery Role = "recovery"
	Witness  Role = "witness"
)

// Plan is one application's promise: what it consists of, where it runs, how
// fast it must be back, how much may be lost, and who may decide.
type Plan struct {
	APIVersion    string        `yaml:"apiVersion" json:"apiVersion"`
	Application   string        `yaml:"application" json:"application"`
	Owner         string        `yaml:"owner,omitempty" json:"owner,omitempty"`
	Strategy      Strategy      `yaml:"strategy" json:"strategy"`
	Regions       []RegionSpec  `yaml:"regions" json:"regions"`
	Objectives    Objectives    `yaml:"objectives" json:"objectives"`
	Resources     []Resource    `yaml:"resources" json:"resources"`
	Traffic       Traffic       `yaml:"traffic" json:"traffic"`
	Observers     Observers     `yaml:"observers" json:"observers"`
	Approvals     Approvals     `yaml:"approvals" json:"approvals"`
	Lease         *Lease        `yaml:"lease,omitempty" json:"lease,omitempty"`
	Failover      FailoverRules `yaml:"failover" json:"failover"`
	Failback      FailbackRules `yaml:"failback" json:"failback"`
	Notifications Notifications `yaml:"notifications,omitempty" json:"notifications,omitempty"`
	// Setup and what follows say what is built ahead of time and kept so; a part
	// that is left out is not built. See protect.go.
	Setup     *Setup         `yaml:"setup,omitempty" json:"setup,omitempty"`
	Backup    *Backup        `yaml:"backup,omitempty" json:"backup,omitempty"`
	ElasticDR *ElasticDRSite `yaml:"elasticDR,omitempty" json:"elasticDR,omitempty"`
	// RecoveryStacks are made in this order: one may import what another exports.
	RecoveryStacks []RecoveryStack `yaml:"recoveryStacks,omitempty" json:"recoveryStacks,omitempty"`
	Monitoring     *Monitoring     `yaml:"monitoring,omitempty" json:"monitoring,omitempty"`
	Trigger        *Trigger        `yaml:"trigger,omitempty" json:"trigger,omitempty"`
	Readiness      *Readiness      `yaml:"readiness,omitempty" json:"readiness,omitempty"`
	// Assumptions replace the times that Lifeline assumes where AWS promises none.
	Assumptions *Assumptions `yaml:"assumptions,omitempty" json:"assumptions,omitempty"`
}

// RegionSpec is one Region of the plan.
type RegionSpec struct {
	Name Region `yaml:"name" json:"name"`
	Role Role   `yaml:"role" json:"role"`
	// Endpoint is a host name that always leads to this Region's load balancer
	// (no health check, no routing policy): observers judge the Region by it.
	// Empty for a witness.
	Endpoint string `yaml:"endpoint,omitempty" json:"endpoint,omitempty"`
}

// Objectives are what is wanted; never to be shown as what is (see Capability).
type Objectives struct {
	RTO Duration `yaml:"rto" json:"rto"`
	RPO Duration `yaml:"rpo" json:"rpo"`
}

// Kind names a kind of resource; Kinds lists what each needs.
type Kind string

// Kinds of resources.
const (
	DynamoDBTable Kind = "dynamodb-table" // global table, MREC
	AuroraGlobal  Kind = "aurora-global"  // Aurora global database
	S3Bucket      Kind = "s3-bucket"      // bucket pair replicated both ways
	Service       Kind = "service"        // load-balanced Auto Scaling group in each Region
	RDSInstance   Kind = "rds-instance"   // RDS DB instance with a cross-Region copy
	EBSVolume     Kind = "ebs-volume"     // EBS volume, kept by snapshots
	DRSServer     Kind = "drs-server"     // server that Elastic Disaster Recovery replicates
)

// Resource is one thing that the application needs.
type Resource struct {
	Name       string      `yaml:"name" json:"name"`
	Kind       Kind        `yaml:"kind" json:"kind"`
	Tier       int         `yaml:"tier" json:"tier"` // 1 (most critical) to 4
	Owner      string      `yaml:"owner,omitempty" json:"owner,omitempty"`
	DependsOn  []string    `yaml:"dependsOn,omitempty" json:"dependsOn,omitempty"`
	Objectives *Objectives `yaml:"objectives,omitempty" json:"objectives,omitempty"`
	// Global identifies the resource where AWS names it once for all Regions
	// (aurora-global: globalCluster).
	Global Identifiers `yaml:"global,omitempty" json:"global,omitempty"`
	// Regions identifies the resource in each Region, by the keys that Kinds lists.
	Regions map[Region]Identifiers `yaml:"regions" json:"regions"`
	// Fence lists the layers that stop writes in a Region that is left, in order.
	Fence []FenceLayer `yaml:"fence,omitempty" json:"fence,omitempty"`
	// Protect says what setup keeps for this resource beyond what its kind needs.
	Protect *Protect `yaml:"protect,omitempty" json:"protect,omitempty"`
}

// Identifiers are AWS names or ARNs by the key that the kind defines.
type Identifiers map[string]string

// FenceLayer is one way to stop writes (domain handbook 4.5).
type FenceLayer string

// Fence layers.
const (
	FenceLease   FenceLayer = "lease"   // the write lease in the witness Region
	FenceAurora  FenceLayer = "aurora"  // storage-level fencing by managed failover, best effort
	FenceCompute FenceLayer = "compute" // Auto Scaling group to zero, Launch suspended
	FenceNetwork FenceLayer = "network" // subnet network ACL denies everything
)

// Traffic says how clients find a Region and how a Region is left.
type Traffic struct {
	// Service is the resource that clients reach; it may be left out when the plan has one service only.
	Service     string   `yaml:"service,omitempty" json:"service,omitempty"`
	Zone        string   `yaml:"zone" json:"zone"`                                   // hosted zone name, "patients.example"
	Name        string   `yaml:"name" json:"name"`                                   // what clients resolve, "app.patients.example"
	NameServers []string `yaml:"nameServers,omitempty" json:"nameServers,omitempty"` // host:port of the zone's authoritative servers; kept here because GetHostedZone is control plane
	Scheme      string   `yaml:"scheme" json:"scheme"`                               // http or https
	Port        int      `yaml:"port" json:"port"`
	TTL         Duration `yaml:"ttl" json:"ttl"`
	// ClientReconnect is how long a client holds on to a dead connection: its own timeout, or the load balancer's keepalive.
	ClientReconnect Duration    `yaml:"clientReconnect" json:"clientReconnect"`
	HealthCheck     HealthCheck `yaml:"healthCheck" json:"healthCheck"`
	Locations       []Location  `yaml:"locations" json:"locations"`
	Switch          Switch      `yaml:"switch" json:"switch"`
	Transaction     Transaction `yaml:"transaction" json:"transaction"`
}

// HealthCheck is the Route 53 check of a Region's deep endpoint.
type HealthCheck struct {
	Path      string   `yaml:"path" json:"path"`
	Interval  Duration `yaml:"interval" json:"interval"` // 10s or 30s, fixed for a check's life
	Threshold int      `yaml:"threshold" json:"threshold"`
}

// Location is one geolocation record: who is meant, which Region serves them,
// and where they may go when it is lost.
type Location struct {
	Name        string `yaml:"name" json:"name"`                               // "north-america", or "default"
	Continent   string `yaml:"continent,omitempty" json:"continent,omitempty"` // AF AN AS EU OC NA SA
	Country     string `yaml:"country,omitempty" json:"country,omitempty"`     // ISO 3166-1 alpha-2
	Subdivision string `yaml:"subdivision,omitempty" json:"subdivision,omitempty"`
	// Subnet is a resolver network of that place, sent as EDNS Client Subnet when answers are verified.
	Subnet string `yaml:"subnet" json:"subnet"`
	Region Region `yaml:"region" json:"region"`
	// Fallback is the Region that may serve this location when its own is lost;
	// empty where law forbids it: the location then fails closed.
	Fallback Region `yaml:"fallback,omitempty" json:"fallback,omitempty"`
}

// SwitchProvider forces a Region out without the Route 53 control plane.
type SwitchProvider string

// Switch providers (domain handbook 4.3).
const (
	SwitchS3Object   SwitchProvider = "s3-object"           // inverted health check on an object in the surviving Region
	SwitchARCControl SwitchProvider = "arc-routing-control" // ARC routing controls
)

// Switch is the manual way to evacuate a Region.
type Switch struct {
	Provider SwitchProvider `yaml:"provider" json:"provider"`
	// Buckets (s3-object): the public single-purpose bucket in each Region. The
	// object "evacuate/<region>" in the *surviving* Region's bucket evacuates <region>.
	Buckets map[Region]string `yaml:"buckets,omitempty" json:"buckets,omitempty"`
	// ClusterEndpoints and RoutingControls (arc-routing-control): the five
	// cluster endpoints and the control of each Region, kept here because
	// DescribeCluster is control plane.
	ClusterEndpoints []ClusterEndpoint `yaml:"clusterEndpoints,omitempty" json:"clusterEndpoints,omitempty"`
	RoutingControls  map[Region]string `yaml:"routingControls,omitempty" json:"routingControls,omitempty"`
}

// ClusterEndpoint is one of the five endpoints of an ARC cluster.
type ClusterEndpoint struct {
	Region Region `yaml:"region" json:"region"`
	URL    string `yaml:"url" json:"url"`
}

// Transaction is the business transaction that proves service: a write that is
// acknowledged and can be read back. "{id}" in the paths stands for a fresh identifier.
type Transaction struct {
	Write  string `yaml:"write" json:"write"`   // path, POST {"id": "..."}; 201 acknowledges
	Read   string `yaml:"read" json:"read"`     // path with {id}; 200 proves it
	Status string `yaml:"status" json:"status"` // path of the application's status document
}

// Observers judge Regions from outside them.
type Observers struct {
	Interval Duration   `yaml:"interval" json:"interval"` // between two looks
	Timeout  Duration   `yaml:"timeout" json:"timeout"`   // of one look
	Rounds   int        `yaml:"rounds" json:"rounds"`     // consecutive looks that make evidence
	Quorum   int        `yaml:"quorum" json:"quorum"`     // observers that must agree
	Members  []Observer `yaml:"members" json:"members"`
}

// Observer is one vantage point: a worker process with its own task queue.
type Observer struct {
	Name   string `yaml:"name" json:"name"`
	Region Region `yaml:"region" json:"region"` // where it stands; may be outside AWS ("on-premises")
}

// OnSilence says what happens when nobody decides in time.
type OnSilence string

// What happens on silence.
const (
	Hold    OnSilence = "hold"
	Proceed OnSilence = "proceed" // pre-authorised by the owner in this plan
)

// Approvals say who may allow what.
type Approvals struct {
	Quorum        int        `yaml:"quorum" json:"quorum"`               // distinct approvers for a one-way step
	Expiry        Duration   `yaml:"expiry" json:"expiry"`               // an approval request lapses after this
	EscalateAfter Duration   `yaml:"escalateAfter" json:"escalateAfter"` // page again on silence, every so often
	OnSilence     OnSilence  `yaml:"onSilence" json:"onSilence"`
	Approvers     []Approver `yaml:"approvers" json:"approvers"`
	// Operators may start, pause and abort runbooks, but not approve.
	Operators []Approver `yaml:"operators,omitempty" json:"operators,omitempty"`
	// Evacuate says whether moving traffic (reversible) needs approval too: "automatic" or "approval".
	Evacuate string `yaml:"evacuate" json:"evacuate"`
}

// Approver is a person who may approve, proved by an Ed25519 signature.
type Approver struct {
	Name      string `yaml:"name" json:"name"`
	PublicKey string `yaml:"publicKey" json:"publicKey"` // base64 of the 32-byte Ed25519 public key
}

// Lease is the write lease of the single-writer tiers: an item in a DynamoDB
// table of the witness Region, held by one Region at one epoch.
type Lease struct {
	Region Region   `yaml:"region" json:"region"`
	Table  string   `yaml:"table" json:"table"`
	TTL    Duration `yaml:"ttl" json:"ttl"` // writers stop by themselves this long after their last renewal
}

// FailoverRules are the plan's policy for failover and switchover.
type FailoverRules struct {
	CommitWindow Duration `yaml:"commitWindow" json:"commitWindow"` // real-transaction checks are watched for this long
	// Watermarks is how often each Region's worker writes a watermark into each store.
	Watermarks Duration `yaml:"watermarks" json:"watermarks"`
}

// FailbackRules are the plan's policy for the way home.
type FailbackRules struct {
	StableFor Duration `yaml:"stableFor" json:"stableFor"` // the origin must have been healthy for this long
	StepPause Duration `yaml:"stepPause" json:"stepPause"` // between two locations that return
}

// Notifications say who is told.
type Notifications struct {
	// Topics are SNS topic ARNs by Region; every one is tried, none is waited for.
	Topics map[Region]string `yaml:"topics,omitempty" json:"topics,omitempty"`
}

// Duration is a time span, written as Go writes it: "500ms", "60s", "1h30m".
type Duration time.Duration

// D is the plain duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String is Go's notation.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes Go's notation.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads Go's notation; a bare number has no unit and is refused.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return err
	}
	*d = Duration(v)
	return nil
}
