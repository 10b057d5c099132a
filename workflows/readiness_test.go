package workflows_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"lifeline/activities/backup"
	"lifeline/activities/cloudwatch"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
)

// check is one check of a report, by its id.
func check(t *testing.T, rep runbook.ReadinessReport, id string) runbook.CheckResult {
	t.Helper()
	i := slices.IndexFunc(rep.Checks, func(c runbook.CheckResult) bool { return c.ID == id })
	require.GreaterOrEqual(t, i, 0, "there is no check %s", id)
	return rep.Checks[i]
}

// notGreen are the checks that are worse, in words.
func notGreen(rep runbook.ReadinessReport) []string {
	var out []string
	for _, c := range rep.Checks {
		if c.Grade != runbook.Green {
			out = append(out, fmt.Sprintf("%s is %s: %s", c.ID, c.Grade, c.Why))
		}
	}
	return out
}

func TestReadiness_AllIsWell_EveryCheckIsGreenWithEvidence(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*plan.Plan){
		"objects":  func(*plan.Plan) {},
		"controls": withControls,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := allKinds(t)
			change(&p)
			s := healthy(t, p)
			rep := s.prove()
			require.Empty(t, notGreen(rep))
			require.True(t, rep.Ready)
			require.Equal(t, 100, rep.Score)
			require.Empty(t, s.mail)
			ids := map[string]bool{}
			for _, c := range rep.Checks {
				require.False(t, ids[c.ID], "%s is there twice", c.ID)
				ids[c.ID] = true
				require.Contains(t, runbook.Subjects(), c.Subject, c.ID)
				require.NotEmpty(t, c.Proofs, c.ID)
				require.True(t, strings.HasPrefix(c.ID, c.Subject+"/"), c.ID)
				for _, proof := range c.Proofs {
					require.NotEmpty(t, proof.Read, c.ID)
					require.False(t, proof.At.IsZero(), c.ID)
				}
			}
			require.NotContains(t, rep.Summary, "NOT")
		})
	}
}

// withControls makes the switch one of routing controls.
func withControls(p *plan.Plan) {
	p.Traffic.Switch = plan.Switch{
		Provider:         plan.SwitchARCControl,
		ClusterEndpoints: []plan.ClusterEndpoint{{Region: "us-east-1", URL: "http://a"}, {Region: "us-west-2", URL: "http://b"}},
		RoutingControls:  map[plan.Region]string{seenEast: "arn:control-east", seenWest: "arn:control-west"},
	}
}

// turn is one change of the world and what it does to one check.
type turn struct {
	id     string
	grade  runbook.Grade
	why    string // a part of it
	change func(*sight)
	also   []string // ids of others that turn with it
	worse  bool     // and one of those is worse than amber
	plan   func(*plan.Plan)
}

func TestReadiness_OneThingIsWrong_ItsCheckTurns_AndNamesItsFix(t *testing.T) {
	t.Parallel()
	for group, cases := range map[string]map[string]turn{
		"traffic": trafficTurns(), "data": dataTurns(), "databases": databaseTurns(), "compute": computeTurns(), "backups": backupTurns(), "rest": restTurns(),
	} {
		for name, c := range cases {
			t.Run(group+"/"+name, func(t *testing.T) {
				t.Parallel()
				p := allKinds(t)
				if c.plan != nil {
					c.plan(&p)
				}
				s := healthy(t, p)
				c.change(s)
				rep := s.prove()
				got := check(t, rep, c.id)
				require.Equal(t, c.grade, got.Grade, got.Why)
				require.Contains(t, got.Why, c.why)
				require.NotEmpty(t, got.Fix)
				require.NotEmpty(t, got.Command)
				require.NotEmpty(t, got.Proofs)
				require.Equal(t, c.grade == runbook.Amber && !c.worse, rep.Ready, notGreen(rep))
				for _, other := range rep.Checks {
					if other.Grade != runbook.Green {
						require.Contains(t, append(c.also, c.id), other.ID, "%s: %s", other.Grade, other.Why)
					}
				}
			})
		}
	}
}

