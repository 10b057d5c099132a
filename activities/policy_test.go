package activities

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	awsautoscaling "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	awsdynamodb "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	awsec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	awselb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	awsrds "github.com/aws/aws-sdk-go-v2/service/rds"
	awsarc "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	awsquotas "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/stretchr/testify/require"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/observe"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/internal/cloud"
)

const policyFile = "../deploy/policies/worker.json"

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

// steps is every activity struct.
func steps() []reflect.Type {
	return []reflect.Type{
		reflect.TypeFor[*arc.Steps](), reflect.TypeFor[*autoscaling.Steps](), reflect.TypeFor[*cloudwatch.Steps](),
		reflect.TypeFor[*dynamodb.Steps](), reflect.TypeFor[*ec2.Steps](), reflect.TypeFor[*elb.Steps](),
		reflect.TypeFor[*observe.Steps](), reflect.TypeFor[*rds.Steps](), reflect.TypeFor[*route53.Steps](),
		reflect.TypeFor[*s3.Steps](), reflect.TypeFor[*servicequotas.Steps](), reflect.TypeFor[*sns.Steps](),
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

// actions are the permissions that the operations need.
func actions() []string {
	// Without ListBucket S3 says "access denied" of an object that is not there.
	// Copying a snapshot with its tags needs the right to tag.
	list := []string{"s3:ListBucket", "rds:AddTagsToResource"}
	for api, service := range calls() {
		for i := range api.NumMethod() {
			list = append(list, cloud.Permission(service, api.Method(i).Name))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func TestPolicy_GrantsExactlyWhatStepsCall(t *testing.T) {
	t.Parallel()
	want, err := json.MarshalIndent(policy{
		Version: "2012-10-17",
		Statement: []statement{{
			Sid: "LifelineSteps", Effect: "Allow", Action: actions(),
			// Narrowed to the plan's resources where the account is shared.
			Resource: "*",
		}},
	}, "", "  ")
	require.NoError(t, err)
	want = append(want, '\n')
	if flag.Lookup("update").Value.String() == "true" {
		require.NoError(t, os.MkdirAll(filepath.Dir(policyFile), 0o750))
		require.NoError(t, os.WriteFile(policyFile, want, 0o600))
	}
	got, err := os.ReadFile(policyFile)
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
