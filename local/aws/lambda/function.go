package lambda

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/lambda"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// latest is the name of the version that can still be changed.
const latest = "$LATEST"

// function is one function with its versions. Guarded by Lambda.mu.
type function struct {
	place
	latest    *version
	published []*version
	numbered  int
	aliases   map[string]*sdk.AliasConfiguration
	policies  map[string][]statement // by qualifier; "" = the function itself
	tags      map[string]string
	reserved  *int64
	running   int64
}

// version is code and configuration together. A change makes a new $LATEST, so
// that what runs is never changed under it.
type version struct {
	config sdk.FunctionConfiguration
	code   *code
	free   []*environment // warm, and without work
	all    []*environment
}

// version finds a version by number or alias; "" is the latest.
func (f *function) version(qualifier string) *version {
	if a, ok := f.aliases[qualifier]; ok {
		qualifier = *a.FunctionVersion
	}
	if qualifier == "" || qualifier == latest {
		return f.latest
	}
	i := slices.IndexFunc(f.published, func(v *version) bool { return *v.config.Version == qualifier })
	if i < 0 {
		return nil
	}
	return f.published[i]
}

// stop ends all processes of a function.
func (f *function) stop() {
	for _, v := range append(slices.Clone(f.published), f.latest) {
		v.stop()
	}
}

func (v *version) stop() {
	for _, e := range v.all {
		e.stop()
	}
	v.free, v.all = nil, nil
}

// machine is this machine's architecture by Lambda's name.
func machine() string {
	if runtime.GOARCH == "arm64" {
		return sdk.ArchitectureArm64
	}
	return sdk.ArchitectureX8664
}

