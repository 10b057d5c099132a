package templates_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/deploy/cloudformation"
	"lifeline/local/aws/sim"
)

const west = "us-west-2"

// region is the simulated AWS at a compression at which stacks take seconds.
type region struct {
	sim    *sim.Sim
	config aws.Config
	stacks *api.Client
}

func openRegion(t *testing.T) region {
	t.Helper()
	s, err := sim.Start(t.Context(), sim.Options{API: "127.0.0.1:0", DNS: "127.0.0.1:0", Compression: 500})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	config := aws.Config{
		Region: west, BaseEndpoint: aws.String("http://" + s.API()), RetryMaxAttempts: 5,
		Credentials: credentials.NewStaticCredentialsProvider("AKIASETUP", "secret", ""),
	}
	return region{sim: s, config: config, stacks: api.NewFromConfig(config)}
}

func parameters(given map[string]string) []types.Parameter {
	var out []types.Parameter
	for key, value := range given {
		out = append(out, types.Parameter{ParameterKey: aws.String(key), ParameterValue: aws.String(value)})
	}
	return out
}

// changeSet makes a change set of one of the product's templates and waits for it.
func (r region) changeSet(t *testing.T, stack, file string, kind types.ChangeSetType, given map[string]string) *api.DescribeChangeSetOutput {
	t.Helper()
	body, err := fs.ReadFile(cloudformation.Templates, file)
	require.NoError(t, err)
	made, err := r.stacks.CreateChangeSet(t.Context(), &api.CreateChangeSetInput{
		StackName: &stack, ChangeSetName: aws.String("set-" + strings.ToLower(string(kind))), ChangeSetType: kind, TemplateBody: aws.String(string(body)),
		Parameters: parameters(given), Capabilities: []types.Capability{types.CapabilityCapabilityIam},
		Tags: []types.Tag{{Key: aws.String("lifeline:application"), Value: aws.String("records")}},
	})
	require.NoError(t, err)
	var out *api.DescribeChangeSetOutput
	require.Eventually(t, func() bool {
		out, err = r.stacks.DescribeChangeSet(t.Context(), &api.DescribeChangeSetInput{ChangeSetName: made.Id, IncludePropertyValues: aws.Bool(true)})
		return err == nil && out.Status != types.ChangeSetStatusCreateInProgress
	}, time.Minute, 5*time.Millisecond)
	return out
}

// deploy makes a stack of one of the product's templates.
func (r region) deploy(t *testing.T, stack, file string, given map[string]string) map[string]string {
	t.Helper()
	set := r.changeSet(t, stack, file, types.ChangeSetTypeCreate, given)
	require.Equal(t, types.ChangeSetStatusCreateComplete, set.Status, aws.ToString(set.StatusReason))
	_, err := r.stacks.ExecuteChangeSet(t.Context(), &api.ExecuteChangeSetInput{ChangeSetName: set.ChangeSetId})
	require.NoError(t, err)
	made := r.await(t, stack, types.StackStatusCreateComplete)
	outputs := map[string]string{}
	for _, o := range made.Outputs {
		outputs[*o.OutputKey] = *o.OutputValue
	}
	return outputs
}

// await waits until a stack rests, which it must do in the state that is wanted.
func (r region) await(t *testing.T, stack string, want types.StackStatus) types.Stack {
	t.Helper()
	var found types.Stack
	require.Eventually(t, func() bool {
		out, err := r.stacks.DescribeStacks(t.Context(), &api.DescribeStacksInput{StackName: &stack})
		require.NoError(t, err)
		found = out.Stacks[0]
		return !strings.HasSuffix(string(found.StackStatus), "_IN_PROGRESS")
	}, 2*time.Minute, 5*time.Millisecond)
	require.Equal(t, want, found.StackStatus, "%s", r.story(t, stack))
	return found
}

// story is what went wrong in a stack, for failures.
func (r region) story(t *testing.T, stack string) string {
	t.Helper()
	out, err := r.stacks.DescribeStackEvents(t.Context(), &api.DescribeStackEventsInput{StackName: &stack})
	require.NoError(t, err)
	var lines []string
	for _, e := range out.StackEvents {
		if e.ResourceStatusReason != nil {
			lines = append(lines, *e.LogicalResourceId+" "+string(e.ResourceStatus)+": "+*e.ResourceStatusReason)
		}
	}
	return strings.Join(lines, "\n")
}

// drift looks for drift and gives the resources that were found to have some.
func (r region) drift(t *testing.T, stack string) map[string]types.StackResourceDrift {
	t.Helper()
	begun, err := r.stacks.DetectStackDrift(t.Context(), &api.DetectStackDriftInput{StackName: &stack})
	require.NoError(t, err)
	var status *api.DescribeStackDriftDetectionStatusOutput
	require.Eventually(t, func() bool {
		status, err = r.stacks.DescribeStackDriftDetectionStatus(t.Context(), &api.DescribeStackDriftDetectionStatusInput{StackDriftDetectionId: begun.StackDriftDetectionId})
		return err == nil && status.DetectionStatus != types.StackDriftDetectionStatusDetectionInProgress
	}, time.Minute, 5*time.Millisecond)
	require.Equal(t, types.StackDriftDetectionStatusDetectionComplete, status.DetectionStatus, aws.ToString(status.DetectionStatusReason))
	out, err := r.stacks.DescribeStackResourceDrifts(t.Context(), &api.DescribeStackResourceDriftsInput{
		StackName:                       &stack,
		StackResourceDriftStatusFilters: []types.StackResourceDriftStatus{types.StackResourceDriftStatusModified, types.StackResourceDriftStatusDeleted},
	})
	require.NoError(t, err)
	found := map[string]types.StackResourceDrift{}
	for _, d := range out.StackResourceDrifts {
		found[*d.LogicalResourceId] = d
	}
	require.Equal(t, len(found), int(*status.DriftedStackResourceCount))
	return found
}

func network() map[string]string {
	return map[string]string{"Application": "records", "VpcCidr": "10.65.0.0/16"}
}

func data() map[string]string {
	return map[string]string{"Application": "records", "NetworkStack": "records-network"}
}

func compute() map[string]string {
	return map[string]string{
		"Application": "records", "NetworkStack": "records-network", "DataStack": "records-data", "ImageId": "ami-0123456789abcdef0",
		"MinSize": "1", "MaxSize": "4", "DeletionProtection": "false",
		"UserData": `{"lifeline": {"app": "records"}, "port": 8080}`,
	}
}

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.ErrorCode(), "%v", err)
}
