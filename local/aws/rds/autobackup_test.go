package rds_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/rds"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	keyEast = "arn:aws:kms:us-east-1:123456789012:key/1"
	keyWest = "arn:aws:kms:us-west-2:123456789012:key/2"
	ledger  = "arn:aws:rds:us-east-1:123456789012:db:ledger"
)

// keyring knows one key.
type keyring struct{ region, key string }

func (k keyring) Check(region, keyRef string) error {
	if region == k.region && keyRef == k.key {
		return nil
	}
	return errors.New("no such key")
}

// postbox keeps what is sent to topics.
type postbox struct {
	mu   sync.Mutex
	sent []string
}

func (p *postbox) Notify(_, arn, service, _, message string) error {
	if arn == "arn:aws:sns:us-east-1:123456789012:closed" {
		return wire.Errorf(403, "AuthorizationError", "%s may not", service)
	}
	if arn == "arn:aws:sns:us-east-1:123456789012:gone" {
		return wire.Errorf(404, "NotFound", "no topic")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, message)
	return nil
}

func (p *postbox) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

func (p *postbox) letter(i int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[i]
}

func newServerWith(t *testing.T, o rds.Options) (*world.World, *server) {
	t.Helper()
	w := world.New(world.Options{Compression: 1000})
	t.Cleanup(w.Close)
	return w, serve(t, w, rds.New(w, o))
}

func wireCode(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}

// instance makes a PostgreSQL instance after change and waits for it.
func (s *server) instance(t *testing.T, id string, change func(*api.CreateDBInstanceInput)) {
	t.Helper()
	in := &api.CreateDBInstanceInput{
		DBInstanceIdentifier: &id, Engine: sdk.String("postgres"), DBInstanceClass: sdk.String("db.m6g.large"),
		AllocatedStorage: sdk.Int32(100), MasterUsername: sdk.String("clerk"), MasterUserPassword: sdk.String("correct horse"),
		BackupRetentionPeriod: sdk.Int32(7),
	}
	change(in)
	_, err := s.client(east).CreateDBInstance(t.Context(), in)
	require.NoError(t, err)
	s.instanceIs(t, east, id, "available")
}

func plain(*api.CreateDBInstanceInput) {}

func encrypted(in *api.CreateDBInstanceInput) {
	in.StorageEncrypted, in.KmsKeyId = sdk.Bool(true), sdk.String(keyEast)
}

func (s *server) one(t *testing.T, id string) types.DBInstance {
	t.Helper()
	out, err := s.client(east).DescribeDBInstances(t.Context(), &api.DescribeDBInstancesInput{DBInstanceIdentifier: &id})
	require.NoError(t, err)
	return out.DBInstances[0]
}

func (s *server) start(t *testing.T, region, source string, key *string) error {
	t.Helper()
	_, err := s.client(region).StartDBInstanceAutomatedBackupsReplication(t.Context(), &api.StartDBInstanceAutomatedBackupsReplicationInput{
		SourceDBInstanceArn: &source, BackupRetentionPeriod: sdk.Int32(14), KmsKeyId: key,
	})
	return err
}

func (s *server) backups(t *testing.T, region string) []types.DBInstanceAutomatedBackup {
	t.Helper()
	out, err := s.client(region).DescribeDBInstanceAutomatedBackups(t.Context(), &api.DescribeDBInstanceAutomatedBackupsInput{})
	require.NoError(t, err)
	return out.DBInstanceAutomatedBackups
}

func TestBackupReplication_KeepsAWindowInTheOtherRegion(t *testing.T) {
	t.Parallel()
	w, s := newServerWith(t, rds.Options{})
	s.instance(t, "ledger", encrypted)
	require.NoError(t, s.start(t, west, ledger, sdk.String(keyWest)))
	eventually(t, func() bool { return s.backups(t, west)[0].RestoreWindow != nil })
	there := s.backups(t, west)[0]
	require.Equal(t, "replicating", *there.Status)
	require.Equal(t, east, *there.Region)
	require.Equal(t, int32(14), *there.BackupRetentionPeriod)
	require.Equal(t, keyWest, *there.KmsKeyId)
	require.Equal(t, *there.DBInstanceAutomatedBackupsArn, *s.one(t, "ledger").DBInstanceAutomatedBackupsReplications[0].DBInstanceAutomatedBackupsArn)
	eventually(t, func() bool {
		return s.backups(t, west)[0].RestoreWindow.LatestTime.After(*there.RestoreWindow.LatestTime)
	})
	here := s.backups(t, east)[0]
	require.Equal(t, "active", *here.Status)
	require.Equal(t, int32(7), *here.BackupRetentionPeriod)

	w.Inject(world.Fault{Kind: world.Blackout, Region: east})
	last := *s.backups(t, west)[0].RestoreWindow.LatestTime
	_, err := s.client(west).StopDBInstanceAutomatedBackupsReplication(t.Context(), &api.StopDBInstanceAutomatedBackupsReplicationInput{SourceDBInstanceArn: sdk.String(ledger)})
	require.NoError(t, err, "the source's Region need not answer")
	kept := s.backups(t, west)[0]
	require.Equal(t, "retained", *kept.Status)
	require.Equal(t, last, *kept.RestoreWindow.LatestTime)
	_, err = s.client(west).DeleteDBInstanceAutomatedBackup(t.Context(), &api.DeleteDBInstanceAutomatedBackupInput{DBInstanceAutomatedBackupsArn: kept.DBInstanceAutomatedBackupsArn})
	require.NoError(t, err)
	require.Empty(t, s.backups(t, west))
}