// CreateFunction makes a function, which is Pending for a moment.
func (l *Lambda) CreateFunction(c *wire.Call, in *sdk.CreateFunctionInput) (*sdk.FunctionConfiguration, error) {
	ref, err := l.refer(c.Region, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if err := l.checkCreate(ref.name, in); err != nil {
		return nil, err
	}
	made, err := l.load(c.Region, in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := place{c.Region, ref.name}
	if _, exists := l.functions[at]; exists {
		return nil, conflict("Function already exist: %s", at.name)
	}
	const memory, timeout, storage = 128, 3, 512
	v := &version{code: made, config: sdk.FunctionConfiguration{
		FunctionName: &at.name, FunctionArn: aws.String(l.arn(at)), Version: aws.String(latest), Role: in.Role, Runtime: in.Runtime,
		Handler: in.Handler, Description: aws.String(aws.StringValue(in.Description)), PackageType: aws.String(sdk.PackageTypeZip),
		Architectures: aws.StringSlice([]string{machine()}), Timeout: aws.Int64(cmp.Or(aws.Int64Value(in.Timeout), timeout)),
		MemorySize: aws.Int64(cmp.Or(aws.Int64Value(in.MemorySize), memory)), EphemeralStorage: &sdk.EphemeralStorage{Size: aws.Int64(storage)},
		Environment: environmentOf(in.Environment), TracingConfig: &sdk.TracingConfigResponse{Mode: aws.String(sdk.TracingModePassThrough)},
		State: aws.String(sdk.StatePending), StateReason: aws.String("The function is being created."), StateReasonCode: aws.String(sdk.StateReasonCodeCreating),
	}}
	f := &function{
		place: at, latest: v, aliases: map[string]*sdk.AliasConfiguration{}, policies: map[string][]statement{}, tags: aws.StringValueMap(in.Tags),
	}
	l.functions[at] = f
	l.stamp(v)
	l.settle(l.options.Create, func() {
		for _, one := range append(slices.Clone(f.published), f.latest) {
			one.activate()
		}
	})
	if aws.BoolValue(in.Publish) {
		v = l.publish(f, aws.StringValue(in.Description))
	}
	return v.describe(), nil
}

func (v *version) activate() {
	v.config.State, v.config.StateReason, v.config.StateReasonCode = aws.String(sdk.StateActive), nil, nil
	v.config.LastUpdateStatus = aws.String(sdk.LastUpdateStatusSuccessful)
}

// stamp notes a change.
func (l *Lambda) stamp(v *version) {
	v.config.LastModified = aws.String(l.world.Now().UTC().Format("2006-01-02T15:04:05.000-0700"))
	v.config.RevisionId = aws.String(uuid.NewString())
	v.config.CodeSha256, v.config.CodeSize = aws.String(v.code.sum), aws.Int64(int64(len(v.code.zip)))
}

// describe is a copy for answers.
func (v *version) describe() *sdk.FunctionConfiguration {
	out := &sdk.FunctionConfiguration{}
	awsutil.Copy(out, &v.config)
	return out
}

func environmentOf(e *sdk.Environment) *sdk.EnvironmentResponse {
	if e == nil || len(e.Variables) == 0 {
		return nil
	}
	return &sdk.EnvironmentResponse{Variables: maps.Clone(e.Variables)}
}

func (l *Lambda) checkCreate(name string, in *sdk.CreateFunctionInput) error {
	switch {
	case !regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`).MatchString(name):
		return badValue("The function name %s must have at most 64 letters, digits, hyphens and underscores", name)
	case in.PackageType != nil && *in.PackageType != sdk.PackageTypeZip, in.Code.ImageUri != nil:
		return badValue("The simulated Lambda runs zip files, no images")
	case in.Handler == nil:
		return badValue("Handler is mandatory for functions created with a deployment package of type Zip.")
	case len(in.Layers) > 0 || (in.VpcConfig != nil && len(in.VpcConfig.SubnetIds) > 0):
		return badValue("The simulated Lambda has neither layers nor networks")
	case len(in.Architectures) > 1:
		return badValue("Exactly one architecture must be given")
	case len(in.Architectures) == 1 && *in.Architectures[0] != machine():
		return badValue("This machine runs %s only, not %s", machine(), *in.Architectures[0])
	case len(in.Architectures) == 0 && machine() != sdk.ArchitectureX8664:
		return badValue("Without an architecture %s is meant, and this machine runs %s only", sdk.ArchitectureX8664, machine())
	}
	return l.checkSettings(settings{in.Runtime, in.Role, in.Timeout, in.MemorySize, in.Environment})
}

// settings are what creating and updating have in common.
type settings struct {
	runtime, role   *string
	timeout, memory *int64
	environment     *sdk.Environment
}

func (l *Lambda) checkSettings(s settings) error {
	const longest, largest, most = 900, 10_240, 4096
	if s.environment != nil {
		size := 0
		for key, value := range s.environment.Variables {
			size += len(key) + len(aws.StringValue(value))
			if reserved(key) {
				return badValue("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", key)
			}
		}
		if size > most {
			return badValue("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.")
		}
	}
	switch {
	case s.runtime != nil && *s.runtime != sdk.RuntimeProvidedAl2023:
		return badValue("The simulated Lambda runs %s only, not %s", sdk.RuntimeProvidedAl2023, *s.runtime)
	case s.timeout != nil && *s.timeout > longest:
		return badValue("Value '%d' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to %d", *s.timeout, longest)
	case s.memory != nil && *s.memory > largest:
		return badValue("Value '%d' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to %d", *s.memory, largest)
	case s.role != nil && !strings.Contains(*s.role, ":role/"):
		return badValue("Value '%s' at 'role' failed to satisfy constraint: it must be the ARN of a role", *s.role)
	case s.role != nil && l.options.Roles != nil && !l.options.Roles.Trusts(*s.role, "lambda.amazonaws.com"):
		return badValue("The role defined for the function cannot be assumed by Lambda.")
	}
	return nil
}

// reserved says whether only Lambda may set an environment variable.
func reserved(key string) bool {
	return slices.Contains([]string{
		"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
		"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
	}, key)
}

// GetFunction tells about a function, its tags and its concurrency. Where the code
// is goes unsaid: nothing serves it.
func (l *Lambda) GetFunction(c *wire.Call, in *sdk.GetFunctionInput) (*sdk.GetFunctionOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, v, _, err := l.version(c.Region, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	out := &sdk.GetFunctionOutput{Configuration: v.describe(), Code: &sdk.FunctionCodeLocation{RepositoryType: aws.String("S3")}, Tags: aws.StringMap(f.tags)}
	if f.reserved != nil {
		out.Concurrency = &sdk.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: aws.Int64(*f.reserved)}
	}
	return out, nil
}

// GetFunctionConfiguration tells about a function.
func (l *Lambda) GetFunctionConfiguration(c *wire.Call, in *sdk.GetFunctionConfigurationInput) (*sdk.FunctionConfiguration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, v, _, err := l.version(c.Region, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return v.describe(), nil
}

// ListFunctions lists the Region's functions, or all their versions.
func (l *Lambda) ListFunctions(c *wire.Call, in *sdk.ListFunctionsInput) (*sdk.ListFunctionsOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []*sdk.FunctionConfiguration
	for at, f := range l.functions {
		if at.region != c.Region {
			continue
		}
		found = append(found, f.latest.describe())
		if in.FunctionVersion != nil { // ALL is its only value
			for _, v := range f.published {
				found = append(found, v.describe())
			}
		}
	}
	page, next, err := paged(in.Marker, in.MaxItems, found)
	return &sdk.ListFunctionsOutput{Functions: page, NextMarker: next}, err
}

func paged(marker *string, size *int64, found []*sdk.FunctionConfiguration) ([]*sdk.FunctionConfiguration, *string, error) {
	return wire.Paginate(wire.Page{Token: marker, Size: size, SizeName: "MaxItems", Min: 1, Max: 10_000, Default: 50}, found,
		func(f *sdk.FunctionConfiguration) string {
			n, err := strconv.Atoi(*f.Version)
			if err != nil {
				n = 0 // $LATEST comes first
			}
			return fmt.Sprintf("%s:%08d", *f.FunctionName, n)
		})
}

// change makes a new $LATEST after fn has changed a copy of it; l.mu is held.
func (l *Lambda) change(f *function, fn func(v *version)) *version {
	next := &version{config: *f.latest.describe(), code: f.latest.code}
	fn(next)
	l.stamp(next)
	next.config.LastUpdateStatus = aws.String(sdk.LastUpdateStatusInProgress)
	f.latest.retire()
	f.latest = next
	l.settle(l.options.Update, func() { next.config.LastUpdateStatus = aws.String(sdk.LastUpdateStatusSuccessful) })
	return next
}

// changeable finds a function whose $LATEST can be changed now.
func (l *Lambda) changeable(region string, name, revision *string) (*function, error) {
	f, _, err := l.find(region, name, nil)
	switch {
	case err != nil:
		return nil, err
	case *f.latest.config.State == sdk.StatePending:
		return nil, conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	case aws.StringValue(f.latest.config.LastUpdateStatus) == sdk.LastUpdateStatusInProgress:
		return nil, conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", l.arn(f.place))
	case revision != nil && *revision != *f.latest.config.RevisionId:
		return nil, refuse(412, sdk.ErrCodePreconditionFailedException, "The Revision Id provided does not match the latest Revision Id.")
	}
	return f, nil
}

// UpdateFunctionCode replaces the code of $LATEST.
func (l *Lambda) UpdateFunctionCode(c *wire.Call, in *sdk.UpdateFunctionCodeInput) (*sdk.FunctionConfiguration, error) {
	if len(in.Architectures) > 0 && *in.Architectures[0] != machine() {
		return nil, badValue("This machine runs %s only, not %s", machine(), *in.Architectures[0])
	}
	made, err := l.load(c.Region, in.ZipFile, in.S3Bucket, in.S3Key)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.changeable(c.Region, in.FunctionName, in.RevisionId)
	if err != nil {
		return nil, err
	}
	if aws.BoolValue(in.DryRun) {
		return f.latest.describe(), nil
	}
	v := l.change(f, func(v *version) { v.code = made })
	if aws.BoolValue(in.Publish) {
		v = l.publish(f, aws.StringValue(v.config.Description))
	}
	return v.describe(), nil
}

// UpdateFunctionConfiguration changes the settings of $LATEST.
func (l *Lambda) UpdateFunctionConfiguration(c *wire.Call, in *sdk.UpdateFunctionConfigurationInput) (*sdk.FunctionConfiguration, error) {
	if err := l.checkSettings(settings{in.Runtime, in.Role, in.Timeout, in.MemorySize, in.Environment}); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.changeable(c.Region, in.FunctionName, in.RevisionId)
	if err != nil {
		return nil, err
	}
	v := l.change(f, func(v *version) {
		v.config.Runtime, v.config.Role = cmp.Or(in.Runtime, v.config.Runtime), cmp.Or(in.Role, v.config.Role)
		v.config.Handler, v.config.Description = cmp.Or(in.Handler, v.config.Handler), cmp.Or(in.Description, v.config.Description)
		v.config.Timeout, v.config.MemorySize = cmp.Or(in.Timeout, v.config.Timeout), cmp.Or(in.MemorySize, v.config.MemorySize)
		if in.Environment != nil {
			v.config.Environment = environmentOf(in.Environment)
		}
	})
	return v.describe(), nil
}

// DeleteFunction removes a function with all its versions, or one version.
func (l *Lambda) DeleteFunction(c *wire.Call, in *sdk.DeleteFunctionInput) (*sdk.DeleteFunctionOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ref, err := l.find(c.Region, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if ref.qualifier == "" {
		f.stop()
		delete(l.functions, f.place)
		return nil, nil
	}
	v := f.version(ref.qualifier)
	if v == nil || v == f.latest || f.aliases[ref.qualifier] != nil {
		return nil, badValue("Only a published version can be deleted by itself, not %s", ref.qualifier)
	}
	for _, a := range f.aliases {
		if *a.FunctionVersion == ref.qualifier {
			return nil, conflict("Unable to delete version because the following aliases reference it: [%s]", *a.Name)
		}
	}
	v.stop()
	f.published = slices.DeleteFunc(f.published, func(o *version) bool { return o == v })
	return nil, nil
}

// timeout is how long the function may run, in real time.
func (v *version) timeout() time.Duration {
	return time.Duration(*v.config.Timeout) * time.Second
}
