package ec2_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/ec2"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

const (
	east = "us-east-1"
	west = "us-west-2"
)

// estate is a world with EC2 in it, fast enough for a test.
type estate struct {
	*ec2.EC2
	t     *testing.T
	world *world.World
}

func newEstate(t *testing.T, o ec2.Options) *estate {
	t.Helper()
	w := world.New(world.Options{Compression: 2000})
	t.Cleanup(w.Close)
	return &estate{EC2: ec2.New(w, o), t: t, world: w}
}

func (e *estate) call(region string) *wire.Call {
	return &wire.Call{Context: e.t.Context(), World: e.world, Region: region}
}

func code(t *testing.T, err error) string {
	t.Helper()
	var refused *wire.Error
	require.ErrorAs(t, err, &refused)
	return refused.Code
}

// greeter is software that tells its machine's id.
func greeter(_ context.Context, m ec2.Machine) (http.Handler, error) {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, m.ID) }), nil
}

func userData(s string) *string { return aws.String(base64.StdEncoding.EncodeToString([]byte(s))) }

func (e *estate) run(in *sdk.RunInstancesInput) []*sdk.Instance {
	e.t.Helper()
	if in.ImageId == nil && in.LaunchTemplate == nil {
		in.ImageId = aws.String("ami-0123456789abcdef0")
	}
	if in.MinCount == nil {
		in.MinCount, in.MaxCount = aws.Int64(1), aws.Int64(1)
	}
	out, err := e.RunInstances(e.call(east), in)
	require.NoError(e.t, err)
	return out.Instances
}

func (e *estate) state(id string) string {
	p, ok := e.Placement(east, id)
	if !ok {
		return "terminated"
	}
	return p.State
}

func (e *estate) awaitState(id, state string) {
	e.t.Helper()
	require.Eventually(e.t, func() bool { return e.state(id) == state }, 5*time.Second, time.Millisecond, "instance never %s", state)
}

// openGroup is a security group that lets the world in at port 8080.
func (e *estate) openGroup() string {
	e.t.Helper()
	g, err := e.CreateSecurityGroup(e.call(east), &sdk.CreateSecurityGroupInput{GroupName: aws.String("web"), Description: aws.String("web")})
	require.NoError(e.t, err)
	_, err = e.AuthorizeSecurityGroupIngress(e.call(east), &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: g.GroupId, IpProtocol: aws.String("tcp"), FromPort: aws.Int64(8080), ToPort: aws.Int64(8080), CidrIp: aws.String("0.0.0.0/0"),
	})
	require.NoError(e.t, err)
	return *g.GroupId
}

func outside() ec2.Source {
	return ec2.Source{Region: east, Address: netip.MustParseAddr("203.0.113.77")}
}

// get asks an instance over one connection that stays open between calls.
type client struct {
	http.Client
	dials int
}

func (e *estate) client(id string, port int) *client {
	c := &client{}
	c.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c.dials++
		return e.Dial(ctx, outside(), id, port)
	}}
	c.Timeout = 200 * time.Millisecond
	e.t.Cleanup(c.CloseIdleConnections)
	return c
}

func (c *client) get(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://instance/", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (e *estate) server(group string) (id string, c *client) {
	e.t.Helper()
	id = *e.run(&sdk.RunInstancesInput{
		UserData: userData(`{"lifeline":"greeter","port":8080}`), SecurityGroupIds: []*string{&group},
	})[0].InstanceId
	e.awaitState(id, "running")
	c = e.client(id, 8080)
	require.Eventually(e.t, func() bool { got, err := c.get(e.t.Context()); return err == nil && got == id },
		5*time.Second, time.Millisecond, "software never answered")
	return id, c
}

func (e *estate) timesOut(c *client) {
	e.t.Helper()
	_, err := c.get(e.t.Context())
	var timeout net.Error
	require.ErrorAs(e.t, err, &timeout)
	require.True(e.t, timeout.Timeout(), "want silence, got %v", err)
}

func TestRunInstances_ConfiguredUserData_BootsSoftwareThatAnswers(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{Boot: greeter})
	id, _ := e.server(e.openGroup())
	elsewhere, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := e.Dial(elsewhere, outside(), id, 9)
	require.ErrorIs(t, err, context.DeadlineExceeded, "the security group opens one port")
}

