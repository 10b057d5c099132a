package sim

import (
	"strings"

	"lifeline/local/aws/backup"
	"lifeline/local/aws/dynamodb"
	"lifeline/local/aws/ec2"
	"lifeline/local/aws/rds"
	"lifeline/local/aws/s3"
)

const gigabyte = 1 << 30

// protectable lists for AWS Backup what can be backed up.
type protectable struct {
	account   string
	tables    *dynamodb.DynamoDB
	databases *rds.RDS
	buckets   *s3.S3
	instances *ec2.EC2
}

// Resources are the resources of a Region.
func (p protectable) Resources(region string) []backup.Resource {
	var out []backup.Resource
	for _, t := range p.tables.Inventory(region) {
		out = append(out, backup.Resource{ARN: t.ARN, Type: "DynamoDB", Name: t.Name, Tags: t.Tags, Size: t.Bytes})
	}
	for _, d := range p.databases.Inventory(region) {
		out = append(out, database(d))
	}
	for _, b := range p.buckets.Inventory(region) {
		one := backup.Resource{ARN: "arn:aws:s3:::" + b.Name, Type: "S3", Name: b.Name, Tags: b.Tags, Size: b.Bytes}
		if !b.Versioned {
			one.Unfit = "Versioning is not enabled on " + b.Name + " within account " + p.account
		}
		out = append(out, one)
	}
	for _, i := range p.instances.Inventory(region) {
		kind, noun := "EC2", "instance/"
		if i.Volume {
			kind, noun = "EBS", "volume/"
		}
		out = append(out, backup.Resource{
			ARN: "arn:aws:ec2:" + region + ":" + p.account + ":" + noun + i.ID, Type: kind, Name: i.ID, Tags: i.Tags,
			Size: i.Gigabytes * gigabyte, Key: i.Key, Metadata: i.Settings,
		})
	}
	return out
}

func database(d rds.Stored) backup.Resource {
	out := backup.Resource{
		ARN: d.ARN, Type: "RDS", Name: d.ID, Tags: d.Tags, Size: d.Gigabytes * gigabyte, Key: d.Key, Metadata: d.Settings,
		CustomOptionGroup: d.OptionGroup, Maintenance: d.Maintenance,
	}
	switch {
	case !d.Cluster:
	case strings.HasPrefix(d.Engine, "aurora"):
		out.Type = "Aurora"
	default:
		out.MultiAZCluster = true
	}
	return out
}
