package dynamodb

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// longestRecovery is how many days AWS keeps when nobody says otherwise.
const longestRecovery = 35

func (k kept) readBackups(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeContinuousBackups, &sdk.DescribeContinuousBackupsInput{TableName: aws.String(item.Name)})
	if cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	// The setting is part of the table: there, and on or off.
	state := runbook.ItemState{Found: true, Have: map[string]string{"enabled": "false"}}
	if d := out.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil {
		p := d.PointInTimeRecoveryDescription
		if p.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled {
			days := longestRecovery
			if p.RecoveryPeriodInDays != nil {
				days = int(*p.RecoveryPeriodInDays)
			}
			state.Have["enabled"], state.Have["days"] = "true", strconv.Itoa(days)
		}
	}
	return state, nil
}

func (k kept) writeBackups(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	days, err := strconv.ParseInt(item.Want["days"], 10, 32)
	if err != nil {
		return "", cloud.Errorf(cloud.Invalid, "days of point-in-time recovery of table %q: %w", item.Name, err)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateContinuousBackups, &sdk.UpdateContinuousBackupsInput{
		TableName: aws.String(item.Name),
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: aws.Bool(true), RecoveryPeriodInDays: aws.Int32(int32(days)),
		},
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
