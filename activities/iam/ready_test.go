package iam

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

type profiles struct {
	cloudtest.Service
}

func (p *profiles) GetInstanceProfile(ctx context.Context, in *sdk.GetInstanceProfileInput, _ ...func(*sdk.Options)) (*sdk.GetInstanceProfileOutput, error) {
	return cloudtest.Serve(ctx, &p.Service, "GetInstanceProfile", func() (*sdk.GetInstanceProfileOutput, error) {
		if aws.ToString(in.InstanceProfileName) != "box" {
			return nil, cloudtest.Refuse("NoSuchEntity", "no such profile")
		}
		return &sdk.GetInstanceProfileOutput{InstanceProfile: &types.InstanceProfile{Roles: []types.Role{{RoleName: aws.String("box-role")}}}}, nil
	})
}

func TestDescribeProfile_ByNameOrARN(t *testing.T) {
	t.Parallel()
	p := &profiles{Service: cloudtest.Service{ID: "IAM"}}
	r := &Ready{Clients: func(plan.Region) ReadyAPI { return p }}
	for _, name := range []string{"box", "arn:aws:iam::123456789012:instance-profile/box", "arn:aws:iam::123456789012:instance-profile/clinic/box"} {
		got, err := r.DescribeProfile(t.Context(), ProfileRef{Region: "us-east-1", Profile: name})
		require.NoError(t, err, name)
		require.Equal(t, Profile{Roles: []string{"box-role"}}, got, name)
	}
	_, err := r.DescribeProfile(t.Context(), ProfileRef{Region: "us-east-1", Profile: "other"})
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
	p.Next("GetInstanceProfile", cloudtest.Code("AccessDenied"))
	_, err = r.DescribeProfile(t.Context(), ProfileRef{Region: "us-east-1", Profile: "box"})
	require.ErrorContains(t, err, "permission iam:GetInstanceProfile is missing")
}
