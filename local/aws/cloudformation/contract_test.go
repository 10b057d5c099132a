package cloudformation_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/cloudformation"
	simrds "lifeline/local/aws/rds"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const west = "us-west-2"

// scene is CloudFormation with RDS's parameter groups and nothing else.
type scene struct {
	world  *world.World
	stacks *api.Client
	rds    *rds.Client
}

func stage(t *testing.T) scene {
	t.Helper()
	w := world.New(world.Options{Compression: 2000})
	t.Cleanup(w.Close)
	databases := simrds.New(w, simrds.Options{}).Wire()
	server := httptest.NewServer(wire.NewServer(w, databases, cloudformation.New(w, cloudformation.Options{Services: []*wire.Service{databases}}).Wire()))
	t.Cleanup(server.Close)
	config := aws.Config{
		Region: west, BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
	return scene{world: w, stacks: api.NewFromConfig(config), rds: rds.NewFromConfig(config)}
}

// groupTemplate is a template with parameter groups of these names and settings.
func groupTemplate(settings map[string]string) string {
	out := "Parameters:\n  Slow: {Type: Number, Default: 500, MinValue: 100}\nResources:\n"
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out += fmt.Sprintf("  %s:\n    Type: AWS::RDS::DBParameterGroup\n    Properties:\n      Description: of %s\n      Family: postgres16\n      Parameters: {%s}\n", name, name, settings[name])
	}
	return out
}

func (s scene) create(t *testing.T, name, body string) string {
	t.Helper()
	out, err := s.stacks.CreateStack(t.Context(), &api.CreateStackInput{StackName: &name, TemplateBody: &body})
	require.NoError(t, err)
	return *out.StackId
}

func (s scene) await(t *testing.T, name string) types.Stack {
	t.Helper()
	var found types.Stack
	require.Eventually(t, func() bool {
		out, err := s.stacks.DescribeStacks(t.Context(), &api.DescribeStacksInput{StackName: &name})
		require.NoError(t, err)
		found = out.Stacks[0]
		return !strings.HasSuffix(string(found.StackStatus), "_IN_PROGRESS")
	}, time.Minute, time.Millisecond)
	return found
}

func (s scene) groups(t *testing.T) []string {
	t.Helper()
	out, err := s.rds.DescribeDBParameterGroups(t.Context(), nil)
	require.NoError(t, err)
	var names []string
	for _, g := range out.DBParameterGroups {
		names = append(names, *g.Description)
	}
	slices.Sort(names)
	return names
}

// events are the states of the stack and its resources, oldest first.
func (s scene) events(t *testing.T, name string) []string {
	t.Helper()
	out, err := s.stacks.DescribeStackEvents(t.Context(), &api.DescribeStackEventsInput{StackName: &name})
	require.NoError(t, err)
	var lines []string
	for _, e := range slices.Backward(out.StackEvents) {
		lines = append(lines, *e.LogicalResourceId+" "+string(e.ResourceStatus))
	}
	return lines
}

