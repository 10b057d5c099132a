package drs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of servers.
type ReadyAPI interface {
	DescribeSourceServers(context.Context, *sdk.DescribeSourceServersInput, ...func(*sdk.Options)) (*sdk.DescribeSourceServersOutput, error)
	DescribeRecoverySnapshots(context.Context, *sdk.DescribeRecoverySnapshotsInput, ...func(*sdk.Options)) (*sdk.DescribeRecoverySnapshotsOutput, error)
	DescribeJobs(context.Context, *sdk.DescribeJobsInput, ...func(*sdk.Options)) (*sdk.DescribeJobsOutput, error)
	GetLaunchConfiguration(context.Context, *sdk.GetLaunchConfigurationInput, ...func(*sdk.Options)) (*sdk.GetLaunchConfigurationOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
	Now     func() time.Time
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) }), Now: time.Now}
}

// ServersRef names source servers of one Region.
type ServersRef struct {
	Region  plan.Region `json:"region"`
	Servers []string    `json:"servers"`
}

// Servers are by id; one that is not there is left out.
type Servers struct {
	ByID map[string]Server `json:"by_id"`
}

// Server is a source server as it was read.
type Server struct {
	State string `json:"state"` // CONTINUOUS, STALLED, ...
	// Lag is the age of the latest consistent point; -1 when AWS names none.
	Lag      time.Duration `json:"lag"`
	Points   int           `json:"points"` // in time; counted up to a page
	Newest   time.Time     `json:"newest,omitzero"`
	Launch   string        `json:"launch,omitempty"` // status of the last launch
	LaunchAt time.Time     `json:"launch_at,omitzero"`
	Type     string        `json:"type,omitempty"` // instance type that AWS recommends
	Job      string        `json:"job,omitempty"`  // that runs on it now
	// RightSizing is NONE, IN_AWS or BASIC, and Template the id of the EC2 launch
	// template whose default version the server is launched from.
	RightSizing string `json:"right_sizing,omitempty"`
	Disks       int    `json:"disks,omitempty"`
	GiB         int    `json:"gib,omitempty"` // of all disks, each rounded up
	Template    string `json:"template,omitempty"`
}

// filtered is how many servers one call takes, and jobsBack how far back a job
// may have begun that still runs.
const (
	gib      = 1 << 30
	filtered = 200
	jobsBack = 24 * time.Hour
)

// DescribeServers reads servers, their jobs, their points in time and how they would
// be launched: lists for all, and a call for each server where AWS has no list.
func (r *Ready) DescribeServers(ctx context.Context, in ServersRef) (Servers, error) {
	at := cloud.At{Region: in.Region}
	out := Servers{ByID: map[string]Server{}}
	for some := range slices.Chunk(in.Servers, filtered) {
		err := r.servers(ctx, at, &types.DescribeSourceServersRequestFilters{SourceServerIDs: some}, func(s types.SourceServer) {
			out.ByID[aws.ToString(s.SourceServerID)] = serverOf(s)
		})
		if err != nil {
			return Servers{}, err
		}
	}
	busy, err := r.jobs(ctx, at)
	if err != nil {
		return Servers{}, err
	}
	for _, id := range in.Servers {
		s, ok := out.ByID[id]
		if !ok {
			continue
		}
		s.Job = busy[id]
		if s.Points, s.Newest, err = r.points(ctx, at, id); err != nil {
			return Servers{}, err
		}
		if err = r.launching(ctx, at, id, &s); err != nil {
			return Servers{}, err
		}
		out.ByID[id] = s
	}
	return out, nil
}

// launching reads how a server would be launched.
func (r *Ready) launching(ctx context.Context, at cloud.At, id string, s *Server) error {
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).GetLaunchConfiguration, &sdk.GetLaunchConfigurationInput{SourceServerID: aws.String(id)})
	if err != nil {
		return fmt.Errorf("read launch settings of %s: %w", id, err)
	}
	s.RightSizing, s.Template = string(got.TargetInstanceTypeRightSizingMethod), aws.ToString(got.Ec2LaunchTemplateID)
	return nil
}

