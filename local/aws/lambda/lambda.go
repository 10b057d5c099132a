package lambda

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/lambda"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Roles says whether a service may take a role; *iam.IAM does.
type Roles interface {
	Trusts(roleARN, servicePrincipal string) bool
}

// Options configure Lambda.
type Options struct {
	Endpoint string // URL of the simulator, given to functions as AWS_ENDPOINT_URL
	Roles    Roles  // nil: every role will do
	// Objects reads code out of a bucket; nil refuses code that isn't sent along.
	Objects func(region, bucket, key string) (body []byte, ok bool, err error)

	Create time.Duration // Pending to Active, in AWS time; 2 s
	Update time.Duration // of code or configuration, in AWS time; 1 s
}

// Lambda is the service in all Regions.
type Lambda struct {
	world   *world.World
	options Options

	mu        sync.Mutex
	functions map[place]*function
	root      string // folder of unpacked code; "" until the first
}

// place names a function: its name is unique within a Region.
type place struct{ region, name string }

// New makes a Lambda without functions.
func New(w *world.World, o Options) *Lambda {
	const create, update = 2 * time.Second, time.Second
	if o.Create == 0 {
		o.Create = create
	}
	if o.Update == 0 {
		o.Update = update
	}
	l := &Lambda{world: w, options: o, functions: map[place]*function{}}
	w.OnFault(l.darken)
	return l
}

// Wire is the service's API.
func (l *Lambda) Wire() *wire.Service {
	w := wire.NewService("lambda", sdk.New(wire.V1Session()), wire.RESTJSON)
	wire.Handle(w, "CreateFunction", l.CreateFunction)
	wire.Handle(w, "GetFunction", l.GetFunction)
	wire.Handle(w, "GetFunctionConfiguration", l.GetFunctionConfiguration)
	wire.Handle(w, "ListFunctions", l.ListFunctions)
	wire.Handle(w, "UpdateFunctionCode", l.UpdateFunctionCode)
	wire.Handle(w, "UpdateFunctionConfiguration", l.UpdateFunctionConfiguration)
	wire.Handle(w, "DeleteFunction", l.DeleteFunction)
	wire.Handle(w, "PublishVersion", l.PublishVersion)
	wire.Handle(w, "ListVersionsByFunction", l.ListVersionsByFunction)
	wire.Handle(w, "CreateAlias", l.CreateAlias)
	wire.Handle(w, "GetAlias", l.GetAlias)
	wire.Handle(w, "UpdateAlias", l.UpdateAlias)
	wire.Handle(w, "DeleteAlias", l.DeleteAlias)
	wire.Handle(w, "ListAliases", l.ListAliases)
	wire.Handle(w, "AddPermission", l.AddPermission)
	wire.Handle(w, "GetPolicy", l.GetPolicy)
	wire.Handle(w, "RemovePermission", l.RemovePermission)
	wire.Handle(w, "TagResource", l.TagResource)
	wire.Handle(w, "UntagResource", l.UntagResource)
	wire.Handle(w, "ListTags", l.ListTags)
	wire.Handle(w, "PutFunctionConcurrency", l.PutFunctionConcurrency)
	wire.Handle(w, "GetFunctionConcurrency", l.GetFunctionConcurrency)
	wire.Handle(w, "DeleteFunctionConcurrency", l.DeleteFunctionConcurrency)
	wire.Handle(w, "Invoke", l.InvokeFunction)
	return w
}

func refuse(status int, code, format string, args ...any) error {
	return wire.Errorf(status, code, format, args...)
}

func badValue(format string, args ...any) error {
	return refuse(http.StatusBadRequest, sdk.ErrCodeInvalidParameterValueException, format, args...)
}

func conflict(format string, args ...any) error {
	return refuse(http.StatusConflict, sdk.ErrCodeResourceConflictException, format, args...)
}

func notFound(format string, args ...any) error {
	return refuse(http.StatusNotFound, sdk.ErrCodeResourceNotFoundException, format, args...)
}

func (l *Lambda) arn(at place) string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", at.region, l.world.Account(), at.name)
}

// reference is what a caller means: a function and, in it, a version or an alias.
type reference struct{ name, qualifier string }

// refer reads a name, name:qualifier, an ARN or part of one, and a qualifier
// beside it.
func (l *Lambda) refer(region string, name, qualifier *string) (reference, error) {
	text := aws.StringValue(name)
	if _, rest, ok := strings.Cut(text, ":function:"); ok {
		if strings.HasPrefix(text, "arn:") && !strings.HasPrefix(text, l.arn(place{region, ""})) {
			return reference{}, notFound("Function not found: %s", text)
		}
		text = rest
	}
	out := reference{qualifier: aws.StringValue(qualifier)}
	var inName string
	out.name, inName, _ = strings.Cut(text, ":")
	if inName != "" && out.qualifier != "" && inName != out.qualifier {
		return reference{}, badValue("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if inName != "" {
		out.qualifier = inName
	}
	return out, nil
}

// find gives a function and what is meant in it; l.mu is held.
func (l *Lambda) find(region string, name, qualifier *string) (*function, reference, error) {
	ref, err := l.refer(region, name, qualifier)
	if err != nil {
		return nil, ref, err
	}
	f, ok := l.functions[place{region, ref.name}]
	if !ok {
		return nil, ref, notFound("Function not found: %s", l.arn(place{region, ref.name}))
	}
	return f, ref, nil
}

// version finds the version that a reference means; l.mu is held.
func (l *Lambda) version(region string, name, qualifier *string) (*function, *version, reference, error) {
	f, ref, err := l.find(region, name, qualifier)
	if err != nil {
		return nil, nil, ref, err
	}
	if v := f.version(ref.qualifier); v != nil {
		return f, v, ref, nil
	}
	return nil, nil, ref, notFound("Function not found: %s:%s", l.arn(f.place), ref.qualifier)
}

// settle runs fn under the lock once d of AWS time has passed.
func (l *Lambda) settle(d time.Duration, fn func()) {
	l.world.After(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		fn()
	})
}

// darken ends the processes of Regions that have gone dark.
func (l *Lambda) darken() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, f := range l.functions {
		if l.world.Dark(at.region) {
			f.stop()
		}
	}
}

// folder is where code is unpacked; it goes when the world ends. l.mu is held.
func (l *Lambda) folder() (string, error) {
	if l.root != "" {
		return l.root, nil
	}
	root, err := os.MkdirTemp("", "lifeline-lambda-")
	if err != nil {
		return "", fmt.Errorf("make a folder for code: %w", err)
	}
	l.root = root
	l.world.After(0, func() {
		<-l.world.Done()
		if err := os.RemoveAll(root); err != nil {
			l.world.Logger().Warn("code of functions not removed", "folder", root, "error", err)
		}
	})
	return root, nil
}
