package runbook

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lifeline/internal/plan"
)

// Risk is something that an approver must name to allow it.
type Risk struct {
	Code string `json:"code"` // "fence-unconfirmed", "data-loss:billing"
	Text string `json:"text"`
	// Loss is the measured loss that the text names; zero where none was measured.
	Loss time.Duration `json:"loss,omitempty"`
}

// Irrevocable is the code of the risk that nobody can take back what is made.
const Irrevocable = "irrevocable"

// slack is how much a loss may grow after it was named. It is a factor, so that
// a window that grows while people think is asked for again a few times and not
// for ever.
const slack = 2

// Covers reports whether who acknowledged r has acknowledged now too: the same
// risk, and not much larger than was named. Who accepted a loss that could not
// be measured has accepted any; who accepted a measured one has not accepted one
// that can't be measured any more.
func (r Risk) Covers(now Risk) bool {
	if r.Code != now.Code {
		return false
	}
	return r.Loss == 0 || (now.Loss > 0 && now.Loss <= slack*r.Loss)
}

// Ballot is one request for approval and what was decided on it so far.
type Ballot struct {
	RunID     string     `json:"run_id"`
	Stage     Stage      `json:"stage"`
	Nonce     string     `json:"nonce"` // single use: a decision names it
	Question  string     `json:"question"`
	Risks     []Risk     `json:"risks,omitempty"`
	Quorum    int        `json:"quorum"`
	Asked     time.Time  `json:"asked"`
	Expires   time.Time  `json:"expires"`
	Escalated int        `json:"escalated,omitempty"` // how often silence was escalated
	Decisions []Decision `json:"decisions,omitempty"`
	Closed    time.Time  `json:"closed,omitzero"`
	Result    Result     `json:"result"`
}

// Result is how a ballot stands.
type Result string

// Results.
const (
	Open          Result = "open"
	Granted       Result = "granted"
	Rejected      Result = "rejected"
	Lapsed        Result = "lapsed"         // expired without a quorum; the plan says hold
	Preauthorised Result = "pre-authorised" // expired, and the plan's owner had allowed to proceed
	Withdrawn     Result = "withdrawn"      // the run was aborted meanwhile
)

// Decision is one approver's signed word on one ballot.
type Decision struct {
	By          string    `json:"by"`
	Approve     bool      `json:"approve"`
	RunID       string    `json:"run_id"`
	Stage       Stage     `json:"stage"`
	Nonce       string    `json:"nonce"`
	Acknowledge []string  `json:"acknowledge,omitempty"` // risk codes
	Comment     string    `json:"comment,omitempty"`
	Signature   string    `json:"signature"`
	Received    time.Time `json:"received,omitzero"` // set by the run
}

// Message is what the approver signs.
func (d Decision) Message(application string) string {
	return message("decision", application, d.RunID, string(d.Stage), d.Nonce, d.By,
		strconv.FormatBool(d.Approve), message("acknowledge", d.Acknowledge...), d.Comment)
}

// Why a decision is refused. A refused decision changes nothing.
var (
	ErrNothingAsked   = errors.New("no approval is being asked for")
	ErrOtherBallot    = errors.New("meant for another run, stage or request")
	ErrExpired        = errors.New("the request has expired")
	ErrStranger       = errors.New("not an approver of this plan")
	ErrStarter        = errors.New("who started the run can't approve it")
	ErrDuplicate      = errors.New("has decided already")
	ErrUnacknowledged = errors.New("a risk is not acknowledged")
	ErrNoQuorum       = errors.New("a quorum of approvers has not allowed it")
	ErrTooLong        = errors.New("the name or text is longer than people write")
)

// Bounds of what anybody may send, signed or not: a run keeps what it is told.
const (
	longestName = 100
	longestText = 1000
)

