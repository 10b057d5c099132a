package rds

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Metrics receives what RDS publishes to CloudWatch.
type Metrics interface {
	Publish(region, namespace, name string, dimensions map[string]string, value float64)
}

// Keys says whether a KMS key can be used in a Region; *kms.KMS does.
type Keys interface {
	Check(region, keyRef string) error
}

// Options are how long things take, in AWS time. Zero means what is typical on AWS.
type Options struct {
	Create     time.Duration // cluster, instance or replica: creating to available; 30 s
	Modify     time.Duration // modification or reboot; 10 s
	Delete     time.Duration // 10 s
	Promotion  time.Duration // unplanned failover of a global cluster; 60 s
	Switchover time.Duration // planned switchover of a global cluster; 30 s
	Rebuild    time.Duration // old member of a failed-over global cluster; 90 s
	Lag        time.Duration // replication of one commit; 300 ms
	Window     time.Duration // to the next maintenance window; a week
	Metrics    Metrics       // may be nil
	Keys       Keys          // nil: keys are judged by their ARN's Region only
	Topics     Topics        // of event subscriptions; nil: any topic is taken, and nothing sent
	// Subnets finds a subnet's VPC and zone; nil lets subnet groups hold any id.
	Subnets func(region, id string) (vpc, zone string, ok bool)
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field   *time.Duration
		typical time.Duration
	}{
		{&o.Create, 30 * time.Second},
		{&o.Modify, 10 * time.Second},
		{&o.Delete, 10 * time.Second},
		{&o.Promotion, 60 * time.Second},
		{&o.Switchover, 30 * time.Second},
		{&o.Rebuild, 90 * time.Second},
		{&o.Lag, 300 * time.Millisecond},
		{&o.Window, 7 * 24 * time.Hour},
	} {
		if *d.field == 0 {
			*d.field = d.typical
		}
	}
	return o
}

// RDS is the service in all Regions of a world.
type RDS struct {
	world *world.World
	wire  *wire.Service

	mu        sync.Mutex
	options   Options
	instances map[place]*instance
	clusters  map[place]*cluster
	globals   map[string]*global
	snapshots map[place]*snapshot
	events    map[string][]*rds.Event // by Region

	autoBackups   map[place]*autoBackup
	optionGroups  map[place]*optionGroup
	subscriptions map[place]*subscription

	subnetGroups    map[place]*subnetGroup
	parameterGroups map[groupPlace]*parameterGroup
}

// place names a resource: RDS identifiers are unique within one Region.
type place struct{ region, id string }

// New makes an empty RDS in every Region of the world.
func New(w *world.World, o Options) *RDS {
	r := &RDS{
		world: w, options: o.withDefaults(),
		instances: map[place]*instance{}, clusters: map[place]*cluster{}, globals: map[string]*global{},
		snapshots: map[place]*snapshot{}, events: map[string][]*rds.Event{},
		autoBackups: map[place]*autoBackup{}, optionGroups: map[place]*optionGroup{}, subscriptions: map[place]*subscription{},
		subnetGroups: map[place]*subnetGroup{}, parameterGroups: map[groupPlace]*parameterGroup{},
	}
	r.wire = wire.NewService("rds", rds.New(wire.V1Session()), wire.Query)
	r.serveInstances()
	r.serveClusters()
	r.serveGlobals()
	r.serveSnapshots()
	r.serveAutomatedBackups()
	r.serveOptionGroups()
	r.serveSubscriptions()
	r.serveSubnetGroups()
	r.serveParameterGroups()
	w.OnFault(r.faultsChanged)
	w.Every(3*time.Second, r.publishLag)
	return r
}

// Wire is the service's API.
func (r *RDS) Wire() *wire.Service { return r.wire }

// SetLag changes how long replication of one commit takes, in AWS time.
func (r *RDS) SetLag(lag time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.options.Lag = lag
}

// faultsChanged lets replication, fencing and rebuilding go on where Regions
// can reach each other again.
func (r *RDS) faultsChanged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.clusters {
		r.resume(c.volume)
	}
	for _, i := range r.instances {
		r.resume(i.volume)
	}
	for _, g := range r.globals {
		r.fence(g)
		r.rejoin(g)
	}
}

// settle runs fn under the lock once d of AWS time has passed.
func (r *RDS) settle(d time.Duration, fn func()) {
	r.world.After(d, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		fn()
	})
}

func (r *RDS) arn(region, kind, id string) string {
	return fmt.Sprintf("arn:aws:rds:%s:%s:%s:%s", region, r.world.Account(), kind, id)
}

func (r *RDS) globalARN(id string) string {
	return fmt.Sprintf("arn:aws:rds::%s:global-cluster:%s", r.world.Account(), id)
}

// locate reads an identifier or ARN: "id" in the caller's Region, or
// "arn:aws:rds:REGION:ACCOUNT:KIND:ID" anywhere.
func locate(region string, idOrARN *string) place {
	s := aws.StringValue(idOrARN)
	if parts := strings.SplitN(s, ":", 7); len(parts) == 7 && parts[0] == "arn" {
		return place{parts[3], strings.ToLower(parts[6])}
	}
	return place{region, strings.ToLower(s)}
}

