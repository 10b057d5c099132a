package observe

import "time"

// look is one look at a Region. Its time is its start: a look that hangs has
// seen what it saw then.
type look struct {
	start   time.Time
	done    bool
	healthy bool
	detail  string
}

// run keeps the newest run of equal looks at one Region. Looks overlap and end
// in any order; they count in the order in which they started.
type run struct {
	settled Verdict // over all looks before the first that is unfinished
	tail    []*look // from the first unfinished look on
}

// begin notes that a look starts.
func (r *run) begin(at time.Time) *look {
	l := &look{start: at}
	r.tail = append(r.tail, l)
	return l
}

// finish notes what a look saw.
func (r *run) finish(l *look, healthy bool, detail string) {
	l.done, l.healthy, l.detail = true, healthy, detail
	for len(r.tail) > 0 && r.tail[0].done {
		r.settled = r.settled.after(r.tail[0])
		r.tail = r.tail[1:]
	}
}

// verdict is the run as far as looks have finished.
func (r *run) verdict() Verdict {
	v := r.settled
	for _, l := range r.tail {
		if l.done {
			v = v.after(l)
		}
	}
	return v
}

// after is the verdict with one more look.
func (v Verdict) after(l *look) Verdict {
	if v.Rounds == 0 || v.Healthy != l.healthy {
		return Verdict{Healthy: l.healthy, Rounds: 1, Since: l.start, Until: l.start, Detail: l.detail}
	}
	v.Rounds++
	v.Until, v.Detail = l.start, l.detail
	return v
}
