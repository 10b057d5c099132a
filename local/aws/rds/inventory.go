package rds

import (
	"maps"
	"strconv"
	"strings"
)

// Stored is a DB instance or a cluster as a service sees it that looks after what
// is stored.
type Stored struct {
	ARN, ID, Engine string
	Cluster         bool
	Key             string // ARN of the key; empty when it isn't encrypted
	Tags            map[string]string
	Gigabytes       int64
	OptionGroup     string            // of an instance, unless it is a default one
	Maintenance     string            // weekly window of an instance, "ddd:hh:mm-ddd:hh:mm" in UTC
	Settings        map[string]string // by the names of the API's members
}

// Inventory are the clusters of a Region and the instances that belong to none,
// as far as they are there and not going.
func (r *RDS) Inventory(region string) []Stored {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Stored
	for at, i := range r.instances {
		if at.region != region || i.cluster != nil || i.status == statusCreating || i.status == statusDeleting {
			continue
		}
		out = append(out, Stored{
			ARN: r.arn(region, "db", i.id), ID: i.id, Engine: i.engine, Key: r.keyOf(region, i.encrypted, i.key), Tags: maps.Clone(i.tags), Gigabytes: i.storage,
			OptionGroup: customOptions(i.options), Maintenance: i.maintenance,
			Settings: map[string]string{
				"DBInstanceIdentifier": i.id, "DBInstanceClass": i.class, "Engine": i.engine, "EngineVersion": i.version,
				"DBSubnetGroupName": i.subnetGroup, "MultiAZ": strconv.FormatBool(i.multiAZ), "Port": strconv.FormatInt(i.port, 10),
			},
		})
	}
	for at, c := range r.clusters {
		if at.region != region || c.status == statusCreating || c.status == statusDeleting {
			continue
		}
		out = append(out, Stored{
			ARN: r.arn(region, "cluster", c.id), ID: c.id, Engine: c.engine, Cluster: true, Key: r.keyOf(region, c.encrypted, c.key), Tags: maps.Clone(c.tags),
			Settings: map[string]string{
				"DBClusterIdentifier": c.id, "Engine": c.engine, "EngineVersion": c.version,
				"DBSubnetGroupName": c.subnetGroup, "Port": strconv.FormatInt(c.port, 10),
			},
		})
	}
	return out
}

// HasOptionGroup tells whether a Region has an option group of that name.
func (r *RDS) HasOptionGroup(region, name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.findOptionGroup(region, &name)
	return err == nil
}

// customOptions is an option group's name, unless it is one that every Region has.
func customOptions(name string) string {
	if strings.HasPrefix(name, "default:") {
		return ""
	}
	return name
}

// keyOf is the ARN of the key of what is encrypted, AWS's own where none is named.
func (r *RDS) keyOf(region string, encrypted bool, key string) string {
	switch {
	case !encrypted:
		return ""
	case key == "":
		return "arn:aws:kms:" + region + ":" + r.world.Account() + ":alias/aws/rds"
	default:
		return key
	}
}
