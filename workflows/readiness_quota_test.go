package workflows_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"lifeline/activities/elb"
	"lifeline/activities/servicequotas"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// quotaTurns are of a world in which 4 instances may come to each group of 2, and
// one server of two disks of 1 TiB each, to the recovery Region.
func quotaTurns() map[string]turn {
	const (
		interfaces, registrations = "compute/interfaces/us-west-2", "compute/registrations/web/us-west-2"
		storage, snapshots        = "compute/storage/us-west-2", "compute/snapshots/us-west-2"
		servers                   = "compute/servers/us-west-2"
	)
	inBoth := func(id string) []string { return []string{strings.Replace(id, "us-west-2", "us-east-1", 1)} }
	registered := func(change func(*elb.Registered)) func(*sight) {
		return func(s *sight) { r := s.registered[seenWest]; change(&r); s.registered[seenWest] = r }
	}
	limit := func(code string, n float64) func(*sight) { return func(s *sight) { s.limits[code] = n } }
	gone := func(code string) func(*sight) { return func(s *sight) { delete(s.limits, code) } }
	return map[string]turn{
		"interfaces are used up": {
			id: interfaces, grade: runbook.Red, why: "4996 used and 5 to come, of 5000", command: "--service-code vpc --quota-code L-DF5E4CA3 --region us-west-2", change: func(s *sight) { s.interfaces[seenWest] = 4996 },
		},
		"interfaces fit, but only just": {
			id: interfaces, grade: runbook.Amber, why: "less than 20 % stay free", change: func(s *sight) { s.interfaces[seenWest] = 4995 },
		},
		"nobody knows the limit of interfaces": {
			id: interfaces, grade: runbook.Unknown, why: "AWS names no limit of network interfaces", also: inBoth(interfaces), change: gone("L-DF5E4CA3"),
		},
		"interfaces could not be counted": {
			id: interfaces, grade: runbook.Unknown, why: "may not", also: inBoth(interfaces), change: func(s *sight) {
				s.refuse["MeasureInterfaces"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
		},
		"the target group is full": {
			id: registrations, grade: runbook.Red, why: "targets of the target group: 2 used and 4 to come, of 5", command: "--quota-code L-A0D0B863", also: inBoth(registrations), worse: true, change: limit("L-A0D0B863", 5),
		},
		"the load balancer is full of others' targets": {
			id: registrations, grade: runbook.Red, why: "targets of the application load balancer: 997 used and 4 to come, of 1000", command: "--quota-code L-7E6692B2", change: registered(func(r *elb.Registered) { r.Total = 997 }),
		},
		"a network load balancer has a quota of its own": {
			id: registrations, grade: runbook.Red, why: "targets of the network load balancer: 2999 used and 4 to come", command: "--quota-code L-EEF1AD04",
			change: registered(func(r *elb.Registered) { r.Type, r.Total = "network", 2999 }),
		},
		"a load balancer of another kind": {
			id: registrations, grade: runbook.Unknown, why: `of a "gateway" load balancer is not looked up`, change: registered(func(r *elb.Registered) { r.Type = "gateway" }),
		},
		"the target group is behind nothing": {
			id: registrations, grade: runbook.Unknown, why: "patient-web is not behind load balancer patient-web", change: registered(func(r *elb.Registered) { r.Groups = nil }),
		},
		"targets could not be counted": {
			id: registrations, grade: runbook.Unknown, why: "may not", also: inBoth(registrations), change: func(s *sight) {
				s.refuse["MeasureTargets"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
		},
		"disks do not fit": {
			id: storage, grade: runbook.Red, why: "TiB of gp3 volumes: 48.5 used and 2 to come, of 50", command: "--service-code ebs --quota-code L-7A658B76", change: func(s *sight) { s.storage.GiB["gp3"] = 48*1024 + 512 },
		},
		"disks are of another type": {
			id: storage, grade: runbook.Red, why: "TiB of gp2 volumes: 49 used", command: "--quota-code L-D18FCD1D", change: func(s *sight) { s.storage.GiB["gp2"], s.template.Volumes = 49*1024, []string{"gp2"} },
		},
		"disks may be of a type that is full": {
			id: storage, grade: runbook.Unknown, why: "not all disks fit as gp2", change: func(s *sight) { s.storage.GiB["gp2"], s.template.Volumes = 49*1024, []string{"gp2", "gp3"} },
		},
		"disks are of a type that nobody looks up": {
			id: storage, grade: runbook.Unknown, why: "io2 volumes is not looked up", change: func(s *sight) { s.template.Volumes = []string{"io2"} },
		},
		"nobody knows the type of disks": {
			id: storage, grade: runbook.Unknown, why: "names no type of volume", change: func(s *sight) { s.template.Volumes = nil },
		},
		"nobody knows the disks": {
			id: storage, grade: runbook.Unknown, why: "AWS names no disks of s-0123456789abcdef0", also: []string{snapshots}, change: func(s *sight) { s.server.Disks, s.server.GiB = 0, 0 },
		},
		"a launch template is unreadable": {
			id: storage, grade: runbook.Unknown, why: "the launch template of s-0123456789abcdef0 could not be read", also: []string{"compute/template/box"}, change: func(s *sight) {
				s.refuse["DescribeTemplate"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
		},
		"nobody knows how many snapshots": {
			id: snapshots, grade: runbook.Unknown, why: "AWS names no disks of s-0123456789abcdef0", change: func(s *sight) { s.server.Disks = 0 },
		},
		"snapshots do not fit": {
			id: snapshots, grade: runbook.Red, why: "snapshots: 300 used and 2 to come, of 301", command: "--quota-code L-309BACF6", change: limit("L-309BACF6", 301),
		},
		"volumes and snapshots could not be counted": {
			id: snapshots, grade: runbook.Unknown, why: "may not", also: []string{storage}, change: func(s *sight) {
				s.refuse["MeasureStorage"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
		},
		"too many servers replicate": {
			id: servers, grade: runbook.Amber, why: "replicating servers: 250 used and 0 to come, of 300: less than 20 %", command: "get-service-quota --service-code drs --quota-code L-C1D14A2B", change: func(s *sight) { s.load.Replicating = 250 },
		},
		"too many source servers": {
			id: servers, grade: runbook.Amber, why: "source servers: 3900 used", command: "request-service-quota-increase --service-code drs --quota-code L-E28BE5E0", change: func(s *sight) { s.load.Servers = 3900 },
		},
		"jobs launch all that may be launched": {
			id: servers, grade: runbook.Red, why: "servers in all jobs: 500 used and 1 to come, of 500", command: "--quota-code L-05AFA8C6", change: func(s *sight) { s.load.Launching = 500 },
		},
		"no further job may run": {
			id: servers, grade: runbook.Red, why: "jobs: 20 used and 1 to come, of 20", command: "--quota-code L-D88FAC3A", change: func(s *sight) { s.load.Jobs = 20 },
		},
		"nobody knows how many a job takes": {
			id: servers, grade: runbook.Unknown, why: "no limit of servers of one job", change: gone("L-B827C881"),
		},
		"servers could not be counted": {
			id: servers, grade: runbook.Unknown, why: "may not", change: func(s *sight) {
				s.refuse["MeasureServers"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
			},
		},
	}
}

func TestReadiness_QuotasAreUnreadable_NothingIsGreen(t *testing.T) {
	t.Parallel()
	s := healthy(t, allKinds(t))
	s.refuse["MeasureQuotas"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
	rep := s.prove()
	for _, id := range []string{"interfaces/us-east-1", "registrations/web/us-east-1", "interfaces/us-west-2", "registrations/web/us-west-2", "storage/us-west-2", "snapshots/us-west-2", "servers/us-west-2"} {
		require.Equal(t, runbook.Unknown, check(t, rep, "compute/"+id).Grade, id)
	}
}

// Services that share a load balancer fill it together.
func TestReadiness_SharedLoadBalancer_TakesWhatAllServicesLaunch(t *testing.T) {
	t.Parallel()
	p := allKinds(t)
	i := slices.IndexFunc(p.Resources, func(r plan.Resource) bool { return r.Name == "web" })
	second := p.Resources[i]
	second.Name = "reports"
	p.Resources = append(p.Resources, second)
	s := healthy(t, p)
	s.limits["L-7E6692B2"] = 9 // 2 are there, and 4 of each may come
	got := check(t, s.prove(), "compute/registrations/web/us-west-2")
	require.Equal(t, runbook.Red, got.Grade, got.Why)
	require.Contains(t, got.Why, "2 used and 8 to come, of 9")
}

// Only what the plan needs is asked for.
func TestReadiness_PlanWithoutServers_AsksForNoQuotaOfThem(t *testing.T) {
	t.Parallel()
	p, problems := plan.Load(filepath.Join("..", "examples", "patient-records.yaml"))
	require.NoError(t, problems.Err())
	s := healthy(t, p)
	require.Empty(t, notGreen(s.prove()))
	want := []servicequotas.Quota{
		{Service: "vpc", Code: "L-DF5E4CA3"}, {Service: "elasticloadbalancing", Code: "L-A0D0B863"}, {Service: "elasticloadbalancing", Code: "L-7E6692B2"}, {Service: "elasticloadbalancing", Code: "L-EEF1AD04"},
	}
	require.Equal(t, both(want), s.quotas)
	for _, step := range []string{"MeasureStorage", "MeasureServers", "DescribeTemplate"} {
		require.NotContains(t, s.asked, step)
	}

	p = allKinds(t)
	s = healthy(t, p)
	s.prove()
	require.Equal(t, want, s.quotas[seenEast], "servers are launched in the recovery Region only")
	require.Len(t, s.quotas[seenWest], len(want)+8)
}

// What others fill is nobody's concern where nothing of it would be launched.
func TestReadiness_AnotherTypeOfVolumeIsFull_IsNoConcernOfThePlan(t *testing.T) {
	t.Parallel()
	s := healthy(t, allKinds(t))
	s.storage.GiB["gp2"] = 60 * 1024
	require.Empty(t, notGreen(s.prove()))
}

// Without a service and with servers that can't be read, nothing is left out.
func TestReadiness_ServersCannotBeRead_QuotasAreUnknown(t *testing.T) {
	t.Parallel()
	p := allKinds(t)
	p.Resources = slices.DeleteFunc(p.Resources, func(r plan.Resource) bool { return r.Kind == plan.Service })
	s := healthy(t, p)
	s.refuse["DescribeServers"] = temporal.NewNonRetryableApplicationError("may not", "Denied", nil)
	rep := s.prove()
	for _, id := range []string{"vcpus", "interfaces", "storage", "snapshots", "servers"} {
		require.Equal(t, runbook.Unknown, check(t, rep, "compute/"+id+"/us-west-2").Grade, id)
	}
	require.Equal(t, runbook.Unknown, check(t, rep, "compute/template/box").Grade)
	require.Equal(t, runbook.Unknown, check(t, rep, "compute/right-sizing/box").Grade)
	for _, c := range rep.Checks {
		require.NotContains(t, c.ID, "compute/interfaces/us-east-1", "nothing is launched there")
	}
}

// A server may do without an instance profile.
func TestReadiness_LaunchWithoutInstanceProfile_IsGreen(t *testing.T) {
	t.Parallel()
	s := healthy(t, allKinds(t))
	s.template.Profile, s.profile.Roles = "", nil
	require.Empty(t, notGreen(s.prove()))
	require.NotContains(t, s.asked, "DescribeProfile")
}
