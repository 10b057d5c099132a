package wire_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	rcctypes "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	arc "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	arctypes "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig/types"
	v1cw "github.com/aws/aws-sdk-go/service/cloudwatch"
	v1ddb "github.com/aws/aws-sdk-go/service/dynamodb"
	v1rcc "github.com/aws/aws-sdk-go/service/route53recoverycluster"
	v1arc "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func dynamoService() *wire.Service {
	return wire.NewService("dynamodb", v1ddb.New(wire.V1Session()), wire.JSON10)
}

func TestJSON_ItemsTimesAndBytes(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 22, 7, 0, 0, 5e8, time.UTC)
	s := dynamoService()
	var item map[string]*v1ddb.AttributeValue
	wire.Handle(s, "PutItem", func(_ *wire.Call, in *v1ddb.PutItemInput) (*v1ddb.PutItemOutput, error) {
		item = in.Item
		return nil, nil
	})
	wire.Handle(s, "GetItem", func(*wire.Call, *v1ddb.GetItemInput) (*v1ddb.GetItemOutput, error) {
		return &v1ddb.GetItemOutput{Item: item}, nil
	})
	wire.Handle(s, "DescribeTable", func(_ *wire.Call, in *v1ddb.DescribeTableInput) (*v1ddb.DescribeTableOutput, error) {
		return &v1ddb.DescribeTableOutput{Table: &v1ddb.TableDescription{TableName: in.TableName, CreationDateTime: &created}}, nil
	})
	client := dynamodb.NewFromConfig(newBench(t, s).config("us-east-1"))
	want := map[string]ddbtypes.AttributeValue{
		"id": &ddbtypes.AttributeValueMemberS{Value: "é<1>"},
		"b":  &ddbtypes.AttributeValueMemberB{Value: []byte{0, 255}},
		"l": &ddbtypes.AttributeValueMemberL{Value: []ddbtypes.AttributeValue{
			&ddbtypes.AttributeValueMemberN{Value: "1.5"}, &ddbtypes.AttributeValueMemberBOOL{Value: false},
			&ddbtypes.AttributeValueMemberNULL{Value: true},
		}},
		"m": &ddbtypes.AttributeValueMemberM{Value: map[string]ddbtypes.AttributeValue{}},
	}

	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("records"), Item: want})
	require.NoError(t, err)
	got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("records"), Key: map[string]ddbtypes.AttributeValue{"id": want["id"]},
	})
	require.NoError(t, err)
	require.Equal(t, want, got.Item)

	table, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("records")})
	require.NoError(t, err)
	require.Equal(t, created, table.Table.CreationDateTime.UTC())
}

func TestJSON_ModelledErrorsCarryTheirMembers(t *testing.T) {
	t.Parallel()
	s := dynamoService()
	wire.Handle(s, "UpdateItem", func(*wire.Call, *v1ddb.UpdateItemInput) (*v1ddb.UpdateItemOutput, error) {
		e := wire.Errorf(http.StatusBadRequest, v1ddb.ErrCodeConditionalCheckFailedException, "The conditional request failed")
		e.Detail = &v1ddb.ConditionalCheckFailedException{Item: map[string]*v1ddb.AttributeValue{"epoch": {N: aws.String("7")}}}
		return nil, e
	})
	client := dynamodb.NewFromConfig(newBench(t, s).config("us-east-1"))

	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("lease"), Key: map[string]ddbtypes.AttributeValue{"id": &ddbtypes.AttributeValueMemberS{Value: "a"}},
	})

	var failed *ddbtypes.ConditionalCheckFailedException
	require.ErrorAs(t, err, &failed)
	require.Equal(t, &ddbtypes.AttributeValueMemberN{Value: "7"}, failed.Item["epoch"])
	require.Equal(t, "The conditional request failed", failed.ErrorMessage())
}

func TestJSON_TimesAreNumbers(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	s := dynamoService()
	wire.Handle(s, "DescribeTable", func(*wire.Call, *v1ddb.DescribeTableInput) (*v1ddb.DescribeTableOutput, error) {
		return &v1ddb.DescribeTableOutput{Table: &v1ddb.TableDescription{CreationDateTime: &created}}, nil
	})
	b := newBench(t, s)
	r := request(t.Context(), t, http.MethodPost, b.url+"/", `{"TableName":"records"}`)
	r.Header.Set("X-Amz-Target", "DynamoDB_20120810.DescribeTable")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")

	resp, body := b.raw(t, r, "dynamodb", "us-east-1")

	require.JSONEq(t, `{"Table":{"CreationDateTime":1795330800}}`, body)
	require.Equal(t, "application/x-amz-json-1.0", resp.Header.Get("Content-Type"))
}

