package sns

import (
	"errors"
	"net/http"
	"regexp"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/sns"

	"lifeline/local/aws/wire"
)

// mostEntries is how many messages one batch may hold.
const mostEntries = 10

// PublishBatch takes each message for itself: a bad one stops no other. A batch
// that is itself malformed is refused as a whole.
func (s *SNS) PublishBatch(c *wire.Call, in *sdk.PublishBatchInput) (*sdk.PublishBatchOutput, error) {
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	s.mu.Lock()
	_, err := s.find(c.Region, in.TopicArn)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	out := &sdk.PublishBatchOutput{}
	for _, e := range in.PublishBatchRequestEntries {
		text, err := content(e.Subject, *e.Message, e.MessageStructure)
		id := ""
		if err == nil {
			id, err = s.send(c.Region, *in.TopicArn, aws.StringValue(e.Subject), text, c.Caller)
		}
		if err != nil {
			out.Failed = append(out.Failed, failed(*e.Id, err))
			continue
		}
		out.Successful = append(out.Successful, &sdk.PublishBatchResultEntry{Id: aws.String(*e.Id), MessageId: aws.String(id)})
	}
	return out, nil
}

// failed is the answer for one message that was not taken.
func failed(id string, err error) *sdk.BatchResultErrorEntry {
	code, message, sender := sdk.ErrCodeInternalErrorException, err.Error(), false
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		code, message, sender = refused.Code, refused.Message, refused.Status < http.StatusInternalServerError
	}
	return &sdk.BatchResultErrorEntry{Id: &id, Code: &code, Message: &message, SenderFault: &sender}
}

func checkBatch(entries []*sdk.PublishBatchRequestEntry) error {
	switch {
	case len(entries) == 0:
		return refuse(http.StatusBadRequest, sdk.ErrCodeEmptyBatchRequestException, "The batch request doesn't contain any entries.")
	case len(entries) > mostEntries:
		return refuse(http.StatusBadRequest, sdk.ErrCodeTooManyEntriesInBatchRequestException, "The batch request contains more entries than permissible.")
	}
	size, seen := 0, map[string]bool{}
	for _, e := range entries {
		if !regexp.MustCompile(`^[\w-]{1,80}$`).MatchString(*e.Id) {
			return refuse(http.StatusBadRequest, sdk.ErrCodeInvalidBatchEntryIdException, "The Id of a batch entry in a batch request doesn't abide by the specification.")
		}
		if seen[*e.Id] {
			return refuse(http.StatusBadRequest, sdk.ErrCodeBatchEntryIdsNotDistinctException, "Two or more batch entries in the request have the same Id.")
		}
		seen[*e.Id] = true
		size += len(*e.Message)
	}
	if size > largest {
		return refuse(http.StatusBadRequest, sdk.ErrCodeBatchRequestTooLongException, "The length of all the messages put together is more than the limit.")
	}
	return nil
}
