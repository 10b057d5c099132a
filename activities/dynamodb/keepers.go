package dynamodb

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// TableAPI is what setup calls of tables and their replicas.
type TableAPI interface {
	DescribeTable(context.Context, *sdk.DescribeTableInput, ...func(*sdk.Options)) (*sdk.DescribeTableOutput, error)
	DescribeTimeToLive(context.Context, *sdk.DescribeTimeToLiveInput, ...func(*sdk.Options)) (*sdk.DescribeTimeToLiveOutput, error)
	CreateTable(context.Context, *sdk.CreateTableInput, ...func(*sdk.Options)) (*sdk.CreateTableOutput, error)
	UpdateTable(context.Context, *sdk.UpdateTableInput, ...func(*sdk.Options)) (*sdk.UpdateTableOutput, error)
}

// BackupAPI is what setup calls of point-in-time recovery.
type BackupAPI interface {
	DescribeContinuousBackups(context.Context, *sdk.DescribeContinuousBackupsInput, ...func(*sdk.Options)) (*sdk.DescribeContinuousBackupsOutput, error)
	UpdateContinuousBackups(context.Context, *sdk.UpdateContinuousBackupsInput, ...func(*sdk.Options)) (*sdk.UpdateContinuousBackupsOutput, error)
}

// SetupAPI is every operation of this package's keepers: their part of the IAM
// policy of setup.
type SetupAPI interface {
	TableAPI
	BackupAPI
}

// SetupKeyAPI tells whose a table's key is.
type SetupKeyAPI interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
}

// kept is what the keepers share.
type kept struct {
	clients func(plan.Region) SetupAPI
	keys    func(plan.Region) SetupKeyAPI
}

// replicaBudget bounds the wait for a replica: AWS copies the whole table.
const replicaBudget = 2 * time.Hour

// Keepers keep tables, replicas and point-in-time recovery.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(kept{
		clients: cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }),
		keys:    cloud.PerRegion(c, func(cfg aws.Config) SetupKeyAPI { return kms.NewFromConfig(cfg) }),
	})
}

func keepers(k kept) []keep.Keeper {
	return []keep.Keeper{
		{Type: "dynamodb-table", Read: keep.Each(k.readTable), Write: k.writeTable, Fixed: []string{"key"}},
		{Type: "dynamodb-replica", Read: keep.Each(k.readReplica), Write: k.writeReplica, Fixed: []string{"source", "consistency", "witness"}, Budget: replicaBudget},
		{Type: "dynamodb-pitr", Read: keep.Each(k.readBackups), Write: k.writeBackups},
	}
}

// describe reads a table, nil when there is none.
func (k kept) describe(ctx context.Context, at cloud.At, table string) (*types.TableDescription, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeTable, &sdk.DescribeTableInput{TableName: aws.String(table)})
	if cloud.KindOf(err) == cloud.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.Table, nil
}

// making says that a table is not there yet, or not for long any more.
func making(s types.TableStatus) string {
	if s == types.TableStatusCreating || s == types.TableStatusDeleting {
		return string(s)
	}
	return ""
}

func (k kept) readTable(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	t, err := k.describe(ctx, at, item.Name)
	if err != nil || t == nil {
		return runbook.ItemState{}, err
	}
	var key []string
	for _, e := range t.KeySchema {
		key = append(key, aws.ToString(e.AttributeName))
	}
	return runbook.ItemState{
		Found: true, Busy: making(t.TableStatus), Have: map[string]string{"key": strings.Join(key, "\n")},
		Out: map[string]string{"arn": aws.ToString(t.TableArn)},
	}, nil
}

// writeTable makes a table of Lifeline's own, with one key of type string. The
// application's tables are given.
func (k kept) writeTable(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	in := &sdk.CreateTableInput{
		TableName: aws.String(item.Name), BillingMode: types.BillingModePayPerRequest, DeletionProtectionEnabled: aws.Bool(true),
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String(item.Want["key"]), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String(item.Want["key"]), KeyType: types.KeyTypeHash}},
	}
	for key, value := range item.Want {
		if name, ok := strings.CutPrefix(key, runbook.AtCreation+"tag/"); ok {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(name), Value: aws.String(value)})
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateTable, in)
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
