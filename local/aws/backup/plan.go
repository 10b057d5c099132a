package backup

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// plan is a backup plan with its versions.
type plan struct {
	id, arn    string
	sequence   int
	creator    *string
	versions   []*version // oldest first; the last is in force
	selections map[string]*selection
	deleted    *time.Time
	ran        *time.Time
}

// version is a plan's document at one time.
type version struct {
	id        string
	created   time.Time
	since     time.Time // by AWS's calendar
	document  *sdk.Plan
	input     string              // the document as it was given, to know it again
	schedules map[string]schedule // by name of the rule
	settings  []*sdk.AdvancedBackupSetting
}

func (p *plan) current() *version { return p.versions[len(p.versions)-1] }

func (b *Backup) servePlans(s *wire.Service) {
	wire.Handle(s, "CreateBackupPlan", b.createBackupPlan)
	wire.Handle(s, "GetBackupPlan", b.getBackupPlan)
	wire.Handle(s, "UpdateBackupPlan", b.updateBackupPlan)
	wire.Handle(s, "DeleteBackupPlan", b.deleteBackupPlan)
	wire.Handle(s, "ListBackupPlans", b.listBackupPlans)
	wire.Handle(s, "ListBackupPlanVersions", b.listBackupPlanVersions)
	wire.Handle(s, "ListBackupPlanTemplates", b.listBackupPlanTemplates)
	wire.Handle(s, "GetBackupPlanFromTemplate", b.getBackupPlanFromTemplate)
	wire.Handle(s, "GetBackupPlanFromJSON", b.getBackupPlanFromJSON)
	wire.Handle(s, "ExportBackupPlanTemplate", b.exportBackupPlanTemplate)
	wire.Handle(s, "CreateBackupSelection", b.createBackupSelection)
	wire.Handle(s, "GetBackupSelection", b.getBackupSelection)
	wire.Handle(s, "ListBackupSelections", b.listBackupSelections)
	wire.Handle(s, "DeleteBackupSelection", b.deleteBackupSelection)
}

func (b *Backup) createBackupPlan(c *wire.Call, in *sdk.CreateBackupPlanInput) (*sdk.CreateBackupPlanOutput, error) {
	if err := checkTags(in.BackupPlanTags); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	v, err := b.draft(r, in.BackupPlan)
	if err != nil {
		return nil, err
	}
	p, err := r.samePlan(in.CreatorRequestId, v)
	if err != nil {
		return nil, err
	}
	if p == nil {
		id := uuid.NewString()
		p = &plan{id: id, arn: b.arn(r.name, "backup-plan", id), sequence: b.count(), creator: in.CreatorRequestId, selections: map[string]*selection{}}
		r.plans[id] = p
		r.tag(p.arn, in.BackupPlanTags)
		b.adopt(r, p, v, "CREATED", "creationDate")
	}
	return remake[sdk.CreateBackupPlanOutput](b.describePlan(p, p.current())), nil
}

// samePlan finds the plan that an earlier request has made, or refuses one that
// is there already; nil for a new plan.
func (r *region) samePlan(creator *string, v *version) (*plan, error) {
	for _, p := range r.plans {
		switch {
		case p.deleted != nil:
		case creator != nil && aws.StringValue(p.creator) == *creator:
			if p.versions[0].input != v.input {
				return nil, exists(&p.arn, p.creator, "Backup plan with the same creator request id already exists")
			}
			return p, nil
		case p.current().input == v.input:
			return nil, exists(&p.arn, p.creator, "Backup plan with the same plan document already exists")
		}
	}
	return nil, nil
}

// draft checks a document and makes a version of it; b.mu is held.
func (b *Backup) draft(r *region, in *sdk.PlanInput) (*version, error) {
	if *in.BackupPlanName == "" || len(*in.BackupPlanName) > 50 {
		return nil, invalid("Backup plan names have 1 to 50 characters")
	}
	if err := b.checkRules(r, in.Rules); err != nil {
		return nil, err
	}
	if err := checkAdvanced(in.AdvancedBackupSettings); err != nil {
		return nil, err
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("write down plan %s: %w", *in.BackupPlanName, err)
	}
	now := b.calendar.now()
	v := &version{
		id:      base64.StdEncoding.EncodeToString([]byte(uuid.NewString())),
		created: b.world.Now(), since: now, input: string(raw), schedules: map[string]schedule{},
		document: &sdk.Plan{BackupPlanName: in.BackupPlanName, AdvancedBackupSettings: in.AdvancedBackupSettings}, settings: in.AdvancedBackupSettings,
	}
	for _, asked := range in.Rules {
		rule := remake[sdk.Rule](asked)
		complete(rule)
		v.document.Rules = append(v.document.Rules, rule)
		s, err := scheduleOf(rule.ScheduleExpression, rule.ScheduleExpressionTimezone, now)
		if err != nil {
			return nil, invalid("%v", err)
		}
		v.schedules[*rule.RuleName] = s
	}
	return v, nil
}

