package iam_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	stsapi "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/iam"
	"lifeline/local/aws/sts"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	trustBackup = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	mayRead     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::records/a b+c"}]}`
	ofAWS       = "arn:aws:iam::aws:policy/"
)

// account is an IAM with its STS behind a server.
type account struct {
	*sdk.Client // signs for us-west-2, as a client configured for it does
	world       *world.World
	iam         *iam.IAM
	sts         func(region, key string) *stsapi.Client
}

func newAccount(t *testing.T) account {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	i := iam.New(w)
	server := httptest.NewServer(wire.NewServer(w, i.Wire(), sts.New(w, sts.Options{Roles: i}).Wire()))
	t.Cleanup(server.Close)
	as := func(key string) aws.CredentialsProvider {
		return credentials.NewStaticCredentialsProvider(key, "secret", "")
	}
	return account{
		Client: sdk.New(sdk.Options{Region: "us-west-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: as("AKIATEST")}),
		world:  w, iam: i,
		sts: func(region, key string) *stsapi.Client {
			return stsapi.New(stsapi.Options{Region: region, BaseEndpoint: &server.URL, RetryMaxAttempts: 1, Credentials: as(key)})
		},
	}
}

// role makes a role and gives its ARN.
func (a account) role(t *testing.T, name, trust string) string {
	t.Helper()
	out, err := a.CreateRole(t.Context(), &sdk.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	require.NoError(t, err)
	return *out.Role.Arn
}

func requireCode(t *testing.T, want string, err error) {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, want, refused.ErrorCode(), refused.ErrorMessage())
}

func TestContract_Role_FromCreationToDeletion(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	name := aws.String("Restore")
	made, err := a.CreateRole(t.Context(), &sdk.CreateRoleInput{
		RoleName: name, Path: aws.String("/ops/dr/"), AssumeRolePolicyDocument: aws.String(trustBackup), Description: aws.String("restores"),
		MaxSessionDuration: aws.Int32(7200), Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}},
	})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::123456789012:role/ops/dr/Restore", *made.Role.Arn)
	require.Regexp(t, `^AROA[A-Z0-9]{17}$`, *made.Role.RoleId)

	got, err := a.GetRole(t.Context(), &sdk.GetRoleInput{RoleName: name})
	require.NoError(t, err)
	require.NotContains(t, *got.Role.AssumeRolePolicyDocument, "{", "documents are URL-encoded in answers")
	plain, err := url.PathUnescape(*got.Role.AssumeRolePolicyDocument)
	require.NoError(t, err)
	require.JSONEq(t, trustBackup, plain)
	require.Equal(t, int32(7200), *got.Role.MaxSessionDuration)
	require.Len(t, got.Role.Tags, 1)
	require.WithinDuration(t, time.Now(), *got.Role.CreateDate, time.Minute)

	_, err = a.UpdateRole(t.Context(), &sdk.UpdateRoleInput{RoleName: name, Description: aws.String("restores all"), MaxSessionDuration: aws.Int32(3600)})
	require.NoError(t, err)
	_, err = a.UpdateAssumeRolePolicy(t.Context(), &sdk.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: aws.String(strings.Replace(trustBackup, "backup", "drs", 1))})
	require.NoError(t, err)
	require.False(t, a.iam.Trusts(*made.Role.Arn, "backup.amazonaws.com"))
	require.True(t, a.iam.Trusts(*made.Role.Arn, "drs.amazonaws.com"))

	listed, err := a.ListRoles(t.Context(), &sdk.ListRolesInput{PathPrefix: aws.String("/ops/")})
	require.NoError(t, err)
	require.Len(t, listed.Roles, 1)
	require.Equal(t, "restores all", *listed.Roles[0].Description)
	none, err := a.ListRoles(t.Context(), &sdk.ListRolesInput{PathPrefix: aws.String("/else/")})
	require.NoError(t, err)
	require.Empty(t, none.Roles)

	_, err = a.DeleteRole(t.Context(), &sdk.DeleteRoleInput{RoleName: name})
	require.NoError(t, err)
	_, err = a.GetRole(t.Context(), &sdk.GetRoleInput{RoleName: name})
	requireCode(t, "NoSuchEntity", err)
	require.False(t, a.iam.RoleExists(*made.Role.Arn))
}

