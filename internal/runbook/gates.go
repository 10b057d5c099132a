package runbook

import (
	"fmt"
	"slices"
	"time"

	"lifeline/internal/plan"
)

// Sighting is what one observer has seen of each Region.
type Sighting struct {
	Observer string                     `json:"observer"`
	Stands   plan.Region                `json:"stands"` // where the observer is
	Regions  map[plan.Region]RegionView `json:"regions"`
}

// RegionView is one observer's view of one Region.
type RegionView struct {
	Healthy bool      `json:"healthy"`
	Rounds  int       `json:"rounds"` // consecutive looks with this result
	Since   time.Time `json:"since"`  // start of the first of them
	Detail  string    `json:"detail,omitempty"`
}

// Finding is the verdict of all observers together.
type Finding string

// Findings. Only Lost lets an emergency runbook go on by itself.
const (
	Lost         Finding = "lost"          // the suspect is down, the survivor healthy
	Healthy      Finding = "healthy"       // the suspect is fine
	SurvivorSick Finding = "survivor-sick" // going there would not help
	BothDown     Finding = "both-down"     // our own network may be the problem
	Disagree     Finding = "disagree"      // no quorum either way
)

// Evidence is a finding and what it rests on.
type Evidence struct {
	Finding   Finding    `json:"finding"`
	At        time.Time  `json:"at"`
	Failure   time.Time  `json:"failure,omitzero"` // start of the first failed look of the quorum
	Down      int        `json:"down"`             // observers that see the suspect down
	Survivor  int        `json:"survivor"`         // of those, that see the survivor healthy
	Asked     int        `json:"asked"`            // observers that count
	Sightings []Sighting `json:"sightings"`
	Why       string     `json:"why"`
}

// Weigh judges sightings by k of n. Observers that stand in the suspect Region
// do not count, and one that has not seen the plan's number of rounds has no
// opinion yet. The survivor must be seen healthy by the same observers.
func Weigh(sightings []Sighting, rule plan.Observers, suspect, survivor plan.Region, now time.Time) Evidence {
	e := Evidence{At: now, Sightings: sightings}
	quorum := max(rule.Quorum, 1) // no observers are no evidence
	up, bothDown := 0, 0
	var since []time.Time
	for _, s := range sightings {
		if s.Stands == suspect {
			continue
		}
		e.Asked++
		view := s.Regions[suspect]
		if view.Rounds < rule.Rounds {
			continue
		}
		if view.Healthy {
			up++
			continue
		}
		e.Down++
		since = append(since, view.Since)
		switch other := s.Regions[survivor]; {
		case other.Rounds >= rule.Rounds && other.Healthy:
			e.Survivor++
		case other.Rounds >= rule.Rounds:
			bothDown++
		}
	}
	e.Finding = find(e, up, bothDown, quorum)
	e.Why = fmt.Sprintf("%d of %d observers see %s down for at least %d looks (%d needed); %d of them see %s healthy; %d see %s up",
		e.Down, e.Asked, suspect, rule.Rounds, quorum, e.Survivor, survivor, up, suspect)
	if e.Down >= quorum {
		e.Failure = quorumTime(since, quorum)
	}
	return e
}

func find(e Evidence, up, bothDown, quorum int) Finding {
	switch {
	case e.Down >= quorum && e.Survivor >= quorum:
		return Lost
	case e.Down >= quorum && bothDown >= quorum:
		return BothDown
	case e.Down >= quorum:
		return SurvivorSick
	case up >= quorum:
		return Healthy
	default:
		return Disagree
	}
}

// quorumTime is the moment from which a quorum saw the failure.
func quorumTime(since []time.Time, quorum int) time.Time {
	slices.SortFunc(since, time.Time.Compare)
	return since[quorum-1]
}

// Loss is the data-loss window of one resource, measured right before the
// one-way step.
type Loss struct {
	Resource  string        `json:"resource"`
	Known     bool          `json:"known"`
	Window    time.Duration `json:"window"`
	Objective time.Duration `json:"objective"`
	At        time.Time     `json:"at"`
	Evidence  string        `json:"evidence"`
}

// Exceeds reports whether people must name this loss. A window that could not
// be measured is not zero.
func (l Loss) Exceeds() bool { return !l.Known || l.Window > l.Objective }

// Risk is what the approvers must acknowledge.
func (l Loss) Risk() Risk {
	risk := Risk{Code: "data-loss:" + l.Resource}
	if !l.Known {
		risk.Text = fmt.Sprintf("the data loss of %s could not be measured; the objective is %s", l.Resource, l.Objective)
		return risk
	}
	risk.Loss = l.Window
	risk.Text = fmt.Sprintf("%s may lose the writes of the last %s; the objective is %s", l.Resource, l.Window.Round(time.Millisecond), l.Objective)
	return risk
}

// LayerResult is what one fence layer achieved.
type LayerResult struct {
	Resource string          `json:"resource"`
	Layer    plan.FenceLayer `json:"layer"`
	Result   FenceResult     `json:"result"`
	FreeAt   time.Time       `json:"free_at,omitzero"` // a lease is confirmed from then on
	Epoch    int64           `json:"epoch,omitempty"`  // of the lease
	Evidence string          `json:"evidence"`
}

// FenceVerdict joins the layers of one resource: one confirmed layer is enough,
// since each of them alone stops every write.
func FenceVerdict(layers []LayerResult, now time.Time) FenceResult {
	if len(layers) == 0 {
		return FenceNotNeeded
	}
	for _, l := range layers {
		if l.Result == FenceConfirmed && !l.FreeAt.After(now) {
			return FenceConfirmed
		}
	}
	return FenceUnconfirmed
}

// FenceRisk is what the approvers must acknowledge after an unconfirmed fence.
func FenceRisk(resource string, from plan.Region) Risk {
	return Risk{
		Code: "fence-unconfirmed:" + resource,
		Text: fmt.Sprintf("writers of %s in %s may still be at work: promoting now can split the data in two", resource, from),
	}
}

// CheckRules refuses a step that has no place in an emergency: one on a global
// control plane, or a call into the suspect Region that others wait for.
func CheckRules(class Class, s Step, suspect plan.Region) error {
	if class != Emergency {
		return nil
	}
	if s.Plane == GlobalControl {
		return fmt.Errorf("step %s depends on a global control plane, which may be dark with %s", s.Name, suspect)
	}
	if s.Region == string(suspect) && !s.BestEffort {
		return fmt.Errorf("step %s calls %s, the suspect Region, and is not best effort", s.Name, suspect)
	}
	return nil
}
