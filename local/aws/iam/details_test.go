package iam_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/stretchr/testify/require"
)

func TestContract_AccountAuthorizationDetails_ByKindAndByPage(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	for n := range 3 {
		a.role(t, fmt.Sprintf("Role%d", n), trustBackup)
	}
	_, err := a.PutRolePolicy(t.Context(), &sdk.PutRolePolicyInput{RoleName: aws.String("Role1"), PolicyName: aws.String("read"), PolicyDocument: aws.String(mayRead)})
	require.NoError(t, err)
	_, err = a.AttachRolePolicy(t.Context(), &sdk.AttachRolePolicyInput{RoleName: aws.String("Role1"), PolicyArn: aws.String(ofAWS + "AWSBackupFullAccess")})
	require.NoError(t, err)

	in := &sdk.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeRole}, MaxItems: aws.Int32(2)}
	first, err := a.GetAccountAuthorizationDetails(t.Context(), in)
	require.NoError(t, err)
	require.True(t, first.IsTruncated)
	require.Len(t, first.RoleDetailList, 2)
	require.Empty(t, first.Policies)
	in.Marker = first.Marker
	second, err := a.GetAccountAuthorizationDetails(t.Context(), in)
	require.NoError(t, err)
	require.False(t, second.IsTruncated)
	require.Len(t, second.RoleDetailList, 1)

	r := first.RoleDetailList[1]
	require.Equal(t, "Role1", *r.RoleName)
	trust, err := url.PathUnescape(*r.AssumeRolePolicyDocument)
	require.NoError(t, err)
	require.JSONEq(t, trustBackup, trust)
	inline, err := url.PathUnescape(*r.RolePolicyList[0].PolicyDocument)
	require.NoError(t, err)
	require.JSONEq(t, mayRead, inline)
	require.Equal(t, "AWSBackupFullAccess", *r.AttachedManagedPolicies[0].PolicyName)

	all, err := a.GetAccountAuthorizationDetails(t.Context(), &sdk.GetAccountAuthorizationDetailsInput{
		Filter: []types.EntityType{types.EntityTypeAWSManagedPolicy}, MaxItems: aws.Int32(1000),
	})
	require.NoError(t, err)
	require.Empty(t, all.RoleDetailList)
	require.NotEmpty(t, all.Policies)
	require.Len(t, all.Policies[0].PolicyVersionList, 1)
}
