package wire_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	v1r53 "github.com/aws/aws-sdk-go/service/route53"
	v1s3 "github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func s3Service() *wire.Service {
	return wire.NewService("s3", v1s3.New(wire.V1Session()), wire.RESTXML)
}

// store is a bucket that names which operation reached it.
type store struct {
	body     []byte
	metadata map[string]*string
	reached  []string
}

func (s *store) service() *wire.Service {
	svc := s3Service()
	wire.Handle(svc, "PutObject", func(c *wire.Call, in *v1s3.PutObjectInput) (*v1s3.PutObjectOutput, error) {
		s.reached = append(s.reached, c.Operation)
		body, err := io.ReadAll(in.Body)
		s.body, s.metadata = body, in.Metadata
		return &v1s3.PutObjectOutput{ETag: aws.String(`"` + *in.Bucket + "/" + *in.Key + `"`)}, err
	})
	wire.Handle(svc, "GetObject", func(_ *wire.Call, in *v1s3.GetObjectInput) (*v1s3.GetObjectOutput, error) {
		if *in.Key == "absent" {
			return nil, wire.Errorf(http.StatusNotFound, v1s3.ErrCodeNoSuchKey, "The specified key does not exist.")
		}
		return &v1s3.GetObjectOutput{
			Body: io.NopCloser(bytes.NewReader(s.body)), Metadata: s.metadata, ContentType: aws.String("text/plain"),
		}, nil
	})
	wire.Handle(svc, "CopyObject", func(c *wire.Call, in *v1s3.CopyObjectInput) (*v1s3.CopyObjectOutput, error) {
		s.reached = append(s.reached, c.Operation+" "+*in.CopySource)
		return &v1s3.CopyObjectOutput{CopyObjectResult: &v1s3.CopyObjectResult{ETag: aws.String("e")}}, nil
	})
	wire.Handle(svc, "UploadPart", func(c *wire.Call, in *v1s3.UploadPartInput) (*v1s3.UploadPartOutput, error) {
		s.reached = append(s.reached, c.Operation)
		return &v1s3.UploadPartOutput{ETag: in.UploadId}, nil
	})
	wire.Handle(svc, "DeleteObject", func(c *wire.Call, _ *v1s3.DeleteObjectInput) (*v1s3.DeleteObjectOutput, error) {
		s.reached = append(s.reached, c.Operation)
		return nil, nil
	})
	wire.Handle(svc, "ListObjectsV2", func(_ *wire.Call, in *v1s3.ListObjectsV2Input) (*v1s3.ListObjectsV2Output, error) {
		return &v1s3.ListObjectsV2Output{
			Name: in.Bucket, KeyCount: aws.Int64(2), IsTruncated: aws.Bool(false),
			Contents: []*v1s3.Object{{Key: aws.String("a")}, {Key: aws.String("b")}},
		}, nil
	})
	wire.Handle(svc, "GetBucketLocation", func(*wire.Call, *v1s3.GetBucketLocationInput) (*v1s3.GetBucketLocationOutput, error) {
		return &v1s3.GetBucketLocationOutput{LocationConstraint: aws.String("us-west-2")}, nil
	})
	wire.Handle(svc, "PutBucketReplication", func(_ *wire.Call, in *v1s3.PutBucketReplicationInput) (*v1s3.PutBucketReplicationOutput, error) {
		s.reached = append(s.reached, *in.ReplicationConfiguration.Rules[0].Destination.Bucket)
		return nil, nil
	})
	return svc
}

func TestS3_ObjectsRoundTrip_PathStyleAndVirtualHost(t *testing.T) {
	t.Parallel()
	s := &store{}
	b := newBench(t, s.service())
	client := s3.NewFromConfig(b.config("us-west-2"))

	put, err := client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("records"), Key: aws.String("a/b c+d"), Body: strings.NewReader("hello"),
		Metadata: map[string]string{"Origin": "here"},
	})
	require.NoError(t, err)
	require.Equal(t, `"records/a/b c+d"`, *put.ETag)

	got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("records"), Key: aws.String("a/b c+d")})
	require.NoError(t, err)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Equal(t, "hello", string(body))
	require.Equal(t, map[string]string{"origin": "here"}, got.Metadata)

	r := request(t.Context(), t, http.MethodGet, b.url+"/a/b", "")
	r.Host = "records.s3.us-west-2.amazonaws.com"
	resp, text := send(t, r) // anonymous, as a health checker asks
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "hello", text)
}

