package probe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Verdict is what became of an acknowledged write.
type Verdict string

// Verdicts.
const (
	Present Verdict = "present"
	Lost    Verdict = "lost"
	Unknown Verdict = "unknown" // the endpoint gave no clear answer
)

// AuditResult is what an audit found. A write that it doesn't name was not audited.
type AuditResult struct {
	Endpoint string             `json:"endpoint"`
	Made     time.Time          `json:"made"`
	Present  int                `json:"present"`
	Verdicts map[string]Verdict `json:"verdicts"` // by "kind/id"
}

func writeKey(l Line) string { return string(l.Kind) + "/" + l.ID }

func (a AuditResult) verdict(l Line) Verdict {
	if v, ok := a.Verdicts[writeKey(l)]; ok {
		return v
	}
	return Unknown
}

// Lost lists the lost writes in the order in which they were acknowledged.
func (a AuditResult) Lost(ledger []Line) []Line {
	out := slices.DeleteFunc(slices.Clone(ledger), func(l Line) bool { return !l.OK || a.verdict(l) != Lost })
	slices.SortStableFunc(out, func(a, b Line) int { return a.Ended.Compare(b.Ended) })
	return out
}

// AuditOptions say where acknowledged writes are looked for.
type AuditOptions struct {
	// Endpoint is the base URL of a Region, such as http://use1.patients.example:8080.
	Endpoint string
	// Client sends the reads; see Options.HTTPClient for one that resolves names
	// like the probe. Nil means http.DefaultClient.
	Client *http.Client
	// Attempts per write before the verdict is Unknown; 0 means 5.
	Attempts int
	// Pause between two attempts; 0 means 200 ms.
	Pause time.Duration
	// Concurrency of the reads; 0 means 8.
	Concurrency int
}

func (o AuditOptions) withDefaults() AuditOptions {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Pause == 0 {
		o.Pause = 200 * time.Millisecond
	}
	if o.Concurrency == 0 {
		o.Concurrency = 8
	}
	o.Endpoint = strings.TrimSuffix(o.Endpoint, "/")
	return o
}

// Audit reads every acknowledged write of a ledger from an endpoint. It ends
// early only with its context.
func Audit(ctx context.Context, ledger []Line, o AuditOptions) (AuditResult, error) {
	o = o.withDefaults()
	if o.Endpoint == "" {
		return AuditResult{}, errors.New("audit: no endpoint")
	}
	out := AuditResult{Endpoint: o.Endpoint, Made: time.Now().UTC(), Verdicts: map[string]Verdict{}}
	var mu sync.Mutex
	var wait sync.WaitGroup
	work := make(chan Line)
	for range o.Concurrency {
		wait.Go(func() {
			for l := range work {
				v := o.look(ctx, l)
				mu.Lock()
				out.Verdicts[writeKey(l)] = v
				mu.Unlock()
			}
		})
	}
	for _, l := range ledger {
		if l.OK && ctx.Err() == nil {
			work <- l
		}
	}
	close(work)
	wait.Wait()
	for _, v := range out.Verdicts {
		if v == Present {
			out.Present++
		}
	}
	if err := ctx.Err(); err != nil {
		return out, fmt.Errorf("audit of %s: %w", o.Endpoint, err)
	}
	return out, nil
}

// look asks for one write until the answer is clear.
func (o AuditOptions) look(ctx context.Context, l Line) Verdict {
	for n := range o.Attempts {
		if n > 0 {
			select {
			case <-ctx.Done():
				return Unknown
			case <-time.After(o.Pause):
			}
		}
		switch status, err := get(ctx, o.Client, o.Endpoint+readPath(l.Kind, l.ID), l.Location); {
		case err != nil:
		case status == http.StatusOK:
			return Present
		case status == http.StatusNotFound:
			return Lost
		}
	}
	return Unknown
}
