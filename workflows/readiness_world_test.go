package workflows_test

import (
	"context"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
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
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
	"lifeline/workflows"
)

// sight is an account as readiness sees it: all is well until a case says
// otherwise. Values are kept as AWS's own answers are, by Region where they differ.
type sight struct {
	t    *testing.T
	env  *testsuite.TestWorkflowEnvironment
	plan plan.Plan
	now  time.Time

	tree     route53.LiveTree
	told     route53.Told
	thrown   map[plan.Region][]string
	controls arc.Controls
	seen     map[string]observe.Observation // by observer's name

	replicas  dynamodb.Replicas
	marks     map[plan.Region]runbook.Watermark // of a Region, as every other sees it
	pairs     map[plan.Region]s3.Pair
	failed    cloudwatch.Series
	pending   cloudwatch.Series
	lagging   cloudwatch.Series // of the RDS replica
	aurora    rds.Aurora
	auroraLag cloudwatch.Lag
	clusters  map[plan.Region]rds.Cluster
	instances map[plan.Region]rds.Instance
	copied    rds.CopiedBackups
	lease     dynamodb.Lease
	policy    dlm.Lifecycle
	snapshots map[plan.Region]ec2.Snapshots
	server    drs.Server
	template  ec2.Template
	profile   iam.Profile

	targets    map[plan.Region]elb.Targets
	balancers  map[plan.Region]elb.Balancer
	fleets     map[plan.Region]autoscaling.Fleet
	headroom   map[plan.Region]servicequotas.Headroom
	limits     map[string]float64 // by code
	interfaces map[plan.Region]int
	storage    ec2.Storage
	load       drs.Load
	registered map[plan.Region]elb.Registered
	quotas     map[plan.Region][]servicequotas.Quota // that were asked for
	addresses  map[plan.Region]ec2.Addresses
	blueprints map[plan.Region]ec2.Blueprint
	paths      map[plan.Region]ec2.Paths
	keys       map[plan.Region]kms.Key

	vaults map[plan.Region]backup.Vault
	jobs   map[plan.Region]backup.Jobs
	area   map[runbook.Area][]runbook.ItemResult
	last   lifeline.LastProof
	moved  lifeline.LastMove
	more   []string // tables that nobody named

	dark   map[plan.Region]bool
	refuse map[string]error // by step

	mu    sync.Mutex
	asked []string
	mail  []sns.Notification
}

const (
	seenEast = plan.Region("us-east-1")
	seenWest = plan.Region("us-west-2")
)

// both is one value for both Regions.
func both[T any](v T) map[plan.Region]T { return map[plan.Region]T{seenEast: v, seenWest: v} }

