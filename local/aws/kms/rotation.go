package kms

import (
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/wire"
)

const yearly = 365 // days: the default period

// rotation is whether and when the key material changes.
type rotation struct {
	on   bool
	days int64
	next time.Time
	turn int // counts what was asked, so that a timer knows its own
}

// rotate makes new key material, with which everything is encrypted from now on.
func (f *family) rotate() {
	var material [32]byte
	_, _ = rand.Read(material[:]) // never fails; it ends the program instead
	f.backing = append(f.backing, material[:])
}

// EnableKeyRotation changes the key material each year, or as often as is asked.
func (k *KMS) EnableKeyRotation(c *wire.Call, in *sdk.EnableKeyRotationInput) (*sdk.EnableKeyRotationOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.turning(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	days := int64(yearly)
	if in.RotationPeriodInDays != nil {
		days = *in.RotationPeriodInDays
	}
	found.rotation = rotation{on: true, days: days, turn: found.rotation.turn + 1}
	k.plan(found)
	return nil, nil
}

// turning gives a key whose rotation may be changed: the primary of a family.
func (k *KMS) turning(c *wire.Call, ref *string) (*key, error) {
	found, err := k.open(c, ref, usable()...)
	if err == nil && found.primary != found.region {
		return nil, refuse(sdk.ErrCodeUnsupportedOperationException, "%s is a replica key: its rotation is that of the primary key", found.arn)
	}
	return found, err
}

// plan sets the timer of the next rotation; k.mu is held.
func (k *KMS) plan(of *key) {
	wait := time.Duration(of.rotation.days) * day
	of.rotation.next = k.due(wait)
	turn := of.rotation.turn
	k.world.After(wait, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if of.rotation.turn != turn || !of.rotation.on || len(of.members) == 0 {
			return
		}
		if of.in(usable()...) == nil { // a disabled key isn't rotated
			of.rotate()
		}
		k.plan(of)
	})
}

// DisableKeyRotation keeps the key material as it is.
func (k *KMS) DisableKeyRotation(c *wire.Call, in *sdk.DisableKeyRotationInput) (*sdk.DisableKeyRotationOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.turning(c, in.KeyId)
	if err == nil {
		found.rotation = rotation{turn: found.rotation.turn + 1}
	}
	return nil, err
}

// GetKeyRotationStatus tells whether and when the key material changes.
func (k *KMS) GetKeyRotationStatus(c *wire.Call, in *sdk.GetKeyRotationStatusInput) (*sdk.GetKeyRotationStatusOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	found, err := k.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetKeyRotationStatusOutput{KeyId: aws.String(found.arn), KeyRotationEnabled: aws.Bool(false)}
	if found.rotation.on && found.in(present()...) == nil {
		out.KeyRotationEnabled, out.RotationPeriodInDays = aws.Bool(true), aws.Int64(found.rotation.days)
		out.NextRotationDate = aws.Time(found.rotation.next)
	}
	return out, nil
}
