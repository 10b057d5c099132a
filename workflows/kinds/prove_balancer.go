package kinds

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"lifeline/activities/elb"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// shortestKeepAlive is the least that AWS lets an application load balancer be set to.
const shortestKeepAlive = time.Minute

// proveKeepAlive demands that clients let go of a Region's load balancer within the
// objective: what a name server says reaches nobody who goes on using a connection.
func proveKeepAlive(ctx workflow.Context, p Player, r plan.Resource, region plan.Region) runbook.CheckResult {
	var a *elb.Ready
	var got elb.Balancer
	name, rto := r.Regions[region]["loadBalancer"], p.Move().Plan.ObjectivesOf(r).RTO.D()
	err := look(ctx, p, reading{
		name: "DescribeBalancer", resource: r.Name, region: region, activity: a.DescribeBalancer,
		in: elb.BalancerRef{Region: region, Balancer: name}, out: &got,
	})
	c := onTraffic("keepalive/"+r.Name+"/"+string(region), "clients let go of the load balancer in "+string(region)+" within the objective",
		"let the load balancer end its clients' connections sooner: it keeps them for an hour unless told")
	c.Resource, c.Command = r.Name, keepAliveCommand(region, got.ARN, rto)
	return decide(ctx, c, err, judgeKeepAlive(got, rto),
		saw(ctx, region, "load balancer %s (%s) keeps a client's connection for %s, the objective is %s", name, got.Type, span(got.KeepAlive), span(rto)))
}

// keepAliveCommand sets what fits, as far as AWS allows it.
func keepAliveCommand(region plan.Region, arn string, rto time.Duration) string {
	if arn == "" {
		arn = "ARN"
	}
	return fmt.Sprintf("aws elbv2 modify-load-balancer-attributes --region %s --load-balancer-arn %s --attributes Key=client_keep_alive.seconds,Value=%d",
		region, arn, int(max(rto, shortestKeepAlive)/time.Second))
}

func judgeKeepAlive(got elb.Balancer, rto time.Duration) finding {
	switch {
	case got.KeepAlive == 0 && got.Type != "application":
		return amber("a %s load balancer ends no client's connection: its targets must", got.Type)
	case got.KeepAlive == 0:
		return unknown("AWS does not say how long clients keep their connections")
	case got.KeepAlive <= rto:
		return green("clients keep a connection for %s at most, %s is allowed", span(got.KeepAlive), span(rto))
	case got.KeepAlive <= shortestKeepAlive:
		return amber("clients keep a connection for %s, the least that AWS allows, and the objective is %s", span(got.KeepAlive), span(rto))
	}
	return red("clients keep a connection for %s, and with it a Region that is lost; the objective is %s", span(got.KeepAlive), span(rto))
}
