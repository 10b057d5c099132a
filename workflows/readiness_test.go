package workflows_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
	// command is a part of what is to be typed, where it depends on what was read.
	command string
}

func TestReadiness_OneThingIsWrong_ItsCheckTurns_AndNamesItsFix(t *testing.T) {
	t.Parallel()
	for group, cases := range map[string]map[string]turn{
		"traffic": trafficTurns(), "data": dataTurns(), "databases": databaseTurns(), "compute": computeTurns(), "quotas": quotaTurns(), "backups": backupTurns(), "rest": restTurns(),
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
				require.Contains(t, got.Command, c.command)
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

// What no plan covers is listed for the register, each by name.
func TestReadiness_ResourcesInNoPlan_AreListed(t *testing.T) {
	t.Parallel()
	s := healthy(t, allKinds(t))
	s.more = []string{"orders", "visits"}
	rep := s.prove()
	found := runbook.NewRegister(s.plan, runbook.Past{Proof: &rep}).Uncovered
	require.True(t, found.Known)
	require.Subset(t, found.Resources, []string{"table orders in us-east-1", "table visits in us-east-1"})
}