func cloudwatchService() *wire.Service {
	return wire.NewService("monitoring", v1cw.New(wire.V1Session()), wire.CBOR, wire.JSON10, wire.Query)
}

func TestCBOR_TimesNumbersAndTypedErrors(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	s := cloudwatchService()
	wire.Handle(s, "GetMetricStatistics", func(_ *wire.Call, in *v1cw.GetMetricStatisticsInput) (*v1cw.GetMetricStatisticsOutput, error) {
		require.Equal(t, at, *in.StartTime)
		require.Equal(t, int64(60), *in.Period)
		return &v1cw.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []*v1cw.Datapoint{{Timestamp: in.StartTime, Average: aws.Float64(812.5)}}}, nil
	})
	wire.Handle(s, "SetAlarmState", func(*wire.Call, *v1cw.SetAlarmStateInput) (*v1cw.SetAlarmStateOutput, error) {
		return nil, wire.Errorf(http.StatusNotFound, v1cw.ErrCodeResourceNotFound, "no such alarm")
	})
	wire.Handle(s, "PutMetricAlarm", func(*wire.Call, *v1cw.PutMetricAlarmInput) (*v1cw.PutMetricAlarmOutput, error) {
		return nil, wire.Invalid("Period must be 10, 30 or a multiple of 60")
	})
	client := cloudwatch.NewFromConfig(newBench(t, s).config("us-west-2"))

	out, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/RDS"), MetricName: aws.String("AuroraGlobalDBRPOLag"),
		StartTime: &at, EndTime: aws.Time(at.Add(time.Hour)), Period: aws.Int32(60),
		Statistics: []cwtypes.Statistic{cwtypes.StatisticAverage},
	})
	require.NoError(t, err)
	require.InDelta(t, 812.5, *out.Datapoints[0].Average, 0)
	require.Equal(t, at, out.Datapoints[0].Timestamp.UTC())

	_, err = client.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("x"), StateReason: aws.String("test"), StateValue: cwtypes.StateValueAlarm,
	})
	var missing *cwtypes.ResourceNotFound
	require.ErrorAs(t, err, &missing)

	_, err = client.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("x"), EvaluationPeriods: aws.Int32(1), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
	})
	var invalid *cwtypes.InvalidParameterValueException
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "InvalidParameterValue", invalid.ErrorCode(), "query-compatible code")
}

func TestCBOR_LargeRequestsAreCompressedAndErrorsCarryTheProtocolHeader(t *testing.T) {
	t.Parallel()
	s := cloudwatchService()
	var got int
	wire.Handle(s, "PutMetricData", func(_ *wire.Call, in *v1cw.PutMetricDataInput) (*v1cw.PutMetricDataOutput, error) {
		got = len(in.MetricData)
		return nil, nil
	})
	b := newBench(t, s)
	client := cloudwatch.NewFromConfig(b.config("us-west-2"))
	data := make([]cwtypes.MetricDatum, 500) // over 10 KiB: the SDK compresses
	for i := range data {
		data[i] = cwtypes.MetricDatum{MetricName: aws.String("a metric with quite a long name"), Value: aws.Float64(float64(i))}
	}

	_, err := client.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("n"), MetricData: data})
	require.NoError(t, err)
	require.Equal(t, 500, got)

	r := request(t.Context(), t, http.MethodPost, b.url+"/service/GraniteServiceVersion20100801/operation/Nonsense", "")
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	resp, _ := b.raw(t, r, "monitoring", "us-west-2")
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Equal(t, "rpc-v2-cbor", resp.Header.Get("Smithy-Protocol"))
}

func TestCloudWatch_SpeaksJSONAndQueryToo(t *testing.T) {
	t.Parallel()
	s := cloudwatchService()
	wire.Handle(s, "DescribeAlarms", func(*wire.Call, *v1cw.DescribeAlarmsInput) (*v1cw.DescribeAlarmsOutput, error) {
		return &v1cw.DescribeAlarmsOutput{MetricAlarms: []*v1cw.MetricAlarm{{AlarmName: aws.String("lag")}}}, nil
	})
	b := newBench(t, s)

	r := request(t.Context(), t, http.MethodPost, b.url+"/", `{}`)
	r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.DescribeAlarms")
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	_, body := b.raw(t, r, "monitoring", "us-east-1")
	require.JSONEq(t, `{"MetricAlarms":[{"AlarmName":"lag"}]}`, body)

	r = request(t.Context(), t, http.MethodPost, b.url+"/", "Action=DescribeAlarms&Version=2010-08-01")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, body = b.raw(t, r, "monitoring", "us-east-1")
	require.Contains(t, body, "<DescribeAlarmsResult><MetricAlarms><member><AlarmName>lag</AlarmName></member></MetricAlarms></DescribeAlarmsResult>")
}

