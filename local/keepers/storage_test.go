package keepers_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkiam "github.com/aws/aws-sdk-go-v2/service/iam"
	sdkkms "github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	sdks3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/stretchr/testify/require"

	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/s3"
	"lifeline/activities/s3control"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	"lifeline/local/aws/world"
	"lifeline/workflows/kinds"
)

const (
	docsEast = "patient-documents-use1"
	docsWest = "patient-documents-usw2"
	keyAlias = "alias/patient-records"
	roleName = "lifeline-patient-records-documents-replication"
)

// storagePlan is one bucket pair with everything, and the switch buckets.
func storagePlan() plan.Plan {
	return plan.Plan{
		Application: "patient-records", Strategy: plan.ActiveActive,
		Regions: []plan.RegionSpec{{Name: east, Role: plan.Primary}, {Name: west, Role: plan.Recovery}},
		Setup:   &plan.Setup{Drift: plan.Repair, Key: keyAlias},
		Resources: []plan.Resource{{
			Name: "documents", Kind: plan.S3Bucket,
			Regions: map[plan.Region]plan.Identifiers{east: {"bucket": docsEast}, west: {"bucket": docsWest}},
			Protect: &plan.Protect{
				ArchiveAfterDays: 30,
				Replication:      &plan.Replication{Direction: "both", TimeControl: true, DeleteMarkers: true, Existing: true},
			},
		}},
		Traffic: plan.Traffic{Switch: plan.Switch{Provider: plan.SwitchS3Object, Buckets: map[plan.Region]string{east: "patient-switch-use1", west: "patient-switch-usw2"}}},
	}
}

func storageItems(t *testing.T, p plan.Plan) []runbook.Item {
	t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: p, Account: account})
	require.NoError(t, err)
	items := of(all, runbook.AreaAccess, runbook.AreaStorage)
	for _, i := range of(all, runbook.AreaTraffic) {
		if strings.HasPrefix(i.Type, "s3-") {
			items = append(items, i)
		}
	}
	return items
}

func storageSite(t *testing.T) *site {
	t.Helper()
	return bare(t, 2000, iam.Keepers, kms.Keepers, s3.Keepers, s3control.Keepers)
}

// settled converges until the copy of what was there before has ended too, which
// the archive rules wait for.
func (s *site) settled(t *testing.T, items []runbook.Item) results {
	t.Helper()
	var got results
	require.Eventually(t, func() bool {
		got = s.setup().converge(items, true)
		for _, r := range got {
			if !r.Verdict.Good() {
				return false
			}
		}
		return true
	}, patience, 100*time.Millisecond)
	return got
}

func (s *site) s3(region plan.Region) *sdks3.Client {
	return sdks3.NewFromConfig(s.in(region), func(o *sdks3.Options) { o.UsePathStyle = true })
}

func (s *site) kms(region plan.Region) *sdkkms.Client { return sdkkms.NewFromConfig(s.in(region)) }

func TestStorage_BareWorld_GetsEverythingAndThenNothing(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	items := storageItems(t, storagePlan())

	before := s.setup()
	preview := before.survey(items, true)
	preview.read(t)
	require.Empty(t, before.changed(), "a survey changes nothing")
	require.Equal(t, runbook.ToCreate, preview[runbook.ItemID("kms-key", string(east), keyAlias)].Verdict)

	first := s.setup().converge(items, true)
	first.goodBut(t, "/lifeline-archive")
	require.Equal(t, runbook.Created, first[runbook.ItemID("kms-key", string(east), keyAlias)].Verdict)
	s.settled(t, items)

	again := s.setup()
	again.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, again.changed())
	require.LessOrEqual(t, len(again.calls()), len(items)+8, "about one call for each item")

	rules, err := s.s3(west).GetBucketLifecycleConfiguration(t.Context(), &sdks3.GetBucketLifecycleConfigurationInput{Bucket: aws.String(docsWest)})
	require.NoError(t, err)
	require.Len(t, rules.Rules, 2)
}

