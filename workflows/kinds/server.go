package kinds

import (
	"cmp"
	"strconv"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// server is a server that Elastic Disaster Recovery replicates. The agent on it
// registers it in the Region that it replicates into: there it is known by an id.
type server struct{}

// Items are the source server, which its agent makes, and its settings.
func (server) Items(s Site, r plan.Resource) []runbook.Item {
	if s.Plan.ElasticDR == nil {
		return nil
	}
	var out []runbook.Item
	for _, region := range s.Plan.TrafficRegions() {
		id := r.Regions[region]["sourceServer"]
		if id == "" {
			continue
		}
		source := runbook.Item{
			Area: runbook.AreaElasticDR, Type: drsSourceServer, Name: id, Region: string(region), Resource: r.Name, Given: true,
			Why:   "the replication agent on " + r.Name + " registers it: install the agent with --region " + string(region) + " and put the id that it prints into the plan",
			Needs: []string{runbook.ItemID(drsService, string(region), "account")},
		}
		out = append(out, source, s.serverItem(drsLaunchSettings, r, source, launch(launchOf(r))))
		if want, ok := s.staging(region); ok {
			out = append(out, s.serverItem(drsReplicationSettings, r, source, want))
		}
	}
	return out
}

func (s Site) serverItem(kind string, r plan.Resource, source runbook.Item, want map[string]string) runbook.Item {
	return runbook.Item{
		Area: runbook.AreaElasticDR, Type: kind, Name: source.Name, Region: source.Region, Resource: r.Name,
		Want: want, Needs: []string{source.ID()},
	}
}

func launchOf(r plan.Resource) plan.Launch {
	if r.Protect == nil || r.Protect.Launch == nil {
		return plan.Launch{}
	}
	return *r.Protect.Launch
}

// launch is how a recovery instance is started.
func launch(l plan.Launch) map[string]string {
	return map[string]string{
		"right-sizing": cmp.Or(l.RightSizing, "NONE"), "disposition": cmp.Or(l.Disposition, "STARTED"),
		"copy-tags": strconv.FormatBool(l.CopyTags),
	}
}
