package kms

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"
	"github.com/google/uuid"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

// key is a KMS key of one Region.
type key struct {
	id, arn, region string
	service         string // of the AWS managed key, such as s3; "" is a customer's
	description     string
	state           string
	created         time.Time
	policy          string
	document        policy.Document // policy, taken apart
	tags            map[string]string
	*family
	window   int64     // days of a deletion that is scheduled
	deletion time.Time // zero before the window runs
	schedule int       // counts deletions, so that a timer knows its own
}

// family is what the replicas of a multi-Region key share. A single-Region key is
// a family of its own.
type family struct {
	multi    bool
	primary  string          // Region
	members  map[string]*key // by Region
	backing  [][]byte        // AES-256 keys, oldest first; the last one encrypts
	rotation rotation
}

// CreateKey makes a symmetric encryption key.
func (k *KMS) CreateKey(c *wire.Call, in *sdk.CreateKeyInput) (*sdk.CreateKeyOutput, error) {
	if err := checkKind(in); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	id := uuid.NewString()
	if aws.BoolValue(in.MultiRegion) {
		id = "mrk-" + strings.ReplaceAll(id, "-", "")
	}
	made := k.build(c.Region, id, &family{multi: aws.BoolValue(in.MultiRegion), primary: c.Region, members: map[string]*key{}})
	made.description = aws.StringValue(in.Description)
	if err := k.setPolicy(c, made, in.Policy, aws.BoolValue(in.BypassPolicyLockoutSafetyCheck)); err != nil {
		return nil, err
	}
	if err := setTags(made.tags, in.Tags); err != nil {
		return nil, err
	}
	made.rotate()
	k.add(made)
	return &sdk.CreateKeyOutput{KeyMetadata: k.metadata(made)}, nil
}

// checkKind refuses every kind of key but the one that is simulated.
func checkKind(in *sdk.CreateKeyInput) error {
	spec, usage := aws.StringValue(in.KeySpec), aws.StringValue(in.KeyUsage)
	if in.KeySpec == nil {
		spec = aws.StringValue(in.CustomerMasterKeySpec)
	}
	switch origin := aws.StringValue(in.Origin); {
	case origin != "" && origin != sdk.OriginTypeAwsKms, in.CustomKeyStoreId != nil, in.XksKeyId != nil:
		return refuse(sdk.ErrCodeUnsupportedOperationException, "Keys of origin %s are not simulated", origin)
	case spec != "" && spec != sdk.KeySpecSymmetricDefault:
		return refuse(sdk.ErrCodeUnsupportedOperationException, "Keys of spec %s are not simulated", spec)
	case usage != "" && usage != sdk.KeyUsageTypeEncryptDecrypt:
		return wire.Invalid("KeyUsage %s is not compatible with KeySpec %s", usage, sdk.KeySpecSymmetricDefault)
	}
	return nil
}

// build makes a key that isn't in the service yet.
func (k *KMS) build(region, id string, of *family) *key {
	return &key{
		id: id, arn: k.arn(region, "key/"+id), region: region, state: sdk.KeyStateEnabled, created: k.now(),
		tags: map[string]string{}, family: of,
	}
}

func (k *KMS) add(made *key) {
	made.members[made.region] = made
	k.keys[place{made.region, made.id}] = made
}

func (k *KMS) metadata(of *key) *sdk.KeyMetadata {
	manager := sdk.KeyManagerTypeCustomer
	if of.service != "" {
		manager = sdk.KeyManagerTypeAws
	}
	out := &sdk.KeyMetadata{
		AWSAccountId: aws.String(k.world.Account()), Arn: aws.String(of.arn), KeyId: aws.String(of.id), CreationDate: aws.Time(of.created),
		Description: aws.String(of.description), Enabled: aws.Bool(of.in(usable()...) == nil), KeyManager: aws.String(manager), KeyState: aws.String(of.state),
		KeySpec: aws.String(sdk.KeySpecSymmetricDefault), CustomerMasterKeySpec: aws.String(sdk.CustomerMasterKeySpecSymmetricDefault),
		KeyUsage: aws.String(sdk.KeyUsageTypeEncryptDecrypt), Origin: aws.String(sdk.OriginTypeAwsKms),
		EncryptionAlgorithms: aws.StringSlice([]string{sdk.EncryptionAlgorithmSpecSymmetricDefault}), MultiRegion: aws.Bool(of.multi),
	}
	if of.state == sdk.KeyStatePendingReplicaDeletion {
		out.PendingDeletionWindowInDays = aws.Int64(of.window)
	}
	if !of.deletion.IsZero() {
		out.DeletionDate = aws.Time(of.deletion)
	}
	if of.multi {
		out.MultiRegionConfiguration = of.relatives()
	}
	return out
}

// DescribeKey tells about a key.
func (k *KMS) DescribeKey(c *wire.Call, in *sdk.DescribeKeyInput) (*sdk.DescribeKeyOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeKeyOutput{KeyMetadata: k.metadata(found)}, nil
}

// ListKeys lists the Region's keys.
func (k *KMS) ListKeys(c *wire.Call, in *sdk.ListKeysInput) (*sdk.ListKeysOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*sdk.KeyListEntry
	for at, found := range k.keys {
		if at.region == c.Region {
			all = append(all, &sdk.KeyListEntry{KeyId: aws.String(found.id), KeyArn: aws.String(found.arn)})
		}
	}
	keys, next, more, err := page(in.Marker, in.Limit, 1000, all, func(e *sdk.KeyListEntry) string { return *e.KeyId })
	return &sdk.ListKeysOutput{Keys: keys, NextMarker: next, Truncated: more}, err
}

// UpdateKeyDescription changes a key's description.
func (k *KMS) UpdateKeyDescription(c *wire.Call, in *sdk.UpdateKeyDescriptionInput) (*sdk.UpdateKeyDescriptionOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId, present()...)
	if err == nil {
		found.description = *in.Description
	}
	return nil, err
}

// EnableKey lets a key be used again.
func (k *KMS) EnableKey(c *wire.Call, in *sdk.EnableKeyInput) (*sdk.EnableKeyOutput, error) {
	return nil, k.toggle(c, in.KeyId, sdk.KeyStateEnabled)
}

// DisableKey keeps a key from being used.
func (k *KMS) DisableKey(c *wire.Call, in *sdk.DisableKeyInput) (*sdk.DisableKeyOutput, error) {
	return nil, k.toggle(c, in.KeyId, sdk.KeyStateDisabled)
}

func (k *KMS) toggle(c *wire.Call, ref *string, state string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, ref, sdk.KeyStateEnabled, sdk.KeyStateDisabled)
	if err == nil {
		found.state = state
	}
	return err
}
