package cloud

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"lifeline/internal/runbook"
)

// Kind is what a failed call means for the run. Workflows branch on it, so its
// values are part of recorded histories.
type Kind string

// Kinds of failures.
const (
	Invalid     Kind = "Invalid"     // the request can never succeed as it is
	NotFound    Kind = "NotFound"    // the plan names something that does not exist
	Conflict    Kind = "Conflict"    // the resource is busy or has moved on: look again
	Denied      Kind = "Denied"      // a permission is missing, or the credentials are refused
	Quota       Kind = "Quota"       // a limit of the account is reached
	Throttled   Kind = "Throttled"   // too many calls: later
	NotYet      Kind = "NotYet"      // asked too early; nothing is wrong
	Unreachable Kind = "Unreachable" // no answer: what was asked may have happened or not
	Unknown     Kind = "Unknown"     // anything else, server errors included
)

// Permanent says that trying again without a person changing something is
// pointless.
func (k Kind) Permanent() bool {
	switch k {
	case Invalid, NotFound, Denied:
		return true
	case Conflict, Quota, Throttled, NotYet, Unreachable, Unknown:
		return false
	}
	return false
}

// KindOf classifies any error that a step returns. It is Unknown when nothing
// is known about it, and empty for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var known *Error
	if errors.As(err, &known) {
		return known.Kind
	}
	// AWS answered, but reading back does not show it: most control planes are
	// eventually consistent, so this is a reason to look again, not to give up.
	if errors.Is(err, runbook.ErrNotConfirmed) {
		return NotYet
	}
	if kind := kindOfAnswer(err); kind != "" {
		return kind
	}
	if unanswered(err) {
		return Unreachable
	}
	return Unknown
}

// kindOfAnswer classifies what a service said; empty when it said nothing that
// is known.
func kindOfAnswer(err error) Kind {
	// Whoever does not serve a service knows nothing of what is there: its "not
	// found" is not AWS's.
	if Unserved(err) {
		return Invalid
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if kind := kindOfCode(api.ErrorCode()); kind != "" {
			return kind
		}
	}
	var answer *smithyhttp.ResponseError
	if errors.As(err, &answer) {
		return kindOfStatus(answer.HTTPStatusCode())
	}
	return ""
}

// kindOfCode names the wire codes of the services that Lifeline calls. A code
// stands under the kind that decides what to do next, not under its HTTP status.
func kindOfCode(code string) Kind {
	switch strings.TrimSuffix(code, "Exception") {
	case "AccessDenied", "UnauthorizedOperation", "AuthorizationError", "NotAuthorized", "Forbidden", "OptInRequired",
		"UnrecognizedClient", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidAccessKeyId",
		"AuthFailure", "MissingAuthenticationToken", "IncompleteSignature", "ExpiredToken", "KMSAccessDenied", "KMSKeyNotAccessibleFault":
		return Denied
	case "Throttling", "Throttled", "ThrottledRequest", "ThrottlingError", "RequestLimitExceeded", "TooManyRequests", "RequestThrottled",
		"ProvisionedThroughputExceeded", "SlowDown", "Client.RequestLimitExceeded", "PriorRequestNotComplete", "BandwidthLimitExceeded":
		return Throttled
	case "NoSuchBucket", "NoSuchKey", "NotFound", "ResourceNotFound", "TableNotFound", "GlobalClusterNotFoundFault", "DBClusterNotFoundFault",
		"DBClusterNotFound", "DBInstanceNotFound", "DBClusterSnapshotNotFoundFault", "TargetGroupNotFound", "LoadBalancerNotFound",
		"NoSuchResource", "NoSuchHostedZone", "NoSuchEntity":
		return NotFound
	case "ConditionalCheckFailed", "Conflict", "ResourceInUse", "ResourceContention", "ScalingActivityInProgress", "AlreadyExists",
		"InvalidGlobalClusterStateFault", "InvalidDBClusterStateFault", "InvalidDBInstanceState", "InvalidDBClusterSnapshotStateFault",
		"DBClusterSnapshotAlreadyExistsFault", "NetworkAclEntryAlreadyExists", "TransactionConflict", "ReplicatedWriteConflict",
		"DBInstanceAlreadyExists", "DBClusterAlreadyExistsFault", "GlobalClusterAlreadyExistsFault", "ContinuousBackupsUnavailable",
		"HealthCheckAlreadyExists", "HealthCheckVersionMismatch", "HostedZoneAlreadyExists",
		"OperationAborted", "IncorrectState":
		return Conflict
	case "LimitExceeded", "ServiceQuotaExceeded", "SnapshotQuotaExceeded", "InstanceLimitExceeded", "InsufficientInstanceCapacity",
		"NetworkAclEntryLimitExceeded", "VcpuLimitExceeded", "TooManyHealthChecks", "TooManyHostedZones", "InstanceQuotaExceeded",
		"StorageQuotaExceeded", "DBClusterQuotaExceededFault", "GlobalClusterQuotaExceededFault", "DBInstanceAutomatedBackupQuotaExceeded":
		return Quota
	case "Validation", "ValidationError", "InvalidParameter", "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter",
		"InvalidRequest", "MalformedXML", "InvalidInput", "InvalidArgument", "MalformedQueryString", "InvalidAction", "Serialization",
		"MissingRequiredParameter", "InvalidBucketName", "UnknownOperation":
		return Invalid
	case "EndpointTemporarilyUnavailable", "ServiceUnavailable", "Unavailable", "RequestTimeout":
		return Unreachable
	}
	// EC2 has a code per kind of resource: InvalidSubnetID.NotFound and so on.
	if strings.HasSuffix(code, ".NotFound") {
		return NotFound
	}
	return ""
}

// kindOfStatus judges an answer without a known code: S3 answers HEAD without a body.
func kindOfStatus(status int) Kind {
	switch status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return Denied
	case http.StatusNotFound:
		return NotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		return Conflict
	case http.StatusTooManyRequests:
		return Throttled
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return Unreachable
	case http.StatusBadRequest:
		return Invalid
	}
	return ""
}

// unanswered says that no answer came: nobody knows whether the act happened.
func unanswered(err error) bool {
	var send *smithyhttp.RequestSendError
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.As(err, &send) || errors.As(err, &network)
}
