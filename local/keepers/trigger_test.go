package keepers_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkcloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	sdklambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	sdksns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/activities/cloudwatch"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/lambda"
	"lifeline/activities/sns"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	simsns "lifeline/local/aws/sns"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

const (
	function   = "patient-records-trigger"
	functionID = "lambda-function/us-west-2/" + function
	hearsID    = "sns-subscription/us-west-2/" + alarmTopic + "/lambda/" + function
)

// packaged builds the trigger as "make trigger" does and gives the package's path.
// Change makes another program of it.
func packaged(t *testing.T, change string) string {
	t.Helper()
	dir := t.TempDir()
	program, archive := filepath.Join(dir, "bootstrap"), filepath.Join(dir, "trigger.zip")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "lambda.norpc", "-buildvcs=false", "-ldflags", "-s -w -buildid="+change, "-o", program, "./trigger")
	build.Dir = filepath.Join("..", "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	pack := exec.CommandContext(t.Context(), "go", "run", "./pack", archive, program)
	pack.Dir = filepath.Join("..", "..", "tools")
	pack.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err = pack.CombinedOutput()
	require.NoError(t, err, string(out))
	return archive
}

// triggered are the items of a plan's trigger with what they need, and one alarm.
func triggered(t *testing.T, archive string) []runbook.Item {
	t.Helper()
	p := complete(t, "patient-records.yaml")
	p.Resources, p.Traffic, p.Lease = nil, plan.Traffic{}, nil
	p.Backup.Select = plan.BackupSelect{Types: []string{"EBS"}}
	p.Trigger.Package = archive
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	return slices.DeleteFunc(of(all, runbook.AreaAccess, runbook.AreaMonitoring, runbook.AreaTrigger), func(i runbook.Item) bool {
		return i.Type == "event-rule" || i.Type == "backup-vault-notifications"
	})
}

func triggerSite(t *testing.T) *site {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the simulated Lambda runs Linux programs")
	}
	return bare(t, 200, iam.Keepers, kms.Keepers, sns.Keepers, cloudwatch.Keepers, lambda.Keepers)
}

func (s *site) functions() *sdklambda.Client { return sdklambda.NewFromConfig(s.in(west)) }

// silent is the page of an estate whose backups were never made.
const silent = "lifeline-patient-records-page-silence"

func TestTrigger_DeployedForReal_HearsAnAlarmOfItsRegion(t *testing.T) {
	t.Parallel()
	s := triggerSite(t)
	items := triggered(t, packaged(t, ""))
	first := s.setup().converge(items, true)
	first.good(t)
	require.Equal(t, runbook.Created, first[functionID].Verdict)
	require.Equal(t, "confirmed", first[hearsID].Out["state"])

	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())

	// No backup was ever made here, which is a page of its own: it ends, and comes again.
	for _, state := range []cloudwatchtypes.StateValue{cloudwatchtypes.StateValueOk, cloudwatchtypes.StateValueAlarm} {
		_, err := sdkcloudwatch.NewFromConfig(s.in(west)).SetAlarmState(t.Context(), &sdkcloudwatch.SetAlarmStateInput{
			AlarmName: aws.String(silent), StateValue: state, StateReason: aws.String("a test"),
		})
		require.NoError(t, err)
	}
	took := func(what string) bool {
		return slices.ContainsFunc(s.SNS.Messages(topicOf(west)), func(m simsns.Message) bool { return strings.Contains(m.Text, what) && len(m.Delivered) == 1 })
	}
	require.Eventually(t, func() bool { return took(`"NewStateValue":"ALARM"`) }, patience, 10*time.Millisecond, "the alarm, its page, the topic and the function, all under the customer's key")

	// What else goes over the topic is not the function's.
	_, err := sdksns.NewFromConfig(s.in(west)).Publish(t.Context(), &sdksns.PublishInput{TopicArn: aws.String(topicOf(west)), Message: aws.String(`{"source":"aws.backup"}`)})
	require.NoError(t, err)

	out, err := s.functions().Invoke(t.Context(), &sdklambda.InvokeInput{FunctionName: aws.String(function), LogType: lambdatypes.LogTypeTail, Payload: []byte(
		`{"source":"aws.cloudwatch","alarmArn":"arn:aws:cloudwatch:us-west-2:` + account + `:alarm:` + silent + `","alarmData":{"alarmName":"` + silent + `","state":{"value":"ALARM"}}}`)})
	require.NoError(t, err)
	require.Nil(t, out.FunctionError, string(out.Payload))
	var answer map[string]string
	require.NoError(t, json.Unmarshal(out.Payload, &answer))
	require.Equal(t, map[string]string{"application": "patient-records", "alarm": silent, "state": "ALARM", "region": "us-west-2", "decision": "recorded"}, answer)

	out, err = s.functions().Invoke(t.Context(), &sdklambda.InvokeInput{FunctionName: aws.String(function), Payload: []byte(`{"source":"aws.backup"}`)})
	require.NoError(t, err)
	require.NotNil(t, out.FunctionError, "it refuses what is no alarm's")
	require.False(t, took(`"aws.backup"`))
}