func TestContract_RoleTags(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.role(t, "r", trustBackup)
	name := aws.String("r")
	tag := func(key, value string) error {
		_, err := a.TagRole(t.Context(), &sdk.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: &key, Value: &value}}})
		return err
	}
	require.NoError(t, tag("app", "old"))
	require.NoError(t, tag("App", "new"), "another case makes no other key")
	require.NoError(t, tag("x", ""))
	_, err := a.UntagRole(t.Context(), &sdk.UntagRoleInput{RoleName: name, TagKeys: []string{"x", "nowhere"}})
	require.NoError(t, err)
	tags, err := a.ListRoleTags(t.Context(), &sdk.ListRoleTagsInput{RoleName: name})
	require.NoError(t, err)
	require.Len(t, tags.Tags, 1)
	require.Equal(t, "App=new", *tags.Tags[0].Key+"="+*tags.Tags[0].Value)

	requireCode(t, "InvalidInput", tag("aws:mine", "x"))
	for n := range 49 {
		require.NoError(t, tag(fmt.Sprint("k", n), "v"))
	}
	requireCode(t, "LimitExceeded", tag("one more", "v"))
}

func TestContract_Lists_ComeInPages(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for n := range 5 {
		a.role(t, fmt.Sprint("r", n), trustBackup)
	}
	var names []string
	for p := sdk.NewListRolesPaginator(a, &sdk.ListRolesInput{MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Roles), 2)
		for _, r := range page.Roles {
			names = append(names, *r.RoleName)
		}
	}
	require.Equal(t, []string{"r0", "r1", "r2", "r3", "r4"}, names)
	_, err := a.ListRoles(t.Context(), &sdk.ListRolesInput{Marker: aws.String("made-up")})
	requireCode(t, "ValidationError", err)
}

func TestContract_InlinePolicies(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.role(t, "r", trustBackup)
	role, name := aws.String("r"), aws.String("read")
	put := func(name, document string) error {
		_, err := a.PutRolePolicy(t.Context(), &sdk.PutRolePolicyInput{RoleName: role, PolicyName: &name, PolicyDocument: &document})
		return err
	}
	require.NoError(t, put("read", mayRead))
	got, err := a.GetRolePolicy(t.Context(), &sdk.GetRolePolicyInput{RoleName: role, PolicyName: name})
	require.NoError(t, err)
	plain, err := url.PathUnescape(*got.PolicyDocument)
	require.NoError(t, err)
	require.JSONEq(t, mayRead, plain, "blanks and plus signs survive")
	list, err := a.ListRolePolicies(t.Context(), &sdk.ListRolePoliciesInput{RoleName: role})
	require.NoError(t, err)
	require.Equal(t, []string{"read"}, list.PolicyNames)

	requireCode(t, "MalformedPolicyDocument", put("bad", trustBackup))
	requireCode(t, "MalformedPolicyDocument", put("bad", `{"Version":"2012-10-17","Statement":[`))
	requireCode(t, "LimitExceeded", put("big", strings.Replace(mayRead, "records", strings.Repeat("r", 10_241), 1)))
	_, err = a.DeleteRole(t.Context(), &sdk.DeleteRoleInput{RoleName: role})
	requireCode(t, "DeleteConflict", err)

	_, err = a.DeleteRolePolicy(t.Context(), &sdk.DeleteRolePolicyInput{RoleName: role, PolicyName: name})
	require.NoError(t, err)
	_, err = a.DeleteRolePolicy(t.Context(), &sdk.DeleteRolePolicyInput{RoleName: role, PolicyName: name})
	requireCode(t, "NoSuchEntity", err)
	_, err = a.GetRolePolicy(t.Context(), &sdk.GetRolePolicyInput{RoleName: role, PolicyName: name})
	requireCode(t, "NoSuchEntity", err)
}

