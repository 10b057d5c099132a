package s3

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/cloudwatch"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Metrics takes what CloudWatch is told; *cloudwatch.CloudWatch does.
type Metrics interface {
	Put(region string, d cloudwatch.Datum)
}

// Keys says whether a KMS key can be used in a Region; *kms.KMS does.
type Keys interface {
	Check(region, keyRef string) error
}

// Options configure S3; the zero value is AWS's behaviour.
type Options struct {
	Lag     time.Duration // of replication, in AWS time; 0 = two seconds
	Metrics Metrics       // nil: no replication metrics
	Keys    Keys          // nil: keys are judged by their ARN's Region only
}

// S3 is the service: one name space of buckets over all Regions.
type S3 struct {
	world   *world.World
	metrics Metrics
	keys    Keys
	account *account // guarded by mu

	mu      sync.Mutex
	lag     time.Duration
	buckets map[string]*bucket
	queue   []*copyTask // versions that wait to be replicated
	// failures are the copies that failed since CloudWatch was last told.
	failures map[route]int
	uploads  map[string]*upload
}

// account is what S3 knows of the account that owns all buckets.
type account struct {
	access *sdk.PublicAccessBlockConfiguration
}

// bucket is one bucket.
type bucket struct {
	name, region string
	created      time.Time
	objects      map[string]*object
	versioning   string // "", Enabled or Suspended
	encryption   *sdk.ServerSideEncryptionConfiguration
	replication  *sdk.ReplicationConfiguration
	lifecycle    []*sdk.LifecycleRule
	smallest     string // which small objects lifecycle leaves where they are
	eventBridge  bool
	access       *sdk.PublicAccessBlockConfiguration
	account      *account
	policy       *policy
	ownership    *sdk.OwnershipControls
	tags         []*sdk.Tag
}

// New makes an S3 without buckets.
func New(w *world.World, o Options) *S3 {
	if o.Lag == 0 {
		o.Lag = 2 * time.Second
	}
	s := &S3{
		world: w, metrics: o.Metrics, keys: o.Keys, account: &account{}, lag: o.Lag, buckets: map[string]*bucket{}, uploads: map[string]*upload{}, failures: map[route]int{},
	}
	w.OnFault(s.retry)
	w.Every(day, s.sweep)
	if s.metrics != nil {
		w.Every(time.Minute, s.publish)
	}
	return s
}

// SetLag changes how long replication takes, for versions written from now on.
func (s *S3) SetLag(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lag = d
}

// Wire is the service's API.
func (s *S3) Wire() *wire.Service {
	w := wire.NewService("s3", sdk.New(wire.V1Session()), wire.RESTXML)
	// S3 and S3 Control share a signing name but not all values of enumerations
	// of the same name; these are S3's.
	w.AllowValues("TransitionStorageClass", sdk.TransitionStorageClass_Values()...)
	w.AllowValues("BucketLocationConstraint", append(sdk.BucketLocationConstraint_Values(), s.world.Regions()...)...)
	w.AllowValues("MFADelete", sdk.MFADelete_Values()...)
	s.serveObjects(w)
	s.serveBuckets(w)
	return w
}

func (s *S3) serveObjects(w *wire.Service) {
	wire.Handle(w, "PutObject", s.PutObjectAPI)
	wire.Handle(w, "GetObject", s.GetObjectAPI)
	wire.Handle(w, "HeadObject", s.HeadObject)
	wire.Handle(w, "CopyObject", s.CopyObject)
	wire.Handle(w, "DeleteObject", s.DeleteObject)
	wire.Handle(w, "DeleteObjects", s.DeleteObjects)
	wire.Handle(w, "ListObjects", s.ListObjects)
	wire.Handle(w, "ListObjectsV2", s.ListObjectsV2)
	wire.Handle(w, "ListObjectVersions", s.ListObjectVersions)
	wire.Handle(w, "PutObjectTagging", s.PutObjectTagging)
	wire.Handle(w, "GetObjectTagging", s.GetObjectTagging)
	wire.Handle(w, "DeleteObjectTagging", s.DeleteObjectTagging)
	wire.Handle(w, "CreateMultipartUpload", s.CreateMultipartUpload)
	wire.Handle(w, "UploadPart", s.UploadPart)
	wire.Handle(w, "CompleteMultipartUpload", s.CompleteMultipartUpload)
	wire.Handle(w, "AbortMultipartUpload", s.AbortMultipartUpload)
}

