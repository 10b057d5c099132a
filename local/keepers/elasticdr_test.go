package keepers_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkdrs "github.com/aws/aws-sdk-go-v2/service/drs"
	drstypes "github.com/aws/aws-sdk-go-v2/service/drs/types"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/require"

	"lifeline/activities/drs"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	drssim "lifeline/local/aws/drs"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

const appDRS = "records-viewer"

func drsSite(t *testing.T) *site {
	t.Helper()
	return bare(t, 2000, iam.Keepers, kms.Keepers, drs.Keepers)
}

// drsPlan is a plan of servers, replicated into a subnet that the world has.
func (s *site) drsPlan(t *testing.T, servers ...string) plan.Plan {
	t.Helper()
	p := plan.Plan{
		Application: appDRS,
		Regions:     []plan.RegionSpec{{Name: east, Role: plan.Primary}, {Name: west, Role: plan.Recovery}},
		Setup:       &plan.Setup{Drift: plan.Repair, Key: keyAlias},
		ElasticDR:   &plan.ElasticDRSite{KeepDays: 14, Staging: map[plan.Region]plan.Staging{east: {Subnet: s.subnet(t, east)}, west: {Subnet: s.subnet(t, west)}}},
	}
	for i, id := range servers {
		p.Resources = append(p.Resources, plan.Resource{
			Name: "viewer-" + string(rune('a'+i)), Kind: plan.DRSServer, Regions: map[plan.Region]plan.Identifiers{west: {"sourceServer": id}},
			Protect: &plan.Protect{Launch: &plan.Launch{RightSizing: "IN_AWS", Disposition: "STOPPED", CopyTags: true}},
		})
	}
	return p
}

func (s *site) subnet(t *testing.T, region plan.Region) string {
	t.Helper()
	out, err := sdkec2.NewFromConfig(s.in(region)).DescribeSubnets(t.Context(), &sdkec2.DescribeSubnetsInput{})
	require.NoError(t, err)
	require.NotEmpty(t, out.Subnets)
	return *out.Subnets[0].SubnetId
}

func drsItems(t *testing.T, p plan.Plan) []runbook.Item {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	return of(all, runbook.AreaAccess, runbook.AreaElasticDR)
}

func (s *site) drs(region plan.Region) *sdkdrs.Client { return sdkdrs.NewFromConfig(s.in(region)) }