func trafficTurns() map[string]turn {
	records := func(change func(*plan.Tree)) func(*sight) { return func(s *sight) { change(&s.tree.Tree) } }
	without := func(drop func(plan.Record) bool) func(*sight) {
		return records(func(tree *plan.Tree) { tree.Records = slices.DeleteFunc(tree.Records, drop) })
	}
	return map[string]turn{
		"a failover record is deleted": {
			id: "traffic/records", grade: runbook.Red, why: "europe is led to us-east-1, and the plan says us-east-1, then us-west-2",
			change: without(func(r plan.Record) bool {
				return r.Name == "geo-europe.patients.example" && r.Failover == plan.FailoverSecondary
			}),
		},
		"a record is not watched": {
			id: "traffic/health-checks", grade: runbook.Red, why: "geo-asia.patients.example to us-west-2 has no health check", also: []string{"traffic/loss"},
			change: records(func(tree *plan.Tree) {
				for i := range tree.Records {
					if r := &tree.Records[i]; r.Name == "geo-asia.patients.example" && r.Failover == plan.FailoverPrimary {
						r.Check = ""
					}
				}
			}),
		},
		"a check is disabled": {
			id: "traffic/health-checks", grade: runbook.Red, why: "counts as healthy",
			change: func(s *sight) { s.tree.Disabled = []string{"abc"} },
		},
		"a location stays with the lost Region": {
			id: "traffic/loss", grade: runbook.Red, why: "europe is still sent to us-east-1 when us-east-1 is lost", also: []string{"traffic/health-checks", "traffic/records"},
			change: records(func(tree *plan.Tree) {
				for i := range tree.Records {
					if r := &tree.Records[i]; strings.HasPrefix(r.Name, "geo-") {
						r.Check, r.Target = "", &plan.Target{Region: "us-east-1"}
					}
				}
			}),
		},
		"the default is gone": {
			id: "traffic/default", grade: runbook.Red, why: "for everybody else", also: []string{"traffic/records"},
			change: without(func(r plan.Record) bool { return r.SetID == plan.DefaultLocation }),
		},
		"a check is slow": {
			id: "traffic/interval", grade: runbook.Red, why: "use1.patients.example looks every 30s",
			change: records(func(tree *plan.Tree) {
				for i := range tree.Checks {
					if c := &tree.Checks[i]; c.Host == "use1.patients.example" {
						c.Interval = plan.Duration(30 * time.Second)
					}
				}
			}),
		},
		"few Regions look": {
			id: "traffic/checkers", grade: runbook.Red, why: "abc", change: func(s *sight) { s.tree.Few = []string{"abc"} },
		},
		"answers are kept for long": {
			id: "traffic/ttl", grade: runbook.Red, why: "5m",
			change: records(func(tree *plan.Tree) { tree.Records[0].TTL = plan.Duration(5 * time.Minute) }),
		},
		"the zone can't be read": {
			id: "traffic/records", grade: runbook.Unknown, why: "could not be read: slow down",
			change: func(s *sight) {
				s.refuse["DescribeTree"] = temporal.NewNonRetryableApplicationError("slow down", "Throttled", nil)
			},
			also: []string{"traffic/loss", "traffic/default", "traffic/health-checks", "traffic/interval", "traffic/checkers", "traffic/ttl"},
		},
		"a location is answered by the other Region": {
			id: "traffic/answers", grade: runbook.Red, why: "europe is sent to us-west-2, not to us-east-1",
			change: func(s *sight) { s.tell("europe", "us-west-2") },
		},
		"a location is answered by nobody": {
			id: "traffic/answers", grade: runbook.Red, why: "asia gets no answer", change: func(s *sight) { s.tell("asia") },
		},
		"a name server is silent": {
			id: "traffic/name-servers", grade: runbook.Amber, why: "127.0.0.1:5300", change: func(s *sight) { s.told.Silent = []string{"127.0.0.1:5300"} },
		},
		"name servers differ": {
			id: "traffic/name-servers", grade: runbook.Amber, why: "differ about europe", also: []string{"traffic/answers"}, worse: true,
			change: func(s *sight) { s.tell("europe", "us-east-1", "us-west-2") },
			// Some clients are sent elsewhere, without a switch that says why.
		},
		"a Region is evacuated": {
			id: "traffic/evacuated/us-east-1", grade: runbook.Red, why: "us-east-1 is evacuated (evacuate/us-east-1 in us-west-2)", also: []string{"traffic/answers"},
			change: func(s *sight) {
				s.thrown[seenWest] = []string{"evacuate/us-east-1"}
				s.tell("europe", "us-west-2")
				s.tell("north-america", "us-west-2")
			},
		},
		"a location is held away": {
			id: "traffic/evacuated/us-east-1", grade: runbook.Red, why: "evacuate/us-east-1/europe",
			change: func(s *sight) { s.thrown[seenWest] = []string{"evacuate/us-east-1/europe"} },
		},
		"the switch can't be read": {
			id: "traffic/switch/us-west-2", grade: runbook.Unknown, why: "no", also: []string{"traffic/switch/us-east-1", "traffic/evacuated/us-east-1", "traffic/evacuated/us-west-2"},
			change: func(s *sight) {
				s.refuse["DescribeSwitch"] = temporal.NewNonRetryableApplicationError("no", "Denied", nil)
			},
		},
		"a cluster endpoint is silent": {
			id: "traffic/switch/controls", grade: runbook.Amber, why: "eu-west-1", plan: withControls,
			change: func(s *sight) { s.controls.Silent = []string{"eu-west-1"} },
		},
		"a control is off": {
			id: "traffic/evacuated/us-east-1", grade: runbook.Red, why: "its routing control is off", plan: withControls,
			change: func(s *sight) { s.controls.On["us-east-1"] = false },
		},
		"a control is not known": {
			id: "traffic/switch/controls", grade: runbook.Red, why: "no routing control of us-west-2", plan: withControls,
			change: func(s *sight) { delete(s.controls.On, "us-west-2") },
		},
		"one observer is silent": {
			id: "traffic/observers", grade: runbook.Amber, why: "2 of 3 answer", change: func(s *sight) { delete(s.seen, "observer-us-west-2") },
			// It stands in us-west-2, of which the two others still speak.
		},
		"two observers are silent": {
			id: "traffic/observers", grade: runbook.Red, why: "1 of 3 answer, 2 are needed", also: []string{"traffic/observed/us-east-1", "traffic/observed/us-west-2"},
			change: func(s *sight) {
				delete(s.seen, "observer-us-west-2")
				delete(s.seen, "observer-us-east-2")
			},
		},
		"observers see a Region down": {
			id: "traffic/observed/us-west-2", grade: runbook.Red, why: "lost",
			change: func(s *sight) {
				for name, o := range s.seen {
					v := o.Regions["us-west-2"]
					v.Healthy = false
					o.Regions["us-west-2"] = v
					s.seen[name] = o
				}
			},
		},
		"the plan promises too much": {
			id: "traffic/promise", grade: runbook.Red, why: "objective 10s", plan: func(p *plan.Plan) { p.Objectives.RTO = plan.Duration(10 * time.Second) },
			change: func(*sight) {},
		},
	}
}

