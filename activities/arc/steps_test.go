package arc

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

const (
	east = "arn:aws:route53-recovery-control::123456789012:controlpanel/p/routingcontrol/east"
	west = "arn:aws:route53-recovery-control::123456789012:controlpanel/p/routingcontrol/west"
)

// cell is an ARC cluster of five endpoints over one state.
type cell struct {
	state     map[string]types.RoutingControlState
	updates   int
	endpoints []*fake
	order     []string // endpoints in the order of calls
}

type fake struct {
	cloudtest.Service
	c    *cell
	name string
}

func newCell(eastIs, westIs types.RoutingControlState) *cell {
	c := &cell{state: map[string]types.RoutingControlState{east: eastIs, west: westIs}}
	for i := range 5 {
		c.endpoints = append(c.endpoints, &fake{
			Service: cloudtest.Service{ID: "Route53 Recovery Cluster"}, c: c, name: fmt.Sprintf("https://endpoint-%d", i),
		})
	}
	return c
}

// steps tries the endpoints in the order in which the plan names them.
func (c *cell) steps() *Steps {
	return &Steps{
		Clients: func(e plan.ClusterEndpoint) API {
			for _, f := range c.endpoints {
				if f.name == e.URL {
					return f
				}
			}
			return nil
		},
		Shuffle: func(int, func(i, j int)) {},
	}
}

func (c *cell) always(fault cloudtest.Fault, endpoints ...int) {
	for _, i := range endpoints {
		c.endpoints[i].Always("", fault)
	}
}

func (f *fake) GetRoutingControlState(ctx context.Context, in *sdk.GetRoutingControlStateInput, _ ...func(*sdk.Options)) (*sdk.GetRoutingControlStateOutput, error) {
	f.c.order = append(f.c.order, "get "+f.name)
	return cloudtest.Serve(ctx, &f.Service, "GetRoutingControlState", func() (*sdk.GetRoutingControlStateOutput, error) {
		return &sdk.GetRoutingControlStateOutput{RoutingControlState: f.c.state[aws.ToString(in.RoutingControlArn)]}, nil
	})
}

func (f *fake) UpdateRoutingControlStates(ctx context.Context, in *sdk.UpdateRoutingControlStatesInput, _ ...func(*sdk.Options)) (*sdk.UpdateRoutingControlStatesOutput, error) {
	f.c.order = append(f.c.order, "update "+f.name)
	return cloudtest.Serve(ctx, &f.Service, "UpdateRoutingControlStates", func() (*sdk.UpdateRoutingControlStatesOutput, error) {
		if len(in.UpdateRoutingControlStateEntries) != 2 {
			return nil, cloudtest.Refuse("ConflictException", "both in one call, or a safety rule refuses")
		}
		f.c.updates++
		for _, e := range in.UpdateRoutingControlStateEntries {
			f.c.state[aws.ToString(e.RoutingControlArn)] = e.RoutingControlState
		}
		return &sdk.UpdateRoutingControlStatesOutput{}, nil
	})
}

func switchIn(dry bool, endpoints int) ControlSwitch {
	in := ControlSwitch{Command: runbook.Command{DryRun: dry}, Off: east, On: west, Timeout: cloud.SuspectTimeout}
	for i := range endpoints {
		in.Endpoints = append(in.Endpoints, plan.ClusterEndpoint{Region: "eu-west-1", URL: fmt.Sprintf("https://endpoint-%d", i)})
	}
	return in
}

func TestEvacuateByRoutingControl(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "route53-recovery-cluster:UpdateRoutingControlStates", func() cloudtest.Change {
		c := newCell(types.RoutingControlStateOn, types.RoutingControlStateOn)
		return cloudtest.Change{
			Service: &c.endpoints[0].Service, Operation: "UpdateRoutingControlStates", Effects: func() int { return c.updates },
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return c.steps().EvacuateByRoutingControl(ctx, switchIn(dry, 1))
			},
		}
	})
}

