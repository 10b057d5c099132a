package wire

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/defaults"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/autoscaling"
	"github.com/aws/aws-sdk-go/service/cloudwatch"
	"github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/aws/aws-sdk-go/service/ec2"
	"github.com/aws/aws-sdk-go/service/elbv2"
	"github.com/aws/aws-sdk-go/service/rds"
	"github.com/aws/aws-sdk-go/service/route53"
	"github.com/aws/aws-sdk-go/service/route53recoverycluster"
	"github.com/aws/aws-sdk-go/service/route53recoverycontrolconfig"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/servicequotas"
	"github.com/aws/aws-sdk-go/service/sns"
	"github.com/aws/aws-sdk-go/service/sts"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

// publishedService is a service as AWS publishes it, and what of it can't make the trip
// for reasons that aren't ours.
type publishedService struct {
	name     string
	make     func(*session.Session) any
	protocol Protocol
	skip     string // operations, blank-separated
}

func publishedServices() []publishedService {
	return []publishedService{
		{"autoscaling", func(s *session.Session) any { return autoscaling.New(s) }, Query, ""},
		{"dynamodb", func(s *session.Session) any { return dynamodb.New(s) }, JSON10, ""},
		{"ec2", func(s *session.Session) any { return ec2.New(s) }, EC2, ""},
		{"elasticloadbalancing", func(s *session.Session) any { return elbv2.New(s) }, Query, ""},
		{"monitoring", func(s *session.Session) any { return cloudwatch.New(s) }, Query, ""},
		{"rds", func(s *session.Session) any { return rds.New(s) }, Query, ""},
		{"route53", func(s *session.Session) any { return route53.New(s) }, RESTXML, ""},
		{"route53-recovery-cluster", func(s *session.Session) any { return route53recoverycluster.New(s) }, JSON10, ""},
		{"route53-recovery-control-config", func(s *session.Session) any { return route53recoverycontrolconfig.New(s) }, RESTJSON, ""},
		// The deprecated twins can't be told from their successors by anybody;
		// SelectObjectContent answers with an event stream, and
		// WriteGetObjectResponse goes to a host of its own.
		{
			"s3", func(s *session.Session) any { return s3.New(s) }, RESTXML,
			"GetBucketLifecycle PutBucketLifecycle GetBucketNotification PutBucketNotification SelectObjectContent WriteGetObjectResponse ListDirectoryBuckets CreateSession",
		},
		{"servicequotas", func(s *session.Session) any { return servicequotas.New(s) }, JSON11, ""},
		{"sns", func(s *session.Session) any { return sns.New(s) }, Query, ""},
		{"sts", func(s *session.Session) any { return sts.New(s) }, Query, "AssumeRoleWithSAML AssumeRoleWithWebIdentity"},
	}
}

// TestEveryPublishedOperation sends a full input of every operation of every
// service through AWS's own client to our decoder, and a full output through our
// encoder to AWS's own client. What comes out has to be what went in.
func TestEveryPublishedOperation_RoundTrips(t *testing.T) {
	t.Parallel()
	for _, p := range publishedServices() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			roundTrips(t, p)
		})
	}
}

func roundTrips(t *testing.T, p publishedService) {
	t.Helper()
	svc := NewService(p.name, p.make(V1Session()), p.protocol)
	svc.bounds = &bounds{} // made-up texts match no pattern
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	server := httptest.NewServer(NewServer(w, svc))
	t.Cleanup(server.Close)
	var got any
	var want reflect.Value
	skipped := func(name string) bool { return slices.Contains(strings.Fields(p.skip), name) }
	for _, op := range svc.operations {
		if skipped(op.name) {
			continue
		}
		op.handler = func(_ *Call, in any) (any, error) {
			got = in
			return want.Interface(), nil
		}
	}
	// Not NewSession: it reads this machine's environment.
	client := reflect.ValueOf(p.make(&session.Session{
		Handlers: defaults.Handlers(),
		Config: defaults.Config().WithRegion("us-east-1").WithEndpoint(server.URL).WithS3ForcePathStyle(true).
			WithMaxRetries(0).WithHTTPClient(server.Client()).
			WithCredentials(credentials.NewStaticCredentials("AKIA", "secret", "")),
	}))
	seen := 0
	for name, op := range svc.operations {
		if skipped(name) {
			continue
		}
		f := filler{enums: svc.enums}
		sent := reflect.New(op.input)
		f.fill(sent.Elem())
		asked := describe(sent.Interface())
		want = reflect.New(op.output)
		f.fill(want.Elem())
		wanted := describe(want.Interface())
		results := client.MethodByName(name).Call([]reflect.Value{sent})
		err, _ := results[1].Interface().(error)
		require.NoError(t, err, "%s %s", p.name, name)
		require.Equal(t, asked, describe(got), "input of %s %s", p.name, name)
		require.Equal(t, wanted, describe(results[0].Interface()), "output of %s %s", p.name, name)
		seen++
	}
	require.Positive(t, seen)
}

// filler fills shapes with values that keep the model's constraints.
type filler struct {
	enums map[string][]string
	count int
	open  []reflect.Type // structures being filled
}

