package backup

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

func (b *Backup) startCopyJob(c *wire.Call, in *sdk.StartCopyJobInput) (*sdk.StartCopyJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	id, err := r.repeated(c.Operation, in.IdempotencyToken, in)
	if err != nil {
		return nil, err
	}
	j := r.copies[id]
	if j == nil {
		p, err := b.copyable(r, in)
		if err != nil {
			return nil, err
		}
		j = b.startCopy(p, copyOrder{destination: *in.DestinationBackupVaultArn, role: *in.IamRoleArn, lifecycle: in.Lifecycle})
		r.keep(c.Operation, in.IdempotencyToken, in, *j.api.CopyJobId)
	}
	return &sdk.StartCopyJobOutput{CopyJobId: aws.String(*j.api.CopyJobId), CreationDate: aws.Time(*j.api.CreationDate), IsParent: aws.Bool(false)}, nil
}

// copyable gives the point that is to be copied, or refuses it.
func (b *Backup) copyable(r *region, in *sdk.StartCopyJobInput) (*point, error) {
	if err := b.checkRole(in.IamRoleArn); err != nil {
		return nil, err
	}
	p, err := r.point(in.SourceBackupVaultName, in.RecoveryPointArn)
	if err != nil {
		return nil, err
	}
	at, ok := parseVaultARN(*in.DestinationBackupVaultArn)
	switch why := checkLifecycle(in.Lifecycle, false); {
	case !ok:
		return nil, invalid("Invalid destination backup vault ARN %s", *in.DestinationBackupVaultArn)
	case why != "":
		return nil, invalid("%s", why)
	case *in.DestinationBackupVaultArn == p.vault.arn:
		return nil, invalid("The source and the destination backup vault of a copy cannot be the same")
	case at.account == b.world.Account() && b.in(at.region).vaults[at.name] == nil:
		return nil, notFound("Backup vault %s does not exist", *in.DestinationBackupVaultArn)
	case p.continuous:
		return nil, refused("Copying a continuous backup is not supported: recovery point %s is continuous", p.arn)
	case p.cold:
		return nil, refused("Copying from cold storage is not supported: recovery point %s is in cold storage", p.arn)
	case p.status != sdk.RecoveryPointStatusCompleted:
		return nil, refused("Recovery point %s cannot be copied: it is %s", p.arn, p.status)
	default:
		return p, nil
	}
}

func (b *Backup) describeCopyJob(c *wire.Call, in *sdk.DescribeCopyJobInput) (*sdk.DescribeCopyJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	j, ok := b.in(c.Region).copies[*in.CopyJobId]
	if !ok {
		return nil, notFound("Cannot find Copy job with ID %s", *in.CopyJobId)
	}
	return &sdk.DescribeCopyJobOutput{CopyJob: remake[sdk.CopyJob](j.api)}, nil
}

func (b *Backup) listCopyJobs(c *wire.Call, in *sdk.ListCopyJobsInput) (*sdk.ListCopyJobsOutput, error) {
	b.mu.Lock()
	defer b.release()
	var all []*copyJob
	for _, j := range b.in(c.Region).copies {
		a := j.api
		if asked(in.ByState, a.State) && asked(in.ByResourceArn, a.ResourceArn) && asked(in.ByResourceType, a.ResourceType) &&
			asked(in.ByDestinationVaultArn, a.DestinationBackupVaultArn) && asked(in.ByAccountId, a.AccountId) &&
			asked(in.ByParentJobId, a.ParentJobId) && asked(in.ByMessageCategory, a.MessageCategory) &&
			within(in.ByCreatedAfter, in.ByCreatedBefore, a.CreationDate) && within(in.ByCompleteAfter, in.ByCompleteBefore, a.CompletionDate) {
			all = append(all, j)
		}
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(j *copyJob) string { return newest(j.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListCopyJobsOutput{NextToken: next, CopyJobs: []*sdk.CopyJob{}}
	for _, j := range page {
		out.CopyJobs = append(out.CopyJobs, remake[sdk.CopyJob](j.api))
	}
	return out, nil
}