// tell makes name servers answer a location otherwise.
func (s *sight) tell(location string, regions ...string) {
	l := s.told.ByLocation[location]
	l.Regions, l.Nobody = regions, len(regions) == 0
	s.told.ByLocation[location] = l
}

func dataTurns() map[string]turn {
	return map[string]turn{
		"a replica is made": {
			id: "data/replicas/records", grade: runbook.Red, why: "the replica in us-west-2 is CREATING", change: func(s *sight) { s.replicas.Status["us-west-2"] = "CREATING" },
		},
		"a replica is gone": {
			id: "data/replicas/records", grade: runbook.Red, why: "there is no replica in us-west-2", change: func(s *sight) { delete(s.replicas.Status, "us-west-2") },
		},
		"nobody leaves marks": {
			id: "data/watermark/records/us-east-1", grade: runbook.Red, why: "no watermark has arrived", also: []string{"data/watermark/documents/us-east-1"},
			change: func(s *sight) { s.marks[seenEast] = runbook.Watermark{Read: s.now} },
		},
		"marks of the recovery Region are old": {
			id: "data/watermark/records/us-west-2", grade: runbook.Red, why: "is 30s old, 5s is allowed",
			change: func(s *sight) {
				s.marks[seenWest] = runbook.Watermark{Found: true, At: s.now.Add(-30 * time.Second), Read: s.now}
			},
		},
		"versioning is suspended": {
			id: "data/versioning/documents/us-west-2", grade: runbook.Red, why: "nothing is replicated",
			change: func(s *sight) { p := s.pairs[seenWest]; p.Versioning = "Suspended"; s.pairs[seenWest] = p },
		},
		"the way home has no rule": {
			id: "data/replication/documents/us-west-2", grade: runbook.Red, why: "no rule that is on", also: []string{"data/backlog/documents/us-west-2"},
			change: func(s *sight) { p := s.pairs[seenWest]; p.Rules = nil; s.pairs[seenWest] = p },
		},
		"a rule takes a part": {
			id: "data/replication/documents/us-east-1", grade: runbook.Amber, why: "a part of the objects",
			change: func(s *sight) { s.pairs[seenEast].Rules[0].Partial = true },
		},
		"objects failed": {
			id: "data/backlog/documents/us-east-1", grade: runbook.Red, why: "3 objects failed", also: []string{"data/backlog/documents/us-west-2"},
			change: func(s *sight) { s.failed.Sum = 3 },
		},
		"objects wait": {
			id: "data/backlog/documents/us-west-2", grade: runbook.Amber, why: "12 objects", also: []string{"data/backlog/documents/us-east-1"},
			change: func(s *sight) { s.pending = cloudwatch.Series{Found: true, Least: 12} },
		},
		"replication is not measured": {
			id: "data/backlog/documents/us-east-1", grade: runbook.Amber, why: "unseen", change: func(s *sight) { s.pairs[seenEast].Rules[0].Metrics = false },
		},
		"a policy is broken": {
			id: "data/snapshot-policy/films", grade: runbook.Red, why: "ERROR", change: func(s *sight) { s.policy.State = "ERROR" },
		},
		"snapshots are old": {
			id: "data/snapshots/films", grade: runbook.Red, why: "30h", change: func(s *sight) {
				p := s.snapshots[seenEast]
				p.Newest = s.now.Add(-30 * time.Hour)
				s.snapshots[seenEast] = p
			},
		},
		"copies of snapshots are missing": {
			id: "data/snapshot-copies/films", grade: runbook.Red, why: "there is none", change: func(s *sight) { s.snapshots[seenWest] = s.none() },
		},
		"a young policy has no snapshot yet": {
			id: "data/snapshot-copies/films", grade: runbook.Amber, why: "the first is due by 2026-11-23 23:00 UTC",
			change: func(s *sight) { s.snapshots[seenWest] = s.none(); s.policy.Made = s.now.Add(-time.Hour) },
		},
		"a server stalls": {
			id: "data/replication/box", grade: runbook.Red, why: "STALLED", change: func(s *sight) { s.server.State = "STALLED" },
		},
		"a server lags": {
			id: "data/replication/box", grade: runbook.Red, why: "20m old", change: func(s *sight) { s.server.Lag = 20 * time.Minute },
		},
		"a server's lag is unknown": {
			id: "data/replication/box", grade: runbook.Unknown, why: "names no lag", change: func(s *sight) { s.server.Lag = -1 },
		},
		"a server has no point": {
			id: "data/points/box", grade: runbook.Red, why: "no point in time", change: func(s *sight) { s.server.Points = 0 },
		},
		"a server is not known": {
			id: "data/replication/box", grade: runbook.Red, why: "does not know", also: []string{"data/points/box", "compute/launch/box"}, change: func(s *sight) { s.server.State = "" },
		},
	}
}

