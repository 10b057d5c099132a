package backup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// SetupAPI is every operation that setup calls.
type SetupAPI interface {
	DescribeRegionSettings(context.Context, *sdk.DescribeRegionSettingsInput, ...func(*sdk.Options)) (*sdk.DescribeRegionSettingsOutput, error)
	UpdateRegionSettings(context.Context, *sdk.UpdateRegionSettingsInput, ...func(*sdk.Options)) (*sdk.UpdateRegionSettingsOutput, error)
	ListBackupVaults(context.Context, *sdk.ListBackupVaultsInput, ...func(*sdk.Options)) (*sdk.ListBackupVaultsOutput, error)
	CreateBackupVault(context.Context, *sdk.CreateBackupVaultInput, ...func(*sdk.Options)) (*sdk.CreateBackupVaultOutput, error)
	PutBackupVaultLockConfiguration(context.Context, *sdk.PutBackupVaultLockConfigurationInput, ...func(*sdk.Options)) (*sdk.PutBackupVaultLockConfigurationOutput, error)
	GetBackupVaultNotifications(context.Context, *sdk.GetBackupVaultNotificationsInput, ...func(*sdk.Options)) (*sdk.GetBackupVaultNotificationsOutput, error)
	PutBackupVaultNotifications(context.Context, *sdk.PutBackupVaultNotificationsInput, ...func(*sdk.Options)) (*sdk.PutBackupVaultNotificationsOutput, error)
	ListBackupPlans(context.Context, *sdk.ListBackupPlansInput, ...func(*sdk.Options)) (*sdk.ListBackupPlansOutput, error)
	GetBackupPlan(context.Context, *sdk.GetBackupPlanInput, ...func(*sdk.Options)) (*sdk.GetBackupPlanOutput, error)
	CreateBackupPlan(context.Context, *sdk.CreateBackupPlanInput, ...func(*sdk.Options)) (*sdk.CreateBackupPlanOutput, error)
	UpdateBackupPlan(context.Context, *sdk.UpdateBackupPlanInput, ...func(*sdk.Options)) (*sdk.UpdateBackupPlanOutput, error)
	ListBackupPlanTemplates(context.Context, *sdk.ListBackupPlanTemplatesInput, ...func(*sdk.Options)) (*sdk.ListBackupPlanTemplatesOutput, error)
	GetBackupPlanFromTemplate(context.Context, *sdk.GetBackupPlanFromTemplateInput, ...func(*sdk.Options)) (*sdk.GetBackupPlanFromTemplateOutput, error)
	ListBackupSelections(context.Context, *sdk.ListBackupSelectionsInput, ...func(*sdk.Options)) (*sdk.ListBackupSelectionsOutput, error)
	GetBackupSelection(context.Context, *sdk.GetBackupSelectionInput, ...func(*sdk.Options)) (*sdk.GetBackupSelectionOutput, error)
	CreateBackupSelection(context.Context, *sdk.CreateBackupSelectionInput, ...func(*sdk.Options)) (*sdk.CreateBackupSelectionOutput, error)
}

// KeyAPI tells whose key a vault has.
type KeyAPI interface {
	DescribeKey(context.Context, *kms.DescribeKeyInput, ...func(*kms.Options)) (*kms.DescribeKeyOutput, error)
}

// keeper keeps everything of this package.
type keeper struct {
	clients func(plan.Region) SetupAPI
	keys    func(plan.Region) KeyAPI
}

// Keepers are what this package keeps.
func Keepers(c *cloud.Clients) []keep.Keeper {
	return keeper{
		clients: cloud.PerRegion(c, func(cfg aws.Config) SetupAPI { return sdk.NewFromConfig(cfg) }),
		keys:    cloud.PerRegion(c, func(cfg aws.Config) KeyAPI { return kms.NewFromConfig(cfg) }),
	}.keepers()
}

func (k keeper) keepers() []keep.Keeper {
	return []keep.Keeper{
		{Type: "backup-region-settings", Read: k.readSettings, Write: k.writeSettings},
		{Type: "backup-vault", Read: k.readVaults, Write: k.writeVault, Fixed: []string{vaultKey}},
		{Type: "backup-vault-lock", Read: k.readLocks, Write: k.writeLock},
		{Type: "backup-vault-notifications", Read: keep.Each(k.readNotifications), Write: k.writeNotifications},
		{Type: "backup-plan", Read: k.readPlans, Write: k.writePlan},
		{Type: "backup-selection", Read: k.readSelections, Write: k.writeSelection, Inside: selectionPlan, Fixed: []string{selectionRole, selectionResources, selectionConditions}},
	}
}

// owner is the tag of what setup makes.
const owner = "lifeline:application"

// tags are those that an item wants at its creation.
func tags(item runbook.Item) map[string]string {
	return map[string]string{owner: item.Want[runbook.AtCreation+"tag/"+owner]}
}

// token makes a creation that is asked for twice happen once. within is what the
// item's name is unique in, when that is less than its Region.
func token(item runbook.Item, within ...string) *string {
	return aws.String(runbook.Token(append([]string{"setup", item.ID()}, within...)...))
}
