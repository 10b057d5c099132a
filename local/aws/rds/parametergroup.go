package rds

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

// parameterGroup is a DB parameter group or, with cluster, a DB cluster
// parameter group. Their names don't collide.
type parameterGroup struct {
	place
	cluster             bool
	family, description string
	values              map[string]parameterValue // those that were set
	tags                map[string]string
}

type parameterValue struct{ text, method string }

// groupPlace names a parameter group.
type groupPlace struct {
	place
	cluster bool
}

func (r *RDS) serveParameterGroups() {
	wire.Handle(r.wire, "CreateDBParameterGroup", r.createParameterGroup)
	wire.Handle(r.wire, "DescribeDBParameterGroups", r.describeParameterGroups)
	wire.Handle(r.wire, "DescribeDBParameters", r.describeParameters)
	wire.Handle(r.wire, "ModifyDBParameterGroup", r.modifyParameterGroup)
	wire.Handle(r.wire, "ResetDBParameterGroup", r.resetParameterGroup)
	wire.Handle(r.wire, "DeleteDBParameterGroup", r.deleteParameterGroup)
	r.serveClusterParameterGroups()
}

// makeParameterGroup checks and keeps a new group; r.mu is held.
func (r *RDS) makeParameterGroup(g *parameterGroup) error {
	if err := checkGroupName("DBParameterGroupName", g.id); err != nil {
		return err
	}
	if strings.HasPrefix(g.id, "default.") {
		return badValue("The parameter DBParameterGroupName is not a valid identifier: names that begin with default. are AWS's own")
	}
	if engineOf(g.family) == "" || (g.cluster && !aurora(g.family)) {
		return badValue("ParameterGroupFamily %s is not a valid parameter group family", g.family)
	}
	at := groupPlace{g.place, g.cluster}
	if r.parameterGroups[at] != nil {
		return fault(rds.ErrCodeDBParameterGroupAlreadyExistsFault, "Parameter group %s already exists", g.id)
	}
	g.values = map[string]parameterValue{}
	r.parameterGroups[at] = g
	return nil
}

// findParameterGroup finds one by name; those called default.FAMILY always exist
// and can't be changed. r.mu is held.
func (r *RDS) findParameterGroup(region string, name *string, cluster bool) (*parameterGroup, error) {
	at := groupPlace{locate(region, name), cluster}
	if g := r.parameterGroups[at]; g != nil {
		return g, nil
	}
	if family, ok := strings.CutPrefix(at.id, "default."); ok && engineOf(family) != "" {
		return &parameterGroup{
			place: at.place, cluster: cluster, family: family, description: "Default parameter group for " + family, tags: map[string]string{},
		}, nil
	}
	if cluster {
		return nil, missing(rds.ErrCodeDBParameterGroupNotFoundFault, "DBClusterParameterGroup not found: %s", aws.StringValue(name))
	}
	return nil, missing(rds.ErrCodeDBParameterGroupNotFoundFault, "DBParameterGroup not found: %s", aws.StringValue(name))
}

// changeable is findParameterGroup for a group that the user made.
func (r *RDS) changeable(region string, name *string, cluster bool) (*parameterGroup, error) {
	g, err := r.findParameterGroup(region, name, cluster)
	if err == nil && strings.HasPrefix(g.id, "default.") {
		return nil, fault(rds.ErrCodeInvalidDBParameterGroupStateFault, "The default parameter group %s can't be changed or deleted", g.id)
	}
	return g, err
}

// set changes parameters, or none when one of them is refused.
func (g *parameterGroup) set(parameters []*rds.Parameter) error {
	next := maps.Clone(g.values)
	for _, p := range parameters {
		s, err := g.setting(p)
		if err != nil {
			return err
		}
		value := aws.StringValue(p.ParameterValue)
		if !s.accepts(value) {
			return badValue("Invalid parameter value: %s for: %s allowed values are: %s", value, s.name, s.allowed)
		}
		next[s.name] = parameterValue{value, aws.StringValue(p.ApplyMethod)}
	}
	g.values = next
	return nil
}

// reset gives parameters their defaults back; without any, all of them.
func (g *parameterGroup) reset(parameters []*rds.Parameter, all *bool) error {
	if aws.BoolValue(all) == (len(parameters) > 0) {
		return badCombination("Either ResetAllParameters or a list of parameters must be given")
	}
	if aws.BoolValue(all) {
		g.values = map[string]parameterValue{}
		return nil
	}
	next := maps.Clone(g.values)
	for _, p := range parameters {
		s, err := g.setting(p)
		if err != nil {
			return err
		}
		delete(next, s.name)
	}
	g.values = next
	return nil
}

// setting finds a parameter of the family and checks how it is to be applied.
func (g *parameterGroup) setting(p *rds.Parameter) (setting, error) {
	all := settings(g.family)
	i := slices.IndexFunc(all, func(s setting) bool {
		return s.name == aws.StringValue(p.ParameterName) && (s.cluster || !g.cluster)
	})
	switch {
	case i < 0:
		return setting{}, badValue("Could not find parameter with name: %s", aws.StringValue(p.ParameterName))
	case all[i].static && aws.StringValue(p.ApplyMethod) == rds.ApplyMethodImmediate:
		return setting{}, badCombination("cannot use immediate apply method for static parameter")
	}
	return all[i], nil
}