// allKinds is the example plan with something of every kind.
func allKinds(t *testing.T) plan.Plan {
	t.Helper()
	p, problems := plan.Load(filepath.Join("..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	p.Readiness.RecoveryRole = "patient-records-recovery"
	p.Resources = append(p.Resources,
		plan.Resource{
			Name: "ledger", Kind: plan.RDSInstance, Tier: 2, Objectives: &plan.Objectives{RPO: plan.Duration(10 * time.Minute)},
			Regions: map[plan.Region]plan.Identifiers{seenEast: {"instance": "ledger-use1"}, seenWest: {"instance": "ledger-usw2"}},
			Protect: &plan.Protect{ReadReplica: true, AutomatedBackups: true},
		},
		plan.Resource{
			Name: "films", Kind: plan.EBSVolume, Tier: 3, Objectives: &plan.Objectives{RPO: plan.Duration(25 * time.Hour)},
			Regions: map[plan.Region]plan.Identifiers{seenEast: {"volume": "vol-0123456789abcdef0"}},
			Protect: &plan.Protect{Snapshots: &plan.Snapshots{By: "dlm", Time: "03:00", Keep: 14, CopyRetain: 14}},
		},
		plan.Resource{
			Name: "box", Kind: plan.DRSServer, Tier: 2, Objectives: &plan.Objectives{RPO: plan.Duration(15 * time.Minute)},
			Regions: map[plan.Region]plan.Identifiers{seenWest: {"sourceServer": "s-0123456789abcdef0"}},
		})
	return p
}

// healthy is the world in which everything is ready.
func healthy(t *testing.T, p plan.Plan) *sight {
	t.Helper()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	s := &sight{
		t: t, plan: p, now: now, tree: route53.LiveTree{Tree: p.Tree()}, thrown: map[plan.Region][]string{}, seen: map[string]observe.Observation{},
		told:     route53.Told{ByLocation: map[string]route53.ToldLocation{}},
		controls: arc.Controls{Answered: 5, On: map[string]bool{"us-east-1": true, "us-west-2": true}},
		area:     map[runbook.Area][]runbook.ItemResult{}, dark: map[plan.Region]bool{}, refuse: map[string]error{},
	}
	for _, l := range p.Traffic.Locations {
		s.told.ByLocation[l.Name] = route53.ToldLocation{Regions: []string{string(l.Region)}, TTL: 20}
	}
	for _, o := range p.Observers.Members {
		s.seen[o.Name] = observe.Observation{Regions: map[string]observe.Verdict{
			"us-east-1": {Healthy: true, Rounds: 100}, "us-west-2": {Healthy: true, Rounds: 100},
		}}
	}
	s.store()
	s.stand()
	s.bank()
	return s
}

// store fills in the data of a healthy world.
func (s *sight) store() {
	s.replicas = dynamodb.Replicas{Status: map[string]string{"us-east-1": "ACTIVE", "us-west-2": "ACTIVE"}}
	s.marks = both(runbook.Watermark{Found: true, At: s.now.Add(-time.Second), Read: s.now})
	s.pairs = map[plan.Region]s3.Pair{
		seenEast: {Versioning: "Enabled", Rules: []s3.Rule{{ID: "out", Destination: "patient-documents-usw2", Metrics: true}}},
		seenWest: {Versioning: "Enabled", Rules: []s3.Rule{{ID: "home", Destination: "patient-documents-use1", Metrics: true}}},
	}
	s.failed, s.pending, s.lagging = cloudwatch.Series{Found: true}, cloudwatch.Series{Found: true}, cloudwatch.Series{Found: true, Latest: 3}
	s.aurora = rds.Aurora{WriterRegion: "us-east-1", Members: []rds.AuroraMember{
		{Region: "us-east-1", Writer: true, Sync: "connected", Instances: 2}, {Region: "us-west-2", Sync: "connected", Instances: 1},
	}}
	s.auroraLag = cloudwatch.Lag{Found: true, Milliseconds: 80, At: s.now}
	s.clusters = both(rds.Cluster{Engine: "aurora-postgresql", Version: "15.10", Group: "patients", Parameters: map[string]string{"work_mem": "64"}})
	s.instances = map[plan.Region]rds.Instance{
		seenEast: {Status: "available", Version: "8.0.40", BackupDays: 7},
		seenWest: {Status: "available", Version: "8.0.40", BackupDays: 7, Follows: "arn:aws:rds:us-east-1:123456789012:db:ledger-use1"},
	}
	s.copied = rds.CopiedBackups{Found: true, Status: "replicating", Latest: s.now.Add(-5 * time.Minute)}
	s.lease = dynamodb.Lease{Holder: "us-east-1", Epoch: 4, Renewed: s.now, TTL: time.Hour}
	s.policy = dlm.Lifecycle{ID: "policy-1", State: "ENABLED", Made: s.now.Add(-240 * time.Hour)}
	s.snapshots = both(ec2.Snapshots{Finished: 14, Newest: s.now.Add(-9 * time.Hour)})
	s.server = drs.Server{
		State: "CONTINUOUS", Lag: time.Minute, Points: 6, Newest: s.now.Add(-time.Minute), Launch: "LAUNCHED", LaunchAt: s.now.Add(-240 * time.Hour), Type: "m6i.xlarge",
		RightSizing: "NONE", Template: "lt-box", Disks: 2, GiB: 2048,
	}
	s.template = ec2.Template{Subnet: "subnet-r", Groups: []string{"sg-r"}, Profile: "box", Volumes: []string{"gp3"}}
	s.profile = iam.Profile{Roles: []string{"box"}}
}

// stand fills in the compute of a healthy world.
func (s *sight) stand() {
	s.targets = both(elb.Targets{Healthy: 2, Total: 2})
	s.balancers = both(elb.Balancer{ARN: "arn:web", Type: "application", KeepAlive: time.Minute})
	s.fleets = both(autoscaling.Fleet{
		Group: autoscaling.Group{Min: 2, Max: 6, Desired: 2, Instances: 2, InService: 2, Subnets: []string{"subnet-a", "subnet-b"}},
		Types: []string{"m6g.large"}, Template: "lt-1", Version: "1",
	})
	s.headroom = both(servicequotas.Headroom{VCPULimit: 64, VCPUUsed: 4})
	s.limits = map[string]float64{
		"L-DF5E4CA3": 5000, "L-A0D0B863": 1000, "L-7E6692B2": 1000, "L-EEF1AD04": 3000, "L-7A658B76": 50, "L-D18FCD1D": 50, "L-309BACF6": 100_000,
		"L-E28BE5E0": 4000, "L-C1D14A2B": 300, "L-B827C881": 100, "L-05AFA8C6": 500, "L-D88FAC3A": 20,
	}
	s.interfaces, s.quotas = both(40), map[plan.Region][]servicequotas.Quota{}
	s.storage = ec2.Storage{GiB: map[string]int{"gp3": 10_240, "gp2": 1024}, Snapshots: 300}
	s.load = drs.Load{Servers: 9, Replicating: 8, Jobs: 1, Launching: 2}
	s.registered = both(elb.Registered{Type: "application", Groups: map[string]int{"patient-web": 2}, Total: 2})
	s.addresses = both(ec2.Addresses{Free: map[string]int{"subnet-a": 200, "subnet-b": 200}})
	s.blueprints = both(ec2.Blueprint{InstanceType: "m6g.large", Image: "ami-1", ImageState: "available", UserData: "5eed", Rules: []string{"in tcp 8080-8080 0.0.0.0/0"}})
	s.paths = both(ec2.Paths{VPCs: []string{"vpc-1"}, Routes: []string{"everywhere by a NAT gateway"}, Endpoints: []string{"s3 by an endpoint of type gateway"}})
	s.keys = both(kms.Key{ARN: "key", State: "Enabled"})
}

// bank fills in the backups and the past of a healthy world.
func (s *sight) bank() {
	fresh := s.now.Add(-5 * time.Hour)
	s.vaults = both(backup.Vault{Made: s.now.Add(-2400 * time.Hour), Locked: true, MinDays: 7, MaxDays: 400, Points: 30, Newest: map[string]time.Time{
		"arn:aws:dynamodb:us-east-1:123456789012:table/patient-records":   fresh,
		"arn:aws:rds:us-east-1:123456789012:cluster:patient-billing-use1": fresh,
		"arn:aws:s3:::patient-documents-use1":                             fresh,
	}})
	s.jobs = both(backup.Jobs{
		Backups: []backup.Job{{Resource: "arn:records", State: "COMPLETED", At: fresh}}, Copies: []backup.Job{{Resource: "arn:records", State: "COMPLETED", At: fresh}},
		Restored: s.now.Add(-48 * time.Hour),
	})
	s.moved = lifeline.LastMove{Found: true, Runbook: runbook.Switchover, RunID: "drill", Ended: s.now.Add(-240 * time.Hour)}
	s.last = lifeline.LastProof{Found: true, Report: runbook.ReadinessReport{RunID: "before", Digest: s.plan.Digest()}}
}

// stub answers one step, or fails as the case says.
func stub[In, Out any](s *sight, name string, region func(In) plan.Region, answer func(In) Out) {
	s.env.RegisterActivityWithOptions(func(_ context.Context, in In) (Out, error) {
		var none Out
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, name)
		if s.dark[region(in)] {
			return none, temporal.NewApplicationError(string(region(in))+" does not answer", "Unreachable")
		}
		if err := s.refuse[name]; err != nil {
			return none, err
		}
		return answer(in), nil
	}, activity.RegisterOptions{Name: name})
}

// prove runs one proof.
func (s *sight) prove() runbook.ReadinessReport {
	s.t.Helper()
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	s.env = suite.NewTestWorkflowEnvironment()
	s.env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: 10 * time.Second})
	s.env.SetTestTimeout(time.Minute)
	s.env.SetStartTime(s.now)
	s.env.SetStartWorkflowOptions(client.StartWorkflowOptions{ID: lifeline.IDOf(s.plan.Application, runbook.Readiness), TaskQueue: lifeline.SetupQueue})
	s.env.RegisterWorkflowWithOptions(workflows.Readiness, workflow.RegisterOptions{Name: workflows.ReadinessName})
	s.env.RegisterWorkflowWithOptions(func(_ workflow.Context, in workflows.AreaInput) (workflows.AreaOutput, error) {
		return workflows.AreaOutput{Results: s.area[in.Area]}, nil
	}, workflow.RegisterOptions{Name: workflows.SetupAreaName})
	s.stubTraffic()
	s.stubData()
	s.stubCompute()
	s.stubRest()
	s.env.ExecuteWorkflow(workflows.ReadinessName, workflows.ReadinessInput{Plan: s.plan})
	require.True(s.t, s.env.IsWorkflowCompleted())
	require.NoError(s.t, s.env.GetWorkflowError())
	var rep runbook.ReadinessReport
	require.NoError(s.t, s.env.GetWorkflowResult(&rep))
	return rep
}

