package dynamodb

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

type item = map[string]types.AttributeValue

// fake is DynamoDB in one Region: a lease table and one replica of a global table.
type fake struct {
	cloudtest.Service
	items   map[string]item // by table and key
	updates int
	// before runs before each update, as a rival would.
	before func()
	// after runs after each put, as replication would.
	after func(key string, it item)
}

func newFake() *fake {
	return &fake{Service: cloudtest.Service{ID: "DynamoDB"}, items: map[string]item{}}
}

func steps(now func() time.Time, regions map[plan.Region]*fake) *Steps {
	return &Steps{Clients: func(r plan.Region) API { return regions[r] }, Now: now}
}

func keyOf(table *string, key item) string {
	for _, name := range []string{"id", "application"} {
		if v := str(key, name); v != "" {
			return aws.ToString(table) + "/" + v
		}
	}
	return ""
}

func (f *fake) GetItem(ctx context.Context, in *sdk.GetItemInput, _ ...func(*sdk.Options)) (*sdk.GetItemOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "GetItem", func() (*sdk.GetItemOutput, error) {
		if !aws.ToBool(in.ConsistentRead) {
			return nil, cloudtest.Refuse("ValidationException", "a fence is read consistently")
		}
		if aws.ToString(in.TableName) == "missing" {
			return nil, &types.ResourceNotFoundException{}
		}
		return &sdk.GetItemOutput{Item: maps.Clone(f.items[keyOf(in.TableName, in.Key)])}, nil
	})
}

func (f *fake) PutItem(ctx context.Context, in *sdk.PutItemInput, _ ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "PutItem", func() (*sdk.PutItemOutput, error) {
		key := keyOf(in.TableName, in.Item)
		f.items[key] = in.Item
		if f.after != nil {
			f.after(key, in.Item)
		}
		return &sdk.PutItemOutput{}, nil
	})
}

// UpdateItem understands "SET #a = :b, ..." and conditions of "#a = :b" and
// "attribute_not_exists(#a)" joined by AND.
func (f *fake) UpdateItem(ctx context.Context, in *sdk.UpdateItemInput, _ ...func(*sdk.Options)) (*sdk.UpdateItemOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "UpdateItem", func() (*sdk.UpdateItemOutput, error) {
		if f.before != nil {
			f.before()
		}
		key := keyOf(in.TableName, in.Key)
		now := f.items[key]
		for term := range strings.SplitSeq(aws.ToString(in.ConditionExpression), " AND ") {
			if !holds(now, term, in) {
				return nil, &types.ConditionalCheckFailedException{}
			}
		}
		next := maps.Clone(in.Key)
		maps.Copy(next, now)
		for set := range strings.SplitSeq(strings.TrimPrefix(aws.ToString(in.UpdateExpression), "SET "), ", ") {
			name, value, _ := strings.Cut(set, " = ")
			next[in.ExpressionAttributeNames[name]] = in.ExpressionAttributeValues[value]
		}
		f.items[key] = next
		f.updates++
		return &sdk.UpdateItemOutput{}, nil
	})
}

func holds(now item, term string, in *sdk.UpdateItemInput) bool {
	if name, ok := strings.CutPrefix(term, "attribute_not_exists("); ok {
		_, exists := now[in.ExpressionAttributeNames[strings.TrimSuffix(name, ")")]]
		return !exists
	}
	name, value, _ := strings.Cut(term, " = ")
	return plain(now[in.ExpressionAttributeNames[name]]) == plain(in.ExpressionAttributeValues[value])
}

func plain(v types.AttributeValue) string {
	switch a := v.(type) {
	case *types.AttributeValueMemberS:
		return "S" + a.Value
	case *types.AttributeValueMemberN:
		return "N" + a.Value
	default:
		return ""
	}
}

func (f *fake) DescribeTable(ctx context.Context, _ *sdk.DescribeTableInput, _ ...func(*sdk.Options)) (*sdk.DescribeTableOutput, error) {
	return cloudtest.Serve(ctx, &f.Service, "DescribeTable", func() (*sdk.DescribeTableOutput, error) {
		return &sdk.DescribeTableOutput{Table: &types.TableDescription{
			TableStatus: types.TableStatusActive,
			Replicas:    []types.ReplicaDescription{{RegionName: aws.String("us-west-2"), ReplicaStatus: types.ReplicaStatusCreating}},
		}}, nil
	})
}