func TestStorage_ReplicatesBothWaysWithEachRegionsKey(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	known := s.settled(t, storageItems(t, storagePlan()))
	config, err := s.s3(east).GetBucketReplication(t.Context(), &sdks3.GetBucketReplicationInput{Bucket: aws.String(docsEast)})
	require.NoError(t, err)
	require.Len(t, config.ReplicationConfiguration.Rules, 1)
	r := config.ReplicationConfiguration.Rules[0]
	require.Equal(t, known[runbook.ItemID("kms-key", string(west), keyAlias)].Out["arn"], *r.Destination.EncryptionConfiguration.ReplicaKmsKeyID)
	require.Equal(t, int32(15), *r.Destination.ReplicationTime.Time.Minutes)
	require.Equal(t, types.ReplicaModificationsStatusEnabled, r.SourceSelectionCriteria.ReplicaModifications.Status)

	_, err = s.s3(west).PutObject(t.Context(), &sdks3.PutObjectInput{Bucket: aws.String(docsWest), Key: aws.String("letter"), Body: strings.NewReader("dear patient")})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := s.s3(east).HeadObject(t.Context(), &sdks3.HeadObjectInput{Bucket: aws.String(docsEast), Key: aws.String("letter")})
		return err == nil
	}, patience, 20*time.Millisecond)
}

// existing makes a bucket with an object before there is any setup.
func (s *site) existing(t *testing.T, bucket, key string) {
	t.Helper()
	c := s.s3(east)
	_, err := c.CreateBucket(t.Context(), &sdks3.CreateBucketInput{Bucket: aws.String(bucket)})
	require.NoError(t, err)
	_, err = c.PutBucketVersioning(t.Context(), &sdks3.PutBucketVersioningInput{
		Bucket: aws.String(bucket), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	require.NoError(t, err)
	_, err = c.PutObject(t.Context(), &sdks3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader("from before")})
	require.NoError(t, err)
}

func TestStorage_ExistingBucket_IsAdoptedAndItsObjectsAreCopied(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	s.existing(t, docsEast, "old/letter")
	c := s.s3(east)
	theirs := `{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::` + docsEast + `"}]}`
	_, err := c.PutBucketPolicy(t.Context(), &sdks3.PutBucketPolicyInput{Bucket: aws.String(docsEast), Policy: aws.String(theirs)})
	require.NoError(t, err)
	_, err = c.PutBucketTagging(t.Context(), &sdks3.PutBucketTaggingInput{Bucket: aws.String(docsEast), Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("cost"), Value: aws.String("42")}}}})
	require.NoError(t, err)
	_, err = c.PutBucketLifecycleConfiguration(t.Context(), &sdks3.PutBucketLifecycleConfigurationInput{
		Bucket: aws.String(docsEast), TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSizeVariesByStorageClass,
		LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{{
			ID: aws.String("theirs"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("tmp/")},
			Expiration: &types.LifecycleExpiration{Days: aws.Int32(3)},
		}}},
	})
	require.NoError(t, err)

	s.settled(t, storageItems(t, storagePlan()))
	head, err := s.s3(west).HeadObject(t.Context(), &sdks3.HeadObjectInput{Bucket: aws.String(docsWest), Key: aws.String("old/letter")})
	require.NoError(t, err, "what was there before the rule is copied before anything is archived")
	require.Equal(t, types.ReplicationStatusReplica, head.ReplicationStatus)

	policy, err := c.GetBucketPolicy(t.Context(), &sdks3.GetBucketPolicyInput{Bucket: aws.String(docsEast)})
	require.NoError(t, err)
	require.Contains(t, *policy.Policy, "Theirs")
	require.Contains(t, *policy.Policy, "LifelineTLSOnly")
	tags, err := c.GetBucketTagging(t.Context(), &sdks3.GetBucketTaggingInput{Bucket: aws.String(docsEast)})
	require.NoError(t, err)
	require.Len(t, tags.TagSet, 3)
	rules, err := c.GetBucketLifecycleConfiguration(t.Context(), &sdks3.GetBucketLifecycleConfigurationInput{Bucket: aws.String(docsEast)})
	require.NoError(t, err)
	require.Len(t, rules.Rules, 3)
	require.Equal(t, types.TransitionDefaultMinimumObjectSizeVariesByStorageClass, rules.TransitionDefaultMinimumObjectSize)
}

