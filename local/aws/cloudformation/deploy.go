package cloudformation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
)

// deployment brings a stack to a design, or undoes what it did.
type deployment struct {
	cf             *CloudFormation
	stack          *stack
	previous, next *design
	create         bool

	mu      sync.Mutex
	undo    []func() error  // newest last
	retired []*resource     // old selves of replaced resources
	imports map[string]bool // exports that the new design uses
}

// run makes and changes, then cleans up; or rolls back.
func (d *deployment) run() {
	wanted, err := d.wanted()
	if err != nil {
		d.fail(nil, err.Error())
		return
	}
	waits := map[string][]string{}
	for _, r := range wanted {
		waits[r.Name] = slices.DeleteFunc(d.next.template.Dependencies(r), func(name string) bool { return wanted[name] == nil })
	}
	failed := d.wave(waits, true, func(name string) error { return d.settle(wanted[name], waits[name]) })
	if d.closed() {
		return
	}
	if len(failed) > 0 {
		d.fail(failed, "")
		return
	}
	if err := d.publish(); err != nil {
		d.fail(nil, err.Error()+". Rollback requested by user.")
		return
	}
	d.finish(wanted)
}

// live answers nothing itself and notes what is imported.
func (d *deployment) live() foresight {
	return foresight{imported: func(name string) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.imports[name] = true
	}}
}

// wanted are the resources whose conditions hold.
func (d *deployment) wanted() (map[string]*template.Resource, error) {
	scope := d.cf.scope(d.stack, d.next, d.live())
	out := map[string]*template.Resource{}
	for _, r := range d.next.template.Resources {
		is, err := scope.Holds(r.Condition)
		if err != nil {
			return nil, fmt.Errorf("evaluate condition %s: %w", r.Condition, err)
		}
		if is {
			out[r.Name] = r
		}
	}
	return out, nil
}

// wave does something to every name as soon as those that it waits for are done.
// With halt nothing new begins after a failure; without, only what waits for the
// failed is left out. It answers what failed.
func (d *deployment) wave(waits map[string][]string, halt bool, do func(name string) error) map[string]error {
	type outcome struct {
		name string
		err  error
	}
	results, running := make(chan outcome), 0
	left, done, failed := maps.Clone(waits), map[string]bool{}, map[string]error{}
	for {
		for _, name := range slices.Sorted(maps.Keys(left)) {
			blocked := slices.ContainsFunc(left[name], func(w string) bool { return !done[w] })
			if blocked || (halt && len(failed) > 0) {
				continue
			}
			delete(left, name)
			running++
			go func() { results <- outcome{name, guarded(do, name)} }()
		}
		if running == 0 {
			return failed
		}
		o := <-results
		running--
		if o.err == nil {
			done[o.name] = true
		} else {
			failed[o.name] = o.err
		}
	}
}

// guarded keeps a broken kind from taking the simulator down.
func guarded(do func(string) error, name string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal failure: %v", r)
		}
	}()
	return do(name)
}

func (d *deployment) closed() bool {
	select {
	case <-d.cf.world.Done():
		return true
	default:
		return false
	}
}

