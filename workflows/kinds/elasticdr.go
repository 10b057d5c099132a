package kinds

import (
	"strconv"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area.
const (
	drsService             = "drs-service"
	drsReplicationTemplate = "drs-replication-template"
	drsLaunchTemplate      = "drs-launch-template"
	drsSourceServer        = "drs-source-server"
	drsLaunchSettings      = "drs-launch-settings"
	drsReplicationSettings = "drs-replication-settings"
)

// elasticDR is what Elastic Disaster Recovery needs once in each Region. In both:
// after a failover, servers replicate the other way (domain handbook 3.4).
func elasticDR(s Site) []runbook.Item {
	if s.Plan.ElasticDR == nil {
		return nil
	}
	out := s.drsRoles()
	var roles []string
	for _, r := range out {
		roles = append(roles, r.ID())
	}
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, runbook.Item{
			Area: runbook.AreaElasticDR, Type: drsService, Name: "account", Region: string(region), Needs: roles,
		})
		if template, ok := s.replicationTemplate(region); ok {
			out = append(out, template)
		}
		out = append(out, s.launchTemplate(region))
	}
	return out
}

// replicationTemplate is what a server that registers in a Region starts with.
func (s Site) replicationTemplate(region plan.Region) (runbook.Item, bool) {
	want, ok := s.staging(region)
	if !ok {
		return runbook.Item{}, false
	}
	want[tagAtCreation] = s.Plan.Application
	return runbook.Item{
		Area: runbook.AreaElasticDR, Type: drsReplicationTemplate, Name: s.Plan.Application, Region: string(region), Want: want,
		Needs: []string{runbook.ItemID(drsService, string(region), "account")},
	}, true
}

// staging is how servers replicate into a Region; false when the plan names no
// staging area there. The key is the one of recovery volumes too, whatever a
// launch template says.
func (s Site) staging(region plan.Region) (map[string]string, bool) {
	area, ok := s.Plan.ElasticDR.Staging[region]
	if !ok {
		return nil, false
	}
	return map[string]string{
		"subnet": area.Subnet, "security-groups": runbook.List(area.SecurityGroups...),
		"default-security-group": strconv.FormatBool(len(area.SecurityGroups) == 0),
		"encryption":             "CUSTOM", "key": s.keyARN(region),
		"routing": "PRIVATE_IP", "public-ip": "false",
		"points": runbook.Document(pointsInTime(s.Plan.ElasticDR.KeepDays)),
	}, true
}

// pointsInTime is the policy of points: every ten minutes for an hour and every
// hour for a day, which AWS sets, and a daily one for as long as the plan says.
func pointsInTime(days int) []any {
	rule := func(id int, units string, interval, keep int) map[string]any {
		return map[string]any{"ruleID": id, "units": units, "interval": interval, "retentionDuration": keep, "enabled": true}
	}
	return []any{rule(1, "MINUTE", 10, 60), rule(2, "HOUR", 1, 24), rule(3, "DAY", 1, days)}
}

// launchTemplate is how a server that registers in a Region would be launched.
// Right-sizing BASIC is never wanted: it knows C5 only (domain handbook 3.4).
func (s Site) launchTemplate(region plan.Region) runbook.Item {
	want := launch(plan.Launch{CopyTags: true})
	want[tagAtCreation] = s.Plan.Application
	return runbook.Item{
		Area: runbook.AreaElasticDR, Type: drsLaunchTemplate, Name: s.Plan.Application, Region: string(region), Want: want,
		Needs: []string{runbook.ItemID(drsService, string(region), "account")},
	}
}

// drsRoles are the roles that the service expects by their names. Its console
// makes them when it is opened first; its API does not.
func (s Site) drsRoles() []runbook.Item {
	const prefix, policies = "AWSElasticDisasterRecovery", "arn:aws:iam::aws:policy/service-role/AWSElasticDisasterRecovery"
	instances := []struct{ role, policy string }{
		{"ReplicationServerRole", "ReplicationServerPolicy"},
		{"ConversionServerRole", "ConversionServerPolicy"},
		{"RecoveryInstanceRole", "RecoveryInstancePolicy"},
	}
	out := make([]runbook.Item, 0, len(instances)+2)
	for _, i := range instances {
		out = append(out, role(roleSpec{name: prefix + i.role, services: []string{"ec2.amazonaws.com"}, attached: []string{policies + i.policy}}))
	}
	for _, agent := range []struct{ role, policy, sources string }{
		{"AgentRole", "AgentPolicy", "s-*"}, {"FailbackRole", "FailbackPolicy", "i-*"},
	} {
		item := role(roleSpec{name: prefix + agent.role, attached: []string{policies + agent.policy}})
		item.Want["trust"] = s.drsAgentTrust(agent.sources)
		out = append(out, item)
	}
	for _, item := range out {
		// The service looks for them under this path.
		item.Want[runbook.AtCreation+"path"] = "/service-role/"
	}
	return out
}

// drsAgentTrust lets agents act as themselves, in this account only.
func (s Site) drsAgentTrust(sources string) string {
	return policyDocument(map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"Service": "drs.amazonaws.com"},
		"Action": []string{"sts:AssumeRole", "sts:SetSourceIdentity"},
		"Condition": map[string]any{"StringLike": map[string]any{
			"sts:SourceIdentity": sources, "aws:SourceAccount": s.Account,
		}},
	})
}
