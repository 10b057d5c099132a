package dynamodb

import (
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"

	"lifeline/local/aws/wire"
)

// Modes of a global table, which version 1's shapes don't know.
const (
	eventual = "EVENTUAL"
	strongly = "STRONG"
)

// consistency are the members of UpdateTable that are younger than version 1's
// shapes.
type consistency struct {
	MultiRegionConsistency    string
	GlobalTableWitnessUpdates []struct{ Create, Delete *witness }
}

type witness struct{ RegionName string }

func (w consistency) given() bool {
	return w.MultiRegionConsistency == strongly || len(w.GlobalTableWitnessUpdates) > 0
}

// strong says whether all replicas of a table agree before a write is acknowledged.
func (t *table) strong() bool { return t.group != nil && t.group.strong }

// regionSets are the Regions among which a strongly consistent table can be.
func regionSets() [][]string {
	return [][]string{
		{"us-east-1", "us-east-2", "us-west-2"},
		{"eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1"},
		{"ap-northeast-1", "ap-northeast-2", "ap-northeast-3"},
	}
}

// updateStrong makes an empty table strongly consistent over three Regions, or
// takes all its other Regions away again: there is nothing in between.
func (d *DynamoDB) updateStrong(t *table, updates []*dynamodb.ReplicationGroupUpdate, wish consistency) error {
	others, watching := map[string]bool{}, ""
	for _, u := range updates {
		switch {
		case u.Create != nil:
			others[aws.StringValue(u.Create.RegionName)] = true
		case u.Delete != nil && t.strong():
			return d.dissolve(t, updates, wish)
		}
	}
	for _, u := range wish.GlobalTableWitnessUpdates {
		if u.Create != nil {
			others[u.Create.RegionName], watching = true, u.Create.RegionName
		}
	}
	switch {
	case len(updates) == 0 && len(wish.GlobalTableWitnessUpdates) == 0:
		return nil
	case t.strong():
		return invalid("The replicas of a global table with multi-Region strong consistency can't be changed")
	case wish.MultiRegionConsistency != strongly:
		return invalid("A witness can only be added to a global table with multi-Region strong consistency")
	}
	if err := d.checkStrong(t, others); err != nil {
		return err
	}
	for _, u := range updates {
		if err := d.checkNewReplica(t, u.Create); err != nil {
			return err
		}
	}
	t.group = &group{
		strong: true, witness: watching, replicas: map[string]*replica{t.region: {status: dynamodb.ReplicaStatusActive, since: d.world.Now()}},
	}
	for _, u := range updates {
		d.addReplica(t, u.Create)
	}
	return nil
}

func (d *DynamoDB) checkStrong(t *table, others map[string]bool) error {
	const regions = 3
	all := append(slices.Collect(maps.Keys(others)), t.region)
	together := slices.ContainsFunc(regionSets(), func(set []string) bool {
		return !slices.ContainsFunc(all, func(region string) bool { return !slices.Contains(set, region) })
	})
	switch {
	case t.group != nil:
		return invalid("An existing global table can't be changed to multi-Region strong consistency")
	case len(t.live()) > 0:
		return invalid("The table must be empty to enable multi-Region strong consistency")
	case len(all) != regions:
		return invalid("Multi-Region strong consistency needs exactly three Regions: three replicas, or two replicas and a witness")
	case !together:
		return invalid("The Regions of a global table with multi-Region strong consistency must be in one Region set")
	case slices.ContainsFunc(slices.Collect(maps.Values(t.indexes)), func(i *index) bool { return !i.global }):
		return invalid("Local secondary indexes are not supported with multi-Region strong consistency")
	case t.ttl != nil && aws.BoolValue(t.ttl.Enabled):
		return invalid("Time to Live is not supported with multi-Region strong consistency")
	}
	return nil
}

// dissolve leaves the table alone in its Region.
func (d *DynamoDB) dissolve(t *table, updates []*dynamodb.ReplicationGroupUpdate, wish consistency) error {
	gone := map[string]bool{}
	for _, u := range updates {
		if u.Delete == nil {
			return invalid("Replicas of a global table with multi-Region strong consistency can't be added and deleted at once")
		}
		gone[aws.StringValue(u.Delete.RegionName)] = true
	}
	unwatched := t.group.witness == ""
	for _, u := range wish.GlobalTableWitnessUpdates {
		unwatched = unwatched || (u.Delete != nil && u.Delete.RegionName == t.group.witness)
	}
	for region := range t.group.replicas {
		if region != t.region && !gone[region] {
			unwatched = false
		}
	}
	if !unwatched {
		return invalid("A global table with multi-Region strong consistency keeps all its Regions, or none but one")
	}
	for region := range gone {
		if err := t.checkGone(region); err != nil {
			return err
		}
	}
	for region := range gone {
		d.removeReplica(t, region)
	}
	t.group.witness = ""
	return nil
}

// agrees says whether the table's Region is in the majority of a strongly
// consistent table's Regions; of any other table it needn't be.
func (d *DynamoDB) agrees(t *table) error {
	if !t.strong() || (len(t.group.replicas) == 1 && t.group.witness == "") {
		return nil
	}
	regions := slices.Collect(maps.Keys(t.group.replicas))
	if t.group.witness != "" {
		regions = append(regions, t.group.witness)
	}
	reached := 0
	for _, region := range regions {
		if region == t.region || d.world.Reachable(t.region, region) {
			reached++
		}
	}
	if 2*reached > len(regions) {
		return nil
	}
	return wire.Errorf(http.StatusInternalServerError, dynamodb.ErrCodeInternalServerError, "The request can't be agreed on with the other Regions")
}

// spread writes to the replicas of a strongly consistent table that can be
// reached, before the write is acknowledged; the others catch up when they can be.
func (d *DynamoDB) spread(t *table, key string, r record) {
	for region := range t.group.replicas {
		switch {
		case region == t.region:
		case d.world.Reachable(t.region, region):
			d.receive(region, pending{table: t.name, key: key, record: r})
		default:
			d.send(link{t.region, region}, pending{table: t.name, key: key, record: r})
		}
	}
}

// addConsistency tells what version 1's shapes can't say about a global table.
func (t *table) addConsistency(c *wire.Call, member string) {
	if t.group == nil {
		return
	}
	newer := map[string]any{"MultiRegionConsistency": eventual}
	if t.strong() {
		newer["MultiRegionConsistency"] = strongly
		newer["GlobalTableWitnesses"] = []any{}
		if t.group.witness != "" {
			newer["GlobalTableWitnesses"] = []any{map[string]any{"RegionName": t.group.witness, "WitnessStatus": "ACTIVE"}}
		}
	}
	c.AddNewer(newer, member)
}
