package wire_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	v1ec2 "github.com/aws/aws-sdk-go/service/ec2"
	v1rds "github.com/aws/aws-sdk-go/service/rds"
	v1sns "github.com/aws/aws-sdk-go/service/sns"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

func rdsService() *wire.Service {
	return wire.NewService("rds", v1rds.New(wire.V1Session()), wire.Query)
}

func TestQuery_ListsTimesAndBooleans_ArriveInTheSDK(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 22, 7, 0, 0, 123e6, time.UTC)
	s := rdsService()
	wire.Handle(s, "DescribeDBClusters", func(c *wire.Call, in *v1rds.DescribeDBClustersInput) (*v1rds.DescribeDBClustersOutput, error) {
		require.Equal(t, "us-west-2", c.Region)
		require.Equal(t, "AKIATESTCALLER", c.Caller)
		require.Len(t, in.Filters, 1)
		require.Equal(t, "b", *in.Filters[0].Values[1])
		return &v1rds.DescribeDBClustersOutput{DBClusters: []*v1rds.DBCluster{{
			DBClusterIdentifier: in.DBClusterIdentifier,
			ClusterCreateTime:   &created,
			DBClusterMembers:    []*v1rds.DBClusterMember{{IsClusterWriter: aws.Bool(true)}, {IsClusterWriter: aws.Bool(false)}},
			AvailabilityZones:   aws.StringSlice([]string{"us-west-2a", "us-west-2b"}),
			Engine:              aws.String("aurora-<mysql> & co"),
		}}}, nil
	})
	b := newBench(t, s)
	client := rds.NewFromConfig(b.config("us-west-2"))

	out, err := client.DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{
		DBClusterIdentifier: aws.String("orders"),
		Filters:             []rdstypes.Filter{{Name: aws.String("engine"), Values: []string{"a", "b"}}},
	})

	require.NoError(t, err)
	require.Len(t, out.DBClusters, 1)
	got := out.DBClusters[0]
	require.Equal(t, "orders", *got.DBClusterIdentifier)
	require.Equal(t, created, *got.ClusterCreateTime)
	require.True(t, *got.DBClusterMembers[0].IsClusterWriter)
	require.Equal(t, []string{"us-west-2a", "us-west-2b"}, got.AvailabilityZones)
	require.Equal(t, "aurora-<mysql> & co", *got.Engine)
	call := b.only(t)
	require.Equal(t, "ok", call.Outcome)
	require.Equal(t, "orders", call.Params["DBClusterIdentifier"])
	require.False(t, call.Mutating)
}

func TestQuery_WireCodes_BecomeTypedFaults(t *testing.T) {
	t.Parallel()
	s := rdsService()
	wire.Handle(s, "DescribeDBInstances", func(*wire.Call, *v1rds.DescribeDBInstancesInput) (*v1rds.DescribeDBInstancesOutput, error) {
		return nil, wire.Errorf(http.StatusNotFound, v1rds.ErrCodeDBInstanceNotFoundFault, "DBInstance x not found.")
	})
	wire.Handle(s, "DescribeGlobalClusters", func(*wire.Call, *v1rds.DescribeGlobalClustersInput) (*v1rds.DescribeGlobalClustersOutput, error) {
		return nil, wire.Errorf(http.StatusNotFound, v1rds.ErrCodeGlobalClusterNotFoundFault, "no such global cluster")
	})
	b := newBench(t, s)
	client := rds.NewFromConfig(b.config("us-east-1"))

	_, err := client.DescribeDBInstances(t.Context(), &rds.DescribeDBInstancesInput{})
	var instance *rdstypes.DBInstanceNotFoundFault
	require.ErrorAs(t, err, &instance)
	require.Equal(t, "DBInstance x not found.", instance.ErrorMessage())

	_, err = client.DescribeGlobalClusters(t.Context(), &rds.DescribeGlobalClustersInput{})
	var global *rdstypes.GlobalClusterNotFoundFault
	require.ErrorAs(t, err, &global)
}

func TestQuery_UnservedAndUnknownOperations_AnswerInProtocol(t *testing.T) {
	t.Parallel()
	b := newBench(t, rdsService())
	client := rds.NewFromConfig(b.config("us-east-1"))

	_, err := client.DescribeDBProxies(t.Context(), &rds.DescribeDBProxiesInput{})

	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "InvalidAction", api.ErrorCode())

	r := request(t.Context(), t, http.MethodPost, b.url+"/", "Action=NoSuchThing&Version=2014-10-31")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, body := b.raw(t, r, "rds", "us-east-1")
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.Contains(t, body, "<ErrorResponse")
	require.Contains(t, body, "<Code>InvalidAction</Code>")
}

func TestQuery_MissingParameter_IsNamed(t *testing.T) {
	t.Parallel()
	s := rdsService()
	wire.Handle(s, "StopDBCluster", func(*wire.Call, *v1rds.StopDBClusterInput) (*v1rds.StopDBClusterOutput, error) {
		t.Error("called without its parameter")
		return nil, nil
	})
	b := newBench(t, s)
	r := request(t.Context(), t, http.MethodPost, b.url+"/", "Action=StopDBCluster&Version=2014-10-31")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")

	_, body := b.raw(t, r, "rds", "us-east-1")

	require.Contains(t, body, "<Code>MissingParameter</Code>")
	require.Contains(t, body, "DBClusterIdentifier")
}

