package ec2_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const image = "ami-0123456789abcdef0"

// storage is EC2 in two Regions as the SDK sees it.
type storage struct {
	t          *testing.T
	world      *world.World
	sim        *sim.EC2
	east, west *ec2.Client
}

func newStorage(t *testing.T, o sim.Options) *storage {
	t.Helper()
	w := world.New(world.Options{Compression: 20000})
	t.Cleanup(w.Close)
	s := &storage{t: t, world: w, sim: sim.New(w, o)}
	server := httptest.NewServer(wire.NewServer(w, s.sim.Wire()))
	t.Cleanup(server.Close)
	client := func(region string) *ec2.Client {
		return ec2.NewFromConfig(aws.Config{
			Region: region, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1, HTTPClient: &plainBodies{},
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		})
	}
	s.east, s.west = client(east), client(west)
	return s
}

// volume is a new volume of 10 GiB in us-east-1, tagged app=records.
func (s *storage) volume() string {
	s.t.Helper()
	v, err := s.east.CreateVolume(s.t.Context(), &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(10), VolumeType: types.VolumeTypeGp3,
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeVolume, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}}}},
	})
	require.NoError(s.t, err)
	require.NoError(s.t, ec2.NewVolumeAvailableWaiter(s.east, func(o *ec2.VolumeAvailableWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 5*time.Millisecond
	}).Wait(s.t.Context(), &ec2.DescribeVolumesInput{VolumeIds: []string{*v.VolumeId}}, 10*time.Second))
	return *v.VolumeId
}

func (s *storage) snapshot(volume string) string {
	s.t.Helper()
	made, err := s.east.CreateSnapshot(s.t.Context(), &ec2.CreateSnapshotInput{VolumeId: &volume})
	require.NoError(s.t, err)
	s.await(s.east, *made.SnapshotId, types.SnapshotStateCompleted)
	return *made.SnapshotId
}

func (s *storage) await(c *ec2.Client, snapshot string, state types.SnapshotState) types.Snapshot {
	s.t.Helper()
	var got types.Snapshot
	require.Eventually(s.t, func() bool {
		out, err := c.DescribeSnapshots(s.t.Context(), &ec2.DescribeSnapshotsInput{SnapshotIds: []string{snapshot}})
		require.NoError(s.t, err)
		got = out.Snapshots[0]
		return got.State == state
	}, 10*time.Second, 2*time.Millisecond, "snapshot never %s", state)
	return got
}

func copyOf(snapshot string) *ec2.CopySnapshotInput {
	return &ec2.CopySnapshotInput{SourceRegion: aws.String(east), SourceSnapshotId: &snapshot}
}

func TestContract_Volumes(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{}), t.Context()
	id := s.volume()
	found, err := s.east.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{Filters: []types.Filter{{Name: aws.String("tag:app"), Values: []string{"records"}}}})
	require.NoError(t, err)
	require.Len(t, found.Volumes, 1)
	require.Equal(t, int32(3000), *found.Volumes[0].Iops)
	require.False(t, *found.Volumes[0].Encrypted)
	for want, in := range map[string]*ec2.CreateVolumeInput{
		"InvalidZone.NotFound":       {AvailabilityZone: aws.String("us-east-1z"), Size: aws.Int32(1)},
		"MissingParameter":           {AvailabilityZone: aws.String("us-east-1a")},
		"InvalidParameterValue":      {AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1), VolumeType: types.VolumeTypeSt1},
		"InvalidSnapshot.NotFound":   {AvailabilityZone: aws.String("us-east-1a"), SnapshotId: aws.String("snap-0123456789abcdef0")},
		"InvalidParameterDependency": {AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1), KmsKeyId: aws.String("k")},
	} {
		_, err := s.east.CreateVolume(ctx, in)
		require.Equal(t, want, wireCode(t, err))
	}
	_, err = s.east.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &id})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := s.east.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{id}})
		return err != nil && wireCode(t, err) == "InvalidVolume.NotFound"
	}, 10*time.Second, 2*time.Millisecond)
}