// complete gives a rule its id and what AWS takes for members that are left out.
func complete(rule *sdk.Rule) {
	rule.RuleId = aws.String(uuid.NewString())
	if aws.StringValue(rule.ScheduleExpression) == "" {
		rule.ScheduleExpression = aws.String(usual)
	}
	if aws.StringValue(rule.ScheduleExpressionTimezone) == "" {
		rule.ScheduleExpressionTimezone = aws.String("Etc/UTC")
	}
	if rule.StartWindowMinutes == nil {
		rule.StartWindowMinutes = aws.Int64(int64(defaultStart.Minutes()))
	}
	if rule.CompletionWindowMinutes == nil {
		rule.CompletionWindowMinutes = aws.Int64(int64(defaultEnd.Minutes()))
	}
}

// checkAdvanced takes the one setting that there is.
func checkAdvanced(settings []*sdk.AdvancedBackupSetting) error {
	for _, s := range settings {
		if aws.StringValue(s.ResourceType) != "EC2" {
			return invalid("Advanced backup settings are for EC2 only, not %q", aws.StringValue(s.ResourceType))
		}
		if err := checkOptions(s.BackupOptions); err != nil {
			return err
		}
	}
	return nil
}

func checkOptions(options map[string]*string) error {
	for key, value := range options {
		if v := aws.StringValue(value); key != "WindowsVSS" || (v != "enabled" && v != "disabled") {
			return invalid("Invalid backup option %s=%s", key, v)
		}
	}
	return nil
}

// adopt puts a version in force and waits for its schedules.
func (b *Backup) adopt(r *region, p *plan, v *version, state, dated string) {
	p.versions = append(p.versions, v)
	for _, rule := range v.document.Rules {
		b.arm(r, p, v, rule, v.since)
	}
	b.emit(r.name, "Backup Plan State Change", []string{p.arn}, map[string]any{
		"backupPlanId": p.id, "versionId": v.id, dated: stamp(v.created), "state": state,
	})
}

// plan finds one, deleted ones too; b.mu is held.
func (r *region) plan(id *string) (*plan, error) {
	p, ok := r.plans[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Cannot find Backup plan with ID %s", aws.StringValue(id))
	}
	return p, nil
}

// livePlan finds one that isn't deleted.
func (r *region) livePlan(id *string) (*plan, error) {
	p, err := r.plan(id)
	if err == nil && p.deleted != nil {
		return nil, notFound("Backup plan with ID %s is deleted", *id)
	}
	return p, err
}

func (b *Backup) getBackupPlan(c *wire.Call, in *sdk.GetBackupPlanInput) (*sdk.GetBackupPlanOutput, error) {
	b.mu.Lock()
	defer b.release()
	p, err := b.in(c.Region).plan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	if in.VersionId == nil {
		return b.describePlan(p, p.current()), nil
	}
	for _, v := range p.versions {
		if v.id == *in.VersionId {
			return b.describePlan(p, v), nil
		}
	}
	return nil, notFound("Cannot find version %s of Backup plan %s", *in.VersionId, p.id)
}

func (b *Backup) describePlan(p *plan, v *version) *sdk.GetBackupPlanOutput {
	return remake[sdk.GetBackupPlanOutput](&sdk.GetBackupPlanOutput{
		BackupPlan: v.document, BackupPlanArn: &p.arn, BackupPlanId: &p.id, CreationDate: &v.created, CreatorRequestId: p.creator,
		DeletionDate: p.deleted, LastExecutionDate: p.ran, VersionId: &v.id, AdvancedBackupSettings: v.settings,
	})
}

func (b *Backup) updateBackupPlan(c *wire.Call, in *sdk.UpdateBackupPlanInput) (*sdk.UpdateBackupPlanOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	p, err := r.livePlan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	v, err := b.draft(r, in.BackupPlan)
	if err != nil {
		return nil, err
	}
	b.adopt(r, p, v, "MODIFIED", "modifiedAt")
	return remake[sdk.UpdateBackupPlanOutput](b.describePlan(p, v)), nil
}

func (b *Backup) deleteBackupPlan(c *wire.Call, in *sdk.DeleteBackupPlanInput) (*sdk.DeleteBackupPlanOutput, error) {
	b.mu.Lock()
	defer b.release()
	r := b.in(c.Region)
	p, err := r.livePlan(in.BackupPlanId)
	if err != nil {
		return nil, err
	}
	if len(p.selections) > 0 {
		return nil, refused("Related backup plan selections must be deleted prior to backup plan deletion.")
	}
	p.deleted = aws.Time(b.world.Now())
	delete(r.tags, p.arn)
	b.emit(r.name, "Backup Plan State Change", []string{p.arn}, map[string]any{
		"backupPlanId": p.id, "versionId": p.current().id, "deletionDate": stamp(*p.deleted), "state": "DELETED",
	})
	return remake[sdk.DeleteBackupPlanOutput](b.describePlan(p, p.current())), nil
}
