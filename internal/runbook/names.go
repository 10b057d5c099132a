package runbook

// Name is a runbook.
type Name string

// Runbooks that move a Region. They share one lock for each application.
const (
	Failover   Name = "failover"   // emergency: recover without help from the Region that is left
	Switchover Name = "switchover" // planned: both Regions healthy, nothing lost
	Failback   Name = "failback"   // planned: the way home after a failover
)

// Runbooks that move nothing. They never hold the application's lock: an
// emergency must not wait for them.
const (
	Setup     Name = "setup"     // builds what recovery relies on, and keeps it so
	Readiness Name = "readiness" // would a failover work now?
)

// Moves says that the runbook moves a Region, so that it names two of them.
func (n Name) Moves() bool { return n == Failover || n == Switchover || n == Failback }

// Class says under which rules a runbook's steps stand.
type Class string

// Classes. An emergency runbook may neither touch a global control plane nor
// depend on the suspect Region.
const (
	Emergency Class = "emergency"
	Planned   Class = "planned"
)

// Class is the class of a runbook.
func (n Name) Class() Class {
	if n == Failover {
		return Emergency
	}
	return Planned
}

// Stage is a named phase of a runbook.
type Stage string

// Stages, in the words that status, report and approvals use.
const (
	Assess     Stage = "assess"     // read the world; nothing is changed
	Freeze     Stage = "freeze"     // stop automation that would work against the runbook
	Prescale   Stage = "prescale"   // room in the surviving Region
	Decide     Stage = "decide"     // may traffic leave?
	Fence      Stage = "fence"      // nobody writes in the Region that is left
	Shift      Stage = "shift"      // traffic leaves the Region
	Approve    Stage = "approve"    // people allow the one-way step
	Promote    Stage = "promote"    // the other Region becomes the writer: no way back
	Verify     Stage = "verify"     // business transactions and DNS answers prove service
	Commit     Stage = "commit"     // watch real transactions before calling it done
	Precheck   Stage = "precheck"   // is the origin fit to come home to?
	Reprotect  Stage = "reprotect"  // replication runs again in both directions
	Catchup    Stage = "catchup"    // replication has caught up
	Switchdata Stage = "switchdata" // planned change of the writer, nothing lost
	Return     Stage = "return"     // traffic comes home, location by location
	Release    Stage = "release"    // fences and freezes are taken away, last
	Survey     Stage = "survey"     // read everything that setup keeps, and compare
	Build      Stage = "build"      // make and change what differs, each thing after what it needs
)

// Status is where a run stands.
type Status string

// Statuses of a run.
const (
	Running  Status = "running"
	Waiting  Status = "waiting"  // for people
	Paused   Status = "paused"   // by a person
	Held     Status = "held"     // by a gate, until the world or a person changes
	Done     Status = "done"     // promise kept
	Failed   Status = "failed"   // undone as far as possible; see Left
	Refused  Status = "refused"  // by a gate, nothing was changed
	Aborted  Status = "aborted"  // by a person, undone
	Stopped  Status = "stopped"  // after a one-way stage: only forward or Failback
	Reverted Status = "reverted" // the commit window saw bad results and took traffic back
)

// Final reports whether a run with this status has ended.
func (s Status) Final() bool {
	switch s {
	case Running, Waiting, Paused, Held:
		return false
	case Done, Failed, Refused, Aborted, Stopped, Reverted:
		return true
	}
	return false
}

// FenceResult is the three-valued answer to "can anyone still write there?".
type FenceResult string

// Fence results. Promotion after Unconfirmed needs an explicit acknowledgement.
const (
	FenceConfirmed   FenceResult = "CONFIRMED"
	FenceUnconfirmed FenceResult = "UNCONFIRMED"
	FenceNotNeeded   FenceResult = "NOT_NEEDED"
)
