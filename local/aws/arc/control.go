package arc

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"

	"lifeline/local/aws/wire"
)

func (a *ARC) createRoutingControl(_ *wire.Call, in *config.CreateRoutingControlInput) (*config.CreateRoutingControlOutput, error) {
	if err := checkName("RoutingControlName", *in.RoutingControlName); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := repeated(a, in.ClientToken, a.controls); ok {
		return &config.CreateRoutingControlOutput{RoutingControl: clone(&old.RoutingControl)}, nil
	}
	cluster, err := a.deployed(*in.ClusterArn)
	if err != nil {
		return nil, err
	}
	p, err := a.panelOf(cluster, in.ControlPanelArn)
	if err != nil {
		return nil, err
	}
	if *p.RoutingControlCount >= maxControls {
		return nil, overQuota("Control panel %s has %d routing controls already.", *p.Name, maxControls)
	}
	for _, c := range a.controls {
		if *c.ControlPanelArn == *p.ControlPanelArn && *c.Name == *in.RoutingControlName {
			return nil, conflict("A routing control with the name %s already exists.", *c.Name)
		}
	}
	c := &control{cluster: *cluster.ClusterArn} // a new routing control is Off
	c.RoutingControlArn = aws.String(*p.ControlPanelArn + "/routingcontrol/" + hex(16))
	c.ControlPanelArn, c.Name, c.Owner = p.ControlPanelArn, in.RoutingControlName, cluster.Owner
	c.Status = aws.String(config.StatusPending)
	a.controls[*c.RoutingControlArn] = c
	p.RoutingControlCount = aws.Int64(*p.RoutingControlCount + 1)
	a.remember(*c.RoutingControlArn, in.ClientToken, nil)
	answer := clone(&c.RoutingControl)
	a.deploy(a.o.Deploy, func() { c.Status = aws.String(config.StatusDeployed) })
	return &config.CreateRoutingControlOutput{RoutingControl: answer}, nil
}

// panelOf gives the named control panel of the cluster, or its default one.
func (a *ARC) panelOf(c *config.Cluster, arn *string) (*config.ControlPanel, error) {
	if arn != nil && *arn != "" {
		p, err := a.panel(*arn)
		if err == nil && *p.ClusterArn != *c.ClusterArn {
			return nil, invalid("Control panel %s belongs to another cluster.", *arn)
		}
		return p, err
	}
	for _, p := range a.panels {
		if *p.ClusterArn == *c.ClusterArn && *p.DefaultControlPanel {
			return p, nil
		}
	}
	return nil, notFound("Default control panel of cluster", *c.ClusterArn)
}

func (a *ARC) control(arn string) (*control, error) {
	c, ok := a.controls[arn]
	if !ok {
		return nil, notFound("Routing control", arn)
	}
	return c, nil
}

func (a *ARC) describeRoutingControl(_ *wire.Call, in *config.DescribeRoutingControlInput) (*config.DescribeRoutingControlOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.control(*in.RoutingControlArn)
	if err != nil {
		return nil, err
	}
	return &config.DescribeRoutingControlOutput{RoutingControl: clone(&c.RoutingControl)}, nil
}

func (a *ARC) listRoutingControls(_ *wire.Call, in *config.ListRoutingControlsInput) (*config.ListRoutingControlsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.panel(*in.ControlPanelArn); err != nil {
		return nil, err
	}
	all, next, err := list(a, a.controls, func(c *control) bool { return *c.ControlPanelArn == *in.ControlPanelArn }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &config.ListRoutingControlsOutput{NextToken: next, RoutingControls: []*config.RoutingControl{}}
	for _, c := range all {
		out.RoutingControls = append(out.RoutingControls, clone(&c.RoutingControl))
	}
	return out, nil
}

func (a *ARC) updateRoutingControl(_ *wire.Call, in *config.UpdateRoutingControlInput) (*config.UpdateRoutingControlOutput, error) {
	if err := checkName("RoutingControlName", *in.RoutingControlName); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.control(*in.RoutingControlArn)
	if err != nil {
		return nil, err
	}
	c.Name = in.RoutingControlName
	return &config.UpdateRoutingControlOutput{RoutingControl: clone(&c.RoutingControl)}, nil
}

func (a *ARC) deleteRoutingControl(_ *wire.Call, in *config.DeleteRoutingControlInput) (*config.DeleteRoutingControlOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.control(*in.RoutingControlArn)
	if err != nil {
		return nil, err
	}
	for _, r := range a.rules {
		if slices.Contains(r.controls, *c.RoutingControlArn) || slices.Contains(r.targets, *c.RoutingControlArn) {
			return nil, conflict("Routing control %s is part of safety rule %s.", *c.Name, r.name)
		}
	}
	c.Status = aws.String(config.StatusPendingDeletion)
	a.deploy(a.o.Deploy, func() {
		if _, there := a.controls[*c.RoutingControlArn]; !there {
			return // deleted twice
		}
		delete(a.controls, *c.RoutingControlArn)
		if p, ok := a.panels[*c.ControlPanelArn]; ok {
			p.RoutingControlCount = aws.Int64(*p.RoutingControlCount - 1)
		}
		a.forget(*c.RoutingControlArn)
	})
	return &config.DeleteRoutingControlOutput{}, nil
}

func (a *ARC) tagResource(_ *wire.Call, in *config.TagResourceInput) (*config.TagResourceOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.known(*in.ResourceArn); err != nil {
		return nil, err
	}
	if a.tags[*in.ResourceArn] == nil {
		a.tags[*in.ResourceArn] = map[string]*string{}
	}
	for k, v := range in.Tags {
		a.tags[*in.ResourceArn][k] = v
	}
	return &config.TagResourceOutput{}, nil
}

func (a *ARC) untagResource(_ *wire.Call, in *config.UntagResourceInput) (*config.UntagResourceOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.known(*in.ResourceArn); err != nil {
		return nil, err
	}
	for _, k := range in.TagKeys {
		delete(a.tags[*in.ResourceArn], *k)
	}
	return &config.UntagResourceOutput{}, nil
}

func (a *ARC) listTagsForResource(_ *wire.Call, in *config.ListTagsForResourceInput) (*config.ListTagsForResourceOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.known(*in.ResourceArn); err != nil {
		return nil, err
	}
	out := map[string]*string{}
	for k, v := range a.tags[*in.ResourceArn] {
		out[k] = v
	}
	return &config.ListTagsForResourceOutput{Tags: out}, nil
}

// known says whether something with that ARN can carry tags.
func (a *ARC) known(arn string) error {
	_, cluster := a.clusters[arn]
	_, panel := a.panels[arn]
	_, rule := a.rules[arn]
	if !cluster && !panel && !rule {
		return notFound("Resource", arn)
	}
	return nil
}
