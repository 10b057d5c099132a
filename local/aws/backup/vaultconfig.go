package backup

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

// newerEvents are events of vaults that are younger than the shapes.
func newerEvents() []string {
	return []string{
		"CONTINUOUS_BACKUP_INTERRUPTED", "RECOVERY_POINT_INDEX_COMPLETED", "RECOVERY_POINT_INDEX_DELETED",
		"RECOVERY_POINT_INDEXING_FAILED", "EKS_BACKUP_OBJECT_FAILED", "EKS_RESTORE_OBJECT_FAILED", "EKS_RESTORE_OBJECT_SKIPPED",
	}
}

func (b *Backup) putBackupVaultAccessPolicy(c *wire.Call, in *sdk.PutBackupVaultAccessPolicyInput) (*sdk.PutBackupVaultAccessPolicyOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	switch {
	case err != nil:
		return nil, err
	case aws.StringValue(in.Policy) == "":
		return nil, missing("Policy is required")
	case !json.Valid([]byte(*in.Policy)):
		return nil, invalid("The specified policy cannot be added to the vault due to cross-account sharing restrictions or invalid JSON")
	}
	v.policy = in.Policy
	return &sdk.PutBackupVaultAccessPolicyOutput{}, nil
}

func (b *Backup) getBackupVaultAccessPolicy(c *wire.Call, in *sdk.GetBackupVaultAccessPolicyInput) (*sdk.GetBackupVaultAccessPolicyOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	if v.policy == nil {
		return nil, notFound("Backup vault %s does not have an access policy", v.name)
	}
	return &sdk.GetBackupVaultAccessPolicyOutput{BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(v.name), Policy: v.policy}, nil
}

func (b *Backup) deleteBackupVaultAccessPolicy(c *wire.Call, in *sdk.DeleteBackupVaultAccessPolicyInput) (*sdk.DeleteBackupVaultAccessPolicyOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	v.policy = nil
	return &sdk.DeleteBackupVaultAccessPolicyOutput{}, nil
}

func (b *Backup) putBackupVaultNotifications(c *wire.Call, in *sdk.PutBackupVaultNotificationsInput) (*sdk.PutBackupVaultNotificationsOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	switch {
	case err != nil:
		return nil, err
	case len(in.BackupVaultEvents) == 0:
		return nil, missing("BackupVaultEvents must name at least one event")
	case !strings.HasPrefix(*in.SNSTopicArn, "arn:aws:sns:"+c.Region+":"):
		return nil, invalid("Invalid SNS topic ARN %s: the topic must be in the vault's Region", *in.SNSTopicArn)
	}
	v.topic, v.events = *in.SNSTopicArn, aws.StringValueSlice(in.BackupVaultEvents)
	return &sdk.PutBackupVaultNotificationsOutput{}, nil
}

func (b *Backup) getBackupVaultNotifications(c *wire.Call, in *sdk.GetBackupVaultNotificationsInput) (*sdk.GetBackupVaultNotificationsOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	if v.topic == "" {
		return nil, notFound("Failed reading notifications from database for Backup vault %s", v.name)
	}
	return &sdk.GetBackupVaultNotificationsOutput{
		BackupVaultArn: aws.String(v.arn), BackupVaultName: aws.String(v.name),
		SNSTopicArn: aws.String(v.topic), BackupVaultEvents: aws.StringSlice(v.events),
	}, nil
}

func (b *Backup) deleteBackupVaultNotifications(c *wire.Call, in *sdk.DeleteBackupVaultNotificationsInput) (*sdk.DeleteBackupVaultNotificationsOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	v.topic, v.events = "", nil
	return &sdk.DeleteBackupVaultNotificationsOutput{}, nil
}

// notify sends a vault's notification to its topic, if it asks for the event.
func (b *Backup) notify(v *vault, event, text string) {
	if v == nil || b.options.Topics == nil || v.topic == "" || !slices.Contains(v.events, event) {
		return
	}
	region, topic := v.region.name, v.topic
	b.outbox = append(b.outbox, func() {
		if err := b.options.Topics.Act(region, topic, "Notification from AWS Backup", text); err != nil {
			// AWS says nothing either: the job goes on without its message.
			b.world.Logger().Warn("backup notification lost", "topic", topic, "error", err)
		}
	})
}

// sentence is the text of a notification about a job.
func sentence(what, state, resource, id string) string {
	return fmt.Sprintf("An AWS Backup %s job is %s. Resource ARN : %s. %s job ID : %s", what, strings.ToLower(state), resource, what, id)
}
