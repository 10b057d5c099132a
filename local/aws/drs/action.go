package drs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
)

// actionsOf finds the actions of a source server or of a launch template, by id.
func (r *region) actionsOf(id *string) (map[string]*sdk.LaunchAction, error) {
	if strings.HasPrefix(aws.StringValue(id), "lct-") {
		t, err := r.launchTemplate(id)
		if err != nil {
			return nil, err
		}
		return t.actions, nil
	}
	s, err := r.server(id)
	if err != nil {
		return nil, err
	}
	return s.actions, nil
}

// ordered are the active actions in the order in which they run.
func (s *server) ordered() []*sdk.LaunchAction {
	all := slices.SortedFunc(maps.Values(s.actions), func(a, b *sdk.LaunchAction) int { return cmp.Compare(*a.Order, *b.Order) })
	return slices.DeleteFunc(all, func(a *sdk.LaunchAction) bool { return !aws.BoolValue(a.Active) })
}

// putLaunchAction adds an action, or changes the one of the same id.
func (d *DRS) putLaunchAction(r *region, in *sdk.PutLaunchActionInput) (*sdk.PutLaunchActionOutput, error) {
	actions, err := r.actionsOf(in.ResourceId)
	if err != nil {
		return nil, err
	}
	for id, a := range actions {
		if id != *in.ActionId && *a.Order == *in.Order {
			return nil, conflict("Action %s has the order %d already.", id, *in.Order)
		}
	}
	a := &sdk.LaunchAction{
		ActionCode: in.ActionCode, ActionId: in.ActionId, ActionVersion: in.ActionVersion, Active: in.Active, Category: in.Category,
		Description: in.Description, Name: in.Name, Optional: in.Optional, Order: in.Order, Parameters: in.Parameters,
		Type: aws.String(sdk.LaunchActionTypeSsmCommand),
	}
	actions[*in.ActionId] = a
	out := &sdk.PutLaunchActionOutput{ResourceId: in.ResourceId}
	awsCopy(out, a)
	return out, nil
}

func (d *DRS) listLaunchActions(r *region, in *sdk.ListLaunchActionsInput) (*sdk.ListLaunchActionsOutput, error) {
	actions, err := r.actionsOf(in.ResourceId)
	if err != nil {
		return nil, err
	}
	var wanted []string
	if in.Filters != nil {
		wanted = aws.StringValueSlice(in.Filters.ActionIds)
	}
	var found []*sdk.LaunchAction
	for id, a := range actions {
		if len(wanted) == 0 || slices.Contains(wanted, id) {
			found = append(found, clone(a))
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, func(a *sdk.LaunchAction) string { return fmt.Sprintf("%05d", *a.Order) })
	return &sdk.ListLaunchActionsOutput{Items: found, NextToken: next}, err
}

func (d *DRS) deleteLaunchAction(r *region, in *sdk.DeleteLaunchActionInput) (*sdk.DeleteLaunchActionOutput, error) {
	actions, err := r.actionsOf(in.ResourceId)
	if err != nil {
		return nil, err
	}
	if _, ok := actions[*in.ActionId]; !ok {
		return nil, notFound("Launch action", *in.ActionId)
	}
	delete(actions, *in.ActionId)
	return nil, nil
}
