package dlm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dlm"
	"github.com/aws/aws-sdk-go-v2/service/dlm/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func TestPolicy_Hourly_KeepsTheLastThree(t *testing.T) {
	t.Parallel()
	l := newLab(t, trust(true))
	id := l.create(policyOf(hourly()))
	var first string
	l.eventually("a first snapshot", func() bool {
		for _, s := range l.snapshots(east, id) {
			first = *s.SnapshotId
		}
		return first != ""
	})
	l.eventually("the first is deleted once there are three newer ones", func() bool {
		got := l.snapshots(east, id)
		return len(got) == 3 && !slices.ContainsFunc(got, func(s ec2types.Snapshot) bool { return *s.SnapshotId == first })
	})
	one := l.snapshots(east, id)[0]
	require.Equal(t, l.volume, *one.VolumeId)
	require.Contains(t, one.Tags, ec2types.Tag{Key: aws.String("app"), Value: aws.String("records")}, "CopyTags")
	require.Equal(t, types.GettablePolicyStateValuesEnabled, l.policy(id).State)
}

func TestPolicy_Deleted_LeavesItsSnapshots(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	s := hourly()
	s.RetainRule = &types.RetainRule{Interval: aws.Int32(1), IntervalUnit: types.RetentionIntervalUnitValuesDays}
	id := l.create(policyOf(s))
	other := l.create(policyOf(s))
	l.eventually("a snapshot of each", func() bool { return len(l.snapshots(east, id)) > 0 && len(l.snapshots(east, other)) > 0 })
	old := *l.snapshots(east, other)[0].SnapshotId
	_, err := l.client.DeleteLifecyclePolicy(t.Context(), &dlm.DeleteLifecyclePolicyInput{PolicyId: &id})
	require.NoError(t, err)
	left := len(l.snapshots(east, id))
	l.eventually("a day later the snapshots of the other policy expire", func() bool {
		return !slices.ContainsFunc(l.snapshots(east, other), func(s ec2types.Snapshot) bool { return *s.SnapshotId == old })
	})
	require.Len(t, l.snapshots(east, id), left)
}

func copying(key string) types.Schedule {
	s := hourly()
	s.CrossRegionCopyRules = []types.CrossRegionCopyRule{{
		Target: aws.String(west), Encrypted: aws.Bool(true), CmkArn: &key, CopyTags: aws.Bool(true),
		RetainRule: &types.CrossRegionCopyRetainRule{Interval: aws.Int32(1), IntervalUnit: types.RetentionIntervalUnitValuesDays},
	}}
	return s
}

func TestPolicy_CopyRule_CopiesUnderTheKeyAndExpires(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	key := "arn:aws:kms:us-west-2:123456789012:key/1"
	id := l.create(policyOf(copying(key)))
	var first ec2types.Snapshot
	l.eventually("a copy", func() bool {
		got := l.snapshots(west, id)
		if len(got) > 0 {
			first = got[0]
		}
		return len(got) > 0 && first.State == ec2types.SnapshotStateCompleted
	})
	require.Equal(t, key, *first.KmsKeyId)
	l.eventually("CloudWatch counts both", func() bool {
		return l.events.count("SnapshotsCreateCompleted", id) > 0 && l.events.count("SnapshotsCopiedRegionCompleted", id) > 0
	})
	require.Zero(t, l.events.count("SnapshotsCopiedRegionFailed", id))
	require.Contains(t, first.Tags, ec2types.Tag{Key: aws.String("app"), Value: aws.String("records")})
	l.eventually("the copy expires", func() bool {
		return !slices.ContainsFunc(l.snapshots(west, id), func(s ec2types.Snapshot) bool { return *s.SnapshotId == *first.SnapshotId })
	})
}

func TestPolicy_KeyOfTheWrongRegion_BecomesError(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	id := l.create(policyOf(copying("arn:aws:kms:us-east-1:123456789012:key/1")))
	l.eventually("the policy is in error", func() bool { return l.policy(id).State == types.GettablePolicyStateValuesError })
	require.Contains(t, *l.policy(id).StatusMessage, "key ID is not accessible")
	l.eventually("EventBridge hears of it", func() bool { return slices.Contains(l.events.states(), any("ERROR")) })
	require.Positive(t, l.events.count("SnapshotsCopiedRegionFailed", id))
	_, err := l.client.UpdateLifecyclePolicy(t.Context(), &dlm.UpdateLifecyclePolicyInput{
		PolicyId: &id, PolicyDetails: policyOf(copying("arn:aws:kms:us-west-2:123456789012:key/1")).PolicyDetails,
	})
	require.NoError(t, err)
	l.eventually("a good key makes copies", func() bool {
		return slices.ContainsFunc(l.snapshots(west, id), func(s ec2types.Snapshot) bool { return s.State == ec2types.SnapshotStateCompleted })
	})
	require.Equal(t, types.GettablePolicyStateValuesEnabled, l.policy(id).State)
}

func TestPolicy_RoleThatTrustsSomebodyElse_BecomesError(t *testing.T) {
	t.Parallel()
	l := newLab(t, trust(false))
	id := l.create(policyOf(hourly()))
	l.eventually("the policy is in error", func() bool { return l.policy(id).State == types.GettablePolicyStateValuesError })
	require.Contains(t, *l.policy(id).StatusMessage, role)
	require.Empty(t, l.snapshots(east, id))
	failed, err := l.client.GetLifecyclePolicies(t.Context(), &dlm.GetLifecyclePoliciesInput{State: types.GettablePolicyStateValuesError})
	require.NoError(t, err)
	require.Len(t, failed.Policies, 1)
}

func TestPolicy_DarkRegion_RunsNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	schedule := hourly()
	schedule.RetainRule.Count = aws.Int32(1000)
	id := l.create(policyOf(schedule))
	l.eventually("a snapshot", func() bool { return len(l.snapshots(east, id)) > 0 })
	l.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	dark := l.world.Now()
	over := make(chan struct{})
	l.world.After(5*time.Hour, func() { close(over) })
	<-over
	healed := l.world.Now()
	l.world.Heal(east)
	missed := 0
	for _, s := range l.snapshots(east, id) {
		if s.StartTime.After(dark) && s.StartTime.Before(healed) {
			missed++
		}
	}
	require.LessOrEqual(t, missed, 1, "a run that had begun may end; five hours are not made up for")
	before := len(l.snapshots(east, id))
	l.eventually("it goes on afterwards", func() bool { return len(l.snapshots(east, id)) > before })
}

func TestPolicy_Instances_SnapshotsEveryVolumeButTheRoot(t *testing.T) {
	t.Parallel()
	l := newLab(t, nil)
	_, err := l.ec2[east].RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: []ec2types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdb"), Ebs: &ec2types.EbsBlockDevice{VolumeSize: aws.Int32(7)}}},
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeInstance, Tags: []ec2types.Tag{
			{Key: aws.String("backup"), Value: aws.String("yes")},
		}}},
	})
	require.NoError(t, err)
	in := policyOf(hourly())
	in.PolicyDetails.ResourceTypes = []types.ResourceTypeValues{types.ResourceTypeValuesInstance}
	in.PolicyDetails.Parameters = &types.Parameters{ExcludeBootVolume: aws.Bool(true)}
	id := l.create(in)
	l.eventually("a snapshot", func() bool { return len(l.snapshots(east, id)) > 0 })
	for _, s := range l.snapshots(east, id) {
		require.Equal(t, int32(7), *s.VolumeSize)
	}
}
