package autoscaling

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"lifeline/internal/cloud"
)

// suspend stops processes; none is no call, because to AWS an empty list means all.
func (g group) suspend(ctx context.Context, processes []string) (requestID string, err error) {
	if len(processes) == 0 {
		return "", nil
	}
	out, err := cloud.Call(ctx, g.at(), g.api.SuspendProcesses,
		&sdk.SuspendProcessesInput{AutoScalingGroupName: aws.String(g.name), ScalingProcesses: processes})
	if err != nil {
		return "", fmt.Errorf("suspend processes of auto scaling group %q: %w", g.name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// resume restarts processes; none is no call, because to AWS an empty list means all.
func (g group) resume(ctx context.Context, processes []string) (requestID string, err error) {
	if len(processes) == 0 {
		return "", nil
	}
	out, err := cloud.Call(ctx, g.at(), g.api.ResumeProcesses,
		&sdk.ResumeProcessesInput{AutoScalingGroupName: aws.String(g.name), ScalingProcesses: processes})
	if err != nil {
		return "", fmt.Errorf("resume processes of auto scaling group %q: %w", g.name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// size is what a group's sizes shall be; nil leaves one alone.
type size struct{ min, max, desired *int32 }

// resize changes the sizes.
func (g group) resize(ctx context.Context, to size) (requestID string, err error) {
	out, err := cloud.Call(ctx, g.at(), g.api.UpdateAutoScalingGroup, &sdk.UpdateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String(g.name), MinSize: to.min, MaxSize: to.max, DesiredCapacity: to.desired,
	})
	if err != nil {
		return "", fmt.Errorf("resize auto scaling group %q: %w", g.name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// remember writes a tag unless it is there: the first memory is the true one, a
// later one would remember a half-done act.
func (g group) remember(ctx context.Context, st state, key, value string) error {
	if _, known := st.tags[key]; known {
		return nil
	}
	tag := g.tag(key)
	tag.Value, tag.PropagateAtLaunch = aws.String(value), aws.Bool(false)
	_, err := cloud.Call(ctx, g.at(), g.api.CreateOrUpdateTags, &sdk.CreateOrUpdateTagsInput{Tags: []types.Tag{tag}})
	if err != nil {
		return fmt.Errorf("tag auto scaling group %q with %s: %w", g.name, key, err)
	}
	return nil
}

// forget deletes a tag.
func (g group) forget(ctx context.Context, key string) error {
	_, err := cloud.Call(ctx, g.at(), g.api.DeleteTags, &sdk.DeleteTagsInput{Tags: []types.Tag{g.tag(key)}})
	if err != nil {
		return fmt.Errorf("delete tag %s of auto scaling group %q: %w", key, g.name, err)
	}
	return nil
}

func (g group) tag(key string) types.Tag {
	return types.Tag{Key: aws.String(key), ResourceId: aws.String(g.name), ResourceType: aws.String("auto-scaling-group")}
}
