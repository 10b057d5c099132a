package kinds

import "lifeline/internal/runbook"

// backupRole is what AWS Backup acts as: AWS's own policies for backup and
// restore, and what these leave out (domain handbook 3.1).
func (s Site) backupRole() runbook.Item {
	name := s.Plan.Backup.Role
	const managed = "arn:aws:iam::aws:policy/"
	return role(roleSpec{
		name: name, services: []string{"backup.amazonaws.com"},
		attached: []string{
			managed + "service-role/AWSBackupServiceRolePolicyForBackup", managed + "service-role/AWSBackupServiceRolePolicyForRestores",
			managed + "AWSBackupServiceRolePolicyForS3Backup", managed + "AWSBackupServiceRolePolicyForS3Restore",
		},
		inline: map[string]string{"lifeline-backup": policyDocument(
			s.backupRoleItself(), s.pointInTime(), s.expiry(), s.keyUse(), s.keyGrants(),
		)},
	})
}

// backupRoleItself lets a restore hand the role on to the service, and to nobody else.
func (s Site) backupRoleItself() map[string]any {
	return allow("arn:aws:iam::"+s.Account+":role/"+s.Plan.Backup.Role,
		map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "backup.amazonaws.com"}}, "iam:PassRole")
}

// pointInTime is what continuous backups of RDS need: they switch the instance's
// own backups on, and restore from these.
func (s Site) pointInTime() map[string]any {
	var databases []string
	for _, region := range s.Plan.TrafficRegions() {
		for _, part := range []string{"db:*", "og:*", "pg:*", "subgrp:*"} {
			databases = append(databases, s.arn("rds", region, part))
		}
	}
	return allow(databases, nil, "rds:ModifyDBInstance", "rds:RestoreDBInstanceToPointInTime")
}

// expiry lets expired points really go; their snapshots leak otherwise.
func (s Site) expiry() map[string]any {
	var snapshots []string
	for _, region := range s.Plan.TrafficRegions() {
		snapshots = append(snapshots, s.arn("rds", region, "snapshot:awsbackup:*"))
	}
	return allow(snapshots, nil, "rds:DeleteDBSnapshot")
}

// keyUse lets a role use the plan's keys: to read in one Region and to write in
// the other.
func (s Site) keyUse() map[string]any {
	return allow(s.keyARNs(), nil, "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo")
}

// keyGrants lets a role lend the keys to AWS services that act for it: volumes
// and snapshots are encrypted through grants.
func (s Site) keyGrants() map[string]any {
	return allow(s.keyARNs(), map[string]any{"Bool": map[string]any{"kms:GrantIsForAWSResource": "true"}}, "kms:CreateGrant")
}

func (s Site) keyARNs() []string {
	var out []string
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, s.keyARN(region))
	}
	return out
}
