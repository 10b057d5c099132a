package rds

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

// optionGroup is a named set of options. The set is always empty: what matters to
// recovery is whether the group exists where a copy or a restore needs it.
type optionGroup struct {
	place
	engine, major, about string
	tags                 map[string]string
}

func (r *RDS) serveOptionGroups() {
	wire.Handle(r.wire, "CreateOptionGroup", r.createOptionGroup)
	wire.Handle(r.wire, "DescribeOptionGroups", r.describeOptionGroups)
	wire.Handle(r.wire, "DeleteOptionGroup", r.deleteOptionGroup)
}

// optionGroup finds one that was created; r.mu is held.
func (r *RDS) findOptionGroup(region string, name *string) (*optionGroup, error) {
	if g, ok := r.optionGroups[locate(region, name)]; ok {
		return g, nil
	}
	return nil, missing(rds.ErrCodeOptionGroupNotFoundFault, "Specified OptionGroupName: %s not found.", aws.StringValue(name))
}

func (r *RDS) createOptionGroup(call *wire.Call, in *rds.CreateOptionGroupInput) (*rds.CreateOptionGroupOutput, error) {
	if err := checkIdentifier("OptionGroupName", *in.OptionGroupName); err != nil {
		return nil, err
	}
	if major := majorVersion(*in.EngineName); major == "" || aurora(*in.EngineName) {
		return nil, badValue("Invalid DB engine: %s", *in.EngineName)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := place{call.Region, strings.ToLower(*in.OptionGroupName)}
	if r.optionGroups[at] != nil {
		return nil, fault(rds.ErrCodeOptionGroupAlreadyExistsFault, "The option group %s already exists.", at.id)
	}
	g := &optionGroup{place: at, engine: *in.EngineName, major: *in.MajorEngineVersion, about: *in.OptionGroupDescription, tags: tagsOf(in.Tags)}
	r.optionGroups[at] = g
	return &rds.CreateOptionGroupOutput{OptionGroup: r.describeOptionGroup(g)}, nil
}

// majorVersion is an engine's major version as option groups name it, by the
// version that new instances get; "" for an engine that isn't known.
func majorVersion(engine string) string {
	version := defaultVersion(engine)
	switch {
	case version == defaultVersion(""):
		return ""
	case strings.Contains(engine, "mysql"):
		return strings.Join(strings.Split(version, ".")[:2], ".")
	default:
		return strings.Split(version, ".")[0]
	}
}

// usualOptions is the option group of an instance that names none.
func usualOptions(engine string) string {
	return "default:" + engine + "-" + strings.ReplaceAll(majorVersion(engine), ".", "-")
}

// checkOptions refuses an option group that isn't there or is for another engine.
func (r *RDS) checkOptions(region, engine string, name *string) error {
	if name == nil || strings.HasPrefix(*name, "default:") {
		return nil
	}
	g, err := r.findOptionGroup(region, name)
	switch {
	case err != nil:
		return err
	case g.engine != engine:
		return badCombination("The option group %s is for %s, not for %s", g.id, g.engine, engine)
	}
	return nil
}

func (r *RDS) describeOptionGroups(call *wire.Call, in *rds.DescribeOptionGroupsInput) (*rds.DescribeOptionGroupsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if in.OptionGroupName != nil {
		g, err := r.findOptionGroup(call.Region, in.OptionGroupName)
		if err != nil {
			return nil, err
		}
		return &rds.DescribeOptionGroupsOutput{OptionGroupsList: []*rds.OptionGroup{r.describeOptionGroup(g)}}, nil
	}
	var found []*optionGroup
	for at, g := range r.optionGroups {
		if at.region == call.Region && (in.EngineName == nil || *in.EngineName == g.engine) && (in.MajorEngineVersion == nil || *in.MajorEngineVersion == g.major) {
			found = append(found, g)
		}
	}
	slices.SortFunc(found, func(a, b *optionGroup) int { return cmp.Compare(a.id, b.id) })
	page, marker, err := paginate(found, in.Marker, in.MaxRecords)
	out := &rds.DescribeOptionGroupsOutput{Marker: marker}
	for _, g := range page {
		out.OptionGroupsList = append(out.OptionGroupsList, r.describeOptionGroup(g))
	}
	return out, err
}

func (r *RDS) describeOptionGroup(g *optionGroup) *rds.OptionGroup {
	return &rds.OptionGroup{
		OptionGroupName: aws.String(g.id), OptionGroupArn: aws.String(r.arn(g.region, "og", g.id)), EngineName: aws.String(g.engine),
		MajorEngineVersion: aws.String(g.major), OptionGroupDescription: aws.String(g.about), AllowsVpcAndNonVpcInstanceMemberships: aws.Bool(true),
	}
}

func (r *RDS) deleteOptionGroup(call *wire.Call, in *rds.DeleteOptionGroupInput) (*rds.DeleteOptionGroupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.findOptionGroup(call.Region, in.OptionGroupName)
	if err != nil {
		return nil, err
	}
	for _, i := range r.instances {
		if i.region == g.region && i.options == g.id {
			return nil, fault(rds.ErrCodeInvalidOptionGroupStateFault, "The option group %s is in use by %s.", g.id, i.id)
		}
	}
	delete(r.optionGroups, g.place)
	return nil, nil
}
