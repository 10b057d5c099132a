package cloudformation

import (
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"
)

// routeKinds are route tables, routes, and which table a subnet uses.
func routeKinds() map[string]kind {
	return map[string]kind{
		"AWS::EC2::RouteTable": {
			takes: 8 * time.Second, tagged: true, fixed: []string{"VpcId"},
			create: createTable, read: readTable, update: retagEC2, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DeleteRouteTableOutput](h, "ec2", "DeleteRouteTable", &sdk.DeleteRouteTableInput{RouteTableId: &id})
				return err
			},
		},
		"AWS::EC2::Route": {
			takes: 2 * time.Second, fixed: []string{"RouteTableId", "DestinationCidrBlock"}, mutable: []string{"GatewayId"},
			create: createRoute, read: readRoute, update: updateRoute, remove: deleteRoute,
		},
		"AWS::EC2::SubnetRouteTableAssociation": {
			takes: 2 * time.Second, fixed: []string{"SubnetId", "RouteTableId"},
			create: associateTable, read: readAssociation, update: retagEC2, remove: func(h *hand, id string, _ props) error {
				_, err := ask[sdk.DisassociateRouteTableOutput](h, "ec2", "DisassociateRouteTable", &sdk.DisassociateRouteTableInput{AssociationId: &id})
				return err
			},
		},
	}
}

func createTable(h *hand, p props) (string, error) {
	in := &sdk.CreateRouteTableInput{TagSpecifications: tagSpecs(h, p, "route-table")}
	if err := fill(in, p, "VpcId"); err != nil {
		return "", err
	}
	out, err := ask[sdk.CreateRouteTableOutput](h, "ec2", "CreateRouteTable", in)
	if err != nil {
		return "", err
	}
	return *out.RouteTable.RouteTableId, nil
}

func routeTable(h *hand, id *string) (*sdk.RouteTable, error) {
	out, err := ask[sdk.DescribeRouteTablesOutput](h, "ec2", "DescribeRouteTables", &sdk.DescribeRouteTablesInput{RouteTableIds: []*string{id}})
	if err != nil {
		return nil, err
	}
	return out.RouteTables[0], nil
}

func readTable(h *hand, id string, _ props) (props, map[string]any, error) {
	table, err := routeTable(h, &id)
	if err != nil {
		return nil, nil, err
	}
	return plain(table), map[string]any{"RouteTableId": id}, nil
}

func createRoute(h *hand, p props) (string, error) {
	in := &sdk.CreateRouteInput{}
	if err := fill(in, p); err != nil {
		return "", err
	}
	_, err := ask[sdk.CreateRouteOutput](h, "ec2", "CreateRoute", in)
	return aws.StringValue(in.RouteTableId) + "|" + aws.StringValue(in.DestinationCidrBlock), err
}

// updateRoute makes a route anew: for a moment there is none, which is why AWS
// replaces routes of production by hand, too.
func updateRoute(h *hand, id string, before, after props) error {
	if err := deleteRoute(h, id, before); err != nil && !absent(err) {
		return err
	}
	_, err := createRoute(h, after)
	return err
}

func deleteRoute(h *hand, _ string, p props) error {
	in := &sdk.DeleteRouteInput{}
	if err := fill(in, p, "RouteTableId", "DestinationCidrBlock"); err != nil {
		return err
	}
	_, err := ask[sdk.DeleteRouteOutput](h, "ec2", "DeleteRoute", in)
	return err
}

func readRoute(h *hand, id string, p props) (props, map[string]any, error) {
	table, err := routeTable(h, p.text("RouteTableId"))
	if err != nil {
		return nil, nil, err
	}
	for _, r := range table.Routes {
		if aws.StringValue(r.DestinationCidrBlock) == aws.StringValue(p.text("DestinationCidrBlock")) {
			live := plain(r)
			live["RouteTableId"] = aws.StringValue(table.RouteTableId)
			return live, map[string]any{"CidrBlock": live["DestinationCidrBlock"]}, nil
		}
	}
	return nil, nil, missingNow("route " + id)
}

func associateTable(h *hand, p props) (string, error) {
	in := &sdk.AssociateRouteTableInput{}
	if err := fill(in, p); err != nil {
		return "", err
	}
	out, err := ask[sdk.AssociateRouteTableOutput](h, "ec2", "AssociateRouteTable", in)
	if err != nil {
		return "", err
	}
	return *out.AssociationId, nil
}

func readAssociation(h *hand, id string, p props) (props, map[string]any, error) {
	table, err := routeTable(h, p.text("RouteTableId"))
	if err != nil {
		return nil, nil, err
	}
	for _, a := range table.Associations {
		if aws.StringValue(a.RouteTableAssociationId) == id {
			return plain(a), map[string]any{"Id": id}, nil
		}
	}
	return nil, nil, missingNow("association " + id)
}
