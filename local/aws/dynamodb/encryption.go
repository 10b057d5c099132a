package dynamodb

import (
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/service/dynamodb"
)

// checkKey refuses a key that the Region doesn't have, or that can't be used.
func (d *DynamoDB) checkKey(region string, sse *dynamodb.SSESpecification) error {
	const inARN = 3 // arn:aws:kms:REGION:...
	if sse == nil || sse.KMSMasterKeyId == nil {
		return nil
	}
	parts := strings.Split(*sse.KMSMasterKeyId, ":")
	switch {
	case len(parts) > inARN && parts[inARN] != region:
		return invalidParameter("KMS validation error: the key %s is not in region %s", *sse.KMSMasterKeyId, region)
	case sse.SSEType != nil && *sse.SSEType != dynamodb.SSETypeKms:
		return invalidParameter("SSEType %s is not supported with KMSMasterKeyId", *sse.SSEType)
	case d.options.Keys == nil:
		return nil
	}
	if err := d.options.Keys.Check(region, *sse.KMSMasterKeyId); err != nil {
		return invalidParameter("KMS validation error: %v", err)
	}
	return nil
}

// customerKey is the table's own key; "" while AWS's are used.
func (t *table) customerKey() string {
	if t.sse == nil {
		return ""
	}
	return aws.StringValue(t.sse.KMSMasterKeyId)
}

// keyed is how a replica is encrypted: with its own key, or like its source.
func keyed(key *string, source *dynamodb.SSESpecification) *dynamodb.SSESpecification {
	if key == nil {
		return source
	}
	return &dynamodb.SSESpecification{Enabled: aws.Bool(true), KMSMasterKeyId: key, SSEType: aws.String(dynamodb.SSETypeKms)}
}

// describeSSE says nothing of tables under DynamoDB's own keys, as AWS does.
func (d *DynamoDB) describeSSE(t *table) *dynamodb.SSEDescription {
	if t.sse == nil || (t.sse.KMSMasterKeyId == nil && !aws.BoolValue(t.sse.Enabled)) {
		return nil
	}
	arn := aws.StringValue(t.sse.KMSMasterKeyId)
	prefix := "arn:aws:kms:" + t.region + ":" + d.world.Account() + ":"
	switch {
	case arn == "":
		arn = prefix + "alias/aws/dynamodb"
	case strings.HasPrefix(arn, "alias/"):
		arn = prefix + arn
	case !strings.HasPrefix(arn, "arn:"):
		arn = prefix + "key/" + arn
	}
	return &dynamodb.SSEDescription{
		Status: aws.String(dynamodb.SSEStatusEnabled), SSEType: aws.String(dynamodb.SSETypeKms), KMSMasterKeyArn: &arn,
	}
}