func TestContract_VolumesOfAnInstance(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{}), t.Context()
	extra := s.volume()
	run, err := s.east.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String(image), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: types.InstanceTypeM5Large,
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/sdb"), Ebs: &types.EbsBlockDevice{VolumeSize: aws.Int32(20)}}},
	})
	require.NoError(t, err)
	id := *run.Instances[0].InstanceId
	require.Len(t, run.Instances[0].BlockDeviceMappings, 2)
	require.NoError(t, ec2.NewInstanceRunningWaiter(s.east, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Millisecond }).Wait(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, 10*time.Second))
	_, err = s.east.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: &extra, InstanceId: &id, Device: aws.String("/dev/sdb")})
	require.Equal(t, "InvalidParameterValue", wireCode(t, err))
	_, err = s.east.AttachVolume(ctx, &ec2.AttachVolumeInput{VolumeId: &extra, InstanceId: &id, Device: aws.String("/dev/sdc")})
	require.NoError(t, err)
	_, err = s.east.DeleteVolume(ctx, &ec2.DeleteVolumeInput{VolumeId: &extra})
	require.Equal(t, "VolumeInUse", wireCode(t, err))
	snaps, err := s.east.CreateSnapshots(ctx, &ec2.CreateSnapshotsInput{
		InstanceSpecification: &types.InstanceSpecification{InstanceId: &id, ExcludeBootVolume: aws.Bool(true)}, CopyTagsFromSource: types.CopyTagsFromSourceVolume,
	})
	require.NoError(t, err)
	require.Len(t, snaps.Snapshots, 2)
	require.Equal(t, "records", *snaps.Snapshots[1].Tags[0].Value)
	_, err = s.east.DetachVolume(ctx, &ec2.DetachVolumeInput{VolumeId: run.Instances[0].BlockDeviceMappings[0].Ebs.VolumeId})
	require.Equal(t, "OperationNotPermitted", wireCode(t, err))
	_, err = s.east.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		left, err := s.east.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{})
		return err == nil && len(left.Volumes) == 1 && left.Volumes[0].State == types.VolumeStateAvailable
	}, 10*time.Second, 2*time.Millisecond, "only the volume that was attached later outlives its instance")
}

func TestContract_Snapshots(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{Times: sim.Times{Snapshot: 10 * time.Hour}}), t.Context()
	volume := s.volume()
	var ids []string
	for range 5 {
		made, err := s.east.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: &volume, Description: aws.String("nightly")})
		require.NoError(t, err)
		require.Equal(t, types.SnapshotStatePending, made.State)
		ids = append(ids, *made.SnapshotId)
	}
	_, err := s.east.CreateSnapshot(ctx, &ec2.CreateSnapshotInput{VolumeId: &volume})
	require.Equal(t, "ConcurrentSnapshotLimitExceeded", wireCode(t, err))
	_, err = s.west.CopySnapshot(ctx, copyOf(ids[0]))
	require.Equal(t, "IncorrectState", wireCode(t, err))
	require.Equal(t, "100%", *s.await(s.east, ids[4], types.SnapshotStateCompleted).Progress)

	pages := ec2.NewDescribeSnapshotsPaginator(s.east, &ec2.DescribeSnapshotsInput{
		OwnerIds: []string{"self"}, MaxResults: aws.Int32(2), Filters: []types.Filter{{Name: aws.String("volume-id"), Values: []string{volume}}},
	})
	var listed []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		require.NoError(t, err)
		for _, snap := range page.Snapshots {
			listed = append(listed, *snap.SnapshotId)
		}
	}
	require.Equal(t, ids, listed)
	foreign, err := s.east.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"amazon"}})
	require.NoError(t, err)
	require.Empty(t, foreign.Snapshots)
	_, err = s.east.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &ids[0]})
	require.NoError(t, err)
	_, err = s.east.DescribeSnapshots(ctx, &ec2.DescribeSnapshotsInput{SnapshotIds: ids[:1]})
	require.Equal(t, "InvalidSnapshot.NotFound", wireCode(t, err))
}

func TestCopySnapshot_GoodKey_IsEncryptedWithoutTags(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{}), t.Context()
	source := s.snapshot(s.volume())
	_, err := s.east.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{source}, Tags: []types.Tag{{Key: aws.String("app"), Value: aws.String("records")}}})
	require.NoError(t, err)
	in := copyOf(source)
	in.Encrypted, in.KmsKeyId = aws.Bool(true), aws.String("arn:aws:kms:us-west-2:123456789012:key/1")
	made, err := s.west.CopySnapshot(ctx, in)
	require.NoError(t, err)
	got := s.await(s.west, *made.SnapshotId, types.SnapshotStateCompleted)
	require.True(t, *got.Encrypted)
	require.Equal(t, *in.KmsKeyId, *got.KmsKeyId)
	require.Empty(t, got.Tags, "tags stay behind")
	in.TagSpecifications = []types.TagSpecification{{ResourceType: types.ResourceTypeSnapshot, Tags: []types.Tag{{Key: aws.String("copy"), Value: aws.String("yes")}}}}
	made, err = s.west.CopySnapshot(ctx, in)
	require.NoError(t, err)
	require.Equal(t, "yes", *made.Tags[0].Value)
}

