package events

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/eventbridge"
	"github.com/google/uuid"

	"lifeline/local/aws/events/pattern"
	"lifeline/local/aws/wire"
)

const largest = 256 * 1024 // bytes of all entries of a call

// envelope is an event as it travels.
type envelope struct {
	Version    string          `json:"version"`
	ID         string          `json:"id"`
	DetailType string          `json:"detail-type"`
	Source     string          `json:"source"`
	Account    string          `json:"account"`
	Time       string          `json:"time"`
	Region     string          `json:"region"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// event is an event as rules look at it.
type event struct {
	raw    []byte
	fields map[string]any // with json.Number
}

func (e *Events) envelope(region, source, detailType string, resources []string, detail json.RawMessage) envelope {
	if resources == nil {
		resources = []string{}
	}
	return envelope{
		Version: "0", ID: uuid.NewString(), DetailType: detailType, Source: source, Account: e.world.Account(),
		Time: e.world.Now().UTC().Format(time.RFC3339), Region: region, Resources: resources, Detail: detail,
	}
}

func (v envelope) event() (event, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return event{}, fmt.Errorf("encode event of %s: %w", v.Source, err)
	}
	fields, err := pattern.Decode(string(raw))
	if err != nil {
		return event{}, fmt.Errorf("read event of %s: %w", v.Source, err)
	}
	return event{raw, fields}, nil
}

// Emit sends an event of a simulated AWS service, such as aws.backup, to the
// default bus of a Region. A dark Region loses it.
func (e *Events) Emit(region, source, detailType string, resources []string, detail map[string]any) {
	raw, err := json.Marshal(detail)
	if err != nil {
		e.world.Logger().Error("event can't be encoded", "source", source, "detail_type", detailType, "error", err)
		return
	}
	e.send(region, e.envelope(region, source, detailType, resources, raw), nil)
}

// PutEvents takes a caller's own events. One that is refused doesn't keep the
// others from being taken.
func (e *Events) PutEvents(c *wire.Call, in *sdk.PutEventsInput) (*sdk.PutEventsOutput, error) {
	total := 0
	for _, entry := range in.Entries {
		total += sizeOf(entry)
	}
	if total > largest {
		return nil, wire.Invalid("Total size of the entries in the request is over the limit.")
	}
	out := &sdk.PutEventsOutput{FailedEntryCount: aws.Int64(0)}
	for _, entry := range in.Entries {
		if code, why := e.refusal(c, entry); code != "" {
			*out.FailedEntryCount++
			out.Entries = append(out.Entries, &sdk.PutEventsResultEntry{ErrorCode: aws.String(code), ErrorMessage: aws.String(why)})
			continue
		}
		v := e.envelope(c.Region, *entry.Source, *entry.DetailType, aws.StringValueSlice(entry.Resources), json.RawMessage(*entry.Detail))
		if entry.Time != nil {
			v.Time = entry.Time.UTC().Format(time.RFC3339)
		}
		e.send(c.Region, v, nil)
		out.Entries = append(out.Entries, &sdk.PutEventsResultEntry{EventId: aws.String(v.ID)})
	}
	return out, nil
}

// sizeOf is what EventBridge counts of an entry.
func sizeOf(entry *sdk.PutEventsRequestEntry) int {
	const ofTime = 14
	size := len(aws.StringValue(entry.Source)) + len(aws.StringValue(entry.DetailType)) + len(aws.StringValue(entry.Detail))
	for _, r := range entry.Resources {
		size += len(*r)
	}
	if entry.Time != nil {
		size += ofTime
	}
	return size
}

// refusal is why an entry isn't taken; "" when it is.
func (e *Events) refusal(c *wire.Call, entry *sdk.PutEventsRequestEntry) (code, why string) {
	for name, v := range map[string]*string{"Source": entry.Source, "DetailType": entry.DetailType, "Detail": entry.Detail} {
		if aws.StringValue(v) == "" {
			return "InvalidArgument", fmt.Sprintf("Parameter %s is not valid. Reason: %s is a required argument.", name, name)
		}
	}
	if len(*entry.Source) >= len("aws.") && (*entry.Source)[:4] == "aws." {
		return "NotAuthorizedForSourceException", "Not authorized for the source."
	}
	if _, err := pattern.Decode(*entry.Detail); err != nil {
		return "MalformedDetail", "Detail is malformed."
	}
	if err := e.checkBus(c, entry.EventBusName); err != nil {
		return sdk.ErrCodeResourceNotFoundException, "Event bus " + *entry.EventBusName + " does not exist."
	}
	return "", ""
}

// TestEventPattern says whether a pattern matches an event.
func (e *Events) TestEventPattern(_ *wire.Call, in *sdk.TestEventPatternInput) (*sdk.TestEventPatternOutput, error) {
	wants, err := parsePattern(*in.EventPattern)
	if err != nil {
		return nil, err
	}
	fields, err := pattern.Decode(*in.Event)
	if err != nil {
		return nil, wire.Invalid("Parameter Event is not valid. Reason: %v", err)
	}
	for _, name := range []string{"id", "account", "source", "time", "region", "resources", "detail-type"} {
		if fields[name] == nil {
			return nil, wire.Invalid("Parameter Event is not valid. Reason: %s is a required argument.", name)
		}
	}
	return &sdk.TestEventPatternOutput{Result: aws.Bool(wants.Match(pattern.Normal(fields)))}, nil
}
