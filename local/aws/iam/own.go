package iam

import (
	"encoding/json"
	"time"
)

const ownPrefix = "arn:aws:iam::aws:policy"

// own is a policy that AWS keeps: where it stands, and the actions that matter of
// those it allows. AWS's own documents are longer and change every few weeks.
type own struct {
	path, name string
	actions    []string
}

// addOwn fills in AWS's policies.
func (i *IAM) addOwn(now time.Time) {
	all := append(serviceRoles(), general()...)
	for service, of := range links() {
		all = append(all, own{linkedPath, of.policy, linkedActions(service)})
	}
	for _, o := range all {
		p := &managed{
			id: newID("ANPA"), name: o.name, path: o.path, arn: ownPrefix + o.path + o.name, aws: true,
			created: now.UTC().Truncate(time.Second), tags: map[string]string{},
		}
		p.add(document(o.actions), p.created, true)
		i.policies[p.arn] = p
	}
}

func document(actions []string) string {
	type statement struct {
		Effect   string
		Action   []string
		Resource string
	}
	raw, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{"Allow", actions, "*"}}})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(raw)
}

func linkedActions(service string) []string {
	switch service {
	case "drs.amazonaws.com":
		return []string{"drs:*", "ec2:Describe*", "ec2:RunInstances", "ec2:CreateSnapshot", "ec2:CreateTags"}
	case "autoscaling.amazonaws.com":
		return []string{"ec2:RunInstances", "ec2:TerminateInstances", "ec2:Describe*", "elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"}
	case "mrk.kms.amazonaws.com":
		return []string{"kms:SynchronizeMultiRegionKey"}
	default:
		return []string{"ec2:Describe*", "cloudwatch:PutMetricData", "tag:GetResources"}
	}
}

func serviceRoles() []own {
	const path = "/service-role/"
	agent := []string{"drs:SendAgentMetricsForDrs", "drs:SendAgentLogsForDrs", "drs:UpdateAgentReplicationInfoForDrs", "drs:GetAgentCommandForDrs"}
	return []own{
		{path, "AWSBackupServiceRolePolicyForBackup", []string{
			"backup:CopyIntoBackupVault", "backup:CopyFromBackupVault", "ec2:CreateSnapshot", "ec2:CopySnapshot", "ec2:CreateImage", "ec2:Describe*",
			"rds:CreateDBSnapshot", "rds:CopyDBSnapshot", "rds:CreateDBClusterSnapshot", "rds:Describe*", "rds:DeleteDBSnapshot", "rds:ModifyDBInstance",
			"dynamodb:CreateBackup", "dynamodb:StartAwsBackupJob", "kms:Decrypt", "kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext", "tag:GetResources",
		}},
		{path, "AWSBackupServiceRolePolicyForRestores", []string{
			"ec2:CreateVolume", "ec2:RunInstances", "ec2:Describe*", "ec2:CreateTags", "rds:RestoreDBInstanceFromDBSnapshot", "rds:RestoreDBInstanceToPointInTime",
			"rds:RestoreDBClusterFromSnapshot", "rds:Describe*", "dynamodb:RestoreTableFromBackup", "dynamodb:RestoreTableFromAwsBackup", "kms:Decrypt", "kms:CreateGrant", "kms:DescribeKey",
		}},
		{path, "AWSDataLifecycleManagerServiceRole", []string{
			"ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:DeleteSnapshot", "ec2:DescribeInstances", "ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:CreateTags",
			"ec2:CopySnapshot", "ec2:ModifySnapshotTier",
		}},
		{path, "AWSDataLifecycleManagerServiceRoleForAMIManagement", []string{"ec2:CreateImage", "ec2:CopyImage", "ec2:DeregisterImage", "ec2:DeleteSnapshot", "ec2:Describe*", "ec2:CreateTags"}},
		{path, "AWSLambdaBasicExecutionRole", []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}},
		{path, "AWSLambdaVPCAccessExecutionRole", []string{"logs:*", "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"}},
		{path, "AmazonRDSEnhancedMonitoringRole", []string{"logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:CreateLogStream", "logs:PutLogEvents"}},
		{path, "AWSElasticDisasterRecoveryAgentPolicy", agent},
		{path, "AWSElasticDisasterRecoverySourceServerPolicy", agent},
		{path, "AWSElasticDisasterRecoveryRecoveryInstancePolicy", append([]string{"drs:DescribeRecoveryInstances", "drs:IssueAgentCertificateForDrs"}, agent...)},
		{path, "AWSElasticDisasterRecoveryReplicationServerPolicy", []string{"drs:SendClientMetricsForDrs", "drs:GetChannelCommandsForDrs", "ec2:CreateSnapshot", "ec2:Describe*"}},
		{path, "AWSElasticDisasterRecoveryConversionServerPolicy", []string{"drs:SendClientMetricsForDrs", "drs:GetChannelCommandsForDrs", "drs:SendChannelCommandResultForDrs"}},
		{path, "AWSElasticDisasterRecoveryFailbackPolicy", []string{"drs:GetFailbackCommandForDrs", "drs:SendAgentLogsForDrs", "drs:UpdateFailbackClientDeviceMappingForDrs"}},
		{path, "AWSElasticDisasterRecoveryEc2InstancePolicy", []string{"drs:GetAgentInstallationAssetsForDrs", "drs:CreateSourceServerForDrs", "drs:TagResource"}},
		{path, "AWSElasticDisasterRecoveryCrossAccountReplicationPolicy", []string{"drs:GetReplicationConfiguration", "drs:SendVolumeStatsForDrs", "ec2:Describe*"}},
		{path, "AWSElasticDisasterRecoveryNetworkReplicationPolicy", []string{"drs:StartSourceNetworkReplication", "ec2:Describe*", "cloudformation:*"}},
	}
}

