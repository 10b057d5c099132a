package drs

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

func TestISODuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT5M30S": 5*time.Minute + 30*time.Second, "P1DT2H": 26 * time.Hour, "PT4.5S": 4500 * time.Millisecond, "P2W": 14 * 24 * time.Hour,
	} {
		got, ok := isoDuration(text)
		require.True(t, ok, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "P", "5M", "P1M", "PT1D", "PTM", "PT5", "P1Y", "PT1X"} {
		_, ok := isoDuration(text)
		require.False(t, ok, text)
	}
}

// console is Elastic Disaster Recovery in one Region.
type console struct {
	cloudtest.Service
	servers []types.SourceServer
	jobs    []types.Job
	launch  map[string]*sdk.GetLaunchConfigurationOutput
}

func newConsole(servers ...types.SourceServer) (*console, *Ready) {
	c := &console{Service: cloudtest.Service{ID: "drs"}, servers: servers, launch: map[string]*sdk.GetLaunchConfigurationOutput{}}
	return c, &Ready{Clients: func(plan.Region) ReadyAPI { return c }, Now: time.Now}
}

// DescribeSourceServers answers one server a page.
func (c *console) DescribeSourceServers(ctx context.Context, in *sdk.DescribeSourceServersInput, _ ...func(*sdk.Options)) (*sdk.DescribeSourceServersOutput, error) {
	return cloudtest.Serve(ctx, &c.Service, "DescribeSourceServers", func() (*sdk.DescribeSourceServersOutput, error) {
		var match []types.SourceServer
		for _, s := range c.servers {
			if in.Filters == nil || slices.Contains(in.Filters.SourceServerIDs, aws.ToString(s.SourceServerID)) {
				match = append(match, s)
			}
		}
		at := len(aws.ToString(in.NextToken))
		out := &sdk.DescribeSourceServersOutput{}
		if at < len(match) {
			out.Items = match[at : at+1]
		}
		if at+1 < len(match) {
			out.NextToken = aws.String("nnnnnnnn"[:at+1])
		}
		return out, nil
	})
}

func (c *console) DescribeRecoverySnapshots(ctx context.Context, _ *sdk.DescribeRecoverySnapshotsInput, _ ...func(*sdk.Options)) (*sdk.DescribeRecoverySnapshotsOutput, error) {
	return cloudtest.Serve(ctx, &c.Service, "DescribeRecoverySnapshots", func() (*sdk.DescribeRecoverySnapshotsOutput, error) {
		return &sdk.DescribeRecoverySnapshotsOutput{Items: []types.RecoverySnapshot{{Timestamp: aws.String("2026-11-22T12:00:00Z")}}}, nil
	})
}

// DescribeJobs answers one job a page.
func (c *console) DescribeJobs(ctx context.Context, in *sdk.DescribeJobsInput, _ ...func(*sdk.Options)) (*sdk.DescribeJobsOutput, error) {
	return cloudtest.Serve(ctx, &c.Service, "DescribeJobs", func() (*sdk.DescribeJobsOutput, error) {
		at := len(aws.ToString(in.NextToken))
		out := &sdk.DescribeJobsOutput{}
		if at < len(c.jobs) {
			out.Items = c.jobs[at : at+1]
		}
		if at+1 < len(c.jobs) {
			out.NextToken = aws.String("nnnnnnnn"[:at+1])
		}
		return out, nil
	})
}

func (c *console) GetLaunchConfiguration(ctx context.Context, in *sdk.GetLaunchConfigurationInput, _ ...func(*sdk.Options)) (*sdk.GetLaunchConfigurationOutput, error) {
	return cloudtest.Serve(ctx, &c.Service, "GetLaunchConfiguration", func() (*sdk.GetLaunchConfigurationOutput, error) {
		if got, ok := c.launch[aws.ToString(in.SourceServerID)]; ok {
			return got, nil
		}
		return nil, &types.ResourceNotFoundException{}
	})
}

func source(id string, state types.DataReplicationState) types.SourceServer {
	return types.SourceServer{SourceServerID: aws.String(id), DataReplicationInfo: &types.DataReplicationInfo{DataReplicationState: state, LagDuration: aws.String("PT5M")}}
}

