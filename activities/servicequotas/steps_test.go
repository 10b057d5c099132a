package servicequotas

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicequotas"
	"github.com/aws/aws-sdk-go-v2/service/servicequotas/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

type quotas struct {
	cloudtest.Service
	value *float64
}

func (q *quotas) GetServiceQuota(ctx context.Context, in *sdk.GetServiceQuotaInput, _ ...func(*sdk.Options)) (*sdk.GetServiceQuotaOutput, error) {
	return cloudtest.Serve(ctx, &q.Service, "GetServiceQuota", func() (*sdk.GetServiceQuotaOutput, error) {
		if aws.ToString(in.ServiceCode) != "ec2" || aws.ToString(in.QuotaCode) != "L-1216C47A" {
			return nil, &types.NoSuchResourceException{}
		}
		return &sdk.GetServiceQuotaOutput{Quota: &types.ServiceQuota{Value: q.value}}, nil
	})
}

type instances struct {
	cloudtest.Service
	list []ec2types.Instance
}

// DescribeInstances answers one instance a page.
func (i *instances) DescribeInstances(ctx context.Context, in *awsec2.DescribeInstancesInput, _ ...func(*awsec2.Options)) (*awsec2.DescribeInstancesOutput, error) {
	return cloudtest.Serve(ctx, &i.Service, "DescribeInstances", func() (*awsec2.DescribeInstancesOutput, error) {
		page := len(aws.ToString(in.NextToken))
		out := &awsec2.DescribeInstancesOutput{}
		if page < len(i.list) {
			out.Reservations = []ec2types.Reservation{{Instances: i.list[page : page+1]}}
		}
		if page+1 < len(i.list) {
			out.NextToken = aws.String("nnnnnnnnnnnn"[:page+1])
		}
		return out, nil
	})
}

func world(list ...ec2types.Instance) (*quotas, *instances, *Steps) {
	q := &quotas{Service: cloudtest.Service{ID: "Service Quotas"}, value: aws.Float64(64)}
	i := &instances{Service: cloudtest.Service{ID: "EC2"}, list: list}
	return q, i, &Steps{Clients: func(plan.Region) API { return q }, Instances: func(plan.Region) InstanceAPI { return i }}
}

func instance(kind string, cores, threads int32) ec2types.Instance {
	return ec2types.Instance{
		InstanceId: aws.String("i-1"), InstanceType: ec2types.InstanceType(kind),
		CpuOptions: &ec2types.CpuOptions{CoreCount: aws.Int32(cores), ThreadsPerCore: aws.Int32(threads)},
	}
}

func TestMeasureHeadroom_CountsWhatTheQuotaCounts(t *testing.T) {
	t.Parallel()
	spot := instance("m5.large", 1, 2)
	spot.InstanceLifecycle = ec2types.InstanceLifecycleTypeSpot
	_, _, s := world(instance("m5.2xlarge", 4, 2), instance("t4g.medium", 2, 1), instance("im4gn.large", 2, 1),
		instance("p4d.24xlarge", 48, 2), instance("inf1.xlarge", 2, 2), spot)
	h, err := s.MeasureHeadroom(t.Context(), HeadroomRef{Region: "us-west-2"})
	require.NoError(t, err)
	require.Equal(t, Headroom{VCPULimit: 64, VCPUUsed: 12}, h)
}

func TestMeasureHeadroom_UnknownIsAnErrorNotZero(t *testing.T) {
	t.Parallel()
	q, _, s := world(ec2types.Instance{InstanceId: aws.String("i-9"), InstanceType: "m5.large"})
	_, err := s.MeasureHeadroom(t.Context(), HeadroomRef{Region: "us-west-2"})
	require.ErrorContains(t, err, "i-9")
	q.value = nil
	_, err = s.MeasureHeadroom(t.Context(), HeadroomRef{Region: "us-west-2"})
	require.Equal(t, cloud.NotFound, cloud.KindOf(err))
}

func TestMeasureHeadroom_DeniedOrDark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q, i, s := world()
		in := HeadroomRef{Region: "us-west-2", Timeout: cloud.SuspectTimeout}
		i.Next("DescribeInstances", cloudtest.Code("UnauthorizedOperation"))
		_, err := s.MeasureHeadroom(t.Context(), in)
		require.ErrorContains(t, err, "permission ec2:DescribeInstances is missing")
		q.Always("", cloudtest.Hang())
		start := time.Now()
		_, err = s.MeasureHeadroom(t.Context(), in)
		require.Equal(t, cloud.Unreachable, cloud.KindOf(err))
		require.Equal(t, 2*time.Second, time.Since(start))
	})
}
