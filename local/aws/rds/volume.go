package rds

import (
	"maps"
	"slices"
	"time"
)

// commit is one acknowledged write of a volume.
type commit struct {
	lsn   int64
	key   string
	value string
	at    time.Time
	due   time.Time // when it arrives at a follower
}

// volume is a database's storage in one Region: the newest value of each key,
// and its place in the order of commits.
type volume struct {
	region    string
	data      map[string]string
	lsn       int64
	source    *volume // nil when this volume takes writes itself
	followers []*volume
	pending   []commit      // committed at the source, not yet here
	lag       time.Duration // measured on the last commit that arrived
	heard     time.Time     // when the source was last known to be in touch
}

func newVolume(region string) *volume {
	return &volume{region: region, data: map[string]string{}}
}

// write commits and sends to the followers. r.mu is held.
func (r *RDS) write(v *volume, key, value string) {
	v.lsn++
	v.data[key] = value
	now := r.world.Now()
	one := commit{lsn: v.lsn, key: key, value: value, at: now, due: now.Add(r.world.Wall(r.options.Lag))}
	for _, f := range v.followers {
		f.pending = append(f.pending, one)
		r.world.After(r.options.Lag, func() { r.arrive(f) })
	}
}

// arrive applies, in commit order, what is due at a follower. A commit that is
// not due holds back everything behind it: that is what keeps a prefix.
func (r *RDS) arrive(f *volume) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f.source == nil || !r.world.Reachable(f.source.region, f.region) {
		return // resume goes on after the heal
	}
	now := r.world.Now()
	for len(f.pending) > 0 && !f.pending[0].due.After(now) {
		f.apply(f.pending[0], now)
		f.pending = f.pending[1:]
	}
}

func (v *volume) apply(one commit, now time.Time) {
	v.lsn = one.lsn
	v.data[one.key] = one.value
	v.lag = now.Sub(one.at)
	v.heard = now
}

// resume sends what waited while two Regions could not reach each other; r.mu is held.
func (r *RDS) resume(f *volume) {
	if f.source == nil || len(f.pending) == 0 || !r.world.Reachable(f.source.region, f.region) {
		return
	}
	due := r.world.Now().Add(r.world.Wall(r.options.Lag))
	for i := range f.pending {
		f.pending[i].due = due
	}
	r.world.After(r.options.Lag, func() { r.arrive(f) })
}

// follow makes f a copy of source that receives its commits from now on.
func (v *volume) follow(source *volume, now time.Time) {
	v.leave()
	v.data = maps.Clone(source.data)
	v.lsn, v.source, v.pending, v.heard = source.lsn, source, nil, now
	source.followers = append(source.followers, v)
}

// leave stops following. What had not arrived stays away.
func (v *volume) leave() {
	if v.source != nil {
		v.source.followers = slices.DeleteFunc(v.source.followers, func(f *volume) bool { return f == v })
	}
	v.source, v.pending = nil, nil
}

// behind is how far a follower is behind its source, as far as it can know: the
// age of the oldest commit on its way, or the silence since the source was heard.
func (r *RDS) behind(f *volume) time.Duration {
	now := r.world.Now()
	if f.source != nil && r.world.Reachable(f.source.region, f.region) {
		f.heard = now
		if len(f.pending) > 0 {
			return max(f.lag, now.Sub(f.pending[0].at))
		}
		return f.lag
	}
	return max(f.lag, now.Sub(f.heard))
}
