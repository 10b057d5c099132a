package lambda

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// environment is one process of a function with the runtime API that it speaks to.
// It serves one invocation at a time.
type environment struct {
	lambda *Lambda
	cmd    *exec.Cmd
	api    net.Listener
	server *http.Server
	work   chan *invocation // taken by the process when it asks for more
	logs   *os.File

	stopped  context.Context //nolint:containedctx // the life of the process, which has no caller
	stop     context.CancelFunc
	ended    chan struct{} // closed when the process is gone
	exit     error         // why; read after ended
	idle     time.Time     // since when it has nothing to do. Guarded by Lambda.mu
	mu       sync.Mutex
	current  *invocation
	initFail []byte // what the process said to init/error
}

// start begins a process; l.mu is held. It lives until it is stopped, fails, or the
// world ends, which waits for it.
func (l *Lambda) start(region string, v *version) (*environment, error) {
	dir, err := l.unpack(v.code)
	if err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	api, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the runtime of %s: %w", *v.config.FunctionName, err)
	}
	logs, err := os.CreateTemp(l.root, "log-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a log for %s: %w", *v.config.FunctionName, err), api.Close())
	}
	e := &environment{lambda: l, api: api, logs: logs, work: make(chan *invocation), ended: make(chan struct{})}
	e.stopped, e.stop = context.WithCancel(context.Background())
	e.server = &http.Server{Handler: e.routes(), ReadHeaderTimeout: time.Minute}
	e.cmd = exec.CommandContext(e.stopped, filepath.Join(dir, "bootstrap")) //nolint:gosec // running what was uploaded is what Lambda is for
	e.cmd.Dir, e.cmd.Env = dir, l.environ(region, v, api.Addr().String())
	e.cmd.Stdout, e.cmd.Stderr = logs, logs
	l.world.After(0, e.run)
	return e, nil
}

// run is the whole life of the process.
func (e *environment) run() {
	serving := make(chan error, 1)
	go func() { serving <- e.server.Serve(e.api) }()
	go func() {
		select {
		case <-e.lambda.world.Done():
			e.stop()
		case <-e.ended:
		}
	}()
	e.exit = e.cmd.Run()
	if err := e.logs.Close(); err != nil {
		e.lambda.world.Logger().Warn("log of a function not closed", "error", err)
	}
	close(e.ended)
	e.stop()
	if err := e.server.Close(); err != nil {
		e.lambda.world.Logger().Warn("runtime API not closed", "error", err)
	}
	if err := <-serving; !errors.Is(err, http.ErrServerClosed) {
		e.lambda.world.Logger().Warn("runtime API ended", "error", err)
	}
}

// alive says whether the process can still take work.
func (e *environment) alive() bool {
	select {
	case <-e.ended:
		return false
	case <-e.stopped.Done():
		return false
	default:
		return true
	}
}

// acquire gives a process without work, an old one or a new one; l.mu is held.
func (l *Lambda) acquire(region string, v *version) (*environment, error) {
	for len(v.free) > 0 {
		e := v.free[len(v.free)-1]
		v.free = v.free[:len(v.free)-1]
		if e.alive() {
			return e, nil
		}
	}
	e, err := l.start(region, v)
	if err == nil {
		v.all = append(v.all, e)
	}
	return e, err
}

// keepWarm is how long a process waits for more work, in AWS time.
const keepWarm = 10 * time.Minute

// release takes a process back. One of a version that has been replaced, or that
// isn't needed for a while, ends.
func (l *Lambda) release(f *function, v *version, e *environment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f.running--
	if !e.alive() || v.all == nil {
		e.stop()
		v.forget(e)
		return
	}
	since := l.world.Now()
	e.idle = since
	v.free = append(v.free, e)
	l.settle(keepWarm, func() {
		for _, free := range v.free {
			if free == e && e.idle.Equal(since) {
				e.stop()
				v.forget(e)
				return
			}
		}
	})
}

func (v *version) forget(e *environment) {
	v.free, v.all = without(v.free, e), without(v.all, e)
}

func without(all []*environment, gone *environment) []*environment {
	var out []*environment
	for _, e := range all {
		if e != gone {
			out = append(out, e)
		}
	}
	return out
}

// retire ends the processes without work; the others end after theirs.
func (v *version) retire() {
	for _, e := range v.free {
		e.stop()
	}
	v.free, v.all = nil, nil
}

// tailSize is how much of what a process wrote LogType Tail gives, in bytes.
const tailSize = 4 << 10

// tail is the end of what the process wrote. It writes into a file, not through a
// pipe: so everything is there that it wrote before it answered.
func (e *environment) tail() []byte {
	text, err := os.ReadFile(e.logs.Name())
	if err != nil {
		e.lambda.world.Logger().Warn("log of a function not read", "error", err)
	}
	return text[max(0, len(text)-tailSize):]
}
