package cloudformation

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func TestCostly_NamesWhatHoldsDataAndWhy(t *testing.T) {
	t.Parallel()
	change := func(kind string, action types.ChangeAction, replacement types.Replacement) types.ResourceChange {
		return types.ResourceChange{
			LogicalResourceId: aws.String("It"), ResourceType: aws.String(kind), Action: action, Replacement: replacement,
			Details: []types.ResourceChangeDetail{{Target: &types.ResourceTargetDefinition{Name: aws.String("KmsKeyId")}}, {Target: &types.ResourceTargetDefinition{Name: aws.String("KmsKeyId")}}},
		}
	}
	kept := change("AWS::KMS::Key", types.ChangeActionRemove, "")
	kept.PolicyAction = types.PolicyActionRetain
	for title, c := range map[string]struct {
		change types.ResourceChange
		lost   []string
	}{
		"a database anew":          {change("AWS::RDS::DBCluster", types.ChangeActionModify, types.ReplacementTrue), []string{"It (AWS::RDS::DBCluster) is replaced because of KmsKeyId"}},
		"perhaps a table anew":     {change("AWS::DynamoDB::GlobalTable", types.ChangeActionModify, types.ReplacementConditional), []string{"It (AWS::DynamoDB::GlobalTable) is replaced because of KmsKeyId"}},
		"a bucket gone":            {change("AWS::S3::Bucket", types.ChangeActionRemove, ""), []string{"It (AWS::S3::Bucket) is removed"}},
		"a key that AWS retains":   {kept, nil},
		"a database in place":      {change("AWS::RDS::DBInstance", types.ChangeActionModify, types.ReplacementFalse), nil},
		"a new database":           {change("AWS::RDS::DBInstance", types.ChangeActionAdd, ""), nil},
		"a subnet anew":            {change("AWS::EC2::Subnet", types.ChangeActionModify, types.ReplacementTrue), []string{"It (AWS::EC2::Subnet) is replaced because of KmsKeyId"}},
		"a parameter group anew":   {change("AWS::RDS::DBParameterGroup", types.ChangeActionModify, types.ReplacementTrue), []string{"It (AWS::RDS::DBParameterGroup) is replaced because of KmsKeyId"}},
		"a subnet group that goes": {change("AWS::RDS::DBSubnetGroup", types.ChangeActionRemove, ""), []string{"It (AWS::RDS::DBSubnetGroup) is removed"}},
	} {
		require.Equal(t, c.lost, costly([]types.ResourceChange{c.change}), title)
	}
}

// fake is a CloudFormation with one stack; what it doesn't know ends the test.
type fake struct {
	SetupAPI
	status  types.StackStatus
	looking error
	looks   func() *sdk.DescribeStackDriftDetectionStatusOutput
	sets    []types.ChangeSetSummary
}

func (f *fake) DescribeStacks(context.Context, *sdk.DescribeStacksInput, ...func(*sdk.Options)) (*sdk.DescribeStacksOutput, error) {
	return &sdk.DescribeStacksOutput{Stacks: []types.Stack{{StackName: aws.String("net"), StackStatus: f.status}}}, nil
}

func (f *fake) DetectStackDrift(context.Context, *sdk.DetectStackDriftInput, ...func(*sdk.Options)) (*sdk.DetectStackDriftOutput, error) {
	return &sdk.DetectStackDriftOutput{StackDriftDetectionId: aws.String("d-1")}, f.looking
}

func (f *fake) DescribeStackDriftDetectionStatus(context.Context, *sdk.DescribeStackDriftDetectionStatusInput, ...func(*sdk.Options)) (*sdk.DescribeStackDriftDetectionStatusOutput, error) {
	return f.looks(), nil
}

func (f *fake) ListChangeSets(context.Context, *sdk.ListChangeSetsInput, ...func(*sdk.Options)) (*sdk.ListChangeSetsOutput, error) {
	return &sdk.ListChangeSetsOutput{Summaries: f.sets}, nil
}

func stacks(f *fake) keeper {
	return keeper{clients: func(plan.Region) SetupAPI { return f }, pause: time.Second, patient: time.Minute}
}

func drift(t *testing.T, f *fake) runbook.ItemState {
	t.Helper()
	state, err := stacks(f).readDrift(t.Context(), keep.At("us-west-2"), runbook.Item{Type: "cfn-drift", Name: "net", Region: "us-west-2"})
	require.NoError(t, err)
	return state
}

func TestDrift_LookThatTakesTooLong_IsToldAndNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{status: types.StackStatusCreateComplete, looks: func() *sdk.DescribeStackDriftDetectionStatusOutput {
			return &sdk.DescribeStackDriftDetectionStatusOutput{DetectionStatus: types.StackDriftDetectionStatusDetectionInProgress}
		}}
		start := time.Now()
		require.Equal(t, "not known yet: AWS is still looking", drift(t, f).Have[inSync])
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestDrift_WhatCanNotBeLookedAt_SaysWhy(t *testing.T) {
	t.Parallel()
	f := &fake{status: types.StackStatusUpdateInProgress}
	require.Equal(t, "not looked at: the stack is UPDATE_IN_PROGRESS", drift(t, f).Have[inSync])
	f = &fake{status: types.StackStatusReviewInProgress}
	require.False(t, drift(t, f).Found)
	f = &fake{status: types.StackStatusCreateComplete, looking: &smithy.GenericAPIError{Code: "ValidationError", Message: "Drift detection is already in progress for stack [net]"}}
	require.Contains(t, drift(t, f).Have[inSync], "already in progress")
	f = &fake{status: types.StackStatusCreateComplete, looks: func() *sdk.DescribeStackDriftDetectionStatusOutput {
		return &sdk.DescribeStackDriftDetectionStatusOutput{DetectionStatus: types.StackDriftDetectionStatusDetectionFailed, DetectionStatusReason: aws.String("no right to read Vpc")}
	}}
	require.Equal(t, "not known: no right to read Vpc", drift(t, f).Have[inSync])
}

// A change set that has failed keeps its name for ever; one that waits is taken.
func TestTries_TakesWhatWaitsAndCountsWhatFailed(t *testing.T) {
	t.Parallel()
	set := func(name string, status types.ChangeSetStatus, execution types.ExecutionStatus) types.ChangeSetSummary {
		return types.ChangeSetSummary{ChangeSetName: aws.String(name), Status: status, ExecutionStatus: execution}
	}
	f := &fake{sets: []types.ChangeSetSummary{
		set("lifeline-abc-1", types.ChangeSetStatusFailed, types.ExecutionStatusUnavailable), set("lifeline-abc-2", types.ChangeSetStatusFailed, types.ExecutionStatusUnavailable),
		set("lifeline-xyz-9", types.ChangeSetStatusCreateComplete, types.ExecutionStatusAvailable), set("theirs", types.ChangeSetStatusCreateComplete, types.ExecutionStatusAvailable),
	}}
	open, count, err := stacks(f).tries(t.Context(), keep.At("us-west-2"), "net", "lifeline-abc")
	require.NoError(t, err)
	require.Empty(t, open)
	require.Equal(t, 2, count)
	f.sets = append(f.sets, set("lifeline-abc-3", types.ChangeSetStatusCreateComplete, types.ExecutionStatusAvailable))
	open, _, err = stacks(f).tries(t.Context(), keep.At("us-west-2"), "net", "lifeline-abc")
	require.NoError(t, err)
	require.Equal(t, "lifeline-abc-3", open)
}