// parameters lists the group's parameters, those from a source only when one is
// given: "user" or "engine-default".
func (g *parameterGroup) parameters(source *string) []*rds.Parameter {
	var out []*rds.Parameter
	for _, s := range settings(g.family) {
		value, set := g.values[s.name]
		from := "engine-default"
		if set {
			from = "user"
		}
		if (g.cluster && !s.cluster) || (source != nil && *source != from) {
			continue
		}
		p := &rds.Parameter{
			ParameterName: aws.String(s.name), Source: aws.String(from), DataType: aws.String(s.kind), IsModifiable: aws.Bool(true),
			ApplyType: aws.String("dynamic"), ApplyMethod: aws.String(rds.ApplyMethodPendingReboot),
		}
		if s.static {
			p.ApplyType = aws.String("static")
		}
		if s.allowed != "" {
			p.AllowedValues = aws.String(s.allowed)
		}
		if text := value.text; set || s.value != "" {
			if !set {
				text = s.value
			}
			p.ParameterValue = aws.String(text)
		}
		if value.method != "" {
			p.ApplyMethod = aws.String(value.method)
		}
		out = append(out, p)
	}
	return out
}

// groups lists the Region's groups of one sort; r.mu is held.
func (r *RDS) groups(region string, name *string, cluster bool) ([]*parameterGroup, error) {
	if name != nil {
		g, err := r.findParameterGroup(region, name, cluster)
		return []*parameterGroup{g}, err
	}
	var out []*parameterGroup
	for at, g := range r.parameterGroups {
		if at.region == region && at.cluster == cluster {
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b *parameterGroup) int { return strings.Compare(a.id, b.id) })
	return out, nil
}

func (r *RDS) describeParameterGroup(g *parameterGroup) *rds.DBParameterGroup {
	return &rds.DBParameterGroup{
		DBParameterGroupName: aws.String(g.id), DBParameterGroupFamily: aws.String(g.family), Description: aws.String(g.description),
		DBParameterGroupArn: aws.String(r.arn(g.region, "pg", g.id)),
	}
}

func (r *RDS) createParameterGroup(call *wire.Call, in *rds.CreateDBParameterGroupInput) (*rds.CreateDBParameterGroupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := &parameterGroup{
		place: locate(call.Region, in.DBParameterGroupName), family: aws.StringValue(in.DBParameterGroupFamily),
		description: aws.StringValue(in.Description), tags: tagsOf(in.Tags),
	}
	if err := r.makeParameterGroup(g); err != nil {
		return nil, err
	}
	return &rds.CreateDBParameterGroupOutput{DBParameterGroup: r.describeParameterGroup(g)}, nil
}

func (r *RDS) describeParameterGroups(call *wire.Call, in *rds.DescribeDBParameterGroupsInput) (*rds.DescribeDBParameterGroupsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.groups(call.Region, in.DBParameterGroupName, false)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(found, in.Marker, in.MaxRecords)
	out := &rds.DescribeDBParameterGroupsOutput{Marker: next}
	for _, g := range page {
		out.DBParameterGroups = append(out.DBParameterGroups, r.describeParameterGroup(g))
	}
	return out, err
}

func (r *RDS) describeParameters(call *wire.Call, in *rds.DescribeDBParametersInput) (*rds.DescribeDBParametersOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.findParameterGroup(call.Region, in.DBParameterGroupName, false)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(g.parameters(in.Source), in.Marker, in.MaxRecords)
	return &rds.DescribeDBParametersOutput{Parameters: page, Marker: next}, err
}

func (r *RDS) modifyParameterGroup(call *wire.Call, in *rds.ModifyDBParameterGroupInput) (*rds.DBParameterGroupNameMessage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.changeable(call.Region, in.DBParameterGroupName, false)
	if err != nil {
		return nil, err
	}
	return &rds.DBParameterGroupNameMessage{DBParameterGroupName: aws.String(g.id)}, g.set(in.Parameters)
}

func (r *RDS) resetParameterGroup(call *wire.Call, in *rds.ResetDBParameterGroupInput) (*rds.DBParameterGroupNameMessage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.changeable(call.Region, in.DBParameterGroupName, false)
	if err != nil {
		return nil, err
	}
	return &rds.DBParameterGroupNameMessage{DBParameterGroupName: aws.String(g.id)}, g.reset(in.Parameters, in.ResetAllParameters)
}

func (r *RDS) deleteParameterGroup(call *wire.Call, in *rds.DeleteDBParameterGroupInput) (*rds.DeleteDBParameterGroupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.changeable(call.Region, in.DBParameterGroupName, false)
	if err != nil {
		return nil, err
	}
	delete(r.parameterGroups, groupPlace{g.place, false})
	return &rds.DeleteDBParameterGroupOutput{}, nil
}
