package dlm_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dlm"
	"github.com/aws/aws-sdk-go-v2/service/dlm/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	sim "lifeline/local/aws/dlm"
	ec2sim "lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1"
	west = "us-west-2"
	role = "arn:aws:iam::123456789012:role/dlm"
)

// lab is DLM with EC2 beside it. An hour of AWS is 180 ms.
type lab struct {
	t      *testing.T
	world  *world.World
	client *dlm.Client // in us-east-1
	ec2    map[string]*ec2.Client
	events *events
	volume string // tagged backup=yes, app=records
}

type events struct {
	mu      sync.Mutex
	seen    []map[string]any
	counted map[string]float64
}

func (e *events) Emit(_, source, _ string, _ []string, detail map[string]any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if source == "aws.dlm" {
		e.seen = append(e.seen, detail)
	}
}

// Publish counts by metric and policy.
func (e *events) Publish(_, namespace, name string, dimensions map[string]string, value float64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.counted == nil {
		e.counted = map[string]float64{}
	}
	e.counted[namespace+" "+name+" "+dimensions["DLMPolicyId"]] += value
}

func (e *events) count(metric, policy string) float64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.counted["AWS/EBS "+metric+" "+policy]
}

func (e *events) states() []any {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []any
	for _, d := range e.seen {
		out = append(out, d["state"])
	}
	return out
}

// trust is an IAM that trusts DLM with every role, or with none.
type trust bool

func (t trust) Trusts(_, service string) bool { return bool(t) && service == "dlm.amazonaws.com" }

func newLab(t *testing.T, roles sim.Roles) *lab {
	t.Helper()
	w := world.New(world.Options{Compression: 20000})
	t.Cleanup(w.Close)
	l := &lab{t: t, world: w, events: &events{}, ec2: map[string]*ec2.Client{}}
	machines := ec2sim.New(w, ec2sim.Options{})
	server := httptest.NewServer(wire.NewServer(w, machines.Wire(), sim.New(w, machines, machines, sim.Options{Roles: roles, Events: l.events, Metrics: l.events}).Wire()))
	t.Cleanup(server.Close)
	config := func(region string) aws.Config {
		return aws.Config{
			Region: region, BaseEndpoint: aws.String(server.URL), RetryMaxAttempts: 1, HTTPClient: &plainBodies{},
			Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
		}
	}
	l.client = dlm.NewFromConfig(config(east))
	l.ec2[east], l.ec2[west] = ec2.NewFromConfig(config(east)), ec2.NewFromConfig(config(west))
	v, err := l.ec2[east].CreateVolume(t.Context(), &ec2.CreateVolumeInput{
		AvailabilityZone: aws.String("us-east-1a"), Size: aws.Int32(1),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeVolume, Tags: []ec2types.Tag{
			{Key: aws.String("backup"), Value: aws.String("yes")}, {Key: aws.String("app"), Value: aws.String("records")},
		}}},
	})
	require.NoError(t, err)
	l.volume = *v.VolumeId
	return l
}

// hourly keeps the last three snapshots.
func hourly() types.Schedule {
	return types.Schedule{
		Name: aws.String("hourly"), CopyTags: aws.Bool(true),
		CreateRule: &types.CreateRule{Interval: aws.Int32(1), IntervalUnit: types.IntervalUnitValuesHours},
		RetainRule: &types.RetainRule{Count: aws.Int32(3)},
	}
}

func policyOf(schedules ...types.Schedule) *dlm.CreateLifecyclePolicyInput {
	return &dlm.CreateLifecyclePolicyInput{
		Description: aws.String("Volumes of records"), ExecutionRoleArn: aws.String(role), State: types.SettablePolicyStateValuesEnabled,
		PolicyDetails: &types.PolicyDetails{
			ResourceTypes: []types.ResourceTypeValues{types.ResourceTypeValuesVolume},
			TargetTags:    []types.Tag{{Key: aws.String("backup"), Value: aws.String("yes")}}, Schedules: schedules,
		},
	}
}

func (l *lab) create(in *dlm.CreateLifecyclePolicyInput) string {
	l.t.Helper()
	out, err := l.client.CreateLifecyclePolicy(l.t.Context(), in)
	require.NoError(l.t, err)
	return *out.PolicyId
}

func (l *lab) policy(id string) *types.LifecyclePolicy {
	l.t.Helper()
	out, err := l.client.GetLifecyclePolicy(l.t.Context(), &dlm.GetLifecyclePolicyInput{PolicyId: &id})
	require.NoError(l.t, err)
	return out.Policy
}

// snapshots are the policy's snapshots in a Region.
func (l *lab) snapshots(region, id string) []ec2types.Snapshot {
	l.t.Helper()
	out, err := l.ec2[region].DescribeSnapshots(l.t.Context(), &ec2.DescribeSnapshotsInput{
		OwnerIds: []string{"self"}, Filters: []ec2types.Filter{{Name: aws.String("tag:aws:dlm:lifecycle-policy-id"), Values: []string{id}}},
	})
	require.NoError(l.t, err)
	return out.Snapshots
}

func (l *lab) eventually(what string, ok func() bool) {
	l.t.Helper()
	require.Eventually(l.t, ok, 20*time.Second, 5*time.Millisecond, what)
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

func wireCode(t *testing.T, err error) string {
	t.Helper()
	var refused smithy.APIError
	require.ErrorAs(t, err, &refused)
	return refused.ErrorCode()
}
