package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request; ids are short.
const maxBody = 64 << 10

func (i *Instance) routes() {
	i.mux = http.NewServeMux()
	i.mux.HandleFunc("POST /records", i.write(i.counted(i.record)))
	i.mux.HandleFunc("GET /records/{id}", i.getRecord)
	if i.GlobalCluster != "" {
		i.mux.HandleFunc("POST /invoices", i.write(func(id, _ string) (receipt, error) { return i.invoice(id) }))
		i.mux.HandleFunc("GET /invoices/{id}", i.getInvoice)
	}
	if i.hasDocuments() {
		i.mux.HandleFunc("POST /documents", i.write(func(id, _ string) (receipt, error) { return i.document(id) }))
		i.mux.HandleFunc("GET /documents/{id}", i.getDocument)
	}
	i.mux.HandleFunc("GET /health/deep", i.health)
	i.mux.HandleFunc("GET /lifeline/status", i.status)
}

// ServeHTTP answers like the application; while its Region is dark it answers
// nothing, and drops the answer to what it had begun before.
func (i *Instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !i.running() {
		i.silence(w, r)
		return
	}
	// The answer is held back until it is known that the Region still lives.
	answer := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	i.mux.ServeHTTP(answer, r)
	if i.fleet.world.Dark(i.Region) {
		i.silence(w, r)
		return
	}
	maps.Copy(w.Header(), answer.header)
	w.WriteHeader(answer.status)
	if _, err := answer.body.WriteTo(w); err != nil {
		i.logger.Debug("client left", "error", err)
	}
}

// heldAnswer is an answer that has not been sent.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is the answer's header.
func (h *heldAnswer) Header() http.Header { return h.header }

// Write adds to the answer's body.
func (h *heldAnswer) Write(b []byte) (int, error) { return h.body.Write(b) }

// WriteHeader sets the answer's status.
func (h *heldAnswer) WriteHeader(status int) { h.status = status }

// silence waits for the client to give up, as packets into a dark Region do;
// a stopped instance refuses instead.
func (i *Instance) silence(w http.ResponseWriter, r *http.Request) {
	if !i.fleet.world.Dark(i.Region) {
		http.Error(w, "instance is stopped", http.StatusServiceUnavailable)
		return
	}
	// Only once the body is read does the server notice that a client leaves.
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxBody))
	select {
	case <-r.Context().Done():
	case <-i.fleet.world.Done():
	}
	panic(http.ErrAbortHandler)
}

type problem struct {
	Error string `json:"error"`
}

func (i *Instance) reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		i.logger.Debug("write answer", "error", err)
	}
}

// counted keeps which places the Region has served, for the status document.
// Records are the business transaction that recovery is judged by; counting the
// other kinds too would call a place served that still waits for its records.
func (i *Instance) counted(store func(id, location string) (receipt, error)) func(id, location string) (receipt, error) {
	return func(id, location string) (receipt, error) {
		out, err := store(id, location)
		if err == nil && location != "" {
			i.fleet.ledger(i.site()).add(location, time.Now().UTC())
		}
		return out, err
	}
}

// write serves a POST of one id.
func (i *Instance) write(store func(id, location string) (receipt, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			ID string `json:"id"`
		}
		if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&in); err != nil || !validID(in.ID) {
			i.reply(w, http.StatusBadRequest, problem{`the body has to be {"id": "..."} with 1 to 128 characters that don't begin with "lifeline#"`})
			return
		}
		location := r.Header.Get("X-Client-Location")
		out, err := store(in.ID, location)
		if err != nil {
			i.refuse(w, err)
			return
		}
		i.reply(w, http.StatusCreated, out)
	}
}

// validID keeps clients off the keys that belong to Lifeline.
func validID(id string) bool {
	return id != "" && len(id) <= 128 && !strings.HasPrefix(id, "lifeline#")
}

func (i *Instance) refuse(w http.ResponseWriter, err error) {
	if readOnly, ok := errors.AsType[errReadOnly](err); ok {
		i.logger.Debug("invoice refused", "error", readOnly)
		i.reply(w, http.StatusServiceUnavailable, problem{"read-only"})
		return
	}
	i.logger.Warn("store failed", "error", err)
	i.reply(w, http.StatusServiceUnavailable, problem{err.Error()})
}

func (i *Instance) getRecord(w http.ResponseWriter, r *http.Request) {
	found, out, err := i.findRecord(r.PathValue("id"))
	switch {
	case err != nil:
		i.refuse(w, err)
	case !found:
		i.reply(w, http.StatusNotFound, problem{"no such record"})
	default:
		i.reply(w, http.StatusOK, out)
	}
}

func (i *Instance) getInvoice(w http.ResponseWriter, r *http.Request) {
	value, found, err := i.findInvoice(r.PathValue("id"))
	switch {
	case err != nil:
		i.refuse(w, err)
	case !found:
		i.reply(w, http.StatusNotFound, problem{"no such invoice"})
	default:
		i.reply(w, http.StatusOK, json.RawMessage(value))
	}
}

func (i *Instance) getDocument(w http.ResponseWriter, r *http.Request) {
	body, found, err := i.findDocument(r.PathValue("id"))
	switch {
	case err != nil:
		i.refuse(w, err)
	case !found:
		i.reply(w, http.StatusNotFound, problem{"no such document"})
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(body) //nolint:gosec // plain text into a buffer, never HTML
	}
}

func (i *Instance) health(w http.ResponseWriter, _ *http.Request) {
	if err := i.healthy(); err != nil {
		i.reply(w, http.StatusServiceUnavailable, problem{err.Error()})
		return
	}
	i.reply(w, http.StatusOK, map[string]string{"region": i.Region, "status": "healthy"})
}

// Status is the application's own account of a Region.
type Status struct {
	Region string            `json:"region"`
	Epoch  int64             `json:"epoch"`
	Mode   Mode              `json:"mode"`
	Served map[string]Served `json:"served"` // records only, by place
}

func (i *Instance) status(w http.ResponseWriter, r *http.Request) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			i.reply(w, http.StatusBadRequest, problem{"since: " + err.Error()})
			return
		}
	}
	mode, _ := i.mode()
	i.reply(w, http.StatusOK, Status{
		Region: i.Region, Epoch: i.lease.view(i.Region, time.Now()).epoch, Mode: mode,
		Served: i.fleet.ledger(i.site()).since(since),
	})
}
