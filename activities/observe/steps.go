package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// Steps are the activities of this package.
type Steps struct {
	// Sampler is set in an observer's worker only.
	Sampler *Sampler
	web     *web
	now     func() time.Time
}

// New makes the steps; sampler is nil in a worker that is no observer.
func New(sampler *Sampler) *Steps {
	return &Steps{Sampler: sampler, web: newWeb(), now: time.Now}
}

// ObserveRegions gives what this observer has seen so far. It looks at nothing
// itself, so it answers at once even when every Region is dark.
func (s *Steps) ObserveRegions(_ context.Context, _ ObserveInput) (Observation, error) {
	if s.Sampler == nil {
		return Observation{}, cloud.Errorf(cloud.Invalid, "observe regions: this worker is no observer")
	}
	return s.Sampler.Observe(), nil
}

// VerifyTransaction makes one business transaction as a client of a location: it
// resolves the name that clients use, writes a fresh record, demands that the
// wanted Region acknowledged it, and reads it back. An answer from another
// Region is NotYet: DNS has not told everybody.
func (s *Steps) VerifyTransaction(ctx context.Context, in TransactionInput) (TransactionResult, error) {
	result, err := s.transaction(ctx, in)
	if err != nil {
		return TransactionResult{}, fmt.Errorf("verify transaction from %s: %w", in.Location.Name, err)
	}
	return result, nil
}

// transaction writes and reads back.
func (s *Steps) transaction(ctx context.Context, in TransactionInput) (TransactionResult, error) {
	id := "lifeline-verify-" + uuid.NewString()
	body, err := json.Marshal(map[string]string{"id": id})
	if err != nil {
		return TransactionResult{}, err
	}
	wrote, err := s.asClient(ctx, in, http.MethodPost, strings.ReplaceAll(in.Traffic.Transaction.Write, "{id}", id), body)
	if err != nil {
		return TransactionResult{}, fmt.Errorf("write %s: %w", id, err)
	}
	if wrote.status < http.StatusOK || wrote.status >= http.StatusMultipleChoices {
		return TransactionResult{}, wrote.refused("write " + id)
	}
	result := TransactionResult{Address: wrote.address, ID: id, At: s.now().UTC()}
	var acknowledged struct {
		Region string `json:"region"`
	}
	if err := json.Unmarshal(wrote.body, &acknowledged); err != nil {
		return TransactionResult{}, cloud.Errorf(cloud.Unknown, "read acknowledgement of %s: %w", id, err)
	}
	result.Region = acknowledged.Region
	if in.Want != "" && plan.Region(result.Region) != in.Want {
		return TransactionResult{}, cloud.Errorf(cloud.NotYet, "%s was served by %q at %s, not by %s", id, result.Region, result.Address, in.Want)
	}
	read, err := s.asClient(ctx, in, http.MethodGet, strings.ReplaceAll(in.Traffic.Transaction.Read, "{id}", id), nil)
	if err != nil {
		return TransactionResult{}, fmt.Errorf("read back %s: %w", id, err)
	}
	if read.status != http.StatusOK {
		return TransactionResult{}, read.refused("read back " + id)
	}
	return result, nil
}

// asClient makes one request as a client of the location, but does not say that
// it is one: what the status document counts must be real clients only, or the
// run would take its own proofs for recovered traffic.
func (s *Steps) asClient(ctx context.Context, in TransactionInput, method, path string, body []byte) (answer, error) {
	var subnet netip.Prefix
	if in.Location.Subnet != "" {
		var err error
		if subnet, err = netip.ParsePrefix(in.Location.Subnet); err != nil {
			return answer{}, cloud.Errorf(cloud.Invalid, "subnet: %w", err)
		}
	}
	attempt, cancel := cloud.At{Timeout: in.Timeout}.Attempt(ctx)
	defer cancel()
	return s.web.do(attempt, request{
		traffic: in.Traffic, subnet: subnet,
		method: method, host: in.Traffic.Name, path: path, body: body,
	})
}

// status is the application's own account.
type status struct {
	Region string `json:"region"`
	Epoch  int64  `json:"epoch"`
	Mode   string `json:"mode"`
	Served map[string]struct {
		First time.Time `json:"first"`
		Count int64     `json:"count"`
	} `json:"served"`
}

// MeasureServed reads the status document of one Region's application, at the
// Region's own name.
func (s *Steps) MeasureServed(ctx context.Context, in ServedInput) (Served, error) {
	attempt, cancel := cloud.At{Timeout: in.Timeout}.Attempt(ctx)
	defer cancel()
	got, err := s.web.do(attempt, request{
		traffic: in.Traffic, method: http.MethodGet, host: in.Endpoint, path: in.path(),
	})
	if err != nil {
		return Served{}, fmt.Errorf("measure served at %s: %w", in.Endpoint, err)
	}
	if got.status != http.StatusOK {
		return Served{}, got.refused("measure served at " + in.Endpoint)
	}
	var told status
	if err := json.Unmarshal(got.body, &told); err != nil {
		return Served{}, cloud.Errorf(cloud.Unknown, "measure served at %s: %w", in.Endpoint, err)
	}
	served := Served{
		Region: told.Region, Mode: told.Mode, Epoch: told.Epoch,
		First: map[string]time.Time{}, Count: map[string]int64{},
	}
	for location, l := range told.Served {
		served.Count[location] = l.Count
		// Nothing yet at or after Since is no time, not the zero one.
		if !l.First.IsZero() && !l.First.Before(in.Since) {
			served.First[location] = l.First.UTC()
		}
	}
	return served, nil
}

// path is the status document's, with the time from which writes count.
func (in ServedInput) path() string {
	path := in.Traffic.Transaction.Status
	if in.Since.IsZero() {
		return path
	}
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return path + separator + "since=" + url.QueryEscape(in.Since.UTC().Format(time.RFC3339Nano))
}
