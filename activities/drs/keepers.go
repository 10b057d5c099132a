package drs

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	InitializeService(context.Context, *sdk.InitializeServiceInput, ...func(*sdk.Options)) (*sdk.InitializeServiceOutput, error)
	DescribeReplicationConfigurationTemplates(context.Context, *sdk.DescribeReplicationConfigurationTemplatesInput, ...func(*sdk.Options)) (*sdk.DescribeReplicationConfigurationTemplatesOutput, error)
	CreateReplicationConfigurationTemplate(context.Context, *sdk.CreateReplicationConfigurationTemplateInput, ...func(*sdk.Options)) (*sdk.CreateReplicationConfigurationTemplateOutput, error)
	UpdateReplicationConfigurationTemplate(context.Context, *sdk.UpdateReplicationConfigurationTemplateInput, ...func(*sdk.Options)) (*sdk.UpdateReplicationConfigurationTemplateOutput, error)
	DescribeLaunchConfigurationTemplates(context.Context, *sdk.DescribeLaunchConfigurationTemplatesInput, ...func(*sdk.Options)) (*sdk.DescribeLaunchConfigurationTemplatesOutput, error)
	CreateLaunchConfigurationTemplate(context.Context, *sdk.CreateLaunchConfigurationTemplateInput, ...func(*sdk.Options)) (*sdk.CreateLaunchConfigurationTemplateOutput, error)
	UpdateLaunchConfigurationTemplate(context.Context, *sdk.UpdateLaunchConfigurationTemplateInput, ...func(*sdk.Options)) (*sdk.UpdateLaunchConfigurationTemplateOutput, error)
	DescribeSourceServers(context.Context, *sdk.DescribeSourceServersInput, ...func(*sdk.Options)) (*sdk.DescribeSourceServersOutput, error)
	GetLaunchConfiguration(context.Context, *sdk.GetLaunchConfigurationInput, ...func(*sdk.Options)) (*sdk.GetLaunchConfigurationOutput, error)
	UpdateLaunchConfiguration(context.Context, *sdk.UpdateLaunchConfigurationInput, ...func(*sdk.Options)) (*sdk.UpdateLaunchConfigurationOutput, error)
	GetReplicationConfiguration(context.Context, *sdk.GetReplicationConfigurationInput, ...func(*sdk.Options)) (*sdk.GetReplicationConfigurationOutput, error)
	UpdateReplicationConfiguration(context.Context, *sdk.UpdateReplicationConfigurationInput, ...func(*sdk.Options)) (*sdk.UpdateReplicationConfigurationOutput, error)
}

// keeper keeps everything of this package.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keeper{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) })}.keepers()
}

func (k keeper) keepers() []keep.Keeper {
	return []keep.Keeper{
		{Type: "drs-service", Read: k.readService, Write: k.initialize},
		{Type: "drs-replication-template", Read: k.readReplicationTemplates, Write: k.writeReplicationTemplate},
		{Type: "drs-launch-template", Read: k.readLaunchTemplates, Write: k.writeLaunchTemplate},
		{Type: "drs-source-server", Read: k.readServers},
		{Type: "drs-launch-settings", Read: keep.Each(k.readLaunch), Write: k.writeLaunch},
		{Type: "drs-replication-settings", Read: keep.Each(k.readReplication), Write: k.writeReplication},
	}
}

// owner is the tag of what setup makes.
const owner = "lifeline:application"

// tags are those that an item wants at its creation.
func tags(item runbook.Item) map[string]string {
	return map[string]string{owner: item.Want[runbook.AtCreation+"tag/"+owner]}
}

// uninitialized is the answer of a Region in which the service has never been
// used: nothing is there.
func uninitialized(err error) bool {
	var answer *types.UninitializedAccountException
	return errors.As(err, &answer)
}

// none says of all items that they are not there.
func none(items []runbook.Item) []runbook.ItemState {
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		out[i] = runbook.ItemState{ID: item.ID()}
	}
	return out
}
