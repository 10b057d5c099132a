package backup

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// Limits of selections, as the page "Quotas" gives them.
const (
	mostSelections = 100 // of one plan
	mostARNs       = 500 // of one list without wildcards
	mostWildcards  = 30
	mostConditions = 30
)

// selection assigns resources to a plan.
type selection struct {
	id       string
	sequence int
	created  time.Time
	creator  *string
	document *sdk.Selection
}

func (b *Backup) createBackupSelection(c *wire.Call, in *sdk.CreateBackupSelectionInput) (*sdk.CreateBackupSelectionOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).livePlan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	if err := b.checkSelection(in.BackupSelection); err != nil {
		return nil, err
	}
	for _, s := range p.selections {
		if in.CreatorRequestId != nil && aws.StringValue(s.creator) == *in.CreatorRequestId {
			return s.made(p), nil
		}
		if *s.document.SelectionName == *in.BackupSelection.SelectionName {
			return nil, exists(nil, s.creator, "Backup selection with the name %s already exists in the plan", *s.document.SelectionName)
		}
	}
	if len(p.selections) >= mostSelections {
		return nil, overLimit("The backup plan has %d selections already", mostSelections)
	}
	s := &selection{
		id: uuid.NewString(), sequence: b.count(), created: b.world.Now(), creator: in.CreatorRequestId,
		document: remake[sdk.Selection](in.BackupSelection),
	}
	p.selections[s.id] = s
	return s.made(p), nil
}

func (s *selection) made(p *plan) *sdk.CreateBackupSelectionOutput {
	return &sdk.CreateBackupSelectionOutput{BackupPlanId: aws.String(p.id), SelectionId: aws.String(s.id), CreationDate: aws.Time(s.created)}
}

func (b *Backup) checkSelection(s *sdk.Selection) error {
	if err := b.checkRole(s.IamRoleArn); err != nil {
		return err
	}
	if len(s.Resources) == 0 && len(s.ListOfTags) == 0 && conditionCount(s.Conditions) == 0 {
		return invalid("A selection needs at least one resource, tag or condition")
	}
	if len(s.ListOfTags) > mostConditions || conditionCount(s.Conditions) > mostConditions {
		return overLimit("A selection can have up to %d conditions", mostConditions)
	}
	for _, list := range [][]*string{s.Resources, s.NotResources} {
		if err := checkARNs(aws.StringValueSlice(list)); err != nil {
			return err
		}
	}
	return checkConditions(s.Conditions)
}

func checkARNs(arns []string) error {
	wildcards := 0
	for _, arn := range arns {
		if strings.Contains(arn, "*") {
			wildcards++
		}
		if arn != "*" && (!strings.HasPrefix(arn, "arn:") || strings.Count(arn, ":") < 5) {
			return invalid("Invalid ARN: %s", arn)
		}
	}
	if len(arns) > mostARNs || (wildcards > 0 && len(arns) > mostWildcards) {
		return overLimit("A selection can name up to %d ARNs, or %d with wildcards", mostARNs, mostWildcards)
	}
	return nil
}

func conditionCount(c *sdk.Conditions) int {
	if c == nil {
		return 0
	}
	return len(c.StringEquals) + len(c.StringNotEquals) + len(c.StringLike) + len(c.StringNotLike)
}

// tagPrefix begins the key of a condition on a tag, the only kind there is.
const tagPrefix = "aws:ResourceTag/"

func checkConditions(c *sdk.Conditions) error {
	if c == nil {
		return nil
	}
	for _, list := range [][]*sdk.ConditionParameter{c.StringEquals, c.StringNotEquals, c.StringLike, c.StringNotLike} {
		for _, p := range list {
			if key := aws.StringValue(p.ConditionKey); !strings.HasPrefix(key, tagPrefix) || key == tagPrefix {
				return invalid("Invalid condition key %q: it must begin with %s", key, tagPrefix)
			}
		}
	}
	return nil
}

// selection finds one of a plan's.
func (p *plan) selection(id *string) (*selection, error) {
	s, ok := p.selections[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Cannot find Backup selection with ID %s", aws.StringValue(id))
	}
	return s, nil
}

func (b *Backup) getBackupSelection(c *wire.Call, in *sdk.GetBackupSelectionInput) (*sdk.GetBackupSelectionOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).plan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	s, err := p.selection(in.SelectionId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetBackupSelectionOutput{
		BackupPlanId: aws.String(p.id), SelectionId: aws.String(s.id), CreationDate: aws.Time(s.created), CreatorRequestId: s.creator,
		BackupSelection: remake[sdk.Selection](s.document),
	}, nil
}

func (b *Backup) listBackupSelections(c *wire.Call, in *sdk.ListBackupSelectionsInput) (*sdk.ListBackupSelectionsOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).plan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	var all []*selection
	for _, s := range p.selections {
		all = append(all, s)
	}
	page, next, err := pageOf(in.NextToken, in.MaxResults, all, func(s *selection) string { return oldest(s.sequence) })
	if err != nil {
		return nil, err
	}
	out := &sdk.ListBackupSelectionsOutput{NextToken: next, BackupSelectionsList: []*sdk.SelectionsListMember{}}
	for _, s := range page {
		out.BackupSelectionsList = append(out.BackupSelectionsList, &sdk.SelectionsListMember{
			BackupPlanId: aws.String(p.id), SelectionId: aws.String(s.id), CreationDate: aws.Time(s.created), CreatorRequestId: s.creator,
			IamRoleArn: aws.String(*s.document.IamRoleArn), SelectionName: aws.String(*s.document.SelectionName),
		})
	}
	return out, nil
}

func (b *Backup) deleteBackupSelection(c *wire.Call, in *sdk.DeleteBackupSelectionInput) (*sdk.DeleteBackupSelectionOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).livePlan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	s, err := p.selection(in.SelectionId)
	if err != nil {
		return nil, err
	}
	delete(p.selections, s.id)
	return &sdk.DeleteBackupSelectionOutput{}, nil
}
