package kinds

import (
	"strconv"
	"strings"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// instance is an RDS DB instance with a copy in the recovery Region: a read
// replica, which can be promoted, or replicated automated backups, which can be
// restored, or both.
type instance struct{}

// Types of items of RDS instances.
const (
	rdsInstance    = "rds-instance"
	rdsSettings    = "rds-settings"
	rdsReplica     = "rds-read-replica"
	rdsReplication = "rds-backup-replication"
	rdsOptionGroup = "rds-option-group"
)

// shortestCopy is how many days of replicated backups are kept when the plan
// names none: AWS's own default.
const shortestCopy = 7

// Items keep the instance in two zones and restorable, and its copy. A replica
// that a failover has promoted is left as it is: what follows whom is compared
// without regard to direction, and nothing is made again of what exists.
func (instance) Items(s Site, r plan.Resource) []runbook.Item {
	home, away := s.Plan.Primary(), s.recovery()
	protect := protectOf(r)
	given := databaseItem(r, rdsInstance, home, rdsName(r.Regions[home]["instance"]), nil)
	given.Given, given.Why = true, "the application's instance is made with the application, in the primary Region: setup keeps its backups and its copy"
	settings := instanceSettings(r, home, given.ID())
	out := append([]runbook.Item{given}, settings...)
	if away == "" {
		return out
	}
	ready := given.ID()
	if len(settings) > 0 { // backups have to be on before anything can follow
		ready = settings[0].ID()
	}
	needs := []string{ready}
	if protect.OptionGroup != "" {
		group := databaseItem(r, rdsOptionGroup, away, protect.OptionGroup, nil)
		group.Given, group.Why = true, "an option group is of one Region and AWS does not copy it: make it in "+string(away)+" with the same options, or every copy of the instance fails"
		out, needs = append(out, group), append(needs, group.ID())
	}
	if protect.ReadReplica {
		out = append(out, s.replica(r, needs)...)
	}
	if protect.AutomatedBackups {
		days := protect.PITRDays
		if days == 0 {
			days = shortestCopy
		}
		out = append(out, after(databaseItem(r, rdsReplication, away, rdsName(r.Regions[home]["instance"]), map[string]string{
			"source": s.instanceARN(r, home), "status": "replicating", "days": strconv.Itoa(days),
			runbook.AtCreation + "key": s.keyARN(away), tagAtCreation: s.Plan.Application,
		}), needs...))
	}
	return out
}

// replica is the read replica and its settings, which it needs once it is the
// one that writes.
func (s Site) replica(r plan.Resource, needs []string) []runbook.Item {
	away := s.recovery()
	item := after(databaseItem(r, rdsReplica, away, rdsName(r.Regions[away]["instance"]), map[string]string{
		"peer": s.instanceARN(r, s.Plan.Primary()), runbook.AtCreation + "multi-az": strconv.FormatBool(protectOf(r).MultiAZ),
		runbook.AtCreation + "option-group": protectOf(r).OptionGroup, runbook.AtCreation + "key": s.keyARN(away), tagAtCreation: s.Plan.Application,
	}), needs...)
	return append([]runbook.Item{item}, instanceSettings(r, away, item.ID())...)
}

// settings are those of one instance; none when the plan wants none.
func instanceSettings(r plan.Resource, region plan.Region, needs string) []runbook.Item {
	want := map[string]string{}
	if days := protectOf(r).PITRDays; days > 0 {
		want["backup-days"] = strconv.Itoa(days)
	}
	if protectOf(r).MultiAZ {
		want["multi-az"] = "true"
	}
	if len(want) == 0 {
		return nil
	}
	item := databaseItem(r, rdsSettings, region, rdsName(r.Regions[region]["instance"]), want)
	item.AtLeast = []string{"backup-days"}
	return []runbook.Item{after(item, needs)}
}

func (s Site) instanceARN(r plan.Resource, region plan.Region) string {
	return s.arn("rds", region, "db:"+rdsName(r.Regions[region]["instance"]))
}

// rdsName is an identifier as RDS keeps it: in lower case.
func rdsName(name string) string { return strings.ToLower(name) }

func databaseItem(r plan.Resource, kind string, region plan.Region, name string, want map[string]string) runbook.Item {
	return runbook.Item{Area: runbook.AreaDatabases, Type: kind, Region: string(region), Name: name, Resource: r.Name, Want: want}
}

// after is an item that waits for others.
func after(item runbook.Item, ids ...string) runbook.Item {
	item.Needs = ids
	return item
}
