package cloudformation

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// deploy works out what a stack would become, refuses what costs data, carries it
// out and follows it to its end: a stack that is rolled back looks like one that
// nobody has changed, and would be changed again and again.
func (k keeper) deploy(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState, text string) (string, error) {
	set, err := k.changeSet(ctx, at, item, have, text)
	if err != nil {
		return "", err
	}
	changes, empty, err := k.worked(ctx, at, set)
	if err != nil || empty {
		return "", err
	}
	if lost := costly(changes); len(lost) > 0 {
		return "", cloud.Errorf(cloud.Invalid, "the change would replace or remove what is there: %s; nothing was changed: look at the change set %s, and execute it by hand when that is meant",
			strings.Join(lost, "; "), set.name)
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).ExecuteChangeSet, &sdk.ExecuteChangeSetInput{
		ChangeSetName: aws.String(set.name), StackName: aws.String(item.Name), ClientRequestToken: aws.String(runbook.Token("setup", item.ID(), set.name, "execute")),
	})
	if err != nil {
		return "", fmt.Errorf("execute change set %s: %w", set.name, err)
	}
	return cloud.RequestID(out.ResultMetadata), k.follow(ctx, at, item)
}

// change is a change set and its stack.
type change struct{ name, stack string }

// changeSet gives a change set of what is wanted: one of an earlier try that nobody
// has carried out yet, or else a new one. One that has failed keeps its name, and
// what made it fail may be mended, so the next has a number more.
func (k keeper) changeSet(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState, text string) (change, error) {
	stacks, err := k.stacks(ctx, at)
	if err != nil {
		return change{}, err
	}
	now, there := stacks[item.Name]
	base := "lifeline-" + hashOf([]byte(item.Want[body] + item.Want[parameters]))[:12]
	name := base + "-1"
	if there {
		open, tries, err := k.tries(ctx, at, item.Name, base)
		if err != nil || open != "" {
			return change{open, item.Name}, err
		}
		name = base + "-" + strconv.Itoa(tries+1)
	}
	if !have.Found {
		now.Parameters = nil // of a stack that has no resources yet
	}
	values, err := k.inputs(ctx, at, item, now.Parameters, text)
	if err != nil {
		return change{}, err
	}
	in := &sdk.CreateChangeSetInput{
		StackName: aws.String(item.Name), ChangeSetName: aws.String(name), ChangeSetType: types.ChangeSetTypeCreate, TemplateBody: aws.String(text),
		Parameters: values, Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}, RoleARN: aws.String(item.Want[role]),
		Description: aws.String("Lifeline's setup"), ClientToken: aws.String(runbook.Token("setup", item.ID(), name)), Tags: tags(item),
	}
	if have.Found {
		// Tags are left out, so that the stack keeps those it has.
		in.ChangeSetType, in.Tags = types.ChangeSetTypeUpdate, nil
	}
	_, err = cloud.Call(ctx, at, k.clients(at.Region).CreateChangeSet, in)
	if err != nil {
		return change{}, fmt.Errorf("create change set %s: %w", name, soon(err))
	}
	return change{name, item.Name}, nil
}

// soon tries a role again that CloudFormation can't take on: a new one takes
// seconds to be known everywhere, and AWS has one code for both.
func soon(err error) error {
	if cloud.KindOf(err) == cloud.Invalid && strings.Contains(err.Error(), "is invalid or cannot be assumed") {
		return cloud.Errorf(cloud.NotYet, "%w", err)
	}
	return err
}

// tries counts the change sets of what is wanted, and finds one that is still to
// be carried out.
func (k keeper) tries(ctx context.Context, at cloud.At, stack, base string) (open string, count int, err error) {
	in := &sdk.ListChangeSetsInput{StackName: aws.String(stack)}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).ListChangeSets, in)
		if err != nil {
			return "", 0, fmt.Errorf("list change sets: %w", err)
		}
		for _, s := range out.Summaries {
			name := aws.ToString(s.ChangeSetName)
			if !strings.HasPrefix(name, base+"-") {
				continue
			}
			if n, err := strconv.Atoi(strings.TrimPrefix(name, base+"-")); err == nil {
				count = max(count, n)
			}
			if s.ExecutionStatus == types.ExecutionStatusAvailable || s.Status == types.ChangeSetStatusCreateInProgress || s.Status == types.ChangeSetStatusCreatePending {
				open = name
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return open, count, nil
		}
	}
}

