package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"reflect"
	"strconv"
	"strings"

	v1 "github.com/aws/aws-sdk-go/aws"
)

// restCodec speaks rest-json and rest-xml: members in path, query string,
// headers and body.
type restCodec struct {
	shapes *shapes
	json   bool
}

func (c restCodec) decode(x *exchange, in reflect.Value) *Error {
	sh := c.shapes.of(in.Type())
	for _, m := range sh.members {
		if err := c.located(x, in.Field(m.index), &m); err != nil {
			return refuse(invalidParameter, "Invalid value for %s: %v", firstOf(m.wireName, m.name), err)
		}
	}
	if err := c.body(x, in, sh); err != nil {
		return refuse(malformedBody, "%s", c.malformed(err))
	}
	return nil
}

// malformed hides from S3's callers what S3 hides too.
func (c restCodec) malformed(err error) string {
	if c.json {
		return err.Error()
	}
	return "The XML you provided was not well-formed or did not validate against our published schema: " + err.Error()
}

// located decodes a member that travels outside the body.
func (c restCodec) located(x *exchange, dst reflect.Value, m *member) error {
	name := firstOf(m.wireName, m.name)
	switch m.location {
	case "uri":
		return setText(dst, trimID(x.labels[name], x.service.quirks.idPrefix), m, "iso8601")
	case "querystring":
		return c.queryMember(x, dst, m, name)
	case "header":
		if name == "Content-Length" {
			return setText(dst, strconv.Itoa(len(x.body)), m, "")
		}
		if values := x.request.Header.Values(name); len(values) > 0 {
			return setHeader(dst, strings.Join(values, ","), m)
		}
	case "headers":
		return setHeaders(dst, x.request.Header, name)
	}
	return nil
}

// trimID takes the prefix off an id such as /hostedzone/Z123.
func trimID(text string, prefixes []string) string {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix("/"+strings.TrimPrefix(text, "/"), prefix); ok && rest != "" {
			return rest
		}
	}
	return text
}

func (c restCodec) queryMember(x *exchange, dst reflect.Value, m *member, name string) error {
	query := x.request.URL.Query()
	switch dst.Kind() {
	case reflect.Slice:
		if !query.Has(name) {
			return nil
		}
		values := query[name]
		out := reflect.MakeSlice(dst.Type(), len(values), len(values))
		for i, v := range values {
			if err := setText(out.Index(i), v, &member{}, "iso8601"); err != nil {
				return err
			}
		}
		dst.Set(out)
	case reflect.Map:
		return c.queryMap(x, dst)
	default:
		if query.Has(name) {
			return setText(dst, trimID(query.Get(name), x.service.quirks.idPrefix), m, "iso8601")
		}
	}
	return nil
}

// queryMap takes every parameter that no other member takes.
func (c restCodec) queryMap(x *exchange, dst reflect.Value) error {
	taken := map[string]bool{}
	for _, m := range c.shapes.of(x.op.input).members {
		taken[firstOf(m.wireName, m.name)] = m.location == "querystring"
	}
	out := reflect.MakeMap(dst.Type())
	for key, values := range x.request.URL.Query() {
		v := reflect.New(dst.Type().Elem()).Elem()
		if taken[key] || len(values) == 0 || v.Type() != reflect.TypeFor[*string]() {
			continue
		}
		if err := setText(v, values[0], &member{}, "iso8601"); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(key), v)
	}
	dst.Set(out)
	return nil
}

func setHeader(dst reflect.Value, text string, m *member) error {
	switch {
	case dst.Type() == jsonValueType():
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("not base64: %w", err)
		}
		return setJSONValue(dst, raw)
	case dst.Kind() == reflect.Slice && dst.Type() != bytesType():
		var items []*string
		for _, item := range strings.Split(text, ",") {
			item = strings.Trim(strings.TrimSpace(item), `"`)
			items = append(items, &item)
		}
		dst.Set(reflect.ValueOf(items))
		return nil
	default:
		return setText(dst, text, m, "rfc822")
	}
}

// setHeaders collects the headers of a prefix. HTTP ignores their case; S3 gives
// user metadata back in lower case.
func setHeaders(dst reflect.Value, header http.Header, prefix string) error {
	out := map[string]*string{}
	canonical := textproto.CanonicalMIMEHeaderKey(prefix)
	for key, values := range header {
		if rest, ok := strings.CutPrefix(key, canonical); ok && rest != "" {
			joined := strings.Join(values, ",")
			out[strings.ToLower(rest)] = &joined
		}
	}
	if len(out) > 0 {
		dst.Set(reflect.ValueOf(out))
	}
	return nil
}

func (c restCodec) body(x *exchange, in reflect.Value, sh *shape) error {
	target := in
	if sh.payload != nil {
		dst := in.Field(sh.payload.index)
		if sh.payload.kind != "structure" {
			return c.rawBody(x.body, dst, sh.payload)
		}
		if len(bytes.TrimSpace(x.body)) == 0 {
			return nil // validation says whether it was required
		}
		dst.Set(reflect.New(dst.Type().Elem()))
		target = dst.Elem()
	}
	if len(bytes.TrimSpace(x.body)) == 0 || len(c.shapes.of(target.Type()).bodyMembers()) == 0 {
		return nil
	}
	if c.json {
		d := documents{shapes: c.shapes}
		doc, err := d.parse(x.body)
		if err != nil {
			return err
		}
		return d.structure(target, doc)
	}
	tree, err := xmlTree(bytes.NewReader(x.body))
	if err != nil {
		return err
	}
	return treeDecoder{shapes: c.shapes, layout: xmlLayout{}}.structure(target, tree)
}

