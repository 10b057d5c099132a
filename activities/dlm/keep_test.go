package dlm

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dlm"
	"github.com/aws/aws-sdk-go-v2/service/dlm/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

const document = `[{"CopyTags":true,"CreateRule":{"Interval":24,"IntervalUnit":"HOURS","Times":["03:00"]},"CrossRegionCopyRules":[{"CmkArn":"arn:key","CopyTags":true,` +
	`"Encrypted":true,"RetainRule":{"Interval":30,"IntervalUnit":"DAYS"},"Target":"us-west-2"}],"Name":"daily","RetainRule":{"Count":7},"TagsToAdd":[{"Key":"a","Value":"b"}]}]`

func TestSchedule_SentAndAnsweredIsTheSameText(t *testing.T) {
	t.Parallel()
	wanted, err := schedulesOf(document)
	require.NoError(t, err)
	sent := wanted[0].input(nil)
	sent.CreateRule.Location = types.LocationValuesCloud // AWS fills it in
	text := documentOf([]types.Schedule{sent})
	require.Len(t, text, len(document)) // to the letter: keepers compare texts
	require.JSONEq(t, document, text)
}

func TestSchedule_WhatLifelineKnowsNothingOfStays(t *testing.T) {
	t.Parallel()
	wanted, err := schedulesOf(document)
	require.NoError(t, err)
	before := []types.Schedule{{Name: aws.String("daily"), FastRestoreRule: &types.FastRestoreRule{Count: aws.Int32(1)}, CrossRegionCopyRules: []types.CrossRegionCopyRule{{Target: aws.String("eu-west-1")}}}}
	sent := wanted[0].input(before)
	require.NotNil(t, sent.FastRestoreRule)
	require.Len(t, sent.CrossRegionCopyRules, 1)
	require.Equal(t, "us-west-2", *sent.CrossRegionCopyRules[0].Target)
}

func TestDescription_IsWhatAWSTakes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "Lifeline snapshots a-b-c", description("a.b/c"))
	require.Len(t, description(strings.Repeat("x", 600)), 500)
}

// twins is a Region in which two policies bear the same name.
type twins struct{ SetupAPI }

func (twins) GetLifecyclePolicies(context.Context, *sdk.GetLifecyclePoliciesInput, ...func(*sdk.Options)) (*sdk.GetLifecyclePoliciesOutput, error) {
	tags := map[string]string{named: "records-0300-7-30"}
	return &sdk.GetLifecyclePoliciesOutput{Policies: []types.LifecyclePolicySummary{{PolicyId: aws.String("policy-1"), Tags: tags}, {PolicyId: aws.String("policy-2"), Tags: tags}}}, nil
}

func TestRead_TwoPoliciesOfOneName_AreRefused(t *testing.T) {
	t.Parallel()
	k := keeper{func(plan.Region) SetupAPI { return twins{} }}
	_, err := k.read(t.Context(), cloud.At{Region: "us-east-1"}, []runbook.Item{{Type: "dlm-policy", Name: "records-0300-7-30", Region: "us-east-1"}})
	require.ErrorContains(t, err, "policy-1, policy-2")
	require.Equal(t, cloud.Invalid, cloud.KindOf(err))
}