func databaseTurns() map[string]turn {
	west := func(change func(*rds.AuroraMember)) func(*sight) {
		return func(s *sight) { change(&s.aurora.Members[1]) }
	}
	replica := func(change func(*rds.Instance)) func(*sight) {
		return func(s *sight) { i := s.instances[seenWest]; change(&i); s.instances[seenWest] = i }
	}
	cluster := func(change func(*rds.Cluster)) func(*sight) {
		return func(s *sight) { c := s.clusters[seenWest]; change(&c); s.clusters[seenWest] = c }
	}
	return map[string]turn{
		"a member is rebuilt": {
			id: "data/global/billing", grade: runbook.Red, why: "pending-resync", change: west(func(m *rds.AuroraMember) { m.Sync = "pending-resync" }),
		},
		"the other Region has no member": {
			id: "data/global/billing", grade: runbook.Red, why: "there is no member in us-west-2", also: []string{"data/lag/billing"},
			change: func(s *sight) { s.aurora.Members = s.aurora.Members[:1] },
		},
		"the secondary is headless": {
			id: "data/instances/billing", grade: runbook.Red, why: "no available instance", change: west(func(m *rds.AuroraMember) { m.Instances = 0 }),
		},
		"instances are not told": {
			id: "data/instances/billing", grade: runbook.Unknown, why: "us-west-2 did not say", change: west(func(m *rds.AuroraMember) { m.Instances = -1 }),
		},
		"versions differ": {
			id: "data/version/billing", grade: runbook.Red, why: "15.4 there", change: cluster(func(c *rds.Cluster) { c.Version = "15.4" }),
		},
		"parameters differ": {
			id: "data/parameters/billing", grade: runbook.Amber, why: `work_mem is "64" in patients and "8" in patients`,
			change: cluster(func(c *rds.Cluster) { c.Parameters = map[string]string{"work_mem": "8"} }),
		},
		"rds.global_db_rpo is set": {
			id: "data/rds-global-db-rpo/billing", grade: runbook.Red, why: "us-west-2 sets it to 20", also: []string{"data/parameters/billing"},
			change: cluster(func(c *rds.Cluster) { c.Parameters = map[string]string{"work_mem": "64", "rds.global_db_rpo": "20"} }),
		},
		"the secondary lags": {
			id: "data/lag/billing", grade: runbook.Red, why: "2m behind, 1m30s is allowed", change: func(s *sight) { s.auroraLag.Milliseconds = 120_000 },
		},
		"the lag is unknown": {
			id: "data/lag/billing", grade: runbook.Unknown, why: "no lag", change: func(s *sight) { s.auroraLag.Found = false },
		},
		"the lease is elsewhere": {
			id: "data/lease-holder", grade: runbook.Red, why: "us-west-2 holds the lease, and the writer is in us-east-1", change: func(s *sight) { s.lease.Holder = "us-west-2" },
		},
		"nobody renews the lease": {
			id: "data/lease", grade: runbook.Amber, why: "nobody has renewed it", change: func(s *sight) { s.lease.Renewed = s.now.Add(-2 * time.Hour) },
		},
		"there is no lease": {
			id: "data/lease", grade: runbook.Red, why: "no lease", also: []string{"data/lease-holder"},
			change: func(s *sight) {
				s.refuse["DescribeLease"] = temporal.NewNonRetryableApplicationError("no lease", "NotFound", nil)
			},
		},
		"the replica follows nothing": {
			id: "data/replica/ledger", grade: runbook.Red, why: "from nothing", change: replica(func(i *rds.Instance) { i.Follows = "" }),
		},
		"the replica is backing up": {
			id: "data/replica/ledger", grade: runbook.Amber, why: "backing up", change: replica(func(i *rds.Instance) { i.Status = "backing-up" }),
		},
		"the replica is behind in version": {
			id: "data/version/ledger", grade: runbook.Amber, why: "8.0.36", change: replica(func(i *rds.Instance) { i.Version = "8.0.36" }),
		},
		"the replica keeps no backups": {
			id: "data/replica-backups/ledger", grade: runbook.Red, why: "no backups", change: replica(func(i *rds.Instance) { i.BackupDays = 0 }),
		},
		"the replica does not replicate": {
			id: "data/lag/ledger", grade: runbook.Red, why: "-1", change: func(s *sight) { s.lagging.Latest = -1 },
		},
		"the replica lags": {
			id: "data/lag/ledger", grade: runbook.Red, why: "15m behind", change: func(s *sight) { s.lagging.Latest = 900 },
		},
		"replicated backups stop": {
			id: "data/replicated-backups/ledger", grade: runbook.Red, why: "stopped", change: func(s *sight) { s.copied.Status = "stopped" },
		},
		"replicated backups are old": {
			id: "data/replicated-backups/ledger", grade: runbook.Amber, why: "1h", change: func(s *sight) { s.copied.Latest = s.now.Add(-time.Hour) },
		},
	}
}

