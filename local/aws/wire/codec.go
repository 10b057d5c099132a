package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// exchange is one request and what has been learned about it.
type exchange struct {
	request  *http.Request
	body     []byte
	form     url.Values
	id       string // request id
	scope    scope
	service  *Service
	protocol Protocol
	name     string     // operation as the client named it
	op       *operation // nil when AWS doesn't publish it
	labels   map[string]string
}

// answer is what goes back over HTTP.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// codec is one protocol.
type codec interface {
	decode(x *exchange, in reflect.Value) *Error
	encode(x *exchange, out reflect.Value) (answer, error)
	refuse(x *exchange, e *Error) answer
}

// codecOf is the codec of a protocol for a service; a nil service is one that
// doesn't exist here, whose callers still get an answer in their protocol.
func codecOf(s *Service, p Protocol) codec {
	cache := &shapes{}
	if s != nil {
		cache = &s.shapes
	}
	switch p {
	case EC2:
		return queryCodec{shapes: cache, ec2: true}
	case RESTJSON:
		return restCodec{shapes: cache, json: true}
	case RESTXML:
		return restCodec{shapes: cache}
	case JSON10, JSON11:
		return documentCodec{documents{shapes: cache}}
	case CBOR:
		return documentCodec{documents{shapes: cache, cbor: true}}
	case Query:
		return queryCodec{shapes: cache}
	default:
		return queryCodec{shapes: cache}
	}
}

// queryCodec speaks query and ec2: forms in, XML out.
type queryCodec struct {
	shapes *shapes
	ec2    bool
}

func (c queryCodec) decode(x *exchange, in reflect.Value) *Error {
	tree, err := formTree(x.form)
	if err != nil {
		return refuse(malformedBody, "%v", err)
	}
	d := treeDecoder{shapes: c.shapes, layout: formLayout{ec2: c.ec2}}
	if err := d.structure(in, tree); err != nil {
		return refuse(invalidParameter, "Invalid value for parameter %v", err)
	}
	return nil
}

func (c queryCodec) encode(x *exchange, out reflect.Value) (answer, error) {
	e := xmlEncoder{shapes: c.shapes, out: &bytes.Buffer{}}
	e.out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	root := x.op.name + "Response"
	e.open(root, ` xmlns="`+x.service.namespace()+`"`)
	if c.ec2 {
		e.text("requestId", x.id)
		if len(c.shapes.of(out.Type()).members) == 0 {
			// Operations without output members answer <return>true</return>.
			e.text("return", "true")
		}
		e.structure(out)
	} else {
		e.open(x.op.name+"Result", "")
		e.structure(out)
		e.shut(x.op.name + "Result")
		e.open("ResponseMetadata", "")
		e.text("RequestId", x.id)
		e.shut("ResponseMetadata")
	}
	e.shut(root)
	return xmlAnswer(http.StatusOK, e.out.Bytes(), c.contentType()), nil
}

func (c queryCodec) contentType() string {
	if c.ec2 {
		return "text/xml;charset=UTF-8"
	}
	return "text/xml"
}

func (c queryCodec) refuse(x *exchange, e *Error) answer {
	w := xmlEncoder{out: &bytes.Buffer{}}
	w.out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	if c.ec2 {
		w.open("Response", "")
		w.open("Errors", "")
		w.open("Error", "")
		w.text("Code", e.Code)
		w.text("Message", e.Message)
		w.shut("Error")
		w.shut("Errors")
		w.text("RequestID", x.id)
		w.shut("Response")
		return xmlAnswer(e.Status, w.out.Bytes(), c.contentType())
	}
	errorResponse(w, x, e)
	return xmlAnswer(e.Status, w.out.Bytes(), c.contentType())
}

// errorResponse is the error body of query services and of Route 53.
func errorResponse(w xmlEncoder, x *exchange, e *Error) {
	namespace := ""
	if x.service != nil {
		namespace = ` xmlns="` + x.service.namespace() + `"`
	}
	w.open("ErrorResponse", namespace)
	w.open("Error", "")
	w.text("Type", fault(e.Status))
	w.text("Code", e.Code)
	w.text("Message", e.Message)
	w.shut("Error")
	w.text("RequestId", x.id)
	w.shut("ErrorResponse")
}

func fault(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

func xmlAnswer(status int, body []byte, contentType string) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// documentCodec speaks json 1.0, json 1.1 and smithy-rpc-v2-cbor.
type documentCodec struct{ documents }

func (c documentCodec) decode(x *exchange, in reflect.Value) *Error {
	doc, err := c.parse(x.body)
	if err == nil {
		err = c.structure(in, doc)
	}
	if err != nil {
		return refuse(malformedBody, "%v", err)
	}
	return nil
}

func (c documentCodec) encode(x *exchange, out reflect.Value) (answer, error) {
	body, err := c.write(c.build(out))
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, header: c.header(x), body: body}, nil
}

func (c documentCodec) header(x *exchange) http.Header {
	switch x.protocol {
	case CBOR:
		// Clients refuse an answer without this header, errors included.
		return http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
	case JSON10:
		return http.Header{"Content-Type": {"application/x-amz-json-1.0"}}
	default:
		return http.Header{"Content-Type": {"application/x-amz-json-1.1"}}
	}
}

func (c documentCodec) refuse(x *exchange, e *Error) answer {
	header := c.header(x)
	kind := e.Code
	if x.service != nil && x.service.quirks.shapes != nil {
		// A query-compatible service names the error's shape in the body and
		// its query code in a header.
		kind = firstOf(x.service.quirks.shapes[e.Code], e.Code)
		header.Set("X-Amzn-Query-Error", e.Code+";"+fault(e.Status))
	}
	return answer{status: e.Status, header: header, body: c.problem(kind, e)}
}

// problem is the body of an error: type, message and the members of the shape.
func (c documents) problem(kind string, e *Error) []byte {
	doc := map[string]any{}
	if detail := reflect.Indirect(reflect.ValueOf(e.Detail)); detail.IsValid() && detail.Kind() == reflect.Struct {
		doc = c.build(detail)
	}
	doc["__type"] = kind
	doc["message"] = e.Message
	body, err := c.write(doc)
	if err != nil {
		// Strings and what came out of a shape can always be written; the code
		// alone is enough for a client to act on.
		body, _ = json.Marshal(map[string]string{"__type": kind})
	}
	return body
}

// kindOfJSON is the protocol of a json request, by its content type.
func kindOfJSON(r *http.Request) Protocol {
	if strings.Contains(r.Header.Get("Content-Type"), "json-1.0") {
		return JSON10
	}
	return JSON11
}