func nowhere[In any](In) plan.Region { return "" }

func (s *sight) stubTraffic() {
	stub(s, "DescribeTree", func(route53.TreeRef) plan.Region { return seenEast }, func(in route53.TreeRef) route53.LiveTree {
		return s.tree.Judge(plan.Plan{Traffic: in.Traffic, Regions: in.Regions})
	})
	stub(s, "DescribeAnswers", nowhere, func(route53.AnswersInput) route53.Told { return s.told })
	stub(s, "DescribeSwitch", func(in s3.SwitchRef) plan.Region { return in.Region }, func(in s3.SwitchRef) s3.Thrown {
		return s3.Thrown{Keys: slices.DeleteFunc(slices.Clone(s.thrown[in.Region]), func(k string) bool { return !slices.Contains(in.Keys, k) })}
	})
	stub(s, "DescribeControls", nowhere, func(arc.ControlsRef) arc.Controls { return s.controls })
	s.env.RegisterActivityWithOptions(func(ctx context.Context, _ observe.ObserveInput) (observe.Observation, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		o := strings.TrimPrefix(activity.GetInfo(ctx).TaskQueue, "lifeline-observer-")
		if got, ok := s.seen[o]; ok {
			return got, nil
		}
		return observe.Observation{}, temporal.NewNonRetryableApplicationError("silent", "Unreachable", nil)
	}, activity.RegisterOptions{Name: "ObserveRegions"})
}