func TestContract_AStackFromItsCreationToItsEnd(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	body := groupTemplate(map[string]string{"A": "log_min_duration_statement: !Ref Slow"})

	id := s.create(t, "groups", body)
	require.True(t, strings.HasPrefix(id, "arn:aws:cloudformation:us-west-2:123456789012:stack/groups/"), id)
	require.NoError(t, api.NewStackCreateCompleteWaiter(s.stacks, func(o *api.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 5*time.Millisecond
	}).
		Wait(ctx, &api.DescribeStacksInput{StackName: aws.String("groups")}, time.Minute))
	require.Equal(t, []string{"groups CREATE_IN_PROGRESS", "A CREATE_IN_PROGRESS", "A CREATE_IN_PROGRESS", "A CREATE_COMPLETE", "groups CREATE_COMPLETE"}, s.events(t, "groups"))
	require.Equal(t, []string{"of A"}, s.groups(t))
	got, err := s.stacks.GetTemplate(ctx, &api.GetTemplateInput{StackName: aws.String("groups")})
	require.NoError(t, err)
	require.Equal(t, body, *got.TemplateBody)

	_, err = s.stacks.UpdateStack(ctx, &api.UpdateStackInput{StackName: aws.String("groups"), UsePreviousTemplate: aws.Bool(true)})
	requireCode(t, "ValidationError", err)
	require.ErrorContains(t, err, "No updates are to be performed.")
	_, err = s.stacks.UpdateStack(ctx, &api.UpdateStackInput{
		StackName: aws.String("groups"), TemplateBody: aws.String(groupTemplate(map[string]string{"B": "log_statement: ddl"})),
	})
	require.NoError(t, err)
	require.Equal(t, types.StackStatusUpdateComplete, s.await(t, "groups").StackStatus)
	require.Equal(t, []string{"of B"}, s.groups(t))

	_, err = s.stacks.UpdateTerminationProtection(ctx, &api.UpdateTerminationProtectionInput{StackName: aws.String("groups"), EnableTerminationProtection: aws.Bool(true)})
	require.NoError(t, err)
	_, err = s.stacks.DeleteStack(ctx, &api.DeleteStackInput{StackName: aws.String("groups")})
	require.ErrorContains(t, err, "Stack [groups] cannot be deleted while TerminationProtection is enabled")
	_, err = s.stacks.UpdateTerminationProtection(ctx, &api.UpdateTerminationProtectionInput{StackName: aws.String("groups"), EnableTerminationProtection: aws.Bool(false)})
	require.NoError(t, err)
	_, err = s.stacks.DeleteStack(ctx, &api.DeleteStackInput{StackName: aws.String("groups")})
	require.NoError(t, err)
	require.Equal(t, types.StackStatusDeleteComplete, s.await(t, id).StackStatus, "by id a stack is found after its end")
	require.Empty(t, s.groups(t))
	_, err = s.stacks.DescribeStacks(ctx, &api.DescribeStacksInput{StackName: aws.String("groups")})
	requireCode(t, "ValidationError", err)
	require.ErrorContains(t, err, "Stack with id groups does not exist")
	listed, err := s.stacks.ListStacks(ctx, &api.ListStacksInput{StackStatusFilter: []types.StackStatus{types.StackStatusDeleteComplete}})
	require.NoError(t, err)
	require.Len(t, listed.StackSummaries, 1)
}

func TestContract_Refusals(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	s.create(t, "there", groupTemplate(map[string]string{"A": "log_statement: ddl"}))
	s.await(t, "there")
	for name, c := range map[string]struct{ name, body, code, message string }{
		"exists":       {"there", groupTemplate(map[string]string{"A": ""}), "AlreadyExistsException", "Stack [there] already exists"},
		"name":         {"9lives", groupTemplate(map[string]string{"A": ""}), "ValidationError", "failed to satisfy constraint"},
		"type":         {"x", "Resources: {A: {Type: AWS::No::Such}}", "ValidationError", "Unrecognized resource types: [AWS::No::Such]"},
		"yaml":         {"x", "Resources: [", "ValidationError", "YAML not well-formed"},
		"empty":        {"x", "Description: nothing", "ValidationError", "At least one Resources member must be defined"},
		"reference":    {"x", "Resources: {A: {Type: AWS::RDS::DBParameterGroup, Properties: {Family: !Ref Nobody}}}", "ValidationError", "Unresolved resource dependencies [Nobody]"},
		"capabilities": {"x", "Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: r}}}", "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]"},
		"required":     {"x", "Parameters: {P: {Type: String}}\nResources: {A: {Type: AWS::RDS::DBParameterGroup}}", "ValidationError", "Parameters: [P] must have values"},
		"size":         {"x", strings.Repeat("#", 51_201), "ValidationError", "length less than or equal to 51200"},
	} {
		_, err := s.stacks.CreateStack(ctx, &api.CreateStackInput{StackName: aws.String(c.name), TemplateBody: aws.String(c.body)})
		requireCode(t, c.code, err)
		require.ErrorContains(t, err, c.message, name)
	}
	_, err := s.stacks.CreateStack(ctx, &api.CreateStackInput{
		StackName: aws.String("x"), TemplateBody: aws.String(groupTemplate(map[string]string{"A": ""})), Parameters: parameters(map[string]string{"Slow": "5"}),
	})
	require.ErrorContains(t, err, "Parameter 'Slow' must be a number not less than 100")
	_, err = s.stacks.CreateStack(ctx, &api.CreateStackInput{
		StackName: aws.String("x"), TemplateBody: aws.String(groupTemplate(map[string]string{"A": ""})), Parameters: parameters(map[string]string{"Other": "5"}),
	})
	require.ErrorContains(t, err, "Parameters: [Other] do not exist in the template")
	_, err = s.stacks.DescribeChangeSet(ctx, &api.DescribeChangeSetInput{StackName: aws.String("there"), ChangeSetName: aws.String("none")})
	requireCode(t, "ChangeSetNotFound", err)
	_, err = s.stacks.DetectStackDrift(ctx, &api.DetectStackDriftInput{StackName: aws.String("nobody")})
	requireCode(t, "ValidationError", err)
}

