package cloud

import (
	"context"
	"strings"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"lifeline/internal/plan"
)

// limits holds AWS's token buckets as far as they are known. AWS counts calls per
// account and Region, so all runs of a process share them.
type limits struct {
	paces   map[class]pace
	mu      sync.Mutex
	buckets map[bucketOf]*rate.Limiter
}

type bucketOf struct {
	class
	region string
}

func newLimits() *limits {
	return &limits{paces: paces(), buckets: map[bucketOf]*rate.Limiter{}}
}

// bucket is the limiter of a call in one Region.
func (l *limits) bucket(service, operation, region string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	of, p := l.find(service, operation)
	key := bucketOf{of, region}
	if l.buckets[key] == nil {
		l.buckets[key] = rate.NewLimiter(p.perSecond, p.headroom())
	}
	return l.buckets[key]
}

// find gives the most specific pace: of the operation, of the service's changes,
// of the service.
func (l *limits) find(service, operation string) (class, pace) {
	for _, c := range []class{{service: service, operation: operation}, {service: service, changes: !reads(operation)}, {service: service}} {
		if p, ok := l.paces[c]; ok {
			return c, p
		}
	}
	return class{service: service}, unpublished()
}

// reads says that an operation changes nothing, by AWS's verbs.
func reads(operation string) bool {
	for _, verb := range []string{"Describe", "Get", "List", "Head", "BatchGet", "Query", "Scan"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// install puts the buckets in front of every call of a client. A patient attempt
// begins when its turn has come.
func (l *limits) install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("LifelineRateLimit", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		region := awsmiddleware.GetRegion(ctx)
		bucket := l.bucket(awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), region)
		if err := bucket.Wait(ctx); err != nil && ctx.Err() == nil {
			// The wait would outlast the attempt: the same as AWS saying "slow down".
			return middleware.InitializeOutput{}, middleware.Metadata{},
				&Error{Kind: Throttled, Region: plan.Region(region), Err: err}
		}
		ctx, cancel := begin(ctx)
		defer cancel()
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}
