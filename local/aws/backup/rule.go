package backup

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
)

// Limits of a plan, as the page "Quotas" gives them.
const (
	mostRules      = 10
	mostCopies     = 5  // copy actions of one rule
	leastStart     = 60 // minutes
	mostStart      = 52_560_000
	coldDays       = 90 // that a point stays in cold storage at least
	continuousDays = 35 // that a continuous point is kept at most
	// usual is the schedule of a rule that names none.
	usual = "cron(0 5 ? * * *)"
)

// checkRules refuses a plan with all that is wrong with its rules; b.mu is held.
func (b *Backup) checkRules(r *region, rules []*sdk.RuleInput) error {
	switch {
	case len(rules) == 0:
		return missing("A backup plan needs at least one rule")
	case len(rules) > mostRules:
		return overLimit("A backup plan can have up to %d rules, not %d", mostRules, len(rules))
	}
	var wrong []string
	names, last := map[string]bool{}, ""
	for _, rule := range rules {
		if len(rule.CopyActions) > mostCopies {
			return overLimit("Rule %s has %d copy actions of up to %d", *rule.RuleName, len(rule.CopyActions), mostCopies)
		}
		why := b.checkRule(r, rule)
		if names[*rule.RuleName] {
			why = "Another rule has the same name"
		}
		names[*rule.RuleName] = true
		if why != "" {
			wrong, last = append(wrong, why), *rule.RuleName
		}
	}
	return inRules(wrong, last)
}

// inRules is how AWS words errors in rules.
func inRules(wrong []string, name string) error {
	switch len(wrong) {
	case 0:
		return nil
	case 1:
		return invalid("Error in rule %s : %s", name, wrong[0])
	default:
		return invalid("Error in some rules due to : %s", strings.Join(wrong, "; "))
	}
}

// checkRule says what is wrong with a rule; empty for nothing.
func (b *Backup) checkRule(r *region, rule *sdk.RuleInput) string {
	if r.vaults[*rule.TargetBackupVaultName] == nil {
		return fmt.Sprintf("Backup vault %s does not exist", *rule.TargetBackupVaultName)
	}
	for _, why := range []string{
		b.checkSchedule(rule), checkWindows(rule.StartWindowMinutes, rule.CompletionWindowMinutes),
		checkLifecycle(rule.Lifecycle, aws.BoolValue(rule.EnableContinuousBackup)), tagTrouble(rule.RecoveryPointTags),
	} {
		if why != "" {
			return why
		}
	}
	for _, action := range rule.CopyActions {
		if why := b.checkCopyAction(r, rule, action); why != "" {
			return why
		}
	}
	return ""
}

func tagTrouble(tags map[string]*string) string {
	if err := checkTags(tags); err != nil {
		return err.Error()
	}
	return ""
}

func (b *Backup) checkSchedule(rule *sdk.RuleInput) string {
	now := b.calendar.now()
	s, err := scheduleOf(rule.ScheduleExpression, rule.ScheduleExpressionTimezone, now)
	if err != nil {
		return err.Error()
	}
	gap, ok := s.shortest(now)
	switch {
	case !ok:
		return fmt.Sprintf("The schedule expression %s has no date to come", *rule.ScheduleExpression)
	case gap < time.Hour:
		return fmt.Sprintf("The schedule expression %s fires more often than once an hour", *rule.ScheduleExpression)
	default:
		return ""
	}
}

func scheduleOf(expression, zone *string, anchor time.Time) (schedule, error) {
	text := aws.StringValue(expression)
	if text == "" {
		text = usual
	}
	return parseSchedule(text, aws.StringValue(zone), anchor)
}

// checkWindows says what is wrong with a job's windows, in minutes.
func checkWindows(start, completion *int64) string {
	begins := minutes(start, defaultStart)
	switch {
	case start != nil && (*start < leastStart || *start > mostStart):
		return fmt.Sprintf("Invalid start window: StartWindowMinutes must be between %d and %d, not %d", leastStart, mostStart, *start)
	case completion != nil && minutes(completion, 0) <= begins:
		return fmt.Sprintf("Invalid completion window: CompletionWindowMinutes must be greater than the start window of %d minutes, not %d", int(begins.Minutes()), *completion)
	default:
		return ""
	}
}

func minutes(n *int64, usual time.Duration) time.Duration {
	if n == nil {
		return usual
	}
	return time.Duration(*n) * time.Minute
}

// checkLifecycle says what is wrong with a lifecycle. DeleteAfterDays -1 is
// "always".
func checkLifecycle(life *sdk.Lifecycle, continuous bool) string {
	var cold, keep *int64
	if life != nil {
		cold, keep = life.MoveToColdStorageAfterDays, life.DeleteAfterDays
	}
	most := int64(mostDays)
	if continuous {
		most = continuousDays
	}
	switch {
	case continuous && cold != nil:
		return "Invalid lifecycle. MoveToColdStorageAfterDays is unavailable"
	case cold != nil && (*cold < 1 || *cold > mostDays):
		return fmt.Sprintf("Invalid lifecycle. MoveToColdStorageAfterDays cannot be less than 1 or more than %d days", mostDays)
	case continuous && keep == nil, keep != nil && (*keep < 1 || *keep > most) && (continuous || *keep != -1):
		return fmt.Sprintf("Invalid lifecycle. DeleteAfterDays cannot be less than 1 or more than %d days", most)
	case cold != nil && keep != nil && *keep != -1 && *keep < *cold+coldDays:
		return "Invalid lifecycle. DeleteAfterDays cannot be less than 90 days apart from MoveToColdStorageAfterDays"
	default:
		return ""
	}
}

func (b *Backup) checkCopyAction(r *region, rule *sdk.RuleInput, action *sdk.CopyAction) string {
	at, ok := parseVaultARN(*action.DestinationBackupVaultArn)
	switch {
	case !ok:
		return fmt.Sprintf("Invalid destination backup vault ARN %s", *action.DestinationBackupVaultArn)
	case at.region == r.name && at.account == b.world.Account() && at.name == *rule.TargetBackupVaultName:
		return "The destination backup vault of a copy cannot be the rule's own"
	}
	return checkLifecycle(action.Lifecycle, false)
}

// vaultPlace is what an ARN of a vault says.
type vaultPlace struct{ region, account, name string }

func parseVaultARN(arn string) (vaultPlace, bool) {
	m := regexp.MustCompile(`^arn:aws:backup:([a-z0-9-]+):(\d{12}):backup-vault:([a-zA-Z0-9\-_]{2,50})$`).FindStringSubmatch(arn)
	if m == nil {
		return vaultPlace{}, false
	}
	return vaultPlace{m[1], m[2], m[3]}, true
}