func (s *sight) stubData() {
	stub(s, "DescribeReplicas", func(in dynamodb.TableRef) plan.Region { return in.Region }, func(dynamodb.TableRef) dynamodb.Replicas { return s.replicas })
	stub(s, "MeasureTableLag", func(in dynamodb.TableLag) plan.Region { return in.Region }, func(in dynamodb.TableLag) runbook.Watermark { return s.marks[in.Of] })
	stub(s, "MeasureBucketLag", func(in s3.BucketLag) plan.Region { return in.Region }, func(in s3.BucketLag) runbook.Watermark { return s.marks[in.Of] })
	stub(s, "DescribePair", func(in s3.BucketRef) plan.Region { return in.Region }, func(in s3.BucketRef) s3.Pair { return s.pairs[in.Region] })
	stub(s, "MeasureMetrics", func(in cloudwatch.MetricsRef) plan.Region { return in.Region }, func(in cloudwatch.MetricsRef) cloudwatch.Metrics {
		if in.Metrics[0].Namespace == "AWS/RDS" {
			return cloudwatch.Metrics{Series: []cloudwatch.Series{s.lagging}}
		}
		return cloudwatch.Metrics{Series: []cloudwatch.Series{s.failed, s.pending}}
	})
	stub(s, "DescribeAurora", func(in rds.AuroraRef) plan.Region { return in.Region }, func(rds.AuroraRef) rds.Aurora { return s.aurora })
	stub(s, "MeasureAuroraLag", func(in cloudwatch.AuroraLag) plan.Region { return in.Region }, func(cloudwatch.AuroraLag) cloudwatch.Lag { return s.auroraLag })
	stub(s, "DescribeCluster", func(in rds.ClusterRef) plan.Region { return in.Region }, func(in rds.ClusterRef) rds.Cluster { return s.clusters[in.Region] })
	stub(s, "DescribeInstance", func(in rds.InstanceRef) plan.Region { return in.Region }, func(in rds.InstanceRef) rds.Instance { return s.instances[in.Region] })
	stub(s, "DescribeCopiedBackups", func(in rds.InstanceRef) plan.Region { return in.Region }, func(rds.InstanceRef) rds.CopiedBackups { return s.copied })
	stub(s, "DescribeLease", func(in dynamodb.LeaseRef) plan.Region { return in.Region }, func(dynamodb.LeaseRef) dynamodb.Lease { return s.lease })
	stub(s, "DescribeLifecycle", func(in dlm.LifecycleRef) plan.Region { return in.Region }, func(dlm.LifecycleRef) dlm.Lifecycle { return s.policy })
	stub(s, "DescribeSnapshots", func(in ec2.SnapshotsRef) plan.Region { return in.Region }, func(in ec2.SnapshotsRef) ec2.Snapshots { return s.snapshots[in.Region] })
	stub(s, "DescribeServers", func(in drs.ServersRef) plan.Region { return in.Region }, func(in drs.ServersRef) drs.Servers {
		out := drs.Servers{ByID: map[string]drs.Server{}}
		for _, id := range in.Servers {
			if s.server.State != "" {
				out.ByID[id] = s.server
			}
		}
		return out
	})
}