func TestS3_StreamWithTrailingChecksum_IsUnchunkedAndChecked(t *testing.T) {
	t.Parallel()
	s := &store{}
	b := newBench(t, s.service())
	// The SDK's own chunked form needs TLS; over http it is what other clients send.
	const crcOfHello = "NhCmhg=="
	chunked := "3;chunk-signature=aa\r\nhel\r\n2\r\nlo\r\n0\r\nx-amz-checksum-crc32:" + crcOfHello + "\r\n\r\n"
	put := func(body string) (reply, string) {
		r := request(t.Context(), t, http.MethodPut, b.url+"/records/k", body)
		r.Header.Set("Content-Encoding", "aws-chunked")
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("X-Amz-Decoded-Content-Length", "5")
		return b.raw(t, r, "s3", "us-west-2")
	}

	resp, _ := put(chunked)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "hello", string(s.body))

	resp, body := put(strings.Replace(chunked, "hel", "HEL", 1))
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Contains(t, body, "<Code>BadDigest</Code>")

	resp, body = put("3\r\nhel")
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Contains(t, body, "<Error><Code>")
}

func TestS3_OnePathManyOperations(t *testing.T) {
	t.Parallel()
	s := &store{}
	b := newBench(t, s.service())
	client := s3.NewFromConfig(b.config("us-west-2"))
	bucket, key := aws.String("records"), aws.String("k")

	_, err := client.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: bucket, Key: key, CopySource: aws.String("other/k")})
	require.NoError(t, err)
	_, err = client.UploadPart(t.Context(), &s3.UploadPartInput{
		Bucket: bucket, Key: key, UploadId: aws.String("u"), PartNumber: aws.Int32(1), Body: strings.NewReader("x"),
	})
	require.NoError(t, err)
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: key})
	require.NoError(t, err)
	_, err = client.PutBucketReplication(t.Context(), &s3.PutBucketReplicationInput{
		Bucket: bucket, ReplicationConfiguration: &s3types.ReplicationConfiguration{
			Role: aws.String("arn:role"), Rules: []s3types.ReplicationRule{{
				Status: s3types.ReplicationRuleStatusEnabled, Destination: &s3types.Destination{Bucket: aws.String("arn:aws:s3:::other")},
			}},
		},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"CopyObject other/k", "UploadPart", "PutObject", "DeleteObject", "arn:aws:s3:::other"}, s.reached)

	list, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: bucket})
	require.NoError(t, err)
	require.Len(t, list.Contents, 2)
	where, err := client.GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: bucket})
	require.NoError(t, err)
	require.Equal(t, s3types.BucketLocationConstraintUsWest2, where.LocationConstraint)

	_, err = client.GetBucketAcl(t.Context(), &s3.GetBucketAclInput{Bucket: bucket})
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "MethodNotAllowed", api.ErrorCode(), "an operation that isn't served must not fall to another on the same path")
}

func TestS3_Refusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, (&store{}).service())
	client := s3.NewFromConfig(b.config("us-west-2"))

	_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("absent")})
	var missing *s3types.NoSuchKey
	require.ErrorAs(t, err, &missing)

	for name, body := range map[string]string{
		"not XML": "<ReplicationConfiguration>", "missing member": "<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status></Rule></ReplicationConfiguration>",
		"bad enum": "<ReplicationConfiguration><Role>r</Role><Rule><Status>Perhaps</Status><Destination><Bucket>x</Bucket></Destination></Rule></ReplicationConfiguration>",
	} {
		_, text := b.raw(t, request(t.Context(), t, http.MethodPut, b.url+"/b?replication", body), "s3", "us-west-2")
		require.Contains(t, text, "<Code>MalformedXML</Code>", name)
	}
}

