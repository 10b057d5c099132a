package drs

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"

	"lifeline/local/aws/wire"
)

// Quotas of jobs, by their Service Quotas codes.
const (
	maxServersInJob  = 100 // L-B827C881
	maxServersInJobs = 500 // L-05AFA8C6
	maxJobs          = 20  // L-D88FAC3A
)

// job launches or terminates recovery instances. It ends COMPLETED however its
// servers fared: that is in their launchStatus.
type job struct {
	region, id, arn string
	order           int
	began           time.Time
	api             *sdk.Job
	log             []*sdk.JobLog
	left            int // servers that are not done
}

func (j *job) active() bool { return *j.api.Status != sdk.JobStatusCompleted }

// record adds a line to the job's log.
func (d *DRS) record(j *job, event string, data *sdk.JobLogEventData) {
	j.log = append(j.log, &sdk.JobLog{Event: aws.String(event), EventData: data, LogDateTime: stamp(d.world.Now())})
}

// addJob makes a pending job for some servers.
func (d *DRS) addJob(r *region, kind, by string, parts []*sdk.ParticipatingServer, tags map[string]*string) *job {
	id, now := d.world.NewID("drsjob-"), d.world.Now()
	if tags == nil {
		tags = map[string]*string{}
	}
	j := &job{region: r.name, id: id, arn: d.arn(r.name, "job", id), order: d.next(), began: now, left: len(parts)}
	j.api = &sdk.Job{
		JobID: aws.String(id), Arn: aws.String(j.arn), CreationDateTime: stamp(now), InitiatedBy: aws.String(by),
		Type: aws.String(kind), Status: aws.String(sdk.JobStatusPending), ParticipatingServers: parts, Tags: tags,
	}
	r.jobs[id] = j
	return j
}

// done ends the job with its last server.
func (d *DRS) done(j *job) {
	j.left--
	if j.left > 0 {
		return
	}
	d.record(j, sdk.JobLogEventJobEnd, nil)
	j.api.Status, j.api.EndDateTime = aws.String(sdk.JobStatusCompleted), stamp(d.world.Now())
}

// room refuses a job that the quotas leave no room for.
func (r *region) room(servers int) error {
	jobs, busy := 0, 0
	for _, j := range r.jobs {
		if j.active() {
			jobs++
			busy += len(j.api.ParticipatingServers)
		}
	}
	switch {
	case servers > maxServersInJob:
		return overQuota("A job takes %d source servers at most (quota L-B827C881).", maxServersInJob)
	case jobs >= maxJobs:
		return overQuota("%d jobs are in progress already (quota L-D88FAC3A).", maxJobs)
	case busy+servers > maxServersInJobs:
		return overQuota("All active jobs take %d source servers at most (quota L-05AFA8C6).", maxServersInJobs)
	}
	return nil
}

func (r *region) job(id *string) (*job, error) {
	j, ok := r.jobs[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Job", aws.StringValue(id))
	}
	return j, nil
}

func (d *DRS) serveRecovery(s *wire.Service) {
	serve(d, s, "StartRecovery", d.startRecovery)
	serve(d, s, "DescribeJobs", d.describeJobs)
	serve(d, s, "DescribeJobLogItems", d.describeJobLogItems)
	serve(d, s, "DeleteJob", d.deleteJob)
	serve(d, s, "DescribeRecoveryInstances", d.describeRecoveryInstances)
	serve(d, s, "TerminateRecoveryInstances", d.terminateRecoveryInstances)
	serve(d, s, "DisconnectRecoveryInstance", d.disconnectRecoveryInstance)
	serve(d, s, "DeleteRecoveryInstance", d.deleteRecoveryInstance)
	serve(d, s, "ReverseReplication", d.reverseReplication)
	serve(d, s, "StartFailbackLaunch", d.startFailbackLaunch)
	serve(d, s, "PutLaunchAction", d.putLaunchAction)
	serve(d, s, "ListLaunchActions", d.listLaunchActions)
	serve(d, s, "DeleteLaunchAction", d.deleteLaunchAction)
}

// describeJobs lists jobs, the newest first.
func (d *DRS) describeJobs(r *region, in *sdk.DescribeJobsInput) (*sdk.DescribeJobsOutput, error) {
	from, to, ids := time.Time{}, d.world.Now(), []string(nil)
	if f := in.Filters; f != nil {
		var err error
		if from, err = moment(f.FromDate, from); err != nil {
			return nil, err
		}
		if to, err = moment(f.ToDate, to); err != nil {
			return nil, err
		}
		ids = aws.StringValueSlice(f.JobIDs)
	}
	var found []*job
	for _, j := range r.jobs {
		if (len(ids) == 0 || slices.Contains(ids, j.id)) && !j.began.Before(from) && !j.began.After(to) {
			found = append(found, j)
		}
	}
	const last = 999_999_999
	found, next, err := page(found, in.MaxResults, in.NextToken, func(j *job) string { return fmt.Sprintf("%09d", last-j.order) })
	out := &sdk.DescribeJobsOutput{NextToken: next, Items: []*sdk.Job{}}
	for _, j := range found {
		out.Items = append(out.Items, clone(j.api))
	}
	return out, err
}

func (d *DRS) describeJobLogItems(r *region, in *sdk.DescribeJobLogItemsInput) (*sdk.DescribeJobLogItemsOutput, error) {
	j, err := r.job(in.JobID)
	if err != nil {
		return nil, err
	}
	at := make([]int, len(j.log))
	for i := range at {
		at[i] = i
	}
	at, next, err := page(at, in.MaxResults, in.NextToken, func(i int) string { return fmt.Sprintf("%09d", i) })
	out := &sdk.DescribeJobLogItemsOutput{NextToken: next, Items: []*sdk.JobLog{}}
	for _, i := range at {
		out.Items = append(out.Items, clone(j.log[i]))
	}
	return out, err
}

// deleteJob forgets a job that has ended.
func (d *DRS) deleteJob(r *region, in *sdk.DeleteJobInput) (*sdk.DeleteJobOutput, error) {
	j, err := r.job(in.JobID)
	switch {
	case err != nil:
		return nil, err
	case j.active():
		return nil, conflict("Job %s is in progress.", j.id)
	}
	delete(r.jobs, j.id)
	return nil, nil
}
