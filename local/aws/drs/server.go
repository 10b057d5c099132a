package drs

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/drs"
	"github.com/aws/aws-sdk-go/service/ec2"
)

// maxReplicating is how many servers replicate into a Region (L-C1D14A2B).
const maxReplicating = 300

// Server is what an agent tells of the machine on which it is installed.
type Server struct {
	Hostname     string            `json:"hostname"`
	OS           string            `json:"os"`            // "Amazon Linux 2023"; Windows when the word is in it
	OriginRegion string            `json:"origin_region"` // "" = outside AWS, reached over the internet
	OriginZone   string            `json:"origin_zone"`
	InstanceID   string            `json:"instance_id"`
	InstanceType string            `json:"instance_type"` // what to launch; m5.large by default
	Volumes      []Volume          `json:"volumes"`       // the first is the root; one of 8 GiB by default
	Tags         map[string]string `json:"tags"`
}

// Volume is a disk of a source server.
type Volume struct {
	Device string `json:"device"`
	GiB    int64  `json:"gib"`
}

// server is a source server in the Region that it replicates to.
type server struct {
	region, id, arn string
	order           int
	agent           Server
	tags            map[string]*string
	settings        *sdk.GetReplicationConfigurationOutput
	launching       *sdk.GetLaunchConfigurationOutput
	actions         map[string]*sdk.LaunchAction
	replication     replication
	points          []*point
	launched        []string // recovery instances that its next launch cleans up
	job             *job     // the job it is in; nil = none
	direction       string
	reversed        string // ARN of the source server the other way
	lastResult      string
	lastLaunch      *sdk.LifeCycleLastLaunch
	added           time.Time
}

func (s *server) windows() bool { return strings.Contains(s.agent.OS, "Windows") }

// Register installs an agent on a server that is to replicate into a Region, and
// gives the id of the source server. It fails where DRS is not initialized or has
// no replication template, and when enough servers replicate there already.
func (d *DRS) Register(region string, agent Server) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.regions[region]
	if !ok {
		return "", uninitialized()
	}
	s, err := d.register(r, agent, sdk.ReplicationDirectionFailover)
	if err != nil {
		return "", err
	}
	return s.id, nil
}

func (d *DRS) register(r *region, agent Server, direction string) (*server, error) {
	if len(r.replication) == 0 {
		return nil, errors.New("the Region has no replication configuration template")
	}
	if r.replicating() >= maxReplicating {
		return nil, overQuota("%d source servers replicate already.", maxReplicating)
	}
	agent.InstanceType = cmp.Or(agent.InstanceType, "m5.large")
	if len(agent.Volumes) == 0 {
		agent.Volumes = []Volume{{Device: "/dev/xvda", GiB: 8}}
	}
	id := d.world.NewID("s-")
	s := &server{
		region: r.name, id: id, arn: d.arn(r.name, "source-server", id), order: d.next(), agent: agent,
		tags: aws.StringMap(agent.Tags), actions: map[string]*sdk.LaunchAction{}, direction: direction,
		lastResult: sdk.LastLaunchResultNotStarted, added: d.world.Now(),
	}
	if s.tags == nil {
		s.tags = map[string]*string{}
	}
	if err := d.configure(r, s); err != nil {
		return nil, err
	}
	r.servers[id] = s
	d.startReplication(s)
	return s, nil
}

// configure gives a new server the settings of the templates, and an EC2 launch
// template of its own.
func (d *DRS) configure(r *region, s *server) error {
	s.settings = &sdk.GetReplicationConfigurationOutput{Name: aws.String(s.agent.Hostname), SourceServerID: aws.String(s.id)}
	for _, t := range r.replication {
		awsCopy(s.settings, t)
	}
	for i, v := range s.agent.Volumes {
		s.settings.ReplicatedDisks = append(s.settings.ReplicatedDisks, &sdk.ReplicationConfigurationReplicatedDisk{
			DeviceName: aws.String(v.Device), IsBootDisk: aws.Bool(i == 0),
			StagingDiskType: aws.String(sdk.ReplicationConfigurationReplicatedDiskStagingDiskTypeAuto),
		})
	}
	s.launching = &sdk.GetLaunchConfigurationOutput{
		CopyPrivateIp: aws.Bool(false), CopyTags: aws.Bool(false), PostLaunchEnabled: aws.Bool(false),
		LaunchDisposition:                   aws.String(sdk.LaunchDispositionStarted),
		TargetInstanceTypeRightSizingMethod: aws.String(sdk.TargetInstanceTypeRightSizingMethodBasic),
	}
	for _, t := range r.launching {
		awsCopy(s.launching, t.api)
		for id, a := range t.actions {
			s.actions[id] = clone(a)
		}
	}
	s.launching.Name, s.launching.SourceServerID = aws.String(s.agent.Hostname), aws.String(s.id)
	made, err := d.machines.CreateLaunchTemplate(d.call(r.name), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("drs-" + s.id),
		LaunchTemplateData: &ec2.RequestLaunchTemplateData{InstanceType: aws.String(s.agent.InstanceType)},
	})
	if err != nil {
		return fmt.Errorf("make launch template of source server %s: %w", s.agent.Hostname, err)
	}
	s.launching.Ec2LaunchTemplateID = made.LaunchTemplate.LaunchTemplateId
	return nil
}