func arcService() *wire.Service {
	return wire.NewService("route53-recovery-control-config", v1arc.New(wire.V1Session()), wire.RESTJSON)
}

func TestRESTJSON_ARNsInPathsAndTypedErrors(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:route53-recovery-control::123456789012:cluster/abc/def"
	s := arcService()
	wire.Handle(s, "DescribeCluster", func(_ *wire.Call, in *v1arc.DescribeClusterInput) (*v1arc.DescribeClusterOutput, error) {
		if *in.ClusterArn != arn {
			return nil, wire.Errorf(http.StatusNotFound, "ResourceNotFoundException", "no cluster %s", *in.ClusterArn)
		}
		return &v1arc.DescribeClusterOutput{Cluster: &v1arc.Cluster{
			ClusterArn: in.ClusterArn, Status: aws.String("DEPLOYED"),
			ClusterEndpoints: []*v1arc.ClusterEndpoint{{Endpoint: aws.String("http://x"), Region: aws.String("us-east-2")}},
		}}, nil
	})
	wire.Handle(s, "CreateCluster", func(_ *wire.Call, in *v1arc.CreateClusterInput) (*v1arc.CreateClusterOutput, error) {
		return &v1arc.CreateClusterOutput{Cluster: &v1arc.Cluster{Name: in.ClusterName}}, nil
	})
	client := arc.NewFromConfig(newBench(t, s).config("eu-north-1")) // a global service takes any Region

	out, err := client.DescribeCluster(t.Context(), &arc.DescribeClusterInput{ClusterArn: aws.String(arn)})
	require.NoError(t, err)
	require.Equal(t, arn, *out.Cluster.ClusterArn)
	require.Equal(t, arctypes.StatusDeployed, out.Cluster.Status)
	require.Equal(t, "us-east-2", *out.Cluster.ClusterEndpoints[0].Region)

	created, err := client.CreateCluster(t.Context(), &arc.CreateClusterInput{ClusterName: aws.String("lifeline")})
	require.NoError(t, err)
	require.Equal(t, "lifeline", *created.Cluster.Name)

	_, err = client.DescribeCluster(t.Context(), &arc.DescribeClusterInput{ClusterArn: aws.String("arn:other")})
	var missing *arctypes.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
	require.Contains(t, missing.ErrorMessage(), "arn:other")
}

func TestRoutedPrefix_NamesTheRegionOfAnARCEndpoint(t *testing.T) {
	t.Parallel()
	s := wire.NewService("route53-recovery-cluster", v1rcc.New(wire.V1Session()), wire.JSON10)
	wire.Handle(s, "GetRoutingControlState", func(c *wire.Call, in *v1rcc.GetRoutingControlStateInput) (*v1rcc.GetRoutingControlStateOutput, error) {
		if c.Region != "us-east-2" {
			return nil, wire.Errorf(http.StatusServiceUnavailable, "EndpointTemporarilyUnavailableException", "in %s", c.Region)
		}
		return &v1rcc.GetRoutingControlStateOutput{RoutingControlArn: in.RoutingControlArn, RoutingControlState: aws.String("On")}, nil
	})
	b := newBench(t, s)
	b.server.Route("/arc/us-east-2", "us-east-2")
	in := &route53recoverycluster.GetRoutingControlStateInput{RoutingControlArn: aws.String("arn:aws:x")}
	client := route53recoverycluster.NewFromConfig(b.config("us-west-2"), func(o *route53recoverycluster.Options) {
		o.BaseEndpoint = aws.String(b.url + "/arc/us-east-2/")
	})

	out, err := client.GetRoutingControlState(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, rcctypes.RoutingControlStateOn, out.RoutingControlState)

	_, err = route53recoverycluster.NewFromConfig(b.config("us-west-2")).GetRoutingControlState(t.Context(), in)
	var away *rcctypes.EndpointTemporarilyUnavailableException
	require.ErrorAs(t, err, &away)
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
}
