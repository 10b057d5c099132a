package backup

import (
	"slices"
	"strings"
)

// kind is what AWS Backup can do with a type of resource, from the tables
// "Feature availability by resource" of its developer guide.
type kind struct {
	name       string
	managed    bool // full management: points are encrypted with the vault's key
	cold       bool // can move to cold storage
	continuous bool // can be backed up continuously
	strict     bool // needs opt-in however it was selected
	optedIn    bool // by default
	restoring  []string
}

// kinds are the types that AWS Backup supports, with the metadata without which
// a restore job of the type isn't accepted.
func kinds() []kind {
	return []kind{
		{name: "Aurora", continuous: true, strict: true, optedIn: true, restoring: []string{"DBClusterIdentifier", "Engine"}},
		{name: "CloudFormation", managed: true, cold: true},
		{name: "DocumentDB", strict: true, restoring: []string{"DBClusterIdentifier", "Engine"}},
		{name: "DynamoDB", cold: true, optedIn: true, restoring: []string{"targetTableName"}},
		{name: "EBS", cold: true, optedIn: true, restoring: []string{"availabilityZone"}},
		{name: "EC2", optedIn: true, restoring: []string{"InstanceType", "SubnetId"}},
		{name: "EFS", managed: true, cold: true, optedIn: true, restoring: []string{"file-system-id", "newFileSystem"}},
		{name: "FSx"},
		{name: "Neptune", strict: true, restoring: []string{"DBClusterIdentifier", "Engine"}},
		{name: "RDS", continuous: true, optedIn: true, restoring: []string{"DBInstanceIdentifier"}},
		{name: "Redshift"},
		{name: "S3", managed: true, continuous: true, restoring: []string{"DestinationBucketName"}},
		{name: "SAP HANA on Amazon EC2", managed: true, cold: true, continuous: true},
		{name: "Storage Gateway", optedIn: true},
		{name: "Timestream", managed: true, cold: true},
		{name: "VirtualMachine", managed: true, cold: true},
	}
}

// kindOf gives the facts of a type by its name.
func kindOf(name string) (kind, bool) {
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.name == name })
	if i < 0 {
		return kind{}, false
	}
	return all[i], true
}

// typeOf reads the type off an ARN; empty for what AWS Backup doesn't know.
func typeOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return ""
	}
	for _, t := range []struct{ service, prefix, name string }{
		{"dynamodb", "table/", "DynamoDB"},
		{"rds", "db:", "RDS"},
		{"rds", "cluster:", "Aurora"},
		{"s3", "", "S3"},
		{"ec2", "instance/", "EC2"},
		{"ec2", "volume/", "EBS"},
		{"elasticfilesystem", "file-system/", "EFS"},
		{"fsx", "file-system/", "FSx"},
		{"redshift", "cluster:", "Redshift"},
		{"storagegateway", "gateway/", "Storage Gateway"},
		{"timestream", "database/", "Timestream"},
		{"cloudformation", "stack/", "CloudFormation"},
		{"backup-gateway", "vm/", "VirtualMachine"},
	} {
		if parts[2] == t.service && strings.HasPrefix(parts[5], t.prefix) {
			return t.name
		}
	}
	return ""
}

// managed tells whether AWS Backup manages a type fully in a Region: DynamoDB
// only with its advanced features.
func (r *region) managed(name string) bool {
	k, _ := kindOf(name)
	return k.managed || (name == "DynamoDB" && r.settings.management["DynamoDB"])
}

// chills tells whether points of a type move to cold storage there; where they
// can't, AWS ignores the setting without a word.
func (r *region) chills(name string, archive bool) bool {
	k, _ := kindOf(name)
	switch name {
	case "DynamoDB":
		return r.settings.management["DynamoDB"]
	case "EBS":
		return archive
	default:
		return k.cold
	}
}
