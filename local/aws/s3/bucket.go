package s3

import (
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

func validName(name string) bool {
	_, err := netip.ParseAddr(name)
	return err != nil && regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`).MatchString(name) &&
		!strings.Contains(name, "..") && !strings.HasPrefix(name, "xn--")
}

// CreateBucket makes a bucket in the Region that is called, or from us-east-1 in
// any other.
func (s *S3) CreateBucket(c *wire.Call, in *sdk.CreateBucketInput) (*sdk.CreateBucketOutput, error) {
	if c.Caller == "" {
		return nil, denied()
	}
	name, region := *in.Bucket, c.Region
	if !validName(name) {
		return nil, refuse(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	var wanted string
	if in.CreateBucketConfiguration != nil {
		wanted = aws.StringValue(in.CreateBucketConfiguration.LocationConstraint)
	}
	switch {
	case wanted == controlRegion || (wanted != "" && !slices.Contains(s.world.Regions(), wanted)):
		return nil, refuse(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	case region != controlRegion && wanted != region:
		said := wanted
		if said == "" {
			said = "unspecified"
		}
		return nil, refuse(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", said)
	case wanted != "":
		region = wanted
	}
	if err := s.needControl(c.Region); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, exists := s.buckets[name]; exists && (old.region != controlRegion || c.Region != controlRegion) {
		return nil, refuse(http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.")
	} else if !exists {
		s.buckets[name] = &bucket{
			name: name, region: region, created: s.world.Now(), objects: map[string]*object{}, access: blocked(), account: s.account,
			encryption: encryptedBy(sdk.ServerSideEncryptionAes256),
			ownership: &sdk.OwnershipControls{Rules: []*sdk.OwnershipControlsRule{
				{ObjectOwnership: aws.String(sdk.ObjectOwnershipBucketOwnerEnforced)},
			}},
		}
	}
	return &sdk.CreateBucketOutput{Location: aws.String("/" + name)}, nil
}

// blocked is what every bucket starts with since April 2023: nothing is public.
func blocked() *sdk.PublicAccessBlockConfiguration {
	return &sdk.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(true), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(true),
	}
}

func encryptedBy(algorithm string) *sdk.ServerSideEncryptionConfiguration {
	return &sdk.ServerSideEncryptionConfiguration{Rules: []*sdk.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &sdk.ServerSideEncryptionByDefault{SSEAlgorithm: aws.String(algorithm)},
		BucketKeyEnabled:                   aws.Bool(false),
	}}}
}

// DeleteBucket removes an empty bucket.
func (s *S3) DeleteBucket(c *wire.Call, in *sdk.DeleteBucketInput) (*sdk.DeleteBucketOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	if len(b.objects) > 0 {
		return nil, refuse(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	delete(s.buckets, b.name)
	return nil, nil
}

// ListBuckets lists the account's buckets in all Regions.
func (s *S3) ListBuckets(c *wire.Call, _ *sdk.ListBucketsInput) (*sdk.ListBucketsOutput, error) {
	if c.Caller == "" {
		return nil, denied()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &sdk.ListBucketsOutput{Owner: s.owner()}
	for _, b := range s.buckets {
		out.Buckets = append(out.Buckets, &sdk.Bucket{Name: aws.String(b.name), CreationDate: aws.Time(b.created)})
	}
	slices.SortFunc(out.Buckets, func(x, y *sdk.Bucket) int { return strings.Compare(*x.Name, *y.Name) })
	return out, nil
}

func (s *S3) owner() *sdk.Owner { return &sdk.Owner{ID: aws.String(s.world.Account())} }

// HeadBucket says whether a bucket exists and where.
func (s *S3) HeadBucket(c *wire.Call, in *sdk.HeadBucketInput) (*sdk.HeadBucketOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	return &sdk.HeadBucketOutput{BucketRegion: aws.String(b.region), AccessPointAlias: aws.Bool(false)}, nil
}

// GetBucketLocation tells a bucket's Region, to whichever Region is asked;
// us-east-1 is told by saying nothing.
func (s *S3) GetBucketLocation(c *wire.Call, in *sdk.GetBucketLocationInput) (*sdk.GetBucketLocationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[*in.Bucket]
	switch {
	case c.Caller == "":
		return nil, denied()
	case !ok:
		return nil, noSuchBucket()
	case b.region == controlRegion:
		return &sdk.GetBucketLocationOutput{}, nil
	}
	return &sdk.GetBucketLocationOutput{LocationConstraint: aws.String(b.region)}, nil
}
