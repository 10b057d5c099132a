package activities

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	awsautoscaling "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	awsbackup "github.com/aws/aws-sdk-go-v2/service/backup"
	awscloudformation "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	awsdlm "github.com/aws/aws-sdk-go-v2/service/dlm"
	awsdrs "github.com/aws/aws-sdk-go-v2/service/drs"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awsec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	awselb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	awsevents "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	awsrds "github.com/aws/aws-sdk-go-v2/service/rds"
	awsroute53 "github.com/aws/aws-sdk-go-v2/service/route53"
	awsarc "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	awscontrol "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awss3control "github.com/aws/aws-sdk-go-v2/service/s3control"
	awsquotas "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/backup"
	"lifeline/activities/cloudformation"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dlm"
	"lifeline/activities/drs"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/events"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/lambda"
	"lifeline/activities/observe"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/s3control"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/activities/sts"
	"lifeline/internal/cloud"
)

const (
	policyFile      = "../deploy/policies/worker.json"
	setupPolicyFile = "../deploy/policies/setup.json"
)

// calls is every interface towards AWS, with the SDK's id of its service.
func calls() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[arc.API]():                   awsarc.ServiceID,
		reflect.TypeFor[autoscaling.API]():           awsautoscaling.ServiceID,
		reflect.TypeFor[cloudwatch.API]():            awscloudwatch.ServiceID,
		reflect.TypeFor[dynamodb.API]():              awsdynamodb.ServiceID,
		reflect.TypeFor[ec2.API]():                   awsec2.ServiceID,
		reflect.TypeFor[elb.API]():                   awselb.ServiceID,
		reflect.TypeFor[rds.API]():                   awsrds.ServiceID,
		reflect.TypeFor[s3.API]():                    awss3.ServiceID,
		reflect.TypeFor[servicequotas.API]():         awsquotas.ServiceID,
		reflect.TypeFor[servicequotas.InstanceAPI](): awsec2.ServiceID,
		reflect.TypeFor[sns.API]():                   awssns.ServiceID,
	}
}

// setupCalls is every interface towards AWS that setup's keepers call, with the
// SDK's id of its service.
func setupCalls() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[arc.API]():                 awsarc.ServiceID, // a new control's first state
		reflect.TypeFor[arc.SetupAPI]():            awscontrol.ServiceID,
		reflect.TypeFor[backup.SetupAPI]():         awsbackup.ServiceID,
		reflect.TypeFor[backup.KeyAPI]():           awskms.ServiceID,
		reflect.TypeFor[cloudformation.SetupAPI](): awscloudformation.ServiceID,
		reflect.TypeFor[cloudwatch.SetupAPI]():     awscloudwatch.ServiceID,
		reflect.TypeFor[dlm.SetupAPI]():            awsdlm.ServiceID,
		reflect.TypeFor[drs.SetupAPI]():            awsdrs.ServiceID,
		reflect.TypeFor[dynamodb.SetupAPI]():       awsdynamodb.ServiceID,
		reflect.TypeFor[dynamodb.SetupKeyAPI]():    awskms.ServiceID,
		reflect.TypeFor[ec2.SetupAPI]():            awsec2.ServiceID,
		reflect.TypeFor[elb.SetupAPI]():            awselb.ServiceID,
		reflect.TypeFor[events.SetupAPI]():         awsevents.ServiceID,
		reflect.TypeFor[iam.SetupAPI]():            awsiam.ServiceID,
		reflect.TypeFor[kms.SetupAPI]():            awskms.ServiceID,
		reflect.TypeFor[lambda.SetupAPI]():         awslambda.ServiceID,
		reflect.TypeFor[rds.SetupAPI]():            awsrds.ServiceID,
		reflect.TypeFor[route53.SetupAPI]():        awsroute53.ServiceID,
		reflect.TypeFor[s3.SetupAPI]():             awss3.ServiceID,
		reflect.TypeFor[s3control.SetupAPI]():      awss3control.ServiceID,
		reflect.TypeFor[sns.SetupAPI]():            awssns.ServiceID,
		reflect.TypeFor[s3control.BucketAPI]():     awss3.ServiceID,
	}
}

// steps is every activity struct.
func steps() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[*arc.Steps](), reflect.TypeFor[*autoscaling.Steps](), reflect.TypeFor[*cloudwatch.Steps](),
		reflect.TypeFor[*dynamodb.Steps](), reflect.TypeFor[*ec2.Steps](), reflect.TypeFor[*elb.Steps](),
		reflect.TypeFor[*observe.Steps](), reflect.TypeFor[*rds.Steps](), reflect.TypeFor[*route53.Steps](),
		reflect.TypeFor[*s3.Steps](), reflect.TypeFor[*servicequotas.Steps](), reflect.TypeFor[*sns.Steps](), reflect.TypeFor[*sts.Steps](),
		reflect.TypeFor[*arc.Ready](), reflect.TypeFor[*autoscaling.Ready](), reflect.TypeFor[*backup.Ready](), reflect.TypeFor[*cloudwatch.Ready](),
		reflect.TypeFor[*dlm.Ready](), reflect.TypeFor[*drs.Ready](), reflect.TypeFor[*dynamodb.Ready](), reflect.TypeFor[*ec2.Ready](), reflect.TypeFor[*elb.Ready](), reflect.TypeFor[*iam.Ready](), reflect.TypeFor[*kms.Ready](),
		reflect.TypeFor[*rds.Ready](), reflect.TypeFor[*route53.Ready](), reflect.TypeFor[*s3.Ready](), reflect.TypeFor[*servicequotas.Ready](), reflect.TypeFor[*sts.Ready](),
	}
}

// TestMain adds -update: it writes the policy that the code needs now.
func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite the policy")
	m.Run()
}

