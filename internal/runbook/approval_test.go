package runbook

import (
	"crypto/ed25519"
	"encoding/base64"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lifeline/internal/plan"
)

// people are a plan with amara, bela and chidi as approvers and dana as operator.
type people struct {
	plan plan.Plan
	keys map[string]ed25519.PrivateKey
}

func newPeople(t *testing.T) people {
	t.Helper()
	p := people{plan: plan.Plan{Application: "patient-records"}, keys: map[string]ed25519.PrivateKey{}}
	for _, name := range []string{"amara", "bela", "chidi", "dana"} {
		public, private, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		p.keys[name] = private
		a := plan.Approver{Name: name, PublicKey: base64.StdEncoding.EncodeToString(public)}
		if name == "dana" {
			p.plan.Approvals.Operators = append(p.plan.Approvals.Operators, a)
			continue
		}
		p.plan.Approvals.Approvers = append(p.plan.Approvals.Approvers, a)
	}
	return p
}

func (p people) sign(d Decision) Decision {
	d.Signature = Sign(p.keys[d.By], d.Message(p.plan.Application))
	return d
}

func openBallot(risks ...Risk) *Ballot {
	return &Ballot{RunID: "run", Stage: Approve, Nonce: "nonce", Quorum: 2, Asked: at(0), Expires: at(60), Result: Open, Risks: risks}
}

func yes(by string, acknowledge ...string) Decision {
	return Decision{By: by, Approve: true, RunID: "run", Stage: Approve, Nonce: "nonce", Acknowledge: acknowledge}
}

func TestBallot_Judge(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	no := func(by string) Decision {
		d := yes(by)
		d.Approve = false
		return d
	}
	risk := Risk{Code: "data-loss:billing", Text: "much"}
	for name, c := range map[string]struct {
		ballot   *Ballot
		decision Decision
		now      time.Time
		want     error
	}{
		"approves":                        {openBallot(), p.sign(yes("amara")), at(1), nil},
		"rejects":                         {openBallot(), p.sign(no("amara")), at(1), nil},
		"at the last moment":              {openBallot(), p.sign(yes("amara")), at(60).Add(-1), nil},
		"nothing asked":                   {nil, p.sign(yes("amara")), at(1), ErrNothingAsked},
		"already granted":                 {&Ballot{Result: Granted}, p.sign(yes("amara")), at(1), ErrNothingAsked},
		"expired":                         {openBallot(), p.sign(yes("amara")), at(60), ErrExpired},
		"another run":                     {openBallot(), p.sign(Decision{By: "amara", RunID: "x", Stage: Approve, Nonce: "nonce"}), at(1), ErrOtherBallot},
		"another stage":                   {openBallot(), p.sign(Decision{By: "amara", RunID: "run", Stage: Decide, Nonce: "nonce"}), at(1), ErrOtherBallot},
		"another request":                 {openBallot(), p.sign(Decision{By: "amara", RunID: "run", Stage: Approve, Nonce: "x"}), at(1), ErrOtherBallot},
		"a stranger":                      {openBallot(), yes("mallory"), at(1), ErrStranger},
		"an operator":                     {openBallot(), p.sign(yes("dana")), at(1), ErrStranger},
		"the starter":                     {openBallot(), p.sign(yes("chidi")), at(1), ErrStarter},
		"unsigned":                        {openBallot(), yes("amara"), at(1), ErrSignature},
		"a risk not named":                {openBallot(risk), p.sign(yes("amara")), at(1), ErrUnacknowledged},
		"another risk named":              {openBallot(risk), p.sign(yes("amara", "data-loss:orders")), at(1), ErrUnacknowledged},
		"the risk named":                  {openBallot(risk), p.sign(yes("amara", "data-loss:billing")), at(1), nil},
		"of two risks one named":          {openBallot(risk, Risk{Code: "origin-back"}), p.sign(yes("amara", "data-loss:billing")), at(1), ErrUnacknowledged},
		"who rejects need not name risks": {openBallot(risk), p.sign(no("amara")), at(1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, c.ballot.Judge(c.decision, p.plan, "chidi", c.now), c.want)
		})
	}
}

func TestBallot_Judge_EveryFieldIsUnderTheSignature(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	for name, change := range map[string]func(*Decision){
		"verdict":         func(d *Decision) { d.Approve = !d.Approve },
		"person":          func(d *Decision) { d.By = "bela" },
		"acknowledgement": func(d *Decision) { d.Acknowledge = append(d.Acknowledge, "more") },
		"comment":         func(d *Decision) { d.Comment = "changed" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := p.sign(yes("amara"))
			change(&d)
			require.ErrorIs(t, openBallot().Judge(d, p.plan, "dana", at(1)), ErrSignature)
		})
	}
	require.NotEqual(t, yes("amara").Message("one"), yes("amara").Message("another"), "nor can it be carried to another application")
	for _, d := range []Decision{{RunID: "x"}, {Stage: Decide}, {Nonce: "x"}} {
		require.NotEqual(t, Decision{}.Message("app"), d.Message("app"))
	}
}