// worked waits until a change set is worked out. Empty says that it changes
// nothing, which AWS calls a failure.
func (k keeper) worked(ctx context.Context, at cloud.At, set change) (changes []types.ResourceChange, empty bool, err error) {
	var last *sdk.DescribeChangeSetOutput
	err = cloud.Poll(ctx, k.pause, func(ctx context.Context) (bool, string, error) {
		out, err := k.describe(ctx, at, set, nil)
		if err != nil {
			return false, "", err
		}
		last = out
		return out.Status == types.ChangeSetStatusCreateComplete || out.Status == types.ChangeSetStatusFailed, string(out.Status), nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("change set %s: %w", set.name, err)
	}
	if last.Status == types.ChangeSetStatusFailed {
		why := aws.ToString(last.StatusReason)
		if strings.Contains(why, "didn't contain changes") || strings.Contains(why, "No updates are to be performed") {
			return nil, true, nil // AWS has no code for it
		}
		return nil, false, cloud.Errorf(cloud.Invalid, "change set %s: %s", set.name, why)
	}
	for {
		for _, c := range last.Changes {
			if c.ResourceChange != nil {
				changes = append(changes, *c.ResourceChange)
			}
		}
		if last.NextToken == nil {
			return changes, false, nil
		}
		if last, err = k.describe(ctx, at, set, last.NextToken); err != nil {
			return nil, false, err
		}
	}
}

func (k keeper) describe(ctx context.Context, at cloud.At, set change, token *string) (*sdk.DescribeChangeSetOutput, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeChangeSet, &sdk.DescribeChangeSetInput{
		ChangeSetName: aws.String(set.name), StackName: aws.String(set.stack), NextToken: token,
	})
	if err != nil {
		return nil, fmt.Errorf("describe change set %s: %w", set.name, err)
	}
	return out, nil
}

// costly are the changes that take something away: what is removed, what is made
// anew, and of what holds data also what may be. The Region may be serving.
func costly(changes []types.ResourceChange) []string {
	var out []string
	for _, c := range changes {
		kind := aws.ToString(c.ResourceType)
		maybe := c.Replacement == types.ReplacementConditional && stateful(kind)
		switch {
		case c.Action == types.ChangeActionRemove && c.PolicyAction != types.PolicyActionRetain:
			out = append(out, fmt.Sprintf("%s (%s) is removed", aws.ToString(c.LogicalResourceId), kind))
		case c.Action == types.ChangeActionModify && (c.Replacement == types.ReplacementTrue || maybe):
			out = append(out, fmt.Sprintf("%s (%s) is replaced because of %s", aws.ToString(c.LogicalResourceId), kind, causes(c)))
		}
	}
	return out
}

// stateful are the types whose loss costs data, keys included: what they have
// encrypted goes with them.
func stateful(kind string) bool {
	switch kind {
	case "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::EC2::Volume", "AWS::EFS::FileSystem", "AWS::SQS::Queue", "AWS::Backup::BackupVault",
		"AWS::Logs::LogGroup", "AWS::SecretsManager::Secret":
		return true
	}
	return slices.ContainsFunc([]string{"AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::RDS::GlobalCluster", "AWS::DynamoDB::", "AWS::ElastiCache::", "AWS::OpenSearchService::"},
		func(p string) bool { return kind == p || strings.HasSuffix(p, "::") && strings.HasPrefix(kind, p) })
}

func causes(c types.ResourceChange) string {
	var out []string
	for _, d := range c.Details {
		if d.Target != nil && aws.ToString(d.Target.Name) != "" {
			out = append(out, aws.ToString(d.Target.Name))
		}
	}
	if len(out) == 0 {
		return "its properties"
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// follow waits until AWS is done with a stack, and fails when it was undone.
func (k keeper) follow(ctx context.Context, at cloud.At, item runbook.Item) error {
	var now types.StackStatus
	err := cloud.Poll(ctx, k.pause, func(ctx context.Context) (bool, string, error) {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeStacks, &sdk.DescribeStacksInput{StackName: aws.String(item.Name)})
		if err != nil || len(out.Stacks) == 0 {
			return false, "", err
		}
		now = out.Stacks[0].StackStatus
		return !working(now), string(now), nil
	})
	if err != nil {
		return fmt.Errorf("wait for it: %w", err)
	}
	if now == types.StackStatusCreateComplete || now == types.StackStatusUpdateComplete {
		return nil
	}
	if word(now) == complete {
		return cloud.Errorf(cloud.Invalid, "it is %s: the change was undone, and the stack is as before; %s", now, k.reason(ctx, at, item.Name))
	}
	return k.stuck(ctx, at, item, string(now))
}
