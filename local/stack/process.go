package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Process is a program of ours that runs in the background.
type Process struct {
	Name string
	Args []string
	Env  []string

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{}
	log  string
	size int64 // of the log when the process began
	err  error
}

// start runs the process with its output in a log file. It is killed with us,
// where the system can do that.
func (p *Process) start(logs string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = filepath.Join(logs, p.Name+".log")
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("log of %s: %w", p.Name, err)
	}
	defer file.Close() //nolint:errcheck // the child holds its own handle
	if info, err := file.Stat(); err == nil {
		p.size = info.Size()
	}
	//nolint:gosec,noctx // our own programs; they outlive any one context and are ended by stop
	cmd := exec.Command(p.Args[0], p.Args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(Inherited(os.Environ()), p.Env...), file, file
	cmd.SysProcAttr = attached()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(done)
	}()
	return nil
}

// Inherited is what our programs get of the environment of whoever starts them.
// Nothing of AWS: a profile, session token or endpoint of somebody's real account
// has no business here. Of Temporal, all or nothing: TLS and API keys belong to
// the server at TEMPORAL_ADDRESS, and not to one of ours.
func Inherited(environ []string) []string {
	foreign := slices.ContainsFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "TEMPORAL_ADDRESS=") && v != "TEMPORAL_ADDRESS="
	})
	return slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || (!foreign && strings.HasPrefix(v, "TEMPORAL_"))
	})
}

// Kill ends the process with SIGKILL and says when it was gone.
func (p *Process) Kill() (time.Time, error) {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return time.Time{}, fmt.Errorf("kill %s: it does not run", p.Name)
	}
	at := time.Now()
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return at, fmt.Errorf("kill %s: %w", p.Name, err)
	}
	<-done
	return at, nil
}

// PID is the process id; 0 when it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	select {
	case <-p.done:
		return 0
	default:
		return p.cmd.Process.Pid
	}
}

// Wait waits until the process has ended, and gives its exit code and output.
func (p *Process) Wait(ctx context.Context) (code int, output string, err error) {
	select {
	case <-p.done:
	case <-ctx.Done():
		return 0, "", fmt.Errorf("wait for %s: %w", p.Name, ctx.Err())
	}
	text, err := os.ReadFile(p.log)
	return p.cmd.ProcessState.ExitCode(), string(text), err
}

// Interrupt asks the process to end and waits until it has.
func (p *Process) Interrupt() { p.stop(interruptPatience) }

// interruptPatience is how long a process may take to end in order.
const interruptPatience = 10 * time.Second

// stop asks the process to end and insists after a while.
func (p *Process) stop(patience time.Duration) {
	p.mu.Lock()
	cmd, done := p.cmd, p.done
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(os.Interrupt)
	select {
	case <-done:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-done
	}
}

// Ended reports whether the process is gone, with the tail of its log.
func (p *Process) Ended() (bool, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.done:
		return true, fmt.Sprintf("%s ended (%v); the end of %s:\n%s", p.Name, p.err, p.log, tail(p.log, 15))
	default:
		return false, ""
	}
}

// await polls until ready says true. It gives up as soon as the process ends.
func (p *Process) await(ctx context.Context, what string, ready func(context.Context) bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ready(ctx) {
		if gone, why := p.Ended(); gone {
			return errors.New(why)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s of %s: %w; the end of its log:\n%s", what, p.Name, context.Cause(ctx), tail(p.log, 15))
		case <-tick.C:
		}
	}
	return nil
}

// says reports whether the process has written text since it began.
func (p *Process) says(text string) bool {
	b, err := os.ReadFile(p.log)
	return err == nil && int64(len(b)) >= p.size && bytes.Contains(b[p.size:], []byte(text))
}

func tail(file string, lines int) string {
	b, err := os.ReadFile(file) //nolint:gosec // our own log
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
