package rds_test

import (
	"net/http/httptest"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/rds"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// zoned is an RDS that knows three subnets: two zones of one VPC, and another VPC.
func zoned(t *testing.T) *api.Client {
	t.Helper()
	w := world.New(world.Options{Regions: []string{east, west}, Compression: 1000})
	t.Cleanup(w.Close)
	r := rds.New(w, rds.Options{Subnets: func(_, id string) (vpc, zone string, ok bool) {
		known := map[string][2]string{"subnet-a": {"vpc-1", "us-west-2a"}, "subnet-b": {"vpc-1", "us-west-2b"}, "subnet-x": {"vpc-2", "us-west-2b"}}
		found, ok := known[id]
		return found[0], found[1], ok
	}})
	s := httptest.NewServer(wire.NewServer(w, r.Wire()))
	t.Cleanup(s.Close)
	return (&server{s.URL}).client(west)
}

func TestSubnetGroups_FromCreationToDeletion(t *testing.T) {
	t.Parallel()
	c, ctx := zoned(t), t.Context()
	create := func(name string, ids ...string) error {
		_, err := c.CreateDBSubnetGroup(ctx, &api.CreateDBSubnetGroupInput{DBSubnetGroupName: &name, DBSubnetGroupDescription: sdk.String("d"), SubnetIds: ids})
		return err
	}
	var zones *types.DBSubnetGroupDoesNotCoverEnoughAZs
	require.ErrorAs(t, create("g", "subnet-a"), &zones)
	var subnet *types.InvalidSubnet
	require.ErrorAs(t, create("g", "subnet-a", "subnet-none"), &subnet)
	require.ErrorAs(t, create("g", "subnet-a", "subnet-x"), &subnet)
	require.ErrorContains(t, create("default", "subnet-a", "subnet-b"), "not a valid identifier")
	require.NoError(t, create("Records", "subnet-a", "subnet-b"))
	var exists *types.DBSubnetGroupAlreadyExistsFault
	require.ErrorAs(t, create("records", "subnet-a", "subnet-b"), &exists)

	out, err := c.DescribeDBSubnetGroups(ctx, &api.DescribeDBSubnetGroupsInput{DBSubnetGroupName: sdk.String("records")})
	require.NoError(t, err)
	require.Equal(t, "vpc-1", *out.DBSubnetGroups[0].VpcId)
	_, err = c.AddTagsToResource(ctx, &api.AddTagsToResourceInput{ResourceName: out.DBSubnetGroups[0].DBSubnetGroupArn, Tags: []types.Tag{{Key: sdk.String("k"), Value: sdk.String("v")}}})
	require.NoError(t, err)
	tags, err := c.ListTagsForResource(ctx, &api.ListTagsForResourceInput{ResourceName: out.DBSubnetGroups[0].DBSubnetGroupArn})
	require.NoError(t, err)
	require.Len(t, tags.TagList, 1)
	_, err = c.CreateDBCluster(ctx, &api.CreateDBClusterInput{
		DBClusterIdentifier: sdk.String("c"), Engine: sdk.String("aurora-postgresql"), DBSubnetGroupName: sdk.String("records"),
		MasterUsername: sdk.String("clerk"), MasterUserPassword: sdk.String("correct horse"),
	})
	require.NoError(t, err)
	_, err = c.DeleteDBSubnetGroup(ctx, &api.DeleteDBSubnetGroupInput{DBSubnetGroupName: sdk.String("records")})
	var used *types.InvalidDBSubnetGroupStateFault
	require.ErrorAs(t, err, &used)
	require.NoError(t, create("unused", "subnet-a", "subnet-b"))
	_, err = c.DeleteDBSubnetGroup(ctx, &api.DeleteDBSubnetGroupInput{DBSubnetGroupName: sdk.String("unused")})
	require.NoError(t, err)
	_, err = c.DeleteDBSubnetGroup(ctx, &api.DeleteDBSubnetGroupInput{DBSubnetGroupName: sdk.String("unused")})
	var gone *types.DBSubnetGroupNotFoundFault
	require.ErrorAs(t, err, &gone)
}

func TestParameterGroups_SetAndResetWhatTheFamilyHas(t *testing.T) {
	t.Parallel()
	c, ctx := zoned(t), t.Context()
	name := sdk.String("records")
	create := func(family string) error {
		_, err := c.CreateDBParameterGroup(ctx, &api.CreateDBParameterGroupInput{DBParameterGroupName: name, DBParameterGroupFamily: &family, Description: sdk.String("d")})
		return err
	}
	require.ErrorContains(t, create("cobol85"), "not a valid parameter group family")
	require.NoError(t, create("postgres16"))
	var exists *types.DBParameterGroupAlreadyExistsFault
	require.ErrorAs(t, create("postgres16"), &exists)
	set := func(parameter, value string, method types.ApplyMethod) error {
		_, err := c.ModifyDBParameterGroup(ctx, &api.ModifyDBParameterGroupInput{DBParameterGroupName: name, Parameters: []types.Parameter{
			{ParameterName: &parameter, ParameterValue: &value, ApplyMethod: method},
		}})
		return err
	}
	require.NoError(t, set("log_statement", "ddl", types.ApplyMethodImmediate))
	require.ErrorContains(t, set("no_such", "1", types.ApplyMethodImmediate), "Could not find parameter with name: no_such")
	require.ErrorContains(t, set("log_statement", "some", types.ApplyMethodImmediate), "allowed values are: none,ddl,mod,all")
	require.ErrorContains(t, set("work_mem", "63", types.ApplyMethodImmediate), "allowed values are: 64-")
	require.ErrorContains(t, set("max_connections", "100", types.ApplyMethodImmediate), "cannot use immediate apply method for static parameter")
	require.NoError(t, set("max_connections", "100", types.ApplyMethodPendingReboot))

	user, err := c.DescribeDBParameters(ctx, &api.DescribeDBParametersInput{DBParameterGroupName: name, Source: sdk.String("user")})
	require.NoError(t, err)
	require.Len(t, user.Parameters, 2)
	_, err = c.ResetDBParameterGroup(ctx, &api.ResetDBParameterGroupInput{DBParameterGroupName: name, ResetAllParameters: sdk.Bool(true)})
	require.NoError(t, err)
	user, err = c.DescribeDBParameters(ctx, &api.DescribeDBParametersInput{DBParameterGroupName: name, Source: sdk.String("user")})
	require.NoError(t, err)
	require.Empty(t, user.Parameters)
	defaults, err := c.DescribeDBParameters(ctx, &api.DescribeDBParametersInput{DBParameterGroupName: sdk.String("default.postgres16")})
	require.NoError(t, err)
	require.NotEmpty(t, defaults.Parameters)
	_, err = c.DeleteDBParameterGroup(ctx, &api.DeleteDBParameterGroupInput{DBParameterGroupName: sdk.String("default.postgres16")})
	var state *types.InvalidDBParameterGroupStateFault
	require.ErrorAs(t, err, &state)
	_, err = c.DeleteDBParameterGroup(ctx, &api.DeleteDBParameterGroupInput{DBParameterGroupName: name})
	require.NoError(t, err)
	_, err = c.DescribeDBParameterGroups(ctx, &api.DescribeDBParameterGroupsInput{DBParameterGroupName: name})
	var gone *types.DBParameterGroupNotFoundFault
	require.ErrorAs(t, err, &gone)
}

func TestClusterParameterGroups_AreKeptWhileAClusterUsesThem(t *testing.T) {
	t.Parallel()
	c, ctx := zoned(t), t.Context()
	name := sdk.String("records")
	_, err := c.CreateDBClusterParameterGroup(ctx, &api.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: name, DBParameterGroupFamily: sdk.String("postgres16"), Description: sdk.String("d")})
	require.ErrorContains(t, err, "not a valid parameter group family")
	_, err = c.CreateDBClusterParameterGroup(ctx, &api.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: name, DBParameterGroupFamily: sdk.String("aurora-postgresql16"), Description: sdk.String("d")})
	require.NoError(t, err)
	_, err = c.ModifyDBClusterParameterGroup(ctx, &api.ModifyDBClusterParameterGroupInput{DBClusterParameterGroupName: name, Parameters: []types.Parameter{
		{ParameterName: sdk.String("rds.global_db_rpo"), ParameterValue: sdk.String("20"), ApplyMethod: types.ApplyMethodImmediate},
	}})
	require.NoError(t, err)
	got, err := c.DescribeDBClusterParameters(ctx, &api.DescribeDBClusterParametersInput{DBClusterParameterGroupName: name, Source: sdk.String("user")})
	require.NoError(t, err)
	require.Equal(t, "20", *got.Parameters[0].ParameterValue)
	_, err = c.CreateDBCluster(ctx, &api.CreateDBClusterInput{
		DBClusterIdentifier: sdk.String("c"), Engine: sdk.String("aurora-postgresql"), DBClusterParameterGroupName: name,
		MasterUsername: sdk.String("clerk"), MasterUserPassword: sdk.String("correct horse"),
	})
	require.NoError(t, err)
	_, err = c.DeleteDBClusterParameterGroup(ctx, &api.DeleteDBClusterParameterGroupInput{DBClusterParameterGroupName: name})
	var state *types.InvalidDBParameterGroupStateFault
	require.ErrorAs(t, err, &state)
	_, err = c.ResetDBClusterParameterGroup(ctx, &api.ResetDBClusterParameterGroupInput{DBClusterParameterGroupName: name})
	require.ErrorContains(t, err, "ResetAllParameters or a list")
}

func TestClusterParameterGroups_AClusterThatNamesNone_HasItsFamilysDefault(t *testing.T) {
	t.Parallel()
	c := zoned(t)
	for engine, want := range map[string]string{"aurora-postgresql": "default.aurora-postgresql16", "aurora-mysql": "default.aurora-mysql8.0"} {
		made, err := c.CreateDBCluster(t.Context(), &api.CreateDBClusterInput{
			DBClusterIdentifier: sdk.String(engine), Engine: sdk.String(engine), MasterUsername: sdk.String("lifeline"), ManageMasterUserPassword: sdk.Bool(true),
		})
		require.NoError(t, err)
		require.Equal(t, want, sdk.ToString(made.DBCluster.DBClusterParameterGroup))
		got, err := c.DescribeDBClusterParameters(t.Context(), &api.DescribeDBClusterParametersInput{DBClusterParameterGroupName: made.DBCluster.DBClusterParameterGroup})
		require.NoError(t, err)
		require.NotEmpty(t, got.Parameters)
	}
}
