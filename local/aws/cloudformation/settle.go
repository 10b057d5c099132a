package cloudformation

import (
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go/service/cloudformation"

	"lifeline/local/aws/cloudformation/template"
)

const (
	pollEvery   = 5 * time.Second  // while a resource isn't ready yet
	pollsMost   = 720              // an hour
	retryEvery  = 15 * time.Second // while something else still uses what is to go
	retriesMost = 40
)

// live are the resources that exist; c.mu is held.
func (s *stack) live() []*resource {
	return slices.DeleteFunc(slices.Clone(s.resources), func(r *resource) bool { return r.left() })
}

func (r *resource) left() bool {
	return r.status == sdk.ResourceStatusDeleteComplete || r.status == sdk.ResourceStatusDeleteSkipped
}

// settle brings one resource to what the template wants.
func (d *deployment) settle(want *template.Resource, needs []string) error {
	k := d.cf.kinds[want.Type]
	evaluated, err := d.evaluate(want)
	d.cf.mu.Lock()
	r := d.stack.resource(want.Name)
	if r == nil || r.left() {
		r = d.adopt(want, needs)
		d.cf.mu.Unlock()
		if err != nil {
			return d.failed(r, sdk.ResourceStatusCreateFailed, err)
		}
		r.props = evaluated
		return d.make(r, k)
	}
	tags := k.tagsOf(d.next)
	unchanged := err == nil && template.Same(map[string]any(r.props), map[string]any(evaluated)) && maps.Equal(r.tags, tags)
	r.deletionPolicy, r.replacePolicy, r.needs = want.DeletionPolicy, want.UpdateReplacePolicy, needs
	d.cf.mu.Unlock()
	switch {
	case err != nil:
		return d.failed(r, sdk.ResourceStatusUpdateFailed, err)
	case unchanged:
		return nil
	case k.replaces(r.props, evaluated):
		return d.replace(r, k, evaluated, tags)
	}
	return d.change(r, k, evaluated, tags)
}

// evaluate gives the properties of a resource now.
func (d *deployment) evaluate(want *template.Resource) (props, error) {
	v, err := d.cf.scope(d.stack, d.next, d.live()).Value(want.Properties)
	if err != nil {
		return nil, err //nolint:wrapcheck // AWS's words
	}
	p, _ := v.(map[string]any)
	return p, d.cf.kinds[want.Type].check(p)
}

// adopt makes the record of a resource that is to be made; c.mu is held.
func (d *deployment) adopt(want *template.Resource, needs []string) *resource {
	if old := d.stack.resource(want.Name); old != nil {
		d.stack.drop(old)
	}
	r := &resource{
		logical: want.Name, kind: want.Type, needs: needs, deletionPolicy: want.DeletionPolicy, replacePolicy: want.UpdateReplacePolicy,
		tags: d.cf.kinds[want.Type].tagsOf(d.next),
	}
	d.stack.resources = append(d.stack.resources, r)
	return r
}

// mark moves a resource to a state.
func (d *deployment) mark(r *resource, status, reason string) {
	d.cf.mu.Lock()
	defer d.cf.mu.Unlock()
	d.cf.enterResource(d.stack, r, status, reason)
}

// failed marks a resource and gives the error on.
func (d *deployment) failed(r *resource, status string, err error) error {
	if !d.closed() {
		d.mark(r, status, reasonOf(err))
	}
	return err
}

func (d *deployment) undoBy(fn func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.undo = append(d.undo, fn)
}

// make creates a resource. Its undo stands before anything can be half made.
func (d *deployment) make(r *resource, k kind) error {
	d.mark(r, sdk.ResourceStatusCreateInProgress, "")
	d.undoBy(func() error { return d.erase(r, "Delete") })
	if err := d.build(r, k, sdk.ResourceStatusCreateInProgress); err != nil {
		return d.failed(r, sdk.ResourceStatusCreateFailed, err)
	}
	d.mark(r, sdk.ResourceStatusCreateComplete, "")
	return nil
}

// build creates and waits until the resource can be used.
func (d *deployment) build(r *resource, k kind, status string) error {
	if err := d.wait(k.takes); err != nil {
		return err
	}
	h := d.hand(r)
	id, err := k.create(h, r.props)
	d.cf.mu.Lock()
	r.physical = id
	if err == nil {
		d.cf.enterResource(d.stack, r, status, "Resource creation Initiated")
	}
	d.cf.mu.Unlock()
	if err != nil {
		return err
	}
	if err := d.ready(h, k, id); err != nil {
		return err
	}
	return d.learn(h, k, r)
}

// ready waits until a resource has come up.
func (d *deployment) ready(h *hand, k kind, id string) error {
	if k.ready == nil {
		return nil
	}
	for range pollsMost {
		is, err := k.ready(h, id)
		if is || err != nil {
			return err
		}
		if err := d.wait(pollEvery); err != nil {
			return err
		}
	}
	return fmt.Errorf("Resource %s did not stabilize", id) //nolint:staticcheck // AWS's words
}

