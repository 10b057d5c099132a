package s3_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/s3"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// daysPerSecond makes thirty days pass in a few hundred milliseconds.
const daysPerSecond = 100 * 86_400

func (p *pair) lifecycle(bucket string, rules ...*sdk.LifecycleRule) error {
	for _, r := range rules {
		if r.Status == nil {
			r.Status = aws.String("Enabled")
		}
		if r.Filter == nil && r.Prefix == nil {
			r.Filter = &sdk.LifecycleRuleFilter{Prefix: aws.String("")}
		}
	}
	_, err := p.PutBucketLifecycleConfiguration(p.call(east), &sdk.PutBucketLifecycleConfigurationInput{
		Bucket: &bucket, LifecycleConfiguration: &sdk.BucketLifecycleConfiguration{Rules: rules},
	})
	return err
}

func move(days int64, class string) *sdk.LifecycleRule {
	return &sdk.LifecycleRule{Transitions: []*sdk.Transition{{Days: &days, StorageClass: &class}}}
}

// class is the storage class of a key's current version; "" is STANDARD.
func (p *pair) class(bucket, key string) string {
	out, err := p.HeadObject(p.call(east), &sdk.HeadObjectInput{Bucket: &bucket, Key: &key})
	require.NoError(p.t, err)
	return aws.StringValue(out.StorageClass)
}

func (p *pair) becomes(bucket, key, class string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return p.class(bucket, key) == class }, 10*time.Second, time.Millisecond, "%s never became %s", key, class)
}

func big() string { return strings.Repeat("x", 128<<10) }

func TestLifecycle_AfterThirtyDays_ArchivesBigObjectsOnly(t *testing.T) {
	t.Parallel()
	p := newPairAt(t, daysPerSecond, s3.Options{})
	for _, o := range []struct{ key, body string }{{"cold/small", "x"}, {"warm/big", big()}, {"cold/big", big()}} {
		_, err := p.put(east, "docs-east", o.key, o.body)
		require.NoError(t, err)
	}
	rule := move(30, "GLACIER")
	rule.Filter = &sdk.LifecycleRuleFilter{Prefix: aws.String("cold/")}
	require.NoError(t, p.lifecycle("docs-east", rule))
	p.becomes("docs-east", "cold/big", "GLACIER")
	require.Empty(t, p.class("docs-east", "warm/big"), "outside the filter")
	require.Empty(t, p.class("docs-east", "cold/small"), "below 128 KB")

	_, err := p.get(east, "docs-east", "cold/big")
	require.Equal(t, "InvalidObjectState", code(t, err))
	_, _, err = p.GetObject(east, "docs-east", "cold/big")
	require.ErrorContains(t, err, "archived")
	_, err = p.CopyObject(p.call(east), &sdk.CopyObjectInput{
		Bucket: aws.String("docs-east"), Key: aws.String("copy"), CopySource: aws.String("docs-east/cold/big"),
	})
	require.Equal(t, "ObjectNotInActiveTierError", code(t, err))
}

func TestLifecycle_GlacierInstantRetrieval_StaysReadable(t *testing.T) {
	t.Parallel()
	p := newPairAt(t, daysPerSecond, s3.Options{})
	_, err := p.put(east, "docs-east", "k", big())
	require.NoError(t, err)
	require.NoError(t, p.lifecycle("docs-east", move(1, "GLACIER_IR")))
	p.becomes("docs-east", "k", "GLACIER_IR")
	body, err := p.get(east, "docs-east", "k")
	require.NoError(t, err)
	require.Len(t, body, 128<<10)
}

func TestLifecycle_StillToBeReplicated_DoesNotMove(t *testing.T) {
	t.Parallel()
	p := newPairAt(t, daysPerSecond, s3.Options{}).paired()
	p.create(east, "docs-alone")
	p.world.Inject(world.Fault{ID: "cut", Kind: world.Partition, Region: east, Peer: west})
	_, err := p.put(east, "docs-east", "waits", big())
	require.NoError(t, err)
	_, err = p.put(east, "docs-alone", "moves", big())
	require.NoError(t, err)
	require.NoError(t, p.lifecycle("docs-east", move(1, "DEEP_ARCHIVE")))
	require.NoError(t, p.lifecycle("docs-alone", move(1, "DEEP_ARCHIVE")))
	p.becomes("docs-alone", "moves", "DEEP_ARCHIVE")
	require.Equal(t, "PENDING", p.Status("docs-east", "waits"))
	require.Empty(t, p.class("docs-east", "waits"))
	p.world.Remove("cut")
	p.becomes("docs-east", "waits", "DEEP_ARCHIVE")
	o, ok := p.Object("docs-west", "waits")
	require.True(t, ok)
	require.Len(t, o.Body, 128<<10, "the replica is a copy of its own, which lifecycle here doesn't touch")
}