// rawBody gives the whole body to a member that is no structure.
func (c restCodec) rawBody(body []byte, dst reflect.Value, m *member) error {
	switch dst.Interface().(type) {
	case *string:
		return setString(dst, string(body), &member{})
	case []byte:
		dst.Set(reflect.ValueOf(bytes.Clone(body)))
		return nil
	case v1.JSONValue:
		return setJSONValue(dst, body)
	}
	if m.kind == "list" {
		return fmt.Errorf("no way to decode a list as a body")
	}
	return setStream(dst, body)
}

func (c restCodec) encode(x *exchange, out reflect.Value) (answer, error) {
	a := answer{status: x.service.status(x.op), header: http.Header{}}
	sh := c.shapes.of(out.Type())
	for _, m := range sh.members {
		f := out.Field(m.index)
		switch {
		case m.location == "header" && m.required && firstOf(m.wireName, m.name) == "Location":
			// AWS answers 201 wherever the model promises a Location.
			a.status = http.StatusCreated
			a.header.Set("Location", "https://"+x.service.name+".amazonaws.com"+x.request.URL.Path)
		case m.location == "statusCode" && !f.IsNil():
			a.status = int(f.Elem().Int())
		}
		if !f.IsNil() {
			c.putHeader(a.header, f, &m)
		}
	}
	var err error
	if sh.payload != nil {
		err = c.putPayload(x, &a, out.Field(sh.payload.index), sh.payload)
	} else {
		err = c.putBody(x, &a, out, sh)
	}
	return a, err
}

func (c restCodec) putHeader(h http.Header, f reflect.Value, m *member) {
	name := firstOf(m.wireName, m.name)
	switch {
	case m.location == "headers":
		for _, key := range f.MapKeys() {
			if v := f.MapIndex(key); !v.IsNil() {
				h.Set(name+key.String(), v.Elem().String())
			}
		}
	case m.location != "header":
	case f.Type() == jsonValueType():
		if raw, err := json.Marshal(f.Interface()); err == nil {
			h.Set(name, base64.StdEncoding.EncodeToString(raw))
		}
	case f.Kind() == reflect.Slice && f.Type() != bytesType():
		var items []string
		for i := range f.Len() {
			items = append(items, f.Index(i).Elem().String())
		}
		h.Set(name, strings.Join(items, ","))
	default:
		h.Set(name, scalarText(f, m, "rfc822"))
	}
}

func (c restCodec) putPayload(x *exchange, a *answer, f reflect.Value, m *member) error {
	if f.IsNil() {
		return nil
	}
	switch v := f.Interface().(type) {
	case io.Reader:
		body, err := io.ReadAll(v)
		if err != nil {
			return fmt.Errorf("read body of %s: %w", x.op.name, err)
		}
		if closer, ok := v.(io.Closer); ok {
			_ = closer.Close() // a reader over memory; everything was read
		}
		a.body = body
	case []byte:
		a.body = v
	case *string:
		a.body = []byte(*v)
	default:
		if f.Kind() != reflect.Pointer || f.Elem().Kind() != reflect.Struct {
			return fmt.Errorf("no way to encode a %s as a body", f.Type())
		}
		if c.json {
			return c.putDocument(a, f.Elem())
		}
		c.putXML(x, a, firstOf(m.wireName, m.name), f.Elem())
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/octet-stream")
	}
	return nil
}

func (c restCodec) putBody(x *exchange, a *answer, out reflect.Value, sh *shape) error {
	switch {
	case c.json && a.status == http.StatusNoContent:
		return nil
	case c.json:
		return c.putDocument(a, out)
	case len(sh.bodyMembers()) == 0:
		return nil
	}
	c.putXML(x, a, firstOf(x.service.quirks.roots[x.op.name], x.op.name+"Response"), out)
	return nil
}

func (c restCodec) putDocument(a *answer, v reflect.Value) error {
	d := documents{shapes: c.shapes}
	body, err := d.write(d.build(v))
	if err != nil {
		return err
	}
	a.body = body
	a.header.Set("Content-Type", "application/json")
	return nil
}

func (c restCodec) putXML(x *exchange, a *answer, root string, v reflect.Value) {
	e := xmlEncoder{shapes: c.shapes, out: &bytes.Buffer{}}
	e.out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	e.open(root, ` xmlns="`+x.service.namespace()+`"`+e.attributes(v))
	if x.service.name == "s3" && x.op.name == "GetBucketLocation" {
		// The one answer whose root is the value itself.
		if f := v.FieldByName("LocationConstraint"); f.IsValid() && !f.IsNil() {
			e.escape(f.Elem().String())
		}
	} else {
		e.structure(v)
	}
	e.shut(root)
	a.body = e.out.Bytes()
	a.header.Set("Content-Type", "application/xml")
}

func (c restCodec) refuse(x *exchange, e *Error) answer {
	if c.json {
		return c.refuseJSON(e)
	}
	w := xmlEncoder{out: &bytes.Buffer{}}
	w.out.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	if x.service == nil || x.service.name != "s3" || x.service.control() {
		errorResponse(w, x, e)
		return xmlAnswer(e.Status, w.out.Bytes(), "text/xml")
	}
	w.open("Error", "")
	w.text("Code", e.Code)
	w.text("Message", e.Message)
	for _, label := range []string{"Bucket", "Key"} {
		if v := x.labels[label]; v != "" {
			w.text(map[string]string{"Bucket": "BucketName", "Key": "Key"}[label], v)
		}
	}
	w.text("RequestId", x.id)
	w.text("HostId", x.id)
	w.shut("Error")
	return xmlAnswer(e.Status, w.out.Bytes(), "application/xml")
}

func (c restCodec) refuseJSON(e *Error) answer {
	doc := documents{shapes: c.shapes}
	return answer{
		status: e.Status,
		header: http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {e.Code}},
		body:   doc.problem(e.Code, e),
	}
}