func TestBackupReplication_Refusals(t *testing.T) {
	t.Parallel()
	w, s := newServerWith(t, rds.Options{Keys: keyring{west, keyWest}})
	s.instance(t, "ledger", plain)
	require.Equal(t, "DBInstanceNotFound", wireCode(t, s.start(t, west, "arn:aws:rds:us-east-1:123456789012:db:nothing", nil)))
	require.Equal(t, "InvalidParameterValue", wireCode(t, s.start(t, west, "ledger", nil)), "a name says no Region")
	require.Equal(t, "InvalidParameterCombination", wireCode(t, s.start(t, east, ledger, nil)), "within the Region")
	require.Equal(t, "InvalidParameterCombination", wireCode(t, s.start(t, west, ledger, sdk.String(keyWest))), "a key for what isn't encrypted")
	w.Inject(world.Fault{ID: "cut", Kind: world.Partition, Region: east, Peer: west})
	require.Equal(t, "InvalidDBInstanceState", wireCode(t, s.start(t, west, ledger, nil)))
	w.Remove("cut")
	require.NoError(t, s.start(t, west, ledger, nil))
	require.Equal(t, "InvalidDBInstanceAutomatedBackupState", wireCode(t, s.start(t, west, ledger, nil)), "twice")
	_, err := s.client(east).ModifyDBInstance(t.Context(), &api.ModifyDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger"), BackupRetentionPeriod: sdk.Int32(0)})
	require.Equal(t, "InvalidParameterCombination", wireCode(t, err), "the other Region lives on them")

	s.instance(t, "unsaved", func(in *api.CreateDBInstanceInput) { in.BackupRetentionPeriod = sdk.Int32(0) })
	require.Equal(t, "InvalidDBInstanceState", wireCode(t, s.start(t, west, "arn:aws:rds:us-east-1:123456789012:db:unsaved", nil)))
	_, err = s.client(west).StopDBInstanceAutomatedBackupsReplication(t.Context(), &api.StopDBInstanceAutomatedBackupsReplicationInput{SourceDBInstanceArn: sdk.String("arn:aws:rds:us-east-1:123456789012:db:unsaved")})
	require.Equal(t, "InvalidDBInstanceState", wireCode(t, err), "never started")
}

func TestBackupReplication_Keys(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{})
	s.instance(t, "ledger", encrypted)
	require.Equal(t, "KMSKeyNotAccessibleFault", wireCode(t, s.start(t, west, ledger, nil)))
	require.Equal(t, "KMSKeyNotAccessibleFault", wireCode(t, s.start(t, west, ledger, sdk.String(keyEast))), "keys don't leave their Region")
}

func TestBackupReplication_TwentyPerRegion(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{})
	const most = 20
	for i := range most + 1 {
		id := fmt.Sprintf("ledger-%d", i)
		s.instance(t, id, plain)
		err := s.start(t, west, "arn:aws:rds:us-east-1:123456789012:db:"+id, nil)
		if i < most {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, "DBInstanceAutomatedBackupQuotaExceeded", wireCode(t, err))
	}
}

func TestModifyDBInstance_FirstBackupsWaitForTheWindow(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{Window: 20 * time.Minute})
	c := s.client(east)
	s.instance(t, "ledger", func(in *api.CreateDBInstanceInput) { in.BackupRetentionPeriod = sdk.Int32(0) })
	require.Nil(t, s.one(t, "ledger").LatestRestorableTime, "nothing to restore to")
	days := func(n int32, at bool) error {
		_, err := c.ModifyDBInstance(t.Context(), &api.ModifyDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger"), BackupRetentionPeriod: &n, ApplyImmediately: &at})
		return err
	}
	require.Equal(t, "InvalidParameterValue", wireCode(t, days(36, true)))
	require.NoError(t, days(30, false))
	waiting := s.one(t, "ledger")
	require.Equal(t, int32(0), *waiting.BackupRetentionPeriod)
	require.Equal(t, int32(30), *waiting.PendingModifiedValues.BackupRetentionPeriod)
	eventually(t, func() bool { return s.one(t, "ledger").LatestRestorableTime != nil })
	s.instanceIs(t, east, "ledger", "available")
	require.NoError(t, days(35, false))
	now := s.one(t, "ledger")
	require.Equal(t, int32(35), *now.BackupRetentionPeriod, "another period needs no window")
	require.Equal(t, now.LatestRestorableTime.Unix(), s.backups(t, east)[0].RestoreWindow.LatestTime.Unix())
}