func TestLifecycle_ExpiryHidesThenDeletes_AndIsNotReplicated(t *testing.T) {
	t.Parallel()
	p := newPairAt(t, daysPerSecond, s3.Options{}).paired()
	_, err := p.put(east, "docs-east", "old", "x")
	require.NoError(t, err)
	p.holds("docs-west", "old", "x")
	require.NoError(t, p.lifecycle("docs-east", &sdk.LifecycleRule{Expiration: &sdk.LifecycleExpiration{Days: aws.Int64(2)}}))
	p.holds("docs-east", "old", "")
	versions := func() int {
		out, err := p.ListObjectVersions(p.call(east), &sdk.ListObjectVersionsInput{Bucket: aws.String("docs-east")})
		require.NoError(t, err)
		return len(out.Versions) + len(out.DeleteMarkers)
	}
	require.Equal(t, 2, versions(), "hidden by a marker")
	require.NoError(t, p.lifecycle("docs-east", &sdk.LifecycleRule{
		NoncurrentVersionExpiration: &sdk.NoncurrentVersionExpiration{NoncurrentDays: aws.Int64(1)},
		Expiration:                  &sdk.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)},
	}))
	require.Eventually(t, func() bool { return versions() == 0 }, 10*time.Second, time.Millisecond)
	p.holds("docs-west", "old", "x")
}

func TestLifecycle_Refusals(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	both := move(30, "GLACIER")
	both.Filter, both.Prefix = &sdk.LifecycleRuleFilter{Prefix: aws.String("a")}, aws.String("b")
	late := move(90, "GLACIER")
	late.Expiration = &sdk.LifecycleExpiration{Days: aws.Int64(30)}
	twice := move(30, "GLACIER")
	twice.Transitions = append(twice.Transitions, &sdk.Transition{Days: aws.Int64(60), StorageClass: aws.String("GLACIER")})
	hidden := &sdk.LifecycleRule{
		NoncurrentVersionTransitions: []*sdk.NoncurrentVersionTransition{{NoncurrentDays: aws.Int64(30), StorageClass: aws.String("GLACIER")}},
		NoncurrentVersionExpiration:  &sdk.NoncurrentVersionExpiration{NoncurrentDays: aws.Int64(30)},
	}
	tagged := &sdk.LifecycleRule{
		Filter:                         &sdk.LifecycleRuleFilter{Tag: &sdk.Tag{Key: aws.String("a"), Value: aws.String("b")}},
		AbortIncompleteMultipartUpload: &sdk.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int64(1)},
	}
	for name, tc := range map[string]struct {
		rule *sdk.LifecycleRule
		code string
	}{
		"no action":                      {&sdk.LifecycleRule{}, "InvalidRequest"},
		"filter and prefix":              {both, "MalformedXML"},
		"infrequent access after a week": {move(7, "STANDARD_IA"), "InvalidArgument"},
		"expires before it moves":        {late, "InvalidArgument"},
		"one class twice":                {twice, "InvalidRequest"},
		"noncurrent expires too early":   {hidden, "InvalidArgument"},
		"uploads by tag":                 {tagged, "InvalidRequest"},
		"expires after no day":           {&sdk.LifecycleRule{Expiration: &sdk.LifecycleExpiration{Days: aws.Int64(0)}}, "InvalidArgument"},
	} {
		require.Equal(t, tc.code, code(t, p.lifecycle("docs-east", tc.rule)), name)
	}
	_, err := p.GetBucketLifecycleConfiguration(p.call(east), &sdk.GetBucketLifecycleConfigurationInput{Bucket: aws.String("docs-east")})
	require.Equal(t, "NoSuchLifecycleConfiguration", code(t, err), "nothing refused was kept")
}

func TestLifecycle_UploadNobodyFinished_IsAborted(t *testing.T) {
	t.Parallel()
	p := newPairAt(t, daysPerSecond, s3.Options{})
	up, err := p.CreateMultipartUpload(p.call(east), &sdk.CreateMultipartUploadInput{Bucket: aws.String("docs-east"), Key: aws.String("k")})
	require.NoError(t, err)
	require.NoError(t, p.lifecycle("docs-east", &sdk.LifecycleRule{
		AbortIncompleteMultipartUpload: &sdk.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int64(1)},
	}))
	require.Eventually(t, func() bool {
		c := &wire.Call{Context: t.Context(), World: p.world, Region: east, Caller: "AKIATEST", HTTP: httptest.NewRequestWithContext(t.Context(), "PUT", "/", nil)}
		_, err := p.UploadPart(c, &sdk.UploadPartInput{Bucket: aws.String("docs-east"), Key: aws.String("k"), UploadId: up.UploadId, PartNumber: aws.Int64(1)})
		return err != nil && code(t, err) == "NoSuchUpload"
	}, 10*time.Second, time.Millisecond)
}