// awsCopy copies the members that two shapes share by name.
func awsCopy(dst, src any) { copyMembers(dst, src, func(to, from any) { awsutil.Copy(to, from) }) }

func (r *region) replicating() int {
	n := 0
	for _, s := range r.servers {
		if !s.replication.off() {
			n++
		}
	}
	return n
}

func (r *region) server(id *string) (*server, error) {
	s, ok := r.servers[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Source server", aws.StringValue(id))
	}
	return s, nil
}

// describe is the server as the API tells it.
func (d *DRS) describe(r *region, s *server) *sdk.SourceServer {
	agent := s.agent
	out := &sdk.SourceServer{
		SourceServerID: aws.String(s.id), Arn: aws.String(s.arn), AgentVersion: aws.String("6.42.20"),
		DataReplicationInfo: d.replicationInfo(s), LastLaunchResult: aws.String(s.lastResult),
		ReplicationDirection: aws.String(s.direction), Tags: maps.Clone(s.tags),
		StagingArea: &sdk.StagingArea{Status: aws.String(sdk.ExtensionStatusNotExtended)},
		LifeCycle: &sdk.LifeCycle{
			AddedToServiceDateTime: stamp(s.added), LastSeenByServiceDateTime: stamp(s.replication.seen),
			ElapsedReplicationDuration: aws.String(iso(d.world.Now().Sub(s.added))), LastLaunch: s.lastLaunch,
		},
		SourceProperties: &sdk.SourceProperties{
			IdentificationHints:     &sdk.IdentificationHints{Hostname: aws.String(agent.Hostname), Fqdn: aws.String(agent.Hostname)},
			Os:                      &sdk.OS{FullString: aws.String(agent.OS)},
			RecommendedInstanceType: aws.String(agent.InstanceType), LastUpdatedDateTime: stamp(s.replication.seen),
			SupportsNitroInstances: aws.Bool(true),
		},
	}
	if agent.InstanceID != "" {
		out.SourceProperties.IdentificationHints.AwsInstanceID = aws.String(agent.InstanceID)
	}
	if agent.OriginRegion != "" {
		out.SourceCloudProperties = &sdk.SourceCloudProperties{
			OriginAccountID: aws.String(d.world.Account()), OriginRegion: aws.String(agent.OriginRegion),
			OriginAvailabilityZone: aws.String(cmp.Or(agent.OriginZone, agent.OriginRegion+"a")),
		}
	}
	if s.replication.first != (time.Time{}) {
		out.LifeCycle.FirstByteDateTime = stamp(s.replication.first)
	}
	if s.reversed != "" {
		out.ReversedDirectionSourceServerArn = aws.String(s.reversed)
	}
	if n := len(s.launched); n > 0 && r.instances[s.launched[n-1]] != nil {
		out.RecoveryInstanceId = aws.String(s.launched[n-1])
	}
	for _, v := range agent.Volumes {
		out.SourceProperties.Disks = append(out.SourceProperties.Disks, &sdk.Disk{DeviceName: aws.String(v.Device), Bytes: aws.Int64(v.GiB << 30)})
	}
	return clone(out)
}

func (d *DRS) describeSourceServers(r *region, in *sdk.DescribeSourceServersInput) (*sdk.DescribeSourceServersOutput, error) {
	var found []*server
	filters := in.Filters
	if filters == nil {
		filters = &sdk.DescribeSourceServersRequestFilters{}
	}
	ids := aws.StringValueSlice(filters.SourceServerIDs)
	accounts := aws.StringValueSlice(filters.StagingAccountIDs)
	for _, s := range r.servers {
		if (len(ids) == 0 || slices.Contains(ids, s.id)) &&
			(len(accounts) == 0 || slices.Contains(accounts, d.world.Account())) &&
			(filters.HardwareId == nil || *filters.HardwareId == s.agent.InstanceID) {
			found = append(found, s)
		}
	}
	found, next, err := page(found, in.MaxResults, in.NextToken, func(s *server) string { return fmt.Sprintf("%09d", s.order) })
	out := &sdk.DescribeSourceServersOutput{NextToken: next, Items: []*sdk.SourceServer{}}
	for _, s := range found {
		out.Items = append(out.Items, d.describe(r, s))
	}
	return out, err
}
