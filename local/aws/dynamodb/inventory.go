package dynamodb

import (
	"maps"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"
)

// Stored is a table as a service sees it that looks after what is stored.
type Stored struct {
	ARN, Name string
	Tags      map[string]string
	Bytes     int64
}

// Inventory are the tables of a Region, replicas of global tables too, that are
// there and not going.
func (d *DynamoDB) Inventory(region string) []Stored {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Stored
	for at, t := range d.tables {
		if at.region == region && t.status != dynamodb.TableStatusCreating && t.status != dynamodb.TableStatusDeleting {
			size := d.describe(t).TableSizeBytes
			out = append(out, Stored{ARN: d.arn(region, at.name), Name: at.name, Tags: maps.Clone(t.tags), Bytes: aws.Int64Value(size)})
		}
	}
	return out
}
