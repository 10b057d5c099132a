package dlm

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dlm"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of policies.
type ReadyAPI interface {
	GetLifecyclePolicies(context.Context, *sdk.GetLifecyclePoliciesInput, ...func(*sdk.Options)) (*sdk.GetLifecyclePoliciesOutput, error)
	GetLifecyclePolicy(context.Context, *sdk.GetLifecyclePolicyInput, ...func(*sdk.Options)) (*sdk.GetLifecyclePolicyOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// LifecycleRef is the policy that takes volumes with a tag.
type LifecycleRef struct {
	Region   plan.Region `json:"region"`
	TagKey   string      `json:"tag_key"`
	TagValue string      `json:"tag_value"`
}

// Lifecycle is a policy as it was read.
type Lifecycle struct {
	ID    string    `json:"id"`
	State string    `json:"state"` // ENABLED, DISABLED or ERROR
	Why   string    `json:"why,omitempty"`
	Made  time.Time `json:"made"`
}

// DescribeLifecycle reads the policy that snapshots volumes with a tag.
func (r *Ready) DescribeLifecycle(ctx context.Context, in LifecycleRef) (Lifecycle, error) {
	at := cloud.At{Region: in.Region}
	list, err := cloud.Call(ctx, at, r.Clients(at.Region).GetLifecyclePolicies, &sdk.GetLifecyclePoliciesInput{TargetTags: []string{in.TagKey + "=" + in.TagValue}})
	if err != nil {
		return Lifecycle{}, fmt.Errorf("list lifecycle policies in %s: %w", in.Region, err)
	}
	if len(list.Policies) == 0 {
		return Lifecycle{}, cloud.Errorf(cloud.NotFound, "no lifecycle policy in %s takes volumes tagged %s=%s", in.Region, in.TagKey, in.TagValue)
	}
	id := aws.ToString(list.Policies[0].PolicyId)
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).GetLifecyclePolicy, &sdk.GetLifecyclePolicyInput{PolicyId: aws.String(id)})
	if err != nil {
		return Lifecycle{}, fmt.Errorf("read lifecycle policy %s: %w", id, err)
	}
	p := got.Policy
	return Lifecycle{ID: id, State: string(p.State), Why: aws.ToString(p.StatusMessage), Made: aws.ToTime(p.DateCreated).UTC()}, nil
}
