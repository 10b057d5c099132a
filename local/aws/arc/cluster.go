package arc

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	config "github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"
	"github.com/google/uuid"

	"lifeline/local/aws/wire"
)

// ARC's default quotas.
const (
	maxClusters = 2
	maxPanels   = 50
	maxControls = 100 // per control panel
	maxRules    = 20  // per control panel
)

// defaultPanel is the control panel that every cluster is born with.
const defaultPanel = "DefaultControlPanel"

func (a *ARC) createCluster(_ *wire.Call, in *config.CreateClusterInput) (*config.CreateClusterOutput, error) {
	if err := checkName("ClusterName", *in.ClusterName); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := repeated(a, in.ClientToken, a.clusters); ok {
		return &config.CreateClusterOutput{Cluster: clone(old)}, nil
	}
	for _, c := range a.clusters {
		if *c.Name == *in.ClusterName {
			return nil, conflict("A cluster with the name %s already exists.", *in.ClusterName)
		}
	}
	if len(a.clusters) >= maxClusters {
		return nil, overQuota("The account has %d clusters already.", maxClusters)
	}
	c := &config.Cluster{
		ClusterArn: aws.String(a.arn("cluster/" + uuid.NewString())), Name: in.ClusterName,
		Owner: aws.String(a.world.Account()), Status: aws.String(config.StatusPending),
	}
	for _, region := range EndpointRegions() {
		c.ClusterEndpoints = append(c.ClusterEndpoints, &config.ClusterEndpoint{
			Region: aws.String(region), Endpoint: aws.String(strings.TrimSuffix(a.o.BaseURL, "/") + prefix(region)),
		})
	}
	a.clusters[*c.ClusterArn] = c
	a.remember(*c.ClusterArn, in.ClientToken, in.Tags)
	panel := a.addPanel(c, defaultPanel, true)
	answer := clone(c)
	answer.ClusterEndpoints = nil // they are told once the cluster is deployed
	a.deploy(a.o.ClusterDeploy, func() {
		c.Status, panel.Status = aws.String(config.StatusDeployed), aws.String(config.StatusDeployed)
	})
	return &config.CreateClusterOutput{Cluster: answer}, nil
}

func (a *ARC) cluster(arn string) (*config.Cluster, error) {
	c, ok := a.clusters[arn]
	if !ok {
		return nil, notFound("Cluster", arn)
	}
	return c, nil
}

func (a *ARC) describeCluster(_ *wire.Call, in *config.DescribeClusterInput) (*config.DescribeClusterOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.cluster(*in.ClusterArn)
	if err != nil {
		return nil, err
	}
	return &config.DescribeClusterOutput{Cluster: visible(c)}, nil
}

// visible hides the endpoints until they work.
func visible(c *config.Cluster) *config.Cluster {
	out := clone(c)
	if *c.Status == config.StatusPending {
		out.ClusterEndpoints = nil
	}
	return out
}

func (a *ARC) listClusters(_ *wire.Call, in *config.ListClustersInput) (*config.ListClustersOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	all, next, err := list(a, a.clusters, func(*config.Cluster) bool { return true }, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	out := &config.ListClustersOutput{NextToken: next, Clusters: []*config.Cluster{}}
	for _, c := range all {
		out.Clusters = append(out.Clusters, visible(c))
	}
	return out, nil
}

func (a *ARC) deleteCluster(_ *wire.Call, in *config.DeleteClusterInput) (*config.DeleteClusterOutput, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, err := a.cluster(*in.ClusterArn)
	if err != nil {
		return nil, err
	}
	for _, p := range a.panels {
		if *p.ClusterArn == *c.ClusterArn && (!*p.DefaultControlPanel || *p.RoutingControlCount > 0) {
			return nil, conflict("Cluster %s still has control panel %s.", *c.Name, *p.Name)
		}
	}
	c.Status = aws.String(config.StatusPendingDeletion)
	a.deploy(a.o.Deploy, func() {
		for arn, p := range a.panels {
			if *p.ClusterArn == *c.ClusterArn {
				delete(a.panels, arn)
			}
		}
		delete(a.clusters, *c.ClusterArn)
		a.forget(*c.ClusterArn)
	})
	return &config.DeleteClusterOutput{}, nil
}

func checkName(member, name string) error {
	if len(name) > 64 || strings.ContainsAny(name, " \t\n") {
		return invalid("%s must be up to 64 characters without blanks, not %q.", member, name)
	}
	return nil
}

func clone[T any](v *T) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

// defaultPage is how many items a list answer holds.
const defaultPage = 1000

// list gives one page of the resources that match, in order of creation. The
// token is the index of the first item.
func list[T any](a *ARC, from map[string]T, match func(T) bool, size *int64, token *string) (items []T, next *string, err error) {
	var arns []string
	for arn, v := range from {
		if match(v) {
			arns = append(arns, arn)
		}
	}
	slices.SortFunc(arns, func(x, y string) int { return cmp.Compare(a.order[x], a.order[y]) })
	start := 0
	if token != nil && *token != "" {
		start, err = strconv.Atoi(*token)
		if err != nil || start < 0 || start > len(arns) {
			return nil, nil, invalid("NextToken %q is not valid.", *token)
		}
	}
	n := defaultPage
	if size != nil {
		n = min(n, int(*size))
	}
	end := min(start+n, len(arns))
	for _, arn := range arns[start:end] {
		items = append(items, from[arn])
	}
	if end < len(arns) {
		next = aws.String(strconv.Itoa(end))
	}
	return items, next, nil
}