func (s *sight) stubCompute() {
	stub(s, "DescribeTargets", func(in elb.TargetsRef) plan.Region { return in.Region }, func(in elb.TargetsRef) elb.Targets { return s.targets[in.Region] })
	stub(s, "DescribeBalancer", func(in elb.BalancerRef) plan.Region { return in.Region }, func(in elb.BalancerRef) elb.Balancer { return s.balancers[in.Region] })
	stub(s, "DescribeFleet", func(in autoscaling.GroupRef) plan.Region { return in.Region }, func(in autoscaling.GroupRef) autoscaling.Fleet { return s.fleets[in.Region] })
	stub(s, "MeasureHeadroom", func(in servicequotas.HeadroomRef) plan.Region { return in.Region }, func(in servicequotas.HeadroomRef) servicequotas.Headroom { return s.headroom[in.Region] })
	stub(s, "MeasureQuotas", func(in servicequotas.QuotasRef) plan.Region { return in.Region }, func(in servicequotas.QuotasRef) servicequotas.Limits {
		s.quotas[in.Region] = in.Quotas
		out := servicequotas.Limits{Values: map[string]float64{}}
		for _, q := range in.Quotas {
			if v, ok := s.limits[q.Code]; ok {
				out.Values[q.Code] = v
			}
		}
		return out
	})
	stub(s, "MeasureInterfaces", func(in ec2.AllRef) plan.Region { return in.Region }, func(in ec2.AllRef) ec2.Interfaces { return ec2.Interfaces{Count: s.interfaces[in.Region]} })
	stub(s, "MeasureStorage", func(in ec2.AllRef) plan.Region { return in.Region }, func(ec2.AllRef) ec2.Storage { return s.storage })
	stub(s, "MeasureServers", func(in drs.AllRef) plan.Region { return in.Region }, func(drs.AllRef) drs.Load { return s.load })
	stub(s, "MeasureTargets", func(in elb.BalancerRef) plan.Region { return in.Region }, func(in elb.BalancerRef) elb.Registered { return s.registered[in.Region] })
	stub(s, "MeasureAddresses", func(in ec2.SubnetsRef) plan.Region { return in.Region }, func(in ec2.SubnetsRef) ec2.Addresses { return s.addresses[in.Region] })
	stub(s, "DescribeBlueprint", func(in ec2.BlueprintRef) plan.Region { return in.Region }, func(in ec2.BlueprintRef) ec2.Blueprint { return s.blueprints[in.Region] })
	stub(s, "DescribePaths", func(in ec2.SubnetsRef) plan.Region { return in.Region }, func(in ec2.SubnetsRef) ec2.Paths {
		if len(in.Subnets) == 0 {
			return ec2.Paths{}
		}
		return s.paths[in.Region]
	})
	stub(s, "DescribeTemplate", func(in ec2.TemplateRef) plan.Region { return in.Region }, func(ec2.TemplateRef) ec2.Template { return s.template })
	stub(s, "DescribeProfile", func(in iam.ProfileRef) plan.Region { return in.Region }, func(iam.ProfileRef) iam.Profile { return s.profile })
	stub(s, "DescribeKeyState", func(in kms.KeyRef) plan.Region { return in.Region }, func(in kms.KeyRef) kms.Key { return s.keys[in.Region] })
}

