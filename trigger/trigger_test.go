package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/stretchr/testify/require"
)

const (
	name = "lifeline-patient-records-page"
	arn  = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:" + name
)

// listening is a trigger of patient-records, and what it logs.
func listening(t *testing.T) (*trigger, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	out, err := newTrigger("patient-records", slog.New(slog.NewJSONHandler(&log, nil)))
	require.NoError(t, err)
	return out, &log
}

// bySNS is a message as SNS hands it to a function.
func bySNS(t *testing.T, message any) json.RawMessage {
	t.Helper()
	text, ok := message.(string)
	if !ok {
		raw, err := json.Marshal(message)
		require.NoError(t, err)
		text = string(raw)
	}
	raw, err := json.Marshal(events.SNSEvent{Records: []events.SNSEventRecord{{
		EventSource: "aws:sns", EventVersion: "1.0",
		SNS: events.SNSEntity{MessageID: "m-1", TopicArn: "arn:aws:sns:us-west-2:123456789012:patient-records-alarms", Message: text},
	}}})
	require.NoError(t, err)
	return raw
}

func notice(change map[string]any) map[string]any {
	out := map[string]any{
		"AlarmName": name, "AlarmArn": arn, "AWSAccountId": "123456789012", "NewStateValue": "ALARM", "OldStateValue": "OK",
		"NewStateReason": "3 datapoints were greater", "Region": "US West (Oregon)", "StateChangeTime": "2026-11-25T02:00:00.000+0000",
		"Trigger": map[string]any{"MetricName": "ReplicationLatency"},
	}
	for key, value := range change {
		out[key] = value
	}
	return out
}

func TestHandle_AlarmByAnyWay_IsRecorded(t *testing.T) {
	t.Parallel()
	state := map[string]any{"value": "ALARM", "reason": "3 datapoints were greater", "timestamp": "2026-11-25T02:00:00.000+0000"}
	raw := func(v any) json.RawMessage {
		out, err := json.Marshal(v)
		require.NoError(t, err)
		return out
	}
	for title, payload := range map[string]json.RawMessage{
		"by SNS": bySNS(t, notice(nil)),
		"a composite by SNS": bySNS(t, notice(map[string]any{
			"AlarmRule": `ALARM("a") OR ALARM("b")`, "Trigger": nil, "TriggeringChildren": []any{map[string]any{"Arn": "arn:a"}},
		})),
		"by CloudWatch itself": raw(map[string]any{
			"source": "aws.cloudwatch", "alarmArn": arn, "accountId": "123456789012", "region": "us-west-2", "time": "2026-11-25T02:00:00.000+0000",
			"alarmData": map[string]any{"alarmName": name, "state": state, "previousState": map[string]any{"value": "OK"}},
		}),
		"by EventBridge": raw(map[string]any{
			"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "resources": []string{arn}, "region": "us-west-2",
			"detail": map[string]any{"alarmName": name, "state": state},
		}),
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			h, log := listening(t)
			ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "r-1"})
			out, err := h.handle(ctx, payload)
			require.NoError(t, err)
			require.Equal(t, Answer{Application: "patient-records", Alarm: name, State: "ALARM", Region: "us-west-2", Decision: "recorded"}, out)
			var line map[string]any
			require.NoError(t, json.Unmarshal(log.Bytes(), &line), "one line of JSON")
			for key, want := range map[string]string{
				"app": "patient-records", "run": "r-1", "stage": "trigger", "alarm": name, "state": "ALARM", "region": "us-west-2", "decision": "recorded",
			} {
				require.Equal(t, want, line[key], key)
			}
		})
	}
}

func TestHandle_WhatIsNoAlarmOfThisApplication_IsRefused(t *testing.T) {
	t.Parallel()
	other := "arn:aws:cloudwatch:us-west-2:123456789012:alarm:lifeline-imaging-page"
	for title, c := range map[string]struct {
		payload json.RawMessage
		says    string
	}{
		"another application": {bySNS(t, notice(map[string]any{"AlarmName": "lifeline-imaging-page", "AlarmArn": other})), "not of the application patient-records"},
		"somebody's alarm":    {bySNS(t, notice(map[string]any{"AlarmName": "cpu", "AlarmArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:cpu"})), "not of the application"},
		"a false name":        {bySNS(t, notice(map[string]any{"AlarmArn": other})), "its ARN is of"},
		"no ARN":              {bySNS(t, notice(map[string]any{"AlarmArn": ""})), "no alarm's ARN"},
		"no state":            {bySNS(t, notice(map[string]any{"NewStateValue": "PANIC"})), "no state that CloudWatch has"},
		"a backup's message":  {bySNS(t, "An AWS Backup job failed."), "message m-1 is no alarm's"},
		"an event on a topic": {bySNS(t, map[string]any{"source": "aws.backup", "detail-type": "Backup Job State Change"}), "no alarm's ARN"},
		"an event":            {json.RawMessage(`{"source":"aws.backup","detail-type":"Backup Job State Change","detail":{"state":"FAILED"}}`), "no alarm's"},
		"a queue's record":    {json.RawMessage(`{"Records":[{"EventSource":"aws:sqs","Sns":{"Message":"{}"}}]}`), "not of SNS"},
		"two records":         {json.RawMessage(`{"Records":[{},{}]}`), "one at a time"},
		"nothing":             {json.RawMessage(`{}`), "no alarm's"},
		"no JSON":             {json.RawMessage(`alarm`), "read the delivery"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			h, log := listening(t)
			out, err := h.handle(t.Context(), c.payload)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, Answer{}, out)
			require.Empty(t, log.String(), "Lambda logs the error")
		})
	}
}

func TestNewTrigger_NoApplication_DoesNotStart(t *testing.T) {
	t.Parallel()
	_, err := newTrigger("", slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "LIFELINE_APPLICATION")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Records":[{"EventSource":"aws:sns","Sns":{"Message":"{}"}}]}`))
	f.Add([]byte(`{"source":"aws.cloudwatch","alarmArn":"` + arn + `","alarmData":{"alarmName":"` + name + `","state":{"value":"OK"}}}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		a, err := parse(payload)
		if err == nil && (a.name == "" || a.region == "" && a.state == "") {
			t.Errorf("an alarm without name or state: %+v", a)
		}
	})
}