func TestRunInstances_States_TakeAWSsTime(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{})
	id := *e.run(&sdk.RunInstancesInput{})[0].InstanceId
	require.Equal(t, "pending", e.state(id))
	e.awaitState(id, "running")
	require.Eventually(t, func() bool {
		out, err := e.DescribeInstanceStatus(e.call(east), &sdk.DescribeInstanceStatusInput{InstanceIds: []*string{&id}})
		return err == nil && len(out.InstanceStatuses) == 1 && *out.InstanceStatuses[0].InstanceStatus.Status == "ok"
	}, 5*time.Second, time.Millisecond)
	_, err := e.StopInstances(e.call(east), &sdk.StopInstancesInput{InstanceIds: []*string{&id}})
	require.NoError(t, err)
	e.awaitState(id, "stopped")
	_, err = e.StartInstances(e.call(east), &sdk.StartInstancesInput{InstanceIds: []*string{&id}})
	require.NoError(t, err)
	e.awaitState(id, "running")
	out, err := e.TerminateInstances(e.call(east), &sdk.TerminateInstancesInput{InstanceIds: []*string{&id}})
	require.NoError(t, err)
	require.Equal(t, "running", *out.TerminatingInstances[0].PreviousState.Name)
	require.Equal(t, "shutting-down", *out.TerminatingInstances[0].CurrentState.Name)
	e.awaitState(id, "terminated")
	_, err = e.StartInstances(e.call(east), &sdk.StartInstancesInput{InstanceIds: []*string{&id}})
	require.Equal(t, "IncorrectInstanceState", code(t, err))
}

func TestRunInstances_SameClientToken_LaunchesOnce(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{})
	ask := func(most int64) (*sdk.Reservation, error) {
		return e.RunInstances(e.call(east), &sdk.RunInstancesInput{
			ImageId: aws.String("ami-0123456789abcdef0"), MinCount: aws.Int64(1), MaxCount: aws.Int64(most), ClientToken: aws.String("once"),
		})
	}
	first, err := ask(2)
	require.NoError(t, err)
	again, err := ask(2)
	require.NoError(t, err)
	require.Equal(t, *first.ReservationId, *again.ReservationId)
	require.Len(t, again.Instances, 2)
	_, err = ask(3)
	require.Equal(t, "IdempotentParameterMismatch", code(t, err))
	all, err := e.DescribeInstances(e.call(east), &sdk.DescribeInstancesInput{})
	require.NoError(t, err)
	require.Len(t, all.Reservations, 1)
}

func TestRunInstances_TemplateVersions_RequestWins(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{})
	_, err := e.CreateLaunchTemplate(e.call(east), &sdk.CreateLaunchTemplateInput{
		LaunchTemplateName: aws.String("web"), LaunchTemplateData: &sdk.RequestLaunchTemplateData{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: aws.String("m5.large"),
			TagSpecifications: []*sdk.LaunchTemplateTagSpecificationRequest{{
				ResourceType: aws.String("instance"), Tags: []*sdk.Tag{{Key: aws.String("app"), Value: aws.String("records")}},
			}},
		},
	})
	require.NoError(t, err)
	_, err = e.CreateLaunchTemplateVersion(e.call(east), &sdk.CreateLaunchTemplateVersionInput{
		LaunchTemplateName: aws.String("web"), SourceVersion: aws.String("1"),
		LaunchTemplateData: &sdk.RequestLaunchTemplateData{InstanceType: aws.String("m5.xlarge")},
	})
	require.NoError(t, err)
	web := func(v string) *sdk.LaunchTemplateSpecification {
		return &sdk.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: aws.String(v)}
	}
	require.Equal(t, "m5.large", *e.run(&sdk.RunInstancesInput{LaunchTemplate: web("$Default")})[0].InstanceType)
	latest := e.run(&sdk.RunInstancesInput{LaunchTemplate: web("$Latest")})[0]
	require.Equal(t, "m5.xlarge", *latest.InstanceType)
	require.Equal(t, "ami-0123456789abcdef0", *latest.ImageId, "taken over from the source version")
	require.Equal(t, "c5.large", *e.run(&sdk.RunInstancesInput{LaunchTemplate: web("2"), InstanceType: aws.String("c5.large")})[0].InstanceType)
	found, err := e.DescribeInstances(e.call(east), &sdk.DescribeInstancesInput{Filters: []*sdk.Filter{
		{Name: aws.String("tag:app"), Values: []*string{aws.String("rec*")}},
		{Name: aws.String("instance-type"), Values: []*string{aws.String("m5.xlarge"), aws.String("t3.nano")}},
	}})
	require.NoError(t, err)
	require.Len(t, found.Reservations, 1)
	_, err = e.RunInstances(e.call(east), &sdk.RunInstancesInput{LaunchTemplate: web("9"), MinCount: aws.Int64(1), MaxCount: aws.Int64(1)})
	require.Equal(t, "InvalidLaunchTemplateId.VersionNotFound", code(t, err))
}

