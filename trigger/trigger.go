package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// recorded is the decision of a trigger that decides nothing: somebody was told,
// and it is written down.
const recorded = "recorded"

// Answer is what the function saw, and what it decided.
type Answer struct {
	Application string `json:"application"`
	Alarm       string `json:"alarm"`
	State       string `json:"state"` // OK, ALARM or INSUFFICIENT_DATA
	Region      string `json:"region"`
	Decision    string `json:"decision"`
}

// trigger hears the alarms of one application.
type trigger struct {
	application string
	log         *slog.Logger
}

func newTrigger(application string, log *slog.Logger) (*trigger, error) {
	if application == "" {
		return nil, errors.New("LIFELINE_APPLICATION is empty: setup puts the application's name there")
	}
	return &trigger{application: application, log: log.With("app", application)}, nil
}

// handle takes one delivery. An error makes Lambda try an asynchronous one again,
// twice, and count it.
func (t *trigger) handle(ctx context.Context, payload json.RawMessage) (Answer, error) {
	a, err := parse(payload)
	if err != nil {
		return Answer{}, err
	}
	if err := a.belongs(t.application); err != nil {
		return Answer{}, err
	}
	out := Answer{Application: t.application, Alarm: a.name, State: a.state, Region: a.region, Decision: recorded}
	t.log.InfoContext(ctx, "alarm heard",
		"run", requestID(ctx), "stage", "trigger", "alarm", out.Alarm, "state", out.State, "region", out.Region, "decision", out.Decision, "reason", a.reason)
	return out, nil
}

// requestID is Lambda's id of this call, for support cases.
func requestID(ctx context.Context) string {
	if c, ok := lambdacontext.FromContext(ctx); ok {
		return c.AwsRequestID
	}
	return ""
}
