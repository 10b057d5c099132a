package iam

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// Properties of a role.
const (
	trust    = "trust"
	attached = "attached"
	inline   = "inline/"                   // by the policy's name
	tag      = runbook.AtCreation + "tag/" // by its key
	path     = runbook.AtCreation + "path" // where a service looks for it; "/" when it is left out
	foreign  = "foreign"                   // trust document of a role that others made; never wanted
)

// owner is the tag by which a role is known to be Lifeline's.
const owner = "lifeline:application"

// read tells all roles of the account a thousand at a time, with their policies:
// four calls for each role would be the other way.
func (k keeper) read(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	wanted := map[string]bool{}
	for _, item := range items {
		wanted[item.Name] = true
	}
	found := map[string]types.RoleDetail{}
	in := &sdk.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeRole}, MaxItems: aws.Int32(1000)}
	for len(found) < len(wanted) {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).GetAccountAuthorizationDetails, in)
		if err != nil {
			return nil, fmt.Errorf("list roles: %w", err)
		}
		for _, r := range out.RoleDetailList {
			if name := aws.ToString(r.RoleName); wanted[name] {
				found[name] = r
			}
		}
		if !out.IsTruncated {
			break
		}
		in.Marker = out.Marker
	}
	states := make([]runbook.ItemState, len(items))
	for i, item := range items {
		states[i] = runbook.ItemState{ID: item.ID()}
		if r, ok := found[item.Name]; ok {
			states[i] = state(item, r)
		}
	}
	return states, nil
}

func state(item runbook.Item, r types.RoleDetail) runbook.ItemState {
	have := map[string]string{
		trust:    trustOf(item.Want[trust], r),
		attached: attachedOf(item.Want[attached], r),
	}
	if !ours(r) {
		have[foreign] = decoded(r.AssumeRolePolicyDocument)
	}
	for name, want := range item.Want {
		if policy, ok := strings.CutPrefix(name, inline); ok {
			have[name] = inlineOf(policy, want, r)
		}
	}
	return runbook.ItemState{
		ID: item.ID(), Found: true, Have: have,
		Out: map[string]string{"arn": aws.ToString(r.Arn), "id": aws.ToString(r.RoleId)},
	}
}

// trustOf compares the whole document of a role of ours, since anybody who is in
// it may act as the role. Of other roles it asks only that ours is among theirs.
func trustOf(want string, r types.RoleDetail) string {
	have := decoded(r.AssumeRolePolicyDocument)
	if !ours(r) && keep.PolicyIncludes(have, want) {
		return want
	}
	return keep.SamePolicy(want, have)
}

func ours(r types.RoleDetail) bool {
	return slices.ContainsFunc(r.Tags, func(t types.Tag) bool { return aws.ToString(t.Key) == owner })
}

// attachedOf are those of the wanted policies that are attached.
func attachedOf(want string, r types.RoleDetail) string {
	var out []string
	for _, arn := range words(want) {
		if slices.ContainsFunc(r.AttachedManagedPolicies, func(p types.AttachedPolicy) bool { return aws.ToString(p.PolicyArn) == arn }) {
			out = append(out, arn)
		}
	}
	return runbook.List(out...)
}

func inlineOf(name, want string, r types.RoleDetail) string {
	for _, p := range r.RolePolicyList {
		if aws.ToString(p.PolicyName) == name {
			return keep.SamePolicy(want, decoded(p.PolicyDocument))
		}
	}
	return ""
}

// decoded is a document as it was sent: IAM answers it percent-encoded.
func decoded(document *string) string {
	text, err := url.PathUnescape(aws.ToString(document))
	if err != nil {
		return aws.ToString(document)
	}
	return text
}

// words takes a list apart.
func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "\n")
}

// write makes the role, or changes what differs of it.
func (k keeper) write(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	request, err := k.ensure(ctx, at, item, have)
	if err != nil {
		return "", fmt.Errorf("role %s: %w", item.Name, err)
	}
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		policy, ok := strings.CutPrefix(name, inline)
		if !ok || have.Have[name] == item.Want[name] {
			continue
		}
		out, err := cloud.Call(ctx, at, k.clients(at.Region).PutRolePolicy, &sdk.PutRolePolicyInput{
			RoleName: aws.String(item.Name), PolicyName: aws.String(policy), PolicyDocument: aws.String(item.Want[name]),
		})
		if err != nil {
			return "", fmt.Errorf("policy %s of role %s: %w", policy, item.Name, err)
		}
		request = cloud.RequestID(out.ResultMetadata)
	}
	return k.attach(ctx, at, item, have, request)
}

// ensure makes the role, or mends who may take it on.
func (k keeper) ensure(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return k.create(ctx, at, item)
	}
	want := item.Want[trust]
	if want == "" || have.Have[trust] == want {
		return "", nil
	}
	if document := have.Have[foreign]; document != "" {
		both, err := keep.PolicyUnion(document, want)
		if err != nil {
			return "", cloud.Errorf(cloud.Invalid, "trust: %w", err)
		}
		want = both
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateAssumeRolePolicy, &sdk.UpdateAssumeRolePolicyInput{
		RoleName: aws.String(item.Name), PolicyDocument: aws.String(want),
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k keeper) create(ctx context.Context, at cloud.At, item runbook.Item) (string, error) {
	in := &sdk.CreateRoleInput{
		RoleName: aws.String(item.Name), AssumeRolePolicyDocument: aws.String(item.Want[trust]),
		Description: aws.String("Kept by Lifeline's setup"),
	}
	if p := item.Want[path]; p != "" {
		in.Path = aws.String(p)
	}
	for _, name := range slices.Sorted(maps.Keys(item.Want)) {
		if key, ok := strings.CutPrefix(name, tag); ok {
			in.Tags = append(in.Tags, types.Tag{Key: aws.String(key), Value: aws.String(item.Want[name])})
		}
	}
	// When it is there by now, the answer is a conflict: it is read before
	// anything of it is changed.
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateRole, in)
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

func (k keeper) attach(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState, request string) (string, error) {
	there := words(have.Have[attached])
	for _, arn := range words(item.Want[attached]) {
		if slices.Contains(there, arn) {
			continue
		}
		out, err := cloud.Call(ctx, at, k.clients(at.Region).AttachRolePolicy, &sdk.AttachRolePolicyInput{RoleName: aws.String(item.Name), PolicyArn: aws.String(arn)})
		if err != nil {
			return "", fmt.Errorf("attach %s to role %s: %w", arn, item.Name, err)
		}
		request = cloud.RequestID(out.ResultMetadata)
	}
	return request, nil
}
