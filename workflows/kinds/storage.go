package kinds

import (
	"cmp"
	"strconv"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area. A bucket's configurations are items of their own:
// each has its own call to read and to write it, and its own line in a report.
const (
	s3Bucket       = "s3-bucket"
	s3Versioning   = "s3-versioning"
	s3Encryption   = "s3-encryption"
	s3PublicAccess = "s3-public-access-block"
	s3Policy       = "s3-bucket-policy"
	s3Replication  = "s3-replication"
	s3Lifecycle    = "s3-lifecycle"
	s3Events       = "s3-event-notification"
	s3Batch        = "s3-batch-replication"
)

// bucketTag marks a bucket as the application's. It costs no call of its own:
// reading tags is how setup finds out whether there is a bucket.
const bucketTag = "tag/lifeline:application"

// Items are a bucket in each Region, alike, and what carries objects over.
func (bucket) Items(s Site, r plan.Resource) []runbook.Item {
	var out []runbook.Item
	for _, region := range s.Plan.TrafficRegions() {
		out = append(out, s.pairedBucket(r, region)...)
	}
	ways := s.ways(r)
	for _, w := range ways {
		out = append(out, s.replication(r, w)...)
	}
	if len(ways) > 0 {
		out = append(out, s.replicationRole(r, ways))
	}
	return out
}

// way is one direction of replication.
type way struct{ from, to plan.Region }

// replicationOf is how two buckets are kept alike. Active/active is what the kind
// promises, so both directions, deletes included, are what a plan gets that says
// nothing.
func replicationOf(r plan.Resource) plan.Replication {
	if r.Protect == nil || r.Protect.Replication == nil {
		return plan.Replication{Direction: "both", DeleteMarkers: true}
	}
	return *r.Protect.Replication
}

func (s Site) ways(r plan.Resource) []way {
	from, to := s.Plan.Primary(), s.recovery()
	switch {
	case to == "":
		return nil
	case replicationOf(r).Direction == "one-way":
		return []way{{from, to}}
	default:
		return []way{{from, to}, {to, from}}
	}
}

// pairedBucket is a bucket that replicates, with what guards it.
func (s Site) pairedBucket(r plan.Resource, region plan.Region) []runbook.Item {
	name := r.Regions[region]["bucket"]
	of := configs{s: s, area: runbook.AreaStorage, resource: r.Name, region: region, bucket: name}
	out := []runbook.Item{
		of.bucketItem(),
		of.item(s3Versioning, map[string]string{"status": "Enabled"}),
		of.item(s3Encryption, map[string]string{"algorithm": "aws:kms", "key": s.keyARN(region), "bucket-key": "true"}),
		of.item(s3PublicAccess, publicAccess("true")),
		of.item(s3Policy, map[string]string{"statement/LifelineTLSOnly": statement("LifelineTLSOnly", map[string]any{
			"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": []string{bucketARN(name), bucketARN(name) + "/*"},
			"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
		})}),
		of.marksLifecycle(),
	}
	if days := archiveDays(r); days > 0 {
		out = append(out, of.archive(r, days))
	}
	if s.continuous() {
		// Continuous backup follows a bucket by its events (domain handbook 3.2).
		out = append(out, of.item(s3Events, map[string]string{"eventbridge": "true"}))
	}
	return out
}

// configs makes the items of one bucket.
type configs struct {
	s        Site
	area     runbook.Area
	resource string
	region   plan.Region
	bucket   string
}

// bucketItem is the bucket itself, made when it is missing: an empty bucket holds
// no data that setup could get wrong.
func (c configs) bucketItem() runbook.Item {
	return runbook.Item{
		Area: c.area, Type: s3Bucket, Name: c.bucket, Region: string(c.region), Resource: c.resource,
		Want: map[string]string{"owner": c.s.Account, "region": string(c.region), bucketTag: c.s.Plan.Application},
	}
}

// item is one configuration of the bucket; part tells several of a type apart.
func (c configs) item(kind string, want map[string]string, needs ...string) runbook.Item {
	return runbook.Item{
		Area: c.area, Type: kind, Name: c.bucket, Region: string(c.region), Resource: c.resource, Want: want,
		Needs: append([]string{runbook.ItemID(s3Bucket, string(c.region), c.bucket)}, needs...),
	}
}

// marksLifecycle forgets old versions of Lifeline's own marks, which are written
// every few seconds for ever. Objects of the application are never expired.
func (c configs) marksLifecycle() runbook.Item {
	i := c.item(s3Lifecycle, map[string]string{"prefix": "lifeline/", "status": "Enabled", "expire-noncurrent-days": "1"})
	i.Name += "/lifeline-marks"
	return i
}

// archive moves objects to cold storage, on both sides alike. It waits for
// replication and for the copy of what was there before: an object that is in
// Glacier is replicated no more (domain handbook, mistake 20).
func (c configs) archive(r plan.Resource, days int) runbook.Item {
	want := map[string]string{
		"prefix": "", "status": "Enabled", "days": strconv.Itoa(days), "class": cmp.Or(r.Protect.Archive, "GLACIER"),
	}
	var needs []string
	for _, w := range c.s.ways(r) {
		from := r.Regions[w.from]["bucket"]
		needs = append(needs, runbook.ItemID(s3Replication, string(w.from), from))
		if replicationOf(r).Existing {
			want[runbook.AtCreation+"after/"+from] = runbook.Ref(s3Batch, string(w.from), from, "done")
		}
	}
	i := c.item(s3Lifecycle, want, needs...)
	i.Name += "/lifeline-archive"
	return i
}

func archiveDays(r plan.Resource) int {
	if r.Protect == nil {
		return 0
	}
	return r.Protect.ArchiveAfterDays
}

// continuous says whether the plan has a continuous backup rule.
func (s Site) continuous() bool {
	if s.Plan.Backup == nil {
		return false
	}
	for _, rule := range s.Plan.Backup.Rules {
		if rule.Continuous || rule.Intent == plan.IntentContinuous {
			return true
		}
	}
	return false
}

// replication is one direction: the rule, and the copy of what was there before.
func (s Site) replication(r plan.Resource, w way) []runbook.Item {
	how, from, to := replicationOf(r), r.Regions[w.from]["bucket"], r.Regions[w.to]["bucket"]
	of := configs{s: s, area: runbook.AreaStorage, resource: r.Name, region: w.from, bucket: from}
	rule := of.item(s3Replication, map[string]string{
		"role": roleARN(s.replicationRoleName(r)), "status": "Enabled", "prefix": "", "destination": bucketARN(to),
		"delete-markers": strconv.FormatBool(how.DeleteMarkers),
		// Without it changes of tags and rights on replicas never come home.
		"replica-modifications": strconv.FormatBool(how.Direction != "one-way"),
		"encrypted-objects":     "true", "key": s.keyARN(w.to),
		"time-control": strconv.FormatBool(how.TimeControl), "metrics": "true",
	}, runbook.ItemID(s3Versioning, string(w.from), from), runbook.ItemID(s3Versioning, string(w.to), to))
	if !how.Existing {
		return []runbook.Item{rule}
	}
	return []runbook.Item{rule, of.item(s3Batch, map[string]string{
		"copied": "true", "remembered": to,
		runbook.AtCreation + "account": s.Account, runbook.AtCreation + "role": roleARN(s.replicationRoleName(r)),
		runbook.AtCreation + "tag/lifeline:application": s.Plan.Application,
	}, rule.ID())}
}

func (s Site) replicationRoleName(r plan.Resource) string {
	return roleName(s.Plan.Application, r.Name, "replication")
}

// replicationRole is taken on by S3 for new objects, and by S3 Batch Operations
// for those that were there before.
func (s Site) replicationRole(r plan.Resource, ways []way) runbook.Item {
	var all []map[string]any
	for _, w := range ways {
		all = append(all, s.mayReplicate(r, w)...)
	}
	services := []string{"s3.amazonaws.com"}
	if replicationOf(r).Existing {
		services = []string{"batchoperations.s3.amazonaws.com", "s3.amazonaws.com"}
	}
	return role(roleSpec{
		name: s.replicationRoleName(r), services: services, resource: r.Name, inline: map[string]string{"replicate": policyDocument(all...)},
	})
}

func (s Site) mayReplicate(r plan.Resource, w way) []map[string]any {
	from, to := r.Regions[w.from]["bucket"], r.Regions[w.to]["bucket"]
	through := func(region plan.Region, bucket string) map[string]any {
		return map[string]any{
			"StringEquals": map[string]any{"kms:ViaService": "s3." + string(region) + ".amazonaws.com"},
			// With a bucket key the context is the bucket, without one the object.
			"StringLike": map[string]any{"kms:EncryptionContext:aws:s3:arn": []string{bucketARN(bucket), bucketARN(bucket) + "/*"}},
		}
	}
	onBucket := []string{"s3:GetReplicationConfiguration", "s3:ListBucket"}
	out := []map[string]any{
		allow(bucketARN(from)+"/*", nil, "s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"),
		allow(bucketARN(to)+"/*", nil, "s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"),
		allow(s.keyARN(w.from), through(w.from, from), "kms:Decrypt"),
		allow(s.keyARN(w.to), through(w.to, to), "kms:Encrypt", "kms:GenerateDataKey"),
	}
	if replicationOf(r).Existing {
		onBucket = append(onBucket, "s3:PutInventoryConfiguration")
		out = append(out, allow(bucketARN(from)+"/*", nil, "s3:InitiateReplication"))
	}
	return append(out, allow(bucketARN(from), nil, onBucket...))
}

// switchBuckets are the public single-object buckets of the s3-object switch:
// health checkers can't sign, so everybody may read the switch objects, and
// nothing else. Encryption is S3's own, since a KMS key would lock checkers out.
func switchBuckets(s Site) []runbook.Item {
	if s.Plan.Traffic.Switch.Provider != plan.SwitchS3Object {
		return nil
	}
	var out []runbook.Item
	for _, region := range s.Plan.TrafficRegions() {
		name := s.Plan.Traffic.Switch.Buckets[region]
		of := configs{s: s, area: runbook.AreaTraffic, region: region, bucket: name}
		open := publicAccess("false")
		open["block-public-acls"], open["ignore-public-acls"] = "true", "true"
		out = append(out,
			of.bucketItem(),
			of.item(s3Encryption, map[string]string{"algorithm": "AES256"}),
			of.item(s3PublicAccess, open),
			of.item(s3Policy, map[string]string{"statement/LifelineCheckers": statement("LifelineCheckers", map[string]any{
				"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": bucketARN(name) + "/evacuate/*",
			})}, runbook.ItemID(s3PublicAccess, string(region), name)),
		)
	}
	return out
}

func publicAccess(block string) map[string]string {
	return map[string]string{"block-public-acls": block, "ignore-public-acls": block, "block-public-policy": block, "restrict-public-buckets": block}
}

func bucketARN(name string) string { return "arn:aws:s3:::" + name }
