package s3control

import (
	"context"
	"fmt"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/smithy-go"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation of S3 Control that setup calls.
type SetupAPI interface {
	ListJobs(context.Context, *sdk.ListJobsInput, ...func(*sdk.Options)) (*sdk.ListJobsOutput, error)
	DescribeJob(context.Context, *sdk.DescribeJobInput, ...func(*sdk.Options)) (*sdk.DescribeJobOutput, error)
	CreateJob(context.Context, *sdk.CreateJobInput, ...func(*sdk.Options)) (*sdk.CreateJobOutput, error)
}

// BucketAPI is every operation of S3 that setup calls for it.
type BucketAPI interface {
	GetBucketTagging(context.Context, *s3.GetBucketTaggingInput, ...func(*s3.Options)) (*s3.GetBucketTaggingOutput, error)
	PutBucketTagging(context.Context, *s3.PutBucketTaggingInput, ...func(*s3.Options)) (*s3.PutBucketTaggingOutput, error)
}

// keeper keeps Batch Replication jobs.
type keeper struct {
	jobs    func(plan.Region) SetupAPI
	buckets func(plan.Region) BucketAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(
		cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return client(cfg) }),
		cloud.PerRegion(c, func(cfg aws.Config) BucketAPI {
			return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
		}))
}

func keepers(jobs func(plan.Region) SetupAPI, buckets func(plan.Region) BucketAPI) []keep.Keeper {
	k := keeper{jobs, buckets}
	return []keep.Keeper{{Type: "s3-batch-replication", Read: k.read, Write: k.write}}
}

func client(cfg aws.Config) *sdk.Client {
	return sdk.NewFromConfig(cfg, func(o *sdk.Options) {
		if o.BaseEndpoint != nil && bare(*o.BaseEndpoint) {
			o.EndpointResolverV2 = asGiven{*o.BaseEndpoint}
		}
	})
}

// bare says that nothing can be put before the host of an endpoint, as the SDK
// does with the account's number: an address, or this machine.
func bare(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil)
}

// asGiven leads to a configured endpoint without changing its host. The account
// is in a header too.
type asGiven struct{ endpoint string }

// ResolveEndpoint gives the endpoint, signed as S3 Control is.
func (a asGiven) ResolveEndpoint(_ context.Context, p sdk.EndpointParameters) (smithyendpoints.Endpoint, error) {
	u, err := url.Parse(a.endpoint)
	if err != nil {
		return smithyendpoints.Endpoint{}, fmt.Errorf("endpoint %q of S3 Control: %w", a.endpoint, err)
	}
	var signing smithy.Properties
	smithyhttp.SetSigV4SigningName(&signing, "s3")
	smithyhttp.SetSigV4ASigningName(&signing, "s3")
	smithyhttp.SetDisableDoubleEncoding(&signing, true)
	smithyhttp.SetSigV4SigningRegion(&signing, aws.ToString(p.Region))
	var properties smithy.Properties
	smithyauth.SetAuthOptions(&properties, []*smithyauth.Option{{SchemeID: smithyauth.SchemeIDSigV4, SignerProperties: signing}})
	return smithyendpoints.Endpoint{URI: *u, Properties: properties}, nil
}
