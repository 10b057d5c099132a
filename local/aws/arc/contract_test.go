package arc_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	data "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster"
	datatypes "github.com/aws/aws-sdk-go-v2/service/route53recoverycluster/types"
	config "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig/types"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/arc"
	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// lab is a cluster with two routing controls, a and b, as the SDK sees it.
type lab struct {
	t         *testing.T
	world     *world.World
	arc       *arc.ARC
	config    *config.Client
	cluster   string
	panel     string
	endpoints []types.ClusterEndpoint
	a, b      string
}

func newLab(t *testing.T) *lab {
	t.Helper()
	w := world.New(world.Options{Regions: arc.EndpointRegions(), Compression: 1000})
	t.Cleanup(w.Close)
	server := httptest.NewUnstartedServer(nil)
	a := arc.New(w, arc.Options{BaseURL: "http://" + server.Listener.Addr().String()})
	api := wire.NewServer(w, a.Wire(), a.ClusterWire())
	for prefix, region := range arc.Routes() {
		api.Route(prefix, region)
	}
	server.Config.Handler = api
	server.Start()
	t.Cleanup(server.Close)
	l := &lab{t: t, world: w, arc: a, config: config.New(config.Options{
		Region: "us-west-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	})}
	l.build()
	return l
}

func (l *lab) build() {
	t := l.t
	made, err := l.config.CreateCluster(t.Context(), &config.CreateClusterInput{ClusterName: aws.String("lifeline"), ClientToken: aws.String("c")})
	require.NoError(t, err)
	require.Equal(t, types.StatusPending, made.Cluster.Status)
	l.cluster = *made.Cluster.ClusterArn
	require.NoError(t, config.NewClusterCreatedWaiter(l.config, func(o *config.ClusterCreatedWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 20*time.Millisecond
	}).Wait(t.Context(), &config.DescribeClusterInput{ClusterArn: &l.cluster}, 20*time.Second))
	out, err := l.config.DescribeCluster(t.Context(), &config.DescribeClusterInput{ClusterArn: &l.cluster})
	require.NoError(t, err)
	l.endpoints = out.Cluster.ClusterEndpoints
	require.Len(t, l.endpoints, 5)
	panels, err := l.config.ListControlPanels(t.Context(), &config.ListControlPanelsInput{ClusterArn: &l.cluster})
	require.NoError(t, err)
	require.Len(t, panels.ControlPanels, 1)
	l.panel = *panels.ControlPanels[0].ControlPanelArn
	l.a, l.b = l.control("a"), l.control("b")
}

func (l *lab) control(name string) string {
	made, err := l.config.CreateRoutingControl(l.t.Context(), &config.CreateRoutingControlInput{ClusterArn: &l.cluster, RoutingControlName: &name})
	require.NoError(l.t, err)
	arn := made.RoutingControl.RoutingControlArn
	require.NoError(l.t, config.NewRoutingControlCreatedWaiter(l.config, func(o *config.RoutingControlCreatedWaiterOptions) {
		o.MinDelay, o.MaxDelay = time.Millisecond, 20*time.Millisecond
	}).Wait(l.t.Context(), &config.DescribeRoutingControlInput{RoutingControlArn: arn}, 20*time.Second))
	return *arn
}

// rule makes a safety rule and waits until it is in force.
func (l *lab) rule(in *config.CreateSafetyRuleInput) string {
	made, err := l.config.CreateSafetyRule(l.t.Context(), in)
	require.NoError(l.t, err)
	arn := ""
	if made.AssertionRule != nil {
		arn = *made.AssertionRule.SafetyRuleArn
	} else {
		arn = *made.GatingRule.SafetyRuleArn
	}
	require.Eventually(l.t, func() bool {
		out, err := l.config.DescribeSafetyRule(l.t.Context(), &config.DescribeSafetyRuleInput{SafetyRuleArn: &arn})
		return err == nil && (out.AssertionRule != nil && out.AssertionRule.Status == types.StatusDeployed || out.GatingRule != nil && out.GatingRule.Status == types.StatusDeployed)
	}, 20*time.Second, 2*time.Millisecond)
	return arn
}

// at is the client of the cluster endpoint in a Region, as AWS wants it used.
func (l *lab) at(region string) *data.Client {
	for _, e := range l.endpoints {
		if *e.Region == region {
			return data.New(data.Options{
				Region: region, BaseEndpoint: e.Endpoint, RetryMaxAttempts: 1,
				Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
			})
		}
	}
	require.Fail(l.t, "no endpoint", region)
	return nil
}

func (l *lab) get(region, arn string) (datatypes.RoutingControlState, error) {
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Second)
	defer cancel()
	out, err := l.at(region).GetRoutingControlState(ctx, &data.GetRoutingControlStateInput{RoutingControlArn: &arn})
	if err != nil {
		return "", err
	}
	return out.RoutingControlState, nil
}

const (
	on  = datatypes.RoutingControlStateOn
	off = datatypes.RoutingControlStateOff
)

// set changes a and b in one call.
func (l *lab) set(region string, a, b datatypes.RoutingControlState, override ...string) error {
	_, err := l.at(region).UpdateRoutingControlStates(l.t.Context(), &data.UpdateRoutingControlStatesInput{
		SafetyRulesToOverride: override,
		UpdateRoutingControlStateEntries: []datatypes.UpdateRoutingControlStateEntry{
			{RoutingControlArn: &l.a, RoutingControlState: a}, {RoutingControlArn: &l.b, RoutingControlState: b},
		},
	})
	return err
}

func (l *lab) states() [2]bool {
	a, _ := l.arc.On(l.a)
	b, _ := l.arc.On(l.b)
	return [2]bool{a, b}
}

func atLeastOne(l *lab, name string, wait int32) *config.CreateSafetyRuleInput {
	return &config.CreateSafetyRuleInput{AssertionRule: &types.NewAssertionRule{
		Name: &name, ControlPanelArn: &l.panel, AssertedControls: []string{l.a, l.b}, WaitPeriodMs: aws.Int32(wait),
		RuleConfig: &types.RuleConfig{Type: types.RuleTypeAtleast, Threshold: aws.Int32(1), Inverted: aws.Bool(false)},
	}}
}

func TestContract_EveryEndpointReadsAndWrites(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	changes := make(chan struct{}, 100)
	l.arc.OnChange(func() { changes <- struct{}{} })
	for _, region := range arc.EndpointRegions() {
		require.NoError(t, l.set(region, on, off), region)
		<-changes
		require.Equal(t, [2]bool{true, false}, l.states())
		for _, other := range arc.EndpointRegions() {
			state, err := l.get(other, l.a)
			require.NoError(t, err)
			require.Equal(t, on, state)
		}
		_, err := l.at(region).UpdateRoutingControlState(t.Context(), &data.UpdateRoutingControlStateInput{RoutingControlArn: &l.a, RoutingControlState: off})
		require.NoError(t, err)
		require.Equal(t, [2]bool{false, false}, l.states())
	}
	list, err := l.at("eu-west-1").ListRoutingControls(t.Context(), &data.ListRoutingControlsInput{ControlPanelArn: &l.panel, MaxResults: aws.Int32(1)})
	require.NoError(t, err)
	require.Len(t, list.RoutingControls, 1)
	require.Equal(t, "a", *list.RoutingControls[0].RoutingControlName)
	require.Equal(t, "DefaultControlPanel", *list.RoutingControls[0].ControlPanelName)
	rest, err := l.at("eu-west-1").ListRoutingControls(t.Context(), &data.ListRoutingControlsInput{ControlPanelArn: &l.panel, NextToken: list.NextToken})
	require.NoError(t, err)
	require.Equal(t, l.b, *rest.RoutingControls[0].RoutingControlArn)

	_, err = l.get("us-west-2", l.panel+"/routingcontrol/0123456789abcdef")
	var missing *datatypes.ResourceNotFoundException
	require.ErrorAs(t, err, &missing)
}

func TestContract_Quorum(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.NoError(t, l.set("us-west-2", on, on))
	for i, region := range []string{"us-east-1", "ap-northeast-1"} {
		l.world.Inject(world.Fault{Kind: world.Blackout, Region: region})
		_, err := l.get(region, l.a)
		require.ErrorIs(t, err, context.DeadlineExceeded, "the endpoint in the dark Region is silent")
		require.NoError(t, l.set("us-west-2", off, on), "%d Regions lost", i+1)
	}
	l.world.Inject(world.Fault{ID: "third", Kind: world.Blackout, Region: "eu-west-1"})
	var unavailable *datatypes.EndpointTemporarilyUnavailableException
	require.ErrorAs(t, l.set("us-west-2", on, on), &unavailable)
	require.Equal(t, [2]bool{false, true}, l.states(), "states stay")
	l.world.Remove("third")
	require.NoError(t, l.set("us-west-2", on, on))

	for _, peer := range []string{"eu-west-1", "ap-southeast-2"} { // us-west-2 is left alone
		l.world.Inject(world.Fault{Kind: world.Partition, Region: "us-west-2", Peer: peer})
	}
	require.ErrorAs(t, l.set("us-west-2", off, on), &unavailable)
}

func TestContract_ConfigurationDiesWithUsWest2_StatesDoNot(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.world.Inject(world.Fault{Kind: world.Blackout, Region: "us-west-2"})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := l.config.DescribeCluster(ctx, &config.DescribeClusterInput{ClusterArn: &l.cluster})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, l.set("us-east-1", on, off))
	require.Equal(t, [2]bool{true, false}, l.states())
}

func TestContract_AssertionRule_AtLeastOne(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	require.NoError(t, l.set("us-west-2", on, off))
	rule := l.rule(atLeastOne(l, "one", 0))
	var refused *datatypes.ConflictException
	require.ErrorAs(t, l.set("us-west-2", off, off), &refused)
	require.Contains(t, *refused.Message, rule)
	require.Equal(t, [2]bool{true, false}, l.states())
	require.NoError(t, l.set("us-west-2", off, on), "both at once never leaves none")
	_, err := l.at("us-west-2").UpdateRoutingControlState(t.Context(), &data.UpdateRoutingControlStateInput{RoutingControlArn: &l.b, RoutingControlState: off})
	require.ErrorAs(t, err, &refused)
	require.NoError(t, l.set("us-west-2", off, off, rule), "break-glass")
	require.Equal(t, [2]bool{false, false}, l.states())
	var missing *datatypes.ResourceNotFoundException
	require.ErrorAs(t, l.set("us-west-2", on, off, rule+"0"), &missing)
}

func TestContract_AssertionRule_WaitPeriod(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.rule(atLeastOne(l, "calm", 1_000_000)) // a second of wall time
	require.NoError(t, l.set("us-west-2", on, off))
	var refused *datatypes.ConflictException
	require.ErrorAs(t, l.set("us-west-2", off, on), &refused)
	require.NoError(t, l.set("us-west-2", on, off), "nothing would change")
	require.Eventually(t, func() bool { return l.set("us-west-2", off, on) == nil }, 20*time.Second, 20*time.Millisecond)
}

func TestContract_GatingRule(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	gate := l.control("gate")
	rule := l.rule(&config.CreateSafetyRuleInput{GatingRule: &types.NewGatingRule{
		Name: aws.String("approval"), ControlPanelArn: &l.panel, GatingControls: []string{gate}, TargetControls: []string{l.a, l.b}, WaitPeriodMs: aws.Int32(0),
		RuleConfig: &types.RuleConfig{Type: types.RuleTypeAnd, Threshold: aws.Int32(0), Inverted: aws.Bool(false)},
	}})
	var refused *datatypes.ConflictException
	require.ErrorAs(t, l.set("us-west-2", on, off), &refused)
	_, err := l.at("us-west-2").UpdateRoutingControlState(t.Context(), &data.UpdateRoutingControlStateInput{RoutingControlArn: &gate, RoutingControlState: on})
	require.NoError(t, err)
	require.NoError(t, l.set("us-west-2", on, off))
	_, err = l.config.DeleteRoutingControl(t.Context(), &config.DeleteRoutingControlInput{RoutingControlArn: &gate})
	var conflict *types.ConflictException
	require.ErrorAs(t, err, &conflict, "a rule still names it")

	list, err := l.config.ListSafetyRules(t.Context(), &config.ListSafetyRulesInput{ControlPanelArn: &l.panel})
	require.NoError(t, err)
	require.Len(t, list.SafetyRules, 1)
	require.Equal(t, rule, *list.SafetyRules[0].GATING.SafetyRuleArn)
	updated, err := l.config.UpdateSafetyRule(t.Context(), &config.UpdateSafetyRuleInput{GatingRuleUpdate: &types.GatingRuleUpdate{SafetyRuleArn: &rule, Name: aws.String("new"), WaitPeriodMs: aws.Int32(5)}})
	require.NoError(t, err)
	require.Equal(t, "new", *updated.GatingRule.Name)
	_, err = l.config.DeleteSafetyRule(t.Context(), &config.DeleteSafetyRuleInput{SafetyRuleArn: &rule})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := l.config.DeleteRoutingControl(t.Context(), &config.DeleteRoutingControlInput{RoutingControlArn: &gate})
		return err == nil
	}, 20*time.Second, 2*time.Millisecond)
}

