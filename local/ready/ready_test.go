package ready_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	awselb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	temporalworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lifeline/activities/arc"
	"lifeline/activities/autoscaling"
	"lifeline/activities/backup"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/dlm"
	"lifeline/activities/drs"
	"lifeline/activities/dynamodb"
	"lifeline/activities/ec2"
	"lifeline/activities/elb"
	"lifeline/activities/iam"
	"lifeline/activities/kms"
	"lifeline/activities/observe"
	"lifeline/activities/rds"
	"lifeline/activities/route53"
	"lifeline/activities/s3"
	"lifeline/activities/servicequotas"
	"lifeline/activities/sns"
	"lifeline/activities/sts"
	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/local/aws/sim"
	"lifeline/local/estate"
	"lifeline/workflows"
	"lifeline/workflows/kinds"
)

const (
	east     = plan.Region("us-east-1")
	west     = plan.Region("us-west-2")
	account  = "123456789012"
	patience = 2 * time.Minute
	// building and living are the time compressions while the estate is made and
	// while it is looked at: metrics come every minute of AWS.
	building, living = 400, 60
	proverKey        = "AKIAPROVER"
)

// house is an estate in the simulated AWS with everything that setup keeps of its
// keys and backups.
type house struct {
	*sim.Sim
	t     *testing.T
	plan  plan.Plan
	admin aws.Config
}

