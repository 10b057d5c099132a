package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// What people have set to hush an alarm while they work; never wanted, and kept.
const (
	suppressor     = "suppressor"
	suppressorWait = "suppressor-wait"
	suppressorRest = "suppressor-rest"
)

func (k keeper) readComposites(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]types.CompositeAlarm{}
	err := k.describe(ctx, at, items, types.AlarmTypeCompositeAlarm, func(out *sdk.DescribeAlarmsOutput) {
		for _, a := range out.CompositeAlarms {
			found[aws.ToString(a.AlarmName)] = a
		}
	})
	if err != nil {
		return nil, err
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		a, ok := found[item.Name]
		if !ok {
			continue
		}
		states[i].Found, states[i].Have = true, map[string]string{
			"rule": aws.ToString(a.AlarmRule), "description": aws.ToString(a.AlarmDescription), "actions": strconv.FormatBool(aws.ToBool(a.ActionsEnabled)),
		}
		if a.ActionsSuppressor != nil {
			states[i].Have[suppressor] = *a.ActionsSuppressor
			states[i].Have[suppressorWait], states[i].Have[suppressorRest] = number(aws.ToInt32(a.ActionsSuppressorWaitPeriod)), number(aws.ToInt32(a.ActionsSuppressorExtensionPeriod))
		}
		states[i].Out = map[string]string{"arn": aws.ToString(a.AlarmArn), "state": string(a.StateValue)}
		actions{a.AlarmActions, a.OKActions, a.InsufficientDataActions}.into(states[i].Have, item)
	}
	return states, nil
}

func (k keeper) writeComposite(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	in := &sdk.PutCompositeAlarmInput{
		AlarmName: aws.String(item.Name), AlarmDescription: aws.String(item.Want["description"]), AlarmRule: aws.String(item.Want["rule"]),
		ActionsEnabled: aws.Bool(item.Want["actions"] == "true"), AlarmActions: receivers(item, have, types.StateValueAlarm),
		OKActions: receivers(item, have, types.StateValueOk), InsufficientDataActions: receivers(item, have, types.StateValueInsufficientData),
	}
	if !have.Found {
		in.Tags = tags(item)
	}
	if by := have.Have[suppressor]; by != "" {
		wait, errWait := seconds(have.Have[suppressorWait])
		rest, errRest := seconds(have.Have[suppressorRest])
		if err := errors.Join(errWait, errRest); err != nil {
			return "", cloud.Errorf(cloud.Invalid, "suppressor of composite alarm %s: %w", item.Name, err)
		}
		in.ActionsSuppressor, in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod = aws.String(by), wait, rest
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutCompositeAlarm, in)
	if err != nil {
		return "", fmt.Errorf("composite alarm %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func seconds(text string) (*int32, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read %q as seconds: %w", text, err)
	}
	return aws.Int32(int32(n)), nil
}
