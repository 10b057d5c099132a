package lambda

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// largestPayload is what goes in and out of a function, in bytes.
const largestPayload = 6 << 20

// invocation is one piece of work for a process.
type invocation struct {
	id, arn  string
	payload  []byte
	limit    time.Duration
	deadline time.Time // set when the process takes it
	taken    chan struct{}
	result   chan result // one is sent, at most
}

// result is what became of an invocation.
type result struct {
	payload []byte
	failed  string // "", or what X-Amz-Function-Error says
	logs    []byte
}

// unhandled is Lambda's word for every error of a custom runtime.
const unhandled = "Unhandled"

// routes is the runtime API, version 2018-06-01.
func (e *environment) routes() http.Handler {
	const base = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+base+"invocation/next", e.next)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { e.finish(w, r, "") })
	mux.HandleFunc("POST "+base+"invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { e.finish(w, r, unhandled) })
	mux.HandleFunc("POST "+base+"init/error", e.initError)
	return mux
}

// next gives the process its next work. It may wait for long.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	select {
	case inv := <-e.work:
		e.mu.Lock()
		e.current = inv
		e.mu.Unlock()
		inv.deadline = time.Now().Add(inv.limit)
		close(inv.taken)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-"+strconv.FormatInt(time.Now().Unix(), 16)+"-000000000000000000000000;Sampled=0")
		_, _ = w.Write(inv.payload) // a process that went away is noticed by its end
	case <-e.stopped.Done():
		w.WriteHeader(http.StatusGone)
	case <-r.Context().Done():
	}
}

// finish takes the answer, or the error, of the work under way.
func (e *environment) finish(w http.ResponseWriter, r *http.Request, failed string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largestPayload+1))
	switch {
	case err != nil:
		accept(w, http.StatusBadRequest, `{"errorMessage":"body not read","errorType":"BadRequest"}`)
		return
	case len(body) > largestPayload:
		accept(w, http.StatusRequestEntityTooLarge, `{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}`)
		return
	}
	e.mu.Lock()
	inv := e.current
	if inv == nil || inv.id != r.PathValue("id") {
		e.mu.Unlock()
		accept(w, http.StatusBadRequest, `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`)
		return
	}
	e.current = nil
	e.mu.Unlock()
	inv.result <- result{payload: body, failed: failed}
	accept(w, http.StatusAccepted, `{"status":"OK"}`)
}

// initError takes the reason why a process can't begin; it ends by itself.
func (e *environment) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largestPayload))
	if err == nil {
		e.mu.Lock()
		e.initFail = body
		e.mu.Unlock()
	}
	accept(w, http.StatusAccepted, `{"status":"OK"}`)
}

func accept(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a process that went away is noticed by its end
}

// failedInit is what the process said about its beginning; nil when nothing.
func (e *environment) failedInit() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.initFail
}
