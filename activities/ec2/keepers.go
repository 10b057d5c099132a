package ec2

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	DescribeVolumes(context.Context, *sdk.DescribeVolumesInput, ...func(*sdk.Options)) (*sdk.DescribeVolumesOutput, error)
	CreateTags(context.Context, *sdk.CreateTagsInput, ...func(*sdk.Options)) (*sdk.CreateTagsOutput, error)
}

// keeper keeps the tags of volumes, and looks whether volumes are there.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keeper{cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) })}.keepers()
}

func (k keeper) keepers() []keep.Keeper {
	return []keep.Keeper{
		{Type: "ebs-volume", Read: k.readVolumes},
		{Type: "ebs-volume-tags", Read: k.readVolumes, Write: k.tagVolume},
	}
}
