package plan

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Load reads, parses and validates the plan file at the path. A file that
// can't be read is a problem like any other.
func Load(path string) (Plan, Problems) {
	src, err := read(path)
	if err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "name the plan with -f PLAN"
		}
		return Plan{}, Problems{{File: path, Severity: Error, Message: fmt.Sprintf("the plan can't be read: %v", err), Hint: hint}}
	}
	return Parse(path, src)
}

// read stops one byte after the limit, so that a wrong path (a device, a core
// dump) costs nothing; Parse refuses the rest.
func read(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // read only: nothing is lost
	return io.ReadAll(io.LimitReader(f, maxBytes+1))
}

// Parse reads a plan from src, which came from the named file, and validates
// it. All problems are returned at once, in the order of the file. The plan is
// fit for use only when Problems.Err is nil; otherwise it holds what could be
// read.
func Parse(file string, src []byte) (Plan, Problems) {
	s, root := open(file, src)
	if root == nil {
		return Plan{}, s.problems.sorted()
	}
	p, d := decode(s, root)
	if d.broken[""] {
		return p, s.problems.sorted()
	}
	check(p, d)
	return p, s.problems.sorted()
}

// Validate checks a plan that came from elsewhere than a file, such as a
// workflow's input; its problems carry paths instead of positions.
func (p Plan) Validate() Problems {
	d := &decoder{source: &source{}}
	check(p, d)
	for i := range d.problems {
		d.problems[i].Position = Position{}
	}
	return d.problems.sorted()
}