func TestTrigger_OtherPackage_IsDeployedAgain(t *testing.T) {
	t.Parallel()
	s := triggerSite(t)
	s.setup().converge(triggered(t, packaged(t, "")), true).good(t)
	other := triggered(t, packaged(t, "other"))
	preview := s.setup().survey(other, true)
	require.Equal(t, runbook.ToChange, preview[functionID].Verdict)
	_, err := s.functions().UpdateFunctionConfiguration(t.Context(), &sdklambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String(function), Timeout: aws.Int32(3), Environment: &lambdatypes.Environment{Variables: map[string]string{"LIFELINE_APPLICATION": "other", "THEIRS": "1"}},
	})
	require.NoError(t, err)
	run := s.setup()
	got := run.converge(other, true)
	got.good(t)
	require.Equal(t, []string{"lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"}, run.changed())
	f, err := s.functions().GetFunctionConfiguration(t.Context(), &sdklambda.GetFunctionConfigurationInput{FunctionName: aws.String(function)})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"LIFELINE_APPLICATION": "patient-records", "THEIRS": "1"}, f.Environment.Variables, "others' variables stay")
	require.Equal(t, int32(10), *f.Timeout)
}

func TestTrigger_NoPackage_IsRefusedWithTheCommandThatMakesIt(t *testing.T) {
	t.Parallel()
	s := triggerSite(t)
	for _, verdicts := range []results{
		s.setup().survey(triggered(t, filepath.Join(t.TempDir(), "trigger.zip")), true),
		s.setup().converge(triggered(t, filepath.Join(t.TempDir(), "trigger.zip")), true),
	} {
		if r := verdicts[functionID]; r.Verdict != runbook.Blocked {
			require.Equal(t, runbook.Unkept, r.Verdict)
			require.Contains(t, r.Why, "make trigger")
		}
	}
	_, err := s.functions().GetFunctionConfiguration(t.Context(), &sdklambda.GetFunctionConfigurationInput{FunctionName: aws.String(function)})
	require.ErrorContains(t, err, "ResourceNotFound")
}

func TestTrigger_LostAnswersAndThrottling_MakeOneFunctionAndOnePermission(t *testing.T) {
	t.Parallel()
	s := triggerSite(t)
	items := triggered(t, packaged(t, ""))
	run := s.setup()
	for _, operation := range []string{"CreateFunction", "AddPermission", "Subscribe"} {
		run.suffer(world.Fault{Kind: world.LoseAnswer, Operation: operation, Times: 1})
	}
	run.suffer(world.Fault{Kind: world.Throttle, Service: "lambda", Probability: 0.3})
	run.converge(items, true).good(t)
	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
	policy, err := s.functions().GetPolicy(t.Context(), &sdklambda.GetPolicyInput{FunctionName: aws.String(function)})
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(*policy.Policy, "sns.amazonaws.com"), *policy.Policy)
}
