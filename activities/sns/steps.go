package sns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// subjectLimit is SNS's: 100 ASCII characters, no control characters.
const subjectLimit = 100

// API is every operation of this package: its part of the IAM policy.
type API interface {
	Publish(context.Context, *sdk.PublishInput, ...func(*sdk.Options)) (*sdk.PublishOutput, error)
}

// Steps are the activities of this package.
type Steps struct {
	Clients func(plan.Region) API
}

// New makes the steps on AWS.
func New(c *cloud.Clients) *Steps {
	return &Steps{Clients: cloud.PerRegion(c, func(cfg aws.Config) API { return sdk.NewFromConfig(cfg) })}
}

// Notify publishes to all topics side by side, so that a dark Region's topic
// delays no other. A repetition after a lost answer is delivered again; its
// token is the same.
func (s *Steps) Notify(ctx context.Context, in Notification) (Delivered, error) {
	if len(in.Topics) == 0 {
		return Delivered{}, nil
	}
	d := Delivered{Refused: map[string]string{}}
	var reasons []error
	var mu sync.Mutex
	var side sync.WaitGroup
	for region, topic := range in.Topics {
		side.Go(func() {
			err := s.publish(ctx, cloud.At{Region: region, Timeout: in.Timeout}, topic, in)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				d.Refused[string(region)] = err.Error()
				reasons = append(reasons, err)
				return
			}
			d.Regions = append(d.Regions, string(region))
		})
	}
	side.Wait()
	slices.Sort(d.Regions)
	if len(d.Regions) == 0 {
		return Delivered{}, fmt.Errorf("notify %q: no topic took it: %w", in.Subject, errors.Join(reasons...))
	}
	return d, nil
}

// publish sends to one topic.
func (s *Steps) publish(ctx context.Context, at cloud.At, topic string, in Notification) error {
	message := &sdk.PublishInput{
		TopicArn: aws.String(topic),
		Subject:  aws.String(subject(in.Subject)),
		Message:  aws.String(in.Message),
	}
	if in.Token != "" {
		message.MessageAttributes = map[string]types.MessageAttributeValue{
			"lifeline-token": {DataType: aws.String("String"), StringValue: aws.String(in.Token)},
		}
	}
	if _, err := cloud.Call(ctx, at, s.Clients(at.Region).Publish, message); err != nil {
		return fmt.Errorf("publish to %s: %w", topic, err)
	}
	return nil
}

// subject is what SNS accepts as a subject: it refuses the whole message otherwise.
func subject(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r > unicode.MaxASCII || unicode.IsControl(r):
			return '?'
		}
		return r
	}, s))
	if s == "" {
		return "Lifeline"
	}
	return s[:min(len(s), subjectLimit)]
}
