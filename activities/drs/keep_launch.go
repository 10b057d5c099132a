package drs

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of how a recovery instance is launched, of templates and of servers.
const (
	rightSizing = "right-sizing"
	disposition = "disposition"
	copyTags    = "copy-tags"
)

func launchProperties(method types.TargetInstanceTypeRightSizingMethod, state types.LaunchDisposition, tags *bool) map[string]string {
	return map[string]string{rightSizing: string(method), disposition: string(state), copyTags: strconv.FormatBool(aws.ToBool(tags))}
}

// launch is what is sent: all three, since they belong together.
type launch struct {
	method types.TargetInstanceTypeRightSizingMethod
	state  types.LaunchDisposition
	tags   *bool
}

func launchOf(item runbook.Item) launch {
	return launch{
		method: types.TargetInstanceTypeRightSizingMethod(item.Want[rightSizing]),
		state:  types.LaunchDisposition(item.Want[disposition]), tags: aws.Bool(item.Want[copyTags] == "true"),
	}
}

func (k keeper) readLaunchTemplates(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	var all []types.LaunchConfigurationTemplate
	in := &sdk.DescribeLaunchConfigurationTemplatesInput{}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeLaunchConfigurationTemplates, in)
		if uninitialized(err) {
			return none(items), nil
		}
		if err != nil {
			return nil, fmt.Errorf("describe launch templates: %w", err)
		}
		all = append(all, out.Items...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	states := none(items)
	for i, item := range items {
		t, ok := pick(all, item, func(t types.LaunchConfigurationTemplate) map[string]string { return t.Tags })
		if ok {
			states[i].Found, states[i].Out = true, identity(t.LaunchConfigurationTemplateID, t.Arn)
			states[i].Have = launchProperties(t.TargetInstanceTypeRightSizingMethod, t.LaunchDisposition, t.CopyTags)
			states[i].Have[claimed] = t.Tags[owner]
		}
	}
	return states, nil
}

func (k keeper) writeLaunchTemplate(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	l := launchOf(item)
	if have.Found {
		if err := shared(item, have); err != nil {
			return "", err
		}
		out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateLaunchConfigurationTemplate, &sdk.UpdateLaunchConfigurationTemplateInput{
			LaunchConfigurationTemplateID:       aws.String(have.Out["id"]),
			TargetInstanceTypeRightSizingMethod: l.method, LaunchDisposition: l.state, CopyTags: l.tags,
		})
		if err != nil {
			return "", fmt.Errorf("update launch template %s: %w", have.Out["id"], err)
		}
		return cloud.RequestID(out.ResultMetadata), nil
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateLaunchConfigurationTemplate, &sdk.CreateLaunchConfigurationTemplateInput{
		TargetInstanceTypeRightSizingMethod: l.method, LaunchDisposition: l.state, CopyTags: l.tags, Tags: tags(item),
	})
	if err != nil {
		return "", fmt.Errorf("create launch template: %w", err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k keeper) readLaunch(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetLaunchConfiguration, &sdk.GetLaunchConfigurationInput{SourceServerID: aws.String(item.Name)})
	if uninitialized(err) || cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, fmt.Errorf("read launch settings of %s: %w", item.Name, err)
	}
	return runbook.ItemState{Found: true, Have: launchProperties(out.TargetInstanceTypeRightSizingMethod, out.LaunchDisposition, out.CopyTags)}, nil
}

func (k keeper) writeLaunch(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return "", unregistered(item)
	}
	l := launchOf(item)
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateLaunchConfiguration, &sdk.UpdateLaunchConfigurationInput{
		SourceServerID: aws.String(item.Name), TargetInstanceTypeRightSizingMethod: l.method, LaunchDisposition: l.state, CopyTags: l.tags,
	})
	if err != nil {
		return "", fmt.Errorf("launch settings of %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// unregistered refuses to set what only a registered server has.
func unregistered(item runbook.Item) error {
	return cloud.Errorf(cloud.NotFound, "source server %s is not registered in %s: its replication agent does that", item.Name, item.Region)
}
