package kinds

import (
	"cmp"
	"fmt"
	"strings"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items of volumes.
const (
	ebsVolume     = "ebs-volume"
	ebsVolumeTags = "ebs-volume-tags"
	dlmPolicy     = "dlm-policy"
)

// snapshotTag is how Data Lifecycle Manager finds the volumes of a group.
const snapshotTag = "lifeline:snapshots"

// volume is an EBS volume that is kept by snapshots. It lives in one Region; what
// the other has of it are copies.
type volume struct{}

// Items are the volume, which somebody else makes, and the policy of its group,
// unless AWS Backup snapshots it.
func (volume) Items(s Site, r plan.Resource) []runbook.Item {
	var out []runbook.Item
	for _, region := range s.Plan.TrafficRegions() {
		id := r.Regions[region]["volume"]
		if id == "" {
			continue
		}
		out = append(out, runbook.Item{
			Area: runbook.AreaBackup, Type: ebsVolume, Name: id, Region: string(region), Resource: r.Name, Given: true,
			Why: "the volume is made with the server that uses it: setup snapshots what is there",
		})
		if snapshotsBy(r) == byDLM {
			out = append(out, s.volumeTags(r, region, id), s.dlmRole(), s.dlmPolicy(r, region))
		}
	}
	return out
}

// volumeTags put a volume into its group.
func (s Site) volumeTags(r plan.Resource, region plan.Region, id string) runbook.Item {
	return runbook.Item{
		Area: runbook.AreaBackup, Type: ebsVolumeTags, Name: id, Region: string(region), Resource: r.Name,
		Want:  map[string]string{"tag/" + snapshotTag: s.snapshotGroup(*r.Protect.Snapshots)},
		Needs: []string{runbook.ItemID(ebsVolume, string(region), id)},
	}
}

// snapshotGroup is all volumes of the application that are snapshotted alike:
// one policy serves them. Other settings make another group, so a volume that
// changes leaves the old policy alone.
func (s Site) snapshotGroup(p plan.Snapshots) string {
	return fmt.Sprintf("%s-%s-%d-%d", s.Plan.Application, strings.ReplaceAll(snapshotTime(p), ":", ""), p.Keep, p.CopyRetain)
}

func snapshotTime(p plan.Snapshots) string { return cmp.Or(p.Time, "03:00") }

// dlmPolicy snapshots a group once a day and copies each snapshot into the other
// Region, under that Region's key: a copy under a key that is not usable there
// fails silently (domain handbook 3.3).
func (s Site) dlmPolicy(r plan.Resource, region plan.Region) runbook.Item {
	p := *r.Protect.Snapshots
	group := s.snapshotGroup(p)
	schedule := map[string]any{
		"Name": "daily", "CopyTags": true,
		"TagsToAdd":  []any{map[string]any{"Key": "lifeline:application", "Value": s.Plan.Application}},
		"CreateRule": map[string]any{"Interval": 24, "IntervalUnit": "HOURS", "Times": []string{snapshotTime(p)}},
		"RetainRule": map[string]any{"Count": p.Keep},
	}
	if to := s.across(region); to != "" && p.CopyRetain > 0 {
		schedule["CrossRegionCopyRules"] = []any{map[string]any{
			"Target": string(to), "Encrypted": true, "CmkArn": s.keyARN(to), "CopyTags": true,
			"RetainRule": map[string]any{"Interval": p.CopyRetain, "IntervalUnit": "DAYS"},
		}}
	}
	return runbook.Item{
		Area: runbook.AreaBackup, Type: dlmPolicy, Name: group, Region: string(region),
		Want: map[string]string{
			"state": "ENABLED", "role": roleARN(s.dlmRoleName()), "targets": snapshotTag + "=" + group,
			"schedules": runbook.Document([]any{schedule}), tagAtCreation: s.Plan.Application,
		},
	}
}

// across is the other of the two Regions that serve clients.
func (s Site) across(region plan.Region) plan.Region {
	for _, other := range s.Plan.TrafficRegions() {
		if other != region {
			return other
		}
	}
	return ""
}

func (s Site) dlmRoleName() string { return roleName("dlm", s.Plan.Application) }

// dlmRole is what Data Lifecycle Manager acts as. AWS's policy for it leaves out
// the keys of copies.
func (s Site) dlmRole() runbook.Item {
	return role(roleSpec{
		name: s.dlmRoleName(), services: []string{"dlm.amazonaws.com"},
		attached: []string{"arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole"},
		inline:   map[string]string{"lifeline-keys": policyDocument(s.keyUse(), s.keyGrants())},
	})
}
