package workflows_test

import (
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"

	"lifeline/activities/cloudwatch"
	"lifeline/activities/rds"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

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
			id: "data/replication/box", grade: runbook.Red, why: "does not know", also: []string{"data/points/box", "compute/launch/box", "compute/template/box", "compute/right-sizing/box", "compute/storage/us-west-2", "compute/snapshots/us-west-2"}, change: func(s *sight) { s.server.State = "" },
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
