package rds

import (
	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/wire"
)

func (r *RDS) serveClusterParameterGroups() {
	wire.Handle(r.wire, "CreateDBClusterParameterGroup", r.createClusterParameterGroup)
	wire.Handle(r.wire, "DescribeDBClusterParameterGroups", r.describeClusterParameterGroups)
	wire.Handle(r.wire, "DescribeDBClusterParameters", r.describeClusterParameters)
	wire.Handle(r.wire, "ModifyDBClusterParameterGroup", r.modifyClusterParameterGroup)
	wire.Handle(r.wire, "ResetDBClusterParameterGroup", r.resetClusterParameterGroup)
	wire.Handle(r.wire, "DeleteDBClusterParameterGroup", r.deleteClusterParameterGroup)
}

func (r *RDS) describeClusterParameterGroup(g *parameterGroup) *rds.DBClusterParameterGroup {
	return &rds.DBClusterParameterGroup{
		DBClusterParameterGroupName: aws.String(g.id), DBParameterGroupFamily: aws.String(g.family), Description: aws.String(g.description),
		DBClusterParameterGroupArn: aws.String(r.arn(g.region, "cluster-pg", g.id)),
	}
}

func (r *RDS) createClusterParameterGroup(call *wire.Call, in *rds.CreateDBClusterParameterGroupInput) (*rds.CreateDBClusterParameterGroupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := &parameterGroup{
		place: locate(call.Region, in.DBClusterParameterGroupName), cluster: true, family: aws.StringValue(in.DBParameterGroupFamily),
		description: aws.StringValue(in.Description), tags: tagsOf(in.Tags),
	}
	if err := r.makeParameterGroup(g); err != nil {
		return nil, err
	}
	return &rds.CreateDBClusterParameterGroupOutput{DBClusterParameterGroup: r.describeClusterParameterGroup(g)}, nil
}

func (r *RDS) describeClusterParameterGroups(call *wire.Call, in *rds.DescribeDBClusterParameterGroupsInput) (*rds.DescribeDBClusterParameterGroupsOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.groups(call.Region, in.DBClusterParameterGroupName, true)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(found, in.Marker, in.MaxRecords)
	out := &rds.DescribeDBClusterParameterGroupsOutput{Marker: next}
	for _, g := range page {
		out.DBClusterParameterGroups = append(out.DBClusterParameterGroups, r.describeClusterParameterGroup(g))
	}
	return out, err
}

func (r *RDS) describeClusterParameters(call *wire.Call, in *rds.DescribeDBClusterParametersInput) (*rds.DescribeDBClusterParametersOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.findParameterGroup(call.Region, in.DBClusterParameterGroupName, true)
	if err != nil {
		return nil, err
	}
	page, next, err := paginate(g.parameters(in.Source), in.Marker, in.MaxRecords)
	return &rds.DescribeDBClusterParametersOutput{Parameters: page, Marker: next}, err
}

func (r *RDS) modifyClusterParameterGroup(call *wire.Call, in *rds.ModifyDBClusterParameterGroupInput) (*rds.DBClusterParameterGroupNameMessage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.changeable(call.Region, in.DBClusterParameterGroupName, true)
	if err != nil {
		return nil, err
	}
	return &rds.DBClusterParameterGroupNameMessage{DBClusterParameterGroupName: aws.String(g.id)}, g.set(in.Parameters)
}

func (r *RDS) resetClusterParameterGroup(call *wire.Call, in *rds.ResetDBClusterParameterGroupInput) (*rds.DBClusterParameterGroupNameMessage, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.changeable(call.Region, in.DBClusterParameterGroupName, true)
	if err != nil {
		return nil, err
	}
	return &rds.DBClusterParameterGroupNameMessage{DBClusterParameterGroupName: aws.String(g.id)}, g.reset(in.Parameters, in.ResetAllParameters)
}

// deleteClusterParameterGroup refuses while a cluster uses the group.
func (r *RDS) deleteClusterParameterGroup(call *wire.Call, in *rds.DeleteDBClusterParameterGroupInput) (*rds.DeleteDBClusterParameterGroupOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	g, err := r.changeable(call.Region, in.DBClusterParameterGroupName, true)
	if err != nil {
		return nil, err
	}
	for at, c := range r.clusters {
		if at.region == g.region && c.parameterGroup == g.id {
			return nil, fault(rds.ErrCodeInvalidDBParameterGroupStateFault, "One or more database clusters are still members of this parameter group %s, so the group cannot be deleted", g.id)
		}
	}
	delete(r.parameterGroups, groupPlace{g.place, true})
	return &rds.DeleteDBClusterParameterGroupOutput{}, nil
}
