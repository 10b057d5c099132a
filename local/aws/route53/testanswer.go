package route53

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/route53"
	"github.com/miekg/dns"

	"lifeline/local/aws/wire"
)

// testDNSAnswer says what a name server of the zone would answer.
func (r *Route53) testDNSAnswer(_ *wire.Call, in *api.TestDNSAnswerInput) (*api.TestDNSAnswerOutput, error) {
	subnet, err := asker(in)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	z, err := r.zone(*in.HostedZoneId)
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	name := fqdn(*in.RecordName)
	if z.private || !within(name, z.apex) {
		return nil, invalidInput("The record name %s does not lie in the public hosted zone %s.", *in.RecordName, z.apex)
	}
	res := r.Query(name, dns.StringToType[*in.RecordType], subnet)
	out := &api.TestDNSAnswerOutput{
		Nameserver: z.set.NameServers[0], Protocol: aws.String("UDP"), RecordName: aws.String(escape(name)), RecordType: in.RecordType,
		RecordData: []*string{}, ResponseCode: aws.String("NOERROR"),
	}
	if !res.Exists {
		out.ResponseCode = aws.String("NXDOMAIN")
	}
	for _, rr := range res.Records {
		data := strings.TrimPrefix(rr.String(), rr.Header().String())
		out.RecordData = append(out.RecordData, &data)
		out.RecordType = aws.String(dns.TypeToString[rr.Header().Rrtype])
	}
	return out, nil
}

// asker is the network that the question is said to come from.
func asker(in *api.TestDNSAnswerInput) (netip.Prefix, error) {
	text, bits := aws.StringValue(in.EDNS0ClientSubnetIP), aws.StringValue(in.EDNS0ClientSubnetMask)
	if text == "" {
		text, bits = aws.StringValue(in.ResolverIP), ""
	}
	if text == "" {
		return netip.Prefix{}, nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, invalidInput("Invalid IP address: %s", text)
	}
	n := a.BitLen()
	switch {
	case bits != "":
		if n, err = strconv.Atoi(bits); err != nil || n < 0 || n > a.BitLen() {
			return netip.Prefix{}, invalidInput("Invalid EDNS0 client subnet mask: %s", bits)
		}
	case in.EDNS0ClientSubnetIP != nil && a.Is4():
		n = 24 // Route 53's default
	case in.EDNS0ClientSubnetIP != nil:
		n = 64
	}
	return netip.PrefixFrom(a, n).Masked(), nil
}