func TestQuery_MapsAndEnums_OfSNS(t *testing.T) {
	t.Parallel()
	s := wire.NewService("sns", v1sns.New(wire.V1Session()), wire.Query)
	wire.Handle(s, "CreateTopic", func(_ *wire.Call, in *v1sns.CreateTopicInput) (*v1sns.CreateTopicOutput, error) {
		return &v1sns.CreateTopicOutput{TopicArn: in.Attributes["DisplayName"]}, nil
	})
	wire.Handle(s, "GetTopicAttributes", func(*wire.Call, *v1sns.GetTopicAttributesInput) (*v1sns.GetTopicAttributesOutput, error) {
		return &v1sns.GetTopicAttributesOutput{Attributes: map[string]*string{"Owner": aws.String("1"), "Policy": aws.String("{}")}}, nil
	})
	client := sns.NewFromConfig(newBench(t, s).config("us-east-1"))

	topic, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{
		Name: aws.String("pages"), Attributes: map[string]string{"DisplayName": "On call"},
	})
	require.NoError(t, err)
	require.Equal(t, "On call", *topic.TopicArn)

	attributes, err := client.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String("x")})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"Owner": "1", "Policy": "{}"}, attributes.Attributes)
}

func ec2Service() *wire.Service {
	return wire.NewService("ec2", v1ec2.New(wire.V1Session()), wire.EC2)
}

func TestEC2_FiltersSetsAndTags(t *testing.T) {
	t.Parallel()
	s := ec2Service()
	wire.Handle(s, "DescribeSubnets", func(_ *wire.Call, in *v1ec2.DescribeSubnetsInput) (*v1ec2.DescribeSubnetsOutput, error) {
		require.Equal(t, "vpc-1", *in.Filters[0].Values[0])
		require.Len(t, in.SubnetIds, 2)
		return &v1ec2.DescribeSubnetsOutput{Subnets: []*v1ec2.Subnet{{
			SubnetId: in.SubnetIds[1], DefaultForAz: aws.Bool(true), AvailableIpAddressCount: aws.Int64(251),
			Tags: []*v1ec2.Tag{{Key: aws.String("Name"), Value: aws.String("a")}},
		}}}, nil
	})
	wire.Handle(s, "DeleteSubnet", func(*wire.Call, *v1ec2.DeleteSubnetInput) (*v1ec2.DeleteSubnetOutput, error) {
		return nil, nil
	})
	b := newBench(t, s)
	client := ec2.NewFromConfig(b.config("us-east-1"))

	out, err := client.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{
		SubnetIds: []string{"subnet-1", "subnet-2"},
		Filters:   []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{"vpc-1"}}},
	})
	require.NoError(t, err)
	require.Equal(t, "subnet-2", *out.Subnets[0].SubnetId)
	require.Equal(t, int32(251), *out.Subnets[0].AvailableIpAddressCount)
	require.Equal(t, "Name", *out.Subnets[0].Tags[0].Key)

	_, err = client.DeleteSubnet(t.Context(), &ec2.DeleteSubnetInput{SubnetId: aws.String("subnet-1")})
	require.NoError(t, err)
	calls := b.world.Calls(time.Time{})
	require.Equal(t, "subnet-1,subnet-2", calls[0].Params["SubnetIds"])
	require.True(t, calls[1].Mutating)
}

func TestEC2_AnswerHasNoResultWrapper(t *testing.T) {
	t.Parallel()
	s := ec2Service()
	wire.Handle(s, "DescribeSnapshots", func(*wire.Call, *v1ec2.DescribeSnapshotsInput) (*v1ec2.DescribeSnapshotsOutput, error) {
		return &v1ec2.DescribeSnapshotsOutput{Snapshots: []*v1ec2.Snapshot{{SnapshotId: aws.String("snap-1")}}}, nil
	})
	b := newBench(t, s)
	r := request(t.Context(), t, http.MethodPost, b.url+"/", "Action=DescribeSnapshots&Version=2016-11-15")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")

	_, body := b.raw(t, r, "ec2", "us-east-1")

	require.Contains(t, body, "<snapshotSet><item><snapshotId>snap-1</snapshotId></item></snapshotSet>")
	require.Contains(t, body, "<requestId>")
	require.NotContains(t, body, "Result")
}

func TestEC2_Refusals(t *testing.T) {
	t.Parallel()
	s := ec2Service()
	wire.Handle(s, "RunInstances", func(*wire.Call, *v1ec2.RunInstancesInput) (*v1ec2.Reservation, error) {
		return nil, wire.Errorf(http.StatusInternalServerError, "InsufficientInstanceCapacity", "none left")
	})
	client := ec2.NewFromConfig(newBench(t, s).config("us-east-1"))
	in := &ec2.RunInstancesInput{MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: "m9.enormous"}

	_, err := client.RunInstances(t.Context(), in)
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	require.Equal(t, "InvalidParameterValue", api.ErrorCode())
	require.Contains(t, api.ErrorMessage(), "InstanceType")

	in.InstanceType = ec2types.InstanceTypeM5Large
	_, err = client.RunInstances(t.Context(), in)
	require.ErrorAs(t, err, &api)
	require.Equal(t, "InsufficientInstanceCapacity", api.ErrorCode())
}
