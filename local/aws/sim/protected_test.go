package sim_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	backuptypes "github.com/aws/aws-sdk-go-v2/service/backup/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/sim"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// TestBackup_SeesTheSimulatedAccount backs up what other services hold.
func TestBackup_SeesTheSimulatedAccount(t *testing.T) {
	t.Parallel()
	s, err := sim.Start(t.Context(), sim.Options{API: "127.0.0.1:0", DNS: "127.0.0.1:0", Regions: []string{"us-east-1", "us-west-2"}, Compression: 7200})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + s.API()), Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
	ctx := t.Context()
	backups := backup.NewFromConfig(config)
	_, err = backups.CreateBackupVault(ctx, &backup.CreateBackupVaultInput{BackupVaultName: aws.String("main")})
	require.NoError(t, err)
	role, err := iam.NewFromConfig(config).CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("backup"), AssumeRolePolicyDocument: aws.String(trust)})
	require.NoError(t, err)

	_, err = rds.NewFromConfig(config).CreateDBInstance(ctx, &rds.CreateDBInstanceInput{
		DBInstanceIdentifier: aws.String("billing"), DBInstanceClass: aws.String("db.t3.micro"), Engine: aws.String("postgres"),
		AllocatedStorage: aws.Int32(20), MasterUsername: aws.String("boss"), MasterUserPassword: aws.String("secret-enough"),
	})
	require.NoError(t, err)
	_, err = s3.NewFromConfig(config).CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("documents")})
	require.NoError(t, err)
	disk, err := ec2.NewFromConfig(config).CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(8), VolumeType: ec2types.VolumeTypeGp3})
	require.NoError(t, err)

	for arn, want := range map[string]backuptypes.BackupJobState{
		"arn:aws:rds:us-east-1:123456789012:db:billing":               backuptypes.BackupJobStateCompleted,
		"arn:aws:ec2:us-east-1:123456789012:volume/" + *disk.VolumeId: backuptypes.BackupJobStateCompleted,
		"arn:aws:s3:::documents":                                      backuptypes.BackupJobStateFailed, // without versioning
	} {
		in := &backup.StartBackupJobInput{BackupVaultName: aws.String("main"), ResourceArn: aws.String(arn), IamRoleArn: role.Role.Arn}
		var started *backup.StartBackupJobOutput
		require.Eventually(t, func() bool { // until it is there
			started, err = backups.StartBackupJob(ctx, in)
			return err == nil
		}, 20*time.Second, 10*time.Millisecond, arn)
		require.Eventually(t, func() bool {
			job, err := backups.DescribeBackupJob(ctx, &backup.DescribeBackupJobInput{BackupJobId: started.BackupJobId})
			return err == nil && job.State == want
		}, 20*time.Second, 10*time.Millisecond, arn)
	}
	_, err = backups.StartBackupJob(ctx, &backup.StartBackupJobInput{
		BackupVaultName: aws.String("main"), ResourceArn: aws.String("arn:aws:s3:::documents"), IamRoleArn: aws.String("arn:aws:iam::123456789012:role/nobody"),
	})
	require.ErrorContains(t, err, "cannot be assumed")
}
