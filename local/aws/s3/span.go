package s3

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// cut takes the part of a body that a Range header asks for, and says which part
// that is; a header that isn't understood asks for everything (RFC 9110, 14.2).
func cut(body []byte, header string) (part []byte, span string, err error) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	if !ok || strings.Contains(spec, ",") {
		return body, "", nil
	}
	first, last, ok := strings.Cut(spec, "-")
	if !ok {
		return body, "", nil
	}
	size := len(body)
	from, fromOK := number(first)
	to, toOK := number(last)
	switch {
	case first == "" && toOK: // the last bytes
		from, to = max(0, size-to), size-1
	case !fromOK || (last != "" && (!toOK || to < from)):
		return body, "", nil
	case last == "" || to >= size:
		to = size - 1
	}
	if from >= size || to < from {
		return nil, "", refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
	}
	return body[from : to+1], fmt.Sprintf("bytes %d-%d/%d", from, to, size), nil
}

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}
