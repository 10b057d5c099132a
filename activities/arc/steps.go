package arc

import (
	"context"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// API is every operation of this package: its part of the IAM policy.
type API interface {
	GetRoutingControlState(context.Context, *sdk.GetRoutingControlStateInput, ...func(*sdk.Options)) (*sdk.GetRoutingControlStateOutput, error)
	UpdateRoutingControlStates(context.Context, *sdk.UpdateRoutingControlStatesInput, ...func(*sdk.Options)) (*sdk.UpdateRoutingControlStatesOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	// Clients makes the client of one cluster endpoint.
	Clients func(plan.ClusterEndpoint) API
	// Shuffle puts n endpoints into the order in which they are tried.
	Shuffle func(n int, swap func(i, j int))
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{
		Clients: func(e plan.ClusterEndpoint) API {
			return sdk.NewFromConfig(c.Config(e.Region), func(o *sdk.Options) {
				// The plan's address wins over one from the AWS variables, which
				// would send the calls for all five endpoints to the same place.
				o.BaseEndpoint = aws.String(e.URL)
			})
		},
		Shuffle: rand.Shuffle,
	}
}
