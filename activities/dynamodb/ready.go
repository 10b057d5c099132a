package dynamodb

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of tables.
type ReadyAPI interface {
	GetItem(context.Context, *sdk.GetItemInput, ...func(*sdk.Options)) (*sdk.GetItemOutput, error)
	DescribeTable(context.Context, *sdk.DescribeTableInput, ...func(*sdk.Options)) (*sdk.DescribeTableOutput, error)
	ListTables(context.Context, *sdk.ListTablesInput, ...func(*sdk.Options)) (*sdk.ListTablesOutput, error)
}

// Ready are the steps of a proof of readiness that no run needs: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// AllRef is everything of a kind in a Region.
type AllRef struct {
	Region plan.Region `json:"region"`
}

// All are names, sorted.
type All struct {
	Names []string `json:"names,omitempty"`
}

// FindTables lists the account's tables of one Region.
func (r *Ready) FindTables(ctx context.Context, in AllRef) (All, error) {
	at := cloud.At{Region: in.Region}
	var out All
	ask := &sdk.ListTablesInput{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListTables, ask)
		if err != nil {
			return All{}, fmt.Errorf("list tables in %s: %w", in.Region, err)
		}
		out.Names = append(out.Names, page.TableNames...)
		if ask.ExclusiveStartTableName = page.LastEvaluatedTableName; ask.ExclusiveStartTableName == nil {
			slices.Sort(out.Names)
			return out, nil
		}
	}
}