func fault(code, format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func missing(code, format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusNotFound, code, format, args...)
}

func badCombination(format string, args ...any) *wire.Error {
	return fault("InvalidParameterCombination", format, args...)
}

func badValue(format string, args ...any) *wire.Error {
	return fault("InvalidParameterValue", format, args...)
}

// checkIdentifier applies RDS's rules: 1 to 63 letters, digits and hyphens,
// beginning with a letter, no hyphen at the end and no two in a row.
func checkIdentifier(kind, id string) error {
	ok := id != "" && len(id) <= 63 && isLetter(rune(id[0])) && !strings.HasSuffix(id, "-") && !strings.Contains(id, "--") &&
		!strings.ContainsFunc(id, func(c rune) bool { return !isLetter(c) && c != '-' && (c < '0' || c > '9') })
	if ok {
		return nil
	}
	return badValue("The parameter %s is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.", kind)
}

func isLetter(c rune) bool { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') }

// aurora tells whether an engine is Aurora.
func aurora(engine string) bool { return strings.HasPrefix(engine, "aurora") }

// Writer is the cluster that takes the writes of a global cluster; empty while
// there is none.
func (r *RDS) Writer(globalClusterID string) (clusterID, region string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.globals[strings.ToLower(globalClusterID)]
	if g == nil || g.writer == nil {
		return "", ""
	}
	return g.writer.id, g.writer.region
}

// Write commits a key and value through a cluster's writer endpoint, as a
// process in the Region `from` would.
func (r *RDS) Write(from, clusterID, key, value string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.connect(from, clusterID)
	if err != nil {
		return fmt.Errorf("write to cluster %q: %w", clusterID, err)
	}
	if reason := r.readOnly(c); reason != "" {
		return fmt.Errorf("write to cluster %q: cannot execute in a read-only transaction: %s", clusterID, reason)
	}
	r.write(c.volume, key, value)
	return nil
}

// Read looks a key up in a cluster's own copy, as a process in the Region `from` would.
func (r *RDS) Read(from, clusterID, key string) (value string, ok bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.connect(from, clusterID)
	if err != nil {
		return "", false, fmt.Errorf("read from cluster %q: %w", clusterID, err)
	}
	value, ok = c.volume.data[key]
	return value, ok, nil
}

// connect finds a cluster that answers connections from a Region; r.mu is held.
func (r *RDS) connect(from, clusterID string) (*cluster, error) {
	c := r.clusters[place{from, strings.ToLower(clusterID)}]
	if c == nil {
		for at, other := range r.clusters {
			if at.id == strings.ToLower(clusterID) {
				c = other
			}
		}
	}
	switch {
	case c == nil:
		return nil, errors.New("no such host")
	case !r.world.Reachable(from, c.region):
		return nil, fmt.Errorf("connection from %s timed out", from)
	case !slices.ContainsFunc(c.members, r.serving):
		return nil, errors.New("connection refused: the cluster has no available instance")
	case c.status == statusCreating || c.status == statusDeleting || c.status == statusRebuilding:
		return nil, fmt.Errorf("connection refused: the cluster is %s", c.status)
	}
	return c, nil
}

// readOnly says why a cluster refuses writes; "" when it takes them. It looks at
// the cluster's own storage only: a replaced writer that the fence has not
// reached yet does take writes, as on AWS.
func (r *RDS) readOnly(c *cluster) string {
	switch {
	case c.volume.source != nil:
		return "the cluster is a secondary"
	case c.fenced:
		return "the storage is fenced"
	case c.frozen:
		return "a switchover is in progress"
	}
	return ""
}

// publishLag publishes AuroraGlobalDBRPOLag (ms) of every secondary cluster and
// ReplicaLag (s) of every replica in that one's own Region.
func (r *RDS) publishLag() {
	if r.options.Metrics == nil {
		return
	}
	for _, m := range r.lags() {
		r.options.Metrics.Publish(m.region, "AWS/RDS", m.name, map[string]string{m.dimension: m.id}, m.value)
	}
}

type lagMetric struct {
	place
	name, dimension string
	value           float64
}

func (r *RDS) lags() []lagMetric {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []lagMetric
	for at, c := range r.clusters {
		if c.global != nil && c.volume.source != nil && !r.world.Dark(at.region) {
			ms := float64(r.behind(c.volume)) / float64(time.Millisecond)
			out = append(out, lagMetric{at, "AuroraGlobalDBRPOLag", "DBClusterIdentifier", ms})
		}
	}
	for at, i := range r.instances {
		if i.source != (place{}) && !r.world.Dark(at.region) {
			out = append(out, lagMetric{at, "ReplicaLag", "DBInstanceIdentifier", r.replicaLag(i)})
		}
	}
	return out
}

// replicaLag is in seconds; -1 when replication does not run, as AWS reports it.
func (r *RDS) replicaLag(i *instance) float64 {
	if i.volume.source == nil || !r.world.Reachable(i.source.region, i.region) {
		return -1
	}
	return r.behind(i.volume).Seconds()
}
