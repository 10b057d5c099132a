package events

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// fake is an EventBridge with one rule that somebody made, page by page.
type fake struct {
	put     *sdk.PutRuleInput
	targets *sdk.PutTargetsInput
	failed  []types.PutTargetsResultEntry
}

func (f *fake) ListRules(_ context.Context, in *sdk.ListRulesInput, _ ...func(*sdk.Options)) (*sdk.ListRulesOutput, error) {
	if in.NextToken == nil {
		return &sdk.ListRulesOutput{NextToken: aws.String("more")}, nil
	}
	return &sdk.ListRulesOutput{Rules: []types.Rule{{
		Name: aws.String("lifeline-app-copy-jobs"), Arn: aws.String("arn:rule"), State: types.RuleStateDisabled, Description: aws.String("ours"),
		EventPattern: aws.String(`{ "source": ["aws.backup"] }`), RoleArn: aws.String("arn:role"),
	}}}, nil
}

func (f *fake) PutRule(_ context.Context, in *sdk.PutRuleInput, _ ...func(*sdk.Options)) (*sdk.PutRuleOutput, error) {
	f.put = in
	return &sdk.PutRuleOutput{}, nil
}

func (f *fake) ListTargetsByRule(_ context.Context, in *sdk.ListTargetsByRuleInput, _ ...func(*sdk.Options)) (*sdk.ListTargetsByRuleOutput, error) {
	if in.NextToken == nil {
		return &sdk.ListTargetsByRuleOutput{Targets: []types.Target{{Id: aws.String("theirs"), Arn: aws.String("arn:other")}}, NextToken: aws.String("more")}, nil
	}
	return &sdk.ListTargetsByRuleOutput{Targets: []types.Target{{Id: aws.String("x"), Arn: aws.String("arn:topic")}}}, nil
}

func (f *fake) PutTargets(_ context.Context, in *sdk.PutTargetsInput, _ ...func(*sdk.Options)) (*sdk.PutTargetsOutput, error) {
	f.targets = in
	return &sdk.PutTargetsOutput{FailedEntries: f.failed}, nil
}

func rules(f *fake) keeper { return keeper{func(plan.Region) SetupAPI { return f }} }

func rule(name string) runbook.Item {
	return runbook.Item{Type: "event-rule", Region: "us-west-2", Name: name, Want: map[string]string{
		pattern: `{"source":["aws.backup"]}`, state: "ENABLED", target: "arn:topic", tag + "lifeline:application": "app",
	}}
}

func TestRule_OfSomebody_KeepsWhatTheItemDoesNotName(t *testing.T) {
	t.Parallel()
	f := &fake{}
	items := []runbook.Item{rule("lifeline-app-copy-jobs"), rule("lifeline-app-backup-jobs")}
	states, err := rules(f).read(t.Context(), keep.At("us-west-2"), items)
	require.NoError(t, err)
	require.False(t, states[1].Found)
	require.Equal(t, []runbook.Property{{Name: state, Have: "DISABLED", Want: "ENABLED"}}, items[0].Difference(states[0]), "spaces are no difference, and a target of any id is one")
	_, err = rules(f).write(t.Context(), keep.At("us-west-2"), items[0], states[0])
	require.NoError(t, err)
	require.Equal(t, "ours", *f.put.Description)
	require.Equal(t, "arn:role", *f.put.RoleArn)
	require.Nil(t, f.put.Tags)
	require.Nil(t, f.targets, "the target is there")
}

// The answer of PutTargets is 200 when a target was refused.
func TestRule_TargetRefusedInAGoodAnswer_IsNoSuccess(t *testing.T) {
	t.Parallel()
	f := &fake{failed: []types.PutTargetsResultEntry{{ErrorCode: aws.String("ConcurrentModificationException"), ErrorMessage: aws.String("try again")}}}
	_, err := rules(f).write(t.Context(), keep.At("us-west-2"), rule("lifeline-app-x"), runbook.ItemState{})
	require.ErrorContains(t, err, "ConcurrentModificationException: try again")
	require.Equal(t, cloud.Unknown, cloud.KindOf(err), "it is tried again")
	require.Len(t, f.put.Tags, 1)
}
