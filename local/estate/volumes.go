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
