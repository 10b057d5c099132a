package backup

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/backup/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// Properties of a vault's notifications.
const (
	notifyTopic  = "topic"
	notifyEvents = "events"
)

func (k keeper) readNotifications(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).GetBackupVaultNotifications, &sdk.GetBackupVaultNotificationsInput{BackupVaultName: aws.String(item.Name)})
	if cloud.KindOf(err) == cloud.NotFound {
		return runbook.ItemState{}, nil
	}
	if err != nil {
		return runbook.ItemState{}, fmt.Errorf("notifications of backup vault %s: %w", item.Name, err)
	}
	var events []string
	for _, e := range out.BackupVaultEvents {
		events = append(events, string(e))
	}
	return runbook.ItemState{Found: true, Have: map[string]string{
		notifyTopic: aws.ToString(out.SNSTopicArn), notifyEvents: runbook.List(events...),
	}}, nil
}

// writeNotifications sets topic and events: a vault has one of the one and one
// list of the other.
func (k keeper) writeNotifications(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	in := &sdk.PutBackupVaultNotificationsInput{BackupVaultName: aws.String(item.Name), SNSTopicArn: aws.String(item.Want[notifyTopic])}
	for _, e := range lines(item.Want[notifyEvents]) {
		in.BackupVaultEvents = append(in.BackupVaultEvents, types.BackupVaultEvent(e))
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).PutBackupVaultNotifications, in)
	if err != nil {
		return "", fmt.Errorf("notifications of backup vault %s: %w", item.Name, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// lines takes a list apart.
func lines(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, "\n")
}
