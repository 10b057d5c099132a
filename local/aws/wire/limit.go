package wire

import (
	"maps"
	"sync"
	"time"

	"lifeline/local/aws/world"
)

// Rate is a token bucket: Burst calls at once, PerSecond in the long run, in AWS
// seconds.
type Rate struct{ PerSecond, Burst float64 }

// LimitKey says what a rate applies to, in each Region on its own. The most
// specific key wins: operation, then mutating or not, then service.
type LimitKey struct {
	Service   string
	Operation string // "" = all
	Mutating  bool   // with Operation "": changes have a bucket of their own
}

// DefaultLimits are AWS's default rates. Where AWS names requests per second and no
// bucket, the bucket holds those of one second. Published: EC2 and Elastic Load
// Balancing (request throttling), CloudWatch, Service Quotas, Route 53, SNS,
// EventBridge, Lambda and KMS (quotas), DynamoDB (API Reference,
// DescribeContinuousBackups). AWS publishes nothing of the others: their rates are
// assumed to be modest, so that whoever is quick here is not slow there.
func DefaultLimits() map[LimitKey]Rate {
	limits := map[LimitKey]Rate{
		{Service: "route53"}: {5, 5},

		{Service: "ec2"}:                            {20, 100},
		{Service: "ec2", Mutating: true}:            {5, 50},
		{Service: "ec2", Operation: "RunInstances"}: {2, 5},

		{Service: "elasticloadbalancing"}:                 {10, 40},
		{Service: "elasticloadbalancing", Mutating: true}: {3, 20},
		{Service: "autoscaling"}:                          {20, 100},
		{Service: "autoscaling", Mutating: true}:          {5, 50},

		{Service: "monitoring", Operation: "DescribeAlarms"}:    {9, 9},
		{Service: "monitoring", Operation: "PutMetricAlarm"}:    {3, 3},
		{Service: "monitoring", Operation: "PutCompositeAlarm"}: {3, 3},
		{Service: "monitoring", Operation: "GetMetricData"}:     {50, 50},
		{Service: "monitoring", Operation: "PutMetricData"}:     {500, 500},
		{Service: "monitoring"}:                                 {25, 50},

		{Service: "servicequotas"}:                      {5, 5},
		{Service: "sns"}:                                {30, 30},
		{Service: "sns", Operation: "Publish"}:          {3000, 3000},
		{Service: "sts"}:                                {600, 600},
		{Service: "events"}:                             {50, 50},
		{Service: "events", Operation: "PutEvents"}:     {10000, 10000},
		{Service: "lambda"}:                             {15, 15},
		{Service: "lambda", Operation: "GetFunction"}:   {100, 100},
		{Service: "lambda", Operation: "GetPolicy"}:     {15, 15},
		{Service: "lambda", Operation: "Invoke"}:        {10000, 10000},
		{Service: "kms", Operation: "CreateKey"}:        {5, 5},
		{Service: "kms", Operation: "CreateAlias"}:      {5, 5},
		{Service: "kms", Operation: "PutKeyPolicy"}:     {15, 15},
		{Service: "kms", Operation: "GetKeyPolicy"}:     {1000, 1000},
		{Service: "kms", Operation: "DescribeKey"}:      {2000, 2000},
		{Service: "kms", Operation: "ListResourceTags"}: {2000, 2000},

		{Service: "dynamodb", Operation: "CreateTable"}:               {50, 50},
		{Service: "dynamodb", Operation: "DescribeContinuousBackups"}: {10, 10},
		{Service: "dynamodb", Operation: "UpdateContinuousBackups"}:   {10, 10},

		{Service: "rds"}:                                      {10, 20},
		{Service: "rds", Mutating: true}:                      {5, 20},
		{Service: "route53-recovery-control-config"}:          {5, 10},
		{Service: "route53-recovery-cluster"}:                 {10, 20},
		{Service: "route53-recovery-cluster", Mutating: true}: {5, 10},
	}
	for _, unpublished := range []string{"iam", "backup", "dlm", "drs", "cloudformation"} {
		limits[LimitKey{Service: unpublished}] = Rate{10, 20}
	}
	return limits
}

// limiter keeps the buckets of a server.
type limiter struct {
	world   *world.World
	mu      sync.Mutex
	wall    bool // rates count in wall time, however fast AWS's own waits pass
	limits  map[LimitKey]Rate
	buckets map[bucketKey]*bucket
}

type bucketKey struct {
	limit  LimitKey
	region string
}

type bucket struct {
	tokens float64
	filled time.Time
}

func newLimiter(w *world.World) *limiter {
	return &limiter{world: w, limits: map[LimitKey]Rate{}, buckets: map[bucketKey]*bucket{}}
}

func (l *limiter) inWallTime() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wall = true
}

func (l *limiter) set(limits map[LimitKey]Rate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.Copy(l.limits, limits)
	clear(l.buckets)
}

// allow takes a token for a call; false when the bucket is empty.
func (l *limiter) allow(service, operation, region string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, rate, ok := LimitOf(l.limits, service, operation)
	if !ok {
		return true
	}
	now := l.world.Now()
	at := bucketKey{key, region}
	b := l.buckets[at]
	if b == nil {
		b = &bucket{tokens: rate.Burst, filled: now}
		l.buckets[at] = b
	}
	passed := now.Sub(b.filled).Seconds()
	if !l.wall {
		passed *= l.world.Compression()
	}
	b.tokens = min(rate.Burst, b.tokens+passed*rate.PerSecond)
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// LimitOf is the bucket of a call and its rate; false when nothing limits it.
func LimitOf(limits map[LimitKey]Rate, service, operation string) (LimitKey, Rate, bool) {
	for _, key := range []LimitKey{
		{Service: service, Operation: operation},
		{Service: service, Mutating: mutating(operation)},
		{Service: service},
	} {
		if rate, ok := limits[key]; ok {
			return key, rate, true
		}
	}
	return LimitKey{}, Rate{}, false
}
