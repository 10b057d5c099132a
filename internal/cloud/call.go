package cloud

import (
	"context"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"

	"lifeline/internal/plan"
)

// Deadlines of one attempt. A Region that is dying answers late or never; two to
// five seconds tell it apart from one that is only busy, and a step that waits
// longer eats the minute that the whole run has (domain handbook, section 10).
const (
	DefaultTimeout = 5 * time.Second
	SuspectTimeout = 2 * time.Second
)

// At says where a call goes and how long one attempt may take.
type At struct {
	Region  plan.Region
	Timeout time.Duration // 0 is DefaultTimeout
	// Patient lets an attempt begin when its turn under AWS's rate limits has come.
	// Otherwise the wait counts: an emergency has to hear that it is held up.
	Patient bool
}

// Attempt bounds one attempt. It is for answers that are read in pieces; every
// other call goes through Call.
func (a At) Attempt(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, a.timeout())
}

func (a At) timeout() time.Duration {
	if a.Timeout <= 0 {
		return DefaultTimeout
	}
	return a.Timeout
}

// open begins an attempt, or leaves its beginning to the rate limits.
func (a At) open(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.Patient {
		return context.WithValue(ctx, patience{}, a.timeout()), func() {}
	}
	return a.Attempt(ctx)
}

// patience is the key of how long a patient attempt may take once it begins.
type patience struct{}

// begin bounds a patient attempt from now on.
func begin(ctx context.Context) (context.Context, context.CancelFunc) {
	if timeout, ok := ctx.Value(patience{}).(time.Duration); ok {
		return context.WithTimeout(ctx, timeout)
	}
	return ctx, func() {}
}

// Call makes one attempt at one operation: with its own deadline, and with an
// error that has its kind.
func Call[In, Out, Option any](
	ctx context.Context,
	at At,
	operation func(context.Context, In, ...func(*Option)) (Out, error),
	in In,
) (Out, error) {
	attempt, cancel := at.open(ctx)
	defer cancel()
	out, err := operation(attempt, in)
	if err != nil {
		return out, Explain(at.Region, err)
	}
	return out, nil
}

// RequestID is AWS's id of an answered call, for evidence and support cases.
func RequestID(metadata middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(metadata)
	return id
}
