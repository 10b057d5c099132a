package cloudformation

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/rds"

	"lifeline/local/aws/cloudformation/template"
)

// databaseKinds are what databases are placed in: subnet groups and parameter
// groups. Databases themselves are made by runbooks.
func databaseKinds() map[string]kind {
	return map[string]kind{
		"AWS::RDS::DBSubnetGroup": {
			takes: 5 * time.Second, tagged: true, fixed: []string{"DBSubnetGroupName"}, mutable: []string{"DBSubnetGroupDescription", "SubnetIds"},
			create: createSubnetGroup, read: readSubnetGroup, update: updateSubnetGroup, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteDBSubnetGroupOutput](h, "rds", "DeleteDBSubnetGroup", &sdk.DeleteDBSubnetGroupInput{DBSubnetGroupName: &id})
				return err
			},
		},
		"AWS::RDS::DBParameterGroup": {
			takes: 10 * time.Second, tagged: true, fixed: []string{"DBParameterGroupName", "Description", "Family"}, mutable: []string{"Parameters"},
			create: createParameters, read: readParameters, update: updateParameters, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteDBParameterGroupOutput](h, "rds", "DeleteDBParameterGroup", &sdk.DeleteDBParameterGroupInput{DBParameterGroupName: &id})
				return err
			},
		},
		"AWS::RDS::DBClusterParameterGroup": {
			takes: 10 * time.Second, tagged: true, fixed: []string{"DBClusterParameterGroupName", "Description", "Family"}, mutable: []string{"Parameters"},
			create: createClusterParameters, read: readClusterParameters, update: updateClusterParameters, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteDBClusterParameterGroupOutput](h, "rds", "DeleteDBClusterParameterGroup",
					&sdk.DeleteDBClusterParameterGroupInput{DBClusterParameterGroupName: &id})
				return err
			},
		},
	}
}

func retagRDS(h *hand, arn *string, before, after props) error {
	set, remove := retag[sdk.Tag](h, before, after)
	if len(set) > 0 {
		if _, err := ask[sdk.AddTagsToResourceOutput](h, "rds", "AddTagsToResource", &sdk.AddTagsToResourceInput{ResourceName: arn, Tags: set}); err != nil {
			return err
		}
	}
	if len(remove) == 0 {
		return nil
	}
	_, err := ask[sdk.RemoveTagsFromResourceOutput](h, "rds", "RemoveTagsFromResource", &sdk.RemoveTagsFromResourceInput{ResourceName: arn, TagKeys: remove})
	return err
}

func liveRDSTags(h *hand, arn *string) (any, error) {
	out, err := ask[sdk.ListTagsForResourceOutput](h, "rds", "ListTagsForResource", &sdk.ListTagsForResourceInput{ResourceName: arn})
	if err != nil {
		return nil, err
	}
	return plain(out)["TagList"], nil
}

func createSubnetGroup(h *hand, p props) (string, error) {
	in := &sdk.CreateDBSubnetGroupInput{DBSubnetGroupName: aws.String(strings.ToLower(h.name(255))), Tags: tags[sdk.Tag](h, p)}
	if err := fill(in, p, "DBSubnetGroupName", "DBSubnetGroupDescription", "SubnetIds"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateDBSubnetGroupOutput](h, "rds", "CreateDBSubnetGroup", in)
	if err != nil {
		return "", err
	}
	return *out.DBSubnetGroup.DBSubnetGroupName, nil
}

func subnetGroup(h *hand, id string) (*sdk.DBSubnetGroup, error) {
	out, err := ask[sdk.DescribeDBSubnetGroupsOutput](h, "rds", "DescribeDBSubnetGroups", &sdk.DescribeDBSubnetGroupsInput{DBSubnetGroupName: &id})
	if err != nil {
		return nil, err
	}
	return out.DBSubnetGroups[0], nil
}

func updateSubnetGroup(h *hand, id string, before, after props) error {
	in := &sdk.ModifyDBSubnetGroupInput{DBSubnetGroupName: &id}
	if err := fill(in, after, "DBSubnetGroupDescription", "SubnetIds"); err != nil {
		return err
	}
	out, err := ask[sdk.ModifyDBSubnetGroupOutput](h, "rds", "ModifyDBSubnetGroup", in)
	if err != nil {
		return err
	}
	return retagRDS(h, out.DBSubnetGroup.DBSubnetGroupArn, before, after)
}

