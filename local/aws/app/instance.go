package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// Instance is the application on one machine. It is an http.Handler.
type Instance struct {
	Config
	fleet   *Fleet
	logger  *slog.Logger
	network func() bool
	mux     *http.ServeMux
	lease   lease

	mu      sync.Mutex
	stopped bool               // for good
	cancel  context.CancelFunc // nil while the Region is dark
	done    chan struct{}      // closed when the lease loop has ended
}

func (i *Instance) site() site { return site{i.Application, i.Region} }

// Stop ends the instance. It waits for the lease loop.
func (i *Instance) Stop() {
	i.mu.Lock()
	i.stopped = true
	i.mu.Unlock()
	i.halt()
	i.fleet.mu.Lock()
	defer i.fleet.mu.Unlock()
	delete(i.fleet.instances, i)
}

// start boots the application, unless it runs already: it knows no lease then.
func (i *Instance) start() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.stopped || i.cancel != nil {
		return
	}
	i.lease.forget()
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel, i.done = cancel, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		defer cancel()
		if i.GlobalCluster != "" {
			i.keepLease(ctx)
		}
	}(i.done)
}

// halt ends the application's process: what it knew is gone.
func (i *Instance) halt() {
	i.mu.Lock()
	cancel, done := i.cancel, i.done
	i.cancel = nil
	i.mu.Unlock()
	if cancel == nil {
		return
	}
	cancel()
	<-done
	i.lease.forget()
}

func (i *Instance) running() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cancel != nil
}

// errNoNetwork is what every store call gives on a machine that is cut off.
func errNoNetwork() error { return errors.New("network is unreachable") }

// tables are the tables as this machine reaches them.
func (i *Instance) tables() Tables { return reachableTables{i} }

// Mode is what an instance does with invoices.
type Mode string

// Modes.
const (
	ModeWriter     Mode = "writer"     // accepts them
	ModeForwarding Mode = "forwarding" // hands them to the writer's Region
	ModeReadOnly   Mode = "read-only"  // refuses them: emergency mode
)

// invoice is the value stored for one invoice, and the answer to whoever wrote it.
type receipt struct {
	ID     string    `json:"id"`
	Region string    `json:"region"`
	Epoch  int64     `json:"epoch"`
	At     time.Time `json:"at"`
}

// mode judges from the lease, the database's writer and the network.
func (i *Instance) mode() (Mode, *Instance) {
	if i.GlobalCluster == "" {
		return ModeWriter, nil
	}
	v := i.lease.view(i.Region, time.Now())
	switch {
	case !v.known:
		return ModeReadOnly, nil
	case v.held:
		if _, region := i.fleet.stores.Databases.Writer(i.GlobalCluster); region == i.Region {
			return ModeWriter, nil
		}
		return ModeReadOnly, nil
	case v.holder != "" && v.holder != i.Region && i.network():
		if peer := i.fleet.peer(i.site(), v.holder); peer != nil {
			return ModeForwarding, peer
		}
	}
	return ModeReadOnly, nil
}

// errReadOnly refuses an invoice.
type errReadOnly struct{ reason error }

func (e errReadOnly) Error() string {
	if e.reason == nil {
		return "read-only"
	}
	return "read-only: " + e.reason.Error()
}

// invoice accepts an invoice here, or hands it to the writer's Region.
func (i *Instance) invoice(id string) (receipt, error) {
	switch mode, peer := i.mode(); mode {
	case ModeWriter:
		return i.accept(id)
	case ModeForwarding:
		r, err := peer.accept(id)
		if err == nil && !i.fleet.world.Reachable(peer.Region, i.Region) {
			return receipt{}, errors.New("the writer's answer was lost")
		}
		return r, err
	case ModeReadOnly:
	}
	return receipt{}, errReadOnly{}
}

// accept writes an invoice through the local cluster, while the lease is held
// before and after: an acknowledgement never outlives the lease.
func (i *Instance) accept(id string) (receipt, error) {
	if mode, _ := i.mode(); mode != ModeWriter {
		return receipt{}, errReadOnly{}
	}
	before := i.lease.view(i.Region, time.Now())
	r := receipt{ID: id, Region: i.Region, Epoch: before.epoch, At: time.Now().UTC()}
	value, err := json.Marshal(r)
	if err != nil {
		return receipt{}, fmt.Errorf("encode invoice %q: %w", id, err)
	}
	if !i.network() {
		return receipt{}, errReadOnly{errNoNetwork()}
	}
	if err := i.fleet.stores.Databases.Write(i.Region, i.Cluster, invoiceKey(id), string(value)); err != nil {
		return receipt{}, errReadOnly{err}
	}
	if after := i.lease.view(i.Region, time.Now()); !after.held || after.epoch != before.epoch {
		return receipt{}, errReadOnly{errors.New("the lease ended during the write")}
	}
	return r, nil
}

func invoiceKey(id string) string { return "invoice/" + id }

// findInvoice reads the local copy, and the writer's when the local one does
// not have it yet.
func (i *Instance) findInvoice(id string) (value string, ok bool, err error) {
	if !i.network() {
		return "", false, errNoNetwork()
	}
	value, ok, err = i.fleet.stores.Databases.Read(i.Region, i.Cluster, invoiceKey(id))
	if ok || err != nil {
		return value, ok, err
	}
	writer, region := i.fleet.stores.Databases.Writer(i.GlobalCluster)
	if writer == "" || region == i.Region || !i.fleet.world.Reachable(i.Region, region) {
		return "", false, nil
	}
	value, ok, err = i.fleet.stores.Databases.Read(i.Region, writer, invoiceKey(id))
	if err != nil {
		return "", false, nil //nolint:nilerr // the local copy has answered: it doesn't have it
	}
	return value, ok, nil
}
