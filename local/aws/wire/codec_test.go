package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	v1 "github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/cloudwatch"
	"github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/aws/aws-sdk-go/service/rds"
	"github.com/aws/aws-sdk-go/service/route53"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/stretchr/testify/require"
)

// AWS's v1 client speaks no CBOR, so that every shape of CloudWatch makes the
// trip through our own encoder and decoder; the v2 client proves a few.
func TestCBOR_EveryShapeOfCloudWatch(t *testing.T) {
	t.Parallel()
	svc := NewService("monitoring", cloudwatch.New(V1Session()), CBOR)
	d := documents{shapes: &svc.shapes, cbor: true}
	for name, op := range svc.operations {
		for _, shape := range []reflect.Type{op.input, op.output} {
			f := filler{enums: svc.enums}
			src, dst := reflect.New(shape), reflect.New(shape)
			f.fill(src.Elem())
			raw, err := d.write(d.build(src.Elem()))
			require.NoError(t, err)
			doc, err := d.parse(raw)
			require.NoError(t, err)
			require.NoError(t, d.structure(dst.Elem(), doc), name)
			require.Equal(t, describe(src.Interface()), describe(dst.Interface()), name)
		}
	}
}

func TestCBOR_TimeIsTagOne(t *testing.T) {
	t.Parallel()
	d := documents{shapes: &shapes{}, cbor: true}
	point := cloudwatch.Datapoint{Timestamp: v1.Time(time.Unix(1_700_000_000, 5e8))}

	raw, err := d.write(d.build(reflect.ValueOf(&point).Elem()))

	require.NoError(t, err)
	require.Contains(t, string(raw), "Timestamp\xc1\xfb")
	doc, err := d.parse(raw)
	require.NoError(t, err)
	at, ok := doc["Timestamp"].(time.Time)
	require.True(t, ok)
	require.Equal(t, int64(1_700_000_000_500), at.UnixMilli())
}

func TestJSON_WrongTypes_AreRefused(t *testing.T) {
	t.Parallel()
	d := documents{shapes: &shapes{}}
	for _, body := range []string{
		`{"TableName":5}`, `{"Item":[]}`, `{"Item":{"a":"b"}}`, `{"Item":{"a":{"BOOL":"true"}}}`,
		`{"Item":{"a":{"B":"***"}}}`, `{"Item":{"a":{"L":{}}}}`, `[]`, `{`, `{} {}`, `"x"`,
	} {
		var in dynamodb.PutItemInput
		doc, err := d.parse([]byte(body))
		if err == nil {
			err = d.structure(reflect.ValueOf(&in).Elem(), doc)
		}
		require.Error(t, err, body)
	}
}

func TestJSON_UnknownMembersAndNulls_AreTolerated(t *testing.T) {
	t.Parallel()
	d := documents{shapes: &shapes{}}
	var in dynamodb.PutItemInput
	doc, err := d.parse([]byte(`{"NewIn2027":{"a":1},"TableName":"t","Item":null}`))
	require.NoError(t, err)
	require.NoError(t, d.structure(reflect.ValueOf(&in).Elem(), doc))
	require.Equal(t, "t", *in.TableName)
	require.Nil(t, in.Item)
}

func TestJSON_NumbersThatJSONLacks_AreSpelledOut(t *testing.T) {
	t.Parallel()
	d := documents{shapes: &shapes{}}
	for want, value := range map[string]float64{"NaN": math.NaN(), "Infinity": math.Inf(1), "-Infinity": math.Inf(-1)} {
		raw, err := d.write(d.build(reflect.ValueOf(&cloudwatch.Datapoint{Average: &value}).Elem()))
		require.NoError(t, err)
		require.JSONEq(t, fmt.Sprintf(`{"Average":%q}`, want), string(raw))
		back, err := float(want)
		require.NoError(t, err)
		require.Equal(t, want, floatText(back))
	}
	_, err := integer(json.Number("1.5"))
	require.Error(t, err)
	n, err := integer(json.Number("1e3"))
	require.NoError(t, err)
	require.EqualValues(t, 1000, n)
}

func decodeForm(t *testing.T, text string, dst any) error {
	t.Helper()
	form, err := url.ParseQuery(text)
	require.NoError(t, err)
	tree, err := formTree(form)
	require.NoError(t, err)
	d := treeDecoder{shapes: &shapes{}, layout: formLayout{}}
	return d.structure(reflect.ValueOf(dst).Elem(), tree)
}

func TestQuery_ListsByModelNameOrMember_InNumberOrder(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Filters.Filter.2.Name=b&Filters.Filter.10.Name=c&Filters.Filter.1.Name=a",
		"Filters.member.2.Name=b&Filters.member.10.Name=c&Filters.member.1.Name=a",
	} {
		var in rds.DescribeDBClustersInput
		require.NoError(t, decodeForm(t, text, &in))
		require.Len(t, in.Filters, 3)
		require.Equal(t, "a", *in.Filters[0].Name)
		require.Equal(t, "c", *in.Filters[2].Name)
	}
}

