package s3_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/s3"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/s3"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1"
	west = "us-west-2"
)

// pair is a bucket in each Region: "docs-east" and "docs-west".
type pair struct {
	*s3.S3
	t     *testing.T
	world *world.World
}

func newPair(t *testing.T) *pair {
	t.Helper()
	const compression = 500
	return newPairAt(t, compression, s3.Options{})
}

func newPairAt(t *testing.T, compression float64, o s3.Options) *pair {
	t.Helper()
	w := world.New(world.Options{Compression: compression})
	t.Cleanup(w.Close)
	p := &pair{S3: s3.New(w, o), t: t, world: w}
	p.create(east, "docs-east")
	p.create(west, "docs-west")
	return p
}

// call is a call with headers, given as name, value, name, value.
func (p *pair) call(region string, headers ...string) *wire.Call {
	r := httptest.NewRequestWithContext(p.t.Context(), http.MethodPut, "/", http.NoBody)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return &wire.Call{Context: p.t.Context(), World: p.world, Region: region, Caller: "AKIATEST", HTTP: r, Header: http.Header{}}
}

func (p *pair) create(region, name string) {
	p.t.Helper()
	in := &sdk.CreateBucketInput{Bucket: &name}
	if region != east {
		in.CreateBucketConfiguration = &sdk.CreateBucketConfiguration{LocationConstraint: &region}
	}
	_, err := p.CreateBucket(p.call(region), in)
	require.NoError(p.t, err)
}

func (p *pair) version(region, name, status string) error {
	_, err := p.PutBucketVersioning(p.call(region), &sdk.PutBucketVersioningInput{
		Bucket: &name, VersioningConfiguration: &sdk.VersioningConfiguration{Status: &status},
	})
	return err
}

func (p *pair) replicate(region, from, to string) error {
	_, err := p.PutBucketReplication(p.call(region), &sdk.PutBucketReplicationInput{
		Bucket: &from, ReplicationConfiguration: &sdk.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::123456789012:role/replication"),
			Rules: []*sdk.ReplicationRule{{
				Status: aws.String("Enabled"), Priority: aws.Int64(1), Filter: &sdk.ReplicationRuleFilter{Prefix: aws.String("")},
				DeleteMarkerReplication: &sdk.DeleteMarkerReplication{Status: aws.String("Enabled")},
				Destination:             &sdk.Destination{Bucket: aws.String("arn:aws:s3:::" + to)},
			}},
		},
	})
	return err
}

// paired switches versions on and replicates both ways.
func (p *pair) paired() *pair {
	p.t.Helper()
	require.NoError(p.t, p.version(east, "docs-east", "Enabled"))
	require.NoError(p.t, p.version(west, "docs-west", "Enabled"))
	require.NoError(p.t, p.replicate(east, "docs-east", "docs-west"))
	require.NoError(p.t, p.replicate(west, "docs-west", "docs-east"))
	return p
}

func (p *pair) put(region, bucket, key, body string, headers ...string) (*sdk.PutObjectOutput, error) {
	return p.PutObjectAPI(p.call(region, headers...), &sdk.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte(body))})
}

func (p *pair) get(region, bucket, key string, headers ...string) (string, error) {
	c := p.call(region, headers...)
	in := &sdk.GetObjectInput{Bucket: &bucket, Key: &key}
	if r := c.HTTP.Header.Get("Range"); r != "" {
		in.Range = &r
	}
	out, err := p.GetObjectAPI(c, in)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(out.Body)
	return string(raw), err
}

func (p *pair) delete(region, bucket, key string) *sdk.DeleteObjectOutput {
	p.t.Helper()
	out, err := p.DeleteObject(p.call(region), &sdk.DeleteObjectInput{Bucket: &bucket, Key: &key})
	require.NoError(p.t, err)
	return out
}

// holds waits until a bucket's object has this body; "" means no object.
func (p *pair) holds(bucket, key, body string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		o, ok := p.Object(bucket, key)
		return ok == (body != "") && string(o.Body) == body
	}, 5*time.Second, time.Millisecond, "%s/%s never held %q", bucket, key, body)
}

func code(t *testing.T, err error) string {
	t.Helper()
	var refused *wire.Error
	require.ErrorAs(t, err, &refused)
	return refused.Code
}

