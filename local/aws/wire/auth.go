package wire

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// scope is who calls whom where, as a SigV4 credential scope says it. The
// signature itself can't be checked: nobody here knows a secret key.
type scope struct {
	caller  string // access key id; "" = anonymous
	region  string
	service string
}

const (
	amzDate = "20060102T150405Z"
	// maxSkew is how far a signed date may be off on AWS.
	maxSkew = 15 * time.Minute
	// maxPresigned is the longest life of a presigned URL.
	maxPresigned = 7 * 24 * time.Hour
)

// readScope reads the scope off the Authorization header or a presigned URL. A
// call that carries neither gives a zero scope.
func readScope(r *http.Request, now time.Time) (scope, *Error) {
	query := r.URL.Query()
	header := r.Header.Get("Authorization")
	switch {
	case header != "":
		return headerScope(r, header, now)
	case query.Has("X-Amz-Algorithm"), query.Has("X-Amz-Credential"):
		return presignedScope(query, now)
	default:
		return scope{}, nil
	}
}

func headerScope(r *http.Request, header string, now time.Time) (scope, *Error) {
	algorithm, rest, _ := strings.Cut(header, " ")
	if !strings.HasPrefix(algorithm, "AWS4-HMAC-SHA256") && !strings.HasPrefix(algorithm, "AWS4-ECDSA-P256-SHA256") {
		return scope{}, refuse(malformedAuth, "Authorization header requires a supported algorithm, not %q", algorithm)
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[key] = value
	}
	for _, want := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[want] == "" {
			return scope{}, refuse(malformedAuth, "Authorization header requires '%s' parameter. Authorization=%s", want, algorithm)
		}
	}
	sc, day, bad := parseCredential(fields["Credential"], r.Header.Get("X-Amz-Region-Set"), algorithm)
	if bad != nil {
		return scope{}, bad
	}
	signed := r.Header.Get("X-Amz-Date")
	if signed == "" {
		return sc, signedOn(r.Header.Get("Date"), day, now)
	}
	return sc, signedAt(signed, day, now)
}

// signedAt checks the date of a signature against its scope and the clock.
func signedAt(signed, day string, now time.Time) *Error {
	at, err := time.Parse(amzDate, signed)
	switch {
	case err != nil:
		return refuse(malformedAuth, "Date must be in ISO-8601 'basic format'. Got '%s'", signed)
	case at.Format("20060102") != day:
		return refuse(malformedAuth, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'",
			day, at.Format("20060102"))
	case at.Before(now.Add(-maxSkew)), at.After(now.Add(maxSkew)):
		return refuse(expiredAuth, "Signature expired: %s is not within %s of the server's time %s",
			signed, maxSkew, now.UTC().Format(amzDate))
	}
	return nil
}

// signedOn is signedAt for the plain Date header, which some clients sign.
func signedOn(date, day string, now time.Time) *Error {
	at, err := http.ParseTime(date)
	if err != nil {
		return refuse(malformedAuth, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header")
	}
	return signedAt(at.UTC().Format(amzDate), day, now)
}

// parseCredential reads key/day/region/service/aws4_request; SigV4a has no
// Region there, but a header with a list of them.
func parseCredential(credential, regionSet, algorithm string) (scope, string, *Error) {
	parts := strings.Split(credential, "/")
	if strings.HasPrefix(algorithm, "AWS4-ECDSA") && len(parts) == 4 {
		first, _, _ := strings.Cut(regionSet, ",")
		parts = []string{parts[0], parts[1], strings.TrimSpace(first), parts[2], parts[3]}
	}
	if len(parts) != 5 || parts[4] != "aws4_request" {
		return scope{}, "", refuse(malformedAuth, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'",
			strings.Join(parts[min(1, len(parts)):], "/"))
	}
	for i, part := range parts {
		if part == "" {
			return scope{}, "", refuse(malformedAuth, "Credential element %d is empty", i+1)
		}
	}
	return scope{caller: parts[0], region: parts[2], service: parts[3]}, parts[1], nil
}

func presignedScope(query url.Values, now time.Time) (scope, *Error) {
	for _, want := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if query.Get(want) == "" {
			return scope{}, refuse(malformedAuth, "AWS query-string parameters must include '%s'", want)
		}
	}
	sc, day, bad := parseCredential(query.Get("X-Amz-Credential"), query.Get("X-Amz-Region-Set"), query.Get("X-Amz-Algorithm"))
	if bad != nil {
		return scope{}, bad
	}
	at, err := time.Parse(amzDate, query.Get("X-Amz-Date"))
	if err != nil || at.Format("20060102") != day {
		return scope{}, refuse(malformedAuth, "X-Amz-Date is malformed or differs from the credential's date")
	}
	life := maxSkew
	if text := query.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 1 || time.Duration(seconds)*time.Second > maxPresigned {
			return scope{}, refuse(malformedAuth, "X-Amz-Expires must be between 1 and %d seconds", int(maxPresigned.Seconds()))
		}
		life = time.Duration(seconds) * time.Second
	}
	if now.After(at.Add(life)) {
		return scope{}, refuse(denied, "Request has expired")
	}
	return sc, nil
}
