package s3control

import (
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	v1 "github.com/aws/aws-sdk-go/service/s3"
	sdk "github.com/aws/aws-sdk-go/service/s3control"

	"lifeline/local/aws/s3"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Buckets is what jobs and the account's block need of S3; *s3.S3 has it.
type Buckets interface {
	Existing(region, bucket string) ([]s3.Existing, error)
	ReplicateExisting(bucket, key, version string, done func(problem string)) error
	PutObject(region, bucket, key string, body []byte) error
	AccountBlock() *v1.PublicAccessBlockConfiguration
	BlockAccount(access *v1.PublicAccessBlockConfiguration)
}

// Options are how long a job takes beside its copies, in AWS time. Zero means
// what is typical on AWS.
type Options struct {
	Prepare time.Duration // listing the bucket; 60 s
	Start   time.Duration // Ready to Active; 15 s
	Finish  time.Duration // writing the report; 10 s
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field   *time.Duration
		typical time.Duration
	}{{&o.Prepare, time.Minute}, {&o.Start, 15 * time.Second}, {&o.Finish, 10 * time.Second}} {
		if *d.field == 0 {
			*d.field = d.typical
		}
	}
	return o
}

// S3Control is the service in all Regions.
type S3Control struct {
	world   *world.World
	buckets Buckets
	options Options

	mu   sync.Mutex
	jobs []*job // oldest first
}

// New makes an S3 Control without jobs over the buckets of an S3.
func New(w *world.World, buckets Buckets, o Options) *S3Control {
	return &S3Control{world: w, buckets: buckets, options: o.withDefaults()}
}

// Wire is the service's API. A server must be given it before S3's: both have
// the signing name s3, and to S3 a job's path is an object's.
func (s *S3Control) Wire() *wire.Service {
	w := wire.NewService("s3", sdk.New(wire.V1Session()), wire.RESTXML)
	wire.Handle(w, "CreateJob", s.CreateJob)
	wire.Handle(w, "DescribeJob", s.DescribeJob)
	wire.Handle(w, "ListJobs", s.ListJobs)
	wire.Handle(w, "UpdateJobStatus", s.UpdateJobStatus)
	wire.Handle(w, "PutPublicAccessBlock", s.PutPublicAccessBlock)
	wire.Handle(w, "GetPublicAccessBlock", s.GetPublicAccessBlock)
	wire.Handle(w, "DeletePublicAccessBlock", s.DeletePublicAccessBlock)
	return w
}

func refuse(status int, code, format string, args ...any) error {
	return wire.Errorf(status, code, format, args...)
}

func badRequest(format string, args ...any) error {
	return refuse(http.StatusBadRequest, sdk.ErrCodeBadRequestException, format, args...)
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, sdk.ErrCodeInvalidRequestException, format, args...)
}

// own refuses the number of another account.
func (s *S3Control) own(account *string) error {
	if aws.StringValue(account) != s.world.Account() {
		return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
	}
	return nil
}

func clone[T any](v *T) *T {
	if v == nil {
		return nil
	}
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

// controlRegion is where the account's block is written.
const controlRegion = "us-east-1"

func (s *S3Control) blockable(c *wire.Call, account *string) error {
	if err := s.own(account); err != nil {
		return err
	}
	if c.Region != controlRegion && !s.world.Reachable(c.Region, controlRegion) {
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request.")
	}
	return nil
}

// PutPublicAccessBlock sets what public access is blocked in all buckets.
func (s *S3Control) PutPublicAccessBlock(c *wire.Call, in *sdk.PutPublicAccessBlockInput) (*sdk.PutPublicAccessBlockOutput, error) {
	if err := s.blockable(c, in.AccountId); err != nil {
		return nil, err
	}
	want := in.PublicAccessBlockConfiguration
	said := func(b *bool) *bool { return aws.Bool(aws.BoolValue(b)) }
	s.buckets.BlockAccount(&v1.PublicAccessBlockConfiguration{
		BlockPublicAcls: said(want.BlockPublicAcls), IgnorePublicAcls: said(want.IgnorePublicAcls),
		BlockPublicPolicy: said(want.BlockPublicPolicy), RestrictPublicBuckets: said(want.RestrictPublicBuckets),
	})
	return nil, nil
}

// GetPublicAccessBlock tells what public access is blocked in all buckets.
func (s *S3Control) GetPublicAccessBlock(_ *wire.Call, in *sdk.GetPublicAccessBlockInput) (*sdk.GetPublicAccessBlockOutput, error) {
	if err := s.own(in.AccountId); err != nil {
		return nil, err
	}
	have := s.buckets.AccountBlock()
	if have == nil {
		return nil, refuse(http.StatusNotFound, sdk.ErrCodeNoSuchPublicAccessBlockConfiguration, "The public access block configuration was not found")
	}
	return &sdk.GetPublicAccessBlockOutput{PublicAccessBlockConfiguration: &sdk.PublicAccessBlockConfiguration{
		BlockPublicAcls: have.BlockPublicAcls, IgnorePublicAcls: have.IgnorePublicAcls,
		BlockPublicPolicy: have.BlockPublicPolicy, RestrictPublicBuckets: have.RestrictPublicBuckets,
	}}, nil
}

// DeletePublicAccessBlock leaves public access to each bucket's own settings.
func (s *S3Control) DeletePublicAccessBlock(c *wire.Call, in *sdk.DeletePublicAccessBlockInput) (*sdk.DeletePublicAccessBlockOutput, error) {
	if err := s.blockable(c, in.AccountId); err != nil {
		return nil, err
	}
	s.buckets.BlockAccount(nil)
	return nil, nil
}
