package app_test

import (
	"net/http/httptest"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	api "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/wire"
)

// estate creates the stores through their AWS APIs.
func (p *platform) estate(t *testing.T) {
	t.Helper()
	p.table(t, witness, "lease", "application")
	p.table(t, east, "records", "id")
	_, err := p.dynamo(t, east).UpdateTable(t.Context(), &ddb.UpdateTableInput{
		TableName:      sdk.String("records"),
		ReplicaUpdates: []ddbtypes.ReplicationGroupUpdate{{Create: &ddbtypes.CreateReplicationGroupMemberAction{RegionName: sdk.String(west)}}},
	})
	require.NoError(t, err)
	p.tableActive(t, west, "records")
	_, err = p.aurora(t, east).CreateGlobalCluster(t.Context(), &api.CreateGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), Engine: sdk.String("aurora-postgresql"),
	})
	require.NoError(t, err)
	p.cluster(t, east, sdk.String("clerk"))
	p.cluster(t, west, nil)
}

func (p *platform) endpoint(t *testing.T) *string {
	t.Helper()
	s := httptest.NewServer(wire.NewServer(p.world, p.tables.Wire(), p.bases.Wire()))
	t.Cleanup(s.Close)
	return &s.URL
}

func (p *platform) dynamo(t *testing.T, region string) *ddb.Client {
	t.Helper()
	return ddb.New(ddb.Options{
		Region: region, BaseEndpoint: p.endpoint(t),
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
}

func (p *platform) aurora(t *testing.T, region string) *api.Client {
	t.Helper()
	return api.New(api.Options{
		Region: region, BaseEndpoint: p.endpoint(t),
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})
}

func (p *platform) table(t *testing.T, region, name, key string) {
	t.Helper()
	_, err := p.dynamo(t, region).CreateTable(t.Context(), &ddb.CreateTableInput{
		TableName: &name, BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: &key, AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: &key, KeyType: ddbtypes.KeyTypeHash}},
	})
	require.NoError(t, err)
	p.tableActive(t, region, name)
}

func (p *platform) tableActive(t *testing.T, region, name string) {
	t.Helper()
	c := p.dynamo(t, region)
	require.Eventually(t, func() bool {
		out, err := c.DescribeTable(t.Context(), &ddb.DescribeTableInput{TableName: &name})
		return err == nil && out.Table.TableStatus == ddbtypes.TableStatusActive
	}, 10*time.Second, time.Millisecond)
}

func (p *platform) cluster(t *testing.T, region string, user *string) {
	t.Helper()
	c, id := p.aurora(t, region), "billing-"+region
	in := &api.CreateDBClusterInput{
		DBClusterIdentifier: &id, Engine: sdk.String("aurora-postgresql"), GlobalClusterIdentifier: sdk.String("billing"), MasterUsername: user,
	}
	_, err := c.CreateDBCluster(t.Context(), in)
	require.NoError(t, err)
	_, err = c.CreateDBInstance(t.Context(), &api.CreateDBInstanceInput{
		DBInstanceIdentifier: sdk.String(id + "-1"), DBClusterIdentifier: &id, Engine: sdk.String("aurora-postgresql"), DBInstanceClass: sdk.String("db.r6g.large"),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, _, err := p.bases.Read(region, id, "x")
		return err == nil
	}, 10*time.Second, time.Millisecond)
}

func (p *platform) switchover(t *testing.T, from, to string) {
	t.Helper()
	_, err := p.aurora(t, from).SwitchoverGlobalCluster(t.Context(), &api.SwitchoverGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), TargetDbClusterIdentifier: sdk.String("arn:aws:rds:" + to + ":123456789012:cluster:billing-" + to),
	})
	require.NoError(t, err)
}

// failover promotes the west without asking the east.
func (p *platform) failover(t *testing.T) {
	t.Helper()
	_, err := p.aurora(t, west).FailoverGlobalCluster(t.Context(), &api.FailoverGlobalClusterInput{
		GlobalClusterIdentifier: sdk.String("billing"), AllowDataLoss: sdk.Bool(true),
		TargetDbClusterIdentifier: sdk.String("arn:aws:rds:" + west + ":123456789012:cluster:billing-" + west),
	})
	require.NoError(t, err)
}
