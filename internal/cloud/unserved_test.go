package cloud

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"
)

// said is an answer as it comes over the wire.
type said struct {
	status int
	kind   string // Content-Type
	body   string
}

// ask lets the unmodified SDK make one call of a service, by protocol: rest-json,
// CBOR, JSON, EC2's, rest-xml, and query.
func ask(ctx context.Context, service string, cfg aws.Config) error {
	var err error
	buckets := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	switch service {
	case "backup":
		_, err = backup.NewFromConfig(cfg).ListBackupPlans(ctx, nil)
	case "cloudwatch":
		_, err = cloudwatch.NewFromConfig(cfg).DescribeAlarms(ctx, nil)
	case "dynamodb":
		_, err = dynamodb.NewFromConfig(cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("t")})
	case "kms":
		_, err = kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String("k")})
	case "ec2":
		_, err = ec2.NewFromConfig(cfg).DescribeVolumes(ctx, nil)
	case "route53":
		_, err = route53.NewFromConfig(cfg).ListHostedZones(ctx, nil)
	case "sns":
		_, err = sns.NewFromConfig(cfg).ListTopics(ctx, nil)
	case "s3":
		_, err = buckets.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String("bucket")})
	case "s3 head":
		_, err = buckets.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("bucket")})
	}
	return err
}

func endpointAt(endpoint string) aws.Config {
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
}

func (a said) to(t *testing.T, service string) error {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		if a.kind != "" {
			w.Header().Set("Content-Type", a.kind)
		}
		w.WriteHeader(a.status)
		if r.Method != http.MethodHead {
			_, _ = fmt.Fprint(w, a.body)
		}
	}))
	defer server.Close()
	err := ask(t.Context(), service, endpointAt(server.URL))
	require.Error(t, err)
	return Explain("us-east-1", err)
}

func TestUnserved_AsOtherImplementationsAnswer(t *testing.T) {
	t.Parallel()
	all := []string{"backup", "cloudwatch", "dynamodb", "kms", "ec2", "route53", "sns", "s3", "s3 head"}
	for name, c := range map[string]struct {
		said
		services []string
	}{
		"501 with a page":              {said{501, "text/html; charset=utf-8", "<html><body>Not Implemented</body></html>"}, all},
		"501 with a document":          {said{501, "application/json", `{"__type":"InternalFailure","message":"The API action has not yet been emulated"}`}, all},
		"501 without a word":           {said{501, "", ""}, all},
		"501 of an object store":       {said{501, "application/xml", `<Error><Code>NotImplemented</Code><Message>A header you provided implies functionality that is not implemented</Message></Error>`}, []string{"s3"}},
		"unknown operation":            {said{400, "application/x-amz-json-1.1", `{"__type":"UnknownOperationException","message":null}`}, []string{"backup", "dynamodb", "kms", "cloudwatch"}},
		"unknown operation as XML":     {said{404, "text/html", "<UnknownOperationException/>"}, all},
		"unknown action":               {said{400, "text/xml", `<ErrorResponse><Error><Code>InvalidAction</Code><Message>Could not find operation ListTopics</Message></Error></ErrorResponse>`}, []string{"sns", "route53"}},
		"internal failure that tells":  {said{500, "application/x-amz-json-1.1", `{"__type":"InternalFailure","message":"DescribeTable is not implemented"}`}, []string{"backup", "dynamodb", "kms", "cloudwatch"}},
		"internal failure, query":      {said{500, "text/xml", `<ErrorResponse><Error><Code>InternalFailure</Code><Message>The list_topics action has not been implemented</Message></Error></ErrorResponse>`}, []string{"sns", "route53"}},
		"404 in plain words":           {said{404, "text/plain", "API for service 'backup' not yet implemented or pro feature"}, all},
		"404 in words, as JSON":        {said{404, "application/json", `{"message":"API for service 'backup' not yet implemented or pro feature"}`}, []string{"backup", "dynamodb", "kms", "cloudwatch"}},
		"404 of a web server":          {said{404, "text/html", "<h1>404 page not found</h1>"}, all},
		"405 of what is no AWS at all": {said{405, "text/plain", "Method Not Allowed"}, all},
		"405 of an object store":       {said{405, "application/xml", `<Error><Code>MethodNotAllowed</Code><Message>not allowed</Message></Error>`}, []string{"backup", "dynamodb", "sns", "ec2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, service := range c.services {
				err := c.to(t, service)
				require.True(t, Unserved(err), "%s: %v", service, err)
				require.True(t, KindOf(err).Permanent(), "%s: nothing to wait for", service)
			}
		})
	}
}