func build(t *testing.T, example string) *house {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "..", "examples", example))
	require.NoError(t, problems.Err())
	if p.Setup == nil {
		p.Setup = &plan.Setup{Drift: plan.Repair, Key: "alias/patient-records"}
	}
	s, err := sim.Start(t.Context(), sim.Options{API: "127.0.0.1:0", DNS: "127.0.0.1:0", Compression: building, Regions: []string{"us-east-1", "us-west-2", "us-east-2"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	h := &house{Sim: s, t: t}
	h.admin = h.config("AKIAADMIN")
	h.admin.RetryMaxAttempts = 5
	p.Traffic.NameServers = []string{s.DNS()}
	b := estate.Builder{Plan: p, Config: h.admin, Logger: slog.New(slog.DiscardHandler), Patience: patience}
	require.NoError(t, b.Build(t.Context()))
	h.plan = b.Plan
	h.converge()
	s.World.SetCompression(living)
	h.mark()
	return h
}

func (h *house) config(caller string) aws.Config {
	return aws.Config{Region: string(west), BaseEndpoint: aws.String("http://" + h.API()), Credentials: credentials.NewStaticCredentialsProvider(caller, "local", "")}
}

// converge makes keys, roles, vaults and the backup plan, as setup does.
func (h *house) converge() {
	h.t.Helper()
	all, err := kinds.Items(kinds.Site{Plan: h.plan, Account: account})
	require.NoError(h.t, err)
	all = slices.DeleteFunc(all, func(i runbook.Item) bool { return i.Area != runbook.AreaAccess && i.Area != runbook.AreaBackup })
	c := cloud.Using(h.config("AKIASETUP"), cloud.Options{Caller: "setup"})
	book, err := keep.NewBook(slices.Concat(iam.Keepers(c), kms.Keepers(c), backup.Keepers(c))...)
	require.NoError(h.t, err)
	known := map[string]map[string]string{}
	waves, rest := runbook.Waves(all, nil)
	require.Empty(h.t, rest)
	for _, wave := range waves {
		for _, item := range wave {
			resolved, open := item.Resolve(known)
			require.Empty(h.t, open, item.ID())
			ctx, cancel := context.WithTimeout(h.t.Context(), patience)
			results, err := book.Converge(ctx, []runbook.Item{resolved}, true)
			cancel()
			require.NoError(h.t, err)
			require.True(h.t, results[0].Verdict.Good(), "%s: %s", item.ID(), results[0].Why)
			for id, out := range keep.Known(results) {
				known[id] = out
			}
		}
	}
}

// mark leaves watermarks as workers of both Regions do, until the test ends.
func (h *house) mark() {
	c := cloud.Using(h.config("AKIAWORKER"), cloud.Options{Caller: "worker"})
	tables, buckets := dynamodb.New(c), s3.New(c)
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan struct{})
	h.t.Cleanup(func() {
		cancel()
		<-done
	})
	go func() {
		defer close(done)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, r := range h.plan.Resources {
				for _, region := range h.plan.TrafficRegions() {
					switch r.Kind { //nolint:exhaustive // the others have no watermarks
					case plan.DynamoDBTable:
						_ = tables.WriteTableWatermark(ctx, dynamodb.TableWatermark{Region: region, Table: r.Regions[region]["table"]})
					case plan.S3Bucket:
						_ = buckets.WriteBucketWatermark(ctx, s3.BucketWatermark{Region: region, Bucket: r.Regions[region]["bucket"]})
					}
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// allowed is the policy that Lifeline ships for the worker that builds and proves.
func allowed(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "policies", "setup.json"))
	require.NoError(t, err)
	var doc struct{ Statement []struct{ Action []string } }
	require.NoError(t, json.Unmarshal(raw, &doc))
	// AWS tells everybody who they are; this one asks for a permission.
	return append(doc.Statement[0].Action, "sts:GetCallerIdentity")
}

// prove runs readiness as a worker would, with real steps on the simulated AWS.
// The estate's own survey is left out, and observers and Temporal's past are ours.
func (h *house) prove() runbook.ReadinessReport {
	h.t.Helper()
	h.World.SetPolicy(proverKey, allowed(h.t))
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestWorkflowEnvironment()
	env.SetWorkerOptions(temporalworker.Options{
		DeadlockDetectionTimeout: time.Minute,
		Interceptors:             []interceptor.WorkerInterceptor{lifeline.NewWorkerInterceptor()},
	})
	env.SetTestTimeout(patience)
	env.SetStartTime(time.Now())
	env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifeline.IDOf(h.plan.Application, runbook.Readiness), TaskQueue: lifeline.SetupQueue})
	env.RegisterWorkflowWithOptions(workflows.Readiness, workflow.RegisterOptions{Name: workflows.ReadinessName})
	env.RegisterWorkflowWithOptions(func(workflow.Context, workflows.AreaInput) (workflows.AreaOutput, error) {
		return workflows.AreaOutput{}, nil
	}, workflow.RegisterOptions{Name: workflows.SetupAreaName})
	c := cloud.Using(h.config(proverKey), cloud.Options{Caller: "worker"})
	for _, steps := range []any{
		cloudwatch.New(c), dynamodb.New(c), elb.New(c), rds.New(c), s3.New(c), servicequotas.New(c), sns.New(c), sts.New(c),
		arc.NewReady(c), autoscaling.NewReady(c), backup.NewReady(c), cloudwatch.NewReady(c), dlm.NewReady(c), drs.NewReady(c), dynamodb.NewReady(c),
		ec2.NewReady(c), elb.NewReady(c), iam.NewReady(c), kms.NewReady(c), rds.NewReady(c), route53.NewReady(c), s3.NewReady(c), servicequotas.NewReady(c), sts.NewReady(c),
	} {
		env.RegisterActivity(steps)
	}
	h.stubs(env)
	env.ExecuteWorkflow(workflows.ReadinessName, workflows.ReadinessInput{Plan: h.plan})
	require.True(h.t, env.IsWorkflowCompleted())
	require.NoError(h.t, env.GetWorkflowError())
	var rep runbook.ReadinessReport
	require.NoError(h.t, env.GetWorkflowResult(&rep))
	return rep
}

func (h *house) stubs(env *testsuite.TestWorkflowEnvironment) {
	env.RegisterActivityWithOptions(func(context.Context, observe.ObserveInput) (observe.Observation, error) {
		return observe.Observation{Regions: map[string]observe.Verdict{string(east): {Healthy: true, Rounds: 100}, string(west): {Healthy: true, Rounds: 100}}}, nil
	}, activity.RegisterOptions{Name: "ObserveRegions"})
	env.RegisterActivityWithOptions(func(context.Context, lifeline.LastProofIn) (lifeline.LastProof, error) {
		return lifeline.LastProof{}, nil
	}, activity.RegisterOptions{Name: "FindLastProof"})
	env.RegisterActivityWithOptions(func(context.Context, lifeline.LastMoveIn) (lifeline.LastMove, error) {
		return lifeline.LastMove{Found: true, Runbook: runbook.Switchover, Ended: time.Now().Add(-time.Hour)}, nil
	}, activity.RegisterOptions{Name: "FindLastMove"})
}

// settled proves again while metrics and checks settle.
func (h *house) settled(enough func(runbook.ReadinessReport) bool) runbook.ReadinessReport {
	h.t.Helper()
	var rep runbook.ReadinessReport
	deadline := time.Now().Add(patience)
	for {
		if rep = h.prove(); enough(rep) || time.Now().After(deadline) {
			return rep
		}
	}
}

// worse are the checks that are worse than a grade, in words.
func worse(rep runbook.ReadinessReport, than ...runbook.Grade) []string {
	var out []string
	for _, c := range rep.Checks {
		if !slices.Contains(than, c.Grade) {
			out = append(out, fmt.Sprintf("%s is %s: %s", c.ID, c.Grade, c.Why))
		}
	}
	return out
}

func find(t *testing.T, rep runbook.ReadinessReport, id string) runbook.CheckResult {
	t.Helper()
	i := slices.IndexFunc(rep.Checks, func(c runbook.CheckResult) bool { return c.ID == id })
	require.GreaterOrEqual(t, i, 0, "there is no check %s", id)
	return rep.Checks[i]
}

func TestReadiness_HealthyEstate_IsReady_UntilAHandDeletesAFailoverRecord(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"patient-records.yaml", "patient-records-arc.yaml"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			h := build(t, example)
			// Points and a restore are what a new estate can't have yet.
			unexpected := func(r runbook.ReadinessReport) []string {
				return slices.DeleteFunc(worse(r, runbook.Green), func(why string) bool { return strings.HasPrefix(why, "backups/") && strings.Contains(why, "is amber") })
			}
			rep := h.settled(func(r runbook.ReadinessReport) bool { return r.Ready && len(unexpected(r)) == 0 })
			require.Empty(t, unexpected(rep))
			require.True(t, rep.Ready)
			h.requireUntouched()

			h.forgetKeepAlive(east)
			h.closeIn(west)
			h.deleteFailover("geo-europe.")
			broken := h.prove()
			require.False(t, broken.Ready)
			records := find(t, broken, "traffic/records")
			require.Equal(t, runbook.Red, records.Grade)
			require.Equal(t, "europe is led to us-east-1, and the plan says us-east-1, then us-west-2", records.Why)
			for id, why := range map[string]string{
				"parity/routes/web":    `only us-east-1 has "everywhere by an internet gateway"; only us-west-2 has "a network by an internet gateway"`,
				"parity/endpoints/web": `only us-west-2 has "s3 by an endpoint of type gateway"`,
			} {
				got := find(t, broken, id)
				require.Equal(t, runbook.Amber, got.Grade, got.Why)
				require.Equal(t, why, got.Why)
			}
			stay := find(t, broken, "traffic/keepalive/web/us-east-1")
			require.Equal(t, runbook.Red, stay.Grade, stay.Why)
			require.Contains(t, stay.Why, "for 1h")
			require.Equal(t, runbook.Green, find(t, broken, "traffic/keepalive/web/us-west-2").Grade)
		})
	}
}

