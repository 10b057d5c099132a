package wire

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// shape is what the tags of a v1 struct say about its place on the wire.
type shape struct {
	name    string // element name of the body, when AWS gives one
	payload *member
	members []member
}

// member is one member of a shape. The zero member stands for the element of a
// list or map, which carries no tags.
type member struct {
	index     int
	name      string // Go and API name
	wireName  string // locationName; "" = name
	listName  string // element name of the items; "" = "member"
	keyName   string
	valueName string
	queryName string // ec2 input only
	location  string // header, headers, uri, querystring, statusCode; "" = body
	kind      string // structure, list, map, string, blob, timestamp, jsonvalue, ...
	format    string // time stamp format; "" = the protocol's
	enum      string
	min       int64
	hasMin    bool
	required  bool
	flattened bool
	attribute bool // XML attribute
	base64    bool // string that travels as base64
	sensitive bool
}

// shapes caches what was read from tags; reading them is most of the cost of
// coding small messages.
type shapes struct{ byType sync.Map }

func (s *shapes) of(t reflect.Type) *shape {
	if known, ok := s.byType.Load(t); ok {
		if sh, ok := known.(*shape); ok {
			return sh
		}
	}
	sh := readShape(t)
	s.byType.Store(t, sh)
	return sh
}

func readShape(t reflect.Type) *shape {
	sh := &shape{}
	var payload string
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			sh.name = f.Tag.Get("locationName")
			payload = f.Tag.Get("payload")
		}
		if f.IsExported() && f.Tag.Get("json") != "-" && f.Tag.Get("ignore") == "" {
			sh.members = append(sh.members, readMember(i, f))
		}
	}
	for i := range sh.members {
		if payload != "" && sh.members[i].name == payload {
			sh.payload = &sh.members[i]
		}
	}
	return sh
}

func readMember(index int, f reflect.StructField) member {
	m := member{
		index:     index,
		name:      f.Name,
		wireName:  f.Tag.Get("locationName"),
		listName:  f.Tag.Get("locationNameList"),
		keyName:   f.Tag.Get("locationNameKey"),
		valueName: f.Tag.Get("locationNameValue"),
		queryName: f.Tag.Get("queryName"),
		location:  f.Tag.Get("location"),
		kind:      f.Tag.Get("type"),
		format:    f.Tag.Get("timestampFormat"),
		enum:      f.Tag.Get("enum"),
		required:  f.Tag.Get("required") == "true",
		flattened: f.Tag.Get("flattened") != "",
		attribute: f.Tag.Get("xmlAttribute") != "",
		base64:    f.Tag.Get("marshal-as") == "blob",
		sensitive: f.Tag.Get("sensitive") == "true",
	}
	if low := f.Tag.Get("min"); low != "" {
		n, err := strconv.ParseInt(low, 10, 64)
		m.min, m.hasMin = n, err == nil
	}
	return m
}

// bodyMembers are the members that travel in the body.
func (s *shape) bodyMembers() []member {
	var out []member
	for _, m := range s.members {
		if m.location == "" {
			out = append(out, m)
		}
	}
	return out
}

// onWire is the member's name in documents and XML.
func (m *member) onWire() string {
	if m.flattened && m.listName != "" {
		return m.listName
	}
	return firstOf(m.wireName, m.name)
}

// inDocument is the member's name in JSON and CBOR, which know no lists names.
func (m *member) inDocument() string { return firstOf(m.wireName, m.name) }

// inQuery is the member's name in a query or ec2 request.
func (m *member) inQuery(ec2 bool) string {
	if !ec2 {
		return m.onWire()
	}
	if m.queryName != "" {
		return m.queryName
	}
	name := m.onWire()
	return strings.ToUpper(name[:1]) + name[1:]
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}
