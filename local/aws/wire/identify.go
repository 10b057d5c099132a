package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// identify finds service, protocol and operation of the exchange. It fills in as
// much as it can before it refuses, so that the refusal speaks the protocol of
// whoever asks.
func (s *Server) identify(x *exchange) *Error {
	x.protocol, x.name = spoken(x)
	candidates := s.byName(x.scope.service)
	if x.scope.service == "" {
		candidates = s.services
	}
	var refusal *Error
	for _, svc := range candidates {
		p, name, bad := svc.recognise(x)
		if bad == nil {
			x.service, x.protocol, x.name = svc, p, name
			return nil
		}
		if x.scope.service != "" && refusal == nil {
			x.service, x.protocol, refusal = svc, p, bad
		}
	}
	if refusal != nil {
		return refusal
	}
	if x.scope.service == "" {
		return refuse(missingAuth, "Request is missing Authentication Token")
	}
	return refuse(unknownOperation, "The simulated AWS has no service %q", x.scope.service)
}

// spoken reads off a request which protocol it speaks and, for the protocols
// that are no REST, which operation it names. What isn't recognised is REST.
func spoken(x *exchange) (Protocol, string) {
	r := x.request
	switch {
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		_, name, _ := strings.Cut(r.URL.Path, "/operation/")
		return CBOR, name
	case r.Header.Get("X-Amz-Target") != "":
		target := r.Header.Get("X-Amz-Target")
		return kindOfJSON(r), target[strings.LastIndex(target, ".")+1:]
	case x.form.Get("Action") != "":
		return Query, x.form.Get("Action")
	case strings.HasPrefix(x.scope.service, "s3"), x.scope.service == "route53", x.scope.service == "":
		return RESTXML, ""
	case r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return Query, ""
	default:
		return RESTJSON, ""
	}
}

// recognise says how a request speaks to this service. On refusal it still gives
// the protocol to refuse in.
func (s *Service) recognise(x *exchange) (Protocol, string, *Error) {
	if s.rest() {
		return s.recogniseREST(x)
	}
	p, name := x.protocol, x.name
	if p == Query && s.speaks(EC2) {
		p = EC2
	}
	if (p == JSON10 && s.speaks(JSON11)) || (p == JSON11 && s.speaks(JSON10)) {
		p = s.protocols[0]
	}
	switch {
	case !s.speaks(p):
		return s.protocols[0], name, refuse(unknownOperation, "%s doesn't speak %s", s.name, p)
	case x.scope.service == "" && !s.addressed(x, p):
		return p, name, refuse(missingAuth, "Request is missing Authentication Token")
	case s.operations[name] == nil:
		return p, name, refuse(unknownOperation, "The action %s is not valid for this web service", name)
	}
	x.op = s.operations[name]
	return p, name, nil
}

// addressed says whether a request without credentials is meant for the service.
func (s *Service) addressed(x *exchange, p Protocol) bool {
	switch p {
	case JSON10, JSON11:
		return strings.HasPrefix(x.request.Header.Get("X-Amz-Target"), s.info.TargetPrefix+".")
	case Query, EC2:
		return x.form.Get("Version") == s.info.APIVersion
	case CBOR, RESTJSON, RESTXML:
		return s.operations[x.name] != nil
	default:
		return false
	}
}

func (s *Service) rest() bool { return s.speaks(RESTJSON) || s.speaks(RESTXML) }

func (s *Service) recogniseREST(x *exchange) (Protocol, string, *Error) {
	p := s.protocols[0]
	path := x.request.URL.EscapedPath()
	if len(s.quirks.idPrefix) > 0 {
		path = strings.ReplaceAll(path, "//", "/%2F") // an id given as /hostedzone/Z123
		path = joinIDs(path, s.quirks.idPrefix)
	}
	// S3 Control has the account's number where S3 has the bucket's name.
	if s.quirks.hosts && x.request.Header.Get("X-Amz-Account-Id") == "" {
		path = bucketInPath(x.request.Host, path)
	}
	op, labels := s.find(restCall{
		method: x.request.Method, path: splitPath(path),
		query: withoutSignature(x.request.URL.Query()), header: x.request.Header,
	})
	if op == nil || (x.scope.service == "" && !s.quirks.unsigned && len(op.route.segments) > 0 && op.route.segments[0].label) {
		return p, "", refuse(unknownOperation, "No operation of %s has the method %s and the path %s", s.name, x.request.Method, x.request.URL.Path)
	}
	x.op, x.labels = op, labels
	return p, op.name, nil
}

// joinIDs escapes the slash inside an id that kept its prefix, so that it is one
// path element: /%2Fhostedzone/Z1 becomes /%2Fhostedzone%2FZ1.
func joinIDs(path string, prefixes []string) string {
	for _, prefix := range prefixes {
		inner := strings.Trim(prefix, "/")
		path = strings.ReplaceAll(path, "%2F"+inner+"/", "%2F"+inner+"%2F")
	}
	return path
}

// bucketInPath turns virtual-host addressing (bucket.s3.region.amazonaws.com,
// bucket.localhost) into path style.
func bucketInPath(host, path string) string {
	host, _, _ = strings.Cut(host, ":")
	for _, mark := range []string{".s3.", ".s3-", ".localhost"} {
		if bucket, rest, ok := strings.Cut(host, mark); ok && bucket != "" && (rest != "" || mark == ".localhost") {
			return "/" + url.PathEscape(bucket) + path
		}
	}
	return path
}

// regionInHost is the Region in a name such as bucket.s3.us-west-2.amazonaws.com.
func regionInHost(host string) string {
	host, _, _ = strings.Cut(host, ":")
	_, rest, ok := strings.Cut("."+host, ".s3.")
	if !ok {
		return ""
	}
	region, _, ok := strings.Cut(rest, ".amazonaws.com")
	if !ok || strings.Contains(region, ".") {
		return ""
	}
	return region
}

func withoutSignature(query url.Values) url.Values {
	out := url.Values{}
	for key, values := range query {
		if !strings.HasPrefix(key, "X-Amz-") {
			out[key] = values
		}
	}
	return out
}
