package servicequotas

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/servicequotas"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// standardVCPUs is the quota "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z)
// instances", counted in vCPUs.
const standardVCPUs = "L-1216C47A"

// API is what is called of Service Quotas: its part of the IAM policy.
type API interface {
	GetServiceQuota(context.Context, *sdk.GetServiceQuotaInput, ...func(*sdk.Options)) (*sdk.GetServiceQuotaOutput, error)
}

// InstanceAPI is what is called of EC2: its part of the IAM policy.
type InstanceAPI interface {
	DescribeInstances(context.Context, *awsec2.DescribeInstancesInput, ...func(*awsec2.Options)) (*awsec2.DescribeInstancesOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients   func(plan.Region) API
	Instances func(plan.Region) InstanceAPI
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{
		Clients:   cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) }),
		Instances: cloud.PerRegion(c, func(cfg aws.Config) InstanceAPI { return awsec2.NewFromConfig(cfg) }),
	}
}

// MeasureHeadroom reads the vCPU quota of a Region and what runs against it.
func (s *Steps) MeasureHeadroom(ctx context.Context, in HeadroomRef) (Headroom, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out, err := cloud.Call(ctx, at, s.Clients(in.Region).GetServiceQuota,
		&sdk.GetServiceQuotaInput{ServiceCode: aws.String("ec2"), QuotaCode: aws.String(standardVCPUs)})
	if err != nil {
		return Headroom{}, fmt.Errorf("read quota %s: %w", standardVCPUs, err)
	}
	if out.Quota == nil || out.Quota.Value == nil {
		return Headroom{}, cloud.Errorf(cloud.NotFound, "read quota %s in %s: it has no value", standardVCPUs, in.Region)
	}
	used, err := s.used(ctx, at)
	if err != nil {
		return Headroom{}, err
	}
	return Headroom{VCPULimit: *out.Quota.Value, VCPUUsed: used}, nil
}

// used adds up the vCPUs of the instances that count against the quota.
func (s *Steps) used(ctx context.Context, at cloud.At) (float64, error) {
	in := &awsec2.DescribeInstancesInput{
		// The largest page: one call for most accounts.
		MaxResults: aws.Int32(1000),
		Filters:    []types.Filter{{Name: aws.String("instance-state-name"), Values: []string{"pending", "running"}}},
	}
	total := 0.0
	for {
		out, err := cloud.Call(ctx, at, s.Instances(at.Region).DescribeInstances, in)
		if err != nil {
			return 0, fmt.Errorf("count running instances: %w", err)
		}
		for _, reservation := range out.Reservations {
			for _, instance := range reservation.Instances {
				n, err := vcpus(instance)
				if err != nil {
					return 0, fmt.Errorf("count running instances: %w", err)
				}
				total += n
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return total, nil
		}
		in.NextToken = out.NextToken
	}
}

// vcpus is what one instance takes of the quota. Spot and the special families
// have quotas of their own.
func vcpus(i types.Instance) (float64, error) {
	if i.InstanceLifecycle != "" || !standard(string(i.InstanceType)) {
		return 0, nil
	}
	if i.CpuOptions == nil {
		return 0, fmt.Errorf("instance %s (%s) names no CPUs", aws.ToString(i.InstanceId), i.InstanceType)
	}
	return float64(aws.ToInt32(i.CpuOptions.CoreCount)) * float64(aws.ToInt32(i.CpuOptions.ThreadsPerCore)), nil
}

// standard says whether an instance type belongs to the families A, C, D, H, I,
// M, R, T and Z. Families whose letters only begin like one of them (dl, hpc,
// inf, trn and so on) have their own quotas.
func standard(instanceType string) bool {
	letters := 0
	for letters < len(instanceType) && instanceType[letters] >= 'a' && instanceType[letters] <= 'z' {
		letters++
	}
	switch instanceType[:letters] {
	case "a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z":
		return true
	}
	return false
}
