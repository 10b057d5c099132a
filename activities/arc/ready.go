package arc

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of a cluster.
type ReadyAPI interface {
	GetRoutingControlState(context.Context, *sdk.GetRoutingControlStateInput, ...func(*sdk.Options)) (*sdk.GetRoutingControlStateOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	// Clients makes the client of one cluster endpoint.
	Clients func(plan.ClusterEndpoint) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	clients := New(c).Clients
	return &Ready{Clients: func(e plan.ClusterEndpoint) ReadyAPI { return clients(e) }}
}

// ControlsRef names the controls of a plan and the endpoints that tell of them.
type ControlsRef struct {
	Endpoints []plan.ClusterEndpoint `json:"endpoints"`
	Controls  map[plan.Region]string `json:"controls"` // ARNs
	Timeout   time.Duration          `json:"timeout,omitempty"`
}

// Controls are the states of routing controls.
type Controls struct {
	// On by Region, as the endpoints that answered tell it: a control that one of
	// them tells off is off.
	On map[string]bool `json:"on"`
	// Answered is how many endpoints did, and Silent are the Regions of the others.
	Answered int      `json:"answered"`
	Silent   []string `json:"silent,omitempty"`
}

// DescribeControls asks every endpoint for every control: a run needs one that
// answers, and which one that will be nobody knows.
func (r *Ready) DescribeControls(ctx context.Context, in ControlsRef) (Controls, error) {
	if len(in.Endpoints) == 0 || len(in.Controls) == 0 {
		return Controls{}, cloud.Errorf(cloud.Invalid, "the plan names no cluster endpoints or no routing controls")
	}
	got, errs := make([]map[string]bool, len(in.Endpoints)), make([]error, len(in.Endpoints))
	var side sync.WaitGroup
	for i, endpoint := range in.Endpoints {
		side.Go(func() { got[i], errs[i] = r.states(ctx, endpoint, in) })
	}
	side.Wait()
	out := Controls{On: map[string]bool{}}
	for i, states := range got {
		if errs[i] != nil {
			out.Silent = append(out.Silent, string(in.Endpoints[i].Region))
			continue
		}
		out.Answered++
		for region, on := range states {
			before, known := out.On[region]
			out.On[region] = on && (before || !known)
		}
	}
	if out.Answered == 0 {
		return Controls{}, cloud.Errorf(cloud.KindOf(errs[0]), "none of %d cluster endpoints answered: %w", len(in.Endpoints), errors.Join(errs...))
	}
	return out, nil
}

// states are all controls as one endpoint tells them.
func (r *Ready) states(ctx context.Context, endpoint plan.ClusterEndpoint, in ControlsRef) (map[string]bool, error) {
	at := cloud.At{Region: endpoint.Region, Timeout: in.Timeout}
	out := map[string]bool{}
	for region, arn := range in.Controls {
		state, err := cloud.Call(ctx, at, r.Clients(endpoint).GetRoutingControlState, &sdk.GetRoutingControlStateInput{RoutingControlArn: aws.String(arn)})
		if err != nil {
			return nil, err
		}
		out[string(region)] = state.RoutingControlState == "On"
	}
	return out, nil
}