// forgetKeepAlive sets a Region's load balancer back to AWS's default.
func (h *house) forgetKeepAlive(region plan.Region) {
	h.t.Helper()
	api := awselb.NewFromConfig(h.in(region))
	front, _ := h.plan.Front()
	found, err := api.DescribeLoadBalancers(h.t.Context(), &awselb.DescribeLoadBalancersInput{Names: []string{front.Regions[region]["loadBalancer"]}})
	require.NoError(h.t, err)
	_, err = api.ModifyLoadBalancerAttributes(h.t.Context(), &awselb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: found.LoadBalancers[0].LoadBalancerArn,
		Attributes:      []elbtypes.LoadBalancerAttribute{{Key: aws.String("client_keep_alive.seconds"), Value: aws.String("3600")}},
	})
	require.NoError(h.t, err)
}

// closeIn lets a Region's instances reach one network only, and S3 by an endpoint.
func (h *house) closeIn(region plan.Region) {
	h.t.Helper()
	api, ctx := sdkec2.NewFromConfig(h.in(region)), h.t.Context()
	tables, err := api.DescribeRouteTables(ctx, &sdkec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{{Name: aws.String("association.main"), Values: []string{"true"}}}})
	require.NoError(h.t, err)
	require.Len(h.t, tables.RouteTables, 1)
	table := tables.RouteTables[0]
	out := table.Routes[len(table.Routes)-1]
	require.Equal(h.t, "0.0.0.0/0", *out.DestinationCidrBlock)
	_, err = api.DeleteRoute(ctx, &sdkec2.DeleteRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: out.DestinationCidrBlock})
	require.NoError(h.t, err)
	_, err = api.CreateRoute(ctx, &sdkec2.CreateRouteInput{RouteTableId: table.RouteTableId, DestinationCidrBlock: aws.String("192.0.2.0/24"), GatewayId: out.GatewayId})
	require.NoError(h.t, err)
	_, err = api.CreateVpcEndpoint(ctx, &sdkec2.CreateVpcEndpointInput{
		VpcId: table.VpcId, ServiceName: aws.String("com.amazonaws." + string(region) + ".s3"), VpcEndpointType: ec2types.VpcEndpointTypeGateway, RouteTableIds: []string{*table.RouteTableId},
	})
	require.NoError(h.t, err)
}