func TestModifyDBInstance_FirstBackupsAtOnce_TakeAFirstBackup(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{Modify: 20 * time.Minute})
	s.instance(t, "ledger", func(in *api.CreateDBInstanceInput) { in.BackupRetentionPeriod = sdk.Int32(0) })
	_, err := s.client(east).ModifyDBInstance(t.Context(), &api.ModifyDBInstanceInput{
		DBInstanceIdentifier: sdk.String("ledger"), BackupRetentionPeriod: sdk.Int32(30), ApplyImmediately: sdk.Bool(true), MultiAZ: sdk.Bool(true),
	})
	require.NoError(t, err)
	s.instanceIs(t, east, "ledger", "backing-up")
	require.Nil(t, s.one(t, "ledger").LatestRestorableTime)
	s.instanceIs(t, east, "ledger", "available")
	require.NotNil(t, s.one(t, "ledger").LatestRestorableTime)
	require.True(t, *s.one(t, "ledger").MultiAZ)
}

func TestReadReplica_Keys(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{})
	s.instance(t, "ledger", encrypted)
	s.instance(t, "open", plain)
	replica := func(region, source string, key *string) error {
		_, err := s.client(region).CreateDBInstanceReadReplica(t.Context(), &api.CreateDBInstanceReadReplicaInput{
			DBInstanceIdentifier: sdk.String("copy"), SourceDBInstanceIdentifier: &source, KmsKeyId: key,
		})
		return err
	}
	require.Equal(t, "KMSKeyNotAccessibleFault", wireCode(t, replica(west, ledger, nil)))
	require.Equal(t, "KMSKeyNotAccessibleFault", wireCode(t, replica(west, ledger, sdk.String(keyEast))))
	require.Equal(t, "InvalidParameterCombination", wireCode(t, replica(west, "arn:aws:rds:us-east-1:123456789012:db:open", sdk.String(keyWest))), "an encrypted replica needs an encrypted source")
	require.Equal(t, "InvalidParameterCombination", wireCode(t, replica(east, "ledger", sdk.String("arn:aws:kms:us-east-1:123456789012:key/9"))))
	require.NoError(t, replica(west, ledger, sdk.String(keyWest)))
	s.instanceIs(t, west, "copy", "available")
	_, err := s.client(east).ModifyDBInstance(t.Context(), &api.ModifyDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger"), BackupRetentionPeriod: sdk.Int32(0)})
	require.Equal(t, "InvalidParameterCombination", wireCode(t, err), "replicas live on the source's backups")
}

