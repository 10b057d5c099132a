package backup

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

// protected are the resources with a recovery point among some, each with its
// youngest, in the order of their ARNs.
func protected(among []*point) []*sdk.ProtectedResource {
	last := map[string]*point{}
	for _, p := range among {
		if have := last[p.resource.ARN]; have == nil || p.completed.After(have.completed) {
			last[p.resource.ARN] = p
		}
	}
	out := []*sdk.ProtectedResource{}
	for _, p := range last {
		out = append(out, &sdk.ProtectedResource{
			LastBackupTime: aws.Time(p.completed), LastBackupVaultArn: aws.String(p.vault.arn), LastRecoveryPointArn: aws.String(p.arn),
			ResourceArn: aws.String(p.resource.ARN), ResourceName: aws.String(p.resource.Name), ResourceType: aws.String(p.resource.Type),
		})
	}
	return out
}

func byARN(r *sdk.ProtectedResource) string { return *r.ResourceArn }

func (b *Backup) listProtectedResources(c *wire.Call, in *sdk.ListProtectedResourcesInput) (*sdk.ListProtectedResourcesOutput, error) {
	b.mu.Lock()
	defer b.release()
	all := protected(b.in(c.Region).all(func(*point) bool { return true }))
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, byARN)
	if err != nil {
		return nil, err
	}
	return &sdk.ListProtectedResourcesOutput{NextToken: next, Results: page}, nil
}

func (b *Backup) listProtectedResourcesByBackupVault(c *wire.Call, in *sdk.ListProtectedResourcesByBackupVaultInput) (*sdk.ListProtectedResourcesByBackupVaultOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	v, err := r.vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, protected(r.all(func(p *point) bool { return p.vault == v })), byARN)
	if err != nil {
		return nil, err
	}
	return &sdk.ListProtectedResourcesByBackupVaultOutput{NextToken: next, Results: page}, nil
}

func (b *Backup) describeProtectedResource(c *wire.Call, in *sdk.DescribeProtectedResourceInput) (*sdk.DescribeProtectedResourceOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	found := protected(r.all(func(p *point) bool { return p.resource.ARN == *in.ResourceArn }))
	if len(found) == 0 {
		return nil, notFound("Resource %s is not protected by AWS Backup", *in.ResourceArn)
	}
	out := remake[sdk.DescribeProtectedResourceOutput](found[0])
	for _, j := range r.restores {
		if j.point.resource.ARN != *in.ResourceArn || j.state() != sdk.RestoreJobStatusCompleted {
			continue
		}
		if out.LatestRestoreJobCreationDate == nil || j.api.CreationDate.After(*out.LatestRestoreJobCreationDate) {
			out.LatestRestoreJobCreationDate = aws.Time(*j.api.CreationDate)
			out.LatestRestoreRecoveryPointCreationDate = aws.Time(j.point.created)
			out.LatestRestoreExecutionTimeMinutes = aws.Int64(int64(j.api.CompletionDate.Sub(*j.api.CreationDate).Minutes()))
		}
	}
	return out, nil
}
