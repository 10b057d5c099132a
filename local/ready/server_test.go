package ready_test

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkdrs "github.com/aws/aws-sdk-go-v2/service/drs"
	drstypes "github.com/aws/aws-sdk-go-v2/service/drs/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	drssim "lifeline/local/aws/drs"
)

// in is the administrator in a Region.
func (h *house) in(region plan.Region) aws.Config {
	cfg := h.admin.Copy()
	cfg.Region = string(region)
	return cfg
}

// subnet is one of a Region, with a security group of its VPC.
func (h *house) subnet(region plan.Region) (subnet, group string) {
	h.t.Helper()
	api := sdkec2.NewFromConfig(h.in(region))
	subnets, err := api.DescribeSubnets(h.t.Context(), &sdkec2.DescribeSubnetsInput{})
	require.NoError(h.t, err)
	groups, err := api.DescribeSecurityGroups(h.t.Context(), &sdkec2.DescribeSecurityGroupsInput{
		Filters: []ec2types.Filter{{Name: aws.String("vpc-id"), Values: []string{*subnets.Subnets[0].VpcId}}},
	})
	require.NoError(h.t, err)
	return *subnets.Subnets[0].SubnetId, *groups.SecurityGroups[0].GroupId
}

// enrol lets an agent register a server in the recovery Region, as the plan's "box".
func (h *house) enrol(agent drssim.Server) (id, template string) {
	h.t.Helper()
	api, ctx := sdkdrs.NewFromConfig(h.in(west)), h.t.Context()
	_, err := api.InitializeService(ctx, &sdkdrs.InitializeServiceInput{})
	require.NoError(h.t, err)
	subnet, _ := h.subnet(west)
	_, err = api.CreateReplicationConfigurationTemplate(ctx, &sdkdrs.CreateReplicationConfigurationTemplateInput{
		StagingAreaSubnetId: aws.String(subnet), ReplicationServersSecurityGroupsIDs: []string{}, ReplicationServerInstanceType: aws.String("t3.small"),
		EbsEncryption: drstypes.ReplicationConfigurationEbsEncryptionDefault, DefaultLargeStagingDiskType: drstypes.ReplicationConfigurationDefaultLargeStagingDiskTypeGp3,
		DataPlaneRouting: drstypes.ReplicationConfigurationDataPlaneRoutingPrivateIp, AssociateDefaultSecurityGroup: aws.Bool(true),
		UseDedicatedReplicationServer: aws.Bool(false), CreatePublicIP: aws.Bool(false), StagingAreaTags: map[string]string{},
		PitPolicy: []drstypes.PITPolicyRule{{Units: drstypes.PITPolicyRuleUnitsMinute, Interval: aws.Int32(10), RetentionDuration: aws.Int32(60)}},
	})
	require.NoError(h.t, err)
	id, err = h.DRS.Register(string(west), agent)
	require.NoError(h.t, err)
	h.plan.Resources = append(h.plan.Resources, plan.Resource{
		Name: "box", Kind: plan.DRSServer, Tier: 2, Regions: map[plan.Region]plan.Identifiers{west: {"sourceServer": id}},
	})
	settings, err := api.GetLaunchConfiguration(ctx, &sdkdrs.GetLaunchConfigurationInput{SourceServerID: aws.String(id)})
	require.NoError(h.t, err)
	return id, *settings.Ec2LaunchTemplateID
}

// relaunch gives a launch template a new default version.
func (h *house) relaunch(template string, data *ec2types.RequestLaunchTemplateData) {
	h.t.Helper()
	api := sdkec2.NewFromConfig(h.in(west))
	made, err := api.CreateLaunchTemplateVersion(h.t.Context(), &sdkec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: aws.String(template), LaunchTemplateData: data})
	require.NoError(h.t, err)
	_, err = api.ModifyLaunchTemplate(h.t.Context(), &sdkec2.ModifyLaunchTemplateInput{
		LaunchTemplateId: aws.String(template), DefaultVersion: aws.String(strconv.FormatInt(*made.LaunchTemplateVersion.VersionNumber, 10)),
	})
	require.NoError(h.t, err)
}

// tighten lowers quotas of the recovery Region below what a launch takes.
func (h *house) tighten() {
	for code, limit := range map[string]struct {
		service string
		value   float64
	}{"L-DF5E4CA3": {"vpc", 6}, "L-A0D0B863": {"elasticloadbalancing", 5}, "L-7A658B76": {"ebs", 0.1}, "L-309BACF6": {"ebs", 1}, "L-05AFA8C6": {"drs", 0}} {
		h.Quotas.Set(string(west), limit.service, code, limit.value)
	}
}