func TestDeletionProtection_OfAnInstance(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{})
	s.instance(t, "ledger", plain)
	protect := func(on bool) {
		_, err := s.client(east).ModifyDBInstance(t.Context(), &api.ModifyDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger"), DeletionProtection: &on})
		require.NoError(t, err)
	}
	remove := func() error {
		_, err := s.client(east).DeleteDBInstance(t.Context(), &api.DeleteDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger"), SkipFinalSnapshot: sdk.Bool(true)})
		return err
	}
	protect(true)
	require.Equal(t, "InvalidParameterCombination", wireCode(t, remove()))
	protect(false)
	require.NoError(t, remove())
}

func TestOptionGroups_MustExistWhereTheyAreNeeded(t *testing.T) {
	t.Parallel()
	_, s := newServerWith(t, rds.Options{})
	create := func(region, name, engine string) error {
		_, err := s.client(region).CreateOptionGroup(t.Context(), &api.CreateOptionGroupInput{
			OptionGroupName: &name, EngineName: &engine, MajorEngineVersion: sdk.String("16"), OptionGroupDescription: sdk.String("audited"),
			Tags: []types.Tag{{Key: sdk.String("tier"), Value: sdk.String("1")}},
		})
		return err
	}
	require.NoError(t, create(east, "audited", "postgres"))
	require.Equal(t, "OptionGroupAlreadyExistsFault", wireCode(t, create(east, "audited", "postgres")))
	require.Equal(t, "InvalidParameterValue", wireCode(t, create(east, "other", "abacus")))
	s.instance(t, "ledger", func(in *api.CreateDBInstanceInput) { in.OptionGroupName = sdk.String("audited") })
	s.instance(t, "usual", plain)
	require.Equal(t, "audited", *s.one(t, "ledger").OptionGroupMemberships[0].OptionGroupName)
	require.Equal(t, "default:postgres-16", *s.one(t, "usual").OptionGroupMemberships[0].OptionGroupName)
	replica := func() error {
		_, err := s.client(west).CreateDBInstanceReadReplica(t.Context(), &api.CreateDBInstanceReadReplicaInput{
			DBInstanceIdentifier: sdk.String("copy"), SourceDBInstanceIdentifier: sdk.String(ledger), OptionGroupName: sdk.String("audited"),
		})
		return err
	}
	require.Equal(t, "OptionGroupNotFoundFault", wireCode(t, replica()), "option groups are not copied")
	require.NoError(t, create(west, "audited", "postgres"))
	require.NoError(t, replica())
	_, err := s.client(east).DeleteOptionGroup(t.Context(), &api.DeleteOptionGroupInput{OptionGroupName: sdk.String("audited")})
	require.Equal(t, "InvalidOptionGroupStateFault", wireCode(t, err))
	list, err := s.client(east).DescribeOptionGroups(t.Context(), &api.DescribeOptionGroupsInput{EngineName: sdk.String("postgres")})
	require.NoError(t, err)
	require.Len(t, list.OptionGroupsList, 1)
	tags, err := s.client(east).ListTagsForResource(t.Context(), &api.ListTagsForResourceInput{ResourceName: list.OptionGroupsList[0].OptionGroupArn})
	require.NoError(t, err)
	require.Equal(t, "tier", *tags.TagList[0].Key)
	_, err = s.client(west).DescribeOptionGroups(t.Context(), &api.DescribeOptionGroupsInput{OptionGroupName: sdk.String("nothing")})
	require.Equal(t, "OptionGroupNotFoundFault", wireCode(t, err))
}

func TestEventSubscription_TellsTheTopic(t *testing.T) {
	t.Parallel()
	box := &postbox{}
	_, s := newServerWith(t, rds.Options{Topics: box})
	s.instance(t, "ledger", plain)
	c := s.client(east)
	in := func(topic string) *api.CreateEventSubscriptionInput {
		return &api.CreateEventSubscriptionInput{
			SubscriptionName: sdk.String("alerts"), SnsTopicArn: sdk.String("arn:aws:sns:us-east-1:123456789012:" + topic),
			SourceType: sdk.String("db-instance"), SourceIds: []string{"ledger"}, EventCategories: []string{"availability"},
		}
	}
	refused := func(in *api.CreateEventSubscriptionInput) string {
		_, err := c.CreateEventSubscription(t.Context(), in)
		return wireCode(t, err)
	}
	require.Equal(t, "SNSTopicArnNotFound", refused(in("gone")))
	require.Equal(t, "SNSNoAuthorization", refused(in("closed")))
	elsewhere := in("alerts")
	elsewhere.SnsTopicArn = sdk.String("arn:aws:sns:us-west-2:123456789012:alerts")
	require.Equal(t, "SNSInvalidTopic", refused(elsewhere))
	odd := in("alerts")
	odd.EventCategories = []string{"weather"}
	require.Equal(t, "SubscriptionCategoryNotFound", refused(odd))
	unknown := in("alerts")
	unknown.SourceIds = []string{"nothing"}
	require.Equal(t, "SourceNotFound", refused(unknown))

	_, err := c.CreateEventSubscription(t.Context(), in("alerts"))
	require.NoError(t, err)
	require.Equal(t, "SubscriptionAlreadyExist", refused(in("alerts")))
	var status string
	eventually(t, func() bool {
		out, err := c.DescribeEventSubscriptions(t.Context(), &api.DescribeEventSubscriptionsInput{SubscriptionName: sdk.String("alerts")})
		require.NoError(t, err)
		status = *out.EventSubscriptionsList[0].Status
		return status == "active"
	})
	greetings := box.count()
	_, err = c.RebootDBInstance(t.Context(), &api.RebootDBInstanceInput{DBInstanceIdentifier: sdk.String("ledger")})
	require.NoError(t, err)
	eventually(t, func() bool { return box.count() == greetings+1 })
	require.Contains(t, box.letter(greetings), `"Source ID":"ledger"`)

	out, err := c.ModifyEventSubscription(t.Context(), &api.ModifyEventSubscriptionInput{SubscriptionName: sdk.String("alerts"), Enabled: sdk.Bool(false)})
	require.NoError(t, err)
	require.False(t, *out.EventSubscription.Enabled)
	_, err = c.ModifyEventSubscription(t.Context(), &api.ModifyEventSubscriptionInput{SubscriptionName: sdk.String("others"), Enabled: sdk.Bool(false)})
	require.Equal(t, "SubscriptionNotFound", wireCode(t, err))
	_, err = c.DeleteEventSubscription(t.Context(), &api.DeleteEventSubscriptionInput{SubscriptionName: sdk.String("alerts")})
	require.NoError(t, err)
}