type statement struct {
	Sid      string   `json:"Sid"`
	Effect   string   `json:"Effect"`
	Action   []string `json:"Action"`
	Resource string   `json:"Resource"`
}

type policy struct {
	Version   string      `json:"Version"`
	Statement []statement `json:"Statement"`
}

// actions are the permissions that the steps' operations need.
func actions() []string {
	// Without ListBucket S3 says "access denied" of an object that is not there.
	// Copying a snapshot with its tags needs the right to tag.
	return permissions(calls(), "s3:ListBucket", "rds:AddTagsToResource")
}

// setupActions are those of the keepers' operations, and those that AWS asks for
// beside the action of an operation's name (Service Authorization Reference).
func setupActions() []string {
	all := setupCalls()
	maps.Copy(all, readyCalls())
	return permissions(all, "s3:ListBucket", "rds:AddTagsToResource",
		"iam:PassRole", "iam:TagRole", "kms:TagResource", "s3:PutJobTagging",
		// A vault with a customer key.
		"backup:TagResource", "backup-storage:MountCapsule", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey", "kms:RetireGrant",
		"dlm:TagResource",
		// A replica of a table is made in the caller's name, with all that replication does.
		"dynamodb:CreateTableReplica", "dynamodb:CreateGlobalTableWitness", "dynamodb:TagResource", "dynamodb:Query", "dynamodb:Scan",
		"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", replicaDeletes, "dynamodb:BatchWriteItem",
		"route53-recovery-control-config:TagResource",
		// The first use of Elastic Disaster Recovery.
		"drs:TagResource", "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:CreateServiceLinkedRole", "iam:GetInstanceProfile",
		"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
		"cloudformation:TagResource", "cloudwatch:TagResource", "events:TagResource", "lambda:TagResource", "sns:TagResource",
		// A look for drift reads, in the caller's name, what the stacks have made.
		"cloudformation:BatchDescribeTypeConfigurations", "cloudformation:DetectStackResourceDrift",
		"autoscaling:DescribeAutoScalingGroups", "ec2:DescribeInternetGateways", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeLaunchTemplates",
		"ec2:DescribeRouteTables", "ec2:DescribeVpcAttribute", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs",
		"elasticloadbalancing:DescribeListeners", "elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeTags",
		"elasticloadbalancing:DescribeTargetGroupAttributes", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
		"kms:ListResourceTags", "rds:DescribeDBClusterParameterGroups", "rds:DescribeDBClusterParameters", "rds:DescribeDBParameterGroups",
		"rds:DescribeDBParameters", "rds:DescribeDBSubnetGroups", "rds:ListTagsForResource",
	)
}

func permissions(calls map[reflect.Type]string, more ...string) []string {
	for api, service := range calls {
		for i := range api.NumMethod() {
			more = append(more, cloud.Permission(service, api.Method(i).Name))
		}
	}
	slices.Sort(more)
	return slices.Compact(more)
}

func TestPolicy_GrantsExactlyWhatStepsCall(t *testing.T) {
	t.Parallel()
	requirePolicy(t, policyFile, "LifelineSteps", actions())
}

func TestPolicy_GrantsExactlyWhatSetupCalls(t *testing.T) {
	t.Parallel()
	requirePolicy(t, setupPolicyFile, "LifelineSetup", setupActions())
}

// replicaDeletes is demanded by AWS of whoever adds a replica to a table.
const replicaDeletes = "dynamodb:DeleteItem"

// Setup makes and changes; nothing of it deletes.
func TestPolicy_SetupDeletesNothing(t *testing.T) {
	t.Parallel()
	for _, action := range slices.DeleteFunc(setupActions(), func(a string) bool { return a == replicaDeletes }) {
		require.NotRegexp(t, `:(Delete|Remove|Terminate|Disable|Deregister|Schedule)`, action)
	}
}

func requirePolicy(t *testing.T, file, sid string, actions []string) {
	t.Helper()
	want, err := json.MarshalIndent(policy{
		Version: "2012-10-17",
		Statement: []statement{{
			Sid: sid, Effect: "Allow", Action: actions,
			// Narrowed to the plan's resources where the account is shared.
			Resource: "*",
		}},
	}, "", "  ")
	require.NoError(t, err)
	want = append(want, '\n')
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(t, os.WriteFile(file, want, 0o600))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "run with -update")
}

func TestPolicy_NoGlobalControlPlane(t *testing.T) {
	t.Parallel()
	for _, action := range actions() {
		require.NotRegexp(t, `^(route53|iam|route53-recovery-control-config|globalaccelerator|organizations):`, action)
		require.NotRegexp(t, `^s3:(PutBucket|CreateBucket|DeleteBucket)`, action)
	}
}

func TestSteps_NamesAreUniqueOverAllPackages(t *testing.T) {
	t.Parallel()
	owner := map[string]string{}
	for _, s := range steps() {
		require.Positive(t, s.NumMethod())
		for i := range s.NumMethod() {
			name := s.Method(i).Name
			require.Empty(t, owner[name], "%s is also a step of %s", name, s)
			owner[name] = s.String()
		}
	}
}

func TestSteps_EveryInputNamesItsRegionOrHost(t *testing.T) {
	t.Parallel()
	explicit := []string{"Region", "From", "Endpoints", "Topics", "Traffic"}
	for _, s := range steps() {
		for i := range s.NumMethod() {
			m := s.Method(i)
			in := m.Type.In(m.Type.NumIn() - 1)
			if in == reflect.TypeFor[observe.ObserveInput]() {
				continue // a sampler has its own
			}
			require.Truef(t, slices.ContainsFunc(explicit, func(f string) bool { _, ok := in.FieldByName(f); return ok }),
				"%s.%s: %s says nowhere where it goes", s, m.Name, in)
		}
	}
}