func (s *sight) stubRest() {
	stub(s, "DescribeCaller", func(in sts.CallerIn) plan.Region { return in.Region }, func(sts.CallerIn) sts.Caller { return sts.Caller{Account: buildersAccount, ARN: "me"} })
	stub(s, "VerifyRole", func(in sts.RoleRef) plan.Region { return in.Region }, func(sts.RoleRef) sts.Assumed { return sts.Assumed{ARN: "recovery"} })
	stub(s, "DescribeVault", func(in backup.VaultRef) plan.Region { return in.Region }, func(in backup.VaultRef) backup.Vault { return s.vaults[in.Region] })
	stub(s, "DescribeJobs", func(in backup.JobsRef) plan.Region { return in.Region }, func(in backup.JobsRef) backup.Jobs { return s.jobs[in.Region] })
	stub(s, "FindLastProof", nowhere, func(lifeline.LastProofIn) lifeline.LastProof { return s.last })
	stub(s, "FindLastMove", nowhere, func(lifeline.LastMoveIn) lifeline.LastMove { return s.moved })
	stub(s, "FindTables", func(in dynamodb.AllRef) plan.Region { return in.Region }, func(dynamodb.AllRef) dynamodb.All {
		return dynamodb.All{Names: append([]string{"patient-records"}, s.more...)}
	})
	stub(s, "FindBuckets", func(in s3.AllRef) plan.Region { return in.Region }, func(s3.AllRef) s3.All { return s3.All{} })
	stub(s, "FindVolumes", func(in ec2.AllRef) plan.Region { return in.Region }, func(ec2.AllRef) ec2.All { return ec2.All{} })
	stub(s, "FindServers", func(in drs.AllRef) plan.Region { return in.Region }, func(drs.AllRef) drs.All { return drs.All{} })
	stub(s, "FindDatabases", func(in rds.AllRef) plan.Region { return in.Region }, func(rds.AllRef) rds.Databases { return rds.Databases{} })
	s.env.RegisterActivityWithOptions(func(_ context.Context, in sns.Notification) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.mail = append(s.mail, in)
		return nil
	}, activity.RegisterOptions{Name: "Notify"})
}

// none is no snapshot at all.
func (s *sight) none() ec2.Snapshots { return ec2.Snapshots{} }

// few are subnets with few free addresses.
func (s *sight) few(a, b int) ec2.Addresses {
	return ec2.Addresses{Free: map[string]int{"subnet-a": a, "subnet-b": b}}
}

// cloned keeps the worlds of two Regions apart.
func cloned(m map[string]time.Time) map[string]time.Time { return maps.Clone(m) }