func general() []own {
	return []own{
		{"/", "AdministratorAccess", []string{"*"}},
		{"/", "ReadOnlyAccess", []string{"ec2:Describe*", "rds:Describe*", "s3:Get*", "s3:List*", "backup:Describe*", "backup:Get*", "backup:List*", "drs:Describe*", "iam:Get*", "iam:List*", "kms:Describe*", "kms:List*"}},
		{"/", "AWSBackupServiceRolePolicyForS3Backup", []string{"s3:GetBucketVersioning", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutBucketNotification", "s3:GetBucketNotification", "events:PutRule", "events:PutTargets", "cloudwatch:GetMetricData", "kms:Decrypt", "kms:DescribeKey"}},
		{"/", "AWSBackupServiceRolePolicyForS3Restore", []string{"s3:CreateBucket", "s3:ListBucket", "s3:GetBucketVersioning", "s3:PutBucketVersioning", "s3:PutObject", "s3:GetObject", "s3:PutObjectAcl", "kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt"}},
		{"/", "AWSBackupFullAccess", []string{"backup:*", "iam:PassRole", "rds:Describe*", "ec2:Describe*"}},
		{"/", "AmazonSSMManagedInstanceCore", []string{"ssm:UpdateInstanceInformation", "ssm:GetDocument", "ssm:ListAssociations", "ssmmessages:*", "ec2messages:*"}},
		{"/", "CloudWatchAgentServerPolicy", []string{"cloudwatch:PutMetricData", "ec2:DescribeVolumes", "ec2:DescribeTags", "logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup"}},
		{"/", "AWSElasticDisasterRecoveryConsoleFullAccess", []string{"drs:*", "kms:ListAliases", "kms:DescribeKey", "ec2:Describe*", "iam:PassRole"}},
		{"/", "AWSElasticDisasterRecoveryReadOnlyAccess", []string{"drs:Describe*", "drs:Get*", "drs:List*", "ec2:Describe*"}},
		{"/", "AWSElasticDisasterRecoveryAgentInstallationPolicy", []string{"drs:GetAgentInstallationAssetsForDrs", "drs:SendClientLogsForDrs", "drs:CreateSourceServerForDrs", "drs:TagResource"}},
		{"/", "AWSElasticDisasterRecoveryFailbackInstallationPolicy", []string{"drs:SendClientLogsForDrs", "drs:DescribeRecoveryInstances", "drs:AssociateFailbackClientToRecoveryInstanceForDrs"}},
		{"/", "AWSElasticDisasterRecoveryStagingAccountPolicy", []string{"drs:DescribeSourceServers", "drs:DescribeRecoverySnapshots", "drs:CreateConvertedSnapshotForDrs", "ec2:ModifySnapshotAttribute"}},
	}
}