func (f *filler) fill(dst reflect.Value) {
	sh := readShape(dst.Type())
	for _, m := range sh.members {
		// AWS's client refuses to send customer keys (base64) without TLS, and
		// checksums that are made up would rightly be refused.
		checksum := strings.HasPrefix(m.name, "Checksum") && m.location == "header" || m.name == "ContentMD5"
		if !m.base64 && !checksum {
			f.member(dst.Field(m.index), &m)
		}
	}
}

const stream = "stream"

// rewindable is a stream that can be looked at before it is sent.
type rewindable struct{ *bytes.Reader }

func (rewindable) Close() error { return nil }

func (f *filler) member(dst reflect.Value, m *member) {
	switch dst.Interface().(type) {
	case *string:
		dst.Set(reflect.ValueOf(v1.String(f.text(m))))
	case *int64:
		n := max(m.min, 7)
		switch {
		case m.location == "statusCode":
			n = 200
		case m.name == "ContentLength":
			n = int64(len(stream))
		}
		dst.Set(reflect.ValueOf(&n))
	case *bool:
		dst.Set(reflect.ValueOf(v1.Bool(true)))
	case *float64:
		dst.Set(reflect.ValueOf(v1.Float64(max(float64(m.min), 2.5))))
	case *time.Time:
		dst.Set(reflect.ValueOf(v1.Time(time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC))))
	case []byte:
		dst.Set(reflect.ValueOf(bytes.Repeat([]byte{0xfe}, int(max(m.min, 3)))))
	case v1.JSONValue:
		dst.Set(reflect.ValueOf(v1.JSONValue{"a": "b"}))
	case io.ReadSeeker, io.ReadCloser:
	default:
		f.compound(dst, m)
	}
}

func (f *filler) compound(dst reflect.Value, m *member) {
	switch dst.Kind() {
	case reflect.Interface:
		dst.Set(reflect.ValueOf(rewindable{bytes.NewReader([]byte(stream))}))
	case reflect.Pointer:
		t := dst.Type().Elem()
		if slices.Contains(f.open, t) || strings.HasSuffix(t.Name(), "EventStream") {
			return // a type inside itself
		}
		f.open = append(f.open, t)
		dst.Set(reflect.New(t))
		f.fill(dst.Elem())
		f.open = f.open[:len(f.open)-1]
	case reflect.Slice:
		n := int(max(m.min, 2))
		out := reflect.MakeSlice(dst.Type(), n, n)
		for i := range n {
			f.member(out.Index(i), &member{enum: m.enum})
		}
		if !out.Index(0).IsNil() {
			dst.Set(out)
		}
	case reflect.Map:
		out := reflect.MakeMap(dst.Type())
		for i := range 2 {
			v := reflect.New(dst.Type().Elem()).Elem()
			f.member(v, &member{})
			if !v.IsNil() {
				out.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key%d", i)), v)
			}
		}
		if out.Len() > 0 {
			dst.Set(out)
		}
	default:
	}
}

func (f *filler) text(m *member) string {
	if values := f.enums[m.enum]; len(values) > 0 {
		return values[0]
	}
	f.count++
	text := fmt.Sprintf("v%d", f.count)
	for int64(len(text)) < m.min {
		text += "-"
	}
	return text
}

// describe writes out a shape for comparison; streams by their bytes, and what is
// not set not at all.
func describe(v any) string {
	if v == nil {
		return ""
	}
	var out strings.Builder
	describeValue(&out, reflect.ValueOf(v))
	return out.String()
}

func describeValue(out *strings.Builder, v reflect.Value) {
	switch x := v.Interface().(type) {
	case io.Reader:
		raw, err := io.ReadAll(x)
		fmt.Fprintf(out, "%q %v", raw, err)
		if seeker, ok := x.(io.Seeker); ok {
			_, _ = seeker.Seek(0, io.SeekStart) // in memory
		}
		return
	case *time.Time:
		if x != nil {
			out.WriteString(x.UTC().Format(time.RFC3339Nano))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			describeValue(out, v.Elem())
		}
	case reflect.Struct:
		describeStructure(out, v)
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			fmt.Fprintf(out, "%x", b)
			return
		}
		for i := range v.Len() {
			out.WriteString("- ")
			describeValue(out, v.Index(i))
		}
	case reflect.Map:
		// HTTP gives user metadata back in another case.
		lines := make([]string, 0, v.Len())
		for _, key := range v.MapKeys() {
			lines = append(lines, strings.ToLower(key.String())+": "+describe(v.MapIndex(key).Interface()))
		}
		slices.Sort(lines)
		out.WriteString(strings.Join(lines, "\n"))
	default:
		fmt.Fprint(out, v.Interface())
	}
}

func describeStructure(out *strings.Builder, v reflect.Value) {
	for _, m := range readShape(v.Type()).members {
		inner := describe(v.Field(m.index).Interface())
		// AWS's client adds the digest by itself.
		if inner != "" && m.name != "ContentMD5" {
			fmt.Fprintf(out, "%s{%s}\n", m.name, inner)
		}
	}
}
