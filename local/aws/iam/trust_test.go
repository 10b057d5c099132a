package iam_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	stsapi "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func TestContract_CreateRole_Refusals(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	a.role(t, "Taken", trustBackup)
	trusting := func(principal string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}]}`
	}
	for want, in := range map[string]*sdk.CreateRoleInput{
		"EntityAlreadyExists":       {RoleName: aws.String("TAKEN"), AssumeRolePolicyDocument: aws.String(trustBackup)},
		"MalformedPolicyDocument":   {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(mayRead)},
		"MalformedPolicyDocument ":  {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String("sts")},
		"MalformedPolicyDocument  ": {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trusting("arn:aws:iam::123456789012:role/nobody"))},
		"LimitExceeded":             {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(strings.Replace(trustBackup, "2012-10-17\"", "2012-10-17\",\"Id\":\""+strings.Repeat("i", 2048)+"\"", 1))},
		"ValidationError":           {RoleName: aws.String("no blanks"), AssumeRolePolicyDocument: aws.String(trustBackup)},
		"ValidationError ":          {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trustBackup), Path: aws.String("no-slash")},
		"ValidationError  ":         {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trustBackup), MaxSessionDuration: aws.Int32(60)},
		"NoSuchEntity":              {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trustBackup), PermissionsBoundary: aws.String("arn:aws:iam::123456789012:policy/none")},
		"InvalidInput":              {RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String(trustBackup), Path: aws.String("/aws-service-role/x.amazonaws.com/")},
	} {
		_, err := a.CreateRole(t.Context(), in)
		requireCode(t, strings.TrimSpace(want), err)
	}
	require.False(t, a.iam.RoleExists("arn:aws:iam::123456789012:role/r"))
	require.True(t, a.iam.RoleExists("arn:aws:iam::123456789012:role/Taken"))
	require.False(t, a.iam.RoleExists("arn:aws:iam::123456789012:role/path/Taken"), "the path is part of the ARN")
}

func TestTrusts_JudgesTheConditionOnTheAccount(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	conditional := func(account string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["dlm.amazonaws.com","backup.amazonaws.com"]},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"aws:SourceAccount":"` + account + `"},"ArnLike":{"aws:SourceArn":"arn:aws:dlm:*:` + account + `:policy/*"}}}]}`
	}
	mine, foreign := a.role(t, "mine", conditional("123456789012")), a.role(t, "foreign", conditional("999999999999"))

	require.True(t, a.iam.Trusts(mine, "dlm.amazonaws.com"))
	require.True(t, a.iam.Trusts(mine, "backup.amazonaws.com"))
	require.False(t, a.iam.Trusts(mine, "drs.amazonaws.com"))
	require.False(t, a.iam.Trusts(foreign, "dlm.amazonaws.com"))
	require.False(t, a.iam.Trusts("arn:aws:iam::123456789012:role/nobody", "dlm.amazonaws.com"))
}

func assume(t *testing.T, c *stsapi.Client, role string, change ...func(*stsapi.AssumeRoleInput)) (*stsapi.AssumeRoleOutput, error) {
	t.Helper()
	in := &stsapi.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("drill")}
	for _, fn := range change {
		fn(in)
	}
	return c.AssumeRole(t.Context(), in)
}

func TestAssumeRole_AsksTheTrustPolicy(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	open := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`
	ops := a.role(t, "ops", open)
	chained := a.role(t, "chained", strings.Replace(open, "arn:aws:iam::123456789012:root", ops, 1))
	guarded := a.role(t, "guarded", strings.Replace(open, `"Action"`, `"Condition":{"StringEquals":{"sts:ExternalId":"x-1"}},"Action"`, 1))
	service := a.role(t, "service", trustBackup)
	me := a.sts("us-west-2", "AKIATEST")

	for _, arn := range []string{service, chained, guarded, ops + "-nobody"} {
		_, err := assume(t, me, arn)
		requireCode(t, "AccessDenied", err)
	}
	_, err := assume(t, me, guarded, func(in *stsapi.AssumeRoleInput) { in.ExternalId = aws.String("x-1") })
	require.NoError(t, err)
	_, err = assume(t, me, ops, func(in *stsapi.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) })
	requireCode(t, "ValidationError", err)

	session, err := assume(t, me, ops)
	require.NoError(t, err)
	role, err := a.GetRole(t.Context(), &sdk.GetRoleInput{RoleName: aws.String("ops")})
	require.NoError(t, err)
	require.Equal(t, *role.Role.RoleId+":drill", *session.AssumedRoleUser.AssumedRoleId)

	_, err = a.UpdateRole(t.Context(), &sdk.UpdateRoleInput{RoleName: aws.String("chained"), MaxSessionDuration: aws.Int32(43200)})
	require.NoError(t, err)
	next := a.sts("us-west-2", *session.Credentials.AccessKeyId)
	_, err = assume(t, next, chained, func(in *stsapi.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) })
	requireCode(t, "ValidationError", err)
	_, err = assume(t, next, chained)
	require.NoError(t, err, "a role may take the role that names it")
}

// IAM dies with us-east-1; taking a role that exists goes on in every other Region.
func TestBlackout_OfIAMsHome_LeavesExistingRolesUsable(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	ops := a.role(t, "ops", strings.Replace(trustBackup, `"Service":"backup.amazonaws.com"`, `"AWS":"123456789012"`, 1))
	a.world.Inject(world.Fault{Kind: world.Blackout, Region: "us-east-1"})
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()

	_, err := a.GetRole(short, &sdk.GetRoleInput{RoleName: aws.String("ops")})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = assume(t, a.sts("us-west-2", "AKIATEST"), ops)
	require.NoError(t, err)
	require.True(t, a.iam.RoleExists(ops))

	short, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = a.sts("us-east-1", "AKIATEST").AssumeRole(short, &stsapi.AssumeRoleInput{RoleArn: &ops, RoleSessionName: aws.String("drill")})
	require.ErrorIs(t, err, context.DeadlineExceeded, "STS is Regional")
}
