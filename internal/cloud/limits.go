package cloud

import (
	"context"
	"sync"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"

	"lifeline/internal/plan"
)

// limits holds one token bucket per service and Region. AWS counts calls per
// account and Region, so all runs of a process share them.
type limits struct {
	mu      sync.Mutex
	buckets map[bucketOf]*rate.Limiter
}

type bucketOf struct{ service, region string }

func newLimits() *limits { return &limits{buckets: map[bucketOf]*rate.Limiter{}} }

// bucket is the limiter of one service in one Region.
func (l *limits) bucket(service, region string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := bucketOf{service, region}
	if l.buckets[key] == nil {
		l.buckets[key] = limiter(service)
	}
	return l.buckets[key]
}

// limiter is generous to data planes, which have no rate limit that matters
// here, and modest to control planes: EC2 refills 20 reads and 5 writes a
// second, most others publish nothing.
func limiter(service string) *rate.Limiter {
	switch service {
	case "DynamoDB", "S3", "SNS", "Route53 Recovery Cluster":
		return rate.NewLimiter(rate.Inf, 0)
	case "Route 53":
		return rate.NewLimiter(5, 5) // for the whole account, whoever calls
	default:
		return rate.NewLimiter(10, 20)
	}
}

// install puts the buckets in front of every call of a client.
func (l *limits) install(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("LifelineRateLimit", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		service, region := awsmiddleware.GetServiceID(ctx), awsmiddleware.GetRegion(ctx)
		if err := l.bucket(service, region).Wait(ctx); err != nil && ctx.Err() == nil {
			// The wait would outlast the attempt: the same as AWS saying "slow down".
			return middleware.InitializeOutput{}, middleware.Metadata{},
				&Error{Kind: Throttled, Region: plan.Region(region), Err: err}
		}
		return next.HandleInitialize(ctx, in)
	}), middleware.After)
}
