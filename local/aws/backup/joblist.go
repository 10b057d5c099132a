package backup

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

func (b *Backup) serveJobs(s *wire.Service) {
	wire.Handle(s, "StartBackupJob", b.startBackupJob)
	wire.Handle(s, "DescribeBackupJob", b.describeBackupJob)
	wire.Handle(s, "ListBackupJobs", b.listBackupJobs)
	wire.Handle(s, "StopBackupJob", b.stopBackupJob)
	wire.Handle(s, "StartCopyJob", b.startCopyJob)
	wire.Handle(s, "DescribeCopyJob", b.describeCopyJob)
	wire.Handle(s, "ListCopyJobs", b.listCopyJobs)
	wire.Handle(s, "StartRestoreJob", b.startRestoreJob)
	wire.Handle(s, "DescribeRestoreJob", b.describeRestoreJob)
	wire.Handle(s, "ListRestoreJobs", b.listRestoreJobs)
	wire.Handle(s, "GetRestoreJobMetadata", b.getRestoreJobMetadata)
}

// repeated gives the id that an earlier request with the same idempotency token
// got; a token that was used for another request is refused.
func (r *region) repeated(operation string, tok *string, in any) (string, error) {
	if tok == nil {
		return "", nil
	}
	used, ok := r.tokens[operation+"/"+*tok]
	switch {
	case !ok:
		return "", nil
	case used.request != written(in):
		return "", invalid("The idempotency token %s was used for another request", *tok)
	default:
		return used.id, nil
	}
}

func (r *region) keep(operation string, tok *string, in any, id string) {
	if tok != nil {
		r.tokens[operation+"/"+*tok] = token{id: id, request: written(in)}
	}
}

func written(in any) string {
	raw, err := json.Marshal(in)
	if err != nil {
		return fmt.Sprintf("%v", in) // inputs are plain data; this is for the compiler
	}
	return string(raw)
}

func (b *Backup) startBackupJob(c *wire.Call, in *sdk.StartBackupJobInput) (*sdk.StartBackupJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	id, err := r.repeated(c.Operation, in.IdempotencyToken, in)
	if err != nil {
		return nil, err
	}
	if id != "" {
		j := r.jobs[id]
		return &sdk.StartBackupJobOutput{BackupJobId: aws.String(id), CreationDate: aws.Time(*j.api.CreationDate), IsParent: aws.Bool(false)}, nil
	}
	if err := b.checkOrder(in); err != nil {
		return nil, err
	}
	if _, err := r.vault(in.BackupVaultName); err != nil {
		return nil, err
	}
	res, there := b.find(c.Region, *in.ResourceArn)
	if !there {
		return nil, notFound("Resource %s does not exist in Region %s", *in.ResourceArn, c.Region)
	}
	j := b.begin(r, res, nil, order{
		vault: *in.BackupVaultName, role: *in.IamRoleArn, lifecycle: in.Lifecycle, tags: in.RecoveryPointTags, options: in.BackupOptions,
		start: minutes(in.StartWindowMinutes, defaultStart), completion: minutes(in.CompleteWindowMinutes, defaultEnd),
	})
	r.keep(c.Operation, in.IdempotencyToken, in, *j.api.BackupJobId)
	return &sdk.StartBackupJobOutput{BackupJobId: aws.String(*j.api.BackupJobId), CreationDate: aws.Time(*j.api.CreationDate), IsParent: aws.Bool(false)}, nil
}

// checkOrder refuses a job on demand that can't be meant.
func (b *Backup) checkOrder(in *sdk.StartBackupJobInput) error {
	if err := b.checkRole(in.IamRoleArn); err != nil {
		return err
	}
	if typeOf(*in.ResourceArn) == "" {
		return invalid("Unsupported resource type of %s", *in.ResourceArn)
	}
	for _, why := range []string{
		checkWindows(in.StartWindowMinutes, in.CompleteWindowMinutes), checkLifecycle(in.Lifecycle, false), tagTrouble(in.RecoveryPointTags),
	} {
		if why != "" {
			return invalid("%s", why)
		}
	}
	return checkOptions(in.BackupOptions)
}

func (r *region) job(id *string) (*job, error) {
	j, ok := r.jobs[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Cannot find Backup job with ID %s", aws.StringValue(id))
	}
	return j, nil
}

func (b *Backup) describeBackupJob(c *wire.Call, in *sdk.DescribeBackupJobInput) (*sdk.DescribeBackupJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	j, err := b.in(c.Region).job(in.BackupJobId)
	if err != nil {
		return nil, err
	}
	return remake[sdk.DescribeBackupJobOutput](j.api), nil
}

func (b *Backup) listBackupJobs(c *wire.Call, in *sdk.ListBackupJobsInput) (*sdk.ListBackupJobsOutput, error) {
	b.mu.Lock()
	defer b.release()
	var all []*job
	for _, j := range b.in(c.Region).jobs {
		a := j.api
		if asked(in.ByState, a.State) && asked(in.ByResourceArn, a.ResourceArn) && asked(in.ByResourceType, a.ResourceType) &&
			asked(in.ByBackupVaultName, a.BackupVaultName) && asked(in.ByAccountId, a.AccountId) && asked(in.ByParentJobId, a.ParentJobId) &&
			asked(in.ByMessageCategory, a.MessageCategory) &&
			within(in.ByCreatedAfter, in.ByCreatedBefore, a.CreationDate) && within(in.ByCompleteAfter, in.ByCompleteBefore, a.CompletionDate) {
			all = append(all, j)
		}
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(j *job) string { return newest(j.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListBackupJobsOutput{NextToken: next, BackupJobs: []*sdk.Job{}}
	for _, j := range page {
		out.BackupJobs = append(out.BackupJobs, remake[sdk.Job](j.api))
	}
	return out, nil
}

// asked says whether a value is what a filter wants; no filter wants any.
func asked(filter, value *string) bool {
	return filter == nil || *filter == "" || *filter == aws.StringValue(value)
}

// within says whether a date is between two that may be open.
func within(after, before, date *time.Time) bool {
	if after == nil && before == nil {
		return true
	}
	return date != nil && (after == nil || date.After(*after)) && (before == nil || date.Before(*before))
}

func (b *Backup) stopBackupJob(c *wire.Call, in *sdk.StopBackupJobInput) (*sdk.StopBackupJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	j, err := b.in(c.Region).job(in.BackupJobId)
	if err != nil {
		return nil, err
	}
	switch {
	case j.state() != sdk.JobStateCreated && j.state() != sdk.JobStatePending && j.state() != sdk.JobStateRunning:
		return nil, refused("Backup job %s cannot be stopped: it is %s", *in.BackupJobId, j.state())
	case !stoppable(j.resource.Type):
		return nil, refused("Stopping backup jobs is not supported for resource type %s", j.resource.Type)
	}
	b.stop(j, "Backup job was stopped by user.")
	return &sdk.StopBackupJobOutput{}, nil
}

// stoppable tells whether jobs of a type can be stopped; databases' can't.
func stoppable(kind string) bool {
	switch kind {
	case "Aurora", "DocumentDB", "Neptune", "RDS", "FSx", "SAP HANA on Amazon EC2":
		return false
	default:
		return true
	}
}