func TestQuery_BadScalars_NameTheParameter(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"MaxRecords=many":       "MaxRecords",
		"IncludeShared=perhaps": "IncludeShared",
	} {
		var in rds.DescribeDBClustersInput
		require.ErrorContains(t, decodeForm(t, text, &in), want)
	}
	var restore rds.RestoreDBClusterToPointInTimeInput
	require.ErrorContains(t, decodeForm(t, "RestoreToTime=yesterday", &restore), "RestoreToTime")
	require.NoError(t, decodeForm(t, "RestoreToTime=2026-11-22T07:00Z", &restore), "the console leaves out seconds")
}

func TestXML_HostileInput_IsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "text", "<a>", "<a></b>", "<a/><b/>", strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100), "<a>&unknown;</a>",
	} {
		_, err := xmlTree(strings.NewReader(text))
		require.Error(t, err, text)
	}
}

func TestRoutes_MostSpecificWins(t *testing.T) {
	t.Parallel()
	svc := NewService("s3", s3.New(V1Session()), RESTXML)
	for want, c := range map[string]struct{ method, path, query, header string }{
		"PutObject":               {"PUT", "/b/k", "x-id=PutObject", ""},
		"CopyObject":              {"PUT", "/b/k", "", "X-Amz-Copy-Source"},
		"UploadPart":              {"PUT", "/b/k", "partNumber=1&uploadId=u", ""},
		"UploadPartCopy":          {"PUT", "/b/k", "partNumber=1&uploadId=u", "X-Amz-Copy-Source"},
		"PutObjectTagging":        {"PUT", "/b/k", "tagging=", ""},
		"CreateBucket":            {"PUT", "/b", "", ""},
		"PutBucketVersioning":     {"PUT", "/b/", "versioning", ""},
		"ListObjects":             {"GET", "/b", "prefix=", ""},
		"ListObjectsV2":           {"GET", "/b", "list-type=2&prefix=x", ""},
		"ListObjectVersions":      {"GET", "/b", "versions=", ""},
		"GetObject":               {"GET", "/b/a/b/c", "versionId=1", ""},
		"ListParts":               {"GET", "/b/k", "uploadId=u", ""},
		"DeleteObject":            {"DELETE", "/b/k", "", ""},
		"AbortMultipartUpload":    {"DELETE", "/b/k", "uploadId=u", ""},
		"DeleteObjects":           {"POST", "/b", "delete=", ""},
		"CompleteMultipartUpload": {"POST", "/b/k", "uploadId=u", ""},
		"HeadBucket":              {"HEAD", "/b", "", ""},
		"HeadObject":              {"HEAD", "/b/k", "", ""},
	} {
		query, err := url.ParseQuery(c.query)
		require.NoError(t, err)
		header := map[string][]string{}
		if c.header != "" {
			header[c.header] = []string{"x"}
		}
		op, _ := svc.find(restCall{method: c.method, path: splitPath(c.path), query: query, header: header})
		require.NotNil(t, op, want)
		require.Equal(t, want, op.name)
	}
	op, _ := svc.find(restCall{method: "PUT", path: splitPath("/b"), query: url.Values{"abac": {""}}})
	require.Nil(t, op, "a sub-resource that the shapes don't know is no CreateBucket")
}

func TestRoutes_EscapedARNIsOneLabel(t *testing.T) {
	t.Parallel()
	labels, ok := parseRoute("/vaults/{name}/points/{arn}").match(splitPath("/vaults/v/points/arn%3Aaws%3Abackup%3A%2Fx"))
	require.True(t, ok)
	require.Equal(t, "arn:aws:backup:/x", labels["arn"])
	_, ok = parseRoute("/vaults/{name}/points/{arn}").match(splitPath("/vaults/v/points/a/b"))
	require.False(t, ok)
}

func TestValidate_ReportsEveryViolation(t *testing.T) {
	t.Parallel()
	svc := NewService("dynamodb", dynamodb.New(V1Session()), JSON10)
	in := dynamodb.CreateTableInput{
		BillingMode:          v1.String("SOMETIMES"),
		AttributeDefinitions: []*dynamodb.AttributeDefinition{{AttributeName: v1.String("id")}},
		KeySchema:            []*dynamodb.KeySchemaElement{},
	}

	bad := svc.validate(JSON10, reflect.ValueOf(&in).Elem())

	require.NotNil(t, bad)
	for _, want := range []string{
		"4 validation errors detected", "null at 'tableName'", "'attributeDefinitions.1.member.attributeType'",
		"'keySchema' failed to satisfy constraint: Member must have size greater than or equal to 1",
		"'SOMETIMES' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]",
	} {
		require.Contains(t, bad.Message, want)
	}
	require.Equal(t, "ValidationException", bad.in(dialectOf("dynamodb", JSON10)).Code)
}

