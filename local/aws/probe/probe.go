package probe

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"lifeline/internal/plan"
)

// Options describe the application as its clients know it.
type Options struct {
	Name        string // that clients resolve
	NameServers []string
	Scheme      string // "" means http
	Port        uint16
	Locations   []Location
	// Intervals between two attempts of one client, by kind. A kind that is not
	// named is not written.
	Intervals map[Kind]time.Duration
	Timeout   time.Duration // of one request, resolution included; 0 means 2 s
	Ledger    string        // path; an existing ledger is gone on with
	Run       string        // begins every id; "" makes one up
	Logger    *slog.Logger
	// Seen is told each line after it was kept; nil for none.
	Seen func(Line)
}

// FromPlan gives the options that a plan describes: one client per location,
// records every 500 ms and invoices every second, unless the plan has no single
// writer; documents every two seconds, if it has buckets.
func FromPlan(p plan.Plan) (Options, error) {
	o := Options{
		Name: p.Traffic.Name, NameServers: p.Traffic.NameServers, Scheme: p.Traffic.Scheme,
		Port: uint16(p.Traffic.Port), Intervals: map[Kind]time.Duration{},
	}
	for _, l := range p.Traffic.Locations {
		subnet, err := netip.ParsePrefix(l.Subnet)
		if err != nil {
			return Options{}, fmt.Errorf("location %q: %w", l.Name, err)
		}
		o.Locations = append(o.Locations, Location{l.Name, subnet})
	}
	for _, r := range p.Resources {
		switch r.Kind {
		case plan.DynamoDBTable:
			o.Intervals[Record] = 500 * time.Millisecond
		case plan.AuroraGlobal:
			o.Intervals[Invoice] = time.Second
		case plan.S3Bucket:
			o.Intervals[Document] = 2 * time.Second
		case plan.Service, plan.RDSInstance, plan.EBSVolume, plan.DRSServer:
		}
	}
	return o, nil
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Name == "" || len(o.NameServers) == 0 || o.Port == 0:
		return o, errors.New("probe: name, name servers and port are needed")
	case len(o.Locations) == 0 || len(o.Intervals) == 0:
		return o, errors.New("probe: at least one location and one kind are needed")
	case o.Ledger == "":
		return o, errors.New("probe: no ledger")
	}
	for kind, interval := range o.Intervals {
		if interval <= 0 {
			return o, fmt.Errorf("probe: interval of %s is %s", kind, interval)
		}
	}
	if o.Scheme == "" {
		o.Scheme = "http"
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Run == "" {
		o.Run = newRun()
	}
	return o, nil
}

// newRun makes ids of this run different from those of any other.
func newRun() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the program instead
	return hex.EncodeToString(b[:])
}

// Run sends clients until the context ends, which is no error. What was under
// way then is not counted.
func Run(ctx context.Context, o Options) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	ledger, err := OpenLedger(o.Ledger)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for _, location := range o.Locations {
		resolver := &Resolver{Servers: o.NameServers, Subnet: location.Subnet}
		for kind, interval := range o.Intervals {
			c := &client{options: &o, location: location, kind: kind, resolver: resolver}
			wait.Go(func() {
				if err := c.run(ctx, ledger, interval); err != nil {
					cancel(err)
				}
			})
		}
	}
	wait.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(err, ledger.Close())
	}
	return ledger.Close()
}

// run attempts at every tick. An attempt that takes longer than the interval
// delays the next one, as with a person who waits for the page.
func (c *client) run(ctx context.Context, ledger *Ledger, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	defer c.hangUp()
	for {
		line := c.attempt(ctx, ledger.Next())
		if ctx.Err() != nil && !line.OK {
			return nil // cut short by us, not by the application
		}
		if err := ledger.Append(line); err != nil {
			return err
		}
		if c.options.Seen != nil {
			c.options.Seen(line)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// HTTPClient gives a client that resolves names as the probe's clients of a
// location do, for an audit.
func (o Options) HTTPClient(location Location) *http.Client {
	resolver := &Resolver{Servers: o.NameServers, Subnet: location.Subnet}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = 2 * time.Second
	}
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, target string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(target)
			if err != nil {
				return nil, fmt.Errorf("dial %s: %w", target, err)
			}
			addresses, err := resolver.Resolve(ctx, host)
			if err != nil {
				return nil, err
			}
			var d net.Dialer
			return d.DialContext(ctx, network, net.JoinHostPort(addresses[0].String(), port))
		},
	}}
}
