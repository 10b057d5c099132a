package cloudwatch

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/cloudwatch"

	"lifeline/local/aws/wire"
)

// dashboard is kept as text: nobody draws it here. Dashboards are the account's,
// not a Region's.
type dashboard struct {
	body    string
	changed time.Time
}

func (c *CloudWatch) putDashboard(_ *wire.Call, in *api.PutDashboardInput) (*api.PutDashboardOutput, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`).MatchString(*in.DashboardName) {
		return nil, wire.Errorf(400, "InvalidParameterInput", "The value %s for field DashboardName is invalid.", *in.DashboardName)
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(*in.DashboardBody), &body); err != nil {
		return nil, wire.Errorf(400, "InvalidParameterInput", "The field DashboardBody must be a valid JSON object: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dashboards[*in.DashboardName] = dashboard{body: *in.DashboardBody, changed: c.world.Now()}
	return &api.PutDashboardOutput{DashboardValidationMessages: []*api.DashboardValidationMessage{}}, nil
}

func (c *CloudWatch) dashboardARN(name string) *string {
	return aws.String("arn:aws:cloudwatch::" + c.world.Account() + ":dashboard/" + name)
}

func noDashboard(name string) error {
	return wire.Errorf(404, "ResourceNotFound", "Dashboard %s does not exist", name)
}

func (c *CloudWatch) getDashboard(_ *wire.Call, in *api.GetDashboardInput) (*api.GetDashboardOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d, ok := c.dashboards[*in.DashboardName]
	if !ok {
		return nil, noDashboard(*in.DashboardName)
	}
	return &api.GetDashboardOutput{DashboardName: in.DashboardName, DashboardArn: c.dashboardARN(*in.DashboardName), DashboardBody: &d.body}, nil
}

func (c *CloudWatch) listDashboards(_ *wire.Call, in *api.ListDashboardsInput) (*api.ListDashboardsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := &api.ListDashboardsOutput{DashboardEntries: []*api.DashboardEntry{}}
	for name, d := range c.dashboards {
		if strings.HasPrefix(name, aws.StringValue(in.DashboardNamePrefix)) {
			out.DashboardEntries = append(out.DashboardEntries, &api.DashboardEntry{
				DashboardName: &name, DashboardArn: c.dashboardARN(name), LastModified: &d.changed, Size: aws.Int64(int64(len(d.body))),
			})
		}
	}
	slices.SortFunc(out.DashboardEntries, func(a, b *api.DashboardEntry) int { return strings.Compare(*a.DashboardName, *b.DashboardName) })
	return out, nil
}

func (c *CloudWatch) deleteDashboards(_ *wire.Call, in *api.DeleteDashboardsInput) (*api.DeleteDashboardsOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range in.DashboardNames {
		if _, ok := c.dashboards[*name]; !ok {
			return nil, noDashboard(*name)
		}
	}
	for _, name := range in.DashboardNames {
		delete(c.dashboards, *name)
	}
	return nil, nil
}