// listener remembers what EventBridge was told.
type listener struct {
	mu     sync.Mutex
	events []map[string]any
}

func (l *listener) Emit(_, _, _ string, _ []string, detail map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, detail)
}

func (l *listener) heard(event, result string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.events, func(d map[string]any) bool { return d["event"] == event && d["result"] == result })
}

func TestCopySnapshot_KeyOfAnotherRegion_FailsAfterTheAnswer(t *testing.T) {
	t.Parallel()
	told := &listener{}
	s := newStorage(t, sim.Options{Events: told})
	in := copyOf(s.snapshot(s.volume()))
	in.Encrypted, in.KmsKeyId = aws.Bool(true), aws.String("arn:aws:kms:us-east-1:123456789012:key/1")
	made, err := s.west.CopySnapshot(t.Context(), in)
	require.NoError(t, err, "EBS answers before it has asked KMS")
	got := s.await(s.west, *made.SnapshotId, types.SnapshotStateError)
	require.Equal(t, "Given key ID is not accessible", *got.StateMessage)
	require.Eventually(t, func() bool { return told.heard("copySnapshot", "failed") }, 10*time.Second, time.Millisecond)
	require.True(t, told.heard("createSnapshot", "succeeded"))
}

func TestCopySnapshot_TwentyUnderWay_RefusesAnother(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{Times: sim.Times{Copy: 1000 * time.Hour}}), t.Context()
	source := s.snapshot(s.volume())
	var one string
	for range 20 {
		made, err := s.west.CopySnapshot(ctx, copyOf(source))
		require.NoError(t, err)
		one = *made.SnapshotId
	}
	_, err := s.west.CopySnapshot(ctx, copyOf(source))
	require.Equal(t, "ResourceLimitExceeded", wireCode(t, err))
	_, err = s.east.CopySnapshot(ctx, copyOf(source))
	require.NoError(t, err, "the limit is one Region's")
	_, err = s.west.DeleteSnapshot(ctx, &ec2.DeleteSnapshotInput{SnapshotId: &one})
	require.NoError(t, err)
	_, err = s.west.CopySnapshot(ctx, copyOf(source))
	require.NoError(t, err)
}

func TestCopySnapshot_SourceGoesDark_WaitsForIt(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{Times: sim.Times{Copy: 3 * time.Hour}}), t.Context()
	source := s.snapshot(s.volume())
	made, err := s.west.CopySnapshot(ctx, copyOf(source))
	require.NoError(t, err)
	s.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	_, err = s.west.CopySnapshot(ctx, copyOf(source))
	require.Equal(t, "Unavailable", wireCode(t, err))
	require.Eventually(t, func() bool {
		return *s.await(s.west, *made.SnapshotId, types.SnapshotStatePending).Progress == "99%"
	}, 10*time.Second, 2*time.Millisecond, "the time of a copy is over, but the source is dark")
	s.world.Heal(east)
	s.await(s.west, *made.SnapshotId, types.SnapshotStateCompleted)
}

// plainBodies hides from net/http that the SDK's bodies write themselves: one
// that the SDK closes early costs the connection and the rest of a long answer.
type plainBodies struct{ http.Transport }

func (c *plainBodies) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil && req.Body != http.NoBody {
		req = req.WithContext(req.Context())
		req.Body = struct{ io.ReadCloser }{req.Body}
	}
	return c.RoundTrip(req)
}

// ring is a KMS with some keys.
type ring []string

func (r ring) Usable(_, key string) (string, bool) { return key, slices.Contains(r, key) }

