package backup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/service/backup"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a Region's settings, by AWS Backup's name of the type.
const (
	optIn    = "opt-in/"
	advanced = "advanced/"
)

// readSettings reads the settings of the account in a Region: one call.
func (k keeper) readSettings(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeRegionSettings, &sdk.DescribeRegionSettingsInput{})
	if err != nil {
		return nil, fmt.Errorf("read backup settings: %w", err)
	}
	have := map[string]string{}
	for kind, on := range out.ResourceTypeOptInPreference {
		have[optIn+kind] = strconv.FormatBool(on)
	}
	for kind, on := range out.ResourceTypeManagementPreference {
		have[advanced+kind] = strconv.FormatBool(on)
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID(), Found: true, Have: have}
	}
	return states, nil
}

// writeSettings sends the types that differ. AWS keeps what is not sent.
func (k keeper) writeSettings(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	in := &sdk.UpdateRegionSettingsInput{}
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if have.Have[name] == item.Want[name] {
			continue
		}
		if kind, ok := strings.CutPrefix(name, optIn); ok {
			in.ResourceTypeOptInPreference = with(in.ResourceTypeOptInPreference, kind, item.Want[name])
		}
		if kind, ok := strings.CutPrefix(name, advanced); ok {
			in.ResourceTypeManagementPreference = with(in.ResourceTypeManagementPreference, kind, item.Want[name])
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateRegionSettings, in)
	if err != nil {
		return "", fmt.Errorf("backup settings: %w", err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func with(m map[string]bool, kind, word string) map[string]bool {
	if m == nil {
		m = map[string]bool{}
	}
	m[kind] = word == "true"
	return m
}
