package s3

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// API is every operation of this package: its part of the IAM policy. ListBucket
// has no operation here, yet the policy grants it: without it S3 answers "access
// denied" instead of "not found" for an object that is not there.
type API interface {
	HeadObject(context.Context, *sdk.HeadObjectInput, ...func(*sdk.Options)) (*sdk.HeadObjectOutput, error)
	GetObject(context.Context, *sdk.GetObjectInput, ...func(*sdk.Options)) (*sdk.GetObjectOutput, error)
	PutObject(context.Context, *sdk.PutObjectInput, ...func(*sdk.Options)) (*sdk.PutObjectOutput, error)
	DeleteObject(context.Context, *sdk.DeleteObjectInput, ...func(*sdk.Options)) (*sdk.DeleteObjectOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
	Now     func() time.Time
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{
		Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return client(cfg) }),
		Now:     time.Now,
	}
}

func client(cfg aws.Config) *sdk.Client {
	return sdk.NewFromConfig(cfg, func(o *sdk.Options) {
		// A configured endpoint has no DNS name per bucket.
		o.UsePathStyle = o.BaseEndpoint != nil
	})
}
