package probe

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxChain bounds the CNAMEs that are followed.
const maxChain = 8

// Resolver is a client's own caching resolver. It asks the zone's authoritative
// servers, says from which network it asks (EDNS0 client subnet), and keeps each
// record for its TTL, not longer.
type Resolver struct {
	Servers []string      // host:port
	Subnet  netip.Prefix  // invalid: none is sent
	Timeout time.Duration // of one question to one server; 0 means 1 s

	mu    sync.Mutex
	cache map[string]cached
}

type cached struct {
	alias     string // CNAME target; "" when there are addresses
	addresses []netip.Addr
	expires   time.Time
}

// Resolve finds the addresses of a name. An expired answer is never used, even
// when no server answers: the name does not resolve then.
func (r *Resolver) Resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if address, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{address}, nil
	}
	owner := dns.CanonicalName(name)
	for range maxChain {
		entry, err := r.lookup(ctx, owner)
		switch {
		case err != nil:
			return nil, fmt.Errorf("resolve %s: %w", name, err)
		case entry.alias == "":
			return entry.addresses, nil
		}
		owner = entry.alias
	}
	return nil, fmt.Errorf("resolve %s: more than %d aliases", name, maxChain)
}

func (r *Resolver) lookup(ctx context.Context, owner string) (cached, error) {
	if entry, ok := r.cached(owner); ok {
		return entry, nil
	}
	answer, err := r.ask(ctx, owner)
	if err != nil {
		return cached{}, err
	}
	if entry, ok := r.keep(answer, owner); ok {
		return entry, nil
	}
	return cached{}, fmt.Errorf("no answer for %s (%s)", owner, dns.RcodeToString[answer.Rcode])
}

func (r *Resolver) cached(owner string) (cached, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry, ok := r.cache[owner]
	return entry, ok && time.Now().Before(entry.expires)
}

// keep puts an answer's records into the cache, each under its own name, and
// gives what the answer says of one name.
func (r *Resolver) keep(answer *dns.Msg, owner string) (cached, bool) {
	fresh := map[string]cached{}
	for _, rr := range answer.Answer {
		name := dns.CanonicalName(rr.Header().Name)
		entry, seen := fresh[name]
		expires := time.Now().Add(time.Duration(rr.Header().Ttl) * time.Second)
		if !seen || expires.Before(entry.expires) {
			entry.expires = expires
		}
		switch rr := rr.(type) {
		case *dns.CNAME:
			entry.alias = dns.CanonicalName(rr.Target)
		case *dns.A:
			if address, ok := netip.AddrFromSlice(rr.A.To4()); ok {
				entry.addresses = append(entry.addresses, address)
			}
		default:
			continue
		}
		fresh[name] = entry
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache == nil {
		r.cache = map[string]cached{}
	}
	for name, entry := range fresh {
		r.cache[name] = entry
	}
	entry, ok := fresh[owner]
	return entry, ok && (entry.alias != "" || len(entry.addresses) > 0)
}

// ask sends a question to each server in turn until one answers it.
func (r *Resolver) ask(ctx context.Context, owner string) (*dns.Msg, error) {
	question := new(dns.Msg)
	question.SetQuestion(owner, dns.TypeA)
	question.RecursionDesired = false
	r.addSubnet(question)
	timeout := r.Timeout
	if timeout == 0 {
		timeout = time.Second
	}
	problems := []error{errors.New("no server answers")}
	for _, server := range r.Servers {
		client := dns.Client{Timeout: timeout}
		answer, _, err := client.ExchangeContext(ctx, question, server)
		if err == nil && answer.Truncated {
			client.Net = "tcp"
			answer, _, err = client.ExchangeContext(ctx, question, server)
		}
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %w", server, err))
		case answer.Rcode == dns.RcodeServerFailure || answer.Rcode == dns.RcodeRefused:
			problems = append(problems, fmt.Errorf("%s: %s", server, strings.ToLower(dns.RcodeToString[answer.Rcode])))
		default:
			return answer, nil
		}
	}
	return nil, errors.Join(problems...)
}

// addSubnet says where the client is (RFC 7871).
func (r *Resolver) addSubnet(question *dns.Msg) {
	question.SetEdns0(dns.DefaultMsgSize, false)
	if !r.Subnet.IsValid() {
		return
	}
	subnet := &dns.EDNS0_SUBNET{Code: dns.EDNS0SUBNET, Family: 1, SourceNetmask: uint8(r.Subnet.Bits()), Address: r.Subnet.Addr().AsSlice()}
	if r.Subnet.Addr().Is6() {
		subnet.Family = 2
	}
	opt := question.IsEdns0()
	opt.Option = append(opt.Option, subnet)
}