// Judge says whether a decision counts on this ballot. It is the one judge for
// Updates (as validator) and signals, and changes nothing.
func (b *Ballot) Judge(d Decision, p plan.Plan, starter string, now time.Time) error {
	if len(d.By) > longestName || len(d.Comment) > longestText {
		return ErrTooLong // and not a word of it: refusals are kept
	}
	if b == nil || b.Result != Open {
		return fmt.Errorf("decision by %q: %w", d.By, ErrNothingAsked)
	}
	if err := b.judge(d, p, starter, now); err != nil {
		return fmt.Errorf("decision by %q on %s: %w", d.By, b.Stage, err)
	}
	return nil
}

func (b *Ballot) judge(d Decision, p plan.Plan, starter string, now time.Time) error {
	if d.RunID != b.RunID || d.Stage != b.Stage || d.Nonce != b.Nonce {
		return ErrOtherBallot
	}
	if !now.Before(b.Expires) {
		return ErrExpired
	}
	i := slices.IndexFunc(p.Approvals.Approvers, func(a plan.Approver) bool { return a.Name == d.By })
	if i < 0 {
		return ErrStranger
	}
	if err := verify(p.Approvals.Approvers[i].PublicKey, d.Message(p.Application), d.Signature); err != nil {
		return err
	}
	if d.By == starter {
		return ErrStarter
	}
	if slices.ContainsFunc(b.Decisions, func(o Decision) bool { return o.By == d.By }) {
		return ErrDuplicate
	}
	if d.Approve {
		return b.unacknowledged(d)
	}
	return nil
}

func (b *Ballot) unacknowledged(d Decision) error {
	for _, r := range b.Risks {
		if !slices.Contains(d.Acknowledge, r.Code) {
			return fmt.Errorf("%w: %s (%s); acknowledge it with --acknowledge %s", ErrUnacknowledged, r.Code, r.Text, r.Code)
		}
	}
	return nil
}

// Count takes a decision that Judge has let pass. One rejection closes the
// ballot; so does the approval that completes the quorum.
func (b *Ballot) Count(d Decision, now time.Time) {
	d.Received = now
	b.Decisions = append(b.Decisions, d)
	if !d.Approve {
		b.close(Rejected, now)
		return
	}
	granted := 0
	for _, o := range b.Decisions {
		if o.Approve {
			granted++
		}
	}
	if granted >= max(b.Quorum, 1) {
		b.close(Granted, now)
	}
}

// Recount counts the signed decisions again, for whoever has only this ballot's
// word that a quorum of p's approvers allowed what the risks name. A ballot that
// others can write proves nothing by its result; its signatures do. It does not
// say when they were given.
func (b *Ballot) Recount(p plan.Plan, starter string, stage Stage, risks []Risk) error {
	if b == nil {
		return ErrNothingAsked
	}
	again := Ballot{
		RunID: b.RunID, Stage: stage, Nonce: b.Nonce, Risks: risks, Quorum: p.Approvals.Quorum, Asked: b.Asked, Expires: b.Asked.Add(time.Nanosecond), Result: Open,
	}
	for _, d := range b.Decisions {
		if err := again.Judge(d, p, starter, b.Asked); err != nil {
			return err
		}
		again.Count(d, b.Asked)
	}
	if again.Result != Granted {
		return fmt.Errorf("%s: %w", stage, ErrNoQuorum)
	}
	return nil
}

// Lapse closes a ballot that ran into its expiry. Silence never stands in for a
// missing acknowledgement: with risks to name, a plan's "proceed" does not apply.
func (b *Ballot) Lapse(silence plan.OnSilence, now time.Time) {
	if b.Result != Open {
		return
	}
	if silence == plan.Proceed && len(b.Risks) == 0 {
		b.close(Preauthorised, now)
		return
	}
	b.close(Lapsed, now)
}

// Withdraw closes an open ballot because the run no longer asks.
func (b *Ballot) Withdraw(now time.Time) {
	if b != nil && b.Result == Open {
		b.close(Withdrawn, now)
	}
}

func (b *Ballot) close(r Result, now time.Time) { b.Result, b.Closed = r, now }

// Allowed reports whether the ballot lets the one-way step go on.
func (b *Ballot) Allowed() bool { return b.Result == Granted || b.Result == Preauthorised }