func (s *S3) serveBuckets(w *wire.Service) {
	wire.Handle(w, "CreateBucket", s.CreateBucket)
	wire.Handle(w, "DeleteBucket", s.DeleteBucket)
	wire.Handle(w, "ListBuckets", s.ListBuckets)
	wire.Handle(w, "HeadBucket", s.HeadBucket)
	wire.Handle(w, "GetBucketLocation", s.GetBucketLocation)
	wire.Handle(w, "PutBucketVersioning", s.PutBucketVersioning)
	wire.Handle(w, "GetBucketVersioning", s.GetBucketVersioning)
	wire.Handle(w, "PutBucketEncryption", s.PutBucketEncryption)
	wire.Handle(w, "GetBucketEncryption", s.GetBucketEncryption)
	wire.Handle(w, "DeleteBucketEncryption", s.DeleteBucketEncryption)
	wire.Handle(w, "PutBucketReplication", s.PutBucketReplication)
	wire.Handle(w, "GetBucketReplication", s.GetBucketReplication)
	wire.Handle(w, "DeleteBucketReplication", s.DeleteBucketReplication)
	wire.Handle(w, "PutBucketLifecycleConfiguration", s.PutBucketLifecycleConfiguration)
	wire.Handle(w, "GetBucketLifecycleConfiguration", s.GetBucketLifecycleConfiguration)
	wire.Handle(w, "DeleteBucketLifecycle", s.DeleteBucketLifecycle)
	wire.Handle(w, "PutPublicAccessBlock", s.PutPublicAccessBlock)
	wire.Handle(w, "GetPublicAccessBlock", s.GetPublicAccessBlock)
	wire.Handle(w, "DeletePublicAccessBlock", s.DeletePublicAccessBlock)
	wire.Handle(w, "PutBucketPolicy", s.PutBucketPolicy)
	wire.Handle(w, "GetBucketPolicy", s.GetBucketPolicy)
	wire.Handle(w, "GetBucketPolicyStatus", s.GetBucketPolicyStatus)
	wire.Handle(w, "DeleteBucketPolicy", s.DeleteBucketPolicy)
	wire.Handle(w, "PutBucketTagging", s.PutBucketTagging)
	wire.Handle(w, "GetBucketTagging", s.GetBucketTagging)
	wire.Handle(w, "DeleteBucketTagging", s.DeleteBucketTagging)
	wire.Handle(w, "PutBucketOwnershipControls", s.PutBucketOwnershipControls)
	wire.Handle(w, "GetBucketOwnershipControls", s.GetBucketOwnershipControls)
	wire.Handle(w, "DeleteBucketOwnershipControls", s.DeleteBucketOwnershipControls)
	wire.Handle(w, "PutBucketNotificationConfiguration", s.PutBucketNotificationConfiguration)
	wire.Handle(w, "GetBucketNotificationConfiguration", s.GetBucketNotificationConfiguration)
}

func refuse(status int, code, format string, args ...any) error {
	return wire.Errorf(status, code, format, args...)
}

func noSuchBucket() error {
	return refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

func invalidArgument(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidArgument", format, args...)
}

func denied() error { return refuse(http.StatusForbidden, "AccessDenied", "Access Denied") }

func clone[T any](v *T) *T {
	if v == nil {
		return nil
	}
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

// open gives a bucket for a call of the account itself; s.mu is held.
func (s *S3) open(c *wire.Call, name *string) (*bucket, error) {
	if c.Caller == "" {
		return nil, denied()
	}
	return s.locate(c, name)
}

// locate finds a bucket and refuses when it lives in another Region than the one
// that was called.
func (s *S3) locate(c *wire.Call, name *string) (*bucket, error) {
	b, ok := s.buckets[aws.StringValue(name)]
	switch {
	case !ok:
		return nil, noSuchBucket()
	case c.Caller != "" && c.Region != b.region:
		return nil, refuse(http.StatusMovedPermanently, "PermanentRedirect",
			"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.")
	case c.Caller == "" && !s.world.Reachable("", b.region):
		return nil, refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request.")
	}
	return b, nil
}

// change gives a bucket whose configuration is to be written, which needs the
// control plane in us-east-1; s.mu is held.
func (s *S3) change(c *wire.Call, name *string) (*bucket, error) {
	b, err := s.open(c, name)
	if err != nil {
		return nil, err
	}
	return b, s.needControl(c.Region)
}

// controlRegion is where S3 keeps what it knows of all buckets.
const controlRegion = "us-east-1"

func (s *S3) needControl(region string) error {
	if region != controlRegion && !s.world.Reachable(region, controlRegion) {
		return refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Service is unable to handle request.")
	}
	return nil
}

// Locate takes a bucket's host name apart, such as
// "b.s3.us-west-2.amazonaws.com"; ok is false when there is no such bucket.
func (s *S3) Locate(host string) (bucket, region string, ok bool) {
	name, rest, found := strings.Cut(host, ".s3.")
	if !found || !strings.HasSuffix(rest, "amazonaws.com") {
		return "", "", false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, exists := s.buckets[name]
	if !exists {
		return "", "", false
	}
	named := strings.TrimSuffix(strings.TrimSuffix(rest, "amazonaws.com"), ".")
	return name, b.region, named == b.region || (named == "" && slices.Contains(s.world.Regions(), b.region))
}
