package sim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/control"
	source "lifeline/local/aws/drs"
	"lifeline/local/aws/sim"
)

func TestSim_AgentInstalledByControl_ServerIsRecoveredUnderEBSsOwnKey(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := sim.Start(ctx, sim.Options{API: "127.0.0.1:0", DNS: "127.0.0.1:0", Compression: 10000})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	config := aws.Config{
		Region: "us-west-2", BaseEndpoint: aws.String("http://" + s.API()),
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
	c, doors := drs.NewFromConfig(config), control.Client{Endpoint: "http://" + s.API()}
	server := source.Server{Hostname: "app-1", OS: "Amazon Linux 2023", OriginRegion: "us-east-1"}
	_, err = doors.Install(ctx, "us-west-2", server)
	require.ErrorContains(t, err, "UninitializedAccountException")
	_, err = c.InitializeService(ctx, &drs.InitializeServiceInput{})
	require.NoError(t, err)
	subnets, err := ec2.NewFromConfig(config).DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{})
	require.NoError(t, err)
	_, err = c.CreateReplicationConfigurationTemplate(ctx, &drs.CreateReplicationConfigurationTemplateInput{
		StagingAreaSubnetId: subnets.Subnets[0].SubnetId, ReplicationServersSecurityGroupsIDs: []string{}, StagingAreaTags: map[string]string{},
		AssociateDefaultSecurityGroup: aws.Bool(true), CreatePublicIP: aws.Bool(false), UseDedicatedReplicationServer: aws.Bool(false),
		DataPlaneRouting: types.ReplicationConfigurationDataPlaneRoutingPrivateIp, EbsEncryption: types.ReplicationConfigurationEbsEncryptionDefault,
		DefaultLargeStagingDiskType: types.ReplicationConfigurationDefaultLargeStagingDiskTypeGp3, ReplicationServerInstanceType: aws.String("t3.small"),
		PitPolicy: []types.PITPolicyRule{{Units: types.PITPolicyRuleUnitsMinute, Interval: aws.Int32(10), RetentionDuration: aws.Int32(60)}},
	})
	require.NoError(t, err)
	id, err := doors.Install(ctx, "us-west-2", server)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		out, err := c.DescribeSourceServers(ctx, &drs.DescribeSourceServersInput{})
		return err == nil && out.Items[0].DataReplicationInfo.DataReplicationState == types.DataReplicationStateContinuous
	}, 20*time.Second, 5*time.Millisecond)
	_, err = c.StartRecovery(ctx, &drs.StartRecoveryInput{IsDrill: aws.Bool(true), SourceServers: []types.StartRecoveryRequestSourceServer{{SourceServerID: &id}}})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		out, err := c.DescribeJobs(ctx, &drs.DescribeJobsInput{})
		return err == nil && out.Items[0].ParticipatingServers[0].LaunchStatus == types.LaunchStatusLaunched
	}, 20*time.Second, 5*time.Millisecond)
}