func TestValidate_LimitsAndPatternsOfTheModel(t *testing.T) {
	t.Parallel()
	alarms := NewService("monitoring", cloudwatch.New(V1Session()), CBOR)
	tables := NewService("dynamodb", dynamodb.New(V1Session()), JSON10)
	long := strings.Repeat("x", 256)
	for want, check := range map[string]func() *Error{
		"'alarmName' failed to satisfy constraint: Member must have length less than or equal to 255": func() *Error {
			return alarms.validate(CBOR, reflect.ValueOf(&cloudwatch.PutMetricAlarmInput{
				AlarmName: &long, ComparisonOperator: v1.String("LessThanThreshold"), EvaluationPeriods: v1.Int64(1),
			}).Elem())
		},
		"'alarmActions' failed to satisfy constraint: Member must have size less than or equal to 5": func() *Error {
			return alarms.validate(CBOR, reflect.ValueOf(&cloudwatch.PutMetricAlarmInput{
				AlarmName: v1.String("a"), ComparisonOperator: v1.String("LessThanThreshold"), EvaluationPeriods: v1.Int64(1),
				AlarmActions: v1.StringSlice([]string{"1", "2", "3", "4", "5", "6"}),
			}).Elem())
		},
		"'alarmNames.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1": func() *Error {
			return alarms.validate(CBOR, reflect.ValueOf(&cloudwatch.DescribeAlarmsInput{AlarmNames: v1.StringSlice([]string{""})}).Elem())
		},
		"'indexName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+": func() *Error {
			return tables.validate(JSON10, reflect.ValueOf(&dynamodb.QueryInput{
				TableName: v1.String("abc"), IndexName: v1.String("by date"),
			}).Elem())
		},
	} {
		bad := check()
		require.NotNil(t, bad, want)
		require.Contains(t, bad.Message, want)
	}
}

func TestStatuses_AreTheModels(t *testing.T) {
	t.Parallel()
	for want, op := range map[int][2]string{201: {"backup", "CreateRestoreTestingPlan"}, 202: {"drs", "StartRecovery"}, 204: {"s3", "DeleteBucket"}} {
		require.Equal(t, want, statuses(op[0])[op[1]])
	}
	require.NotContains(t, statuses("s3"), "DeleteObjects")
}

func TestValidate_EnumsInLists_AndValuesNewerThanTheShapes(t *testing.T) {
	t.Parallel()
	svc := NewService("route53", route53.New(V1Session()), RESTXML)
	config := &route53.HealthCheckConfig{
		Type: v1.String("HTTP"), Regions: v1.StringSlice([]string{"us-east-1", "eu-west-1", "mars-1"}),
	}
	in := reflect.ValueOf(&route53.CreateHealthCheckInput{CallerReference: v1.String("r"), HealthCheckConfig: config}).Elem()
	require.ErrorContains(t, svc.validate(RESTXML, in), "mars-1")

	svc.AllowValues("HealthCheckRegion", "mars-1")
	require.Nil(t, svc.validate(RESTXML, in))
}

func TestDialects_KnowEveryProblem(t *testing.T) {
	t.Parallel()
	for _, p := range []Protocol{Query, EC2, RESTJSON, RESTXML, JSON10, JSON11, CBOR} {
		for kind := missingParameter; kind <= badDigest; kind++ {
			r := dialectOf("", p)[kind]
			require.NotEmpty(t, r.code, "%s %d", p, kind)
			require.GreaterOrEqual(t, r.status, 400, "%s %d", p, kind)
			require.NotEmpty(t, dialectOf("s3", p)[kind].code)
		}
	}
}

func TestHandle_MistakesOfTheProgramPanic(t *testing.T) {
	t.Parallel()
	svc := NewService("rds", rds.New(V1Session()), Query)
	require.Panics(t, func() {
		Handle(svc, "NoSuchOperation", func(*Call, *rds.StopDBClusterInput) (*rds.StopDBClusterOutput, error) { return nil, nil })
	})
	require.Panics(t, func() {
		Handle(svc, "StopDBCluster", func(*Call, *rds.StartDBClusterInput) (*rds.StopDBClusterOutput, error) { return nil, nil })
	})
	require.Panics(t, func() { NewService("x", struct{}{}, Query) })
}

func TestMutating_ByVerb(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"DescribeDBClusters": false, "GetItem": false, "ListBuckets": false, "Query": false, "Scan": false, "TestDNSAnswer": false, "DetectStackDrift": false,
		"PutItem": true, "FailoverGlobalCluster": true, "UpdateRoutingControlStates": true, "BatchWriteItem": true, "TransactWriteItems": true,
	} {
		require.Equal(t, want, mutating(name), name)
	}
}
