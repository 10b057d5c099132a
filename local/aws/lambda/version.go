package lambda

import (
	"cmp"
	"maps"
	"regexp"
	"strconv"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/lambda"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// publish makes a version of what $LATEST is, unless the newest one is the same;
// l.mu is held.
func (l *Lambda) publish(f *function, description string) *version {
	if n := len(f.published); n > 0 {
		last := f.published[n-1]
		if last.code.sum == f.latest.code.sum && sameSettings(&last.config, &f.latest.config) {
			return last
		}
	}
	f.numbered++
	number := strconv.Itoa(f.numbered)
	v := &version{config: *f.latest.describe(), code: f.latest.code}
	v.config.Version, v.config.FunctionArn = &number, aws.String(l.arn(f.place)+":"+number)
	v.config.RevisionId = aws.String(uuid.NewString())
	if description != "" {
		v.config.Description = &description
	}
	if *v.config.State == sdk.StateActive {
		v.activate()
	}
	f.published = append(f.published, v)
	return v
}

// sameSettings says whether two versions would behave alike.
func sameSettings(a, b *sdk.FunctionConfiguration) bool {
	return *a.Timeout == *b.Timeout && *a.MemorySize == *b.MemorySize && *a.Role == *b.Role &&
		aws.StringValue(a.Handler) == aws.StringValue(b.Handler) && maps.Equal(variables(a), variables(b))
}

// variables is a function's own environment.
func variables(c *sdk.FunctionConfiguration) map[string]string {
	if c.Environment == nil {
		return nil
	}
	return aws.StringValueMap(c.Environment.Variables)
}

// PublishVersion freezes $LATEST under the next number.
func (l *Lambda) PublishVersion(c *wire.Call, in *sdk.PublishVersionInput) (*sdk.FunctionConfiguration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.changeable(c.Region, in.FunctionName, in.RevisionId)
	switch {
	case err != nil:
		return nil, err
	case in.CodeSha256 != nil && *in.CodeSha256 != f.latest.code.sum:
		return nil, badValue("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.", *in.CodeSha256, f.latest.code.sum)
	}
	return l.publish(f, aws.StringValue(in.Description)).describe(), nil
}

// ListVersionsByFunction lists $LATEST and what was published.
func (l *Lambda) ListVersionsByFunction(c *wire.Call, in *sdk.ListVersionsByFunctionInput) (*sdk.ListVersionsByFunctionOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, _, err := l.find(c.Region, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	found := []*sdk.FunctionConfiguration{f.latest.describe()}
	for _, v := range f.published {
		found = append(found, v.describe())
	}
	page, next, err := paged(in.Marker, in.MaxItems, found)
	return &sdk.ListVersionsByFunctionOutput{Versions: page, NextMarker: next}, err
}

// checkAlias refuses a version that isn't there, and traffic in shares.
func (f *function) checkAlias(number *string, routing *sdk.AliasRoutingConfiguration) error {
	switch {
	case routing != nil && len(routing.AdditionalVersionWeights) > 0:
		return badValue("The simulated Lambda sends all traffic of an alias to one version")
	case number != nil && f.aliases[*number] != nil, number != nil && f.version(*number) == nil:
		return notFound("Function not found: %s:%s", *f.latest.config.FunctionArn, *number)
	}
	return nil
}

// CreateAlias names a version.
func (l *Lambda) CreateAlias(c *wire.Call, in *sdk.CreateAliasInput) (*sdk.AliasConfiguration, error) {
	if !regexp.MustCompile(`^[a-zA-Z0-9-_]{1,128}$`).MatchString(*in.Name) || regexp.MustCompile(`^[0-9]+$`).MatchString(*in.Name) {
		return nil, badValue("Value '%s' at 'name' failed to satisfy constraint: an alias must not look like a version", *in.Name)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, _, err := l.find(c.Region, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	if f.aliases[*in.Name] != nil {
		return nil, conflict("Alias already exists: %s:%s", l.arn(f.place), *in.Name)
	}
	if err := f.checkAlias(in.FunctionVersion, in.RoutingConfig); err != nil {
		return nil, err
	}
	a := &sdk.AliasConfiguration{
		Name: in.Name, AliasArn: aws.String(l.arn(f.place) + ":" + *in.Name), FunctionVersion: in.FunctionVersion,
		Description: aws.String(aws.StringValue(in.Description)), RevisionId: aws.String(uuid.NewString()),
	}
	f.aliases[*in.Name] = a
	return copied(a), nil
}

func copied(a *sdk.AliasConfiguration) *sdk.AliasConfiguration {
	out := *a
	return &out
}

// alias finds one by name; l.mu is held.
func (l *Lambda) alias(region string, function, name *string) (*function, *sdk.AliasConfiguration, error) {
	f, _, err := l.find(region, function, nil)
	if err != nil {
		return nil, nil, err
	}
	a, ok := f.aliases[aws.StringValue(name)]
	if !ok {
		return nil, nil, notFound("Cannot find alias arn: %s:%s", l.arn(f.place), aws.StringValue(name))
	}
	return f, a, nil
}

// GetAlias tells which version an alias names.
func (l *Lambda) GetAlias(c *wire.Call, in *sdk.GetAliasInput) (*sdk.AliasConfiguration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, a, err := l.alias(c.Region, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	return copied(a), nil
}

// UpdateAlias lets an alias name another version.
func (l *Lambda) UpdateAlias(c *wire.Call, in *sdk.UpdateAliasInput) (*sdk.AliasConfiguration, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, a, err := l.alias(c.Region, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	if in.RevisionId != nil && *in.RevisionId != *a.RevisionId {
		return nil, refuse(412, sdk.ErrCodePreconditionFailedException, "The Revision Id provided does not match the latest Revision Id.")
	}
	if err := f.checkAlias(in.FunctionVersion, in.RoutingConfig); err != nil {
		return nil, err
	}
	a.FunctionVersion, a.Description = cmp.Or(in.FunctionVersion, a.FunctionVersion), cmp.Or(in.Description, a.Description)
	a.RevisionId = aws.String(uuid.NewString())
	return copied(a), nil
}

// DeleteAlias forgets an alias.
func (l *Lambda) DeleteAlias(c *wire.Call, in *sdk.DeleteAliasInput) (*sdk.DeleteAliasOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, a, err := l.alias(c.Region, in.FunctionName, in.Name)
	if err != nil {
		return nil, err
	}
	delete(f.aliases, *a.Name)
	return nil, nil
}

// ListAliases lists a function's aliases, or those of one version.
func (l *Lambda) ListAliases(c *wire.Call, in *sdk.ListAliasesInput) (*sdk.ListAliasesOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, _, err := l.find(c.Region, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	var found []*sdk.AliasConfiguration
	for _, a := range f.aliases {
		if in.FunctionVersion == nil || *in.FunctionVersion == *a.FunctionVersion {
			found = append(found, copied(a))
		}
	}
	page, next, err := wire.Paginate(wire.Page{Token: in.Marker, Size: in.MaxItems, SizeName: "MaxItems", Min: 1, Max: 10_000, Default: 50}, found,
		func(a *sdk.AliasConfiguration) string { return *a.Name })
	return &sdk.ListAliasesOutput{Aliases: page, NextMarker: next}, err
}