func computeTurns() map[string]turn {
	fleet := func(change func(*sight)) func(*sight) { return change }
	return map[string]turn{
		"no target is healthy": {
			id: "compute/targets/web/us-west-2", grade: runbook.Red, why: "no target is healthy, of 2", change: func(s *sight) { g := s.targets[seenWest]; g.Healthy = 0; s.targets[seenWest] = g },
		},
		"a target is sick": {
			id: "compute/targets/web/us-east-1", grade: runbook.Amber, why: "1 of 2", change: func(s *sight) { g := s.targets[seenEast]; g.Healthy = 1; s.targets[seenEast] = g },
		},
		"the recovery Region stands weaker": {
			id: "compute/standing/web", grade: runbook.Red, why: "us-west-2 stands with 1 to 6", change: fleet(func(s *sight) { f := s.fleets[seenWest]; f.Min = 1; s.fleets[seenWest] = f }),
		},
		"the recovery Region wants less now": {
			id: "compute/standing/web", grade: runbook.Amber, why: "us-west-2 wants 2", change: fleet(func(s *sight) {
				f := s.fleets[seenEast]
				f.Desired, f.Instances, f.InService = 4, 4, 4
				s.fleets[seenEast] = f
			}),
		},
		"the origin is fenced": {
			id: "compute/standing/web", grade: runbook.Red, why: "us-east-1 is evacuated", change: fleet(func(s *sight) {
				f := s.fleets[seenEast]
				f.Min, f.Max, f.Desired, f.Instances, f.InService, f.Suspended = 0, 0, 0, 0, 0, []string{"Launch"}
				s.fleets[seenEast] = f
			}),
		},
		"the quota is full": {
			id: "compute/vcpus/us-west-2", grade: runbook.Red, why: "60 used and 12 to launch, of 64", change: func(s *sight) { h := s.headroom[seenWest]; h.VCPUUsed = 60; s.headroom[seenWest] = h },
		},
		"the quota is tight": {
			id: "compute/vcpus/us-west-2", grade: runbook.Amber, why: "less than 20 % stay free", change: func(s *sight) { h := s.headroom[seenWest]; h.VCPUUsed = 44; s.headroom[seenWest] = h },
		},
		"addresses are used up": {
			id: "compute/addresses/us-west-2", grade: runbook.Red, why: "3 addresses are free", change: func(s *sight) { s.addresses[seenWest] = s.few(1, 2) },
		},
		"one subnet is full": {
			id: "compute/addresses/us-east-1", grade: runbook.Amber, why: "subnet-a has 0", change: func(s *sight) { s.addresses[seenEast] = s.few(0, 200) },
		},
		"user data differs": {
			id: "parity/launch/web", grade: runbook.Amber, why: "user data differs", change: func(s *sight) { b := s.blueprints[seenWest]; b.UserData = "other"; s.blueprints[seenWest] = b },
		},
		"the image is gone": {
			id: "parity/launch/web", grade: runbook.Red, why: "is missing", change: func(s *sight) { b := s.blueprints[seenWest]; b.ImageState = "missing"; s.blueprints[seenWest] = b },
		},
		"a rule is missing": {
			id: "parity/security-groups/web", grade: runbook.Amber, why: `only us-east-1 has "in tcp 8080-8080 0.0.0.0/0"`, change: func(s *sight) { b := s.blueprints[seenWest]; b.Rules = nil; s.blueprints[seenWest] = b },
		},
		"the key is to be deleted": {
			id: "parity/key/us-west-2", grade: runbook.Red, why: "PendingDeletion", change: func(s *sight) { k := s.keys[seenWest]; k.State = "PendingDeletion"; s.keys[seenWest] = k },
		},
		"a launch failed": {
			id: "compute/launch/box", grade: runbook.Red, why: "failed", change: func(s *sight) { s.server.Launch = "FAILED" },
		},
		"a server was never launched": {
			id: "compute/launch/box", grade: runbook.Amber, why: "never been launched", change: func(s *sight) { s.server.Launch = "" },
		},
		"a job runs": {
			id: "compute/job/box", grade: runbook.Amber, why: "drsjob-1", change: func(s *sight) { s.server.Job = "drsjob-1" },
		},
	}
}

