package backup

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

func (b *Backup) listBackupPlans(c *wire.Call, in *sdk.ListBackupPlansInput) (*sdk.ListBackupPlansOutput, error) {
	b.mu.Lock()
	defer b.release()
	var all []*plan
	for _, p := range b.in(c.Region).plans {
		if p.deleted == nil || aws.BoolValue(in.IncludeDeleted) {
			all = append(all, p)
		}
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(p *plan) string { return newest(p.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListBackupPlansOutput{NextToken: next, BackupPlansList: []*sdk.PlansListMember{}}
	for _, p := range page {
		out.BackupPlansList = append(out.BackupPlansList, b.member(p, p.current()))
	}
	return out, nil
}

func (b *Backup) member(p *plan, v *version) *sdk.PlansListMember {
	m := remake[sdk.PlansListMember](b.describePlan(p, v))
	m.BackupPlanName = aws.String(*v.document.BackupPlanName)
	return m
}

func (b *Backup) listBackupPlanVersions(c *wire.Call, in *sdk.ListBackupPlanVersionsInput) (*sdk.ListBackupPlanVersionsOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).plan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	place := map[*version]int{}
	for i, v := range p.versions {
		place[v] = i
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, p.versions, func(v *version) string { return newest(place[v]) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListBackupPlanVersionsOutput{NextToken: next, BackupPlanVersionsList: []*sdk.PlansListMember{}}
	for _, v := range page {
		out.BackupPlanVersionsList = append(out.BackupPlanVersionsList, b.member(p, v))
	}
	return out, nil
}