// TestUnserved_AWSsOwnErrors_AreNotTakenForIt: each of these is an answer of a
// service that is there.
func TestUnserved_AWSsOwnErrors_AreNotTakenForIt(t *testing.T) {
	t.Parallel()
	json := func(status int, code, message string) said {
		return said{status, "application/x-amz-json-1.1", fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message)}
	}
	query := func(status int, code, message string) said {
		return said{status, "text/xml", fmt.Sprintf(`<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, message)}
	}
	store := func(status int, code, message string) said {
		return said{status, "application/xml", fmt.Sprintf(`<Error><Code>%s</Code><Message>%s</Message></Error>`, code, message)}
	}
	compute := func(status int, code, message string) said {
		return said{status, "text/xml;charset=UTF-8", fmt.Sprintf(`<Response><Errors><Error><Code>%s</Code><Message>%s</Message></Error></Errors></Response>`, code, message)}
	}
	for service, answers := range map[string][]said{
		"dynamodb": {
			json(400, "ResourceNotFoundException", "Requested resource not found"), json(400, "ThrottlingException", "Rate exceeded"),
			json(500, "InternalServerError", "The request processing has failed because of an unknown error."),
			json(400, "ValidationException", "ReplicaUpdates is not implemented for tables of this version"),
			json(400, "UnrecognizedClientException", "The security token included in the request is invalid."),
		},
		"kms": {
			json(400, "UnsupportedOperationException", "The key is not a multi-Region primary key"), json(400, "NotFoundException", "Alias is not found."),
			json(500, "KMSInternalException", "An internal error"), json(500, "InternalFailure", "The request processing has failed because of an unknown error, exception or failure."),
		},
		"backup": {
			json(400, "ResourceNotFoundException", "Backup plan does not exist"), json(403, "AccessDeniedException", "Insufficient privileges"),
			json(500, "ServiceUnavailableException", "The request failed due to a temporary failure of the server."),
			{502, "text/html", "<html>502 Bad Gateway</html>"},
		},
		"cloudwatch": {{500, "text/html", "<html>Internal Server Error</html>"}, {503, "text/html", "<html><h1>Http/1.1 Service Unavailable</h1></html>"}},
		"ec2": {
			compute(400, "UnsupportedOperation", "The functionality you requested is not supported in this Region."), compute(400, "InvalidVolume.NotFound", "The volume does not exist"),
			compute(503, "RequestLimitExceeded", "Request limit exceeded."), compute(500, "InternalError", "An internal error has occurred"), compute(401, "OptInRequired", "not subscribed"),
			compute(400, "OperationNotPermitted", "The operation is not permitted."),
		},
		"route53": {query(404, "NoSuchHostedZone", "No hosted zone found"), query(400, "Throttling", "Rate exceeded"), query(500, "InternalFailure", "We encountered an internal error.")},
		"sns": {
			query(404, "NotFound", "Topic does not exist"), query(500, "InternalFailure", ""), query(403, "AuthorizationError", "User is not authorized"),
			query(503, "ServiceUnavailable", "Service Unavailable"),
			{504, "text/html", "<html>504 Gateway Time-out</html>"},
		},
		"s3": {
			store(404, "NoSuchBucket", "The specified bucket does not exist"), store(404, "NoSuchTagSet", "The TagSet does not exist"),
			store(405, "MethodNotAllowed", "The specified method is not allowed against this resource."), store(500, "InternalError", "We encountered an internal error. Please try again."),
			store(503, "SlowDown", "Please reduce your request rate."), store(400, "AuthorizationHeaderMalformed", "The region is wrong"), store(403, "AccessDenied", "Access Denied"),
		},
		"s3 head": {{404, "application/xml", ""}, {403, "application/xml", ""}, {405, "application/xml", ""}},
	} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			for _, a := range answers {
				err := a.to(t, service)
				require.False(t, Unserved(err), "%d %s: %v", a.status, a.body, err)
				require.False(t, Refused(err), "%v", err)
			}
		})
	}
	require.False(t, Unserved(nil))
	require.False(t, Unserved(context.DeadlineExceeded))
}

func TestRefused_NobodyListens_UnlessItIsAWS(t *testing.T) {
	t.Parallel()
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	nobody := endpointAt("http://" + free.Addr().String())
	err = Explain("us-east-1", ask(t.Context(), "backup", nobody))
	require.True(t, Refused(err), "%v", err)
	require.False(t, Unserved(err), "it may be starting")
	require.Equal(t, Unreachable, KindOf(err))

	// The same, on the way to AWS itself: an outage.
	outage := endpointAt("http://backup.us-east-1.amazonaws.com")
	outage.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, free.Addr().String())
	}}}
	err = Explain("us-east-1", ask(t.Context(), "backup", outage))
	require.ErrorContains(t, err, "connection refused")
	require.False(t, Refused(err))
	require.Equal(t, Unreachable, KindOf(err))
}
