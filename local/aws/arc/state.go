package arc

import (
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	cluster "github.com/aws/aws-sdk-go/service/route53recoverycluster"
	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// ClusterWire is the cluster service (routing control states) as the API server
// sees it. Calls come through the endpoints of Routes.
func (a *ARC) ClusterWire() *wire.Service {
	s := wire.NewService("route53-recovery-cluster", cluster.New(wire.V1Session()), wire.JSON10)
	wire.Handle(s, "GetRoutingControlState", a.getState)
	wire.Handle(s, "ListRoutingControls", a.listStates)
	wire.Handle(s, "UpdateRoutingControlState", a.updateState)
	wire.Handle(s, "UpdateRoutingControlStates", a.updateStates)
	return s
}

// quorum says whether an endpoint can speak for the cluster.
func (a *ARC) quorum(endpoint string) error {
	if !slices.Contains(EndpointRegions(), endpoint) {
		return wire.Errorf(403, "AccessDeniedException", "No cluster has an endpoint in %s.", endpoint)
	}
	reached := 0
	for _, region := range EndpointRegions() {
		if a.world.Reachable(endpoint, region) {
			reached++
		}
	}
	if reached < majority {
		return wire.Errorf(503, "EndpointTemporarilyUnavailableException",
			"The cluster endpoint in %s reaches %d of %d endpoints, which is no quorum.", endpoint, reached, len(EndpointRegions()))
	}
	return nil
}

func (a *ARC) getState(call *wire.Call, in *cluster.GetRoutingControlStateInput) (*cluster.GetRoutingControlStateOutput, error) {
	if err := a.quorum(call.Region); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.live(*in.RoutingControlArn)
	if err != nil {
		return nil, err
	}
	return &cluster.GetRoutingControlStateOutput{RoutingControlArn: c.RoutingControlArn, RoutingControlName: c.Name, RoutingControlState: c.state()}, nil
}

// live gives a control that the cluster has: pending ones it has not.
func (a *ARC) live(arn string) (*control, error) {
	c, err := a.control(arn)
	if err == nil && *c.Status == config.StatusPending {
		return nil, notFound("Routing control", arn)
	}
	return c, err
}

func (c *control) state() *string {
	if c.on {
		return aws.String(cluster.RoutingControlStateOn)
	}
	return aws.String(cluster.RoutingControlStateOff)
}

func (a *ARC) listStates(call *wire.Call, in *cluster.ListRoutingControlsInput) (*cluster.ListRoutingControlsOutput, error) {
	if err := a.quorum(call.Region); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if in.ControlPanelArn != nil {
		if _, err := a.panel(*in.ControlPanelArn); err != nil {
			return nil, err
		}
	}
	all, next, err := list(a, a.controls, func(c *control) bool {
		return *c.Status != config.StatusPending && (in.ControlPanelArn == nil || *in.ControlPanelArn == *c.ControlPanelArn)
	}, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &cluster.ListRoutingControlsOutput{NextToken: next, RoutingControls: []*cluster.RoutingControl{}}
	for _, c := range all {
		shown := &cluster.RoutingControl{
			RoutingControlArn: c.RoutingControlArn, RoutingControlName: c.Name, RoutingControlState: c.state(),
			ControlPanelArn: c.ControlPanelArn, Owner: c.Owner,
		}
		if p, ok := a.panels[*c.ControlPanelArn]; ok {
			shown.ControlPanelName = p.Name
		}
		out.RoutingControls = append(out.RoutingControls, shown)
	}
	return out, nil
}

func (a *ARC) updateState(call *wire.Call, in *cluster.UpdateRoutingControlStateInput) (*cluster.UpdateRoutingControlStateOutput, error) {
	entry := &cluster.UpdateRoutingControlStateEntry{RoutingControlArn: in.RoutingControlArn, RoutingControlState: in.RoutingControlState}
	if err := a.change(call, []*cluster.UpdateRoutingControlStateEntry{entry}, in.SafetyRulesToOverride); err != nil {
		return nil, err
	}
	return &cluster.UpdateRoutingControlStateOutput{}, nil
}

func (a *ARC) updateStates(call *wire.Call, in *cluster.UpdateRoutingControlStatesInput) (*cluster.UpdateRoutingControlStatesOutput, error) {
	if err := a.change(call, in.UpdateRoutingControlStateEntries, in.SafetyRulesToOverride); err != nil {
		return nil, err
	}
	return &cluster.UpdateRoutingControlStatesOutput{}, nil
}

// change applies all entries or none.
func (a *ARC) change(call *wire.Call, entries []*cluster.UpdateRoutingControlStateEntry, override []*string) error {
	if err := a.quorum(call.Region); err != nil {
		return err
	}
	a.mu.Lock()
	next, err := a.planned(entries, override)
	if err != nil {
		a.mu.Unlock()
		return err
	}
	var events []world.Event
	for arn, on := range next {
		c := a.controls[arn]
		if c.on == on {
			continue
		}
		c.on = on
		a.stamp(arn)
		events = append(events, world.Event{
			Service: "arc", Kind: "routing-control", Region: call.Region, ID: arn, Detail: map[string]string{"state": *c.state(), "name": *c.Name},
		})
	}
	watchers := slices.Clone(a.watchers)
	a.mu.Unlock()
	a.o.Logger.Info("routing controls set", "endpoint", call.Region, "caller", call.Caller, "changed", len(events), "rules_overridden", len(override))
	for _, e := range events {
		a.world.Publish(e)
	}
	for _, fn := range watchers {
		fn()
	}
	return nil
}

// planned gives the wanted states once all rules agree.
func (a *ARC) planned(entries []*cluster.UpdateRoutingControlStateEntry, override []*string) (map[string]bool, error) {
	if len(entries) == 0 {
		return nil, invalid("At least one routing control state entry must be given.")
	}
	next := map[string]bool{}
	for _, e := range entries {
		c, err := a.live(*e.RoutingControlArn)
		if err != nil {
			return nil, err
		}
		if _, twice := next[*c.RoutingControlArn]; twice {
			return nil, invalid("Routing control %s is named twice.", *c.RoutingControlArn)
		}
		next[*c.RoutingControlArn] = *e.RoutingControlState == cluster.RoutingControlStateOn
	}
	for _, arn := range override {
		if _, err := a.rule(*arn); err != nil {
			return nil, err
		}
	}
	return next, a.safe(next, aws.StringValueSlice(override))
}

// stamp starts the wait period of the rules that watch over a control.
func (a *ARC) stamp(arn string) {
	now := a.world.Now()
	for _, r := range a.rules {
		if slices.Contains(r.watched(), arn) {
			r.changed = now
		}
	}
}
