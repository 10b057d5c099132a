package drs_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/drs"
	ec2sim "lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1" // where servers live
	west = "us-west-2" // where they are recovered
	pace = 10000       // a minute of AWS is 6 ms
	soon = 20 * time.Second
)

// lab is DRS in two Regions with EC2 beside it.
type lab struct {
	t        *testing.T
	world    *world.World
	drs      *sim.DRS
	machines *ec2sim.EC2
	client   map[string]*drs.Client
	ec2      map[string]*ec2.Client
	heard    *listener
}

// listener keeps what EventBridge and CloudWatch were told.
type listener struct {
	mu      sync.Mutex
	states  []any
	metrics map[string]float64
}

func (l *listener) Emit(_, _, _ string, _ []string, detail map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.states = append(l.states, detail["state"])
}

func (l *listener) Publish(_, namespace, name string, dimensions map[string]string, value float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.metrics[namespace+"/"+name+"/"+dimensions["SourceServerID"]] = value
}

func (l *listener) heardOf(state string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.states {
		if s == state {
			return true
		}
	}
	return false
}

func (l *listener) metric(name string) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.metrics[name]
}

// plainBodies hides from net/http that the SDK's bodies write themselves: one
// that the SDK closes early costs the connection and the rest of a long answer.
type plainBodies struct{ http.Transport }

func (c *plainBodies) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		req = req.WithContext(req.Context())
		req.Body = struct{ io.ReadCloser }{req.Body}
	}
	return c.RoundTrip(req)
}

// bareLab has DRS initialized nowhere.
func bareLab(t *testing.T, change func(*sim.Options)) *lab {
	t.Helper()
	w := world.New(world.Options{Compression: pace})
	t.Cleanup(w.Close)
	l := &lab{
		t: t, world: w, machines: ec2sim.New(w, ec2sim.Options{}), heard: &listener{metrics: map[string]float64{}},
		client: map[string]*drs.Client{}, ec2: map[string]*ec2.Client{},
	}
	o := sim.Options{Subnets: l.machines, Metrics: l.heard, Events: l.heard}
	if change != nil {
		change(&o)
	}
	l.drs = sim.New(w, l.machines, o)
	server := httptest.NewServer(wire.NewServer(w, l.machines.Wire(), l.drs.Wire()))
	t.Cleanup(server.Close)
	for _, region := range w.Regions() {
		config := aws.Config{
			Region: region, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1, HTTPClient: &plainBodies{},
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		}
		l.client[region], l.ec2[region] = drs.NewFromConfig(config), ec2.NewFromConfig(config)
	}
	return l
}

// newLab has DRS initialized, with templates, in both Regions.
func newLab(t *testing.T, change func(*sim.Options)) *lab {
	t.Helper()
	l := bareLab(t, change)
	for _, region := range l.world.Regions() {
		_, err := l.client[region].InitializeService(t.Context(), &drs.InitializeServiceInput{})
		require.NoError(t, err)
		_, err = l.client[region].CreateReplicationConfigurationTemplate(t.Context(), l.template(region))
		require.NoError(t, err)
	}
	return l
}

func (l *lab) template(region string) *drs.CreateReplicationConfigurationTemplateInput {
	l.t.Helper()
	subnets, err := l.ec2[region].DescribeSubnets(l.t.Context(), &ec2.DescribeSubnetsInput{})
	require.NoError(l.t, err)
	rule := func(units types.PITPolicyRuleUnits, interval, retention int32) types.PITPolicyRule {
		return types.PITPolicyRule{Units: units, Interval: &interval, RetentionDuration: &retention, Enabled: aws.Bool(true)}
	}
	return &drs.CreateReplicationConfigurationTemplateInput{
		AssociateDefaultSecurityGroup: aws.Bool(true), BandwidthThrottling: 0, CreatePublicIP: aws.Bool(false),
		DataPlaneRouting:            types.ReplicationConfigurationDataPlaneRoutingPrivateIp,
		DefaultLargeStagingDiskType: types.ReplicationConfigurationDefaultLargeStagingDiskTypeGp3,
		EbsEncryption:               types.ReplicationConfigurationEbsEncryptionDefault,
		PitPolicy: []types.PITPolicyRule{
			rule(types.PITPolicyRuleUnitsMinute, 10, 60), rule(types.PITPolicyRuleUnitsHour, 1, 24), rule(types.PITPolicyRuleUnitsDay, 1, 7),
		},
		ReplicationServerInstanceType: aws.String("t3.small"), ReplicationServersSecurityGroupsIDs: []string{},
		StagingAreaSubnetId: subnets.Subnets[0].SubnetId, StagingAreaTags: map[string]string{"dr": "staging"},
		UseDedicatedReplicationServer: aws.Bool(false),
	}
}

