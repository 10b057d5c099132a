package arc

import (
	"github.com/aws/aws-sdk-go/aws"
	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"

	"lifeline/local/aws/wire"
)

// addPanel must be called with the lock held.
func (a *ARC) addPanel(c *config.Cluster, name string, first bool) *config.ControlPanel {
	p := &config.ControlPanel{
		ClusterArn: c.ClusterArn, ControlPanelArn: aws.String(a.arn("controlpanel/" + hex(32))), Name: &name,
		DefaultControlPanel: &first, RoutingControlCount: aws.Int64(0), Owner: c.Owner, Status: aws.String(config.StatusPending),
	}
	a.panels[*p.ControlPanelArn] = p
	a.remember(*p.ControlPanelArn, nil, nil)
	return p
}

func (a *ARC) createControlPanel(_ *wire.Call, in *config.CreateControlPanelInput) (*config.CreateControlPanelOutput, error) {
	if err := checkName("ControlPanelName", *in.ControlPanelName); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := repeated(a, in.ClientToken, a.panels); ok {
		return &config.CreateControlPanelOutput{ControlPanel: clone(old)}, nil
	}
	c, err := a.deployed(*in.ClusterArn)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, p := range a.panels {
		if *p.ClusterArn != *c.ClusterArn {
			continue
		}
		n++
		if *p.Name == *in.ControlPanelName {
			return nil, conflict("A control panel with the name %s already exists.", *p.Name)
		}
	}
	if n >= maxPanels {
		return nil, overQuota("The cluster has %d control panels already.", maxPanels)
	}
	p := a.addPanel(c, *in.ControlPanelName, false)
	a.remember(*p.ControlPanelArn, in.ClientToken, in.Tags)
	answer := clone(p)
	a.deploy(a.o.Deploy, func() { p.Status = aws.String(config.StatusDeployed) })
	return &config.CreateControlPanelOutput{ControlPanel: answer}, nil
}

// deployed gives a cluster that can take new parts.
func (a *ARC) deployed(arn string) (*config.Cluster, error) {
	c, err := a.cluster(arn)
	if err != nil {
		return nil, err
	}
	if *c.Status != config.StatusDeployed {
		return nil, conflict("Cluster %s is %s: it must be DEPLOYED.", *c.Name, *c.Status)
	}
	return c, nil
}

func (a *ARC) panel(arn string) (*config.ControlPanel, error) {
	p, ok := a.panels[arn]
	if !ok {
		return nil, notFound("Control panel", arn)
	}
	return p, nil
}

func (a *ARC) describeControlPanel(_ *wire.Call, in *config.DescribeControlPanelInput) (*config.DescribeControlPanelOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, err := a.panel(*in.ControlPanelArn)
	if err != nil {
		return nil, err
	}
	return &config.DescribeControlPanelOutput{ControlPanel: clone(p)}, nil
}

func (a *ARC) listControlPanels(_ *wire.Call, in *config.ListControlPanelsInput) (*config.ListControlPanelsOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, next, err := list(a, a.panels, func(p *config.ControlPanel) bool {
		return in.ClusterArn == nil || *in.ClusterArn == "" || *in.ClusterArn == *p.ClusterArn
	}, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &config.ListControlPanelsOutput{NextToken: next, ControlPanels: []*config.ControlPanel{}}
	for _, p := range all {
		out.ControlPanels = append(out.ControlPanels, clone(p))
	}
	return out, nil
}

func (a *ARC) updateControlPanel(_ *wire.Call, in *config.UpdateControlPanelInput) (*config.UpdateControlPanelOutput, error) {
	if err := checkName("ControlPanelName", *in.ControlPanelName); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p, err := a.panel(*in.ControlPanelArn)
	if err != nil {
		return nil, err
	}
	p.Name = in.ControlPanelName
	return &config.UpdateControlPanelOutput{ControlPanel: clone(p)}, nil
}

func (a *ARC) deleteControlPanel(_ *wire.Call, in *config.DeleteControlPanelInput) (*config.DeleteControlPanelOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, err := a.panel(*in.ControlPanelArn)
	if err != nil {
		return nil, err
	}
	switch {
	case *p.DefaultControlPanel:
		return nil, conflict("The default control panel cannot be deleted.")
	case *p.RoutingControlCount > 0:
		return nil, conflict("Control panel %s still has routing controls.", *p.Name)
	}
	for _, r := range a.rules {
		if r.panel == *p.ControlPanelArn {
			return nil, conflict("Control panel %s still has safety rule %s.", *p.Name, r.name)
		}
	}
	p.Status = aws.String(config.StatusPendingDeletion)
	a.deploy(a.o.Deploy, func() {
		delete(a.panels, *p.ControlPanelArn)
		a.forget(*p.ControlPanelArn)
	})
	return &config.DeleteControlPanelOutput{}, nil
}