// requireUntouched demands that looking has changed nothing.
func (h *house) requireUntouched() {
	h.t.Helper()
	asked := 0
	for _, c := range h.World.Calls(time.Time{}) {
		if c.Caller == proverKey && c.Operation != "Publish" { // people are told what is red
			require.False(h.t, c.Mutating, "%s:%s", c.Service, c.Operation)
			asked++
		}
	}
	require.Positive(h.t, asked)
}

// deleteFailover takes away the record that leads a location to the other Region.
func (h *house) deleteFailover(prefix string) {
	h.t.Helper()
	api := r53.NewFromConfig(h.admin)
	zones, err := api.ListHostedZones(h.t.Context(), &r53.ListHostedZonesInput{})
	require.NoError(h.t, err)
	require.Len(h.t, zones.HostedZones, 1)
	sets, err := api.ListResourceRecordSets(h.t.Context(), &r53.ListResourceRecordSetsInput{HostedZoneId: zones.HostedZones[0].Id})
	require.NoError(h.t, err)
	for _, set := range sets.ResourceRecordSets {
		if set.Failover == types.ResourceRecordSetFailoverSecondary && strings.HasPrefix(aws.ToString(set.Name), prefix) {
			_, err := api.ChangeResourceRecordSets(h.t.Context(), &r53.ChangeResourceRecordSetsInput{
				HostedZoneId: zones.HostedZones[0].Id,
				ChangeBatch:  &types.ChangeBatch{Changes: []types.Change{{Action: types.ChangeActionDelete, ResourceRecordSet: &set}}},
			})
			require.NoError(h.t, err)
			return
		}
	}
	require.Fail(h.t, "no such record", prefix)
}
