package arc

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	config "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// ClusterAPI is what setup calls of clusters and control panels.
type ClusterAPI interface {
	ListClusters(context.Context, *config.ListClustersInput, ...func(*config.Options)) (*config.ListClustersOutput, error)
	CreateCluster(context.Context, *config.CreateClusterInput, ...func(*config.Options)) (*config.CreateClusterOutput, error)
	ListControlPanels(context.Context, *config.ListControlPanelsInput, ...func(*config.Options)) (*config.ListControlPanelsOutput, error)
	CreateControlPanel(context.Context, *config.CreateControlPanelInput, ...func(*config.Options)) (*config.CreateControlPanelOutput, error)
}

// ControlAPI is what setup calls of routing controls and their rules.
type ControlAPI interface {
	ListRoutingControls(context.Context, *config.ListRoutingControlsInput, ...func(*config.Options)) (*config.ListRoutingControlsOutput, error)
	CreateRoutingControl(context.Context, *config.CreateRoutingControlInput, ...func(*config.Options)) (*config.CreateRoutingControlOutput, error)
	ListSafetyRules(context.Context, *config.ListSafetyRulesInput, ...func(*config.Options)) (*config.ListSafetyRulesOutput, error)
	CreateSafetyRule(context.Context, *config.CreateSafetyRuleInput, ...func(*config.Options)) (*config.CreateSafetyRuleOutput, error)
	UpdateSafetyRule(context.Context, *config.UpdateSafetyRuleInput, ...func(*config.Options)) (*config.UpdateSafetyRuleOutput, error)
}

// SetupAPI is every control-plane operation of this package's keepers. The
// controls' first states are set through the cluster's own API.
type SetupAPI interface {
	ClusterAPI
	ControlAPI
}

// kept is what the keepers share.
type kept struct {
	clients func(plan.Region) SetupAPI
	steps   *Steps
}

// clusterBudget bounds the wait for a new cluster: five endpoints in as many Regions.
const clusterBudget = 30 * time.Minute

// Keepers keep clusters, control panels, routing controls and safety rules.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(kept{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return config.NewFromConfig(cfg) }), New(c)})
}

func keepers(k kept) []keep.Keeper {
	return []keep.Keeper{
		{Type: "arc-cluster", Read: k.readClusters, Write: k.writeCluster, Budget: clusterBudget},
		{Type: "arc-control-panel", Read: k.readPanels, Write: k.writePanel, Inside: "cluster", Fixed: []string{"cluster"}},
		{Type: "arc-routing-control", Read: k.readControls, Write: k.writeControl, Inside: "panel", Fixed: []string{"panel"}},
		{Type: "arc-safety-rule", Read: k.readRules, Write: k.writeRule, Inside: "panel", Fixed: fixedOfRule()},
		{Type: "arc-switch-addresses", Read: keep.Each(k.readAddresses), Inside: "cluster"},
	}
}

// busy tells what AWS still works on.
func busy(s types.Status) string {
	if s == types.StatusDeployed {
		return ""
	}
	return string(s)
}

// token is the same for each attempt at making an item.
func token(item runbook.Item) *string { return aws.String(runbook.Token("setup", item.ID())) }

// tags are those that an item is born with.
func tags(item runbook.Item) map[string]string {
	out := map[string]string{}
	for key, value := range item.Want {
		if name, ok := strings.CutPrefix(key, runbook.AtCreation+"tag/"); ok {
			out[name] = value
		}
	}
	return out
}

// pick makes the states of items from what a list gave by name.
func pick(items []runbook.Item, found map[string]runbook.ItemState) []runbook.ItemState {
	out := make([]runbook.ItemState, len(items))
	for i, item := range items {
		out[i] = found[item.Name]
		out[i].ID = item.ID()
	}
	return out
}