func TestCreate_WhatFailsIsRolledBackWithItsReason(t *testing.T) {
	t.Parallel()
	s := stage(t)

	id := s.create(t, "bad", groupTemplate(map[string]string{"Good": "log_statement: ddl", "Zbad": "no_such_parameter: 1"}))

	stack := s.await(t, "bad")
	require.Equal(t, types.StackStatusRollbackComplete, stack.StackStatus)
	require.Empty(t, s.groups(t), "also what was half made is gone")
	events := s.events(t, "bad")
	require.Contains(t, events, "Zbad CREATE_FAILED")
	require.Contains(t, events, "bad ROLLBACK_IN_PROGRESS")
	out, err := s.stacks.DescribeStackEvents(t.Context(), &api.DescribeStackEventsInput{StackName: &id})
	require.NoError(t, err)
	i := slices.IndexFunc(out.StackEvents, func(e types.StackEvent) bool { return e.ResourceStatus == types.ResourceStatusCreateFailed })
	require.Contains(t, *out.StackEvents[i].ResourceStatusReason, "Could not find parameter with name: no_such_parameter")
	_, err = s.stacks.UpdateStack(t.Context(), &api.UpdateStackInput{StackName: aws.String("bad"), UsePreviousTemplate: aws.Bool(true)})
	require.ErrorContains(t, err, "is in ROLLBACK_COMPLETE state and can not be updated")
}

func TestCreate_DoNothingLeavesWhatWasMade(t *testing.T) {
	t.Parallel()
	s := stage(t)
	body := groupTemplate(map[string]string{"Good": "log_statement: ddl", "Zbad": "no_such_parameter: 1"})
	_, err := s.stacks.CreateStack(t.Context(), &api.CreateStackInput{StackName: aws.String("bad"), TemplateBody: &body, OnFailure: types.OnFailureDoNothing})
	require.NoError(t, err)

	require.Equal(t, types.StackStatusCreateFailed, s.await(t, "bad").StackStatus)
	require.Contains(t, s.groups(t), "of Good")
}

func TestUpdate_WhatFailsGoesBackToWhatWas(t *testing.T) {
	t.Parallel()
	s := stage(t)
	s.create(t, "groups", groupTemplate(map[string]string{"A": "log_statement: ddl"}))
	s.await(t, "groups")

	_, err := s.stacks.UpdateStack(t.Context(), &api.UpdateStackInput{
		StackName: aws.String("groups"), TemplateBody: aws.String(groupTemplate(map[string]string{"A": "log_statement: all", "B": "work_mem: 64", "C": "work_mem: 1"})),
	})
	require.NoError(t, err)

	require.Equal(t, types.StackStatusUpdateRollbackComplete, s.await(t, "groups").StackStatus)
	require.Equal(t, []string{"of A"}, s.groups(t))
	require.Equal(t, map[string]string{"log_statement": "ddl"}, s.settings(t, "groups", "A"))
}

// settings are the parameters that a stack's group holds now.
func (s scene) settings(t *testing.T, stack, logical string) map[string]string {
	t.Helper()
	r, err := s.stacks.DescribeStackResource(t.Context(), &api.DescribeStackResourceInput{StackName: &stack, LogicalResourceId: &logical})
	require.NoError(t, err)
	out, err := s.rds.DescribeDBParameters(t.Context(), &rds.DescribeDBParametersInput{
		DBParameterGroupName: r.StackResourceDetail.PhysicalResourceId, Source: aws.String("user"),
	})
	require.NoError(t, err)
	found := map[string]string{}
	for _, p := range out.Parameters {
		found[*p.ParameterName] = *p.ParameterValue
	}
	return found
}

