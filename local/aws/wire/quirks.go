package wire

import (
	"net/http"
	"strings"
)

// quirks are the facts about a service that its shapes don't carry. Each comes
// from AWS's API reference of that service.
type quirks struct {
	xmlns    string            // namespace of XML answers
	roots    map[string]string // rest-xml: root element by operation
	shapes   map[string]string // query-compatible services: error shape by wire code
	idPrefix []string          // path ids may carry one of these
	iam      string            // prefix of IAM actions when not the signing name
	unsigned bool              // anonymous calls reach the service (S3)
	hosts    bool              // the first path member may stand in the host name (S3)
}

func quirksOf(service string) quirks {
	switch service {
	case "s3":
		return quirks{
			xmlns: "http://s3.amazonaws.com/doc/2006-03-01/", roots: s3Roots(),
			unsigned: true, hosts: true,
		}
	case "route53":
		return quirks{
			xmlns:    "https://route53.amazonaws.com/doc/2013-04-01/",
			idPrefix: []string{"/hostedzone/", "/change/", "/delegationset/", "/healthcheck/"},
		}
	case "monitoring":
		return quirks{iam: "cloudwatch", shapes: map[string]string{
			"InvalidParameterValue":       "InvalidParameterValueException",
			"InvalidParameterCombination": "InvalidParameterCombinationException",
			"MissingParameter":            "MissingRequiredParameterException",
			"InvalidFormat":               "InvalidFormatFault",
			"LimitExceeded":               "LimitExceededFault",
			"InternalServiceError":        "InternalServiceFault",
			"InvalidParameterInput":       "DashboardInvalidInputError",
			"ResourceNotFound":            "ResourceNotFound",
		}}
	default:
		return quirks{}
	}
}

func s3Roots() map[string]string {
	return map[string]string{
		"ListBuckets": "ListAllMyBucketsResult", "ListObjects": "ListBucketResult",
		"ListObjectsV2": "ListBucketResult", "ListObjectVersions": "ListVersionsResult",
		"ListMultipartUploads": "ListMultipartUploadsResult", "ListParts": "ListPartsResult",
		"CreateMultipartUpload":   "InitiateMultipartUploadResult",
		"CompleteMultipartUpload": "CompleteMultipartUploadResult",
		"DeleteObjects":           "DeleteResult", "GetBucketVersioning": "VersioningConfiguration",
		"GetBucketLocation": "LocationConstraint", "GetBucketAcl": "AccessControlPolicy",
		"GetObjectAcl": "AccessControlPolicy", "GetBucketTagging": "Tagging",
		"GetObjectTagging": "Tagging", "GetBucketCors": "CORSConfiguration",
		"GetBucketLogging":                   "BucketLoggingStatus",
		"GetBucketLifecycleConfiguration":    "LifecycleConfiguration",
		"GetBucketLifecycle":                 "LifecycleConfiguration",
		"GetBucketWebsite":                   "WebsiteConfiguration",
		"GetBucketRequestPayment":            "RequestPaymentConfiguration",
		"GetBucketAccelerateConfiguration":   "AccelerateConfiguration",
		"GetBucketNotificationConfiguration": "NotificationConfiguration",
		"GetObjectAttributes":                "GetObjectAttributesResponse",
	}
}

// control says whether this is S3 Control, which shares S3's signing name and
// little else.
func (s *Service) control() bool { return s.info.ServiceID == "S3 Control" }

// namespace is the XML namespace of a service's answers.
func (s *Service) namespace() string {
	if s.control() {
		return "http://awss3control.amazonaws.com/doc/" + s.info.APIVersion + "/"
	}
	if s.quirks.xmlns != "" {
		return s.quirks.xmlns
	}
	return "http://" + s.name + ".amazonaws.com/doc/" + s.info.APIVersion + "/"
}

// status is the HTTP status of a good answer.
func (s *Service) status(op *operation) int {
	if code, ok := s.statuses[op.name]; ok {
		return code
	}
	return http.StatusOK
}

// action is the IAM action that allows an operation. Most are named alike;
// S3's are not.
func (s *Service) action(operation string) string {
	if s.control() && strings.HasSuffix(operation, "PublicAccessBlock") {
		return "s3:" + strings.Replace(s3Action(operation), "Bucket", "Account", 1)
	}
	if s.name == "s3" {
		return "s3:" + s3Action(operation)
	}
	if s.quirks.iam != "" {
		return s.quirks.iam + ":" + operation
	}
	return s.name + ":" + operation
}

func s3Action(operation string) string {
	switch operation {
	case "ListObjects", "ListObjectsV2", "HeadBucket":
		return "ListBucket"
	case "ListObjectVersions":
		return "ListBucketVersions"
	case "ListBuckets":
		return "ListAllMyBuckets"
	case "HeadObject":
		return "GetObject"
	case "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload":
		return "PutObject"
	case "DeleteObjects":
		return "DeleteObject"
	case "GetBucketReplication":
		return "GetReplicationConfiguration"
	case "PutBucketReplication", "DeleteBucketReplication":
		return "PutReplicationConfiguration"
	case "GetBucketEncryption":
		return "GetEncryptionConfiguration"
	case "PutBucketEncryption", "DeleteBucketEncryption":
		return "PutEncryptionConfiguration"
	case "GetPublicAccessBlock":
		return "GetBucketPublicAccessBlock"
	case "PutPublicAccessBlock", "DeletePublicAccessBlock":
		return "PutBucketPublicAccessBlock"
	case "GetBucketNotificationConfiguration":
		return "GetBucketNotification"
	case "PutBucketNotificationConfiguration":
		return "PutBucketNotification"
	case "DeleteBucketTagging":
		return "PutBucketTagging"
	case "DeleteBucketOwnershipControls":
		return "PutBucketOwnershipControls"
	case "GetBucketLifecycleConfiguration":
		return "GetLifecycleConfiguration"
	case "PutBucketLifecycleConfiguration", "DeleteBucketLifecycle":
		return "PutLifecycleConfiguration"
	default:
		return operation
	}
}

// mutating says whether an operation changes anything, by AWS's verbs.
func mutating(operation string) bool {
	for _, verb := range []string{
		"Describe", "Get", "List", "Head", "BatchGet", "Query", "Scan", "Select",
		"Search", "Lookup", "Test", "Validate", "Estimate", "TransactGet", "Preview", "Check", "Detect",
	} {
		if strings.HasPrefix(operation, verb) {
			return false
		}
	}
	return true
}
