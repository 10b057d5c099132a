package drs

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
)

// Load is what a Region has of everything that Elastic Disaster Recovery limits.
type Load struct {
	Servers     int `json:"servers"`     // source servers, in whatever state
	Replicating int `json:"replicating"` // of these
	Jobs        int `json:"jobs"`        // that run now
	Launching   int `json:"launching"`   // servers in these
}

// MeasureServers counts source servers and jobs, whichever application they are of.
func (r *Ready) MeasureServers(ctx context.Context, in AllRef) (Load, error) {
	at := cloud.At{Region: in.Region}
	var out Load
	err := r.servers(ctx, at, nil, func(s types.SourceServer) {
		out.Servers++
		if d := s.DataReplicationInfo; d != nil && replicates(d.DataReplicationState) {
			out.Replicating++
		}
	})
	if err != nil {
		return Load{}, err
	}
	return out, r.running(ctx, at, func(j types.Job) {
		out.Jobs++
		out.Launching += len(j.ParticipatingServers)
	})
}

// replicates says whether a server in this state takes a place among those that do.
func replicates(s types.DataReplicationState) bool {
	return s != types.DataReplicationStateStopped && s != types.DataReplicationStateDisconnected
}

// running goes through the jobs that run now.
func (r *Ready) running(ctx context.Context, at cloud.At, each func(types.Job)) error {
	ask := &sdk.DescribeJobsInput{Filters: &types.DescribeJobsRequestFilters{FromDate: aws.String(r.Now().Add(-jobsBack).UTC().Format(time.RFC3339))}}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeJobs, ask)
		if err != nil {
			return fmt.Errorf("describe jobs in %s: %w", at.Region, err)
		}
		for _, j := range page.Items {
			if j.Status != types.JobStatusCompleted {
				each(j)
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return nil
		}
	}
}
