package cloudformation

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	DescribeStacks(context.Context, *sdk.DescribeStacksInput, ...func(*sdk.Options)) (*sdk.DescribeStacksOutput, error)
	GetTemplate(context.Context, *sdk.GetTemplateInput, ...func(*sdk.Options)) (*sdk.GetTemplateOutput, error)
	GetTemplateSummary(context.Context, *sdk.GetTemplateSummaryInput, ...func(*sdk.Options)) (*sdk.GetTemplateSummaryOutput, error)
	ListChangeSets(context.Context, *sdk.ListChangeSetsInput, ...func(*sdk.Options)) (*sdk.ListChangeSetsOutput, error)
	CreateChangeSet(context.Context, *sdk.CreateChangeSetInput, ...func(*sdk.Options)) (*sdk.CreateChangeSetOutput, error)
	DescribeChangeSet(context.Context, *sdk.DescribeChangeSetInput, ...func(*sdk.Options)) (*sdk.DescribeChangeSetOutput, error)
	ExecuteChangeSet(context.Context, *sdk.ExecuteChangeSetInput, ...func(*sdk.Options)) (*sdk.ExecuteChangeSetOutput, error)
	UpdateTerminationProtection(context.Context, *sdk.UpdateTerminationProtectionInput, ...func(*sdk.Options)) (*sdk.UpdateTerminationProtectionOutput, error)
	DescribeStackEvents(context.Context, *sdk.DescribeStackEventsInput, ...func(*sdk.Options)) (*sdk.DescribeStackEventsOutput, error)
	DetectStackDrift(context.Context, *sdk.DetectStackDriftInput, ...func(*sdk.Options)) (*sdk.DetectStackDriftOutput, error)
	DescribeStackDriftDetectionStatus(context.Context, *sdk.DescribeStackDriftDetectionStatusInput, ...func(*sdk.Options)) (*sdk.DescribeStackDriftDetectionStatusOutput, error)
}

// keeper keeps stacks.
type keeper struct {
	clients func(plan.Region) SetupAPI
	pause   time.Duration // between two looks
	patient time.Duration // how long a look for drift may take
}

// looking is how long AWS is given to compare a stack with what lives: a minute or
// two for a large one. What takes longer is told at the next run.
const looking = 5 * time.Minute

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keeper{
		clients: cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }),
		pause:   cloud.DefaultInterval, patient: looking,
	}.keepers()
}

func (k keeper) keepers() []keep.Keeper {
	return []keep.Keeper{
		{Type: "cfn-stack", Read: k.readStacks, Write: k.writeStack},
		{Type: "cfn-drift", Read: keep.Each(k.readDrift)},
	}
}