func backupTurns() map[string]turn {
	const table = "arn:aws:dynamodb:us-east-1:123456789012:table/patient-records"
	vault := func(region plan.Region, change func(*backup.Vault)) func(*sight) {
		return func(s *sight) { v := s.vaults[region]; v.Newest = cloned(v.Newest); change(&v); s.vaults[region] = v }
	}
	jobs := func(change func(*backup.Jobs)) func(*sight) {
		return func(s *sight) { j := s.jobs[seenEast]; change(&j); s.jobs[seenEast] = j }
	}
	return map[string]turn{
		"a point is missing where it counts": {
			id: "backups/point/records", grade: runbook.Red, why: "no restorable point", change: vault(seenWest, func(v *backup.Vault) { delete(v.Newest, table) }),
		},
		"a point is old": {
			id: "backups/point/records", grade: runbook.Red, why: "30h old, 26h is allowed", change: vault(seenWest, func(v *backup.Vault) { v.Newest[table] = v.Newest[table].Add(-25 * time.Hour) }),
		},
		"the vault is younger than its first backup": {
			// Made on a Sunday at 11:30; the next rule fires at 18:00, and has 5 hours.
			id: "backups/point/records", grade: runbook.Amber, why: "first backup due at 2026-11-22 23:00 UTC",
			change: vault(seenWest, func(v *backup.Vault) { delete(v.Newest, table); v.Made = v.Made.Add(2400*time.Hour - 30*time.Minute) }),
		},
		"the last backup failed": {
			id: "backups/jobs", grade: runbook.Red, why: "FAILED of arn:records", change: jobs(func(j *backup.Jobs) { j.Backups = []backup.Job{{Resource: "arn:records", State: "FAILED"}} }),
		},
		"a backup expired and the next did better": {
			id: "backups/jobs", grade: runbook.Amber, why: "a later one did better",
			change: jobs(func(j *backup.Jobs) {
				j.Backups = append([]backup.Job{{Resource: "arn:records", State: "EXPIRED"}}, j.Backups...)
			}),
		},
		"a copy failed": {
			id: "backups/copies", grade: runbook.Red, why: "PARTIAL", change: jobs(func(j *backup.Jobs) { j.Copies = []backup.Job{{Resource: "arn:records", State: "PARTIAL"}} }),
		},
		"a vault is not locked": {
			id: "backups/lock/us-west-2", grade: runbook.Red, why: "can be deleted", change: vault(seenWest, func(v *backup.Vault) { v.Locked = false }),
		},
		"a lock is another": {
			id: "backups/lock/us-east-1", grade: runbook.Amber, why: "1 to 400 days", change: vault(seenEast, func(v *backup.Vault) { v.MinDays = 1 }),
		},
		"nobody has restored": {
			id: "backups/restore-test", grade: runbook.Amber, why: "no restore succeeded",
			change: func(s *sight) {
				for region, j := range s.jobs {
					j.Restored = time.Time{}
					s.jobs[region] = j
				}
			},
		},
		"only the origin has restored": {
			id: "backups/restore-test", grade: runbook.Amber, why: "only the Region that may be lost",
			change: func(s *sight) { j := s.jobs[seenWest]; j.Restored = time.Time{}; s.jobs[seenWest] = j },
		},
	}
}

