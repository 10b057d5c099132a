package backup

// Resource is something that can be backed up.
type Resource struct {
	ARN  string
	Type string // as AWS Backup names it: DynamoDB, RDS, Aurora, S3, EC2, EBS, ...
	Name string
	Tags map[string]string
	Size int64  // bytes
	Key  string // ARN of the key that encrypts it; empty when it isn't encrypted
	// CustomOptionGroup is the name of an RDS option group that isn't a default
	// one: a copy needs one of the same name at its destination.
	CustomOptionGroup string
	MultiAZCluster    bool // an RDS Multi-AZ DB cluster, which can't be copied
	// Maintenance is the weekly window of an RDS instance, "ddd:hh:mm-ddd:hh:mm"
	// in UTC; empty for none.
	Maintenance string
	// Unfit says why it can't be backed up as it is, for example a bucket without
	// versioning; empty when it can.
	Unfit string
	// Metadata describes its configuration, as GetRecoveryPointRestoreMetadata
	// gives it back.
	Metadata map[string]string
}

// Inventory says what exists in a Region now.
type Inventory interface {
	Resources(region string) []Resource
}

// Restore is what a restore job asks for.
type Restore struct {
	Region        string
	RecoveryPoint string // ARN
	Source        Resource
	Metadata      map[string]string
	Role          string
}

// Restorer makes the resource that a restore job is asked for and gives its ARN.
// The error's text becomes the message of the failed job.
type Restorer interface {
	Restore(r Restore) (createdARN string, err error)
}

// OptionGroups knows RDS option groups.
type OptionGroups interface {
	HasOptionGroup(region, name string) bool
}

// Metrics receives what AWS Backup publishes to CloudWatch.
type Metrics interface {
	Publish(region, namespace, name string, dimensions map[string]string, value float64)
}

// Events receives what AWS Backup sends to EventBridge.
type Events interface {
	Emit(region, source, detailType string, resources []string, detail map[string]any)
}

// Topics receives the notifications of vaults.
type Topics interface {
	Act(region, arn, subject, message string) error
}

// Keys knows KMS keys.
type Keys interface {
	Usable(region, keyRef string) (arn string, ok bool)
	Managed(region, keyRef string) bool // by AWS
}

// Roles knows whether a role lets a service take it.
type Roles interface {
	Trusts(roleARN, servicePrincipal string) bool
}

// find gives a resource of the inventory.
func (b *Backup) find(region, arn string) (Resource, bool) {
	for _, res := range b.resources(region) {
		if res.ARN == arn {
			return res, true
		}
	}
	return Resource{}, false
}

func (b *Backup) resources(region string) []Resource {
	if b.options.Inventory == nil {
		return nil
	}
	return b.options.Inventory.Resources(region)
}