func TestRunInstances_QuotaAndCapacity_LimitTheCount(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{VCPUs: func(string) int { return 10 }})
	xl := func(low, high int64) (*sdk.Reservation, error) {
		return e.RunInstances(e.call(east), &sdk.RunInstancesInput{
			ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: aws.String("m5.xlarge"), MinCount: aws.Int64(low), MaxCount: aws.Int64(high),
		})
	}
	got, err := xl(1, 5)
	require.NoError(t, err)
	require.Len(t, got.Instances, 2, "ten vCPUs hold two of four")
	_, err = xl(1, 1)
	require.Equal(t, "VcpuLimitExceeded", code(t, err))

	e.SetCapacity(west, 0)
	_, err = e.RunInstances(e.call(west), &sdk.RunInstancesInput{
		ImageId: aws.String("ami-0123456789abcdef0"), InstanceType: aws.String("m5.large"), MinCount: aws.Int64(1), MaxCount: aws.Int64(1),
	})
	require.Equal(t, "InsufficientInstanceCapacity", code(t, err))
}

func (e *estate) aclOf(subnet string) *sdk.NetworkAcl {
	e.t.Helper()
	out, err := e.DescribeNetworkACLs(e.call(east), &sdk.DescribeNetworkAclsInput{Filters: []*sdk.Filter{
		{Name: aws.String("association.subnet-id"), Values: []*string{&subnet}},
	}})
	require.NoError(e.t, err)
	require.Len(e.t, out.NetworkAcls, 1)
	return out.NetworkAcls[0]
}

func TestMachine_Terminated_ItsContextEndsAndNothingAnswers(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	e := newEstate(t, ec2.Options{Boot: func(ctx context.Context, m ec2.Machine) (http.Handler, error) {
		context.AfterFunc(ctx, func() { close(ended) })
		return greeter(ctx, m)
	}})
	id, c := e.server(e.openGroup())
	_, err := e.TerminateInstances(e.call(east), &sdk.TerminateInstancesInput{InstanceIds: []*string{&id}})
	require.NoError(t, err)
	<-ended
	_, err = c.get(t.Context())
	require.Error(t, err)
}

func TestDescribe_UnknownThings_AreRefusedByAWSsCodes(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{})
	id := []*string{aws.String("x-0123")}
	for want, ask := range map[string]func() error{
		"InvalidInstanceID.NotFound": func() error {
			_, err := e.DescribeInstances(e.call(east), &sdk.DescribeInstancesInput{InstanceIds: id})
			return err
		},
		"InvalidSubnetID.NotFound": func() error {
			_, err := e.DescribeSubnets(e.call(east), &sdk.DescribeSubnetsInput{SubnetIds: id})
			return err
		},
		"InvalidVpcID.NotFound": func() error { _, err := e.DescribeVpcs(e.call(east), &sdk.DescribeVpcsInput{VpcIds: id}); return err },
		"InvalidGroup.NotFound": func() error {
			_, err := e.DescribeSecurityGroups(e.call(east), &sdk.DescribeSecurityGroupsInput{GroupIds: id})
			return err
		},
		"InvalidNetworkAclID.NotFound": func() error {
			_, err := e.DescribeNetworkACLs(e.call(east), &sdk.DescribeNetworkAclsInput{NetworkAclIds: id})
			return err
		},
		"InvalidParameterValue": func() error {
			_, err := e.DescribeSubnets(e.call(east), &sdk.DescribeSubnetsInput{Filters: []*sdk.Filter{{Name: aws.String("colour"), Values: id}}})
			return err
		},
		"InvalidID": func() error {
			_, err := e.CreateTags(e.call(east), &sdk.CreateTagsInput{Resources: id, Tags: []*sdk.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			return err
		},
	} {
		require.Equal(t, want, code(t, ask()))
	}
}

func TestDescribeSubnets_Pages_CoverAllOnce(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{})
	seen := map[string]bool{}
	var token *string
	for {
		out, err := e.DescribeSubnets(e.call(east), &sdk.DescribeSubnetsInput{MaxResults: aws.Int64(2), NextToken: token})
		require.NoError(t, err)
		for _, s := range out.Subnets {
			require.False(t, seen[*s.SubnetId])
			seen[*s.SubnetId] = true
		}
		if token = out.NextToken; token == nil {
			break
		}
	}
	require.Len(t, seen, 3)
	_, err := e.DescribeSubnets(e.call(east), &sdk.DescribeSubnetsInput{NextToken: aws.String("!")})
	require.Equal(t, "InvalidNextToken", code(t, err))
}

func TestDial_NothingInstalled_RefusesAndStoppedMachineIsSilent(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{Boot: func(context.Context, ec2.Machine) (http.Handler, error) {
		return nil, errors.New("bad configuration")
	}})
	group := e.openGroup()
	id := *e.run(&sdk.RunInstancesInput{UserData: userData(`{"lifeline":"broken"}`), SecurityGroupIds: []*string{&group}})[0].InstanceId
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.Eventually(t, func() bool {
		_, err := e.Dial(ctx, outside(), id, 8080)
		return err != nil && ctx.Err() == nil
	}, 5*time.Second, time.Millisecond)
	_, err := e.StopInstances(e.call(east), &sdk.StopInstancesInput{InstanceIds: []*string{&id}})
	require.NoError(t, err)
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	_, err = e.Dial(short, outside(), id, 8080)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
