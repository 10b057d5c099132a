package estate

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/plan"
)

// volumes makes the plan's volumes in the primary Region. Their ids are AWS's to
// give and replace the plan's placeholders.
func (b *Builder) volumes(ctx context.Context) error {
	home := b.Plan.Primary()
	api := ec2.NewFromConfig(b.in(home))
	return b.of(plan.EBSVolume, func(r plan.Resource) error {
		made, err := api.CreateVolume(ctx, &ec2.CreateVolumeInput{
			AvailabilityZone: aws.String(string(home) + "a"), Size: aws.Int32(100), VolumeType: ec2types.VolumeTypeGp3, Encrypted: aws.Bool(true),
		})
		if err != nil {
			return fmt.Errorf("volume: %w", err)
		}
		r.Regions[home]["volume"] = aws.ToString(made.VolumeId)
		return nil
	})
}

// staging gives Elastic DR a subnet of each Region's default VPC.
func (b *Builder) staging(ctx context.Context) error {
	if b.Plan.ElasticDR == nil {
		return nil
	}
	for _, region := range b.Plan.TrafficRegions() {
		out, err := ec2.NewFromConfig(b.in(region)).DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
		if err != nil {
			return fmt.Errorf("subnets of %s: %w", region, err)
		}
		if len(out.Subnets) == 0 {
			return fmt.Errorf("%s has no subnet for staging", region)
		}
		s := b.Plan.ElasticDR.Staging[region]
		s.Subnet = aws.ToString(out.Subnets[0].SubnetId)
		b.Plan.ElasticDR.Staging[region] = s
	}
	return nil
}