func TestUpdate_AFixedPropertyMakesAnotherResourceAndRemovesTheOld(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	body := groupTemplate(map[string]string{"A": "log_statement: ddl"})
	s.create(t, "groups", body)
	s.await(t, "groups")
	next := strings.Replace(body, "of A", "of a new A", 1)

	made, err := s.stacks.CreateChangeSet(ctx, &api.CreateChangeSetInput{StackName: aws.String("groups"), ChangeSetName: aws.String("next"), TemplateBody: &next})
	require.NoError(t, err)
	require.NoError(t, api.NewChangeSetCreateCompleteWaiter(s.stacks, func(o *api.ChangeSetCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 5*time.Millisecond
	}).
		Wait(ctx, &api.DescribeChangeSetInput{ChangeSetName: made.Id}, time.Minute))
	set, err := s.stacks.DescribeChangeSet(ctx, &api.DescribeChangeSetInput{ChangeSetName: made.Id})
	require.NoError(t, err)
	require.Len(t, set.Changes, 1)
	change := set.Changes[0].ResourceChange
	require.Equal(t, types.ReplacementTrue, change.Replacement)
	require.Equal(t, types.RequiresRecreationAlways, change.Details[0].Target.RequiresRecreation)
	require.Equal(t, "Description", *change.Details[0].Target.Name)
	_, err = s.stacks.ExecuteChangeSet(ctx, &api.ExecuteChangeSetInput{ChangeSetName: made.Id})
	require.NoError(t, err)

	require.Equal(t, types.StackStatusUpdateComplete, s.await(t, "groups").StackStatus)
	require.Equal(t, []string{"of a new A"}, s.groups(t))
	_, err = s.stacks.ExecuteChangeSet(ctx, &api.ExecuteChangeSetInput{ChangeSetName: made.Id})
	requireCode(t, "InvalidChangeSetStatus", err)
	listed, err := s.stacks.ListChangeSets(ctx, &api.ListChangeSetsInput{StackName: aws.String("groups")})
	require.NoError(t, err)
	require.Empty(t, listed.Summaries)
}

func TestChangeSet_OfANewStackIsReviewedFirst(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	in := &api.CreateChangeSetInput{
		StackName: aws.String("fresh"), ChangeSetName: aws.String("first"), ChangeSetType: types.ChangeSetTypeCreate,
		TemplateBody: aws.String(groupTemplate(map[string]string{"A": "log_statement: ddl"})),
	}
	_, err := s.stacks.CreateChangeSet(ctx, &api.CreateChangeSetInput{StackName: in.StackName, ChangeSetName: in.ChangeSetName, TemplateBody: in.TemplateBody})
	requireCode(t, "ValidationError", err)
	made, err := s.stacks.CreateChangeSet(ctx, in)
	require.NoError(t, err)
	_, err = s.stacks.CreateChangeSet(ctx, in)
	requireCode(t, "AlreadyExistsException", err)

	out, err := s.stacks.DescribeStacks(ctx, &api.DescribeStacksInput{StackName: in.StackName})
	require.NoError(t, err)
	require.Equal(t, types.StackStatusReviewInProgress, out.Stacks[0].StackStatus)
	require.Empty(t, s.groups(t))
	require.Eventually(t, func() bool {
		_, err = s.stacks.DeleteChangeSet(ctx, &api.DeleteChangeSetInput{ChangeSetName: made.Id})
		return err == nil
	}, time.Minute, time.Millisecond)
	_, err = s.stacks.ExecuteChangeSet(ctx, &api.ExecuteChangeSetInput{ChangeSetName: made.Id})
	requireCode(t, "ChangeSetNotFound", err)
	_, err = s.stacks.DeleteStack(ctx, &api.DeleteStackInput{StackName: in.StackName})
	require.NoError(t, err)
	require.Equal(t, types.StackStatusDeleteComplete, s.await(t, *made.StackId).StackStatus)
}

func TestCreate_AServiceThatFailsForAMomentIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := stage(t)
	s.world.Inject(world.Fault{Kind: world.Brownout, Region: west, Service: "rds", Operation: "CreateDBParameterGroup", Times: 2})

	s.create(t, "groups", groupTemplate(map[string]string{"A": "log_statement: ddl"}))

	require.Equal(t, types.StackStatusCreateComplete, s.await(t, "groups").StackStatus)
	tries := 0
	for _, call := range s.world.Calls(time.Time{}) {
		if call.Operation == "CreateDBParameterGroup" {
			tries++
			require.Equal(t, "cloudformation.amazonaws.com", call.Caller)
		}
	}
	require.Equal(t, 3, tries)
}

