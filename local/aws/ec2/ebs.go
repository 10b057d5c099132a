package ec2

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

// Keys tell which KMS keys there are.
type Keys interface {
	// Usable gives the ARN of the key that an id, an ARN or an alias names in a
	// Region; false when there is none or it can't encrypt.
	Usable(region, key string) (arn string, ok bool)
}

// Events receives what EBS tells EventBridge.
type Events interface {
	Emit(region, source, detailType string, resources []string, detail map[string]any)
}

// managedKey is the alias of the key that EBS makes for itself in each Region.
const managedKey = "alias/aws/ebs"

// disks is the EBS part of a Region.
type disks struct {
	volumes   store[volume]
	snapshots store[snapshot]
	tokens    map[string]string // client token -> volume
	encrypt   bool              // every new volume and copy, asked or not
	key       string            // as ModifyEbsDefaultKmsKeyId was given it; "" = managedKey
}

func (e *EC2) serveVolumes(s *wire.Service) {
	handle(s, "CreateVolume", e.CreateVolume)
	handle(s, "DescribeVolumes", e.DescribeVolumes)
	handle(s, "DeleteVolume", e.DeleteVolume)
	handle(s, "AttachVolume", e.AttachVolume)
	handle(s, "DetachVolume", e.DetachVolume)
	handle(s, "CreateSnapshot", e.CreateSnapshot)
	handle(s, "CreateSnapshots", e.CreateSnapshots)
	handle(s, "DescribeSnapshots", e.DescribeSnapshots)
	handle(s, "DeleteSnapshot", e.DeleteSnapshot)
	handle(s, "CopySnapshot", e.CopySnapshot)
	handle(s, "EnableEbsEncryptionByDefault", e.EnableEbsEncryptionByDefault)
	handle(s, "DisableEbsEncryptionByDefault", e.DisableEbsEncryptionByDefault)
	handle(s, "GetEbsEncryptionByDefault", e.GetEbsEncryptionByDefault)
	handle(s, "ModifyEbsDefaultKmsKeyId", e.ModifyEbsDefaultKmsKeyID)
	handle(s, "GetEbsDefaultKmsKeyId", e.GetEbsDefaultKmsKeyID)
	handle(s, "ResetEbsDefaultKmsKeyId", e.ResetEbsDefaultKmsKeyID)
}

// encryption is what a volume or a copy is to be encrypted with.
type encryption struct {
	on  bool
	key string // ARN, or the name that was asked for when the key can't be used
	bad bool   // the key can't be used: EBS notices after it has answered
}

// encryption works the defaults of the Region into a request; inherited says
// that the source is encrypted, which a copy can't undo.
func (e *EC2) encryption(r *region, asked *bool, key *string, inherited bool) (encryption, error) {
	if key != nil && !aws.BoolValue(asked) {
		return encryption{}, refuse("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
	}
	if !aws.BoolValue(asked) && !inherited && !r.disks.encrypt {
		return encryption{}, nil
	}
	name := aws.StringValue(key)
	if name == "" {
		name = e.defaultKey(r)
	}
	arn, ok := e.usable(r, name)
	return encryption{on: true, key: arn, bad: !ok}, nil
}

func (e *EC2) defaultKey(r *region) string {
	if r.disks.key != "" {
		return r.disks.key
	}
	return managedKey
}

// usable gives the ARN of a key of the Region. EBS's own key is always there;
// without a KMS every key is that names this Region or none.
func (e *EC2) usable(r *region, key string) (string, bool) {
	arn := key
	if !strings.HasPrefix(key, "arn:") {
		arn = fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", r.name, e.world.Account(), strings.TrimPrefix(key, "key/"))
	}
	managed := fmt.Sprintf("arn:aws:kms:%s:%s:key/00000000-0000-4000-8000-0000000000eb", r.name, e.world.Account())
	if key == managedKey {
		arn = managed
	}
	if e.keys != nil {
		if found, ok := e.keys.Usable(r.name, key); ok || arn != managed {
			return orElse(found, arn), ok
		}
	}
	return arn, strings.HasPrefix(arn, "arn:aws:kms:"+r.name+":")
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

// emit tells EventBridge how a volume or a snapshot fared; e.mu is held.
func (e *EC2) emit(r *region, detailType string, resource string, detail map[string]any) {
	if e.events == nil {
		return
	}
	name := r.name
	// Whoever listens may ask this service: they are told outside its lock.
	e.world.After(0, func() {
		e.events.Emit(name, "aws.ec2", detailType, []string{resource}, detail)
	})
}

// later runs fn under the lock after d of AWS time.
func (e *EC2) later(d time.Duration, fn func()) {
	e.world.After(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		fn()
	})
}

// EnableEbsEncryptionByDefault encrypts every volume made from now on.
func (e *EC2) EnableEbsEncryptionByDefault(c *wire.Call, _ *sdk.EnableEbsEncryptionByDefaultInput) (*sdk.EnableEbsEncryptionByDefaultOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.in(c.Region).disks.encrypt = true
	return &sdk.EnableEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(true)}, nil
}

// DisableEbsEncryptionByDefault encrypts only what is asked for.
func (e *EC2) DisableEbsEncryptionByDefault(c *wire.Call, _ *sdk.DisableEbsEncryptionByDefaultInput) (*sdk.DisableEbsEncryptionByDefaultOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.in(c.Region).disks.encrypt = false
	return &sdk.DisableEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(false)}, nil
}

// GetEbsEncryptionByDefault tells whether every new volume is encrypted.
func (e *EC2) GetEbsEncryptionByDefault(c *wire.Call, _ *sdk.GetEbsEncryptionByDefaultInput) (*sdk.GetEbsEncryptionByDefaultOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &sdk.GetEbsEncryptionByDefaultOutput{EbsEncryptionByDefault: aws.Bool(e.in(c.Region).disks.encrypt)}, nil
}

// ModifyEbsDefaultKmsKeyID changes the key of volumes that name none.
func (e *EC2) ModifyEbsDefaultKmsKeyID(c *wire.Call, in *sdk.ModifyEbsDefaultKmsKeyIdInput) (*sdk.ModifyEbsDefaultKmsKeyIdOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.in(c.Region)
	arn, ok := e.usable(r, aws.StringValue(in.KmsKeyId))
	if !ok {
		return nil, refuse("InvalidKmsKey.NotFound", "The specified KMS key %s does not exist or is not in this Region", aws.StringValue(in.KmsKeyId))
	}
	r.disks.key = arn
	return &sdk.ModifyEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String(arn)}, nil
}

// GetEbsDefaultKmsKeyID tells the key of volumes that name none.
func (e *EC2) GetEbsDefaultKmsKeyID(c *wire.Call, _ *sdk.GetEbsDefaultKmsKeyIdInput) (*sdk.GetEbsDefaultKmsKeyIdOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return &sdk.GetEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String(e.defaultKey(e.in(c.Region)))}, nil
}

// ResetEbsDefaultKmsKeyID goes back to the key that EBS makes for itself.
func (e *EC2) ResetEbsDefaultKmsKeyID(c *wire.Call, _ *sdk.ResetEbsDefaultKmsKeyIdInput) (*sdk.ResetEbsDefaultKmsKeyIdOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.in(c.Region).disks.key = ""
	return &sdk.ResetEbsDefaultKmsKeyIdOutput{KmsKeyId: aws.String(managedKey)}, nil
}
