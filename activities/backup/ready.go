package backup

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of backups.
type ReadyAPI interface {
	DescribeBackupVault(context.Context, *sdk.DescribeBackupVaultInput, ...func(*sdk.Options)) (*sdk.DescribeBackupVaultOutput, error)
	ListRecoveryPointsByBackupVault(context.Context, *sdk.ListRecoveryPointsByBackupVaultInput, ...func(*sdk.Options)) (*sdk.ListRecoveryPointsByBackupVaultOutput, error)
	ListBackupJobs(context.Context, *sdk.ListBackupJobsInput, ...func(*sdk.Options)) (*sdk.ListBackupJobsOutput, error)
	ListCopyJobs(context.Context, *sdk.ListCopyJobsInput, ...func(*sdk.Options)) (*sdk.ListCopyJobsOutput, error)
	ListRestoreJobs(context.Context, *sdk.ListRestoreJobsInput, ...func(*sdk.Options)) (*sdk.ListRestoreJobsOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// patient is the timeout of one call of a list.
const patient = 10 * time.Second

// VaultRef is a vault, and from when on recovery points count.
type VaultRef struct {
	Region plan.Region `json:"region"`
	Vault  string      `json:"vault"`
	Since  time.Time   `json:"since"`
}

// Vault is a vault as it was read.
type Vault struct {
	Made    time.Time `json:"made"`
	Locked  bool      `json:"locked"`
	MinDays int       `json:"min_days,omitempty"`
	MaxDays int       `json:"max_days,omitempty"`
	// Final is when a compliance lock can't be taken back any more; zero for a
	// governance lock.
	Final time.Time `json:"final,omitzero"`
	// Newest is when the newest restorable recovery point of each resource was
	// begun, by the resource's ARN. Points older than Since are not counted.
	Newest map[string]time.Time `json:"newest,omitempty"`
	Points int                  `json:"points"`
}

// DescribeVault reads a vault's lock and the newest points that can be restored.
func (r *Ready) DescribeVault(ctx context.Context, in VaultRef) (Vault, error) {
	at := cloud.At{Region: in.Region, Timeout: patient}
	v, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeBackupVault, &sdk.DescribeBackupVaultInput{BackupVaultName: aws.String(in.Vault)})
	if err != nil {
		return Vault{}, fmt.Errorf("describe backup vault %q: %w", in.Vault, err)
	}
	out := Vault{
		Made: aws.ToTime(v.CreationDate).UTC(), Locked: aws.ToBool(v.Locked), Final: aws.ToTime(v.LockDate),
		MinDays: int(aws.ToInt64(v.MinRetentionDays)), MaxDays: int(aws.ToInt64(v.MaxRetentionDays)), Newest: map[string]time.Time{},
	}
	ask := &sdk.ListRecoveryPointsByBackupVaultInput{BackupVaultName: aws.String(in.Vault), ByCreatedAfter: aws.Time(in.Since), MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListRecoveryPointsByBackupVault, ask)
		if err != nil {
			return Vault{}, fmt.Errorf("list recovery points of vault %q: %w", in.Vault, err)
		}
		for _, p := range page.RecoveryPoints {
			if p.Status != types.RecoveryPointStatusCompleted && p.Status != types.RecoveryPointStatusAvailable {
				continue
			}
			out.Points++
			if begun := begun(p); begun.After(out.Newest[aws.ToString(p.ResourceArn)]) {
				out.Newest[aws.ToString(p.ResourceArn)] = begun
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return out, nil
		}
	}
}

// begun is when a point's backup was begun: what it holds is of then. A copy
// remembers it where AWS tells.
func begun(p types.RecoveryPointByBackupVault) time.Time {
	at := aws.ToTime(p.CreationDate)
	if p.InitiationDate != nil && p.InitiationDate.Before(at) {
		at = *p.InitiationDate
	}
	return at.UTC()
}

// JobsRef asks for what a Region's jobs have come to.
type JobsRef struct {
	Region plan.Region `json:"region"`
	// Since bounds backups and copies, and Tests restores.
	Since time.Time `json:"since"`
	Tests time.Time `json:"tests"`
	Vault string    `json:"vault"` // whose jobs count; restores are told by no vault
}

// Jobs are the jobs of a Region.
type Jobs struct {
	Backups []Job `json:"backups,omitempty"` // the last of each resource, and those that failed
	Copies  []Job `json:"copies,omitempty"`
	// Restored is when the last restore succeeded, zero when none did.
	Restored time.Time `json:"restored,omitzero"`
}

// Job is one job that has ended.
type Job struct {
	Resource string    `json:"resource"` // ARN
	State    string    `json:"state"`
	At       time.Time `json:"at"`
	Why      string    `json:"why,omitempty"`
}

// Failed says that a job did not do what it should. One that never started in
// its window failed as well, and so did one that left a part out.
func (j Job) Failed() bool {
	switch types.BackupJobState(j.State) {
	case types.BackupJobStateFailed, types.BackupJobStateExpired, types.BackupJobStateAborted, types.BackupJobStatePartial:
		return true
	case types.BackupJobStateCreated, types.BackupJobStatePending, types.BackupJobStateRunning, types.BackupJobStateAborting, types.BackupJobStateCompleted:
	}
	return false
}

// DescribeJobs reads the backup and copy jobs of a Region since a moment, and
// when the last restore succeeded there.
func (r *Ready) DescribeJobs(ctx context.Context, in JobsRef) (Jobs, error) {
	at := cloud.At{Region: in.Region, Timeout: patient}
	var out Jobs
	var err error
	if out.Backups, err = r.backups(ctx, at, in); err != nil {
		return Jobs{}, fmt.Errorf("list backup jobs in %s: %w", in.Region, err)
	}
	if out.Copies, err = r.copies(ctx, at, in); err != nil {
		return Jobs{}, fmt.Errorf("list copy jobs in %s: %w", in.Region, err)
	}
	if out.Restored, err = r.restored(ctx, at, in.Tests); err != nil {
		return Jobs{}, fmt.Errorf("list restore jobs in %s: %w", in.Region, err)
	}
	return out, nil
}

func (r *Ready) backups(ctx context.Context, at cloud.At, in JobsRef) ([]Job, error) {
	told := tally{}
	ask := &sdk.ListBackupJobsInput{ByCreatedAfter: aws.Time(in.Since), ByBackupVaultName: aws.String(in.Vault), MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListBackupJobs, ask)
		if err != nil {
			return nil, err
		}
		for _, j := range page.BackupJobs {
			told.add(Job{aws.ToString(j.ResourceArn), string(j.State), aws.ToTime(j.CreationDate).UTC(), aws.ToString(j.StatusMessage)})
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return told.jobs(), nil
		}
	}
}

