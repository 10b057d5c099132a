package wire

import (
	"reflect"
	"testing"

	v1 "github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/backup"
	"github.com/stretchr/testify/require"
)

// Go calls the model's BackupRuleInput backup.RuleInput; its limits hold anyhow.
func TestValidate_ShapesThatLoseTheServicesName_KeepTheirLimits(t *testing.T) {
	t.Parallel()
	svc := NewService("backup", backup.New(V1Session()), RESTJSON)
	rule := &backup.RuleInput{RuleName: v1.String("a rule"), TargetBackupVaultName: v1.String("main")}
	in := &backup.CreateBackupPlanInput{BackupPlan: &backup.PlanInput{BackupPlanName: v1.String("plan"), Rules: []*backup.RuleInput{rule}}}
	require.ErrorContains(t, svc.validate(RESTJSON, reflect.ValueOf(in).Elem()), "ruleName")

	rule.RuleName = v1.String("a-rule")
	require.Nil(t, svc.validate(RESTJSON, reflect.ValueOf(in).Elem()))
}
