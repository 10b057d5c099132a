package drs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// readService asks for templates: AWS has no call that tells whether the service
// is initialised, and refuses every other one until it is.
func (k keeper) readService(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	_, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeReplicationConfigurationTemplates, &sdk.DescribeReplicationConfigurationTemplatesInput{MaxResults: aws.Int32(1)})
	out := none(items)
	if uninitialized(err) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask whether Elastic Disaster Recovery is initialised: %w", err)
	}
	for i := range out {
		out[i].Found = true
	}
	return out, nil
}

// initialize makes the service ready in the Region. AWS does it once, however
// often it is asked.
func (k keeper) initialize(ctx context.Context, at cloud.At, _ runbook.Item, _ runbook.ItemState) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).InitializeService, &sdk.InitializeServiceInput{})
	if err != nil {
		return "", fmt.Errorf("initialise Elastic Disaster Recovery: %w", err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// readServers looks which source servers have been registered.
func (k keeper) readServers(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.Name
	}
	found, err := k.servers(ctx, at, ids)
	if uninitialized(err) {
		return none(items), nil
	}
	if err != nil {
		return nil, err
	}
	out := none(items)
	for i, item := range items {
		if s, ok := found[item.Name]; ok {
			out[i].Found, out[i].Out = true, map[string]string{"id": item.Name, "arn": aws.ToString(s.Arn)}
		}
	}
	return out, nil
}

// servers are source servers by id; what is not there is not in the answer.
func (k keeper) servers(ctx context.Context, at cloud.At, ids []string) (map[string]types.SourceServer, error) {
	found := map[string]types.SourceServer{}
	in := &sdk.DescribeSourceServersInput{Filters: &types.DescribeSourceServersRequestFilters{SourceServerIDs: ids}}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeSourceServers, in)
		if err != nil {
			return nil, fmt.Errorf("describe source servers: %w", err)
		}
		for _, s := range out.Items {
			found[aws.ToString(s.SourceServerID)] = s
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}