func (r *Ready) copies(ctx context.Context, at cloud.At, in JobsRef) ([]Job, error) {
	told := tally{}
	ask := &sdk.ListCopyJobsInput{ByCreatedAfter: aws.Time(in.Since), MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListCopyJobs, ask)
		if err != nil {
			return nil, err
		}
		for _, j := range page.CopyJobs {
			if vaultName(aws.ToString(j.SourceBackupVaultArn)) == in.Vault {
				told.add(Job{aws.ToString(j.ResourceArn), string(j.State), aws.ToTime(j.CreationDate).UTC(), aws.ToString(j.StatusMessage)})
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return told.jobs(), nil
		}
	}
}

func (r *Ready) restored(ctx context.Context, at cloud.At, since time.Time) (time.Time, error) {
	var last time.Time
	ask := &sdk.ListRestoreJobsInput{ByCreatedAfter: aws.Time(since), ByStatus: types.RestoreJobStatusCompleted, MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).ListRestoreJobs, ask)
		if err != nil {
			return time.Time{}, err
		}
		for _, j := range page.RestoreJobs {
			bad := j.ValidationStatus == types.RestoreValidationStatusFailed || j.ValidationStatus == types.RestoreValidationStatusTimedOut
			if done := aws.ToTime(j.CompletionDate).UTC(); !bad && done.After(last) {
				last = done
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return last, nil
		}
	}
}