func TestContract_ManagedPolicy_VersionsAndAttachments(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.role(t, "r", trustBackup)
	made, err := a.CreatePolicy(t.Context(), &sdk.CreatePolicyInput{PolicyName: aws.String("Read"), Path: aws.String("/dr/"), PolicyDocument: aws.String(mayRead), Description: aws.String("reads")})
	require.NoError(t, err)
	arn := made.Policy.Arn
	require.Equal(t, "arn:aws:iam::123456789012:policy/dr/Read", *arn)
	_, err = a.CreatePolicy(t.Context(), &sdk.CreatePolicyInput{PolicyName: aws.String("Read"), PolicyDocument: aws.String(mayRead)})
	requireCode(t, "EntityAlreadyExists", err)

	version := func(document string, inForce bool) error {
		_, err := a.CreatePolicyVersion(t.Context(), &sdk.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &document, SetAsDefault: inForce})
		return err
	}
	require.NoError(t, version(strings.Replace(mayRead, "Get", "Put", 1), true))
	for range 3 {
		require.NoError(t, version(mayRead, false))
	}
	requireCode(t, "LimitExceeded", version(mayRead, false))
	requireCode(t, "MalformedPolicyDocument", version("{}", false))
	requireCode(t, "LimitExceeded", version(strings.Replace(mayRead, "records", strings.Repeat("r", 6145), 1), false))

	got, err := a.GetPolicy(t.Context(), &sdk.GetPolicyInput{PolicyArn: arn})
	require.NoError(t, err)
	require.Equal(t, "v2", *got.Policy.DefaultVersionId)
	require.Equal(t, "reads", *got.Policy.Description)
	second, err := a.GetPolicyVersion(t.Context(), &sdk.GetPolicyVersionInput{PolicyArn: arn, VersionId: aws.String("v2")})
	require.NoError(t, err)
	require.Contains(t, *second.PolicyVersion.Document, "PutObject")
	require.True(t, second.PolicyVersion.IsDefaultVersion)

	attach := func() error {
		_, err := a.AttachRolePolicy(t.Context(), &sdk.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn})
		return err
	}
	require.NoError(t, attach())
	require.NoError(t, attach(), "again is no error")
	got, err = a.GetPolicy(t.Context(), &sdk.GetPolicyInput{PolicyArn: arn})
	require.NoError(t, err)
	require.Equal(t, int32(1), *got.Policy.AttachmentCount)
	_, err = a.DeletePolicy(t.Context(), &sdk.DeletePolicyInput{PolicyArn: arn})
	requireCode(t, "DeleteConflict", err)
	_, err = a.DeleteRole(t.Context(), &sdk.DeleteRoleInput{RoleName: aws.String("r")})
	requireCode(t, "DeleteConflict", err)

	detach := func() error {
		_, err := a.DetachRolePolicy(t.Context(), &sdk.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: arn})
		return err
	}
	require.NoError(t, detach())
	requireCode(t, "NoSuchEntity", detach())
	_, err = a.DeletePolicy(t.Context(), &sdk.DeletePolicyInput{PolicyArn: arn})
	requireCode(t, "DeleteConflict", err)
	drop := func(v string) error {
		_, err := a.DeletePolicyVersion(t.Context(), &sdk.DeletePolicyVersionInput{PolicyArn: arn, VersionId: &v})
		return err
	}
	requireCode(t, "DeleteConflict", drop("v2"))
	for _, v := range []string{"v1", "v3", "v4", "v5"} {
		require.NoError(t, drop(v))
	}
	requireCode(t, "NoSuchEntity", drop("v1"))
	require.NoError(t, version(mayRead, false))
	left, err := a.ListPolicyVersions(t.Context(), &sdk.ListPolicyVersionsInput{PolicyArn: arn})
	require.NoError(t, err)
	require.Len(t, left.Versions, 2)
	require.Equal(t, "v6", *left.Versions[1].VersionId, "numbers aren't used again")
	require.NoError(t, drop("v6"))
	_, err = a.DeletePolicy(t.Context(), &sdk.DeletePolicyInput{PolicyArn: arn})
	require.NoError(t, err)
	requireCode(t, "NoSuchEntity", attach())
}

func TestContract_PoliciesOfAWS_ExistAndStay(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.role(t, "r", trustBackup)
	names := []string{
		"service-role/AWSBackupServiceRolePolicyForBackup", "service-role/AWSBackupServiceRolePolicyForRestores",
		"AWSBackupServiceRolePolicyForS3Backup", "AWSBackupServiceRolePolicyForS3Restore", "service-role/AWSDataLifecycleManagerServiceRole",
		"service-role/AWSLambdaBasicExecutionRole", "AmazonSSMManagedInstanceCore", "service-role/AWSElasticDisasterRecoveryRecoveryInstancePolicy",
		"service-role/AWSElasticDisasterRecoveryReplicationServerPolicy", "service-role/AWSElasticDisasterRecoveryConversionServerPolicy",
	}
	for _, name := range names {
		_, err := a.AttachRolePolicy(t.Context(), &sdk.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String(ofAWS + name)})
		require.NoError(t, err, name)
	}
	_, err := a.AttachRolePolicy(t.Context(), &sdk.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String(ofAWS + "AWSBackupFullAccess")})
	requireCode(t, "LimitExceeded", err)
	has, err := a.ListAttachedRolePolicies(t.Context(), &sdk.ListAttachedRolePoliciesInput{RoleName: aws.String("r"), PathPrefix: aws.String("/service-role/")})
	require.NoError(t, err)
	require.Len(t, has.AttachedPolicies, 7)

	read, err := a.GetPolicyVersion(t.Context(), &sdk.GetPolicyVersionInput{PolicyArn: aws.String(ofAWS + names[0]), VersionId: aws.String("v1")})
	require.NoError(t, err)
	require.Contains(t, *read.PolicyVersion.Document, "backup%3ACopyIntoBackupVault")
	_, err = a.DeletePolicy(t.Context(), &sdk.DeletePolicyInput{PolicyArn: aws.String(ofAWS + "AdministratorAccess")})
	requireCode(t, "AccessDenied", err)
	_, err = a.GetPolicy(t.Context(), &sdk.GetPolicyInput{PolicyArn: aws.String(ofAWS + "NoSuchAccess")})
	requireCode(t, "NoSuchEntity", err)

	own, err := a.ListPolicies(t.Context(), &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})
	require.NoError(t, err)
	require.Empty(t, own.Policies)
	used, err := a.ListPolicies(t.Context(), &sdk.ListPoliciesInput{Scope: types.PolicyScopeTypeAws, OnlyAttached: true})
	require.NoError(t, err)
	require.Len(t, used.Policies, len(names))
}

