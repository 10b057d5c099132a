package runbook

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestStart_Admit(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	start := func(by string) Start {
		return Start{By: by, Runbook: Failover, From: suspect, To: survivor, At: noon()}
	}
	sign := func(s Start) Start {
		s.Signature = Sign(p.keys[s.By], s.Message(p.plan.Application))
		return s
	}
	after := func(s Start, change func(*Start)) Start {
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		start Start
		now   time.Time
		says  string
	}{
		"an operator":     {sign(start("dana")), noon(), ""},
		"an approver":     {sign(start("amara")), noon(), ""},
		"just in time":    {sign(start("dana")), noon().Add(StartValidity), ""},
		"clocks differ":   {sign(start("dana")), noon().Add(-StartValidity), ""},
		"a stranger":      {start("mallory"), noon(), ErrUnknownPerson.Error()},
		"unsigned":        {start("dana"), noon(), ErrSignature.Error()},
		"no base64":       {after(start("dana"), func(s *Start) { s.Signature = "%" }), noon(), ErrSignature.Error()},
		"played back":     {sign(start("dana")), noon().Add(StartValidity + 1), "not within"},
		"from the future": {sign(start("dana")), noon().Add(-StartValidity - 1), "not within"},
		"other runbook":   {after(sign(start("dana")), func(s *Start) { s.Runbook = Failback }), noon(), ErrSignature.Error()},
		"other origin":    {after(sign(start("dana")), func(s *Start) { s.From = "x" }), noon(), ErrSignature.Error()},
		"other goal":      {after(sign(start("dana")), func(s *Start) { s.To = "x" }), noon(), ErrSignature.Error()},
		"other moment":    {after(sign(start("dana")), func(s *Start) { s.At = s.At.Add(1) }), noon(), ErrSignature.Error()},
		"not for real":    {after(sign(start("dana")), func(s *Start) { s.DryRun = true }), noon(), ErrSignature.Error()},
		"in other name":   {after(sign(start("dana")), func(s *Start) { s.By = "amara" }), noon(), ErrSignature.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := c.start.Admit(p.plan, c.now)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestStart_Message_SaysTheSameInEveryTimeZone(t *testing.T) {
	t.Parallel()
	s := Start{At: noon()}
	there := Start{At: noon().In(time.FixedZone("there", 3600))}
	require.Equal(t, s.Message("app"), there.Message("app"))
}

func TestControl_Admit(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	order := func(o Order) Control { return Control{By: "dana", Order: o, RunID: "run", Reason: "drill"} }
	sign := func(c Control) Control {
		c.Signature = Sign(p.keys[c.By], c.Message(p.plan.Application))
		return c
	}
	for _, o := range []Order{Pause, Resume, Skip, Abort} {
		require.NoError(t, sign(order(o)).Admit(p.plan, "run"))
	}
	require.ErrorContains(t, sign(order("explode")).Admit(p.plan, "run"), "unknown order")
	require.ErrorContains(t, sign(order(Abort)).Admit(p.plan, "another"), "meant for run run")
	require.ErrorIs(t, order(Abort).Admit(p.plan, "run"), ErrSignature)
	stranger := order(Abort)
	stranger.By = "mallory"
	require.ErrorIs(t, stranger.Admit(p.plan, "run"), ErrUnknownPerson)
	for name, change := range map[string]func(*Control){
		"order":  func(c *Control) { c.Order = Resume },
		"step":   func(c *Control) { c.Step = "ScaleGroup" },
		"reason": func(c *Control) { c.Reason = "changed" },
		"person": func(c *Control) { c.By = "amara" },
	} {
		c := sign(order(Pause))
		change(&c)
		require.ErrorIs(t, c.Admit(p.plan, "run"), ErrSignature, name)
	}
	run := sign(order(Pause))
	run.RunID = "another"
	require.ErrorIs(t, run.Admit(p.plan, "another"), ErrSignature)
}

func TestVerify_KeyThatIsNone(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, verify("short", "m", "s"), "no Ed25519 public key")
	require.ErrorContains(t, verify("c2hvcnQ=", "m", "s"), "no Ed25519 public key")
}

func TestMessage_NoTwoListsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	lists := [][]string{
		{}, {""}, {"", ""}, {"a"}, {"b"}, {"a", "b"}, {"ab"}, {"a\nb"}, {"a\"\n\"b"}, {"a", "", "b"}, {"a,b"}, {`a\nb`}, {"a\x00b"}, {"\xff"}, {"\ufffd"},
	}
	seen := map[string][]string{}
	for _, l := range lists {
		m := message("kind", l...)
		require.NotContains(t, seen, m, "%q and %q", l, seen[m])
		seen[m] = l
	}
	require.NotEqual(t, message("start", "x"), message("control", "x"))
}

func TestMessage_AcknowledgementsCannotBeJoined(t *testing.T) {
	t.Parallel()
	one := Decision{Acknowledge: []string{"a,b"}}
	two := Decision{Acknowledge: []string{"a", "b"}}
	require.NotEqual(t, one.Message("app"), two.Message("app"))
	moved := Decision{Acknowledge: []string{"a"}, Comment: "b"}
	require.NotEqual(t, two.Message("app"), moved.Message("app"))
}

func TestToken_IsTheSameForTheSameActAlone(t *testing.T) {
	t.Parallel()
	require.Equal(t, "378ebc20-3d51-539d-8f65-d2d01448fad0", Token("lifeline/app", "run", "step"), "histories and AWS remember it")
	require.NotEqual(t, Token("a/b", "c"), Token("a", "b/c"))
	require.NotEqual(t, Token("a"), Token("a", ""))
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, Token("a"), "AWS takes a UUID")
}

func TestToken_SameForTheSameStepOnly(t *testing.T) {
	t.Parallel()
	first := Token("lifeline/app", "fence", "billing")
	require.Equal(t, first, Token("lifeline/app", "fence", "billing"))
	require.NotEqual(t, Token("ab", "c"), Token("a", "bc"))
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-`, Token("x"))
}
