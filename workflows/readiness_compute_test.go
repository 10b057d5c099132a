package workflows_test

import (
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"lifeline/activities/backup"
	"lifeline/activities/elb"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
	lifeline "lifeline/internal/temporal"
)

// objectiveOf is what the plan wants of one resource.
func objectiveOf(p *plan.Plan, name string) *plan.Objectives {
	i := slices.IndexFunc(p.Resources, func(r plan.Resource) bool { return r.Name == name })
	return p.Resources[i].Objectives
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
		"clients stay for an hour": {
			id: "traffic/keepalive/web/us-east-1", grade: runbook.Red, why: "for 1h, and with it a Region that is lost; the objective is 1m", command: "--load-balancer-arn arn:web --attributes Key=client_keep_alive.seconds,Value=60",
			change: func(s *sight) { b := s.balancers[seenEast]; b.KeepAlive = time.Hour; s.balancers[seenEast] = b },
		},
		"no load balancer lets go sooner": {
			id: "traffic/keepalive/web/us-west-2", grade: runbook.Amber, why: "the least that AWS allows, and the objective is 30s", also: []string{"traffic/keepalive/web/us-east-1"}, command: "Value=60",
			plan: func(p *plan.Plan) { objectiveOf(p, "web").RTO = plan.Duration(30 * time.Second) }, change: func(*sight) {},
		},
		"a load balancer knows no HTTP": {
			id: "traffic/keepalive/web/us-west-2", grade: runbook.Amber, why: "a network load balancer ends no client's connection", change: func(s *sight) { s.balancers[seenWest] = elb.Balancer{Type: "network"} },
		},
		"a load balancer names no keepalive": {
			id: "traffic/keepalive/web/us-west-2", grade: runbook.Unknown, why: "does not say", command: "--load-balancer-arn ARN", change: func(s *sight) { s.balancers[seenWest] = elb.Balancer{Type: "application"} },
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
		"the recovery Region has no way out": {
			id: "parity/routes/web", grade: runbook.Amber, why: `only us-east-1 has "everywhere by a NAT gateway"`, command: "describe-route-tables --region us-west-2 --filters Name=vpc-id,Values=vpc-1",
			change: func(s *sight) { g := s.paths[seenWest]; g.Routes = nil; s.paths[seenWest] = g },
		},
		"a route leads to another kind of thing": {
			id: "parity/routes/web", grade: runbook.Amber, why: `only us-west-2 has "everywhere by an internet gateway"`,
			change: func(s *sight) {
				g := s.paths[seenWest]
				g.Routes = []string{"everywhere by an internet gateway"}
				s.paths[seenWest] = g
			},
		},
		"a route leads nowhere": {
			id: "parity/routes/web", grade: runbook.Amber, why: "10.8.0.0/16 by a peering connection in rtb-1 leads nowhere in us-east-1",
			change: func(s *sight) {
				g := s.paths[seenEast]
				g.Dead = []string{"10.8.0.0/16 by a peering connection in rtb-1"}
				s.paths[seenEast] = g
			},
		},
		"a group leaves its subnets to EC2": {
			id: "parity/routes/web", grade: runbook.Unknown, why: "the group in us-west-2 names no subnets", also: []string{"parity/endpoints/web"}, command: "Values=VPC",
			change: func(s *sight) { f := s.fleets[seenWest]; f.Subnets = nil; s.fleets[seenWest] = f },
		},
		"an endpoint is missing": {
			id: "parity/endpoints/web", grade: runbook.Amber, why: `only us-east-1 has "s3 by an endpoint of type gateway"`, command: "describe-vpc-endpoints --region us-west-2",
			change: func(s *sight) { g := s.paths[seenWest]; g.Endpoints = nil; s.paths[seenWest] = g },
		},
		"routes may not be read": {
			id: "parity/routes/web", grade: runbook.Unknown, why: "may not", also: []string{"parity/endpoints/web"},
			change: func(s *sight) {
				s.refuse["DescribePaths"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
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
		"a server is right-sized to C5": {
			id: "compute/right-sizing/box", grade: runbook.Amber, why: "BASIC", command: "--source-server-id s-0123456789abcdef0 --target-instance-type-right-sizing-method NONE",
			change: func(s *sight) { s.server.RightSizing = "BASIC" },
		},
		"nobody knows how a server is sized": {
			id: "compute/right-sizing/box", grade: runbook.Unknown, why: "AWS names none", change: func(s *sight) { s.server.RightSizing = "" },
		},
		"the subnet of a launch is gone": {
			id: "compute/template/box", grade: runbook.Red, why: "subnet-r and sg-r do not exist", command: "--launch-template-id lt-box",
			change: func(s *sight) { s.template.Missing = []string{"subnet-r", "sg-r"} },
		},
		"a group is of another VPC": {
			id: "compute/template/box", grade: runbook.Red, why: "sg-r is in another VPC than subnet-r", change: func(s *sight) { s.template.Elsewhere = []string{"sg-r"} },
		},
		"a launch names no subnet": {
			id: "compute/template/box", grade: runbook.Amber, why: "no subnet", change: func(s *sight) { s.template.Subnet = "" },
		},
		"a launch names no group": {
			id: "compute/template/box", grade: runbook.Amber, why: "no security group", change: func(s *sight) { s.template.Groups = nil },
		},
		"a server has no launch template": {
			id: "compute/template/box", grade: runbook.Red, why: "no launch template", also: []string{"compute/storage/us-west-2"}, change: func(s *sight) { s.server.Template = "" },
		},
		"a launch template is gone": {
			id: "compute/template/box", grade: runbook.Red, why: "lt-box is not there", also: []string{"compute/storage/us-west-2"}, change: func(s *sight) {
				s.refuse["DescribeTemplate"] = temporal.NewNonRetryableApplicationError("lt-box is not there", "NotFound", nil)
			},
		},
		"an instance profile is gone": {
			id: "compute/template/box", grade: runbook.Red, why: "box is not there", change: func(s *sight) {
				s.refuse["DescribeProfile"] = temporal.NewNonRetryableApplicationError("box is not there", "NotFound", nil)
			},
		},
		"an instance profile gives no role": {
			id: "compute/template/box", grade: runbook.Amber, why: "instance profile box has no role", change: func(s *sight) { s.profile.Roles = nil },
		},
		"a launch takes no instance profile": {
			id: "compute/template/box", grade: runbook.Red, why: "subnet-r does not exist", change: func(s *sight) {
				s.template.Profile, s.template.Missing = "", []string{"subnet-r"}
				s.refuse["DescribeProfile"] = temporal.NewNonRetryableApplicationError("nobody asked for one", "NotFound", nil)
			},
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