func TestContract_InstanceProfiles(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.role(t, "r", trustBackup)
	a.role(t, "other", trustBackup)
	name := aws.String("web")
	made, err := a.CreateInstanceProfile(t.Context(), &sdk.CreateInstanceProfileInput{InstanceProfileName: name})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::123456789012:instance-profile/web", *made.InstanceProfile.Arn)
	_, err = a.CreateInstanceProfile(t.Context(), &sdk.CreateInstanceProfileInput{InstanceProfileName: name})
	requireCode(t, "EntityAlreadyExists", err)

	add := func(role string) error {
		_, err := a.AddRoleToInstanceProfile(t.Context(), &sdk.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: &role})
		return err
	}
	require.NoError(t, add("r"))
	requireCode(t, "LimitExceeded", add("other"))
	requireCode(t, "NoSuchEntity", add("nobody"))
	got, err := a.GetInstanceProfile(t.Context(), &sdk.GetInstanceProfileInput{InstanceProfileName: name})
	require.NoError(t, err)
	require.Len(t, got.InstanceProfile.Roles, 1)
	of, err := a.ListInstanceProfilesForRole(t.Context(), &sdk.ListInstanceProfilesForRoleInput{RoleName: aws.String("r")})
	require.NoError(t, err)
	require.Len(t, of.InstanceProfiles, 1)

	_, err = a.DeleteRole(t.Context(), &sdk.DeleteRoleInput{RoleName: aws.String("r")})
	requireCode(t, "DeleteConflict", err)
	_, err = a.DeleteInstanceProfile(t.Context(), &sdk.DeleteInstanceProfileInput{InstanceProfileName: name})
	requireCode(t, "DeleteConflict", err)
	remove := func() error {
		_, err := a.RemoveRoleFromInstanceProfile(t.Context(), &sdk.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: aws.String("r")})
		return err
	}
	require.NoError(t, remove())
	requireCode(t, "NoSuchEntity", remove())
	_, err = a.DeleteInstanceProfile(t.Context(), &sdk.DeleteInstanceProfileInput{InstanceProfileName: name})
	require.NoError(t, err)
	left, err := a.ListInstanceProfiles(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, left.InstanceProfiles)
	_, err = a.GetInstanceProfile(t.Context(), &sdk.GetInstanceProfileInput{InstanceProfileName: name})
	requireCode(t, "NoSuchEntity", err)
}

func TestContract_ServiceLinkedRole(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	link := func(service, suffix string) (*sdk.CreateServiceLinkedRoleOutput, error) {
		in := &sdk.CreateServiceLinkedRoleInput{AWSServiceName: &service}
		if suffix != "" {
			in.CustomSuffix = &suffix
		}
		return a.CreateServiceLinkedRole(t.Context(), in)
	}
	made, err := link("drs.amazonaws.com", "")
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::123456789012:role/aws-service-role/drs.amazonaws.com/AWSServiceRoleForElasticDisasterRecovery", *made.Role.Arn)
	require.True(t, a.iam.Trusts(*made.Role.Arn, "drs.amazonaws.com"))
	_, err = link("drs.amazonaws.com", "")
	requireCode(t, "InvalidInput", err)
	require.ErrorContains(t, err, "has been taken in this account")
	_, err = link("nobody.amazonaws.com", "")
	requireCode(t, "InvalidInput", err)
	_, err = link("rds.amazonaws.com", "mine")
	requireCode(t, "InvalidInput", err)
	again, err := link("autoscaling.amazonaws.com", "mine")
	require.NoError(t, err)
	require.Equal(t, "AWSServiceRoleForAutoScaling_mine", *again.Role.RoleName)

	_, err = a.DeleteRole(t.Context(), &sdk.DeleteRoleInput{RoleName: made.Role.RoleName})
	requireCode(t, "UnmodifiableEntity", err)
	_, err = a.PutRolePolicy(t.Context(), &sdk.PutRolePolicyInput{RoleName: made.Role.RoleName, PolicyName: aws.String("p"), PolicyDocument: aws.String(mayRead)})
	requireCode(t, "UnmodifiableEntity", err)
	a.role(t, "r", trustBackup)
	_, err = a.AttachRolePolicy(t.Context(), &sdk.AttachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: aws.String(ofAWS + "aws-service-role/AWSElasticDisasterRecoveryServiceRolePolicy")})
	requireCode(t, "PolicyNotAttachable", err)
}
