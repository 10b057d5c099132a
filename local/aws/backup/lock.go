package backup

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"

	"lifeline/local/aws/wire"
)

// Limits of a vault lock.
const (
	coolingOff   = 3     // days that a compliance lock can at least be taken back
	mostDays     = 36500 // of any retention
	day          = 24 * time.Hour
	forEverDays  = 1 << 40 // retention "always", longer than any
	defaultStart = 8 * time.Hour
	defaultEnd   = 7 * day
)

// lock is a vault lock: governance without a date, compliance with one, on and
// after which nobody can change it.
type lock struct {
	low, high *int64 // days; nil = unbounded
	date      *time.Time
}

// final tells whether the lock can't be changed any more.
func (l *lock) final(now time.Time) bool { return l != nil && l.date != nil && !now.Before(*l.date) }

func (b *Backup) putBackupVaultLockConfiguration(c *wire.Call, in *sdk.PutBackupVaultLockConfigurationInput) (*sdk.PutBackupVaultLockConfigurationOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	if err := checkLock(in); err != nil {
		return nil, err
	}
	now := b.world.Now()
	if v.lock.final(now) {
		return nil, refused("The vault lock of %s is in compliance mode since %s and cannot be changed", v.name, stamp(*v.lock.date))
	}
	l := &lock{low: in.MinRetentionDays, high: in.MaxRetentionDays}
	if in.ChangeableForDays != nil {
		l.date = aws.Time(now.Add(b.world.Wall(time.Duration(*in.ChangeableForDays) * day)))
	}
	v.lock = l
	b.vaultChanged(v, "MODIFIED")
	return &sdk.PutBackupVaultLockConfigurationOutput{}, nil
}

func checkLock(in *sdk.PutBackupVaultLockConfigurationInput) error {
	low, high, change := in.MinRetentionDays, in.MaxRetentionDays, in.ChangeableForDays
	switch {
	case change != nil && (*change < coolingOff || *change > mostDays):
		return invalid("ChangeableForDays must be between %d and %d, not %d", coolingOff, mostDays, *change)
	case low != nil && (*low < 1 || *low > mostDays):
		return invalid("MinRetentionDays must be between 1 and %d, not %d", mostDays, *low)
	case high != nil && (*high < 1 || *high > mostDays):
		return invalid("MaxRetentionDays must be between 1 and %d, not %d", mostDays, *high)
	case low != nil && high != nil && *low > *high:
		return invalid("MinRetentionDays %d is greater than MaxRetentionDays %d", *low, *high)
	}
	return nil
}

func (b *Backup) deleteBackupVaultLockConfiguration(c *wire.Call, in *sdk.DeleteBackupVaultLockConfigurationInput) (*sdk.DeleteBackupVaultLockConfigurationOutput, error) {
	b.mu.Lock()
	defer b.release()
	v, err := b.in(c.Region).vault(in.BackupVaultName)
	if err != nil {
		return nil, err
	}
	if v.lock.final(b.world.Now()) {
		return nil, refused("The vault lock of %s is in compliance mode since %s and cannot be deleted", v.name, stamp(*v.lock.date))
	}
	if v.lock != nil {
		v.lock = nil
		b.vaultChanged(v, "MODIFIED")
	}
	return &sdk.DeleteBackupVaultLockConfigurationOutput{}, nil
}

// rejects says why the lock lets no recovery point with such a lifecycle in;
// empty when it does.
func (l *lock) rejects(life *sdk.Lifecycle) string {
	if l == nil {
		return ""
	}
	days := retention(life)
	switch {
	case l.low != nil && days < *l.low:
		return fmt.Sprintf("the retention period of %d days is shorter than the minimum retention of %d days of the locked backup vault", days, *l.low)
	case l.high != nil && days == forEverDays:
		return fmt.Sprintf("the retention period is always, longer than the maximum retention of %d days of the locked backup vault", *l.high)
	case l.high != nil && days > *l.high:
		return fmt.Sprintf("the retention period of %d days is longer than the maximum retention of %d days of the locked backup vault", days, *l.high)
	default:
		return ""
	}
}

// retention is a lifecycle's, in days.
func retention(life *sdk.Lifecycle) int64 {
	if life == nil || life.DeleteAfterDays == nil || *life.DeleteAfterDays < 0 {
		return forEverDays
	}
	return *life.DeleteAfterDays
}
