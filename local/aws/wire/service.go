package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	v1 "github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/client/metadata"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/aws/session"
)

// Protocol is one of AWS's wire protocols.
type Protocol string

// The protocols, by AWS's own names.
const (
	Query    Protocol = "query"
	EC2      Protocol = "ec2"
	RESTJSON Protocol = "rest-json"
	RESTXML  Protocol = "rest-xml"
	JSON10   Protocol = "json-1.0"
	JSON11   Protocol = "json-1.1"
	CBOR     Protocol = "smithy-rpc-v2-cbor"
)

// Service is one AWS service: the operations that AWS publishes for it and the
// functions that serve some of them.
type Service struct {
	name       string // signing name
	protocols  []Protocol
	info       metadata.ClientInfo
	operations map[string]*operation // every published operation
	routes     []*operation          // those of a REST service, for matching
	enums      map[string][]string
	quirks     quirks
	shapes     shapes
	bounds     *bounds
	statuses   map[string]int
}

// operation is one published operation with its shapes.
type operation struct {
	name    string
	method  string
	pattern string // path, with labels
	route   route
	input   reflect.Type // struct
	output  reflect.Type // struct
	handler func(*Call, any) (any, error)
}

// NewService describes a service by its aws-sdk-go v1 client, for example
// NewService("rds", rds.New(wire.V1Session()), wire.Query). The client is never
// used to call anything: its methods and types are the description.
//
// It panics when the client is no v1 client: that is a mistake in this program.
func NewService(signingName string, client any, protocols ...Protocol) *Service {
	s := &Service{
		name:       signingName,
		protocols:  protocols,
		info:       clientInfo(client),
		operations: map[string]*operation{},
		enums:      enumValues(signingName),
		bounds:     readBounds(signingName),
		statuses:   statuses(signingName),
		quirks:     quirksOf(signingName),
	}
	v := reflect.ValueOf(client)
	for i := range v.NumMethod() {
		op := published(v.Type().Method(i).Name, v.Method(i))
		if op == nil {
			continue
		}
		s.operations[op.name] = op
		if s.speaks(RESTJSON) || s.speaks(RESTXML) {
			s.routes = append(s.routes, op)
		}
	}
	return s
}

// Name is the signing name.
func (s *Service) Name() string { return s.name }

// AllowValues adds values to an enumeration that are newer than the shapes.
func (s *Service) AllowValues(enum string, values ...string) {
	s.enums[enum] = append(s.enums[enum], values...)
}

// Handle serves an operation. I and O are its v1 shapes. It panics on a name or
// types that AWS doesn't publish: that is a mistake in this program.
func Handle[I, O any](s *Service, operation string, fn func(*Call, *I) (*O, error)) {
	op, ok := s.operations[operation]
	if !ok {
		panic(fmt.Sprintf("wire: %s has no operation %s", s.name, operation))
	}
	if in, out := reflect.TypeFor[I](), reflect.TypeFor[O](); in != op.input || out != op.output {
		panic(fmt.Sprintf("wire: %s %s takes %s and gives %s, not %s and %s",
			s.name, operation, op.input, op.output, in, out))
	}
	op.handler = func(c *Call, in any) (any, error) {
		typed, ok := in.(*I)
		if !ok {
			return nil, fmt.Errorf("decode %s %s: got %T", s.name, operation, in)
		}
		out, err := fn(c, typed)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = new(O)
		}
		return out, nil
	}
}

// V1Session is a session for making v1 clients that are never used to call.
func V1Session() *session.Session {
	return &session.Session{Config: v1.NewConfig().
		WithRegion("us-east-1").
		WithEndpoint("http://127.0.0.1").
		WithCredentials(credentials.AnonymousCredentials)}
}

func (s *Service) speaks(p Protocol) bool { return slices.Contains(s.protocols, p) }

// clientInfo reads the metadata of a v1 client, which embeds *client.Client.
func clientInfo(client any) metadata.ClientInfo {
	v := reflect.Indirect(reflect.ValueOf(client))
	if v.Kind() == reflect.Struct {
		if base := reflect.Indirect(v.FieldByName("Client")); base.IsValid() {
			if info, ok := base.FieldByName("ClientInfo").Interface().(metadata.ClientInfo); ok {
				return info
			}
		}
	}
	panic(fmt.Sprintf("wire: %T is no aws-sdk-go v1 client", client))
}

// published reads an operation off a client's <Operation>Request method; nil
// for any other method.
func published(name string, method reflect.Value) *operation {
	t := method.Type()
	if !strings.HasSuffix(name, "Request") || t.NumIn() != 1 || t.NumOut() != 2 ||
		t.Out(0) != reflect.TypeFor[*request.Request]() {
		return nil
	}
	results := method.Call([]reflect.Value{reflect.Zero(t.In(0))})
	req, ok := results[0].Interface().(*request.Request)
	if !ok {
		return nil
	}
	return &operation{
		name:    req.Operation.Name,
		method:  req.Operation.HTTPMethod,
		pattern: req.Operation.HTTPPath,
		route:   parseRoute(req.Operation.HTTPPath),
		input:   t.In(0).Elem(),
		output:  t.Out(1).Elem(),
	}
}
