package wire_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	v1rds "github.com/aws/aws-sdk-go/service/rds"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func TestSignature_RefusedAsAWSRefuses(t *testing.T) {
	t.Parallel()
	b := newBench(t, rdsService(), dynamoService(), ec2Service(), arcService(), (&store{}).service())
	today := time.Now().UTC().Format("20060102")
	good := "AWS4-HMAC-SHA256 Credential=AKIA/" + today + "/us-east-1/rds/aws4_request, SignedHeaders=host, Signature=00"
	query := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, c := range map[string]struct {
		body, path, want string
		set              func(*http.Request)
	}{
		"query without signature": {body: "Action=DescribeDBClusters&Version=2014-10-31", want: "MissingAuthenticationToken", set: query},
		"ec2 without signature":   {body: "Action=DescribeSubnets&Version=2016-11-15", want: "AuthFailure", set: query},
		"json without signature": {body: "{}", want: "MissingAuthenticationTokenException", set: func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		}},
		"unknown scheme": {want: "AuthorizationHeaderMalformed", path: "/b/k", set: func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }},
		"no signature part": {want: "AuthorizationHeaderMalformed", path: "/b/k", set: func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request")
		}},
		"scope of four parts": {want: "IncompleteSignature", body: "Action=DescribeDBClusters&Version=2014-10-31", set: func(r *http.Request) {
			query(r)
			r.Header.Set("Authorization", strings.Replace(good, "/us-east-1", "", 1))
		}},
		"other day": {want: "IncompleteSignature", body: "Action=DescribeDBClusters&Version=2014-10-31", set: func(r *http.Request) {
			query(r)
			r.Header.Set("Authorization", good)
			r.Header.Set("X-Amz-Date", "20200101T000000Z")
		}},
		"old signature": {want: "SignatureDoesNotMatch", body: "Action=DescribeDBClusters&Version=2014-10-31", set: func(r *http.Request) {
			query(r)
			old := time.Now().UTC().Add(-48 * time.Hour)
			r.Header.Set("Authorization", strings.Replace(good, today, old.Format("20060102"), 1))
			r.Header.Set("X-Amz-Date", old.Format("20060102T150405Z"))
		}},
		"unknown Region":  {want: "SignatureDoesNotMatch", body: "Action=DescribeDBClusters&Version=2014-10-31", set: func(r *http.Request) { query(r); sign(r, "rds", "mars-1") }},
		"unknown service": {want: "InvalidAction", body: "Action=X", set: func(r *http.Request) { query(r); sign(r, "nonesuch", "us-east-1") }},
	} {
		r := request(t.Context(), t, http.MethodPost, b.url+c.path, c.body)
		c.set(r)
		resp, body := send(t, r)
		require.Contains(t, body, c.want, name)
		require.GreaterOrEqual(t, resp.StatusCode, 400, name)
		require.NotContains(t, strings.ToLower(body), "<html", name)
	}
}

func TestSigV4a_RegionSetNamesTheRegion(t *testing.T) {
	t.Parallel()
	svc := rdsService()
	var region string
	wire.Handle(svc, "DescribeDBClusters", func(c *wire.Call, _ *v1rds.DescribeDBClustersInput) (*v1rds.DescribeDBClustersOutput, error) {
		region = c.Region
		return nil, nil
	})
	b := newBench(t, svc)
	now := time.Now().UTC()
	r := request(t.Context(), t, http.MethodPost, b.url, "Action=DescribeDBClusters&Version=2014-10-31")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Amz-Region-Set", "us-west-2, us-east-1")
	r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
	r.Header.Set("Authorization", "AWS4-ECDSA-P256-SHA256 Credential=AKIA/"+now.Format("20060102")+"/rds/aws4_request, SignedHeaders=host, Signature=00")

	resp, body := send(t, r)

	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	require.Equal(t, "us-west-2", region)
}

func TestPresignedURL_IsACallOfWhoSignedIt(t *testing.T) {
	t.Parallel()
	st := &store{body: []byte("hello")}
	b := newBench(t, st.service())
	presigner := s3.NewPresignClient(s3.NewFromConfig(b.config("us-west-2")))
	signed, err := presigner.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	require.NoError(t, err)

	resp, body := send(t, request(t.Context(), t, signed.Method, signed.URL, ""))

	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	require.Equal(t, "hello", body)
	call := b.only(t)
	require.Equal(t, "AKIATESTCALLER", call.Caller)
	require.Equal(t, "us-west-2", call.Region)

	expired := strings.Replace(signed.URL, time.Now().UTC().Format("20060102T"), "20200101T", 1)
	expired = strings.Replace(expired, time.Now().UTC().Format("20060102")+"%2F", "20200101%2F", 1)
	resp, body = send(t, request(t.Context(), t, signed.Method, expired, ""))
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
	require.Contains(t, body, "Request has expired")
}
