package ec2

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

// grounds is what launch templates name, in one Region.
type grounds struct {
	ReadyAPI
	cloudtest.Service
	templates map[string]*types.ResponseLaunchTemplateData
	subnets   map[string]string // VPC by id
	groups    map[string]string
}

func newGrounds(t *types.ResponseLaunchTemplateData) (*grounds, *Ready) {
	g := &grounds{
		Service:   cloudtest.Service{ID: "EC2"},
		templates: map[string]*types.ResponseLaunchTemplateData{"lt-1": t, "lt-empty": nil},
		subnets:   map[string]string{"subnet-a": "vpc-1"}, groups: map[string]string{"sg-a": "vpc-1", "sg-b": "vpc-2"},
	}
	return g, &Ready{Clients: func(plan.Region) ReadyAPI { return g }}
}

func (g *grounds) DescribeLaunchTemplateVersions(ctx context.Context, in *sdk.DescribeLaunchTemplateVersionsInput, _ ...func(*sdk.Options)) (*sdk.DescribeLaunchTemplateVersionsOutput, error) {
	return cloudtest.Serve(ctx, &g.Service, "DescribeLaunchTemplateVersions", func() (*sdk.DescribeLaunchTemplateVersionsOutput, error) {
		data, ok := g.templates[aws.ToString(in.LaunchTemplateId)]
		if !ok || !slices.Equal(in.Versions, []string{"$Default"}) {
			return nil, cloudtest.Refuse("InvalidLaunchTemplateId.NotFound", "no such template")
		}
		return &sdk.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []types.LaunchTemplateVersion{{LaunchTemplateData: data}}}, nil
	})
}

func (g *grounds) DescribeSubnets(ctx context.Context, in *sdk.DescribeSubnetsInput, _ ...func(*sdk.Options)) (*sdk.DescribeSubnetsOutput, error) {
	return cloudtest.Serve(ctx, &g.Service, "DescribeSubnets", func() (*sdk.DescribeSubnetsOutput, error) {
		out := &sdk.DescribeSubnetsOutput{}
		for _, id := range in.Filters[0].Values {
			if vpc, ok := g.subnets[id]; ok {
				out.Subnets = append(out.Subnets, types.Subnet{SubnetId: aws.String(id), VpcId: aws.String(vpc)})
			}
		}
		return out, nil
	})
}

func (g *grounds) DescribeSecurityGroups(ctx context.Context, in *sdk.DescribeSecurityGroupsInput, _ ...func(*sdk.Options)) (*sdk.DescribeSecurityGroupsOutput, error) {
	return cloudtest.Serve(ctx, &g.Service, "DescribeSecurityGroups", func() (*sdk.DescribeSecurityGroupsOutput, error) {
		out := &sdk.DescribeSecurityGroupsOutput{}
		for _, id := range in.Filters[0].Values {
			if vpc, ok := g.groups[id]; ok {
				out.SecurityGroups = append(out.SecurityGroups, types.SecurityGroup{GroupId: aws.String(id), VpcId: aws.String(vpc)})
			}
		}
		return out, nil
	})
}

func placed(subnet string, groups ...string) *types.ResponseLaunchTemplateData {
	return &types.ResponseLaunchTemplateData{NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecification{{SubnetId: aws.String(subnet), Groups: groups}}}
}

func TestDescribeTemplate_AllIsThere(t *testing.T) {
	t.Parallel()
	data := placed("subnet-a", "sg-a")
	data.IamInstanceProfile = &types.LaunchTemplateIamInstanceProfileSpecification{Name: aws.String("box")}
	for _, kind := range []types.VolumeType{"gp3", "", "gp2", "gp3"} {
		data.BlockDeviceMappings = append(data.BlockDeviceMappings, types.LaunchTemplateBlockDeviceMapping{Ebs: &types.LaunchTemplateEbsBlockDevice{VolumeType: kind}})
	}
	data.BlockDeviceMappings = append(data.BlockDeviceMappings, types.LaunchTemplateBlockDeviceMapping{VirtualName: aws.String("ephemeral0")})
	_, r := newGrounds(data)
	got, err := r.DescribeTemplate(t.Context(), TemplateRef{Region: "us-west-2", Template: "lt-1"})
	require.NoError(t, err)
	require.Equal(t, Template{Subnet: "subnet-a", Groups: []string{"sg-a"}, Profile: "box", Volumes: []string{"gp2", "gp3"}}, got)

	data.IamInstanceProfile.Arn = aws.String("arn:aws:iam::123456789012:instance-profile/box")
	got, err = r.DescribeTemplate(t.Context(), TemplateRef{Region: "us-west-2", Template: "lt-1"})
	require.NoError(t, err)
	require.Equal(t, "arn:aws:iam::123456789012:instance-profile/box", got.Profile)
}

func TestDescribeTemplate_NamesWhatIsGoneOrElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data *types.ResponseLaunchTemplateData
		want Template
	}{
		"nothing named":     {&types.ResponseLaunchTemplateData{}, Template{}},
		"no subnet":         {&types.ResponseLaunchTemplateData{SecurityGroupIds: []string{"sg-b", "sg-x"}}, Template{Groups: []string{"sg-b", "sg-x"}, Missing: []string{"sg-x"}}},
		"subnet and groups": {placed("subnet-x", "sg-a", "sg-x"), Template{Subnet: "subnet-x", Groups: []string{"sg-a", "sg-x"}, Missing: []string{"subnet-x", "sg-x"}}},
		"another VPC":       {placed("subnet-a", "sg-a", "sg-b"), Template{Subnet: "subnet-a", Groups: []string{"sg-a", "sg-b"}, Elsewhere: []string{"sg-b"}}},
	} {
		g, r := newGrounds(c.data)
		got, err := r.DescribeTemplate(t.Context(), TemplateRef{Region: "us-west-2", Template: "lt-1"})
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
		require.Equal(t, min(1, len(c.want.Groups)), g.Count("DescribeSecurityGroups"), "%s: without ids EC2 lists all", name)
	}
}

func TestDescribeTemplate_GoneOrDenied(t *testing.T) {
	t.Parallel()
	g, r := newGrounds(placed("subnet-a", "sg-a"))
	for _, id := range []string{"lt-other", "lt-empty"} {
		_, err := r.DescribeTemplate(t.Context(), TemplateRef{Region: "us-west-2", Template: id})
		require.Equal(t, cloud.NotFound, cloud.KindOf(err), id)
	}
	for _, operation := range []string{"DescribeLaunchTemplateVersions", "DescribeSubnets", "DescribeSecurityGroups"} {
		g.Next(operation, cloudtest.Code("UnauthorizedOperation"))
		_, err := r.DescribeTemplate(t.Context(), TemplateRef{Region: "us-west-2", Template: "lt-1"})
		require.ErrorContains(t, err, "permission ec2:"+operation+" is missing")
	}
}