func TestBallot_Judge_OnePersonCountsOnce(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	b := openBallot()
	first := p.sign(yes("amara"))
	require.NoError(t, b.Judge(first, p.plan, "dana", at(1)))
	b.Count(first, at(1))
	require.Equal(t, Open, b.Result)
	again := yes("amara")
	again.Comment = "once more"
	require.ErrorIs(t, b.Judge(p.sign(again), p.plan, "dana", at(2)), ErrDuplicate)
	second := yes("amara")
	second.Approve = false
	require.ErrorIs(t, b.Judge(p.sign(second), p.plan, "dana", at(2)), ErrDuplicate, "nor can it be taken back")
}

func TestBallot_Count(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		quorum int
		votes  []bool
		want   Result
	}{
		"half a quorum":         {2, []bool{true}, Open},
		"a quorum":              {2, []bool{true, true}, Granted},
		"one rejection":         {2, []bool{false}, Rejected},
		"approved and rejected": {2, []bool{true, false}, Rejected},
		"no quorum is one":      {0, []bool{true}, Granted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBallot()
			b.Quorum = c.quorum
			for i, approve := range c.votes {
				b.Count(Decision{By: string(rune('a' + i)), Approve: approve}, at(i))
			}
			require.Equal(t, c.want, b.Result)
			require.Len(t, b.Decisions, len(c.votes))
			require.Equal(t, at(0), b.Decisions[0].Received)
			require.Equal(t, c.want == Open, b.Closed.IsZero())
			require.Equal(t, c.want == Granted, b.Allowed())
		})
	}
}

func TestBallot_Lapse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ballot  *Ballot
		silence plan.OnSilence
		want    Result
		allowed bool
	}{
		"hold":                    {openBallot(), plan.Hold, Lapsed, false},
		"proceed":                 {openBallot(), plan.Proceed, Preauthorised, true},
		"proceed names no risk":   {openBallot(Risk{Code: "x"}), plan.Proceed, Lapsed, false},
		"nothing said in plan":    {openBallot(), "", Lapsed, false},
		"rejected stays rejected": {&Ballot{Result: Rejected}, plan.Proceed, Rejected, false},
		"granted stays granted":   {&Ballot{Result: Granted}, plan.Hold, Granted, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.ballot.Lapse(c.silence, at(60))
			require.Equal(t, c.want, c.ballot.Result)
			require.Equal(t, c.allowed, c.ballot.Allowed())
		})
	}
}

func TestBallot_Withdraw_OnlyWhatIsOpen(t *testing.T) {
	t.Parallel()
	var none *Ballot
	require.NotPanics(t, func() { none.Withdraw(at(1)) })
	b := openBallot()
	b.Withdraw(at(1))
	require.Equal(t, Withdrawn, b.Result)
	require.Equal(t, at(1), b.Closed)
	require.False(t, b.Allowed())
	granted := &Ballot{Result: Granted}
	granted.Withdraw(at(1))
	require.Equal(t, Granted, granted.Result)
}

// Whoever can write a ballot can't write its signatures.
func TestBallot_Recount_BelievesSignaturesAlone(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	p.plan.Approvals.Quorum = 2
	granted := func(decisions ...Decision) *Ballot {
		b := openBallot(Risk{Code: Irrevocable, Text: "a lock"})
		b.Decisions, b.Result = decisions, Granted
		return b
	}
	amara, bela := p.sign(yes("amara", Irrevocable)), p.sign(yes("bela", Irrevocable))
	unsigned := bela
	unsigned.Signature = amara.Signature
	for name, c := range map[string]struct {
		ballot *Ballot
		why    error
	}{
		"a quorum":                          {granted(amara, bela), nil},
		"nobody was asked":                  {nil, ErrNothingAsked},
		"a result without decisions":        {granted(), ErrNoQuorum},
		"one of two":                        {granted(amara), ErrNoQuorum},
		"one twice":                         {granted(amara, amara), ErrDuplicate},
		"a signature that is another's":     {granted(amara, unsigned), ErrSignature},
		"of another request":                {func() *Ballot { b := granted(amara, bela); b.Nonce = "other"; return b }(), ErrOtherBallot},
		"of other risks":                    {granted(p.sign(yes("amara", "data-loss:billing")), bela), ErrUnacknowledged},
		"the starter among them":            {granted(amara, p.sign(yes("chidi", Irrevocable))), ErrStarter},
		"a ballot that asks for one":        {func() *Ballot { b := granted(amara); b.Quorum = 1; return b }(), ErrNoQuorum},
		"a ballot that leaves the risk out": {func() *Ballot { b := granted(p.sign(yes("amara")), bela); b.Risks = nil; return b }(), ErrUnacknowledged},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.ballot.Recount(p.plan, "chidi", Approve, []Risk{{Code: Irrevocable}})
			if c.why == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.why)
		})
	}
}