func TestDescribeServers_SaysHowEachWouldBeLaunched(t *testing.T) {
	t.Parallel()
	c, r := newConsole(source("s-1", types.DataReplicationStateContinuous), source("s-2", types.DataReplicationStateStalled), source("s-3", types.DataReplicationStateContinuous))
	c.launch["s-1"] = &sdk.GetLaunchConfigurationOutput{TargetInstanceTypeRightSizingMethod: types.TargetInstanceTypeRightSizingMethodNone, Ec2LaunchTemplateID: aws.String("lt-1")}
	c.launch["s-2"] = &sdk.GetLaunchConfigurationOutput{TargetInstanceTypeRightSizingMethod: types.TargetInstanceTypeRightSizingMethodBasic}
	c.jobs = []types.Job{
		{JobID: aws.String("drsjob-1"), Status: types.JobStatusCompleted, ParticipatingServers: []types.ParticipatingServer{{SourceServerID: aws.String("s-1")}}},
		{JobID: aws.String("drsjob-2"), Status: types.JobStatusStarted, ParticipatingServers: []types.ParticipatingServer{{SourceServerID: aws.String("s-2")}}},
	}
	got, err := r.DescribeServers(t.Context(), ServersRef{Region: "us-west-2", Servers: []string{"s-1", "s-2", "s-9"}})
	require.NoError(t, err)
	newest := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	require.Equal(t, map[string]Server{
		"s-1": {State: "CONTINUOUS", Lag: 5 * time.Minute, Points: 1, Newest: newest, RightSizing: "NONE", Template: "lt-1"},
		"s-2": {State: "STALLED", Lag: 5 * time.Minute, Points: 1, Newest: newest, Job: "drsjob-2", RightSizing: "BASIC"},
	}, got.ByID)
	require.Equal(t, 2, c.Count("GetLaunchConfiguration"), "only of those that are there")
}

func TestDescribeServers_AddsUpDisks(t *testing.T) {
	t.Parallel()
	s := source("s-1", types.DataReplicationStateContinuous)
	s.SourceProperties = &types.SourceProperties{RecommendedInstanceType: aws.String("m6i.large"), Disks: []types.Disk{{Bytes: 8 << 30}, {Bytes: 1}}}
	c, r := newConsole(s)
	c.launch["s-1"] = &sdk.GetLaunchConfigurationOutput{}
	got, err := r.DescribeServers(t.Context(), ServersRef{Region: "us-west-2", Servers: []string{"s-1"}})
	require.NoError(t, err)
	require.Equal(t, 2, got.ByID["s-1"].Disks)
	require.Equal(t, 9, got.ByID["s-1"].GiB, "a volume has whole GiB")
}

func TestMeasureServers_CountsWhatQuotasCount(t *testing.T) {
	t.Parallel()
	c, r := newConsole(source("s-1", types.DataReplicationStateContinuous), source("s-2", types.DataReplicationStateStalled),
		source("s-3", types.DataReplicationStateStopped), source("s-4", types.DataReplicationStateDisconnected), types.SourceServer{SourceServerID: aws.String("s-5")})
	c.jobs = []types.Job{
		{Status: types.JobStatusPending, ParticipatingServers: make([]types.ParticipatingServer, 2)},
		{Status: types.JobStatusCompleted, ParticipatingServers: make([]types.ParticipatingServer, 9)},
		{Status: types.JobStatusStarted, ParticipatingServers: make([]types.ParticipatingServer, 1)},
	}
	got, err := r.MeasureServers(t.Context(), AllRef{Region: "us-west-2"})
	require.NoError(t, err)
	require.Equal(t, Load{Servers: 5, Replicating: 2, Jobs: 2, Launching: 3}, got)
	for _, operation := range []string{"DescribeSourceServers", "DescribeJobs"} {
		c.Next(operation, cloudtest.Code("AccessDeniedException"))
		_, err = r.MeasureServers(t.Context(), AllRef{Region: "us-west-2"})
		require.ErrorContains(t, err, "permission drs:"+operation+" is missing")
	}
}

func TestDescribeServers_MayNotReadHowAServerIsLaunched(t *testing.T) {
	t.Parallel()
	c, r := newConsole(source("s-1", types.DataReplicationStateContinuous))
	c.Always("GetLaunchConfiguration", cloudtest.Code("AccessDeniedException"))
	_, err := r.DescribeServers(t.Context(), ServersRef{Region: "us-west-2", Servers: []string{"s-1"}})
	require.ErrorContains(t, err, "permission drs:GetLaunchConfiguration is missing")
}
