package kinds

import (
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// Types of items in this area.
const (
	lambdaFunction   = "lambda-function"
	lambdaPermission = "lambda-permission"
)

// trigger is the function that hears the alarms of the recovery Region. It is
// there and nowhere else: a trigger in the Region that fails fails with it
// (domain handbook, mistake 2).
func trigger(s Site) []runbook.Item {
	t := s.Plan.Trigger
	if t == nil || s.Plan.Monitoring == nil {
		return nil
	}
	regions := s.Plan.TrafficRegions()
	home := regions[len(regions)-1]
	permission := s.triggerItem(lambdaPermission, home, t.Function+"/sns", map[string]string{
		"function": t.Function, "principal": "sns.amazonaws.com", "action": "lambda:InvokeFunction", "source": s.topicARN(home),
	}, runbook.ItemID(lambdaFunction, string(home), t.Function))
	topic := s.Plan.Monitoring.Topic
	return []runbook.Item{
		role(roleSpec{
			name: s.triggerRole(), services: []string{"lambda.amazonaws.com"},
			attached: []string{"arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
		}),
		s.function(home), permission,
		s.triggerItem(snsSubscription, home, topic+"/lambda/"+t.Function, map[string]string{
			"topic": s.topicARN(home), "protocol": "lambda", "endpoint": runbook.Ref(lambdaFunction, string(home), t.Function, "arn"),
			// The topic carries more than alarms, and the function takes nothing else.
			"filter-scope": "MessageBody", "filter": runbook.Document(map[string]any{
				"AlarmName": []any{map[string]any{"prefix": "lifeline-" + s.Plan.Application + "-"}},
			}),
		}, permission.ID()),
	}
}

// function is compared with the package by its hash, where the package is: items
// are computed where no file is read.
func (s Site) function(region plan.Region) runbook.Item {
	return s.triggerItem(lambdaFunction, region, s.Plan.Trigger.Function, map[string]string{
		"runtime": "provided.al2023", "handler": "bootstrap", "memory": "128", "timeout": "10", "role": roleARN(s.triggerRole()),
		"environment/LIFELINE_APPLICATION": s.Plan.Application,
		"code":                             "as packaged", "architecture": "as packaged", runbook.AtCreation + "package": s.Plan.Trigger.Package,
		tagAtCreation: s.Plan.Application,
	})
}

func (s Site) triggerRole() string { return roleName(s.Plan.Application, "trigger") }

func (s Site) triggerItem(kind string, region plan.Region, name string, want map[string]string, needs ...string) runbook.Item {
	return runbook.Item{Area: runbook.AreaTrigger, Type: kind, Name: name, Region: string(region), Want: want, Needs: needs}
}
