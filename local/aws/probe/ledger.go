package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// Kind is what a client writes.
type Kind string

// Kinds of writes. Records and documents are written in every Region, invoices
// by one writer.
const (
	Record   Kind = "record"
	Invoice  Kind = "invoice"
	Document Kind = "document"
)

// Kinds are all kinds.
func Kinds() []Kind { return []Kind{Record, Invoice, Document} }

// Line is one attempt to write.
type Line struct {
	Seq      int64     `json:"seq"`
	Client   string    `json:"client"`
	Location string    `json:"location"`
	Kind     Kind      `json:"kind"`
	ID       string    `json:"id"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"` // answer complete, or given up
	OK       bool      `json:"ok"`    // acknowledged with 201
	Status   int       `json:"status,omitempty"`
	Region   string    `json:"region,omitempty"` // that acknowledged
	Epoch    int64     `json:"epoch,omitempty"`  // under which it acknowledged
	Address  string    `json:"address,omitempty"`
	Error    string    `json:"error,omitempty"`
	Readback bool      `json:"readback"` // acknowledged and found right after
}

// Ledger is an append-only file of lines. Each line is on disk before Append
// returns.
type Ledger struct {
	mu   sync.Mutex
	file *os.File
	seq  int64
}

// OpenLedger opens or creates a ledger to go on with. The rest of a line that a
// kill cut short is removed: its attempt was never counted.
func OpenLedger(path string) (*Ledger, error) {
	content, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	lines, kept, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l := &Ledger{file: file}
	for _, line := range lines {
		l.seq = max(l.seq, line.Seq)
	}
	if err := l.rewind(kept, len(lines) > 0 && kept > 0 && content[kept-1] != '\n'); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	return l, nil
}

// rewind cuts the file to its whole lines and goes to the end.
func (l *Ledger) rewind(size int, open bool) error {
	if err := l.file.Truncate(int64(size)); err != nil {
		return fmt.Errorf("cut the unfinished line: %w", err)
	}
	if _, err := l.file.Seek(int64(size), 0); err != nil {
		return fmt.Errorf("go to the end: %w", err)
	}
	if open { // the last line is complete but for its newline
		if _, err := l.file.WriteString("\n"); err != nil {
			return fmt.Errorf("end the last line: %w", err)
		}
	}
	return nil
}

// Next is the number of the next attempt.
func (l *Ledger) Next() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	return l.seq
}

// Append writes a line in one write, and waits until it is on disk.
func (l *Ledger) Append(line Line) error {
	b, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("encode line %d: %w", line.Seq, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write line %d: %w", line.Seq, err)
	}
	if err := l.file.Sync(); err != nil {
		return fmt.Errorf("sync line %d: %w", line.Seq, err)
	}
	return nil
}

// Close closes the file.
func (l *Ledger) Close() error { return l.file.Close() }

// ReadLedger reads all whole lines. An unfinished last line is left out; any
// other line that can't be read is an error.
func ReadLedger(path string) ([]Line, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	lines, _, err := parse(content)
	if err != nil {
		return nil, fmt.Errorf("ledger %s: %w", path, err)
	}
	return lines, nil
}

// parse reads lines; kept is the length of what holds whole ones.
func parse(content []byte) (lines []Line, kept int, err error) {
	for n := 1; kept < len(content); n++ {
		raw, _, ended := bytes.Cut(content[kept:], []byte("\n"))
		var line Line
		switch err := json.Unmarshal(raw, &line); {
		case err != nil && ended:
			return nil, 0, fmt.Errorf("line %d: %w", n, err)
		case err != nil:
			return lines, kept, nil //nolint:nilerr // cut short by a kill: not a line
		}
		lines = append(lines, line)
		kept += len(raw)
		if ended {
			kept++
		}
	}
	return lines, kept, nil
}
