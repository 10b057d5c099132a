package dlm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awsutil"
	sdk "github.com/aws/aws-sdk-go/service/dlm"

	"lifeline/local/aws/wire"
)

// maxPolicies is DLM's quota in each Region.
const maxPolicies = 100

// policy is a lifecycle policy and what it has made.
type policy struct {
	region  string
	id, arn string
	api     *sdk.LifecyclePolicy
	wanted  string // ENABLED or DISABLED
	failed  string // why the state is ERROR; "" = it isn't
	// turn counts changes: a timer set before a change does nothing after it.
	turn    int
	managed []managed
}

// managed is a snapshot that a policy made, or copied.
type managed struct {
	region, id string
	schedule   string
	of         string // the volume
}

func (p *policy) state() string {
	if p.failed != "" && p.wanted == sdk.SettablePolicyStateValuesEnabled {
		return sdk.GettablePolicyStateValuesError
	}
	return p.wanted
}

func clone[T any](v *T) *T {
	out := new(T)
	awsutil.Copy(out, v)
	return out
}

func (p *policy) describe() *sdk.LifecyclePolicy {
	out := clone(p.api)
	out.State, out.StatusMessage = aws.String(p.state()), aws.String(p.state())
	if p.state() == sdk.GettablePolicyStateValuesError {
		out.StatusMessage = aws.String(p.failed)
	}
	return out
}

// CreateLifecyclePolicy makes a policy; an enabled one runs from now on.
func (d *DLM) CreateLifecyclePolicy(c *wire.Call, in *sdk.CreateLifecyclePolicyInput) (*sdk.CreateLifecyclePolicyOutput, error) {
	if in.DefaultPolicy != nil {
		return nil, invalid("Default policies are not offered here: give PolicyDetails.")
	}
	details, err := d.check(c.Region, in.PolicyDetails)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.policies[c.Region]
	if all == nil {
		all = map[string]*policy{}
		d.policies[c.Region] = all
	}
	if len(all) >= maxPolicies {
		return nil, wire.Errorf(429, "LimitExceededException", "The limit of %d policies is reached.", maxPolicies)
	}
	id, now := d.world.NewID("policy-"), d.world.Now().UTC().Truncate(time.Second)
	p := &policy{
		region: c.Region, id: id, wanted: *in.State,
		arn: fmt.Sprintf("arn:aws:dlm:%s:%s:policy/%s", c.Region, d.world.Account(), id),
	}
	p.api = &sdk.LifecyclePolicy{
		PolicyId: aws.String(id), PolicyArn: aws.String(p.arn), Description: in.Description, ExecutionRoleArn: in.ExecutionRoleArn,
		DateCreated: aws.Time(now), DateModified: aws.Time(now), PolicyDetails: details, DefaultPolicy: aws.Bool(false),
		Tags: maps.Clone(in.Tags),
	}
	all[id] = p
	d.start(p)
	return &sdk.CreateLifecyclePolicyOutput{PolicyId: aws.String(id)}, nil
}

// policy finds a policy of a Region; d.mu is held.
func (d *DLM) policy(region string, id *string) (*policy, error) {
	p, ok := d.policies[region][aws.StringValue(id)]
	if !ok {
		return nil, notFound("policy", aws.StringValue(id))
	}
	return p, nil
}