func TestContract_Batch_IsAtomic(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, err := l.at("us-west-2").UpdateRoutingControlStates(t.Context(), &data.UpdateRoutingControlStatesInput{
		UpdateRoutingControlStateEntries: []datatypes.UpdateRoutingControlStateEntry{
			{RoutingControlArn: &l.a, RoutingControlState: on}, {RoutingControlArn: aws.String(l.a + "0"), RoutingControlState: on},
		},
	})
	require.Error(t, err)
	require.Equal(t, [2]bool{false, false}, l.states())
	_, err = l.at("us-west-2").UpdateRoutingControlStates(t.Context(), &data.UpdateRoutingControlStatesInput{
		UpdateRoutingControlStateEntries: []datatypes.UpdateRoutingControlStateEntry{
			{RoutingControlArn: &l.a, RoutingControlState: on}, {RoutingControlArn: &l.a, RoutingControlState: off},
		},
	})
	var invalid *datatypes.ValidationException
	require.ErrorAs(t, err, &invalid)
}

func TestContract_Configuration_RefusalsAndTokens(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	again, err := l.config.CreateCluster(t.Context(), &config.CreateClusterInput{ClusterName: aws.String("lifeline"), ClientToken: aws.String("c")})
	require.NoError(t, err)
	require.Equal(t, l.cluster, *again.Cluster.ClusterArn, "the same token is the same cluster")
	var conflict *types.ConflictException
	_, err = l.config.CreateCluster(t.Context(), &config.CreateClusterInput{ClusterName: aws.String("lifeline")})
	require.ErrorAs(t, err, &conflict)
	_, err = l.config.CreateRoutingControl(t.Context(), &config.CreateRoutingControlInput{ClusterArn: &l.cluster, RoutingControlName: aws.String("a")})
	require.ErrorAs(t, err, &conflict)
	_, err = l.config.DeleteCluster(t.Context(), &config.DeleteClusterInput{ClusterArn: &l.cluster})
	require.ErrorAs(t, err, &conflict)
	_, err = l.config.DeleteControlPanel(t.Context(), &config.DeleteControlPanelInput{ControlPanelArn: &l.panel})
	require.ErrorAs(t, err, &conflict)
	in := atLeastOne(l, "x", 0)
	in.AssertionRule.RuleConfig.Threshold = aws.Int32(3)
	_, err = l.config.CreateSafetyRule(t.Context(), in)
	var invalid *types.ValidationException
	require.ErrorAs(t, err, &invalid)
	_, err = l.config.CreateCluster(t.Context(), &config.CreateClusterInput{ClusterName: aws.String("second")})
	require.NoError(t, err)
	_, err = l.config.CreateCluster(t.Context(), &config.CreateClusterInput{ClusterName: aws.String("third")})
	var quota *types.ServiceQuotaExceededException
	require.ErrorAs(t, err, &quota)

	_, err = l.config.TagResource(t.Context(), &config.TagResourceInput{ResourceArn: &l.cluster, Tags: map[string]string{"app": "records"}})
	require.NoError(t, err)
	tags, err := l.config.ListTagsForResource(t.Context(), &config.ListTagsForResourceInput{ResourceArn: &l.cluster})
	require.NoError(t, err)
	require.Equal(t, map[string]string{"app": "records"}, tags.Tags)
	_, err = l.config.UntagResource(t.Context(), &config.UntagResourceInput{ResourceArn: &l.cluster, TagKeys: []string{"app"}})
	require.NoError(t, err)
	panel, err := l.config.CreateControlPanel(t.Context(), &config.CreateControlPanelInput{ClusterArn: &l.cluster, ControlPanelName: aws.String("extra")})
	require.NoError(t, err)
	got, err := l.config.DescribeControlPanel(t.Context(), &config.DescribeControlPanelInput{ControlPanelArn: panel.ControlPanel.ControlPanelArn})
	require.NoError(t, err)
	require.False(t, *got.ControlPanel.DefaultControlPanel)
}
