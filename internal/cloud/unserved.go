package cloud

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Unserved says that the endpoint answered that it does not have the service or
// the operation, as other implementations of AWS's API do. A server error that
// means this would be tried again for minutes.
//
// It goes by what AWS's own errors never are: a status that AWS does not use, a
// page where a document belongs, a code for an unknown operation. Words count only
// where there is no code that says more.
func Unserved(err error) bool {
	a, answered := answerOf(err)
	if !answered {
		return false
	}
	switch a.code {
	case "UnknownOperationException", "UnknownOperation", "UnknownService", "InvalidAction", "NotImplemented":
		return true
	}
	switch a.status {
	case http.StatusNotImplemented:
		return true
	case http.StatusNotFound:
		// AWS tells what was not found as a document, or, to HEAD, without a word.
		if a.page {
			return true
		}
	case http.StatusMethodNotAllowed:
		// S3 means by it that a bucket is somebody else's, or a version a delete marker.
		if a.page || a.service != "S3" {
			return true
		}
	}
	return a.vague() && a.disclaims()
}

// answer is what is known of an error answer.
type answer struct {
	service string // the SDK's id
	status  int
	code    string
	page    bool   // HTML or plain text
	text    string // message, or the beginning of what could not be read
}

func answerOf(err error) (answer, bool) {
	var a answer
	var operation *smithy.OperationError
	if errors.As(err, &operation) {
		a.service = operation.Service()
	}
	var api smithy.APIError
	named := errors.As(err, &api)
	if named {
		a.code, a.text = api.ErrorCode(), api.ErrorMessage()
	}
	var garbled *smithy.DeserializationError
	if errors.As(err, &garbled) {
		a.text += string(garbled.Snapshot)
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) {
		return a, named
	}
	a.status = response.HTTPStatusCode()
	if response.Response != nil && response.Response.Response != nil {
		kind, _, _ := mime.ParseMediaType(response.Response.Header.Get("Content-Type"))
		a.page = kind == "text/html" || kind == "text/plain"
	}
	return a, true
}

// vague says that the code tells nothing, or only that the server is at fault.
func (a answer) vague() bool {
	switch a.code {
	case "", "UnknownError", "InternalFailure", "InternalError", "InternalServerError", "InternalServerErrorException", "ServiceException":
		return true
	}
	return false
}

// disclaims says that the text tells what the code does not.
func (a answer) disclaims() bool {
	text := strings.ToLower(a.text)
	for _, words := range []string{"not implemented", "not yet implemented", "not been implemented", "not yet been emulated", "unknownoperationexception"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

// Refused says that nobody listens at an endpoint that is not AWS's own. It may be
// starting; once it was asked a few times, it does not serve.
func Refused(err error) bool {
	var request *url.Error
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &request) {
		return false
	}
	at, wrong := url.Parse(request.URL)
	return wrong == nil && !amazons(at.Hostname())
}

// amazons says that a host is one of AWS's, in any of its partitions.
func amazons(host string) bool {
	for _, domain := range []string{"amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "amazonwebservices.com.cn", "on.aws"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