// tamper changes by hand what setup keeps.
func (s *site) tamper(t *testing.T) {
	t.Helper()
	c, ctx := s.s3(east), t.Context()
	_, err := c.PutPublicAccessBlock(ctx, &sdks3.PutPublicAccessBlockInput{
		Bucket: aws.String(docsEast), PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)},
	})
	require.NoError(t, err)
	config, err := c.GetBucketReplication(ctx, &sdks3.GetBucketReplicationInput{Bucket: aws.String(docsEast)})
	require.NoError(t, err)
	config.ReplicationConfiguration.Rules[0].Status = types.ReplicationRuleStatusDisabled
	_, err = c.PutBucketReplication(ctx, &sdks3.PutBucketReplicationInput{Bucket: aws.String(docsEast), ReplicationConfiguration: config.ReplicationConfiguration})
	require.NoError(t, err)
	key, err := s.kms(west).DescribeKey(ctx, &sdkkms.DescribeKeyInput{KeyId: aws.String(keyAlias)})
	require.NoError(t, err)
	_, err = s.kms(west).ScheduleKeyDeletion(ctx, &sdkkms.ScheduleKeyDeletionInput{KeyId: key.KeyMetadata.KeyId, PendingWindowInDays: aws.Int32(30)})
	require.NoError(t, err)
	_, err = sdkiam.NewFromConfig(s.in(east)).PutRolePolicy(ctx, &sdkiam.PutRolePolicyInput{
		RoleName: aws.String(roleName), PolicyName: aws.String("replicate"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`),
	})
	require.NoError(t, err)
}

func TestStorage_Drift_IsOnlyToldOrRepaired(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	items := storageItems(t, storagePlan())
	s.settled(t, items)
	s.tamper(t)
	drifted := []string{
		runbook.ItemID("s3-public-access-block", string(east), docsEast), runbook.ItemID("s3-replication", string(east), docsEast),
		runbook.ItemID("kms-key", string(west), keyAlias), runbook.ItemID("iam-role", string(east), roleName),
	}

	only := s.setup()
	told := only.survey(items, false)
	require.Empty(t, only.changed())
	for _, id := range drifted {
		require.Equal(t, runbook.Drifted, told[id].Verdict, id)
		require.NotEmpty(t, told[id].Changes, id)
	}

	repaired := s.setup().converge(items, true)
	repaired.good(t)
	for _, id := range drifted {
		require.Equal(t, runbook.Changed, repaired[id].Verdict, id)
	}
	key, err := s.kms(west).DescribeKey(t.Context(), &sdkkms.DescribeKeyInput{KeyId: aws.String(keyAlias)})
	require.NoError(t, err)
	require.Equal(t, kmstypes.KeyStateEnabled, key.KeyMetadata.KeyState, "what the key has encrypted would have gone with it")
	last := s.setup()
	last.converge(items, true).all(t, runbook.InPlace)
	require.Empty(t, last.changed())
}

func TestStorage_ReportOnly_StillConfiguresFreshBuckets(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	got := s.setup().converge(storageItems(t, storagePlan()), false)
	got.goodBut(t, "/lifeline-archive")
	require.Equal(t, runbook.Created, got[runbook.ItemID("s3-encryption", string(east), docsEast)].Verdict, "AWS's own default is nobody's choice")
	require.Equal(t, runbook.Created, got[runbook.ItemID("s3-public-access-block", string(west), "patient-switch-usw2")].Verdict)
}

// goodBut demands that nothing is left to do, but for items with an ending.
func (r results) goodBut(t *testing.T, ending string) {
	t.Helper()
	rest := maps.Clone(r)
	maps.DeleteFunc(rest, func(id string, _ runbook.ItemResult) bool { return strings.HasSuffix(id, ending) })
	rest.good(t)
}

func TestStorage_LostAnswersAndThrottling_LeaveNothingTwice(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	items := storageItems(t, storagePlan())
	run := s.setup()
	for _, operation := range []string{"CreateKey", "CreateAlias", "CreateRole", "CreateBucket", "PutBucketReplication", "CreateJob"} {
		run.suffer(world.Fault{Kind: world.LoseAnswer, Operation: operation, Times: 1})
	}
	run.suffer(world.Fault{Kind: world.Throttle, Probability: 0.3})
	run.converge(items, true).goodBut(t, "/lifeline-archive")
	s.settled(t, items)
	for _, region := range []plan.Region{east, west} {
		require.Equal(t, 1, s.keysOfOurs(t.Context(), t, region), region)
	}
	jobs := 0
	for _, c := range s.World.Calls(time.Time{}) {
		if c.Operation == "CreateJob" && c.Outcome == "ok" {
			jobs++
		}
	}
	require.LessOrEqual(t, jobs, 4, "a job for each direction, and its repetition by token")
}

func (s *site) keysOfOurs(ctx context.Context, t *testing.T, region plan.Region) int {
	t.Helper()
	list, err := s.kms(region).ListKeys(ctx, &sdkkms.ListKeysInput{})
	require.NoError(t, err)
	n := 0
	for _, k := range list.Keys {
		key, err := s.kms(region).DescribeKey(ctx, &sdkkms.DescribeKeyInput{KeyId: k.KeyId})
		require.NoError(t, err)
		if strings.HasPrefix(aws.ToString(key.KeyMetadata.Description), "Lifeline") {
			n++
		}
	}
	return n
}

func TestStorage_SwitchBuckets_AnybodyMayReadTheSwitchOnly(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	s.settled(t, storageItems(t, storagePlan()))
	c := s.s3(west)
	anybody := sdks3.NewFromConfig(aws.Config{Region: string(west), BaseEndpoint: s.admin.BaseEndpoint, Credentials: aws.AnonymousCredentials{}}, func(o *sdks3.Options) { o.UsePathStyle = true })
	for key, public := range map[string]bool{"evacuate/us-east-1": true, "other": false} {
		_, err := c.PutObject(t.Context(), &sdks3.PutObjectInput{Bucket: aws.String("patient-switch-usw2"), Key: aws.String(key), Body: strings.NewReader("x")})
		require.NoError(t, err)
		_, err = anybody.GetObject(t.Context(), &sdks3.GetObjectInput{Bucket: aws.String("patient-switch-usw2"), Key: aws.String(key)})
		if public {
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
	}
}

func TestStorage_RulesOfOthersUnderAnotherRole_AreNotLeftWithoutIt(t *testing.T) {
	t.Parallel()
	s := storageSite(t)
	s.existing(t, docsEast, "letter")
	s.existing(t, "archive-of-others", "x")
	_, err := s.s3(east).PutBucketReplication(t.Context(), &sdks3.PutBucketReplicationInput{
		Bucket: aws.String(docsEast),
		ReplicationConfiguration: &types.ReplicationConfiguration{
			Role: aws.String("arn:aws:iam::" + account + ":role/theirs"),
			Rules: []types.ReplicationRule{{
				ID: aws.String("theirs"), Status: types.ReplicationRuleStatusEnabled, Priority: aws.Int32(1), Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
				DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
				Destination:             &types.Destination{Bucket: aws.String("arn:aws:s3:::archive-of-others")},
			}},
		},
	})
	require.NoError(t, err)
	got := s.setup().converge(storageItems(t, storagePlan()), true)
	r := got[runbook.ItemID("s3-replication", string(east), docsEast)]
	require.Equal(t, runbook.Unkept, r.Verdict)
	require.Contains(t, r.Why, "one role for all: arn:aws:iam::"+account+":role/theirs")
}
