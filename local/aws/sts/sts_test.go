package sts_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/sts"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

func client(t *testing.T) func(key, secret string) *api.Client {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	server := httptest.NewServer(wire.NewServer(w, sts.New(w, sts.Options{}).Wire()))
	t.Cleanup(server.Close)
	return func(key, secret string) *api.Client {
		return api.New(api.Options{
			Region: "us-west-2", BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1,
			Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		})
	}
}

func TestCallerIdentity_NamesTheAccessKey(t *testing.T) {
	t.Parallel()

	out, err := client(t)("AKIAWORKERUSWEST2A0", "s").GetCallerIdentity(t.Context(), nil)

	require.NoError(t, err)
	require.Equal(t, "123456789012", *out.Account)
	require.Equal(t, "arn:aws:iam::123456789012:user/AKIAWORKERUSWEST2A0", *out.Arn)
}

func TestAssumedRole_IsWhoTheSessionIs(t *testing.T) {
	t.Parallel()
	as := client(t)

	role, err := as("AKIAONE", "s").AssumeRole(t.Context(), &api.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/ops/Lifeline"), RoleSessionName: aws.String("failover"),
	})
	require.NoError(t, err)
	me, err := as(*role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey).GetCallerIdentity(t.Context(), nil)

	require.NoError(t, err)
	require.Equal(t, "arn:aws:sts::123456789012:assumed-role/Lifeline/failover", *me.Arn)
	require.Equal(t, *role.AssumedRoleUser.AssumedRoleId, *me.UserId)
}

func TestAssumeRole_Refusals(t *testing.T) {
	t.Parallel()
	as := client(t)
	for want, in := range map[string]api.AssumeRoleInput{
		"ValidationError": {RoleArn: aws.String("arn:aws:iam::123456789012:user/x-and-more"), RoleSessionName: aws.String("abc")},
		"AccessDenied":    {RoleArn: aws.String("arn:aws:iam::210987654321:role/x"), RoleSessionName: aws.String("abc")},
	} {
		_, err := as("AKIAONE", "s").AssumeRole(t.Context(), &in)
		var refused smithy.APIError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, want, refused.ErrorCode())
	}
	for _, in := range []api.AssumeRoleInput{
		{RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("no blanks")},
		{RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("abc"), DurationSeconds: aws.Int32(60 * 60 * 13)},
		{RoleArn: aws.String("arn:aws:iam::123456789012:role/x"), RoleSessionName: aws.String("abc"), DurationSeconds: aws.Int32(1)},
	} {
		_, err := as("AKIAONE", "s").AssumeRole(t.Context(), &in)
		var refused smithy.APIError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, "ValidationError", refused.ErrorCode())
	}
}
