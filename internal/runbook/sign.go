package runbook

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lifeline/internal/plan"
)

// Temporal's client identity is self-declared. What a person may cause is
// therefore proved by an Ed25519 signature that is checked inside the workflow,
// a pure computation that replays.

// ErrSignature says that a signature does not belong to the person it names.
var ErrSignature = errors.New("signature does not match the person's key in the plan")

// ErrUnknownPerson says that the plan lists nobody of that name.
var ErrUnknownPerson = errors.New("not listed in the plan")

// Sign signs a message; the result is base64.
func Sign(key ed25519.PrivateKey, message string) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(message)))
}

func verify(publicKey, message, signature string) error {
	key, err := base64.StdEncoding.DecodeString(publicKey)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: the plan's key is no Ed25519 public key", ErrSignature)
	}
	sig, err := base64.StdEncoding.DecodeString(signature)
	if err != nil || !ed25519.Verify(key, []byte(message), sig) {
		return ErrSignature
	}
	return nil
}

// message joins fields so that no two different lists give the same bytes.
func message(kind string, fields ...string) string {
	var b strings.Builder
	b.WriteString("lifeline/v1 " + kind)
	for _, f := range fields {
		b.WriteString("\n" + strconv.Quote(f))
	}
	return b.String()
}

// Start is a person's (or the trigger's) wish to begin a runbook.
type Start struct {
	By        string      `json:"by"`
	Runbook   Name        `json:"runbook"`
	From      plan.Region `json:"from"` // the Region that is left
	To        plan.Region `json:"to"`
	At        time.Time   `json:"at"`
	DryRun    bool        `json:"dry_run,omitempty"`
	Signature string      `json:"signature"`
}

// StartValidity is how old a signed start may be: a recorded one can't be
// played back later.
const StartValidity = 5 * time.Minute

// Message is what the person signs.
func (s Start) Message(application string) string {
	return message("start", application, s.By, string(s.Runbook), string(s.From), string(s.To),
		s.At.UTC().Format(time.RFC3339Nano), strconv.FormatBool(s.DryRun))
}

// Signed checks that a listed person has wished this, whenever that was.
func (s Start) Signed(p plan.Plan) error {
	key, ok := keyOf(p, s.By)
	if !ok {
		return fmt.Errorf("start by %q: %w", s.By, ErrUnknownPerson)
	}
	if err := verify(key, s.Message(p.Application), s.Signature); err != nil {
		return fmt.Errorf("start by %q: %w", s.By, err)
	}
	return nil
}

// Admit checks that a listed person wishes this, and wished it just now.
func (s Start) Admit(p plan.Plan, now time.Time) error {
	if err := s.Signed(p); err != nil {
		return err
	}
	if age := now.Sub(s.At); age > StartValidity || age < -StartValidity {
		return fmt.Errorf("start by %q: signed at %s, which is not within %s of now", s.By, s.At.UTC().Format(time.RFC3339), StartValidity)
	}
	return nil
}

// Order is what a person may tell a run while it goes on.
type Order string

// Orders.
const (
	Pause  Order = "pause"
	Resume Order = "resume"
	Skip   Order = "skip"  // an optional step that has not begun
	Abort  Order = "abort" // back to the last safe point
)

// Control is a signed order to one run.
type Control struct {
	By        string `json:"by"`
	Order     Order  `json:"order"`
	Step      string `json:"step,omitempty"` // skip: which
	Reason    string `json:"reason,omitempty"`
	RunID     string `json:"run_id"`
	Signature string `json:"signature"`
}

// Message is what the person signs.
func (c Control) Message(application string) string {
	return message("control", application, c.RunID, c.By, string(c.Order), c.Step, c.Reason)
}

// Admit checks that a listed person gave this order to this run.
func (c Control) Admit(p plan.Plan, runID string) error {
	if len(c.By) > longestName || len(c.Step) > longestName || len(c.Reason) > longestText {
		return ErrTooLong
	}
	switch c.Order {
	case Pause, Resume, Skip, Abort:
	default:
		return fmt.Errorf("unknown order %q", c.Order)
	}
	key, ok := keyOf(p, c.By)
	if !ok {
		return fmt.Errorf("%s by %q: %w", c.Order, c.By, ErrUnknownPerson)
	}
	if c.RunID != runID {
		return fmt.Errorf("%s by %q: meant for run %s, this is %s", c.Order, c.By, c.RunID, runID)
	}
	if err := verify(key, c.Message(p.Application), c.Signature); err != nil {
		return fmt.Errorf("%s by %q: %w", c.Order, c.By, err)
	}
	return nil
}

// keyOf finds the key of an operator or approver.
func keyOf(p plan.Plan, name string) (string, bool) {
	for _, people := range [][]plan.Approver{p.Approvals.Approvers, p.Approvals.Operators} {
		for _, a := range people {
			if a.Name == name {
				return a.PublicKey, true
			}
		}
	}
	return "", false
}
