package backup

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

func (b *Backup) startRestoreJob(c *wire.Call, in *sdk.StartRestoreJobInput) (*sdk.StartRestoreJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	id, err := r.repeated(c.Operation, in.IdempotencyToken, in)
	if err != nil {
		return nil, err
	}
	if id == "" {
		p, err := b.restorable(r, in)
		if err != nil {
			return nil, err
		}
		id = *b.startRestore(p, in.IamRoleArn, aws.StringValueMap(in.Metadata)).api.RestoreJobId
		r.keep(c.Operation, in.IdempotencyToken, in, id)
	}
	return &sdk.StartRestoreJobOutput{RestoreJobId: aws.String(id)}, nil
}

// restorable gives the point that is to be restored, or refuses the request.
func (b *Backup) restorable(r *region, in *sdk.StartRestoreJobInput) (*point, error) {
	if in.IamRoleArn != nil {
		if err := b.checkRole(in.IamRoleArn); err != nil {
			return nil, err
		}
	}
	found := r.all(func(p *point) bool { return p.arn == *in.RecoveryPointArn })
	if len(found) == 0 {
		return nil, notFound("Cannot find recovery point %s", *in.RecoveryPointArn)
	}
	p := found[0]
	switch why := p.lacking(aws.StringValueMap(in.Metadata), b.world.Now()); {
	case in.ResourceType != nil && *in.ResourceType != p.resource.Type:
		return nil, invalid("Resource type %s does not match that of the recovery point, %s", *in.ResourceType, p.resource.Type)
	case p.status != sdk.RecoveryPointStatusCompleted && p.status != statusAvailable:
		return nil, refused("Recovery point %s cannot be restored: it is %s", p.arn, p.status)
	case why != "":
		return nil, invalid("%s", why)
	default:
		return p, nil
	}
}

func (r *region) restore(id *string) (*restoreJob, error) {
	j, ok := r.restores[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Cannot find Restore job with ID %s", aws.StringValue(id))
	}
	return j, nil
}

func (b *Backup) describeRestoreJob(c *wire.Call, in *sdk.DescribeRestoreJobInput) (*sdk.DescribeRestoreJobOutput, error) {
	b.mu.Lock()
	defer b.release()
	j, err := b.in(c.Region).restore(in.RestoreJobId)
	if err != nil {
		return nil, err
	}
	return remake[sdk.DescribeRestoreJobOutput](j.api), nil
}

func (b *Backup) getRestoreJobMetadata(c *wire.Call, in *sdk.GetRestoreJobMetadataInput) (*sdk.GetRestoreJobMetadataOutput, error) {
	b.mu.Lock()
	defer b.release()
	j, err := b.in(c.Region).restore(in.RestoreJobId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetRestoreJobMetadataOutput{RestoreJobId: aws.String(*in.RestoreJobId), Metadata: aws.StringMap(j.metadata)}, nil
}

func (b *Backup) listRestoreJobs(c *wire.Call, in *sdk.ListRestoreJobsInput) (*sdk.ListRestoreJobsOutput, error) {
	b.mu.Lock()
	defer b.release()
	var all []*restoreJob
	for _, j := range b.in(c.Region).restores {
		a := j.api
		if asked(in.ByStatus, a.Status) && asked(in.ByResourceType, a.ResourceType) && asked(in.ByAccountId, a.AccountId) &&
			asked(in.ByRestoreTestingPlanArn, nil) &&
			within(in.ByCreatedAfter, in.ByCreatedBefore, a.CreationDate) && within(in.ByCompleteAfter, in.ByCompleteBefore, a.CompletionDate) {
			all = append(all, j)
		}
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(j *restoreJob) string { return newest(j.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListRestoreJobsOutput{NextToken: next, RestoreJobs: []*sdk.RestoreJobsListMember{}}
	for _, j := range page {
		out.RestoreJobs = append(out.RestoreJobs, remake[sdk.RestoreJobsListMember](j.api))
	}
	return out, nil
}
