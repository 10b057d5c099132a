package route53

import (
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// fqdn is the form in which names are kept: lower case, a dot at the end, no
// octal escapes for characters that need none.
func fqdn(name string) string {
	return unescape(strings.ToLower(dns.Fqdn(name)))
}

// unescape reads Route 53's \ooo octal codes, which are not DNS's decimal ones.
func unescape(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '\\' && i+3 < len(name) {
			if n, err := strconv.ParseUint(name[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}

// escape is how the API shows a name: anything but letters, digits, "-", "_" and
// "." as an octal code, so "*" is \052.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
			b.WriteByte(c)
		default:
			b.WriteString(`\` + octal(c))
		}
	}
	return b.String()
}

func octal(c byte) string {
	s := strconv.FormatUint(uint64(c), 8)
	return strings.Repeat("0", 3-len(s)) + s
}

// within says whether the name is the zone's apex or below it.
func within(name, apex string) bool {
	return name == apex || strings.HasSuffix(name, "."+apex)
}

// nameProblem is Route 53's word for what is wrong with a name, "" when nothing.
func nameProblem(name string) string {
	if len(name) > 255 {
		return "DomainNameTooLong (Domain name is too long)"
	}
	if name == "." {
		return "DomainNameEmpty (Domain name is empty)"
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		switch {
		case label == "":
			return "DomainLabelEmpty (Domain label is empty)"
		case len(label) > 63:
			return "DomainLabelTooLong (Domain label is too long)"
		}
	}
	return ""
}

// compareNames orders names by their labels from the right, as Route 53 lists
// them: example.com., a.example.com., b.a.example.com., c.example.com.
func compareNames(a, b string) int {
	la, lb := dns.SplitDomainName(a), dns.SplitDomainName(b)
	slices.Reverse(la)
	slices.Reverse(lb)
	return slices.Compare(la, lb)
}

// bare strips what the API puts before an id, such as "/hostedzone/".
func bare(id string) string {
	if i := strings.LastIndexByte(id, '/'); i >= 0 {
		return id[i+1:]
	}
	return id
}
