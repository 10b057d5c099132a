package estate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	data "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	datatypes "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	config "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig/types"

	"lifeline/internal/plan"
)

// controlHome is the one Region that serves ARC's control-configuration API.
const controlHome = "us-west-2"

// routingControls makes the cluster, control panel, controls and safety rule of
// the arc-routing-control switch. What AWS names then replaces the plan's
// placeholders; see adoptControls.
func (b *Builder) routingControls(ctx context.Context) error {
	if b.Plan.Traffic.Switch.Provider != plan.SwitchARCControl {
		return nil
	}
	api := config.NewFromConfig(b.in(controlHome))
	cluster, err := b.controlCluster(ctx, api)
	if err != nil {
		return fmt.Errorf("cluster of routing controls: %w", err)
	}
	panel, err := b.controlPanel(ctx, api, cluster)
	if err != nil {
		return fmt.Errorf("control panel: %w", err)
	}
	controls := map[plan.Region]string{}
	for _, region := range b.Plan.TrafficRegions() {
		if controls[region], err = b.control(ctx, api, panel, string(region)); err != nil {
			return fmt.Errorf("routing control of %s: %w", region, err)
		}
	}
	made := plan.Switch{Provider: plan.SwitchARCControl, RoutingControls: controls}
	for _, e := range cluster.ClusterEndpoints {
		made.ClusterEndpoints = append(made.ClusterEndpoints,
			plan.ClusterEndpoint{Region: plan.Region(aws.ToString(e.Region)), URL: aws.ToString(e.Endpoint)})
	}
	// On before the rule: a new control is off, and the rule would watch that.
	if err := b.turnOn(ctx, made); err != nil {
		return fmt.Errorf("turn routing controls on: %w", err)
	}
	if err := b.safetyRule(ctx, api, panel, slices.Sorted(maps.Values(controls))); err != nil {
		return fmt.Errorf("safety rule: %w", err)
	}
	b.controls = &made
	return nil
}

// adoptControls puts what AWS has named into the plan. It runs on its own:
// nothing else reads the plan meanwhile.
func (b *Builder) adoptControls(context.Context) error {
	if b.controls != nil {
		b.Plan.Traffic.Switch = *b.controls
	}
	return nil
}

// controlCluster makes the cluster and waits for its five endpoints.
func (b *Builder) controlCluster(ctx context.Context, api *config.Client) (*types.Cluster, error) {
	made, err := api.CreateCluster(ctx, &config.CreateClusterInput{ClusterName: aws.String(b.Plan.Application)})
	if err != nil {
		return nil, err
	}
	var cluster *types.Cluster
	err = await(ctx, "deployed cluster", func(ctx context.Context) (bool, error) {
		out, err := api.DescribeCluster(ctx, &config.DescribeClusterInput{ClusterArn: made.Cluster.ClusterArn})
		if err != nil {
			return false, err
		}
		cluster = out.Cluster
		return cluster.Status == types.StatusDeployed, nil
	})
	return cluster, err
}

func (b *Builder) controlPanel(ctx context.Context, api *config.Client, c *types.Cluster) (*types.ControlPanel, error) {
	made, err := api.CreateControlPanel(ctx, &config.CreateControlPanelInput{
		ClusterArn: c.ClusterArn, ControlPanelName: aws.String(b.Plan.Application),
	})
	if err != nil {
		return nil, err
	}
	return made.ControlPanel, await(ctx, "deployed control panel", func(ctx context.Context) (bool, error) {
		out, err := api.DescribeControlPanel(ctx, &config.DescribeControlPanelInput{ControlPanelArn: made.ControlPanel.ControlPanelArn})
		return err == nil && out.ControlPanel.Status == types.StatusDeployed, err
	})
}

func (b *Builder) control(ctx context.Context, api *config.Client, panel *types.ControlPanel, name string) (arn string, err error) {
	made, err := api.CreateRoutingControl(ctx, &config.CreateRoutingControlInput{
		ClusterArn: panel.ClusterArn, ControlPanelArn: panel.ControlPanelArn, RoutingControlName: aws.String(name),
	})
	if err != nil {
		return "", err
	}
	id := made.RoutingControl.RoutingControlArn
	return aws.ToString(id), await(ctx, "deployed routing control", func(ctx context.Context) (bool, error) {
		out, err := api.DescribeRoutingControl(ctx, &config.DescribeRoutingControlInput{RoutingControlArn: id})
		return err == nil && out.RoutingControl.Status == types.StatusDeployed, err
	})
}

// turnOn lets every Region serve, in one call through one endpoint.
func (b *Builder) turnOn(ctx context.Context, s plan.Switch) error {
	if len(s.ClusterEndpoints) == 0 {
		return errors.New("the cluster has no endpoints")
	}
	e := s.ClusterEndpoints[0]
	in := &data.UpdateRoutingControlStatesInput{}
	for _, arn := range s.RoutingControls {
		in.UpdateRoutingControlStateEntries = append(in.UpdateRoutingControlStateEntries, datatypes.UpdateRoutingControlStateEntry{
			RoutingControlArn: aws.String(arn), RoutingControlState: datatypes.RoutingControlStateOn,
		})
	}
	api := data.NewFromConfig(b.in(e.Region), func(o *data.Options) { o.BaseEndpoint = aws.String(e.URL) })
	_, err := api.UpdateRoutingControlStates(ctx, in)
	return err
}

// safetyRule keeps at least one Region on, whoever turns the switch.
func (b *Builder) safetyRule(ctx context.Context, api *config.Client, panel *types.ControlPanel, controls []string) error {
	made, err := api.CreateSafetyRule(ctx, &config.CreateSafetyRuleInput{AssertionRule: &types.NewAssertionRule{
		Name: aws.String("one-region-serves"), ControlPanelArn: panel.ControlPanelArn, AssertedControls: controls,
		RuleConfig:   &types.RuleConfig{Type: types.RuleTypeAtleast, Threshold: aws.Int32(1), Inverted: aws.Bool(false)},
		WaitPeriodMs: aws.Int32(0), // an emergency does not wait, and its undo neither
	}})
	if err != nil {
		return err
	}
	return await(ctx, "deployed safety rule", func(ctx context.Context) (bool, error) {
		out, err := api.DescribeSafetyRule(ctx, &config.DescribeSafetyRuleInput{SafetyRuleArn: made.AssertionRule.SafetyRuleArn})
		return err == nil && out.AssertionRule != nil && out.AssertionRule.Status == types.StatusDeployed, err
	})
}