func TestReadiness_ServerThatCouldNotBeLaunched_IsNamedUntilItsTemplateIsMended(t *testing.T) {
	t.Parallel()
	h := build(t, "patient-records.yaml")
	id, template := h.enrol(drssim.Server{Hostname: "box", OS: "Amazon Linux 2023", OriginRegion: string(east), InstanceType: "m6i.large", Volumes: []drssim.Volume{{Device: "/dev/xvda", GiB: 200}, {Device: "/dev/xvdb", GiB: 1}}})
	subnet, group := h.subnet(west)

	rep := h.prove()
	require.Equal(t, runbook.Amber, find(t, rep, "compute/right-sizing/box").Grade, "as AWS has it by default")
	require.Contains(t, find(t, rep, "compute/template/box").Why, "no subnet")
	require.Equal(t, runbook.Unknown, find(t, rep, "compute/storage/us-west-2").Grade, "nobody knows the type of its disks")

	place := func(profile, group string) *ec2types.RequestLaunchTemplateData {
		return &ec2types.RequestLaunchTemplateData{
			InstanceType:       ec2types.InstanceTypeM6iLarge,
			IamInstanceProfile: &ec2types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: aws.String(profile)},
			BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMappingRequest{{
				DeviceName: aws.String("/dev/xvda"), Ebs: &ec2types.LaunchTemplateEbsBlockDeviceRequest{VolumeType: ec2types.VolumeTypeGp3},
			}},
			NetworkInterfaces: []ec2types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{DeviceIndex: aws.Int32(0), SubnetId: aws.String(subnet), Groups: []string{group}}},
		}
	}
	h.relaunch(template, place("box", "sg-0123456789abcdef0"))
	gone := find(t, h.prove(), "compute/template/box")
	require.Equal(t, runbook.Red, gone.Grade, gone.Why)
	require.Contains(t, gone.Why, "instance profile", "what is not there stops a launch before anything else")

	profiles := sdkiam.NewFromConfig(h.in(east))
	_, err := profiles.CreateInstanceProfile(t.Context(), &sdkiam.CreateInstanceProfileInput{InstanceProfileName: aws.String("box")})
	require.NoError(t, err)
	_, err = profiles.AddRoleToInstanceProfile(t.Context(), &sdkiam.AddRoleToInstanceProfileInput{InstanceProfileName: aws.String("box"), RoleName: aws.String("patient-records-backup")})
	require.NoError(t, err)
	gone = find(t, h.prove(), "compute/template/box")
	require.Equal(t, runbook.Red, gone.Grade, gone.Why)
	require.Equal(t, "sg-0123456789abcdef0 does not exist: the launch would fail", gone.Why)

	h.relaunch(template, place("box", group))
	_, err = sdkdrs.NewFromConfig(h.in(west)).UpdateLaunchConfiguration(t.Context(), &sdkdrs.UpdateLaunchConfigurationInput{
		SourceServerID: aws.String(id), TargetInstanceTypeRightSizingMethod: drstypes.TargetInstanceTypeRightSizingMethodNone,
	})
	require.NoError(t, err)
	rep = h.prove()
	require.Equal(t, runbook.Green, find(t, rep, "compute/template/box").Grade, find(t, rep, "compute/template/box").Why)
	require.Equal(t, runbook.Green, find(t, rep, "compute/right-sizing/box").Grade)
	for _, id := range []string{"interfaces", "storage", "snapshots", "servers"} {
		require.Equal(t, runbook.Green, find(t, rep, "compute/"+id+"/us-west-2").Grade, find(t, rep, "compute/"+id+"/us-west-2").Why)
	}
	h.tighten()
	rep = h.prove()
	for id, why := range map[string]string{
		"interfaces/us-west-2": "network interfaces: 2 used and 5 to come, of 6", "registrations/web/us-west-2": "targets of the target group: 2 used and 4 to come, of 5",
		"storage/us-west-2": "TiB of gp3 volumes: 0.02 used and 0.2 to come, of 0.1", "snapshots/us-west-2": "to come, of 1", "servers/us-west-2": "servers in all jobs: 0 used and 1 to come, of 0",
	} {
		got := find(t, rep, "compute/"+id)
		require.Equal(t, runbook.Red, got.Grade, "%s: %s", id, got.Why)
		require.Contains(t, got.Why, why, id)
	}
	require.Equal(t, runbook.Green, find(t, rep, "compute/interfaces/us-east-1").Grade, "one Region's quota says nothing about another's")
	h.requireUntouched()
}
