package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a function.
const (
	code         = "code"
	architecture = "architecture"
	runtime      = "runtime"
	handler      = "handler"
	role         = "role"
	memory       = "memory"
	timeout      = "timeout"
	variable     = "environment/" // by its name
	file         = runbook.AtCreation + "package"
	tag          = runbook.AtCreation + "tag/"
)

// packaged is how code and architecture are wanted: as in the package.
const packaged = "as packaged"

func (k keeper) readFunction(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	p, err := load(item.Want[file])
	if err != nil {
		return runbook.ItemState{}, err
	}
	f, err := cloud.Call(ctx, at, k.clients(at.Region).GetFunctionConfiguration, &sdk.GetFunctionConfigurationInput{FunctionName: aws.String(item.Name)})
	if cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, err
	}
	have := map[string]string{
		code: "sha256 " + aws.ToString(f.CodeSha256), architecture: fmt.Sprint(f.Architectures), runtime: string(f.Runtime), handler: aws.ToString(f.Handler),
		role: aws.ToString(f.Role), memory: strconv.Itoa(int(aws.ToInt32(f.MemorySize))), timeout: strconv.Itoa(int(aws.ToInt32(f.Timeout))),
	}
	if aws.ToString(f.CodeSha256) == p.sum {
		have[code] = packaged
	}
	if slices.Equal(f.Architectures, []types.Architecture{p.architecture}) {
		have[architecture] = packaged
	}
	if f.Environment != nil {
		for name, value := range f.Environment.Variables {
			have[variable+name] = value
		}
	}
	return runbook.ItemState{Found: true, Have: have, Busy: busy(f), Out: map[string]string{"arn": aws.ToString(f.FunctionArn), "state": string(f.State)}}, nil
}

// busy says what Lambda still does: until it is done, it refuses every change.
func busy(f *sdk.GetFunctionConfigurationOutput) string {
	switch {
	case f.State == types.StatePending:
		return string(f.State)
	case f.LastUpdateStatus == types.LastUpdateStatusInProgress:
		return "update " + string(f.LastUpdateStatus)
	}
	return ""
}

// writeFunction makes the function, or changes its code, or its settings. One of
// the two at a time: Lambda takes the second change only after the first.
func (k keeper) writeFunction(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	p, err := load(item.Want[file])
	if err != nil {
		return "", err
	}
	switch {
	case !have.Found:
		return k.create(ctx, at, item, p)
	case have.Have[code] != item.Want[code], have.Have[architecture] != item.Want[architecture]:
		out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateFunctionCode, &sdk.UpdateFunctionCodeInput{
			FunctionName: aws.String(item.Name), ZipFile: p.zip, Architectures: []types.Architecture{p.architecture},
		})
		if err != nil {
			return "", fmt.Errorf("code of function %s: %w", item.Name, err)
		}
		return cloud.RequestID(out.ResultMetadata), nil
	default:
		return k.configure(ctx, at, item, have)
	}
}

func (k keeper) create(ctx context.Context, at cloud.At, item runbook.Item, p pack) (string, error) {
	size, limit, err := numbers(item)
	if err != nil {
		return "", err
	}
	in := &sdk.CreateFunctionInput{
		FunctionName: aws.String(item.Name), Description: aws.String("Kept by Lifeline's setup"), PackageType: types.PackageTypeZip,
		Code: &types.FunctionCode{ZipFile: p.zip}, Architectures: []types.Architecture{p.architecture},
		Runtime: types.Runtime(item.Want[runtime]), Handler: aws.String(item.Want[handler]), Role: aws.String(item.Want[role]),
		MemorySize: size, Timeout: limit, Environment: &types.Environment{Variables: variables(item, runbook.ItemState{})}, Tags: map[string]string{},
	}
	for name, value := range item.Want {
		if key, ok := strings.CutPrefix(name, tag); ok {
			in.Tags[key] = value
		}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateFunction, in)
	if err != nil {
		return "", fmt.Errorf("create function %s: %w", item.Name, soon(err))
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// soon tells a role that Lambda does not know yet from one that it may not take
// on. AWS has one code and one text for both, so it is tried until time is over:
// a new role takes seconds to be known everywhere.
func soon(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) && answer.ErrorCode() == "InvalidParameterValueException" && strings.Contains(answer.ErrorMessage(), "cannot be assumed") {
		return cloud.Errorf(cloud.NotYet, "%w", err)
	}
	return err
}

func (k keeper) configure(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	size, limit, err := numbers(item)
	if err != nil {
		return "", err
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateFunctionConfiguration, &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(item.Name), Runtime: types.Runtime(item.Want[runtime]), Handler: aws.String(item.Want[handler]),
		Role: aws.String(item.Want[role]), MemorySize: size, Timeout: limit, Environment: &types.Environment{Variables: variables(item, have)},
	})
	if err != nil {
		return "", fmt.Errorf("settings of function %s: %w", item.Name, soon(err))
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// variables are those that are there and those that are wanted: Lambda takes them
// as a whole.
func variables(item runbook.Item, have runbook.ItemState) map[string]string {
	out := map[string]string{}
	for _, from := range []map[string]string{have.Have, item.Want} {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			if key, ok := strings.CutPrefix(name, variable); ok {
				out[key] = from[name]
			}
		}
	}
	return out
}

func numbers(item runbook.Item) (size, limit *int32, err error) {
	for _, n := range []struct {
		name string
		to   **int32
	}{{memory, &size}, {timeout, &limit}} {
		v, err := strconv.ParseInt(item.Want[n.name], 10, 32)
		if err != nil {
			return nil, nil, cloud.Errorf(cloud.Invalid, "%s of function %s: %w", n.name, item.Name, err)
		}
		*n.to = aws.Int32(int32(v))
	}
	return size, limit, nil
}
