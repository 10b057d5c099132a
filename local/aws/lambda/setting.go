package lambda

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/lambda"

	"lifeline/local/aws/wire"
)

// statement is one permission, as a function's policy shows it.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
	service   string                       // principal, when it is a service
}

// AddPermission lets a service or an account call a function, an alias or a version.
func (l *Lambda) AddPermission(c *wire.Call, in *sdk.AddPermissionInput) (*sdk.AddPermissionOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ref, err := l.policyOf(c.Region, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	st := statement{Sid: *in.StatementId, Effect: "Allow", Action: *in.Action, Resource: l.arn(f.place)}
	if ref.qualifier != "" {
		st.Resource += ":" + ref.qualifier
	}
	switch {
	case slices.ContainsFunc(f.policies[ref.qualifier], func(o statement) bool { return o.Sid == st.Sid }):
		return nil, conflict("The statement id (%s) provided already exists. Please provide a new statement id, or remove the existing statement.", st.Sid)
	case regexp.MustCompile(`^[0-9]{12}$`).MatchString(*in.Principal):
		st.Principal = map[string]string{"AWS": "arn:aws:iam::" + *in.Principal + ":root"}
	case regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com$`).MatchString(*in.Principal):
		st.Principal, st.service = map[string]string{"Service": *in.Principal}, *in.Principal
	default:
		return nil, badValue("The provided principal was invalid. Please check the principal and try again.")
	}
	condition := map[string]map[string]string{}
	if in.SourceArn != nil {
		condition["ArnLike"] = map[string]string{"AWS:SourceArn": *in.SourceArn}
	}
	if in.SourceAccount != nil {
		condition["StringEquals"] = map[string]string{"AWS:SourceAccount": *in.SourceAccount}
	}
	st.Condition = condition
	f.policies[ref.qualifier] = append(f.policies[ref.qualifier], st)
	text, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("write permission: %w", err)
	}
	return &sdk.AddPermissionOutput{Statement: aws.String(string(text))}, nil
}

// policyOf finds whose policy a call means; l.mu is held.
func (l *Lambda) policyOf(region string, name, qualifier *string) (*function, reference, error) {
	f, _, ref, err := l.version(region, name, qualifier)
	if err == nil && ref.qualifier == latest {
		return nil, ref, badValue("We currently do not support adding policies for $LATEST.")
	}
	return f, ref, err
}

// GetPolicy tells who may call a function.
func (l *Lambda) GetPolicy(c *wire.Call, in *sdk.GetPolicyInput) (*sdk.GetPolicyOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ref, err := l.policyOf(c.Region, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if len(f.policies[ref.qualifier]) == 0 {
		return nil, notFound("The resource you requested does not exist.")
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Id": "default", "Statement": f.policies[ref.qualifier]})
	if err != nil {
		return nil, fmt.Errorf("write policy: %w", err)
	}
	return &sdk.GetPolicyOutput{Policy: aws.String(string(text)), RevisionId: f.latest.config.RevisionId}, nil
}

// RemovePermission takes a permission back.
func (l *Lambda) RemovePermission(c *wire.Call, in *sdk.RemovePermissionInput) (*sdk.RemovePermissionOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ref, err := l.policyOf(c.Region, in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(f.policies[ref.qualifier]), func(o statement) bool { return o.Sid == *in.StatementId })
	if len(kept) == len(f.policies[ref.qualifier]) {
		return nil, notFound("Statement %s is not found in resource policy.", *in.StatementId)
	}
	f.policies[ref.qualifier] = kept
	return nil, nil
}

// admits says whether a service may call what a reference means. A condition on
// the source's ARN counts as met: some resource of the account can meet it.
func (l *Lambda) admits(f *function, qualifier, service string) error {
	account := l.world.Account()
	if slices.ContainsFunc(f.policies[qualifier], func(st statement) bool {
		wanted, limited := st.Condition["StringEquals"]["AWS:SourceAccount"]
		return st.service == service && (st.Action == "lambda:InvokeFunction" || st.Action == "lambda:*") && (!limited || wanted == account)
	}) {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDeniedException",
		"User: %s is not authorized to perform: lambda:InvokeFunction on resource: %s because no resource-based policy allows the lambda:InvokeFunction action", service, l.arn(f.place))
}

// tagged finds a function by its ARN; l.mu is held.
func (l *Lambda) tagged(region string, arn *string) (*function, error) {
	f, ref, err := l.find(region, arn, nil)
	if err == nil && ref.qualifier != "" {
		return nil, badValue("Tags on function aliases and versions are not supported. Please specify either a function ARN or an event source mapping ARN.")
	}
	return f, err
}

// TagResource sets tags of a function.
func (l *Lambda) TagResource(c *wire.Call, in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.tagged(c.Region, in.Resource)
	if err == nil {
		maps.Copy(f.tags, aws.StringValueMap(in.Tags))
	}
	return nil, err
}

// UntagResource removes tags of a function.
func (l *Lambda) UntagResource(c *wire.Call, in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.tagged(c.Region, in.Resource)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(f.tags, *key)
	}
	return nil, nil
}

// ListTags tells the tags of a function.
func (l *Lambda) ListTags(c *wire.Call, in *sdk.ListTagsInput) (*sdk.ListTagsOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := l.tagged(c.Region, in.Resource)
	if err != nil {
		return nil, err
	}
	return &sdk.ListTagsOutput{Tags: aws.StringMap(f.tags)}, nil
}

// PutFunctionConcurrency bounds how often a function runs at once; zero stops it.
func (l *Lambda) PutFunctionConcurrency(c *wire.Call, in *sdk.PutFunctionConcurrencyInput) (*sdk.PutFunctionConcurrencyOutput, error) {
	const account, unreserved = 1000, 100
	n := *in.ReservedConcurrentExecutions
	if n < 0 || n > account-unreserved {
		return nil, badValue("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", unreserved)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, _, err := l.find(c.Region, in.FunctionName, nil)
	if err != nil {
		return nil, err
	}
	f.reserved = &n
	return &sdk.PutFunctionConcurrencyOutput{ReservedConcurrentExecutions: aws.Int64(n)}, nil
}

// GetFunctionConcurrency tells the bound, nothing when there is none.
func (l *Lambda) GetFunctionConcurrency(c *wire.Call, in *sdk.GetFunctionConcurrencyInput) (*sdk.GetFunctionConcurrencyOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, _, err := l.find(c.Region, in.FunctionName, nil)
	if err != nil || f.reserved == nil {
		return nil, err
	}
	return &sdk.GetFunctionConcurrencyOutput{ReservedConcurrentExecutions: aws.Int64(*f.reserved)}, nil
}

// DeleteFunctionConcurrency lifts the bound.
func (l *Lambda) DeleteFunctionConcurrency(c *wire.Call, in *sdk.DeleteFunctionConcurrencyInput) (*sdk.DeleteFunctionConcurrencyOutput, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, _, err := l.find(c.Region, in.FunctionName, nil)
	if err == nil {
		f.reserved = nil
	}
	return nil, err
}
