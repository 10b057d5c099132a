package cloud

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"

	"lifeline/internal/plan"
)

// Options say who calls.
type Options struct {
	// Caller is the process, e.g. "worker"; it is sent in the user agent, where
	// CloudTrail shows it.
	Caller string
}

// Clients hands out the AWS configuration of each Region. Credentials, profiles
// and endpoints come from the standard AWS variables and files only.
type Clients struct {
	base aws.Config
}

// New reads the standard AWS configuration. It calls no AWS API.
func New(ctx context.Context, o Options) (*Clients, error) {
	base, err := config.LoadDefaultConfig(ctx,
		// Credentials are fetched under the same rules as everything else.
		config.WithRetryMaxAttempts(1), config.WithHTTPClient(transport()))
	if err != nil {
		return nil, fmt.Errorf("read AWS configuration: %w", err)
	}
	return Using(base, o), nil
}

// Using makes clients from a configuration that was read or made elsewhere. How
// calls are tried and limited is Lifeline's own, whatever base says.
func Using(base aws.Config, o Options) *Clients {
	base = base.Copy()
	// One attempt: Temporal retries, with the budget of the step.
	base.Retryer, base.RetryMaxAttempts = nil, 1
	if base.HTTPClient == nil {
		base.HTTPClient = transport()
	}
	base.HTTPClient = plainBodies{base.HTTPClient}
	base.APIOptions = append(slices.Clone(base.APIOptions),
		awsmiddleware.AddUserAgentKeyValue("lifeline", o.Caller), newLimits().install)
	return &Clients{base: base}
}

// transport gives up on a Region that swallows packets well before the
// attempt's deadline, and forgets idle connections soon: after a failover they
// lead to dead load balancers.
func transport() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = SuspectTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.IdleConnTimeout = 30 * time.Second
			t.MaxIdleConnsPerHost = 16
		})
}

// Config is the configuration of one Region. There is no default Region: each
// call says where it goes.
func (c *Clients) Config(region plan.Region) aws.Config {
	cfg := c.base.Copy()
	cfg.Region = string(region)
	return cfg
}

// PerRegion makes a service's clients on demand, one per Region, and keeps them:
// a client holds its connections.
func PerRegion[API any](c *Clients, build func(aws.Config) API) func(plan.Region) API {
	var mu sync.Mutex
	kept := map[plan.Region]API{}
	return func(region plan.Region) API {
		mu.Lock()
		defer mu.Unlock()
		api, ok := kept[region]
		if !ok {
			api = build(c.Config(region))
			kept[region] = api
		}
		return api
	}
}
