package wire

import (
	"maps"
	"net/http"
)

// reply is the status and wire code with which a service reports a problem.
type reply struct {
	status int
	code   string
}

// dialect says how one service reports each problem.
type dialect map[problem]reply

// dialectOf is the protocol's way overlaid with the service's own.
func dialectOf(service string, p Protocol) dialect {
	d := protocolDialect(p)
	if service == "s3" {
		d = s3Dialect()
	}
	maps.Copy(d, serviceDialect(service, p))
	return d
}

// in gives an error of the wire its status and code in the dialect.
func (e *Error) in(d dialect) *Error {
	r, ok := d[e.problem]
	if e.problem == noProblem || !ok {
		return e
	}
	out := *e
	out.Status, out.Code = r.status, r.code
	return &out
}

func protocolDialect(p Protocol) dialect {
	switch p {
	case EC2:
		return ec2Dialect()
	case RESTJSON:
		return restJSONDialect()
	case JSON10, JSON11, CBOR:
		return jsonDialect()
	case Query, RESTXML:
		return queryDialect()
	default:
		return queryDialect()
	}
}

func queryDialect() dialect {
	return dialect{
		missingParameter: {http.StatusBadRequest, "MissingParameter"},
		invalidParameter: {http.StatusBadRequest, "InvalidParameterValue"},
		malformedBody:    {http.StatusBadRequest, "MalformedInput"},
		unknownOperation: {http.StatusBadRequest, "InvalidAction"},
		missingAuth:      {http.StatusForbidden, "MissingAuthenticationToken"},
		malformedAuth:    {http.StatusBadRequest, "IncompleteSignature"},
		expiredAuth:      {http.StatusForbidden, "SignatureDoesNotMatch"},
		foreignRegion:    {http.StatusForbidden, "SignatureDoesNotMatch"},
		denied:           {http.StatusForbidden, "AccessDenied"},
		throttled:        {http.StatusBadRequest, "Throttling"},
		unavailable:      {http.StatusServiceUnavailable, "ServiceUnavailable"},
		internal:         {http.StatusInternalServerError, "InternalFailure"},
		tooLarge:         {http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"},
		badDigest:        {http.StatusBadRequest, "InvalidDigest"},
	}
}

func ec2Dialect() dialect {
	d := queryDialect()
	maps.Copy(d, dialect{
		missingAuth:   {http.StatusUnauthorized, "AuthFailure"},
		malformedAuth: {http.StatusUnauthorized, "AuthFailure"},
		expiredAuth:   {http.StatusBadRequest, "RequestExpired"},
		foreignRegion: {http.StatusUnauthorized, "AuthFailure"},
		denied:        {http.StatusForbidden, "UnauthorizedOperation"},
		throttled:     {http.StatusServiceUnavailable, "RequestLimitExceeded"},
		unavailable:   {http.StatusServiceUnavailable, "Unavailable"},
		internal:      {http.StatusInternalServerError, "InternalError"},
	})
	return d
}

func jsonDialect() dialect {
	return dialect{
		missingParameter: {http.StatusBadRequest, "ValidationException"},
		invalidParameter: {http.StatusBadRequest, "ValidationException"},
		malformedBody:    {http.StatusBadRequest, "SerializationException"},
		unknownOperation: {http.StatusBadRequest, "UnknownOperationException"},
		missingAuth:      {http.StatusBadRequest, "MissingAuthenticationTokenException"},
		malformedAuth:    {http.StatusBadRequest, "IncompleteSignatureException"},
		expiredAuth:      {http.StatusBadRequest, "InvalidSignatureException"},
		foreignRegion:    {http.StatusBadRequest, "InvalidSignatureException"},
		denied:           {http.StatusBadRequest, "AccessDeniedException"},
		throttled:        {http.StatusBadRequest, "ThrottlingException"},
		unavailable:      {http.StatusServiceUnavailable, "ServiceUnavailableException"},
		internal:         {http.StatusInternalServerError, "InternalServerError"},
		tooLarge:         {http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException"},
		badDigest:        {http.StatusBadRequest, "InvalidSignatureException"},
	}
}

func restJSONDialect() dialect {
	d := jsonDialect()
	maps.Copy(d, dialect{
		unknownOperation: {http.StatusNotFound, "UnknownOperationException"},
		missingAuth:      {http.StatusForbidden, "MissingAuthenticationTokenException"},
		malformedAuth:    {http.StatusForbidden, "IncompleteSignatureException"},
		expiredAuth:      {http.StatusForbidden, "InvalidSignatureException"},
		foreignRegion:    {http.StatusForbidden, "InvalidSignatureException"},
		denied:           {http.StatusForbidden, "AccessDeniedException"},
		throttled:        {http.StatusTooManyRequests, "ThrottlingException"},
		internal:         {http.StatusInternalServerError, "InternalServerException"},
	})
	return d
}

func s3Dialect() dialect {
	return dialect{
		missingParameter: {http.StatusBadRequest, "InvalidRequest"},
		invalidParameter: {http.StatusBadRequest, "InvalidArgument"},
		malformedBody:    {http.StatusBadRequest, "MalformedXML"},
		unknownOperation: {http.StatusMethodNotAllowed, "MethodNotAllowed"},
		missingAuth:      {http.StatusForbidden, "AccessDenied"},
		malformedAuth:    {http.StatusBadRequest, "AuthorizationHeaderMalformed"},
		expiredAuth:      {http.StatusForbidden, "RequestTimeTooSkewed"},
		foreignRegion:    {http.StatusBadRequest, "AuthorizationHeaderMalformed"},
		denied:           {http.StatusForbidden, "AccessDenied"},
		throttled:        {http.StatusServiceUnavailable, "SlowDown"},
		unavailable:      {http.StatusServiceUnavailable, "ServiceUnavailable"},
		internal:         {http.StatusInternalServerError, "InternalError"},
		tooLarge:         {http.StatusBadRequest, "EntityTooLarge"},
		badDigest:        {http.StatusBadRequest, "BadDigest"},
	}
}

// serviceDialect is what single services do differently from their protocol, as
// their API references document it under "Common Errors" and "Errors".
func serviceDialect(service string, p Protocol) dialect {
	bad := http.StatusBadRequest
	switch service {
	case "autoscaling", "elasticloadbalancing", "sts", "iam", "cloudformation":
		return dialect{
			missingParameter: {bad, "ValidationError"},
			invalidParameter: {bad, "ValidationError"},
		}
	case "sns":
		return dialect{
			missingParameter: {bad, "InvalidParameter"},
			invalidParameter: {bad, "InvalidParameter"},
			denied:           {http.StatusForbidden, "AuthorizationError"},
		}
	case "route53":
		return dialect{
			missingParameter: {bad, "InvalidInput"},
			invalidParameter: {bad, "InvalidInput"},
			malformedBody:    {bad, "InvalidInput"},
		}
	case "monitoring":
		if p == Query {
			return nil
		}
		return dialect{ // query codes; the shapes are in quirks.go
			missingParameter: {bad, "MissingParameter"},
			invalidParameter: {bad, "InvalidParameterValue"},
			internal:         {http.StatusInternalServerError, "InternalServiceError"},
		}
	case "servicequotas":
		return dialect{
			missingParameter: {bad, "IllegalArgumentException"},
			invalidParameter: {bad, "IllegalArgumentException"},
			throttled:        {bad, "TooManyRequestsException"},
			internal:         {http.StatusInternalServerError, "ServiceException"},
		}
	case "lambda":
		return dialect{
			missingParameter: {bad, "InvalidParameterValueException"},
			invalidParameter: {bad, "InvalidParameterValueException"},
			malformedBody:    {bad, "InvalidRequestContentException"},
			throttled:        {http.StatusTooManyRequests, "TooManyRequestsException"},
			internal:         {http.StatusInternalServerError, "ServiceException"},
		}
	case "dlm":
		return dialect{
			missingParameter: {bad, "InvalidRequestException"},
			invalidParameter: {bad, "InvalidRequestException"},
		}
	case "backup":
		return dialect{
			missingParameter: {bad, "MissingParameterValueException"},
			invalidParameter: {bad, "InvalidParameterValueException"},
		}
	default:
		return nil
	}
}