// learn reads the attributes of a resource.
func (d *deployment) learn(h *hand, k kind, r *resource) error {
	_, attributes, err := k.read(h, r.physical, r.props)
	if err != nil {
		return err
	}
	d.cf.mu.Lock()
	defer d.cf.mu.Unlock()
	r.attributes = attributes
	return nil
}

// change updates a resource in place.
func (d *deployment) change(r *resource, k kind, next props, tags map[string]string) error {
	before, beforeTags := r.props, r.tags
	d.undoBy(func() error { return d.modify(r, k, before, beforeTags) })
	return d.modify(r, k, next, tags)
}

func (d *deployment) modify(r *resource, k kind, next props, tags map[string]string) error {
	d.mark(r, sdk.ResourceStatusUpdateInProgress, "")
	if err := d.wait(k.takes); err != nil {
		return err
	}
	h := d.hand(r)
	h.was, h.tags = h.tags, tags
	before := r.props
	if err := k.update(h, r.physical, before, next); err != nil {
		return d.failed(r, sdk.ResourceStatusUpdateFailed, err)
	}
	d.cf.mu.Lock()
	r.props, r.tags = next, tags
	d.cf.mu.Unlock()
	if err := d.ready(h, k, r.physical); err != nil {
		return d.failed(r, sdk.ResourceStatusUpdateFailed, err)
	}
	if err := d.learn(h, k, r); err != nil {
		return d.failed(r, sdk.ResourceStatusUpdateFailed, err)
	}
	d.mark(r, sdk.ResourceStatusUpdateComplete, "")
	return nil
}

// replace makes another resource; the old one goes once all is well.
func (d *deployment) replace(r *resource, k kind, next props, tags map[string]string) error {
	d.mark(r, sdk.ResourceStatusUpdateInProgress, "Requested update requires the creation of a new physical resource; hence creating one.")
	d.cf.mu.Lock()
	old := *r
	r.props, r.tags, r.physical = next, tags, ""
	d.cf.mu.Unlock()
	d.undoBy(func() error {
		made := *r
		d.cf.mu.Lock()
		*r = old
		d.cf.mu.Unlock()
		err := d.erase(&made, "Delete")
		d.mark(r, sdk.ResourceStatusUpdateComplete, "")
		return err
	})
	if err := d.build(r, k, sdk.ResourceStatusUpdateInProgress); err != nil {
		return d.failed(r, sdk.ResourceStatusUpdateFailed, err)
	}
	d.mu.Lock()
	d.retired = append(d.retired, &old)
	d.mu.Unlock()
	d.mark(r, sdk.ResourceStatusUpdateComplete, "")
	return nil
}

// remove deletes the stack, but for what is to be kept.
func (d *deployment) remove(keep []string) {
	d.cf.mu.Lock()
	all := d.stack.live()
	d.cf.mu.Unlock()
	failed := d.eraseAll(all, func(r *resource) string {
		if slices.Contains(keep, r.logical) {
			return "Retain"
		}
		return r.deletionPolicy
	})
	d.conclude(failed, sdk.StackStatusDeleteComplete, sdk.StackStatusDeleteFailed)
}

// eraseAll deletes resources, each before those that it needed.
func (d *deployment) eraseAll(all []*resource, policy func(*resource) string) map[string]error {
	byName, waits := map[string]*resource{}, map[string][]string{}
	for _, r := range all {
		byName[r.logical] = r
		waits[r.logical] = nil
	}
	for _, r := range all {
		for _, need := range r.needs {
			if byName[need] != nil {
				waits[need] = append(waits[need], r.logical)
			}
		}
	}
	return d.wave(waits, false, func(name string) error { return d.erase(byName[name], policy(byName[name])) })
}

// erase deletes one resource; one that is gone already is deleted. What others
// still use is tried again, as their own deletion may take its time.
func (d *deployment) erase(r *resource, policy string) error {
	if policy == "Retain" || policy == "RetainExceptOnCreate" {
		d.mark(r, sdk.ResourceStatusDeleteSkipped, "")
		return nil
	}
	d.mark(r, sdk.ResourceStatusDeleteInProgress, "")
	if r.physical != "" {
		if err := d.wipe(r, d.cf.kinds[r.kind]); err != nil {
			return d.failed(r, sdk.ResourceStatusDeleteFailed, err)
		}
	}
	d.mark(r, sdk.ResourceStatusDeleteComplete, "")
	return nil
}

func (d *deployment) wipe(r *resource, k kind) error {
	h := d.hand(r)
	if err := d.wait(k.takes); err != nil {
		return err
	}
	var err error
	for range retriesMost {
		if err = k.remove(h, r.physical, r.props); err == nil || absent(err) || !inUse(err) {
			break
		}
		if err := d.wait(retryEvery); err != nil {
			return err
		}
	}
	if err != nil && !absent(err) {
		return err
	}
	for range pollsMost {
		if !k.lingers {
			return nil
		}
		if _, _, err := k.read(h, r.physical, r.props); absent(err) {
			return nil
		}
		if err := d.wait(pollEvery); err != nil {
			return err
		}
	}
	return fmt.Errorf("Resource %s was not deleted in time", r.physical) //nolint:staticcheck // AWS's words
}