func route53Service(t *testing.T) *wire.Service {
	t.Helper()
	s := wire.NewService("route53", v1r53.New(wire.V1Session()), wire.RESTXML)
	wire.Handle(s, "CreateHealthCheck", func(_ *wire.Call, in *v1r53.CreateHealthCheckInput) (*v1r53.CreateHealthCheckOutput, error) {
		return &v1r53.CreateHealthCheckOutput{HealthCheck: &v1r53.HealthCheck{
			Id: aws.String("hc-1"), CallerReference: in.CallerReference, HealthCheckConfig: in.HealthCheckConfig, HealthCheckVersion: aws.Int64(1),
		}}, nil
	})
	wire.Handle(s, "GetHostedZone", func(_ *wire.Call, in *v1r53.GetHostedZoneInput) (*v1r53.GetHostedZoneOutput, error) {
		return &v1r53.GetHostedZoneOutput{HostedZone: &v1r53.HostedZone{Id: aws.String("/hostedzone/" + *in.Id), Name: aws.String("x."), CallerReference: aws.String("r")}}, nil
	})
	wire.Handle(s, "ChangeResourceRecordSets", func(_ *wire.Call, in *v1r53.ChangeResourceRecordSetsInput) (*v1r53.ChangeResourceRecordSetsOutput, error) {
		require.Equal(t, "Z1", *in.HostedZoneId)
		if *in.ChangeBatch.Changes[0].Action == "DELETE" {
			return nil, wire.Errorf(http.StatusBadRequest, v1r53.ErrCodeInvalidChangeBatch, "[not found]")
		}
		record := in.ChangeBatch.Changes[0].ResourceRecordSet
		return &v1r53.ChangeResourceRecordSetsOutput{ChangeInfo: &v1r53.ChangeInfo{
			Id: aws.String("/change/C1"), Status: aws.String("PENDING"), Comment: record.ResourceRecords[1].Value, SubmittedAt: aws.Time(fixed()),
		}}, nil
	})
	return s
}

func TestRoute53_CreateAnswersWithLocationAndNamespace(t *testing.T) {
	t.Parallel()
	b := newBench(t, route53Service(t))
	client := route53.NewFromConfig(b.config("us-west-2"))

	out, err := client.CreateHealthCheck(t.Context(), &route53.CreateHealthCheckInput{
		CallerReference: aws.String("ref"),
		HealthCheckConfig: &r53types.HealthCheckConfig{
			Type: r53types.HealthCheckTypeCalculated, HealthThreshold: aws.Int32(1), ChildHealthChecks: []string{"a", "b"},
			Inverted: aws.Bool(true), Regions: []r53types.HealthCheckRegion{"us-east-1", "us-west-2", "eu-west-1"},
		},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, out.HealthCheck.HealthCheckConfig.ChildHealthChecks)
	require.True(t, *out.HealthCheck.HealthCheckConfig.Inverted)
	require.NotEmpty(t, *out.Location)

	body := `<CreateHealthCheckRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><CallerReference>r</CallerReference><HealthCheckConfig><Type>TCP</Type></HealthCheckConfig></CreateHealthCheckRequest>`
	resp, text := b.raw(t, request(t.Context(), t, http.MethodPost, b.url+"/2013-04-01/healthcheck", body), "route53", "us-east-1")
	require.Equal(t, http.StatusCreated, resp.StatusCode)
	require.Contains(t, text, `<CreateHealthCheckResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">`)
	require.Equal(t, "us-east-1", b.world.Calls(fixed())[0].Region, "logged where the control plane stands")
}

func TestRoute53_IDsComeWithOrWithoutPrefix(t *testing.T) {
	t.Parallel()
	b := newBench(t, route53Service(t))
	for _, path := range []string{"Z1", "%2Fhostedzone%2FZ1", "/hostedzone/Z1"} {
		_, body := b.raw(t, request(t.Context(), t, http.MethodGet, b.url+"/2013-04-01/hostedzone/"+path, ""), "route53", "us-east-1")
		require.Contains(t, body, "<Id>/hostedzone/Z1</Id>", path)
	}
	client := route53.NewFromConfig(b.config("us-east-1"))
	change := &route53.ChangeResourceRecordSetsInput{
		HostedZoneId: aws.String("/hostedzone/Z1"),
		ChangeBatch: &r53types.ChangeBatch{Changes: []r53types.Change{{
			Action: r53types.ChangeActionUpsert, ResourceRecordSet: &r53types.ResourceRecordSet{
				Name: aws.String("x"), Type: r53types.RRTypeA, TTL: aws.Int64(10),
				ResourceRecords: []r53types.ResourceRecord{{Value: aws.String("1.1.1.1")}, {Value: aws.String("2.2.2.2")}},
			},
		}}},
	}

	out, err := client.ChangeResourceRecordSets(t.Context(), change)
	require.NoError(t, err)
	require.Equal(t, "2.2.2.2", *out.ChangeInfo.Comment)
	require.Equal(t, fixed(), *out.ChangeInfo.SubmittedAt)

	change.ChangeBatch.Changes[0].Action = r53types.ChangeActionDelete
	_, err = client.ChangeResourceRecordSets(t.Context(), change)
	var invalid *r53types.InvalidChangeBatch
	require.ErrorAs(t, err, &invalid)
}
