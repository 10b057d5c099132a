package world

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// CallRecord is one AWS call as the log keeps it: who asked what of whom, and
// what came of it. It never holds bodies, secrets or data.
type CallRecord struct {
	Time      time.Time         `json:"time"` // when the call arrived
	Duration  time.Duration     `json:"duration"`
	Service   string            `json:"service"` // signing name
	Operation string            `json:"operation"`
	Region    string            `json:"region"`
	Caller    string            `json:"caller"` // access key id
	RequestID string            `json:"request_id"`
	Outcome   string            `json:"outcome"` // "ok", an error code, "blackhole", "answer lost", "throttled"
	Mutating  bool              `json:"mutating"`
	Params    map[string]string `json:"params,omitempty"` // identifiers only
}

const defaultCallLogSize = 100_000

// callLog keeps the newest calls in memory and passes each on to a sink.
type callLog struct {
	mu      sync.Mutex
	records []CallRecord // ring once full
	next    int          // where the oldest record stands once full
	size    int
	sink    io.Writer
	sinkErr error
}

func newCallLog(size int, sink io.Writer) *callLog {
	if size <= 0 {
		size = defaultCallLogSize
	}
	return &callLog{size: size, sink: sink}
}

// Log keeps a call.
func (w *World) Log(r CallRecord) {
	if err := w.calls.add(r); err != nil {
		w.logger.Error("call log sink lost", "error", err)
	}
}

// Calls are the logged calls that arrived at or after since, in the order in
// which they ended.
func (w *World) Calls(since time.Time) []CallRecord { return w.calls.since(since) }

// add reports a broken sink once; memory goes on either way.
func (l *callLog) add(r CallRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records) < l.size {
		l.records = append(l.records, r)
	} else {
		l.records[l.next] = r
		l.next = (l.next + 1) % l.size
	}
	if l.sink == nil || l.sinkErr != nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = l.sink.Write(append(line, '\n'))
	}
	if err != nil {
		l.sinkErr = fmt.Errorf("write call of %s %s: %w", r.Service, r.Operation, err)
	}
	return l.sinkErr
}

func (l *callLog) since(t time.Time) []CallRecord {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []CallRecord
	for i := range l.records {
		r := l.records[(l.next+i)%len(l.records)]
		if !r.Time.Before(t) {
			out = append(out, r)
		}
	}
	return out
}