func TestReplication_BothWays_KeepsVersionIDsAndMarksReplicas(t *testing.T) {
	t.Parallel()
	p := newPair(t).paired()
	written, err := p.put(east, "docs-east", "a", "one")
	require.NoError(t, err)
	require.Equal(t, "PENDING", p.Status("docs-east", "a"))
	p.holds("docs-west", "a", "one")
	replica, _ := p.Object("docs-west", "a")
	require.Equal(t, *written.VersionId, replica.Version)
	require.Equal(t, "REPLICA", replica.Replication)
	require.Eventually(t, func() bool { return p.Status("docs-east", "a") == "COMPLETED" }, 5*time.Second, time.Millisecond)
	require.NoError(t, p.PutObject(west, "docs-west", "b", []byte("two")))
	p.holds("docs-east", "b", "two")
	require.Empty(t, p.Backlogs(), "replicas are not copied on")
}

func TestReplication_DeleteMarker_TravelsVersionDeleteDoesNot(t *testing.T) {
	t.Parallel()
	p := newPair(t).paired()
	written, err := p.put(east, "docs-east", "a", "one")
	require.NoError(t, err)
	p.holds("docs-west", "a", "one")
	_, err = p.DeleteObject(p.call(east), &sdk.DeleteObjectInput{Bucket: aws.String("docs-east"), Key: aws.String("a"), VersionId: written.VersionId})
	require.NoError(t, err)
	_, gone := p.Object("docs-east", "a")
	require.False(t, gone)
	_, err = p.put(east, "docs-east", "b", "two")
	require.NoError(t, err)
	p.holds("docs-west", "b", "two")
	p.holds("docs-west", "a", "one")
	require.True(t, *p.delete(east, "docs-east", "b").DeleteMarker)
	p.holds("docs-west", "b", "")
}

func TestReplication_DarkOrPartitioned_WaitsAndResumes(t *testing.T) {
	t.Parallel()
	for _, f := range []world.Fault{
		{Kind: world.Blackout, Region: east}, {Kind: world.Blackout, Region: west}, {Kind: world.Partition, Region: east, Peer: west},
	} {
		p := newPair(t).paired()
		_, err := p.put(east, "docs-east", "tail", "lost for now")
		require.NoError(t, err)
		p.world.Inject(f)
		require.NoError(t, p.replicatesNothing())
		require.Equal(t, 1, p.Backlogs()[0].Versions)
		p.world.Heal(f.Region)
		p.holds("docs-west", "tail", "lost for now")
	}
}

// replicatesNothing waits three times the lag, during which nothing may arrive.
func (p *pair) replicatesNothing() error {
	done := make(chan error, 1)
	p.world.After(6*time.Second, func() {
		if _, ok := p.Object("docs-west", "tail"); ok {
			done <- errors.New("the object crossed a cut network")
			return
		}
		done <- nil
	})
	return <-done
}

func TestReplication_OverlappingWrites_BothSidesAgree(t *testing.T) {
	t.Parallel()
	p := newPair(t).paired()
	p.world.Inject(world.Fault{Kind: world.Partition, Region: east, Peer: west})
	_, err := p.put(west, "docs-west", "k", "older")
	require.NoError(t, err)
	_, err = p.put(east, "docs-east", "k", "newer")
	require.NoError(t, err)
	p.world.Heal(east)
	p.holds("docs-west", "k", "newer")
	p.holds("docs-east", "k", "newer")
	out, err := p.ListObjectVersions(p.call(east), &sdk.ListObjectVersionsInput{Bucket: aws.String("docs-east")})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		out, err = p.ListObjectVersions(p.call(east), &sdk.ListObjectVersionsInput{Bucket: aws.String("docs-east")})
		return err == nil && len(out.Versions) == 2
	}, 5*time.Second, time.Millisecond)
	require.True(t, *out.Versions[0].IsLatest)
}

func TestReplication_Preconditions(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	require.Equal(t, "InvalidRequest", code(t, p.replicate(east, "docs-east", "docs-west")), "source without versions")
	require.NoError(t, p.version(east, "docs-east", "Enabled"))
	require.Equal(t, "InvalidRequest", code(t, p.replicate(east, "docs-east", "docs-west")), "destination without versions")
	require.Equal(t, "InvalidRequest", code(t, p.replicate(east, "docs-east", "nowhere")))
	require.NoError(t, p.version(west, "docs-west", "Enabled"))
	require.NoError(t, p.replicate(east, "docs-east", "docs-west"))
	require.Equal(t, "InvalidBucketState", code(t, p.version(east, "docs-east", "Suspended")))
}

func TestBucketConfiguration_UsEast1Dark_DiesEverywhereButObjectsLive(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	p.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	require.Equal(t, "ServiceUnavailable", code(t, p.version(west, "docs-west", "Enabled")))
	_, err := p.CreateBucket(p.call(west), &sdk.CreateBucketInput{
		Bucket: aws.String("late-bucket"), CreateBucketConfiguration: &sdk.CreateBucketConfiguration{LocationConstraint: aws.String(west)},
	})
	require.Equal(t, "ServiceUnavailable", code(t, err))
	_, err = p.put(west, "docs-west", "evacuate/us-east-1", "now")
	require.NoError(t, err)
	require.ErrorIs(t, p.PutObject(west, "docs-east", "a", nil), s3.ErrUnreachable)
	p.world.Heal(east)
	require.NoError(t, p.version(west, "docs-west", "Enabled"))
}

