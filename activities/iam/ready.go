package iam

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of IAM.
type ReadyAPI interface {
	GetInstanceProfile(context.Context, *sdk.GetInstanceProfileInput, ...func(*sdk.Options)) (*sdk.GetInstanceProfileOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// ProfileRef is an instance profile by name or ARN, and the Region where IAM lives.
type ProfileRef struct {
	Region  plan.Region   `json:"region"`
	Profile string        `json:"profile"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Profile is what an instance gets of it.
type Profile struct {
	Roles []string `json:"roles,omitempty"` // one at most
}

// DescribeProfile reads whether an instance profile exists, and its role.
func (r *Ready) DescribeProfile(ctx context.Context, in ProfileRef) (Profile, error) {
	// An ARN ends in the name, after the profile's path.
	name := in.Profile[strings.LastIndex(in.Profile, "/")+1:]
	got, err := cloud.Call(ctx, cloud.At{Region: in.Region, Timeout: in.Timeout}, r.Clients(in.Region).GetInstanceProfile,
		&sdk.GetInstanceProfileInput{InstanceProfileName: aws.String(name)})
	if err != nil {
		return Profile{}, fmt.Errorf("find instance profile %q: %w", name, err)
	}
	var out Profile
	if got.InstanceProfile != nil {
		for _, role := range got.InstanceProfile.Roles {
			out.Roles = append(out.Roles, aws.ToString(role.RoleName))
		}
	}
	return out, nil
}
