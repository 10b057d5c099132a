package sts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness asks of STS. Only the role's own trust
// policy decides who may take it on.
type ReadyAPI interface {
	AssumeRole(context.Context, *sdk.AssumeRoleInput, ...func(*sdk.Options)) (*sdk.AssumeRoleOutput, error)
}

// Ready are the steps of a proof of readiness.
type Ready struct {
	Clients func(plan.Region) API
	Roles   func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: New(c).Clients, Roles: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// RoleRef is a role of the worker's account, and the Region whose STS is asked.
type RoleRef struct {
	Region  plan.Region   `json:"region"`
	Role    string        `json:"role"` // name
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Assumed is who the worker was for a moment.
type Assumed struct {
	ARN string `json:"arn"`
}

// shortest is the shortest session that AWS gives, in seconds.
const shortest = 900

// VerifyRole takes a role on by a Region's own STS, for as short as AWS allows,
// and throws the credentials away.
func (r *Ready) VerifyRole(ctx context.Context, in RoleRef) (Assumed, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	me, err := cloud.Call(ctx, at, r.Clients(at.Region).GetCallerIdentity, &sdk.GetCallerIdentityInput{})
	if err != nil {
		return Assumed{}, fmt.Errorf("ask %s who is calling: %w", in.Region, err)
	}
	name, err := arn.Parse(aws.ToString(me.Arn))
	if err != nil {
		return Assumed{}, fmt.Errorf("read who is calling: %w", err)
	}
	role := arn.ARN{Partition: name.Partition, Service: "iam", AccountID: aws.ToString(me.Account), Resource: "role/" + strings.TrimPrefix(in.Role, "/")}
	out, err := cloud.Call(ctx, at, r.Roles(at.Region).AssumeRole, &sdk.AssumeRoleInput{
		RoleArn: aws.String(role.String()), RoleSessionName: aws.String("lifeline-readiness"), DurationSeconds: aws.Int32(shortest),
	})
	if err != nil {
		return Assumed{}, fmt.Errorf("take on role %s by the STS of %s: %w", in.Role, in.Region, err)
	}
	return Assumed{ARN: aws.ToString(out.AssumedRoleUser.Arn)}, nil
}
