package iam

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/iam"

	"lifeline/local/aws/wire"
)

const linkedPath = "/aws-service-role/"

// link is the role that a service has in an account.
type link struct {
	role   string // its name after AWSServiceRoleFor
	policy string // of path /aws-service-role/; "" when none is simulated
	suffix bool   // whether there may be several
}

// links are the services whose roles are known here, with the names that AWS
// documents for them.
func links() map[string]link {
	return map[string]link{
		"drs.amazonaws.com":                    {"ElasticDisasterRecovery", "AWSElasticDisasterRecoveryServiceRolePolicy", false},
		"autoscaling.amazonaws.com":            {"AutoScaling", "AutoScalingServiceRolePolicy", true},
		"rds.amazonaws.com":                    {"RDS", "AmazonRDSServiceRolePolicy", false},
		"elasticloadbalancing.amazonaws.com":   {"ElasticLoadBalancing", "AWSElasticLoadBalancingServiceRolePolicy", false},
		"backup.amazonaws.com":                 {"Backup", "AWSBackupServiceLinkedRolePolicyForBackup", false},
		"restore-testing.backup.amazonaws.com": {"BackupRestoreTesting", "AWSServiceRolePolicyForBackupRestoreTesting", false},
		"reports.backup.amazonaws.com":         {"BackupReports", "AWSServiceRolePolicyForBackupReports", false},
		"replication.dynamodb.amazonaws.com":   {"DynamoDBReplication", "DynamoDBReplicationServiceRolePolicy", false},
		"mrk.kms.amazonaws.com":                {"KeyManagementServiceMultiRegionKeys", "AWSKeyManagementServiceMultiRegionKeysServiceRolePolicy", false},
		"events.amazonaws.com":                 {"CloudWatchEvents", "CloudWatchEventsServiceRolePolicy", false},
	}
}

// CreateServiceLinkedRole makes the role that a service works with.
func (i *IAM) CreateServiceLinkedRole(_ *wire.Call, in *sdk.CreateServiceLinkedRoleInput) (*sdk.CreateServiceLinkedRoleOutput, error) {
	service := *in.AWSServiceName
	of, known := links()[service]
	suffix := aws.StringValue(in.CustomSuffix)
	switch {
	case !known:
		return nil, invalidInput("Cannot find Service Linked Role template for %s", service)
	case suffix != "" && !of.suffix:
		return nil, invalidInput("Custom suffix is not allowed for %s", service)
	case suffix != "":
		suffix = "_" + suffix
	}
	name, path := "AWSServiceRoleFor"+of.role+suffix, linkedPath+service+"/"
	r := &role{
		id: newID("AROA"), name: name, path: path, arn: i.arn("role", path, name), description: aws.StringValue(in.Description),
		created: i.now(), longest: defaultSession, linked: true, tags: map[string]string{}, inline: map[string]string{},
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, ok := i.roles[strings.ToLower(name)]; ok {
		return nil, invalidInput("Service role name %s has been taken in this account, please try a different suffix.", name)
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"sts:AssumeRole"}]}`
	if err := i.setTrust(r, fmt.Sprintf(trust, service)); err != nil {
		return nil, err
	}
	r.attached = []string{ownPrefix + linkedPath + of.policy}
	i.roles[strings.ToLower(name)] = r
	return &sdk.CreateServiceLinkedRoleOutput{Role: r.api()}, nil
}
