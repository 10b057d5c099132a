package backup

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// awsKey is the key that AWS manages for AWS Backup in each Region.
const awsKey = "alias/aws/backup"

// managedKey is the ARN of the Region's AWS managed key for backups.
func (b *Backup) managedKey(region string) string {
	if b.options.Keys != nil {
		if arn, ok := b.options.Keys.Usable(region, awsKey); ok {
			return arn
		}
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(awsKey+"/"+region))
	return fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, b.world.Account(), id)
}

// vaultKey is the key of a new vault: the named one, or AWS's own.
func (b *Backup) vaultKey(region string, ref *string) (string, error) {
	if ref == nil || *ref == "" {
		return b.managedKey(region), nil
	}
	pattern := fmt.Sprintf(`^arn:aws:kms:%s:\d{12}:(key|alias)/.+$`, regexp.QuoteMeta(region))
	if !regexp.MustCompile(pattern).MatchString(*ref) {
		return "", invalid("The KMS key %s is not an ARN of a key in Region %s", *ref, region)
	}
	if b.options.Keys == nil {
		return *ref, nil
	}
	arn, ok := b.options.Keys.Usable(region, *ref)
	if !ok {
		return "", invalid("The KMS key %s does not exist or cannot be used", *ref)
	}
	return arn, nil
}

// keyIsAWSs tells whether a vault is encrypted with the key that AWS manages.
func (b *Backup) keyIsAWSs(v *vault) bool {
	if b.options.Keys != nil && b.options.Keys.Managed(v.region.name, v.key) {
		return true
	}
	return v.key == b.managedKey(v.region.name) || strings.HasSuffix(v.key, ":"+awsKey)
}

// shut says why a vault's key lets nothing in or out; empty when it does.
func (b *Backup) shut(v *vault) string {
	if b.options.Keys == nil {
		return ""
	}
	if _, ok := b.options.Keys.Usable(v.region.name, v.key); ok {
		return ""
	}
	return fmt.Sprintf("the KMS key %s of backup vault %s is not accessible", v.key, v.name)
}
