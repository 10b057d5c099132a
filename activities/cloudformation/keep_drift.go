package cloudformation

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// inSync is a property of a look for drift: "IN_SYNC", "DRIFTED", or why it is
// not known.
const inSync = "drift"

// readDrift lets AWS compare a stack with what lives. It changes nothing, and it
// waits no longer than a report is worth.
func (k keeper) readDrift(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	found, err := k.stacks(ctx, at)
	if err != nil {
		return runbook.ItemState{}, err
	}
	s, ok := found[item.Name]
	if !ok || s.StackStatus == types.StackStatusReviewInProgress {
		return runbook.ItemState{}, nil
	}
	state := runbook.ItemState{Found: true, Out: map[string]string{}}
	if working(s.StackStatus) || word(s.StackStatus) != complete {
		state.Have = map[string]string{inSync: "not looked at: the stack is " + string(s.StackStatus)}
		return state, nil
	}
	id, err := k.look(ctx, at, item)
	if cloud.KindOf(err) == cloud.Invalid {
		// Somebody looks already, for one: a look is no reason to stop anything.
		state.Have = map[string]string{inSync: "not known: " + err.Error()}
		return state, nil
	}
	if err != nil {
		return state, err
	}
	out, late, err := k.seen(ctx, at, id)
	switch {
	case err != nil:
		return state, err
	case late:
		state.Have = map[string]string{inSync: "not known yet: AWS is still looking"}
		return state, nil
	case out.DetectionStatus == types.StackDriftDetectionStatusDetectionFailed:
		state.Have = map[string]string{inSync: "not known: " + aws.ToString(out.DetectionStatusReason)}
	default:
		state.Have = map[string]string{inSync: string(out.StackDriftStatus)}
	}
	state.Out["drifted"] = strconv.Itoa(int(aws.ToInt32(out.DriftedStackResourceCount)))
	return state, nil
}

func (k keeper) look(ctx context.Context, at cloud.At, item runbook.Item) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DetectStackDrift, &sdk.DetectStackDriftInput{StackName: aws.String(item.Name)})
	if err != nil {
		return "", fmt.Errorf("detect drift of stack %s: %w", item.Name, err)
	}
	return aws.ToString(out.StackDriftDetectionId), nil
}

// seen waits for a look; late says that it takes longer than it may.
func (k keeper) seen(ctx context.Context, at cloud.At, id string) (last *sdk.DescribeStackDriftDetectionStatusOutput, late bool, err error) {
	bounded, cancel := context.WithTimeout(ctx, k.patient)
	defer cancel()
	err = cloud.Poll(bounded, k.pause, func(ctx context.Context) (bool, string, error) {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeStackDriftDetectionStatus, &sdk.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: aws.String(id)})
		if err != nil {
			return false, "", err
		}
		last = out
		return out.DetectionStatus != types.StackDriftDetectionStatusDetectionInProgress, string(out.DetectionStatus), nil
	})
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("look for drift %s: %w", id, err)
	}
	return last, false, nil
}
