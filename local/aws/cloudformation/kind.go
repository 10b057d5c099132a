package cloudformation

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"lifeline/local/aws/cloudformation/template"
	"lifeline/local/aws/wire"
)

// kind is one type of resource: what its service is asked for. Properties that
// are in no list here are refused, so that none is dropped in silence.
type kind struct {
	takes    time.Duration // of AWS time for one step, beside what the service takes
	fixed    []string      // properties whose change makes another resource
	mutable  []string      // properties that change in place
	tagged   bool          // the stack's tags are added to Tags
	lingers  bool          // deleting goes on after the service has answered
	volatile []string      // attributes that an update in place changes

	create func(h *hand, p props) (id string, err error)
	ready  func(h *hand, id string) (bool, error) // nil = at once
	update func(h *hand, id string, before, after props) error
	remove func(h *hand, id string, p props) error
	// read gives the live properties and the attributes. It fails with a code for
	// which absent holds when the resource is gone.
	read func(h *hand, id string, p props) (live props, attributes map[string]any, err error)
}

// check refuses properties that the kind doesn't serve.
func (k kind) check(p props) error {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if !slices.Contains(k.fixed, name) && !slices.Contains(k.mutable, name) && (name != "Tags" || !k.tagged) {
			return fmt.Errorf("Encountered unsupported property %s", name) //nolint:staticcheck // AWS's words
		}
	}
	return nil
}

// changed are the properties that differ, sorted.
func changed(before, after props) []string {
	names := map[string]bool{}
	for name := range before {
		names[name] = true
	}
	for name := range after {
		names[name] = true
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool { return template.Same(before[name], after[name]) })
}

// replaces says whether a change makes another resource.
func (k kind) replaces(before, after props) bool {
	return slices.ContainsFunc(changed(before, after), func(name string) bool { return slices.Contains(k.fixed, name) })
}

// tagsOf are the stack's tags that its resources of this kind carry.
func (k kind) tagsOf(d *design) map[string]string {
	if !k.tagged {
		return nil
	}
	return d.tags
}

// hand is what a kind works with: one resource of one stack.
type hand struct {
	cf      *CloudFormation
	region  string
	stack   string
	logical string
	tags    map[string]string // of the stack
	was     map[string]string // those before an update
	wait    func(time.Duration) error
}

func (d *deployment) hand(r *resource) *hand {
	return &hand{cf: d.cf, region: d.stack.region, stack: d.stack.name, logical: r.logical, tags: r.tags, wait: d.wait}
}

// name makes a physical name of at most so many characters, as AWS does: stack,
// logical name, and something random.
func (h *hand) name(most int) string {
	suffix := rand.Text()[:12]
	room := most - len(suffix) - 1
	base := h.stack + "-" + h.logical
	if len(base) > room {
		half := (room - 1) / 2
		base = h.stack[:min(len(h.stack), half)] + "-" + h.logical[:min(len(h.logical), half)]
	}
	return base + "-" + suffix
}

const (
	attempts = 4
	pause    = 5 * time.Second // between attempts that were throttled
)

// ask calls a service. Being throttled and server errors are tried again, as
// CloudFormation does.
func ask[O, I any](h *hand, service, operation string, in *I) (*O, error) {
	s, ok := h.cf.services[service]
	if !ok {
		return nil, fmt.Errorf("the service %s is not simulated here", service)
	}
	call := &wire.Call{Context: context.Background(), World: h.cf.world, Region: h.region, Caller: principal}
	for i := 1; ; i++ {
		out, err := wire.Invoke[O](call, s, operation, in)
		if err == nil || i == attempts || !transient(err) {
			return out, err //nolint:wrapcheck // the service's own code and words are the reason
		}
		if err := h.wait(pause); err != nil {
			return nil, err
		}
	}
}

func codeOf(err error) (code string, status int) {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e.Code, e.Status
	}
	return "", 0
}

func transient(err error) bool {
	code, status := codeOf(err)
	return status >= http.StatusInternalServerError || strings.Contains(code, "Throttling") || code == "RequestLimitExceeded"
}

// absent says whether an error means that there is no such thing.
func absent(err error) bool {
	code, _ := codeOf(err)
	for _, mark := range []string{"NotFound", "NoSuchEntity", "NotAttached"} {
		if strings.Contains(code, mark) {
			return true
		}
	}
	return false
}

// inUse says whether something still needs what was to be deleted.
func inUse(err error) bool {
	code, _ := codeOf(err)
	return slices.Contains([]string{
		"DependencyViolation", "InvalidGroup.InUse", "ResourceInUse", "DeleteConflict", "ScalingActivityInProgress", "InUse",
	}, code)
}

// missingNow is the error of a read that finds nothing.
func missingNow(what string) error { return refuse("NotFound", "%s does not exist", what) }

// reasonOf is an error as an event tells it.
func reasonOf(err error) string {
	code, status := codeOf(err)
	if code == "" {
		return err.Error()
	}
	handler := "GeneralServiceException"
	switch {
	case absent(err):
		handler = "NotFound"
	case strings.Contains(code, "AlreadyExists") || strings.Contains(code, "Duplicate"):
		handler = "AlreadyExists"
	case strings.Contains(code, "AccessDenied") || strings.Contains(code, "Unauthorized"):
		handler = "AccessDenied"
	case transient(err):
		handler = "Throttling"
		if status >= http.StatusInternalServerError {
			handler = "ServiceInternalError"
		}
	case strings.HasPrefix(code, "Invalid") || strings.HasPrefix(code, "Validation") || strings.HasPrefix(code, "Missing"):
		handler = "InvalidRequest"
	}
	var e *wire.Error
	errors.As(err, &e)
	return fmt.Sprintf("Resource handler returned message: %q (RequestToken: %s, HandlerErrorCode: %s)", e.Message, newUUID(), handler)
}
