package kms

import (
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/kms"

	"lifeline/local/aws/wire"
)

// What AWS documents for the waiting period of a deletion, in days.
const (
	leastWindow   = 7
	mostWindow    = 30
	defaultWindow = 30
	day           = 24 * time.Hour
)

// ScheduleKeyDeletion begins the waiting period after which a key is gone. The
// primary of a multi-Region key waits for its last replica first.
func (k *KMS) ScheduleKeyDeletion(c *wire.Call, in *sdk.ScheduleKeyDeletionInput) (*sdk.ScheduleKeyDeletionOutput, error) {
	window := int64(defaultWindow)
	if in.PendingWindowInDays != nil {
		window = *in.PendingWindowInDays
	}
	if window < leastWindow || window > mostWindow {
		return nil, wire.Invalid("PendingWindowInDays must be between %d and %d", leastWindow, mostWindow)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	doomed, err := k.open(c, in.KeyId, present()...)
	if err != nil {
		return nil, err
	}
	doomed.window = window
	if doomed.primary == doomed.region && len(doomed.members) > 1 {
		doomed.state = sdk.KeyStatePendingReplicaDeletion
	} else {
		k.doom(doomed)
	}
	out := &sdk.ScheduleKeyDeletionOutput{
		KeyId: aws.String(doomed.arn), KeyState: aws.String(doomed.state), PendingWindowInDays: aws.Int64(window),
	}
	if !doomed.deletion.IsZero() {
		out.DeletionDate = aws.Time(doomed.deletion)
	}
	return out, nil
}

// doom starts the waiting period; k.mu is held.
func (k *KMS) doom(doomed *key) {
	wait := time.Duration(doomed.window) * day
	doomed.state, doomed.deletion = sdk.KeyStatePendingDeletion, k.due(wait)
	doomed.schedule++
	mine := doomed.schedule
	k.world.After(wait, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if doomed.state == sdk.KeyStatePendingDeletion && doomed.schedule == mine {
			k.remove(doomed)
		}
	})
}

// remove ends a key with its aliases, and the waiting of a primary for it.
func (k *KMS) remove(gone *key) {
	delete(k.keys, place{gone.region, gone.id})
	for at, a := range k.aliases {
		if at.region == gone.region && a.key == gone {
			delete(k.aliases, at)
		}
	}
	delete(gone.members, gone.region)
	if first := gone.members[gone.primary]; first != nil && len(gone.members) == 1 && first.state == sdk.KeyStatePendingReplicaDeletion {
		k.doom(first)
	}
}

// CancelKeyDeletion keeps a key, which is disabled then.
func (k *KMS) CancelKeyDeletion(c *wire.Call, in *sdk.CancelKeyDeletionInput) (*sdk.CancelKeyDeletionOutput, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept, err := k.open(c, in.KeyId)
	if err != nil {
		return nil, err
	}
	if kept.state != sdk.KeyStatePendingDeletion && kept.state != sdk.KeyStatePendingReplicaDeletion {
		return nil, refuse(sdk.ErrCodeInvalidStateException, "%s is not pending deletion.", kept.arn)
	}
	kept.state, kept.deletion, kept.window = sdk.KeyStateDisabled, time.Time{}, 0
	return &sdk.CancelKeyDeletionOutput{KeyId: aws.String(kept.arn)}, nil
}
