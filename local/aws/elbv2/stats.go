package elbv2

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"lifeline/local/aws/cloudwatch"
)

// stats are what a load balancer counts between two publications.
type stats struct {
	requests, own5xx float64
	answered         map[int]float64 // by hundred of the target's status
	seconds          float64         // time until targets answered
	timed            float64
}

// count notes an answer of a target; status 0 or 503 came from the load balancer.
func (e *ELB) count(b *balancer, status int, started time.Time) {
	if status == 0 || status == http.StatusServiceUnavailable {
		e.countOwn(b, status)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &b.stats
	s.requests++
	if s.answered == nil {
		s.answered = map[int]float64{}
	}
	s.answered[status/100]++
	s.seconds += time.Since(started).Seconds() * e.world.Compression()
	s.timed++
}

// countOwn notes an answer that the load balancer made itself.
func (e *ELB) countOwn(b *balancer, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b.stats.requests++
	if status >= http.StatusInternalServerError {
		b.stats.own5xx++
	}
}

// publish tells CloudWatch the past minute. CloudWatch of a dark Region loses it.
func (e *ELB) publish() {
	type sample struct {
		region string
		cloudwatch.Datum
	}
	var out []sample
	e.mu.Lock()
	for _, b := range e.balancers {
		s := b.stats
		b.stats = stats{}
		of := map[string]string{"LoadBalancer": suffix(*b.api.LoadBalancerArn, ":loadbalancer/")}
		add := func(name, unit string, v float64, dimensions map[string]string) {
			out = append(out, sample{b.region, cloudwatch.Datum{
				Namespace: "AWS/ApplicationELB", Name: name, Dimensions: dimensions, Value: v, Unit: unit,
			}})
		}
		add("RequestCount", "Count", s.requests, of)
		add("HTTPCode_ELB_5XX_Count", "Count", s.own5xx, of)
		for hundred := 2; hundred <= 5; hundred++ {
			add("HTTPCode_Target_"+strconv.Itoa(hundred)+"XX_Count", "Count", s.answered[hundred], of)
		}
		if s.timed > 0 {
			add("TargetResponseTime", "Seconds", s.seconds/s.timed, of)
		}
		for _, g := range e.groupsOf(b) {
			both := map[string]string{"LoadBalancer": of["LoadBalancer"], "TargetGroup": suffix(*g.api.TargetGroupArn, ":")}
			healthy := float64(len(e.healthy(g)))
			add("HealthyHostCount", "Count", healthy, both)
			add("UnHealthyHostCount", "Count", float64(len(g.targets))-healthy, both)
		}
	}
	e.mu.Unlock()
	for _, v := range out {
		e.metrics.Put(v.region, v.Datum)
	}
}

func suffix(arn, after string) string { return arn[strings.LastIndex(arn, after)+len(after):] }