// register puts an agent on a server of us-east-1.
func (l *lab) register(name, system string) string {
	l.t.Helper()
	id, err := l.drs.Register(west, sim.Server{
		Hostname: name, OS: system, OriginRegion: east, Tags: map[string]string{"app": "records"},
		Volumes: []sim.Volume{{Device: "/dev/xvda", GiB: 8}, {Device: "/dev/sdf", GiB: 12}},
	})
	require.NoError(l.t, err)
	return id
}

// protected is a server whose initial sync is done.
func (l *lab) protected(name, system string) string {
	l.t.Helper()
	id := l.register(name, system)
	l.await(west, id, types.DataReplicationStateContinuous)
	return id
}

func (l *lab) server(region, id string) types.SourceServer {
	l.t.Helper()
	out, err := l.client[region].DescribeSourceServers(l.t.Context(), &drs.DescribeSourceServersInput{
		Filters: &types.DescribeSourceServersRequestFilters{SourceServerIDs: []string{id}},
	})
	require.NoError(l.t, err)
	require.Len(l.t, out.Items, 1)
	return out.Items[0]
}

func (l *lab) await(region, id string, state types.DataReplicationState) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		return l.server(region, id).DataReplicationInfo.DataReplicationState == state
	}, soon, 2*time.Millisecond, "server never %s", state)
}

func (l *lab) points(id string) []types.RecoverySnapshot {
	l.t.Helper()
	out, err := l.client[west].DescribeRecoverySnapshots(l.t.Context(), &drs.DescribeRecoverySnapshotsInput{SourceServerID: &id})
	require.NoError(l.t, err)
	return out.Items
}

func recovery(drill bool, ids ...string) *drs.StartRecoveryInput {
	in := &drs.StartRecoveryInput{IsDrill: aws.Bool(drill), Tags: map[string]string{"dr:execution": "test"}}
	for _, id := range ids {
		in.SourceServers = append(in.SourceServers, types.StartRecoveryRequestSourceServer{SourceServerID: &id})
	}
	return in
}

// launch runs a job to its end.
func (l *lab) launch(region string, in *drs.StartRecoveryInput) types.Job {
	l.t.Helper()
	out, err := l.client[region].StartRecovery(l.t.Context(), in)
	require.NoError(l.t, err)
	return l.finish(region, *out.Job.JobID)
}

func (l *lab) finish(region, id string) types.Job {
	l.t.Helper()
	var job types.Job
	require.Eventually(l.t, func() bool {
		out, err := l.client[region].DescribeJobs(l.t.Context(), &drs.DescribeJobsInput{Filters: &types.DescribeJobsRequestFilters{JobIDs: []string{id}}})
		require.NoError(l.t, err)
		job = out.Items[0]
		return job.Status == types.JobStatusCompleted
	}, soon, 2*time.Millisecond, "job never ended")
	return job
}

// log is a job's log as one line.
func (l *lab) log(job types.Job) (line string, items []types.JobLog) {
	l.t.Helper()
	pages := drs.NewDescribeJobLogItemsPaginator(l.client[west], &drs.DescribeJobLogItemsInput{JobID: job.JobID, MaxResults: aws.Int32(3)})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(l.t.Context())
		require.NoError(l.t, err)
		items = append(items, page.Items...)
	}
	for _, i := range items {
		names = append(names, string(i.Event))
	}
	return strings.Join(names, " "), items
}

func (l *lab) instances() []types.RecoveryInstance {
	l.t.Helper()
	out, err := l.client[west].DescribeRecoveryInstances(l.t.Context(), &drs.DescribeRecoveryInstancesInput{})
	require.NoError(l.t, err)
	return out.Items
}

// passed is AWS time between two of DRS's time stamps.
func passed(t *testing.T, from, to *string) time.Duration {
	t.Helper()
	a, err := time.Parse(time.RFC3339Nano, *from)
	require.NoError(t, err)
	b, err := time.Parse(time.RFC3339Nano, *to)
	require.NoError(t, err)
	return b.Sub(a) * pace
}

func wireCode(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}