// ready sets up the service and lets agents register servers.
func (s *site) ready(t *testing.T, names ...string) []string {
	t.Helper()
	s.setup().converge(drsItems(t, s.drsPlan(t)), true).good(t)
	var ids []string
	for _, name := range names {
		id, err := s.DRS.Register(string(west), drssim.Server{Hostname: name, OS: "Amazon Linux 2023", OriginRegion: string(east), OriginZone: "us-east-1a"})
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

func TestElasticDR_BareWorld_GetsEverythingAndThenNothing(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	before := s.setup()
	preview := before.survey(drsItems(t, s.drsPlan(t)), true)
	preview.read(t)
	require.Empty(t, before.changed(), "a survey changes nothing")
	require.Equal(t, runbook.ToCreate, preview["drs-service/us-west-2/account"].Verdict)

	ids := s.ready(t, "viewer-a", "viewer-b")
	items := drsItems(t, s.drsPlan(t, ids...))
	got := s.setup().converge(items, true)
	got.good(t)
	require.Equal(t, runbook.Changed, got["drs-launch-settings/us-west-2/"+ids[0]].Verdict)
	require.Equal(t, runbook.InPlace, got["drs-replication-settings/us-west-2/"+ids[0]].Verdict, "the template gave it what it needs")

	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
	require.LessOrEqual(t, len(again.calls()), len(items)+4, "about one call for each item")
}

func TestElasticDR_TemplatesAreAsTheFileSays(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	s.ready(t)
	for _, region := range []plan.Region{east, west} {
		out, err := s.drs(region).DescribeReplicationConfigurationTemplates(t.Context(), &sdkdrs.DescribeReplicationConfigurationTemplatesInput{})
		require.NoError(t, err)
		require.Len(t, out.Items, 1)
		r := out.Items[0]
		require.Equal(t, drstypes.ReplicationConfigurationEbsEncryptionCustom, r.EbsEncryption)
		require.Contains(t, *r.EbsEncryptionKeyArn, "arn:aws:kms:"+string(region))
		require.Equal(t, drstypes.ReplicationConfigurationDataPlaneRoutingPrivateIp, r.DataPlaneRouting)
		require.False(t, *r.CreatePublicIP)
		require.Equal(t, int32(14), *r.PitPolicy[2].RetentionDuration)
		launch, err := s.drs(region).DescribeLaunchConfigurationTemplates(t.Context(), &sdkdrs.DescribeLaunchConfigurationTemplatesInput{})
		require.NoError(t, err)
		require.Len(t, launch.Items, 1)
		require.Equal(t, drstypes.TargetInstanceTypeRightSizingMethodNone, launch.Items[0].TargetInstanceTypeRightSizingMethod)
	}
}

func TestElasticDR_DriftMadeByHand_IsFoundAndRepaired(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	id := s.ready(t, "viewer-a")[0]
	items := drsItems(t, s.drsPlan(t, id))
	s.setup().converge(items, true).good(t)
	_, err := s.drs(west).UpdateLaunchConfiguration(t.Context(), &sdkdrs.UpdateLaunchConfigurationInput{
		SourceServerID: aws.String(id), TargetInstanceTypeRightSizingMethod: drstypes.TargetInstanceTypeRightSizingMethodBasic, CopyPrivateIp: aws.Bool(true),
	})
	require.NoError(t, err)
	_, err = s.drs(west).UpdateReplicationConfiguration(t.Context(), &sdkdrs.UpdateReplicationConfigurationInput{
		SourceServerID: aws.String(id), DataPlaneRouting: drstypes.ReplicationConfigurationDataPlaneRoutingPublicIp, CreatePublicIP: aws.Bool(true), BandwidthThrottling: 100,
	})
	require.NoError(t, err)

	only := s.setup()
	told := only.converge(items, false)
	require.Empty(t, only.changed(), "repair: false only tells")
	require.Equal(t, runbook.Drifted, told["drs-launch-settings/us-west-2/"+id].Verdict)
	require.Equal(t, runbook.Drifted, told["drs-replication-settings/us-west-2/"+id].Verdict)

	s.setup().converge(items, true).good(t)
	launch, err := s.drs(west).GetLaunchConfiguration(t.Context(), &sdkdrs.GetLaunchConfigurationInput{SourceServerID: aws.String(id)})
	require.NoError(t, err)
	require.Equal(t, drstypes.TargetInstanceTypeRightSizingMethodInAws, launch.TargetInstanceTypeRightSizingMethod)
	require.True(t, *launch.CopyPrivateIp, "what the plan says nothing about stays")
	replication, err := s.drs(west).GetReplicationConfiguration(t.Context(), &sdkdrs.GetReplicationConfigurationInput{SourceServerID: aws.String(id)})
	require.NoError(t, err)
	require.Equal(t, drstypes.ReplicationConfigurationDataPlaneRoutingPrivateIp, replication.DataPlaneRouting)
	require.Equal(t, int64(100), replication.BandwidthThrottling, "what the plan says nothing about stays")
}

func TestElasticDR_LostAnswersAndThrottling_LeaveNothingTwice(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	items := drsItems(t, s.drsPlan(t))
	run := s.setup()
	for _, operation := range []string{"InitializeService", "CreateReplicationConfigurationTemplate", "CreateLaunchConfigurationTemplate"} {
		run.suffer(world.Fault{Kind: world.LoseAnswer, Operation: operation, Times: 1})
	}
	run.suffer(world.Fault{Kind: world.Throttle, Probability: 0.3})
	run.converge(items, true).good(t)
	for _, operation := range []string{"drs:CreateReplicationConfigurationTemplate", "drs:CreateLaunchConfigurationTemplate"} {
		require.Equal(t, 2, count(run.changed(), operation), "one in each Region")
	}
	s.setup().converge(items, true).all(t, runbook.InPlace)
}

func TestElasticDR_ServerThatIsNotRegistered_IsItsAgentsToMake(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	got := s.setup().converge(drsItems(t, s.drsPlan(t, "s-0123456789abcdef0")), true)
	missing := got["drs-source-server/us-west-2/s-0123456789abcdef0"]
	require.Equal(t, runbook.Missing, missing.Verdict)
	require.Contains(t, missing.Why, "install the agent")
	require.Equal(t, runbook.Created, got["drs-service/us-west-2/account"].Verdict)
}

func TestElasticDR_AnotherKeyForAServerWithData_IsRefused(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	id := s.ready(t, "viewer-a")[0]
	require.Eventually(t, func() bool {
		out, err := s.drs(west).DescribeSourceServers(t.Context(), &sdkdrs.DescribeSourceServersInput{})
		return err == nil && out.Items[0].DataReplicationInfo.DataReplicationState == drstypes.DataReplicationStateContinuous
	}, patience, patience/2000)
	p := s.drsPlan(t, id)
	p.Setup.Key = "alias/newer"
	run := s.setup()
	got := run.converge(drsItems(t, p), true)
	r := got["drs-replication-settings/us-west-2/"+id]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "AWS copies all of its data again")
	require.NotContains(t, run.changed(), "drs:UpdateReplicationConfiguration")
	require.True(t, got["drs-replication-template/us-west-2/"+appDRS].Verdict.Good(), "new servers start with the new key")
}

func TestElasticDR_OnlyTemplateIsAdoptedButNotTakenFromAnotherApplication(t *testing.T) {
	t.Parallel()
	s := drsSite(t)
	_, err := s.drs(west).InitializeService(t.Context(), &sdkdrs.InitializeServiceInput{})
	require.NoError(t, err)
	_, err = s.drs(west).CreateLaunchConfigurationTemplate(t.Context(), &sdkdrs.CreateLaunchConfigurationTemplateInput{PostLaunchEnabled: aws.Bool(true)})
	require.NoError(t, err)
	p := s.drsPlan(t)
	got := s.setup().converge(drsItems(t, p), true)
	got.good(t)
	require.Equal(t, runbook.Changed, got["drs-launch-template/us-west-2/"+appDRS].Verdict)

	other := p
	other.Application = "billing"
	got = s.setup().converge(drsItems(t, other), true)
	require.Equal(t, runbook.InPlace, got["drs-replication-template/us-west-2/billing"].Verdict, "both say the same")
	site := *p.ElasticDR
	site.KeepDays = 30
	other.ElasticDR = &site
	r := s.setup().converge(drsItems(t, other), true)["drs-replication-template/us-west-2/billing"]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, `that of the application "records-viewer"`)
}
