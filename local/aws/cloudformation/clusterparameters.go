package cloudformation

import (
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/rds"
)

func createClusterParameters(h *hand, p props) (string, error) {
	in := &sdk.CreateDBClusterParameterGroupInput{DBClusterParameterGroupName: aws.String(strings.ToLower(h.name(255))), Tags: tags[sdk.Tag](h, p)}
	if err := fill(in, p, "DBClusterParameterGroupName", "Description", "Family:DBParameterGroupFamily"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateDBClusterParameterGroupOutput](h, "rds", "CreateDBClusterParameterGroup", in)
	if err != nil {
		return "", err
	}
	id := *out.DBClusterParameterGroup.DBClusterParameterGroupName
	return id, setClusterParameters(h, id, nil, p)
}

func setClusterParameters(h *hand, id string, before, after props) error {
	if list := parameterList(after); len(list) > 0 {
		if _, err := ask[sdk.DBClusterParameterGroupNameMessage](h, "rds", "ModifyDBClusterParameterGroup",
			&sdk.ModifyDBClusterParameterGroupInput{DBClusterParameterGroupName: &id, Parameters: list}); err != nil {
			return err
		}
	}
	if list := dropped(before, after); len(list) > 0 {
		if _, err := ask[sdk.DBClusterParameterGroupNameMessage](h, "rds", "ResetDBClusterParameterGroup",
			&sdk.ResetDBClusterParameterGroupInput{DBClusterParameterGroupName: &id, Parameters: list}); err != nil {
			return err
		}
	}
	return nil
}

func clusterParameters(h *hand, id string) (*sdk.DBClusterParameterGroup, error) {
	out, err := ask[sdk.DescribeDBClusterParameterGroupsOutput](h, "rds", "DescribeDBClusterParameterGroups",
		&sdk.DescribeDBClusterParameterGroupsInput{DBClusterParameterGroupName: &id})
	if err != nil {
		return nil, err
	}
	return out.DBClusterParameterGroups[0], nil
}

func updateClusterParameters(h *hand, id string, before, after props) error {
	if err := setClusterParameters(h, id, before, after); err != nil {
		return err
	}
	g, err := clusterParameters(h, id)
	if err != nil {
		return err
	}
	return retagRDS(h, g.DBClusterParameterGroupArn, before, after)
}

func readClusterParameters(h *hand, id string, _ props) (props, map[string]any, error) {
	g, err := clusterParameters(h, id)
	if err != nil {
		return nil, nil, err
	}
	live := plain(g)
	live["Family"] = live["DBParameterGroupFamily"]
	set, err := ask[sdk.DescribeDBClusterParametersOutput](h, "rds", "DescribeDBClusterParameters",
		&sdk.DescribeDBClusterParametersInput{DBClusterParameterGroupName: &id, Source: aws.String("user")})
	if err != nil {
		return nil, nil, err
	}
	live["Parameters"] = liveParameters(set.Parameters)
	live["Tags"], err = liveRDSTags(h, g.DBClusterParameterGroupArn)
	return live, map[string]any{}, err
}
