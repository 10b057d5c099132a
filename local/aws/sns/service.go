package sns

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/aws/aws-sdk-go/service/sns"

	"lifeline/local/aws/iam/policy"
	"lifeline/local/aws/wire"
)

// awsKey is the alias of the key that AWS keeps for SNS in every account. Its
// policy can't be changed, and it lets no service in.
const awsKey = "alias/aws/sns"

// Notify publishes for another AWS service, such as events.amazonaws.com. Unlike
// an alarm such a service is let in by nothing but the topic's policy: the one that
// a topic has by default isn't enough.
func (s *SNS) Notify(region, arn, service, subject, message string) error {
	if err := s.admitToTopic(region, arn, service); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	if err := s.admitToKey(region, arn, service); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	if _, err := s.send(region, arn, subject, message, service); err != nil {
		return fmt.Errorf("notify %s: %w", arn, err)
	}
	return nil
}

// checkPolicy refuses a topic policy that can't be read; "" is the default one.
func checkPolicy(text string) error {
	if text == "" {
		return nil
	}
	if _, err := policy.Parse(text, policy.Resource); err != nil {
		return invalid("Policy Error: %v", err)
	}
	return nil
}

// admitToTopic says whether the topic's policy lets a service publish.
func (s *SNS) admitToTopic(region, arn, service string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(region, &arn)
	if err != nil {
		return err
	}
	if text := t.attributes["Policy"]; text != "" {
		d, err := policy.Parse(text, policy.Resource)
		if err != nil {
			return fmt.Errorf("policy of the topic: %w", err)
		}
		if d.Allows(policy.Request{
			Principals: []policy.Principal{policy.Service(service)}, Action: "sns:Publish", Resource: arn,
			Context: map[string]string{"aws:SourceAccount": s.world.Account()}, Open: []string{"aws:SourceArn"},
		}) {
			return nil
		}
	}
	return refuse(http.StatusForbidden, sdk.ErrCodeAuthorizationErrorException,
		"User: %s is not authorized to perform: SNS:Publish on resource: %s because no resource-based policy allows the SNS:Publish action", service, arn)
}

// admitToKey says whether a service may use the key of a topic.
func (s *SNS) admitToKey(region, arn, service string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.find(region, &arn)
	if err != nil {
		return err
	}
	key := t.attributes["KmsMasterKeyId"]
	if s.managed(region, key) {
		return kmsDenied(service, "kms:GenerateDataKey", key, "an AWS managed key's policy can't allow it")
	}
	if s.keys == nil || key == "" {
		return nil
	}
	if err := s.checkKey(t); err != nil {
		return err
	}
	for _, action := range []string{"kms:GenerateDataKey", "kms:Decrypt"} {
		if !s.keys.Allows(region, key, service, action) {
			return kmsDenied(service, action, key, "the key's policy doesn't allow it")
		}
	}
	return nil
}

func kmsDenied(service, action, key, why string) error {
	return refuse(http.StatusBadRequest, sdk.ErrCodeKMSAccessDeniedException, "%s is not authorized to perform %s on %s: %s", service, action, key, why)
}

func (s *SNS) managed(region, key string) bool {
	return key == awsKey || strings.HasSuffix(key, ":"+awsKey) ||
		s.keys != nil && key != "" && s.keys.Managed(region, key)
}

// checkKey refuses a topic whose key can't be used, with SNS's code for KMS's.
func (s *SNS) checkKey(t *topic) error {
	key := t.attributes["KmsMasterKeyId"]
	if s.keys == nil || key == "" {
		return nil
	}
	err := s.keys.Check(t.region, key)
	of, known := errors.AsType[*wire.Error](err)
	if err == nil || !known {
		return err
	}
	code := "KMS" + strings.TrimPrefix(strings.TrimSuffix(of.Code, "Exception"), "KMS")
	return refuse(http.StatusBadRequest, code, "%s", of.Message)
}
