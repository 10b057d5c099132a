package wire

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is the path pattern of a REST operation: /{Bucket}/{Key+}?tagging.
type route struct {
	segments []segment
	query    map[string]string // constants that tell operations apart
}

// segment is one path element: a constant, a label, or a label that takes the
// whole rest of the path.
type segment struct {
	text   string
	label  bool
	greedy bool
}

func parseRoute(pattern string) route {
	path, rawQuery, _ := strings.Cut(pattern, "?")
	r := route{query: map[string]string{}}
	// Route 53's pattern for record sets ends in a slash that clients leave out.
	for _, part := range splitPath(strings.TrimSuffix(path, "/")) {
		s := segment{text: part}
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			s.text, s.label = strings.Trim(part, "{}"), true
			if strings.HasSuffix(s.text, "+") {
				s.text, s.greedy = strings.TrimSuffix(s.text, "+"), true
			}
		}
		r.segments = append(r.segments, s)
	}
	for _, pair := range strings.Split(rawQuery, "&") {
		if key, value, _ := strings.Cut(pair, "="); key != "" {
			r.query[key] = value
		}
	}
	return r
}

// splitPath splits a path that is still escaped: an ARN in a path carries
// escaped slashes that are no separators.
func splitPath(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// match gives the labels of an escaped path, or false.
func (r route) match(path []string) (map[string]string, bool) {
	labels := map[string]string{}
	for i, s := range r.segments {
		if i >= len(path) {
			return nil, false
		}
		text, err := url.PathUnescape(path[i])
		switch {
		case err != nil:
			return nil, false
		case !s.label && s.text != text:
			return nil, false
		case s.greedy:
			rest, err := url.PathUnescape(strings.Join(path[i:], "/"))
			if err != nil || rest == "" {
				return nil, false
			}
			labels[s.text] = rest
			return labels, true
		case s.label && text == "":
			return nil, false
		case s.label:
			labels[s.text] = text
		}
	}
	// One empty element is a trailing slash, which AWS ignores.
	rest := path[len(r.segments):]
	return labels, len(rest) == 0 || (len(rest) == 1 && rest[0] == "")
}

// restCall is a REST request on its way to an operation.
type restCall struct {
	method string
	path   []string // escaped
	query  url.Values
	header http.Header
}

// find gives the operation of a REST request and its path labels; nil when AWS
// has none. Where several operations share method and path, as S3's do, the one
// wins whose constants and required parameters the request carries most of.
func (s *Service) find(c restCall) (*operation, map[string]string) {
	var best *operation
	var bestLabels map[string]string
	bestScore := -1
	for _, op := range s.routes {
		labels, ok := op.route.match(c.path)
		if !ok || op.method != c.method || !op.route.accepts(c.query) {
			continue
		}
		score, ok := s.score(op, c)
		if !ok {
			continue
		}
		if score > bestScore || (score == bestScore && op.name < best.name) {
			best, bestLabels, bestScore = op, labels, score
		}
	}
	return best, bestLabels
}

// accepts says whether the constants of the pattern stand in the query.
func (r route) accepts(query url.Values) bool {
	for key, value := range r.query {
		if !query.Has(key) || (value != "" && query.Get(key) != value) {
			return false
		}
	}
	return true
}

// score ranks operations that match; false for one that can't be meant.
func (s *Service) score(op *operation, c restCall) (int, bool) {
	const constant, parameter, named, served = 100, 10, 1000, 1
	score := constant * len(op.route.query)
	for _, seg := range op.route.segments {
		if !seg.label {
			score += constant
		}
	}
	declared := map[string]bool{"x-id": true}
	for _, m := range s.shapes.of(op.input).members {
		name := m.onWire()
		declared[name] = m.location == "querystring" || declared[name]
		present := (m.location == "querystring" && c.query.Has(name)) ||
			(m.location == "header" && m.required && c.header.Get(name) != "")
		switch {
		case m.required && m.location == "querystring" && !present && s.contested(op):
			return 0, false
		case m.required && m.location == "header" && !present && s.contested(op):
			return 0, false
		case m.required && present:
			score += parameter
		}
	}
	if c.query.Get("x-id") == op.name {
		score += named
	}
	if op.handler != nil {
		score += served
	}
	return score, !strayFlag(c.query, op.route, declared)
}

// strayFlag says whether the query carries a bare key, such as ?acl, that the
// operation doesn't know: then another operation is meant.
func strayFlag(query url.Values, r route, declared map[string]bool) bool {
	for key, values := range query {
		if _, ok := r.query[key]; ok || declared[key] {
			continue
		}
		if !slices.ContainsFunc(values, func(v string) bool { return v != "" }) {
			return true
		}
	}
	return false
}

// contested says whether other operations share method and pattern, so that
// only the parameters can tell them apart.
func (s *Service) contested(op *operation) bool {
	n := 0
	for _, other := range s.routes {
		if other.method == op.method && other.pattern == op.pattern {
			n++
		}
	}
	return n > 1
}