func TestPublicGet_NeedsAPolicyAndAnOpenBlock(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	const key = "evacuate/us-east-1"
	_, err := p.put(west, "docs-west", key, "x")
	require.NoError(t, err)
	require.Equal(t, 403, p.PublicGet("", "docs-west", key))
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::docs-west/evacuate/*"}}`
	set := func() error {
		_, err := p.PutBucketPolicy(p.call(west), &sdk.PutBucketPolicyInput{Bucket: aws.String("docs-west"), Policy: &text})
		return err
	}
	require.Equal(t, "AccessDenied", code(t, set()), "public policies are blocked by default")
	_, err = p.DeletePublicAccessBlock(p.call(west), &sdk.DeletePublicAccessBlockInput{Bucket: aws.String("docs-west")})
	require.NoError(t, err)
	require.NoError(t, set())
	require.Equal(t, 200, p.PublicGet("", "docs-west", key))
	require.Equal(t, 403, p.PublicGet("", "docs-west", "secret"))
	p.delete(west, "docs-west", key)
	require.Equal(t, 403, p.PublicGet("", "docs-west", key), "absence is a secret to those who may not list")
	_, err = p.put(west, "docs-west", key, "x")
	require.NoError(t, err)
	p.world.Inject(world.Fault{Kind: world.Blackout, Region: west})
	require.Equal(t, 0, p.PublicGet("", "docs-west", key))
	p.world.Heal(west)
	_, err = p.PutPublicAccessBlock(p.call(west), &sdk.PutPublicAccessBlockInput{
		Bucket: aws.String("docs-west"), PublicAccessBlockConfiguration: &sdk.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)},
	})
	require.NoError(t, err)
	require.Equal(t, 403, p.PublicGet("", "docs-west", key))
}

func TestBuckets_RefusalsSpeakAWSsCodes(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	create := func(region, name, location string) error {
		in := &sdk.CreateBucketInput{Bucket: &name}
		if location != "" {
			in.CreateBucketConfiguration = &sdk.CreateBucketConfiguration{LocationConstraint: &location}
		}
		_, err := p.CreateBucket(p.call(region), in)
		return err
	}
	require.Equal(t, "InvalidBucketName", code(t, create(east, "Not_A_Bucket", "")))
	require.Equal(t, "IllegalLocationConstraintException", code(t, create(west, "some-bucket", "")))
	require.Equal(t, "BucketAlreadyOwnedByYou", code(t, create(west, "docs-west", west)))
	require.NoError(t, create(east, "docs-east", ""), "us-east-1 forgives its own")
	_, err := p.get(west, "docs-east", "k")
	require.Equal(t, "PermanentRedirect", code(t, err))
	_, err = p.get(east, "nowhere", "k")
	require.Equal(t, "NoSuchBucket", code(t, err))
	_, err = p.put(east, "docs-east", "k", "v")
	require.NoError(t, err)
	_, err = p.DeleteBucket(p.call(east), &sdk.DeleteBucketInput{Bucket: aws.String("docs-east")})
	require.Equal(t, "BucketNotEmpty", code(t, err))
	p.delete(east, "docs-east", "k")
	_, err = p.DeleteBucket(p.call(east), &sdk.DeleteBucketInput{Bucket: aws.String("docs-east")})
	require.NoError(t, err)
	for want, ask := range map[string]func() error{
		"ReplicationConfigurationNotFoundError": func() error {
			_, err := p.GetBucketReplication(p.call(west), &sdk.GetBucketReplicationInput{Bucket: aws.String("docs-west")})
			return err
		},
		"NoSuchLifecycleConfiguration": func() error {
			_, err := p.GetBucketLifecycleConfiguration(p.call(west), &sdk.GetBucketLifecycleConfigurationInput{Bucket: aws.String("docs-west")})
			return err
		},
		"NoSuchBucketPolicy": func() error {
			_, err := p.GetBucketPolicy(p.call(west), &sdk.GetBucketPolicyInput{Bucket: aws.String("docs-west")})
			return err
		},
		"NoSuchTagSet": func() error {
			_, err := p.GetBucketTagging(p.call(west), &sdk.GetBucketTaggingInput{Bucket: aws.String("docs-west")})
			return err
		},
	} {
		require.Equal(t, want, code(t, ask()))
	}
}