// wait passes AWS time.
func (d *deployment) wait(t time.Duration) error {
	timer := time.NewTimer(d.cf.world.Wall(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-d.cf.world.Done():
		return errors.New("the world has ended")
	}
}

// publish evaluates outputs and registers exports.
func (d *deployment) publish() error {
	scope := d.cf.scope(d.stack, d.next, d.live())
	var outputs []output
	for _, o := range d.next.template.Outputs {
		made, err := evaluateOutput(scope, o)
		if err != nil {
			return err
		}
		if made != nil {
			outputs = append(outputs, *made)
		}
	}
	d.cf.mu.Lock()
	defer d.cf.mu.Unlock()
	if err := d.cf.mayExport(d.stack, outputs); err != nil {
		return err
	}
	d.stack.outputs, d.stack.imports = outputs, d.imports
	return nil
}

func evaluateOutput(scope *template.Scope, o *template.Output) (*output, error) {
	is, err := scope.Holds(o.Condition)
	if err != nil || !is {
		return nil, err //nolint:wrapcheck // AWS's words
	}
	value, err := scope.Value(o.Value)
	if err != nil {
		return nil, err //nolint:wrapcheck // AWS's words
	}
	name, err := scope.Value(o.Export)
	if err != nil {
		return nil, err //nolint:wrapcheck // AWS's words
	}
	return &output{name: o.Name, value: template.Text(value), description: o.Description, export: template.Text(name)}, nil
}

// finish ends a deployment that went well: what is no longer wanted goes.
func (d *deployment) finish(wanted map[string]*template.Resource) {
	c, s := d.cf, d.stack
	if d.create {
		c.mu.Lock()
		c.enter(s, sdk.StackStatusCreateComplete, "")
		c.mu.Unlock()
		return
	}
	c.mu.Lock()
	var leaving []*resource
	for _, r := range s.live() {
		if wanted[r.logical] == nil {
			leaving = append(leaving, r)
		}
	}
	c.enter(s, sdk.StackStatusUpdateCompleteCleanupInProgress, "")
	c.mu.Unlock()
	// AWS leaves behind what it can't clean up, and says so in an event only.
	for _, r := range slices.Backward(d.retired) {
		_ = d.erase(r, r.replacePolicy)
	}
	d.eraseAll(leaving, func(r *resource) string { return r.deletionPolicy })
	if d.closed() {
		return
	}
	c.mu.Lock()
	c.enter(s, sdk.StackStatusUpdateComplete, "")
	c.mu.Unlock()
}

// fail ends a deployment that went wrong, as the stack's setting for it says.
func (d *deployment) fail(failed map[string]error, reason string) {
	names := slices.Sorted(maps.Keys(failed))
	if reason == "" {
		reason = fmt.Sprintf("The following resource(s) failed to %s: [%s]. ", d.verb(names), strings.Join(names, ", "))
	}
	c, s := d.cf, d.stack
	switch {
	case s.onFailure == sdk.OnFailureDoNothing:
		c.mu.Lock()
		defer c.mu.Unlock()
		status := sdk.StackStatusUpdateFailed
		if d.create {
			status = sdk.StackStatusCreateFailed
		}
		c.enter(s, status, strings.TrimSpace(reason))
	case d.create:
		d.rollBackCreation(reason)
	default:
		d.rollBackUpdate(reason)
	}
}

func (d *deployment) verb(names []string) string {
	d.cf.mu.Lock()
	defer d.cf.mu.Unlock()
	for _, name := range names {
		if r := d.stack.resource(name); r != nil && r.status == sdk.ResourceStatusUpdateFailed {
			return "update"
		}
	}
	return "create"
}

func (d *deployment) rollBackCreation(reason string) {
	c, s := d.cf, d.stack
	deleting := s.onFailure == sdk.OnFailureDelete
	status, done, bad := sdk.StackStatusRollbackInProgress, sdk.StackStatusRollbackComplete, sdk.StackStatusRollbackFailed
	if deleting {
		status, done, bad = sdk.StackStatusDeleteInProgress, sdk.StackStatusDeleteComplete, sdk.StackStatusDeleteFailed
	} else {
		reason += "Rollback requested by user."
	}
	c.mu.Lock()
	c.enter(s, status, strings.TrimSpace(reason))
	all := s.live()
	c.mu.Unlock()
	failed := d.eraseAll(all, func(r *resource) string {
		if r.deletionPolicy == "RetainExceptOnCreate" {
			return "Delete"
		}
		return r.deletionPolicy
	})
	d.conclude(failed, done, bad)
}

func (d *deployment) rollBackUpdate(reason string) {
	c, s := d.cf, d.stack
	c.mu.Lock()
	c.enter(s, sdk.StackStatusUpdateRollbackInProgress, strings.TrimSpace(reason))
	c.mu.Unlock()
	for _, undo := range slices.Backward(d.undo) {
		if err := undo(); err != nil {
			if d.closed() {
				return
			}
			c.mu.Lock()
			c.enter(s, sdk.StackStatusUpdateRollbackFailed, err.Error())
			c.mu.Unlock()
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.design = d.previous
	c.enter(s, sdk.StackStatusUpdateRollbackCompleteCleanupInProgress, "")
	c.enter(s, sdk.StackStatusUpdateRollbackComplete, "")
}

// conclude ends the deletion of resources in one of two states.
func (d *deployment) conclude(failed map[string]error, done, bad string) {
	if d.closed() {
		return
	}
	c, s := d.cf, d.stack
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(failed) > 0 {
		c.enter(s, bad, fmt.Sprintf("The following resource(s) failed to delete: [%s]. ", strings.Join(slices.Sorted(maps.Keys(failed)), ", ")))
		return
	}
	if done == sdk.StackStatusDeleteComplete {
		s.deleted, s.outputs, s.imports = c.world.Now(), nil, map[string]bool{}
	}
	c.enter(s, done, "")
}