func TestEncryptionByDefault_NewVolumesUseTheDefaultKey(t *testing.T) {
	t.Parallel()
	key := "arn:aws:kms:us-east-1:123456789012:key/mine"
	s, ctx := newStorage(t, sim.Options{Keys: ring{key}}), t.Context()
	_, err := s.east.ModifyEbsDefaultKmsKeyId(ctx, &ec2.ModifyEbsDefaultKmsKeyIdInput{KmsKeyId: aws.String("nobody's")})
	require.Equal(t, "InvalidKmsKey.NotFound", wireCode(t, err))
	_, err = s.east.ModifyEbsDefaultKmsKeyId(ctx, &ec2.ModifyEbsDefaultKmsKeyIdInput{KmsKeyId: &key})
	require.NoError(t, err)
	_, err = s.east.EnableEbsEncryptionByDefault(ctx, &ec2.EnableEbsEncryptionByDefaultInput{})
	require.NoError(t, err)
	on, err := s.east.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	require.NoError(t, err)
	require.True(t, *on.EbsEncryptionByDefault)
	found, err := s.east.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{s.volume()}})
	require.NoError(t, err)
	require.Equal(t, key, *found.Volumes[0].KmsKeyId)
	there, err := s.west.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	require.NoError(t, err)
	require.False(t, *there.EbsEncryptionByDefault, "the setting is one Region's")
}

func TestRunInstances_KeyThatIsGone_EndsTheInstance(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{Keys: ring{}}), t.Context()
	run, err := s.east.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String(image), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{Encrypted: aws.Bool(true), KmsKeyId: aws.String("gone")}}},
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		out, err := s.east.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{*run.Instances[0].InstanceId}})
		if err != nil || out.Reservations[0].Instances[0].State.Name != types.InstanceStateNameTerminated {
			return false
		}
		return strings.HasPrefix(*out.Reservations[0].Instances[0].StateReason.Code, "Client.")
	}, 10*time.Second, 2*time.Millisecond)
}

func TestRunInstances_EncryptedWithoutAKey_UsesTheKeyThatEBSMakes(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{Keys: ring{}}), t.Context()
	run, err := s.east.RunInstances(ctx, &ec2.RunInstancesInput{
		ImageId: aws.String(image), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &types.EbsBlockDevice{Encrypted: aws.Bool(true)}}},
	})
	require.NoError(t, err)
	require.NoError(t, ec2.NewInstanceRunningWaiter(s.east, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay = time.Millisecond }).Wait(
		ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{*run.Instances[0].InstanceId}}, 10*time.Second))
	root := run.Instances[0].BlockDeviceMappings[0].Ebs.VolumeId
	snap := s.snapshot(*root)
	restored, err := s.east.CreateVolume(ctx, &ec2.CreateVolumeInput{AvailabilityZone: aws.String("us-east-1b"), SnapshotId: &snap})
	require.NoError(t, err)
	require.True(t, *restored.Encrypted)
	volumes, err := s.east.DescribeVolumes(ctx, &ec2.DescribeVolumesInput{VolumeIds: []string{*root}})
	require.NoError(t, err)
	require.Equal(t, *volumes.Volumes[0].KmsKeyId, *restored.KmsKeyId, "a volume keeps the key of its snapshot")
}

func TestCapacityReservation_NoCapacityLeft_ReservedInstancesStillLaunch(t *testing.T) {
	t.Parallel()
	s, ctx := newStorage(t, sim.Options{}), t.Context()
	s.sim.SetCapacity(east, 3)
	made, err := s.east.CreateCapacityReservation(ctx, &ec2.CreateCapacityReservationInput{
		AvailabilityZone: aws.String("us-east-1a"), InstanceType: aws.String("m5.large"),
		InstancePlatform: types.CapacityReservationInstancePlatformLinuxUnix, InstanceCount: aws.Int32(2),
	})
	require.NoError(t, err)
	s.sim.SetCapacity(east, 0)
	run := func(zone string) error {
		_, err := s.east.RunInstances(ctx, &ec2.RunInstancesInput{
			ImageId: aws.String(image), MinCount: aws.Int32(1), MaxCount: aws.Int32(1), InstanceType: types.InstanceTypeM5Large,
			Placement: &types.Placement{AvailabilityZone: &zone},
		})
		return err
	}
	require.Equal(t, "InsufficientInstanceCapacity", wireCode(t, run("us-east-1b")))
	require.NoError(t, run("us-east-1a"))
	found, err := s.east.DescribeCapacityReservations(ctx, &ec2.DescribeCapacityReservationsInput{CapacityReservationIds: []string{*made.CapacityReservation.CapacityReservationId}})
	require.NoError(t, err)
	require.Equal(t, int32(1), *found.CapacityReservations[0].AvailableInstanceCount)
	require.NoError(t, run("us-east-1a"))
	require.Equal(t, "InsufficientInstanceCapacity", wireCode(t, run("us-east-1a")))
}
