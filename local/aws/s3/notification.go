package s3

import (
	sdk "github.com/aws/aws-sdk-go/service/s3"

	"lifeline/local/aws/wire"
)

// PutBucketNotificationConfiguration says whether EventBridge is told what
// happens in a bucket. Queues, topics and functions are refused like
// destinations that S3 can't reach: nothing would be sent to them.
func (s *S3) PutBucketNotificationConfiguration(c *wire.Call, in *sdk.PutBucketNotificationConfigurationInput) (*sdk.PutBucketNotificationConfigurationOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.change(c, in.Bucket)
	if err != nil {
		return nil, err
	}
	config := in.NotificationConfiguration
	if len(config.TopicConfigurations) > 0 || len(config.QueueConfigurations) > 0 || len(config.LambdaFunctionConfigurations) > 0 {
		return nil, invalidArgument("Unable to validate the following destination configurations")
	}
	b.eventBridge = config.EventBridgeConfiguration != nil
	return nil, nil
}

// GetBucketNotificationConfiguration tells who hears of what happens in a bucket.
func (s *S3) GetBucketNotificationConfiguration(c *wire.Call, in *sdk.GetBucketNotificationConfigurationRequest) (*sdk.NotificationConfiguration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, err := s.open(c, in.Bucket)
	if err != nil || !b.eventBridge {
		return nil, err
	}
	return &sdk.NotificationConfiguration{EventBridgeConfiguration: &sdk.EventBridgeConfiguration{}}, nil
}

// EventBridge says whether EventBridge is told what happens in a bucket, without
// which AWS Backup can't keep it continuously; ok is false when there is no such
// bucket.
func (s *S3) EventBridge(bucketName string) (on, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buckets[bucketName]
	return ok && b.eventBridge, ok
}
