package backup

import (
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/backup"
)

// age lets a point's lifecycle run, from its beginning; b.mu is held.
func (b *Backup) age(p *point) {
	p.turn++
	turn := p.turn
	if days, ok := b.chillsAfter(p); ok && !p.cold {
		b.due(p, turn, days, b.chill)
	}
	if days := retention(p.lifecycle); days != forEverDays {
		b.due(p, turn, days, func(p *point) { b.remove(p) })
	}
}

// due does something with a point once it is so many days old by AWS's calendar.
func (b *Backup) due(p *point, turn int, days int64, act func(*point)) {
	at := p.born.Add(time.Duration(days) * day)
	b.settle(b.calendar.until(at), func() {
		const slack = time.Second
		switch {
		case p.turn != turn || p.vault.points[p.arn] != p:
		case b.calendar.until(at) > slack:
			b.due(p, turn, days, act) // the world was slowed down meanwhile
		default:
			act(p)
		}
	})
}

// chillsAfter is after how many days a point moves to cold storage, if it does.
func (b *Backup) chillsAfter(p *point) (int64, bool) {
	if p.lifecycle == nil || p.lifecycle.MoveToColdStorageAfterDays == nil || p.continuous {
		return 0, false
	}
	archive := aws.BoolValue(p.lifecycle.OptInToArchiveForSupportedResources)
	return *p.lifecycle.MoveToColdStorageAfterDays, p.vault.region.chills(p.resource.Type, archive)
}

func (b *Backup) chill(p *point) {
	if p.status != sdk.RecoveryPointStatusCompleted {
		return
	}
	p.cold = true
	b.pointChanged(p, "NumberOfRecoveryPointsCold")
}

// remove deletes a point; until it is gone it is DELETING.
func (b *Backup) remove(p *point) {
	if p.status == sdk.RecoveryPointStatusDeleting {
		return
	}
	p.status = sdk.RecoveryPointStatusDeleting
	b.pointChanged(p, "NumberOfRecoveryPointsDeleting")
	b.settle(b.options.Times.Delete, func() {
		delete(p.vault.points, p.arn)
		delete(p.vault.region.tags, p.arn)
	})
}

// calculated are the dates of a lifecycle on the wall clock.
func (b *Backup) calculated(p *point) *sdk.CalculatedLifecycle {
	out := &sdk.CalculatedLifecycle{}
	if days, ok := b.chillsAfter(p); ok {
		out.MoveToColdStorageAt = aws.Time(b.wallDate(p, days))
	}
	if days := retention(p.lifecycle); days != forEverDays {
		out.DeleteAt = aws.Time(b.wallDate(p, days))
	}
	return out
}

// wallDate is when a point becomes so many days old. A continuous point stays
// young while its rule goes on.
func (b *Backup) wallDate(p *point, days int64) time.Time {
	if p.continuous {
		left := p.born.Add(time.Duration(days) * day).Sub(b.calendar.now())
		return b.world.Now().Add(b.world.Wall(left)).Truncate(time.Second)
	}
	return p.created.Add(b.world.Wall(time.Duration(days) * day))
}
