package cloud

import (
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// Permission is the IAM action that an SDK operation needs, e.g.
// "rds:FailoverGlobalCluster" for service id "RDS". Most operations are called
// like their action; the exceptions come from the Service Authorization Reference.
func Permission(serviceID, operation string) string {
	return prefix(serviceID) + ":" + action(serviceID, operation)
}

// prefix is the IAM prefix of a service where it is not its id in lower case.
func prefix(serviceID string) string {
	switch serviceID {
	case "Elastic Load Balancing v2":
		return "elasticloadbalancing"
	case "EventBridge":
		return "events"
	case "Route53 Recovery Cluster":
		return "route53-recovery-cluster"
	case "Route53 Recovery Control Config":
		return "route53-recovery-control-config"
	case "S3 Control":
		return "s3"
	default:
		return strings.ToLower(strings.ReplaceAll(serviceID, " ", ""))
	}
}

// action is the IAM action of an operation where the two differ.
func action(serviceID, operation string) string {
	if serviceID == "S3" {
		switch operation {
		case "HeadObject":
			return "GetObject"
		case "HeadBucket", "ListObjectsV2":
			return "ListBucket"
		case "ListBuckets":
			return "ListAllMyBuckets"
		case "GetBucketReplication", "PutBucketReplication", "GetBucketEncryption", "PutBucketEncryption":
			verb, what, _ := strings.Cut(operation, "Bucket")
			return verb + what + "Configuration"
		case "GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration":
			return strings.Replace(operation, "Bucket", "", 1)
		case "GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration":
			return strings.TrimSuffix(operation, "Configuration")
		case "GetPublicAccessBlock", "PutPublicAccessBlock":
			return strings.Replace(operation, "Public", "BucketPublic", 1)
		}
	}
	return operation
}

// lacking is what a denied caller must be given. Some calls need more than the
// action of their name: AWS's answer then says which, or, being S3, says
// "forbidden" of an object that is not there to a caller who may not list.
func lacking(serviceID, operation string, err error) string {
	own := Permission(serviceID, operation)
	var answer smithy.APIError
	if errors.As(err, &answer) {
		// For people to read; no decision hangs on it.
		if said := regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`).FindStringSubmatch(answer.ErrorMessage()); said != nil {
			return said[1]
		}
	}
	if own == "s3:GetObject" {
		return own + " or s3:ListBucket"
	}
	return own
}