func restTurns() map[string]turn {
	return map[string]turn{
		"the recovery role is not ours": {
			id: "access/recovery-role", grade: runbook.Unknown, why: "may not",
			change: func(s *sight) {
				s.refuse["VerifyRole"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
		},
		"the estate lacks something": {
			id: "parity/estate/traffic", grade: runbook.Red, why: "route53-record/x",
			change: func(s *sight) {
				s.area[runbook.AreaTraffic] = []runbook.ItemResult{{ID: "route53-record/x", Verdict: runbook.ToCreate}}
			},
		},
		"nobody has drilled": {
			id: "proof/drill", grade: runbook.Amber, why: "no run has ever moved", change: func(s *sight) { s.moved = lifeline.LastMove{} },
		},
		"the last drill is old": {
			id: "proof/drill", grade: runbook.Amber, why: "is allowed", change: func(s *sight) { s.moved.Ended = s.now.Add(-2500 * time.Hour) },
		},
		"the last proof was of another plan": {
			id: "proof/plan", grade: runbook.Amber, why: "the last proof was of plan another", change: func(s *sight) { s.last.Report.Digest = "another" },
		},
		"a table is in no plan": {
			id: "proof/uncovered", grade: runbook.Amber, why: "table orders in us-east-1", change: func(s *sight) { s.more = []string{"orders"} },
		},
	}
}

func TestReadiness_WhatTurnsRed_IsToldOnce(t *testing.T) {
	t.Parallel()
	s := healthy(t, allKinds(t))
	s.lease.Holder = "us-west-2"
	first := s.prove()
	require.False(t, first.Ready)
	require.Len(t, s.mail, 1)
	require.Contains(t, s.mail[0].Subject, "1 checks turned red")
	require.Contains(t, s.mail[0].Message, "us-west-2 holds the lease")

	s.mail, s.last = nil, lifeline.LastProof{Found: true, Report: first}
	second := s.prove()
	require.Empty(t, s.mail, "it stays red, and people know")
	require.Equal(t, first.RunID, second.Previous)
	require.Equal(t, runbook.Red, check(t, second, "data/lease-holder").Was)
	require.Equal(t, check(t, first, "data/lease-holder").Since, check(t, second, "data/lease-holder").Since)

	s.last, s.lease.Holder = lifeline.LastProof{Found: true, Report: second}, "us-east-1"
	third := s.prove()
	require.True(t, third.Ready)
	require.Empty(t, s.mail)
}

func TestReadiness_RegionIsDark_EndsAndSaysWhatNobodyKnows(t *testing.T) {
	t.Parallel()
	for _, region := range []plan.Region{seenEast, seenWest} {
		t.Run(string(region), func(t *testing.T) {
			t.Parallel()
			s := healthy(t, allKinds(t))
			s.dark[region] = true
			rep := s.prove()
			require.False(t, rep.Ready)
			got := check(t, rep, "compute/targets/web/"+string(region))
			require.Equal(t, runbook.Unknown, got.Grade)
			require.Contains(t, got.Why, "does not answer")
			other := seenWest
			if region == seenWest {
				other = seenEast
			}
			require.Equal(t, runbook.Green, check(t, rep, "compute/targets/web/"+string(other)).Grade, "what can be read is judged")
			require.Less(t, rep.Ended.Sub(rep.Started), 5*time.Minute, "one dark Region is waited for once, not for each check")
		})
	}
}

func TestReadiness_AfterAFailover_TheOtherRegionHoldsTheWriter_AndTheOriginIsEvacuated(t *testing.T) {
	t.Parallel()
	s := healthy(t, allKinds(t))
	s.aurora.WriterRegion = "us-west-2"
	s.aurora.Members[0].Writer, s.aurora.Members[1].Writer = false, true
	s.lease.Holder = "us-west-2"
	s.thrown[seenWest] = []string{"evacuate/us-east-1"}
	for _, l := range s.plan.Traffic.Locations {
		s.tell(l.Name, "us-west-2")
	}
	rep := s.prove()
	for _, id := range []string{"data/global/billing", "data/lag/billing", "data/lease-holder"} {
		require.Equal(t, runbook.Green, check(t, rep, id).Grade, check(t, rep, id).Why)
	}
	away := check(t, rep, "traffic/evacuated/us-east-1")
	require.Equal(t, runbook.Red, away.Grade)
	require.Contains(t, away.Why, "evacuated")
	require.Contains(t, away.Command, "failback")
	answers := check(t, rep, "traffic/answers")
	require.Equal(t, runbook.Amber, answers.Grade, answers.Why)
	require.Contains(t, answers.Why, "since us-east-1 is evacuated")
}

// A plan that lacks a feature gets no check of it.
func TestReadiness_PlanWithoutFeatures_HasNoChecksOfThem(t *testing.T) {
	t.Parallel()
	p, problems := plan.Load(filepath.Join("..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	p.Backup, p.Readiness, p.Setup, p.Lease = nil, nil, nil, nil
	p.Resources = slices.DeleteFunc(p.Resources, func(r plan.Resource) bool { return r.Kind != plan.DynamoDBTable })
	s := healthy(t, p)
	rep := s.prove()
	require.Empty(t, notGreen(rep))
	for _, c := range rep.Checks {
		for _, part := range []string{"backups/", "access/", "parity/", "compute/", "proof/drill", "data/lease", "data/global"} {
			require.False(t, strings.HasPrefix(c.ID, part), c.ID)
		}
	}
}