func readSubnetGroup(h *hand, id string, _ props) (props, map[string]any, error) {
	g, err := subnetGroup(h, id)
	if err != nil {
		return nil, nil, err
	}
	live := plain(g)
	ids := []any{}
	for _, s := range g.Subnets {
		ids = append(ids, *s.SubnetIdentifier)
	}
	live["SubnetIds"] = ids
	live["Tags"], err = liveRDSTags(h, g.DBSubnetGroupArn)
	return live, map[string]any{}, err
}

// settings are the parameters of a property as RDS takes them. They wait for the
// next reboot, as CloudFormation has it.
func parameterList(p props) []*sdk.Parameter {
	all := p.object("Parameters")
	var out []*sdk.Parameter
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, &sdk.Parameter{
			ParameterName: aws.String(name), ParameterValue: aws.String(template.Text(all[name])), ApplyMethod: aws.String(sdk.ApplyMethodPendingReboot),
		})
	}
	return out
}

// dropped are the parameters that an update leaves out.
func dropped(before, after props) []*sdk.Parameter {
	return slices.DeleteFunc(parameterList(before), func(p *sdk.Parameter) bool {
		_, kept := after.object("Parameters")[*p.ParameterName]
		return kept
	})
}

// liveParameters are those that somebody has set.
func liveParameters(list []*sdk.Parameter) map[string]any {
	out := map[string]any{}
	for _, p := range list {
		out[*p.ParameterName] = aws.StringValue(p.ParameterValue)
	}
	return out
}

func createParameters(h *hand, p props) (string, error) {
	in := &sdk.CreateDBParameterGroupInput{DBParameterGroupName: aws.String(strings.ToLower(h.name(255))), Tags: tags[sdk.Tag](h, p)}
	if err := fill(in, p, "DBParameterGroupName", "Description", "Family:DBParameterGroupFamily"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateDBParameterGroupOutput](h, "rds", "CreateDBParameterGroup", in)
	if err != nil {
		return "", err
	}
	id := *out.DBParameterGroup.DBParameterGroupName
	return id, setParameters(h, id, nil, p)
}

func setParameters(h *hand, id string, before, after props) error {
	if list := parameterList(after); len(list) > 0 {
		if _, err := ask[sdk.DBParameterGroupNameMessage](h, "rds", "ModifyDBParameterGroup",
			&sdk.ModifyDBParameterGroupInput{DBParameterGroupName: &id, Parameters: list}); err != nil {
			return err
		}
	}
	if list := dropped(before, after); len(list) > 0 {
		if _, err := ask[sdk.DBParameterGroupNameMessage](h, "rds", "ResetDBParameterGroup",
			&sdk.ResetDBParameterGroupInput{DBParameterGroupName: &id, Parameters: list}); err != nil {
			return err
		}
	}
	return nil
}

func parameters(h *hand, id string) (*sdk.DBParameterGroup, error) {
	out, err := ask[sdk.DescribeDBParameterGroupsOutput](h, "rds", "DescribeDBParameterGroups", &sdk.DescribeDBParameterGroupsInput{DBParameterGroupName: &id})
	if err != nil {
		return nil, err
	}
	return out.DBParameterGroups[0], nil
}

func updateParameters(h *hand, id string, before, after props) error {
	if err := setParameters(h, id, before, after); err != nil {
		return err
	}
	g, err := parameters(h, id)
	if err != nil {
		return err
	}
	return retagRDS(h, g.DBParameterGroupArn, before, after)
}

func readParameters(h *hand, id string, _ props) (props, map[string]any, error) {
	g, err := parameters(h, id)
	if err != nil {
		return nil, nil, err
	}
	live := plain(g)
	live["Family"] = live["DBParameterGroupFamily"]
	set, err := ask[sdk.DescribeDBParametersOutput](h, "rds", "DescribeDBParameters",
		&sdk.DescribeDBParametersInput{DBParameterGroupName: &id, Source: aws.String("user")})
	if err != nil {
		return nil, nil, err
	}
	live["Parameters"] = liveParameters(set.Parameters)
	live["Tags"], err = liveRDSTags(h, g.DBParameterGroupArn)
	return live, map[string]any{}, err
}