func TestDelete_WhatIsInUseFailsAndCanBeRetained(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	s.create(t, "groups", "Resources:\n  C:\n    Type: AWS::RDS::DBClusterParameterGroup\n    Properties: {Description: c, Family: aurora-postgresql16, DBClusterParameterGroupName: mine, Parameters: {rds.force_ssl: 1}}\n")
	id := *s.await(t, "groups").StackId
	_, err := s.rds.CreateDBCluster(ctx, &rds.CreateDBClusterInput{
		DBClusterIdentifier: aws.String("c"), Engine: aws.String("aurora-postgresql"), DBClusterParameterGroupName: aws.String("mine"),
		MasterUsername: aws.String("clerk"), MasterUserPassword: aws.String("correct horse"),
	})
	require.NoError(t, err)

	_, err = s.stacks.DeleteStack(ctx, &api.DeleteStackInput{StackName: &id})
	require.NoError(t, err)
	stack := s.await(t, id)
	require.Equal(t, types.StackStatusDeleteFailed, stack.StackStatus)
	require.Contains(t, *stack.StackStatusReason, "failed to delete: [C]")
	_, err = s.stacks.DeleteStack(ctx, &api.DeleteStackInput{StackName: &id, RetainResources: []string{"C"}})
	require.NoError(t, err)
	require.Equal(t, types.StackStatusDeleteComplete, s.await(t, id).StackStatus)
	left, err := s.rds.DescribeDBClusterParameterGroups(ctx, nil)
	require.NoError(t, err)
	require.Len(t, left.DBClusterParameterGroups, 1)
}

func TestValidateTemplate_TellsWhatIsAsked(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	body := "Description: d\nParameters: {P: {Type: String, NoEcho: true, Default: x}}\nResources: {R: {Type: AWS::IAM::Role}}"

	out, err := s.stacks.ValidateTemplate(ctx, &api.ValidateTemplateInput{TemplateBody: &body})
	require.NoError(t, err)
	require.Equal(t, []types.Capability{types.CapabilityCapabilityIam}, out.Capabilities)
	require.True(t, *out.Parameters[0].NoEcho)
	summary, err := s.stacks.GetTemplateSummary(ctx, &api.GetTemplateSummaryInput{TemplateBody: &body})
	require.NoError(t, err)
	require.Equal(t, []string{"AWS::IAM::Role"}, summary.ResourceTypes)
}

func TestExports_HaveOneOwnerAndAreListed(t *testing.T) {
	t.Parallel()
	s, ctx := stage(t), t.Context()
	body := groupTemplate(map[string]string{"A": "log_statement: ddl"}) + "Outputs: {Out: {Value: !Ref A, Export: {Name: the-group}}}"
	s.create(t, "one", body)
	s.await(t, "one")
	s.create(t, "two", body)
	require.Equal(t, types.StackStatusRollbackComplete, s.await(t, "two").StackStatus, "a name is exported once")

	exports, err := s.stacks.ListExports(ctx, nil)
	require.NoError(t, err)
	require.Len(t, exports.Exports, 1)
	_, err = s.stacks.ListImports(ctx, &api.ListImportsInput{ExportName: aws.String("the-group")})
	requireCode(t, "ValidationError", err)
	s.create(t, "three", "Resources:\n  G:\n    Type: AWS::RDS::DBParameterGroup\n    Properties: {Family: postgres16, Description: !ImportValue the-group}\n")
	require.Equal(t, types.StackStatusCreateComplete, s.await(t, "three").StackStatus)
	imports, err := s.stacks.ListImports(ctx, &api.ListImportsInput{ExportName: aws.String("the-group")})
	require.NoError(t, err)
	require.Equal(t, []string{"three"}, imports.Imports)
}

func parameters(given map[string]string) []types.Parameter {
	var out []types.Parameter
	for key, value := range given {
		out = append(out, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)})
	}
	return out
}

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.ErrorCode(), "%v", err)
}
