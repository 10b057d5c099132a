package arc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// entry is one control with the state that it shall have.
type entry struct {
	arn   string
	state types.RoutingControlState
}

// EvacuateByRoutingControl turns one Region off and the other on, in one call:
// at no moment are both off.
func (s *Steps) EvacuateByRoutingControl(ctx context.Context, in ControlSwitch) (runbook.Outcome, error) {
	outcome, err := s.set(ctx, in, entry{in.Off, types.RoutingControlStateOff}, entry{in.On, types.RoutingControlStateOn})
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("evacuate by routing control %s: %w", in.Off, err)
	}
	return outcome, nil
}

// ReturnByRoutingControl turns both Regions on.
func (s *Steps) ReturnByRoutingControl(ctx context.Context, in ControlSwitch) (runbook.Outcome, error) {
	outcome, err := s.set(ctx, in, entry{in.Off, types.RoutingControlStateOn}, entry{in.On, types.RoutingControlStateOn})
	if err != nil {
		return runbook.Outcome{}, fmt.Errorf("return by routing control %s: %w", in.Off, err)
	}
	return outcome, nil
}

// cluster is the five endpoints in the order in which they are tried.
type cluster struct {
	*Steps
	in    ControlSwitch
	order []plan.ClusterEndpoint
}

// set changes both controls through one endpoint and reads them back through
// another: the endpoints replicate, and one that is cut off must not confirm itself.
func (s *Steps) set(ctx context.Context, in ControlSwitch, entries ...entry) (runbook.Outcome, error) {
	if len(in.Endpoints) == 0 {
		return runbook.Outcome{}, cloud.Errorf(cloud.Invalid, "the plan names no cluster endpoints")
	}
	c := cluster{Steps: s, in: in, order: slices.Clone(in.Endpoints)}
	s.Shuffle(len(c.order), func(i, j int) { c.order[i], c.order[j] = c.order[j], c.order[i] })
	return runbook.Act{
		Check: func(ctx context.Context) (bool, string, error) { return c.read(ctx, entries) },
		Do: func(ctx context.Context) (string, error) {
			id, err := c.update(ctx, entries)
			// The endpoint that took the change goes to the end: reading back
			// begins with another one.
			c.order = append(c.order[1:], c.order[0])
			return id, err
		},
		Would: fmt.Sprintf("UpdateRoutingControlStates so that %s", describe(entries)),
	}.Run(ctx, in.DryRun)
}

// read says whether every control has its state.
func (c *cluster) read(ctx context.Context, entries []entry) (done bool, seen string, err error) {
	states := slices.Clone(entries)
	err = c.try(ctx, func(ctx context.Context, api API, at cloud.At) error {
		for i := range states {
			out, err := cloud.Call(ctx, at, api.GetRoutingControlState,
				&sdk.GetRoutingControlStateInput{RoutingControlArn: aws.String(states[i].arn)})
			if err != nil {
				return err
			}
			states[i].state = out.RoutingControlState
		}
		return nil
	})
	if err != nil {
		return false, "", err
	}
	return slices.Equal(states, entries), fmt.Sprintf("%s at %s", describe(states), c.order[0].URL), nil
}

// update sets all states in one call.
func (c *cluster) update(ctx context.Context, entries []entry) (requestID string, err error) {
	in := &sdk.UpdateRoutingControlStatesInput{}
	for _, e := range entries {
		in.UpdateRoutingControlStateEntries = append(in.UpdateRoutingControlStateEntries, types.UpdateRoutingControlStateEntry{
			RoutingControlArn: aws.String(e.arn), RoutingControlState: e.state,
		})
	}
	err = c.try(ctx, func(ctx context.Context, api API, at cloud.At) error {
		out, err := cloud.Call(ctx, at, api.UpdateRoutingControlStates, in)
		if err != nil {
			return err
		}
		requestID = cloud.RequestID(out.ResultMetadata)
		return nil
	})
	return requestID, err
}

// try calls one endpoint after the other until one answers, and leaves that one
// in front. An answer that would be the same everywhere ends it.
func (c *cluster) try(ctx context.Context, call func(context.Context, API, cloud.At) error) error {
	var failures []error
	var kind cloud.Kind
	for i, endpoint := range c.order {
		err := call(ctx, c.Clients(endpoint), cloud.At{Region: endpoint.Region, Timeout: c.timeout()})
		if err == nil {
			c.order[0], c.order[i] = c.order[i], c.order[0]
			return nil
		}
		kind = cloud.KindOf(err)
		if kind.Permanent() || kind == cloud.Conflict || ctx.Err() != nil {
			return err
		}
		failures = append(failures, err)
	}
	return cloud.Errorf(kind, "none of %d cluster endpoints answered: %w", len(c.order), errors.Join(failures...))
}

// timeout is short: with five endpoints a slow one is not waited for.
func (c *cluster) timeout() time.Duration {
	if c.in.Timeout > 0 {
		return c.in.Timeout
	}
	return cloud.SuspectTimeout
}

// describe lists controls with their states.
func describe(entries []entry) string {
	words := make([]string, len(entries))
	for i, e := range entries {
		words[i] = e.arn + " is " + string(e.state)
	}
	return strings.Join(words, ", ")
}