// GetLifecyclePolicy tells everything about a policy.
func (d *DLM) GetLifecyclePolicy(c *wire.Call, in *sdk.GetLifecyclePolicyInput) (*sdk.GetLifecyclePolicyOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.policy(c.Region, in.PolicyId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetLifecyclePolicyOutput{Policy: p.describe()}, nil
}

// GetLifecyclePolicies summarizes the policies of the Region.
func (d *DLM) GetLifecyclePolicies(c *wire.Call, in *sdk.GetLifecyclePoliciesInput) (*sdk.GetLifecyclePoliciesOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range in.PolicyIds {
		if _, err := d.policy(c.Region, id); err != nil {
			return nil, err
		}
	}
	out := &sdk.GetLifecyclePoliciesOutput{Policies: []*sdk.LifecyclePolicySummary{}}
	for _, p := range slices.SortedFunc(maps.Values(d.policies[c.Region]), func(a, b *policy) int { return cmp.Compare(a.id, b.id) }) {
		if p.satisfies(in) {
			out.Policies = append(out.Policies, clone(&sdk.LifecyclePolicySummary{
				PolicyId: aws.String(p.id), Description: p.api.Description, State: aws.String(p.state()),
				PolicyType: p.api.PolicyDetails.PolicyType, DefaultPolicy: aws.Bool(false), Tags: p.api.Tags,
			}))
		}
	}
	return out, nil
}

// satisfies says whether a policy passes the filters of a list call.
func (p *policy) satisfies(in *sdk.GetLifecyclePoliciesInput) bool {
	details := p.api.PolicyDetails
	adds := []*sdk.Tag{}
	for _, s := range details.Schedules {
		adds = append(adds, s.TagsToAdd...)
	}
	return in.DefaultPolicyType == nil &&
		(len(in.PolicyIds) == 0 || slices.Contains(aws.StringValueSlice(in.PolicyIds), p.id)) &&
		(in.State == nil || *in.State == p.state()) &&
		(len(in.ResourceTypes) == 0 || *in.ResourceTypes[0] == *details.ResourceTypes[0]) &&
		hasTags(details.TargetTags, in.TargetTags) && hasTags(adds, in.TagsToAdd)
}

// hasTags wants every tag, written key=value.
func hasTags(have []*sdk.Tag, want []*string) bool {
	for _, w := range want {
		if !slices.ContainsFunc(have, func(t *sdk.Tag) bool { return *t.Key+"="+*t.Value == *w }) {
			return false
		}
	}
	return true
}

// UpdateLifecyclePolicy changes a policy and takes it out of ERROR.
func (d *DLM) UpdateLifecyclePolicy(c *wire.Call, in *sdk.UpdateLifecyclePolicyInput) (*sdk.UpdateLifecyclePolicyOutput, error) {
	var details *sdk.PolicyDetails
	if in.PolicyDetails != nil {
		var err error
		if details, err = d.check(c.Region, in.PolicyDetails); err != nil {
			return nil, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.policy(c.Region, in.PolicyId)
	if err != nil {
		return nil, err
	}
	if details != nil {
		p.api.PolicyDetails = details
	}
	if in.Description != nil {
		p.api.Description = in.Description
	}
	if in.ExecutionRoleArn != nil {
		p.api.ExecutionRoleArn = in.ExecutionRoleArn
	}
	p.wanted = cmp.Or(aws.StringValue(in.State), p.wanted)
	p.failed = ""
	p.api.DateModified = aws.Time(d.world.Now().UTC().Truncate(time.Second))
	d.start(p)
	return nil, nil
}

// DeleteLifecyclePolicy ends a policy. Its snapshots stay, and nobody deletes
// them any more.
func (d *DLM) DeleteLifecyclePolicy(c *wire.Call, in *sdk.DeleteLifecyclePolicyInput) (*sdk.DeleteLifecyclePolicyOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.policy(c.Region, in.PolicyId)
	if err != nil {
		return nil, err
	}
	p.turn++
	p.managed = nil
	delete(d.policies[c.Region], p.id)
	return nil, nil
}

// byARN finds a policy by its ARN; d.mu is held.
func (d *DLM) byARN(region string, arn *string) (*policy, error) {
	_, id, _ := strings.Cut(aws.StringValue(arn), ":policy/")
	p, ok := d.policies[region][id]
	if !ok || p.arn != *arn {
		return nil, notFound("resource", aws.StringValue(arn))
	}
	return p, nil
}

// TagResource adds tags to a policy.
func (d *DLM) TagResource(c *wire.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.byARN(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	if p.api.Tags == nil {
		p.api.Tags = map[string]*string{}
	}
	maps.Copy(p.api.Tags, in.Tags)
	return nil, nil
}

// UntagResource removes tags from a policy.
func (d *DLM) UntagResource(c *wire.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.byARN(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(p.api.Tags, aws.StringValue(key))
	}
	return nil, nil
}

// ListTagsForResource tells the tags of a policy.
func (d *DLM) ListTagsForResource(c *wire.Call, in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.byARN(c.Region, in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsForResourceOutput{Tags: maps.Clone(p.api.Tags)}, nil
}
