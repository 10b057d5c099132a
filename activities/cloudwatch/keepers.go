package cloudwatch

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	DescribeAlarms(context.Context, *sdk.DescribeAlarmsInput, ...func(*sdk.Options)) (*sdk.DescribeAlarmsOutput, error)
	PutMetricAlarm(context.Context, *sdk.PutMetricAlarmInput, ...func(*sdk.Options)) (*sdk.PutMetricAlarmOutput, error)
	PutCompositeAlarm(context.Context, *sdk.PutCompositeAlarmInput, ...func(*sdk.Options)) (*sdk.PutCompositeAlarmOutput, error)
}

// keeper keeps alarms.
type keeper struct {
	clients func(plan.Region) SetupAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keepers(cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }))
}

func keepers(clients func(plan.Region) SetupAPI) []keep.Keeper {
	k := keeper{clients}
	return []keep.Keeper{
		{Type: "cloudwatch-alarm", Read: k.readMetricAlarms, Write: k.writeMetricAlarm},
		{Type: "cloudwatch-composite-alarm", Read: k.readComposites, Write: k.writeComposite},
	}
}
