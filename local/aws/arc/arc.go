package arc

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// EndpointRegions are the five Regions in which every cluster has an endpoint.
func EndpointRegions() []string {
	return []string{"us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2"}
}

// majority is how many of the five endpoints have to agree.
const majority = 3

// Options configure an ARC. Durations are AWS time; 0 is the default, a negative
// value none.
type Options struct {
	BaseURL       string        // of the API server, "http://127.0.0.1:4566": cluster endpoints are paths below it
	ClusterDeploy time.Duration // until a new cluster is DEPLOYED: 2 min by default
	Deploy        time.Duration // until anything else is: 5 s by default
	Logger        *slog.Logger  // nil: the world's
}

// ARC is both services: one state in the world.
type ARC struct {
	world *world.World
	o     Options

	mu       sync.Mutex
	clusters map[string]*config.Cluster
	panels   map[string]*config.ControlPanel
	controls map[string]*control
	rules    map[string]*rule
	tags     map[string]map[string]*string
	tokens   map[string]string // client token -> ARN that it made
	order    map[string]int    // ARN -> order of creation
	watchers []func()
}

// control is a routing control with its state, which the configuration API
// doesn't show.
type control struct {
	config.RoutingControl
	cluster string
	on      bool
}

// New makes an ARC without clusters.
func New(w *world.World, o Options) *ARC {
	o.ClusterDeploy = orDefault(o.ClusterDeploy, 2*time.Minute)
	o.Deploy = orDefault(o.Deploy, 5*time.Second)
	if o.Logger == nil {
		o.Logger = w.Logger()
	}
	return &ARC{
		world: w, o: o,
		clusters: map[string]*config.Cluster{}, panels: map[string]*config.ControlPanel{},
		controls: map[string]*control{}, rules: map[string]*rule{},
		tags: map[string]map[string]*string{}, tokens: map[string]string{}, order: map[string]int{},
	}
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return max(d, 0)
}

// Routes are the path prefixes of the cluster endpoints with their Regions, for
// the API server's Route.
func Routes() map[string]string {
	out := map[string]string{}
	for _, region := range EndpointRegions() {
		out[prefix(region)] = region
	}
	return out
}

func prefix(region string) string { return "/_arc/" + region }

// Wire is the configuration service as the API server sees it.
func (a *ARC) Wire() *wire.Service {
	s := wire.NewService("route53-recovery-control-config", config.New(wire.V1Session()), wire.RESTJSON)
	wire.Handle(s, "CreateCluster", a.createCluster)
	wire.Handle(s, "DescribeCluster", a.describeCluster)
	wire.Handle(s, "ListClusters", a.listClusters)
	wire.Handle(s, "DeleteCluster", a.deleteCluster)
	wire.Handle(s, "CreateControlPanel", a.createControlPanel)
	wire.Handle(s, "DescribeControlPanel", a.describeControlPanel)
	wire.Handle(s, "ListControlPanels", a.listControlPanels)
	wire.Handle(s, "UpdateControlPanel", a.updateControlPanel)
	wire.Handle(s, "DeleteControlPanel", a.deleteControlPanel)
	wire.Handle(s, "CreateRoutingControl", a.createRoutingControl)
	wire.Handle(s, "DescribeRoutingControl", a.describeRoutingControl)
	wire.Handle(s, "ListRoutingControls", a.listRoutingControls)
	wire.Handle(s, "UpdateRoutingControl", a.updateRoutingControl)
	wire.Handle(s, "DeleteRoutingControl", a.deleteRoutingControl)
	wire.Handle(s, "CreateSafetyRule", a.createSafetyRule)
	wire.Handle(s, "DescribeSafetyRule", a.describeSafetyRule)
	wire.Handle(s, "ListSafetyRules", a.listSafetyRules)
	wire.Handle(s, "UpdateSafetyRule", a.updateSafetyRule)
	wire.Handle(s, "DeleteSafetyRule", a.deleteSafetyRule)
	wire.Handle(s, "TagResource", a.tagResource)
	wire.Handle(s, "UntagResource", a.untagResource)
	wire.Handle(s, "ListTagsForResource", a.listTagsForResource)
	return s
}

// On is the state of a routing control.
func (a *ARC) On(arn string) (on, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.controls[arn]
	return ok && c.on, ok
}

// OnChange calls fn after each change of a state.
func (a *ARC) OnChange(fn func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watchers = append(a.watchers, fn)
}

// remember enters a new resource; the lock is held.
func (a *ARC) remember(arn string, token *string, tags map[string]*string) {
	a.order[arn] = len(a.order)
	if token != nil {
		a.tokens[*token] = arn
	}
	if len(tags) > 0 {
		a.tags[arn] = tags
	}
}

func (a *ARC) forget(arn string) {
	delete(a.tags, arn)
	for token, made := range a.tokens {
		if made == arn {
			delete(a.tokens, token)
		}
	}
}

// repeated gives what an earlier request with the same token made.
func repeated[T any](a *ARC, token *string, from map[string]T) (T, bool) {
	var none T
	if token == nil {
		return none, false
	}
	found, ok := from[a.tokens[*token]]
	return found, ok
}

// deploy turns a status after a while; done runs with the lock held.
func (a *ARC) deploy(after time.Duration, done func()) {
	if after == 0 {
		done()
		return
	}
	a.world.After(after, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		done()
	})
}

func (a *ARC) arn(tail string) string {
	return "arn:aws:route53-recovery-control::" + a.world.Account() + ":" + tail
}

// hex is an id of n hexadecimal digits.
func hex(n int) string { return strings.ReplaceAll(uuid.NewString(), "-", "")[:n] }

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(400, "ValidationException", format, args...)
}

func notFound(kind, arn string) *wire.Error {
	return wire.Errorf(404, "ResourceNotFoundException", "%s %s was not found.", kind, arn)
}

func conflict(format string, args ...any) *wire.Error {
	return wire.Errorf(409, "ConflictException", format, args...)
}

func overQuota(format string, args ...any) *wire.Error {
	return wire.Errorf(402, "ServiceQuotaExceededException", format, args...)
}
