package elbv2

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/elbv2"

	"lifeline/local/aws/wire"
)

// listener is a listener; server is nil until its load balancer is active.
type listener struct {
	api    *sdk.Listener
	tags   []*sdk.Tag
	server *http.Server
}

func (l *listener) close() {
	if l.server != nil {
		_ = l.server.Close() // connections are cut, which is what deleting means
		l.server = nil
	}
}

// weighted is a target group and its share of the requests.
type weighted struct {
	arn    string
	weight int64
}

// shares are the target groups of an action.
func shares(a *sdk.Action) []weighted {
	if a.ForwardConfig != nil && len(a.ForwardConfig.TargetGroups) > 0 {
		var out []weighted
		for _, t := range a.ForwardConfig.TargetGroups {
			out = append(out, weighted{aws.StringValue(t.TargetGroupArn), *orDefault(t.Weight, 1)})
		}
		return out
	}
	return []weighted{{aws.StringValue(a.TargetGroupArn), 1}}
}

// forwards are the ARNs of the target groups that the listener uses.
func (l *listener) forwards() []string {
	var out []string
	for _, a := range l.api.DefaultActions {
		if *a.Type == sdk.ActionTypeEnumForward {
			for _, w := range shares(a) {
				out = append(out, w.arn)
			}
		}
	}
	return out
}

// CreateListener makes a listener and opens its port.
func (e *ELB) CreateListener(c *wire.Call, in *sdk.CreateListenerInput) (*sdk.CreateListenerOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.balancer(c.Region, in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if err := checkListener(in.Protocol, in.Port); err != nil {
		return nil, err
	}
	if err := e.checkActions(c.Region, in.DefaultActions); err != nil {
		return nil, err
	}
	for _, l := range b.listeners {
		if *l.api.Port == *in.Port {
			return nil, refuse("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", *b.api.LoadBalancerArn)
		}
	}
	path := strings.SplitN(*b.api.LoadBalancerArn, ":loadbalancer/", 2)[1]
	l := &listener{tags: in.Tags, api: clone(&sdk.Listener{
		ListenerArn: e.arn(c.Region, "listener/"+path+"/"+e.hexID()), LoadBalancerArn: b.api.LoadBalancerArn,
		Port: in.Port, Protocol: in.Protocol, DefaultActions: in.DefaultActions,
	})}
	if *b.api.State.Code == sdk.LoadBalancerStateEnumActive {
		if err := e.listen(b, l); err != nil {
			return nil, wire.Errorf(http.StatusInternalServerError, "InternalFailure", "%v", err)
		}
	}
	b.listeners = append(b.listeners, l)
	return &sdk.CreateListenerOutput{Listeners: []*sdk.Listener{clone(l.api)}}, nil
}

func checkListener(protocol *string, port *int64) error {
	switch aws.StringValue(protocol) {
	case sdk.ProtocolEnumHttp:
	case sdk.ProtocolEnumHttps:
		// Certificate Manager is not simulated, so no certificate exists.
		return refuse("CertificateNotFound", "The certificate was not found")
	default:
		return refuse("UnsupportedProtocol", "The protocol '%s' is not supported by application load balancers", aws.StringValue(protocol))
	}
	if port == nil || *port < 1 || *port > 65535 {
		return refuse("ValidationError", "A port between 1 and 65535 must be specified")
	}
	return nil
}

func (e *ELB) checkActions(region string, actions []*sdk.Action) error {
	if len(actions) != 1 {
		return refuse("ValidationError", "Exactly one default action is supported here")
	}
	switch a := actions[0]; *a.Type {
	case sdk.ActionTypeEnumForward:
		for _, w := range shares(a) {
			if _, err := e.group(region, &w.arn); err != nil {
				return err
			}
		}
	case sdk.ActionTypeEnumFixedResponse:
		if a.FixedResponseConfig == nil {
			return refuse("ValidationError", "A fixed-response action needs a FixedResponseConfig")
		}
		if n, err := strconv.Atoi(aws.StringValue(a.FixedResponseConfig.StatusCode)); err != nil || n < 200 || n > 599 {
			return refuse("ValidationError", "Invalid status code '%s' for a fixed response", aws.StringValue(a.FixedResponseConfig.StatusCode))
		}
	default:
		return refuse("InvalidLoadBalancerAction", "The action type '%s' is not simulated", *a.Type)
	}
	return nil
}

// find gives a listener and its load balancer; e.mu is held.
func (e *ELB) find(region string, arn *string) (*balancer, *listener, error) {
	for _, b := range e.balancers {
		for _, l := range b.listeners {
			if b.region == region && *l.api.ListenerArn == aws.StringValue(arn) {
				return b, l, nil
			}
		}
	}
	return nil, nil, refuse("ListenerNotFound", "Listener '%s' not found", aws.StringValue(arn))
}

// ModifyListener changes what a listener does with requests; its port stays.
func (e *ELB) ModifyListener(c *wire.Call, in *sdk.ModifyListenerInput) (*sdk.ModifyListenerOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, l, err := e.find(c.Region, in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if in.Port != nil && *in.Port != *l.api.Port {
		return nil, refuse("ValidationError", "Changing the port of a listener is not simulated")
	}
	if len(in.DefaultActions) > 0 {
		if err := e.checkActions(c.Region, in.DefaultActions); err != nil {
			return nil, err
		}
		l.api.DefaultActions = clone(&sdk.Listener{DefaultActions: in.DefaultActions}).DefaultActions
	}
	return &sdk.ModifyListenerOutput{Listeners: []*sdk.Listener{clone(l.api)}}, nil
}

// DeleteListener closes a port.
func (e *ELB) DeleteListener(c *wire.Call, in *sdk.DeleteListenerInput) (*sdk.DeleteListenerOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, l, err := e.find(c.Region, in.ListenerArn)
	if err != nil {
		return nil, err
	}
	l.close()
	b.listeners = slices.DeleteFunc(b.listeners, func(o *listener) bool { return o == l })
	return nil, nil
}

// DescribeListeners lists the listeners of a load balancer.
func (e *ELB) DescribeListeners(c *wire.Call, in *sdk.DescribeListenersInput) (*sdk.DescribeListenersOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in.LoadBalancerArn == nil && len(in.ListenerArns) == 0 {
		return nil, refuse("ValidationError", "You must specify either listener ARNs or a load balancer ARN")
	}
	var found []*sdk.Listener
	if in.LoadBalancerArn != nil {
		b, err := e.balancer(c.Region, in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		for _, l := range b.listeners {
			found = append(found, l.api)
		}
	}
	for _, arn := range in.ListenerArns {
		_, l, err := e.find(c.Region, arn)
		if err != nil {
			return nil, err
		}
		found = append(found, l.api)
	}
	found, next, err := page(found, in.PageSize, in.Marker)
	return &sdk.DescribeListenersOutput{Listeners: found, NextMarker: next}, err
}
