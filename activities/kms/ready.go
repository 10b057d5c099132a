package kms

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kms"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of keys.
type ReadyAPI interface {
	DescribeKey(context.Context, *sdk.DescribeKeyInput, ...func(*sdk.Options)) (*sdk.DescribeKeyOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// KeyRef is a key by its alias in one Region.
type KeyRef struct {
	Region  plan.Region   `json:"region"`
	Alias   string        `json:"alias"` // "alias/..."
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Key is a key as it was read.
type Key struct {
	ARN   string `json:"arn"`
	State string `json:"state"` // Enabled, Disabled, PendingDeletion, ...
}

// DescribeKeyState reads whether a key can be used.
func (r *Ready) DescribeKeyState(ctx context.Context, in KeyRef) (Key, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeKey, &sdk.DescribeKeyInput{KeyId: aws.String(in.Alias)})
	if err != nil {
		return Key{}, fmt.Errorf("describe key %s: %w", in.Alias, err)
	}
	return Key{ARN: aws.ToString(out.KeyMetadata.Arn), State: string(out.KeyMetadata.KeyState)}, nil
}