// servers goes through source servers page by page.
func (r *Ready) servers(ctx context.Context, at cloud.At, filters *types.DescribeSourceServersRequestFilters, each func(types.SourceServer)) error {
	ask := &sdk.DescribeSourceServersInput{Filters: filters}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSourceServers, ask)
		if err != nil {
			return fmt.Errorf("describe source servers in %s: %w", at.Region, err)
		}
		for _, s := range page.Items {
			each(s)
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return nil
		}
	}
}

// serverOf is AWS's description in Lifeline's words.
func serverOf(s types.SourceServer) Server {
	out := Server{Lag: -1}
	if d := s.DataReplicationInfo; d != nil {
		out.State = string(d.DataReplicationState)
		if lag, ok := isoDuration(aws.ToString(d.LagDuration)); ok {
			out.Lag = lag
		}
	}
	if l := s.LifeCycle; l != nil && l.LastLaunch != nil {
		out.Launch = string(l.LastLaunch.Status)
		if i := l.LastLaunch.Initiated; i != nil {
			out.LaunchAt, _ = time.Parse(time.RFC3339, aws.ToString(i.ApiCallDateTime))
		}
	}
	if p := s.SourceProperties; p != nil {
		out.Type, out.Disks = aws.ToString(p.RecommendedInstanceType), len(p.Disks)
		for _, d := range p.Disks {
			out.GiB += int((d.Bytes + gib - 1) / gib)
		}
	}
	return out
}

// jobs are the jobs that run now, by the servers in them.
func (r *Ready) jobs(ctx context.Context, at cloud.At) (map[string]string, error) {
	out := map[string]string{}
	return out, r.running(ctx, at, func(j types.Job) {
		for _, s := range j.ParticipatingServers {
			out[aws.ToString(s.SourceServerID)] = aws.ToString(j.JobID)
		}
	})
}

// points counts the newest points in time of a server.
func (r *Ready) points(ctx context.Context, at cloud.At, id string) (n int, newest time.Time, err error) {
	page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeRecoverySnapshots, &sdk.DescribeRecoverySnapshotsInput{
		SourceServerID: aws.String(id), Order: types.RecoverySnapshotsOrderDesc,
	})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("describe recovery snapshots of %s: %w", id, err)
	}
	for _, p := range page.Items {
		if t, err := time.Parse(time.RFC3339, aws.ToString(p.Timestamp)); err == nil && t.After(newest) {
			newest = t.UTC()
		}
	}
	return len(page.Items), newest, nil
}

// AllRef is everything of a kind in a Region.
type AllRef struct {
	Region plan.Region `json:"region"`
}

// All are ids, sorted.
type All struct {
	Names []string `json:"names,omitempty"`
}

// FindServers lists the source servers of a Region; none where the service was
// never used.
func (r *Ready) FindServers(ctx context.Context, in AllRef) (All, error) {
	var out All
	err := r.servers(ctx, cloud.At{Region: in.Region}, nil, func(s types.SourceServer) {
		out.Names = append(out.Names, aws.ToString(s.SourceServerID))
	})
	if uninitialized(err) {
		return All{}, nil
	}
	slices.Sort(out.Names)
	return out, err
}

// isoDuration reads a duration as ISO 8601 writes it ("P1DT2H30M4.5S"), without
// years and months, whose length nobody knows.
func isoDuration(text string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(text, "P")
	if !ok || rest == "" {
		return 0, false
	}
	sum, clock := time.Duration(0), false
	for rest != "" {
		if after, ok := strings.CutPrefix(rest, "T"); ok && !clock {
			rest, clock = after, true
			continue
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end <= 0 {
			return 0, false
		}
		n, err := strconv.ParseFloat(rest[:end], 64)
		unit, known := isoUnit(rest[end], clock)
		if err != nil || !known {
			return 0, false
		}
		sum += time.Duration(n * float64(unit))
		rest = rest[end+1:]
	}
	return sum, true
}

func isoUnit(letter byte, clock bool) (time.Duration, bool) {
	switch {
	case clock && letter == 'H':
		return time.Hour, true
	case clock && letter == 'M':
		return time.Minute, true
	case clock && letter == 'S':
		return time.Second, true
	case !clock && letter == 'D':
		return 24 * time.Hour, true
	case !clock && letter == 'W':
		return 7 * 24 * time.Hour, true
	}
	return 0, false
}
