package ec2

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// TemplateRef is a launch template whose default version is launched from.
type TemplateRef struct {
	Region   plan.Region   `json:"region"`
	Template string        `json:"template"` // id
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// Template is where a launch template puts what it launches, and what of that is
// not there.
type Template struct {
	Subnet  string   `json:"subnet,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Profile string   `json:"profile,omitempty"` // ARN or name of the instance profile
	// Volumes are the types of the volumes that it makes, each once; none when it
	// leaves them to EC2.
	Volumes []string `json:"volumes,omitempty"`
	// Missing are the subnet and the security groups that do not exist.
	Missing []string `json:"missing,omitempty"`
	// Elsewhere are security groups of another VPC than the subnet's: EC2 refuses
	// to launch with them.
	Elsewhere []string `json:"elsewhere,omitempty"`
}

// DescribeTemplate reads whether what a launch template names is there. It asks by
// filters: asked by id, EC2 refuses the call when one is gone.
func (r *Ready) DescribeTemplate(ctx context.Context, in TemplateRef) (Template, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	data, err := r.version(ctx, at, in.Template, "")
	if err != nil {
		return Template{}, err
	}
	out := Template{Subnet: subnetOf(data), Groups: groupsOf(data), Volumes: volumesOf(data)}
	if p := data.IamInstanceProfile; p != nil {
		out.Profile = cmp.Or(aws.ToString(p.Arn), aws.ToString(p.Name))
	}
	vpc, err := r.vpcOf(ctx, at, &out)
	if err != nil {
		return Template{}, err
	}
	return out, r.lookUpGroups(ctx, at, &out, vpc)
}

// version is what one version of a launch template holds; no version is its default.
func (r *Ready) version(ctx context.Context, at cloud.At, template, version string) (*types.ResponseLaunchTemplateData, error) {
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeLaunchTemplateVersions, &sdk.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: aws.String(template), Versions: []string{cmp.Or(version, "$Default")},
	})
	if err != nil {
		return nil, fmt.Errorf("describe launch template %s: %w", template, err)
	}
	if len(got.LaunchTemplateVersions) == 0 || got.LaunchTemplateVersions[0].LaunchTemplateData == nil {
		return nil, cloud.Errorf(cloud.NotFound, "describe launch template %s in %s: it has no version %s", template, at.Region, version)
	}
	return got.LaunchTemplateVersions[0].LaunchTemplateData, nil
}

func volumesOf(data *types.ResponseLaunchTemplateData) []string {
	var out []string
	for _, m := range data.BlockDeviceMappings {
		if m.Ebs != nil && m.Ebs.VolumeType != "" {
			out = append(out, string(m.Ebs.VolumeType))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func subnetOf(data *types.ResponseLaunchTemplateData) string {
	for _, i := range data.NetworkInterfaces {
		if id := aws.ToString(i.SubnetId); id != "" {
			return id
		}
	}
	return ""
}

// vpcOf is the VPC of a template's subnet, empty when it names none or one that is
// gone.
func (r *Ready) vpcOf(ctx context.Context, at cloud.At, t *Template) (string, error) {
	if t.Subnet == "" {
		return "", nil
	}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSubnets, &sdk.DescribeSubnetsInput{
		Filters: []types.Filter{{Name: aws.String("subnet-id"), Values: []string{t.Subnet}}},
	})
	if err != nil {
		return "", fmt.Errorf("describe subnet %s: %w", t.Subnet, err)
	}
	if len(got.Subnets) == 0 {
		t.Missing = append(t.Missing, t.Subnet)
		return "", nil
	}
	return aws.ToString(got.Subnets[0].VpcId), nil
}

// lookUpGroups finds the security groups that are gone, or of another VPC.
func (r *Ready) lookUpGroups(ctx context.Context, at cloud.At, t *Template, vpc string) error {
	if len(t.Groups) == 0 {
		return nil
	}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSecurityGroups, &sdk.DescribeSecurityGroupsInput{
		Filters: []types.Filter{{Name: aws.String("group-id"), Values: t.Groups}},
	})
	if err != nil {
		return fmt.Errorf("describe %d security groups: %w", len(t.Groups), err)
	}
	for _, id := range t.Groups {
		i := slices.IndexFunc(got.SecurityGroups, func(g types.SecurityGroup) bool { return aws.ToString(g.GroupId) == id })
		switch {
		case i < 0:
			t.Missing = append(t.Missing, id)
		case vpc != "" && aws.ToString(got.SecurityGroups[i].VpcId) != vpc:
			t.Elsewhere = append(t.Elsewhere, id)
		}
	}
	return nil
}