func TestReturnByRoutingControl(t *testing.T) {
	t.Parallel()
	cloudtest.CheckChange(t, "route53-recovery-cluster:UpdateRoutingControlStates", func() cloudtest.Change {
		c := newCell(types.RoutingControlStateOff, types.RoutingControlStateOn)
		return cloudtest.Change{
			Service: &c.endpoints[0].Service, Operation: "UpdateRoutingControlStates", Effects: func() int { return c.updates },
			Run: func(ctx context.Context, dry bool) (runbook.Outcome, error) {
				return c.steps().ReturnByRoutingControl(ctx, switchIn(dry, 1))
			},
		}
	})
}

func TestEvacuate_SetsBothAndReadsBackElsewhere(t *testing.T) {
	t.Parallel()
	c := newCell(types.RoutingControlStateOn, types.RoutingControlStateOff)
	_, err := c.steps().EvacuateByRoutingControl(t.Context(), switchIn(false, 5))
	require.NoError(t, err)
	require.Equal(t, map[string]types.RoutingControlState{east: "Off", west: "On"}, c.state)
	require.Equal(t, []string{
		"get https://endpoint-0", "get https://endpoint-0", "update https://endpoint-0",
		"get https://endpoint-1", "get https://endpoint-1",
	}, c.order)
	require.Equal(t, 1, c.updates)
}

func TestEvacuate_TwoRegionsOfTheClusterDark_StillWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCell(types.RoutingControlStateOn, types.RoutingControlStateOn)
		c.always(cloudtest.Hang(), 0, 1)
		start := time.Now()
		in := switchIn(false, 5)
		in.Timeout = 0
		_, err := c.steps().EvacuateByRoutingControl(t.Context(), in)
		require.NoError(t, err)
		require.Equal(t, types.RoutingControlStateOff, c.state[east])
		require.Less(t, time.Since(start), 10*time.Second, "an endpoint that answers is kept in front")
	})
}

func TestEvacuate_AllFiveAreTried(t *testing.T) {
	t.Parallel()
	c := newCell(types.RoutingControlStateOn, types.RoutingControlStateOn)
	c.always(cloudtest.Code("EndpointTemporarilyUnavailableException"), 0, 1, 2, 3)
	_, err := c.steps().EvacuateByRoutingControl(t.Context(), switchIn(false, 5))
	require.NoError(t, err)
	c.always(cloudtest.Code("EndpointTemporarilyUnavailableException"), 4)
	_, err = c.steps().EvacuateByRoutingControl(t.Context(), switchIn(false, 5))
	require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
	require.ErrorContains(t, err, "none of 5")
}

func TestEvacuate_SafetyRule_IsForPeople(t *testing.T) {
	t.Parallel()
	c := newCell(types.RoutingControlStateOn, types.RoutingControlStateOn)
	for _, f := range c.endpoints {
		f.Always("UpdateRoutingControlStates", cloudtest.Code("ConflictException"))
	}
	_, err := c.steps().EvacuateByRoutingControl(t.Context(), switchIn(false, 5))
	require.Equal(t, cloud.Conflict, cloud.KindOf(err))
	n := 0
	for _, f := range c.endpoints {
		n += f.Count("UpdateRoutingControlStates")
	}
	require.Equal(t, 1, n, "every endpoint would say the same")
}

func TestEvacuate_NoEndpoints_IsInvalid(t *testing.T) {
	t.Parallel()
	_, err := newCell("On", "On").steps().EvacuateByRoutingControl(t.Context(), switchIn(false, 0))
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}

func TestNew_ThePlansEndpointWinsOverTheConfiguredOne(t *testing.T) {
	t.Parallel()
	c := cloud.Using(aws.Config{BaseEndpoint: aws.String("http://127.0.0.1:4566")}, cloud.Options{Caller: "test"})
	client, ok := New(c).Clients(plan.ClusterEndpoint{Region: "eu-west-1", URL: "https://plan.example/v1"}).(*sdk.Client)
	require.True(t, ok)
	require.Equal(t, "https://plan.example/v1", aws.ToString(client.Options().BaseEndpoint))
	require.Equal(t, "eu-west-1", client.Options().Region)
}
