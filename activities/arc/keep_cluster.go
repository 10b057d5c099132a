package arc

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	config "github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig"
	"github.com/aws/aws-sdk-go-v2/service/route53recoverycontrolconfig/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

func (k kept) clusters(ctx context.Context, at cloud.At) ([]types.Cluster, error) {
	var out []types.Cluster
	in := &config.ListClustersInput{}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).ListClusters, in)
		if err != nil {
			return nil, err
		}
		out = append(out, page.Clusters...)
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

func (k kept) readClusters(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	all, err := k.clusters(ctx, at)
	if err != nil {
		return nil, err
	}
	found := map[string]runbook.ItemState{}
	for _, c := range all {
		found[aws.ToString(c.Name)] = runbook.ItemState{Found: true, Busy: busy(c.Status), Out: map[string]string{"arn": aws.ToString(c.ClusterArn)}}
	}
	return pick(items, found), nil
}

func (k kept) writeCluster(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateCluster,
		&config.CreateClusterInput{ClusterName: aws.String(item.Name), ClientToken: token(item), Tags: tags(item)})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// cluster is the one of an ARN.
func (k kept) cluster(ctx context.Context, at cloud.At, arn string) (types.Cluster, error) {
	all, err := k.clusters(ctx, at)
	for _, c := range all {
		if aws.ToString(c.ClusterArn) == arn {
			return c, err
		}
	}
	if err == nil {
		err = cloud.Errorf(cloud.NotYet, "cluster %s is not listed", arn)
	}
	return types.Cluster{}, err
}

// endpoints are a cluster's five.
func endpoints(c types.Cluster) []plan.ClusterEndpoint {
	var out []plan.ClusterEndpoint
	for _, e := range c.ClusterEndpoints {
		out = append(out, plan.ClusterEndpoint{Region: plan.Region(aws.ToString(e.Region)), URL: aws.ToString(e.Endpoint)})
	}
	return out
}

func (k kept) panels(ctx context.Context, at cloud.At, cluster string) ([]types.ControlPanel, error) {
	var out []types.ControlPanel
	in := &config.ListControlPanelsInput{ClusterArn: aws.String(cluster)}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).ListControlPanels, in)
		if err != nil {
			return nil, err
		}
		out = append(out, page.ControlPanels...)
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

func (k kept) readPanels(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found := map[string]runbook.ItemState{}
	for _, cluster := range distinct(items, "cluster") {
		all, err := k.panels(ctx, at, cluster)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			found[aws.ToString(p.Name)] = runbook.ItemState{
				Found: true, Busy: busy(p.Status), Have: map[string]string{"cluster": aws.ToString(p.ClusterArn)},
				Out: map[string]string{"arn": aws.ToString(p.ControlPanelArn)},
			}
		}
	}
	return pick(items, found), nil
}

func (k kept) writePanel(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateControlPanel, &config.CreateControlPanelInput{
		ClusterArn: aws.String(item.Want["cluster"]), ControlPanelName: aws.String(item.Name), ClientToken: token(item), Tags: tags(item),
	})
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// distinct are the values that items want of one property.
func distinct(items []runbook.Item, property string) []string {
	var all []string
	for _, item := range items {
		all = append(all, item.Want[property])
	}
	return strings.Split(runbook.List(all...), "\n")
}

// readAddresses tells the switch's addresses as AWS has them, under the names
// that the plan uses: the control panel is called like the application, its
// controls like their Regions.
func (k kept) readAddresses(ctx context.Context, at cloud.At, item runbook.Item) (runbook.ItemState, error) {
	c, err := k.cluster(ctx, at, item.Want["cluster"])
	if err != nil {
		return runbook.ItemState{}, err
	}
	state := runbook.ItemState{Found: true, Have: map[string]string{"cluster": aws.ToString(c.ClusterArn)}}
	for _, e := range endpoints(c) {
		state.Have["endpoint/"+string(e.Region)] = strings.TrimSuffix(e.URL, "/")
	}
	panels, err := k.panels(ctx, at, aws.ToString(c.ClusterArn))
	if err != nil {
		return state, err
	}
	for _, p := range panels {
		if aws.ToString(p.Name) != item.Name {
			continue
		}
		controls, err := k.controls(ctx, at, aws.ToString(p.ControlPanelArn))
		if err != nil {
			return state, err
		}
		for _, control := range controls {
			state.Have["control/"+aws.ToString(control.Name)] = aws.ToString(control.RoutingControlArn)
		}
	}
	return state, nil
}
