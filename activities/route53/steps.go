package route53

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/dnsclient"
	"lifeline/internal/plan"
)

// Asker asks one name server as a client of a subnet.
type Asker interface {
	Ask(ctx context.Context, server, name string, subnet netip.Prefix) (dnsclient.Answer, error)
}

// Steps are the activities of this package.
type Steps struct {
	// DNS makes an asker whose questions take at most timeout.
	DNS func(timeout time.Duration) Asker
}

// New makes the steps on real DNS.
func New() *Steps {
	return &Steps{DNS: func(timeout time.Duration) Asker { return dnsclient.Client{Timeout: timeout} }}
}

// VerifyAnswers asks every name server what clients of every location are told.
// It is NotYet while a location is still told the lost Region, or is told
// nothing although it has somewhere to go. A location that must not leave the
// lost Region has nowhere to go, and Route 53 fails open for it: its answer is
// reported, and not waited for.
func (s *Steps) VerifyAnswers(ctx context.Context, in AnswersInput) (Answers, error) {
	if len(in.Traffic.NameServers) == 0 {
		return Answers{}, cloud.Errorf(cloud.Invalid, "verify answers for %s: the plan names no name servers", in.Traffic.Name)
	}
	v := verification{asker: s.DNS(in.Timeout), in: in, silent: map[string]bool{}}
	regions, err := v.regions(ctx)
	if err != nil {
		return Answers{}, err
	}
	answers, err := v.everywhere(ctx, regions)
	if err != nil {
		return Answers{}, err
	}
	return answers, v.judge(answers)
}

// verification is one round of questions.
type verification struct {
	asker  Asker
	in     AnswersInput
	mu     sync.Mutex
	silent map[string]bool
}

// target is how a Region's answers are recognised: by the name that they lead
// to, or by their addresses. The name is better: a load balancer answers with
// another selection of its addresses each time.
type target struct {
	region    plan.Region
	name      string
	addresses []netip.Addr
}

// regions resolves every Region's own name.
func (v *verification) regions(ctx context.Context) ([]target, error) {
	var list []target
	for region, endpoint := range v.in.Endpoints {
		answers, err := v.all(ctx, endpoint, netip.Prefix{})
		if err != nil && region == v.in.Lost {
			// Its load balancer's name may be as dead as the Region. Answers that
			// still lead there are then unknown ones, which are no success either.
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("resolve endpoint of %s: %w", region, err)
		}
		t := target{region: region}
		for _, a := range answers {
			t.name = a.Target()
			t.addresses = append(t.addresses, a.Addresses...)
		}
		list = append(list, t)
	}
	return list, nil
}

// everywhere asks for every location, side by side.
func (v *verification) everywhere(ctx context.Context, regions []target) (Answers, error) {
	locations := v.in.Traffic.Locations
	got, errs := make([]Answer, len(locations)), make([]error, len(locations))
	var side sync.WaitGroup
	for i, location := range locations {
		side.Go(func() { got[i], errs[i] = v.location(ctx, location, regions) })
	}
	side.Wait()
	all := Answers{ByLocation: map[string]Answer{}}
	for i, location := range locations {
		if errs[i] != nil {
			return Answers{}, fmt.Errorf("verify answers for %s in %s: %w", v.in.Traffic.Name, location.Name, errs[i])
		}
		all.ByLocation[location.Name] = got[i]
	}
	for server := range v.silent {
		all.Silent = append(all.Silent, server)
	}
	slices.Sort(all.Silent)
	return all, nil
}

// location asks every server for one location. When they differ, the answer that
// still names the lost Region counts: clients may get it.
func (v *verification) location(ctx context.Context, location plan.Location, regions []target) (Answer, error) {
	subnet, err := netip.ParsePrefix(location.Subnet)
	if err != nil {
		return Answer{}, cloud.Errorf(cloud.Invalid, "subnet: %w", err)
	}
	answers, err := v.all(ctx, v.in.Traffic.Name, subnet)
	if err != nil {
		return Answer{}, err
	}
	var worst Answer
	for i, a := range answers {
		told := Answer{TTL: int(a.TTL.Seconds()), Region: string(regionOf(a, regions))}
		for _, address := range a.Addresses {
			told.Addresses = append(told.Addresses, address.String())
		}
		if i == 0 || v.problem(location, told) != "" {
			worst = told
		}
	}
	return worst, nil
}

// all asks every name server. One answer is enough, silence is remembered.
func (v *verification) all(ctx context.Context, name string, subnet netip.Prefix) ([]dnsclient.Answer, error) {
	servers := v.in.Traffic.NameServers
	got, errs := make([]dnsclient.Answer, len(servers)), make([]error, len(servers))
	var side sync.WaitGroup
	for i, server := range servers {
		side.Go(func() { got[i], errs[i] = v.asker.Ask(ctx, server, name, subnet) })
	}
	side.Wait()
	var answers []dnsclient.Answer
	var last error
	for i, server := range servers {
		if errs[i] != nil {
			last = errs[i]
			v.mu.Lock()
			v.silent[server] = true
			v.mu.Unlock()
			continue
		}
		answers = append(answers, got[i])
	}
	if len(answers) == 0 {
		return nil, last
	}
	return answers, nil
}

// regionOf recognises whose answer it is, empty when nobody's.
func regionOf(a dnsclient.Answer, regions []target) plan.Region {
	for _, t := range regions {
		if slices.Contains(a.Chain, t.name) {
			return t.region
		}
	}
	for _, t := range regions {
		if slices.ContainsFunc(a.Addresses, func(x netip.Addr) bool { return slices.Contains(t.addresses, x) }) {
			return t.region
		}
	}
	return ""
}

// problem says what is not yet as wanted, empty when all is well.
func (v *verification) problem(location plan.Location, told Answer) string {
	lost := v.in.Lost
	switch {
	case lost != "" && location.Region == lost && location.Fallback == "":
		return ""
	case len(told.Addresses) == 0:
		return location.Name + " gets no answer"
	case lost == "" && told.Region != string(location.Region):
		return fmt.Sprintf("%s is still sent to %s, not to %s", location.Name, named(told), location.Region)
	case told.Region == "" || told.Region == string(lost):
		return fmt.Sprintf("%s is still sent to %s", location.Name, named(told))
	default:
		return ""
	}
}

// judge collects the problems of all locations.
func (v *verification) judge(all Answers) error {
	var problems []string
	for _, location := range v.in.Traffic.Locations {
		if p := v.problem(location, all.ByLocation[location.Name]); p != "" {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return cloud.Errorf(cloud.NotYet, "verify answers for %s: %s", v.in.Traffic.Name, strings.Join(problems, "; "))
	}
	return nil
}

// named is the Region of an answer, or its addresses when they are nobody's.
func named(told Answer) string {
	if told.Region == "" {
		return "unknown addresses " + strings.Join(told.Addresses, ", ")
	}
	return told.Region
}
