package bench

import (
	"fmt"
	"slices"
	"time"

	"lifeline/internal/plan"
)

// mix is how many resources of each kind an estate has beside the example's own.
type mix struct{ tables, buckets, instances, volumes int }

// thousand is an application of many small services, each with a table of its own:
// with the example's resources it makes about a thousand items. AWS Backup takes a
// hundred selections for each plan, so that everything but the volumes, which Data
// Lifecycle Manager snapshots, just fits. A table's backups can only be asked for one
// by one, ten in a second: with fewer of them nothing would hold up a preview but the
// start of its programs.
func thousand() mix { return mix{tables: 64, buckets: 12, instances: 16, volumes: 12} }

// grow adds resources to a plan.
func grow(p plan.Plan, m mix) plan.Plan {
	home, away := p.TrafficRegions()[0], p.TrafficRegions()[1]
	backup := *p.Backup
	p.Backup = &backup
	p.Trigger = nil // a program that would have to be built first
	p.Resources, p.Backup.Select.Resources = slices.Clone(p.Resources), slices.Clone(p.Backup.Select.Resources)
	for i := range m.tables {
		r := resource(plan.DynamoDBTable, "table", i, plan.Protect{PITRDays: 35})
		r.Regions = map[plan.Region]plan.Identifiers{home: {"table": r.Name}, away: {"table": r.Name}}
		p = with(p, r)
	}
	for i := range m.buckets {
		r := resource(plan.S3Bucket, "files", i, plan.Protect{
			ArchiveAfterDays: 30, Archive: "GLACIER_IR",
			Replication: &plan.Replication{Direction: "both", TimeControl: true, DeleteMarkers: true, Existing: true},
		})
		r.Regions = map[plan.Region]plan.Identifiers{home: {"bucket": r.Name + "-home"}, away: {"bucket": r.Name + "-away"}}
		p = with(p, r)
	}
	for i := range m.instances {
		r := resource(plan.RDSInstance, "database", i, plan.Protect{PITRDays: 14, MultiAZ: true, ReadReplica: true})
		r.Regions = map[plan.Region]plan.Identifiers{home: {"instance": r.Name}, away: {"instance": r.Name + "-replica"}}
		p = with(p, r)
	}
	for i := range m.volumes {
		// AWS names volumes: the estate puts the real ids in.
		r := resource(plan.EBSVolume, "volume", i, plan.Protect{Snapshots: &plan.Snapshots{By: "dlm", Time: "03:00", Keep: 14, CopyRetain: 14}})
		r.Regions = map[plan.Region]plan.Identifiers{home: {"volume": fmt.Sprintf("vol-%017x", i)}}
		p.Resources = append(p.Resources, r)
	}
	return p
}

// with adds a resource that AWS Backup backs up.
func with(p plan.Plan, r plan.Resource) plan.Plan {
	p.Resources = append(p.Resources, r)
	p.Backup.Select.Resources = append(p.Backup.Select.Resources, r.Name)
	return p
}

// resource is one of many alike: of the third tier, with time to spare.
func resource(kind plan.Kind, name string, i int, protect plan.Protect) plan.Resource {
	return plan.Resource{
		Name: fmt.Sprintf("%s-%03d", name, i+1), Kind: kind, Tier: 3, Protect: &protect,
		Objectives: &plan.Objectives{RTO: plan.Duration(24 * time.Hour), RPO: plan.Duration(25 * time.Hour)},
	}
}
