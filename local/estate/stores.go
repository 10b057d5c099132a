package estate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"lifeline/internal/plan"
)

func (b *Builder) of(kind plan.Kind, fn func(plan.Resource) error) error {
	for _, r := range b.Plan.Resources {
		if r.Kind != kind {
			continue
		}
		if err := fn(r); err != nil {
			return fmt.Errorf("resource %q: %w", r.Name, err)
		}
	}
	return nil
}

// homeTables makes the tables where they are at home.
func (b *Builder) homeTables(ctx context.Context) error {
	return b.of(plan.DynamoDBTable, func(r plan.Resource) error {
		return b.table(ctx, b.Plan.Primary(), r.Regions[b.Plan.Primary()]["table"], "id")
	})
}

// homeClusters makes the Aurora clusters where they are at home, not yet global.
func (b *Builder) homeClusters(ctx context.Context) error {
	return b.of(plan.AuroraGlobal, func(r plan.Resource) error {
		return b.cluster(ctx, b.Plan.Primary(), "", r.Regions[b.Plan.Primary()]["cluster"])
	})
}

// homeInstances makes the RDS instances, encrypted, with a day of backups: an
// instance without backups can't be replicated.
func (b *Builder) homeInstances(ctx context.Context) error {
	return b.of(plan.RDSInstance, func(r plan.Resource) error {
		id := r.Regions[b.Plan.Primary()]["instance"]
		api := rds.NewFromConfig(b.in(b.Plan.Primary()))
		_, err := api.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
			DBInstanceIdentifier: aws.String(id), Engine: aws.String("postgres"), DBInstanceClass: aws.String("db.r6g.large"),
			AllocatedStorage: aws.Int32(100), StorageEncrypted: aws.Bool(true), BackupRetentionPeriod: aws.Int32(1),
			MasterUsername: aws.String("lifeline"), ManageMasterUserPassword: aws.Bool(true),
		})
		if err != nil {
			return err
		}
		return await(ctx, "instance "+id, func(ctx context.Context) (bool, error) {
			out, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(id)})
			return err == nil && len(out.DBInstances) == 1 && aws.ToString(out.DBInstances[0].DBInstanceStatus) == "available", err
		})
	})
}

// tables makes the global tables: first in the primary, then the replicas.
func (b *Builder) tables(ctx context.Context) error {
	return b.of(plan.DynamoDBTable, func(r plan.Resource) error {
		home := b.Plan.Primary()
		table := r.Regions[home]["table"]
		if err := b.table(ctx, home, table, "id"); err != nil {
			return err
		}
		api := dynamodb.NewFromConfig(b.in(home))
		for _, region := range b.Plan.TrafficRegions()[1:] {
			_, err := api.UpdateTable(ctx, &dynamodb.UpdateTableInput{
				TableName: aws.String(table),
				ReplicaUpdates: []ddb.ReplicationGroupUpdate{{
					Create: &ddb.CreateReplicationGroupMemberAction{RegionName: aws.String(string(region))},
				}},
			})
			if err != nil {
				return err
			}
		}
		return await(ctx, "replicas of "+table, func(ctx context.Context) (bool, error) {
			out, err := api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(table)})
			if err != nil {
				return false, err
			}
			active := 0
			for _, replica := range out.Table.Replicas {
				if replica.ReplicaStatus == ddb.ReplicaStatusActive {
					active++
				}
			}
			return active >= len(b.Plan.TrafficRegions())-1, nil
		})
	})
}

func (b *Builder) table(ctx context.Context, region plan.Region, name, key string) error {
	api := dynamodb.NewFromConfig(b.in(region))
	_, err := api.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String(name),
		BillingMode:          ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: aws.String(key), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: aws.String(key), KeyType: ddb.KeyTypeHash}},
		StreamSpecification:  &ddb.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: ddb.StreamViewTypeNewAndOldImages},
	})
	if err != nil {
		return err
	}
	return await(ctx, "table "+name, func(ctx context.Context) (bool, error) {
		out, err := api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		return err == nil && out.Table.TableStatus == ddb.TableStatusActive, err
	})
}

// lease makes the write lease in the witness Region, first held by the primary.
func (b *Builder) lease(ctx context.Context) error {
	l := b.Plan.Lease
	if l == nil {
		return nil
	}
	if err := b.table(ctx, l.Region, l.Table, "application"); err != nil {
		return err
	}
	return b.firstLease(ctx)
}

// firstLease gives the lease to the primary, as the first deployment does.
func (b *Builder) firstLease(ctx context.Context) error {
	l := b.Plan.Lease
	if l == nil {
		return nil
	}
	_, err := dynamodb.NewFromConfig(b.in(l.Region)).PutItem(ctx, &dynamodb.PutItemInput{
		TableName: aws.String(l.Table),
		Item: map[string]ddb.AttributeValue{
			"application": &ddb.AttributeValueMemberS{Value: b.Plan.Application},
			"holder":      &ddb.AttributeValueMemberS{Value: string(b.Plan.Primary())},
			"epoch":       &ddb.AttributeValueMemberN{Value: "1"},
			"renewed":     &ddb.AttributeValueMemberS{Value: time.Now().UTC().Format(time.RFC3339Nano)},
			"ttl_ms":      &ddb.AttributeValueMemberN{Value: strconv.FormatInt(l.TTL.D().Milliseconds(), 10)},
		},
	})
	return err
}

const auroraEngine = "aurora-postgresql"

// aurora makes the global databases: the primary cluster first, each cluster
// with an instance (a headless secondary can't be promoted).
func (b *Builder) aurora(ctx context.Context) error {
	return b.of(plan.AuroraGlobal, func(r plan.Resource) error {
		global := r.Global["globalCluster"]
		home := rds.NewFromConfig(b.in(b.Plan.Primary()))
		_, err := home.CreateGlobalCluster(ctx, &rds.CreateGlobalClusterInput{
			GlobalClusterIdentifier: aws.String(global), Engine: aws.String(auroraEngine),
		})
		if err != nil {
			return err
		}
		for _, region := range b.Plan.TrafficRegions() {
			if err := b.cluster(ctx, region, global, r.Regions[region]["cluster"]); err != nil {
				return fmt.Errorf("cluster in %s: %w", region, err)
			}
		}
		return nil
	})
}

func (b *Builder) cluster(ctx context.Context, region plan.Region, global, id string) error {
	api := rds.NewFromConfig(b.in(region))
	in := &rds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String(id), Engine: aws.String(auroraEngine),
	}
	if global != "" {
		in.GlobalClusterIdentifier = aws.String(global)
	}
	if region == b.Plan.Primary() {
		in.MasterUsername, in.ManageMasterUserPassword = aws.String("lifeline"), aws.Bool(true)
	}
	if _, err := api.CreateDBCluster(ctx, in); err != nil {
		return err
	}
	_, err := api.CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String(id + "-1"), DBClusterIdentifier: aws.String(id),
		Engine: aws.String(auroraEngine), DBInstanceClass: aws.String("db.r6g.large"),
	})
	if err != nil {
		return err
	}
	return await(ctx, "cluster "+id, func(ctx context.Context) (bool, error) {
		clusters, err := api.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: aws.String(id)})
		if err != nil || len(clusters.DBClusters) == 0 || aws.ToString(clusters.DBClusters[0].Status) != "available" {
			return false, err
		}
		instances, err := api.DescribeDBInstances(ctx, &rds.DescribeDBInstancesInput{DBInstanceIdentifier: aws.String(id + "-1")})
		return err == nil && len(instances.DBInstances) == 1 && aws.ToString(instances.DBInstances[0].DBInstanceStatus) == "available", err
	})
}
