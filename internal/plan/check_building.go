package plan

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// protection checks how the estate is kept.
func (c *checker) protection() {
	s := c.plan.Setup
	if s == nil {
		for _, part := range []struct {
			key   string
			given bool
		}{
			{"elasticDR", c.plan.ElasticDR != nil},
			{"recoveryStacks", len(c.plan.RecoveryStacks) > 0},
			{"monitoring", c.plan.Monitoring != nil},
			{"trigger", c.plan.Trigger != nil},
		} {
			if part.given {
				c.errorf(part.key, "add \"setup: {drift: repair, key: alias/NAME}\"", "%s is built by setup, and the plan has no setup", part.key)
			}
		}
		return
	}
	oneOf(c, "setup.drift", s.Drift, Repair, ReportOnly)
	if strings.HasPrefix(s.Key, "alias/aws/") {
		c.errorf("setup.key", "a customer-managed key, as in alias/patient-records",
			"%s is AWS's own key: copies to another Region fail with it, and alarms can't publish to its topics", s.Key)
		return
	}
	c.shape("setup.key", keyAlias, s.Key, "alias/NAME of a customer-managed key")
}

// building checks what setup builds beside the resources.
func (c *checker) building() {
	c.elasticDR()
	c.recoveryStacks()
	c.monitoring()
	if t := c.plan.Trigger; t != nil {
		c.shape("trigger.function", functionName, t.Function, "a Lambda function's name")
		if c.plan.Monitoring == nil {
			c.errorf("trigger", "add monitoring", "nothing fires the trigger: the plan has no alarms")
		}
	}
	c.readiness()
}

func (c *checker) elasticDR() {
	e := c.plan.ElasticDR
	if e == nil {
		if c.has(DRSServer) {
			c.errorf("resources", "add elasticDR: {staging: {...}, keepDays: 7}", "servers replicate into a staging area, and the plan has none")
		}
		return
	}
	c.between("elasticDR.keepDays", e.KeepDays, 1, 365, "days that points in time are kept")
	for _, region := range slices.Sorted(maps.Keys(e.Staging)) {
		at := join("elasticDR.staging", string(region))
		if !c.inTraffic(at, region) {
			continue
		}
		c.shape(at+".subnet", subnetID, e.Staging[region].Subnet, "a subnet's id")
		for i, g := range e.Staging[region].SecurityGroups {
			c.shape(element(at+".securityGroups", i), groupID, g, "a security group's id")
		}
	}
	if !c.regionsRead() {
		return
	}
	for _, region := range c.plan.TrafficRegions() {
		if _, given := e.Staging[region]; !given {
			c.errorf("elasticDR.staging", "servers replicate back after a failover", "Region %s has no staging area", region)
		}
	}
}

func (c *checker) recoveryStacks() {
	seen := map[string]bool{}
	for i, s := range c.plan.RecoveryStacks {
		at := element("recoveryStacks", i)
		c.shape(at+".name", stackName, s.Name, "a CloudFormation stack's name")
		c.shape(at+".template", fileName, s.Template, "a file of deploy/cloudformation")
		if seen[s.Name] {
			c.errorf(at+".name", "", "stack %q is listed twice", s.Name)
		}
		seen[s.Name] = true
	}
}

func (c *checker) monitoring() {
	m := c.plan.Monitoring
	if m == nil {
		return
	}
	c.shape("monitoring.topic", topicName, m.Topic, "an SNS topic's name")
	for i, s := range m.Subscribers {
		at := element("monitoring.subscribers", i)
		if oneOf(c, at+".protocol", s.Protocol, "email", "https", "http", "sms", "sqs") && s.Endpoint == "" {
			c.errorf(at+".endpoint", "", "nobody is told: the endpoint is empty")
		}
	}
	c.span("monitoring.silence", m.Silence, time.Hour, 7*24*time.Hour)
}

func (c *checker) readiness() {
	r := c.plan.Readiness
	if r == nil {
		return
	}
	c.span("readiness.every", r.Every, time.Minute, 24*time.Hour)
	for _, proof := range []struct {
		key string
		age Duration
	}{{"drillAge", r.DrillAge}, {"restoreAge", r.RestoreAge}, {"pointAge", r.PointAge}} {
		if proof.age <= 0 {
			c.errorf("readiness."+proof.key, "", "readiness.%s must be more than zero", proof.key)
		}
	}
	c.between("readiness.headroomPercent", r.Headroom, 0, 100, "percent")
	if r.RecoveryRole != "" {
		c.shape("readiness.recoveryRole", roleName, r.RecoveryRole, "an IAM role's name")
	}
}
