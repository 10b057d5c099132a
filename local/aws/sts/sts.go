package sts

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	v1 "github.com/aws/aws-sdk-go/aws"
	api "github.com/aws/aws-sdk-go/service/sts"

	"lifeline/local/aws/wire"
	"lifeline/local/aws/world"
)

// Roles are the roles that can be taken.
type Roles interface {
	// Take says whether the trust policy of a role lets a caller, known by these
	// ARNs, take it. It gives the role's unique id and its longest session.
	Take(roleARN string, callers []string, externalID string) (id string, longest time.Duration, ok bool)
}

// Options configure STS.
type Options struct {
	Roles Roles // nil: every role of the account exists and lets anybody in
}

// STS is the service with the sessions it has given out.
type STS struct {
	world *world.World
	roles Roles

	mu       sync.Mutex
	sessions map[string]session // by access key id
}

// session is a role that somebody took.
type session struct {
	roleID string
	role   string // ARN
	arn    string // of the assumed role
	ends   time.Time
}

// New is the service in a world.
func New(w *world.World, o Options) *STS {
	return &STS{world: w, roles: o.Roles, sessions: map[string]session{}}
}

// Wire is the service as the server sees it.
func (s *STS) Wire() *wire.Service {
	svc := wire.NewService("sts", api.New(wire.V1Session()), wire.Query)
	wire.Handle(svc, "GetCallerIdentity", s.getCallerIdentity)
	wire.Handle(svc, "AssumeRole", s.assumeRole)
	return svc
}

func (s *STS) getCallerIdentity(c *wire.Call, _ *api.GetCallerIdentityInput) (*api.GetCallerIdentityOutput, error) {
	out := &api.GetCallerIdentityOutput{
		Account: v1.String(s.world.Account()),
		UserId:  v1.String(c.Caller),
		Arn:     v1.String(s.user(c.Caller)),
	}
	taken, known := s.session(c.Caller)
	switch {
	case !known:
		return out, nil
	case s.world.Now().After(taken.ends):
		return nil, wire.Errorf(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	out.Arn, out.UserId = v1.String(taken.arn), v1.String(taken.roleID)
	return out, nil
}

func (s *STS) session(caller string) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken, ok := s.sessions[caller]
	return taken, ok
}

// Session lengths that AWS documents for AssumeRole.
const (
	defaultSession = time.Hour
	shortest       = 15 * time.Minute
	longest        = 12 * time.Hour
	longestChained = time.Hour // of a role taken by a role
)

func (s *STS) assumeRole(c *wire.Call, in *api.AssumeRoleInput) (*api.AssumeRoleOutput, error) {
	role := regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/([\w+=,.@/-]+)$`).FindStringSubmatch(*in.RoleArn)
	if role == nil {
		return nil, wire.Invalid("%s is invalid", *in.RoleArn)
	}
	if !regexp.MustCompile(`^[\w+=,.@-]{2,64}$`).MatchString(*in.RoleSessionName) {
		return nil, wire.Invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
			*in.RoleSessionName)
	}
	id, most, err := s.take(c.Caller, role[1], in)
	if err != nil {
		return nil, err
	}
	length := defaultSession
	if in.DurationSeconds != nil {
		length = time.Duration(*in.DurationSeconds) * time.Second
	}
	switch _, chained := s.session(c.Caller); {
	case length < shortest || length > longest:
		return nil, wire.Invalid("The requested DurationSeconds is outside %s to %s", shortest, longest)
	case chained && length > longestChained:
		return nil, wire.Invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case in.DurationSeconds != nil && length > most:
		return nil, wire.Invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	name := role[2][strings.LastIndex(role[2], "/")+1:]
	return s.grant(session{
		roleID: id + ":" + *in.RoleSessionName, role: *in.RoleArn,
		arn:  "arn:aws:sts::" + s.world.Account() + ":assumed-role/" + name + "/" + *in.RoleSessionName,
		ends: s.world.Now().Add(length),
	}), nil
}

// take gives the id and the longest session of a role that the caller may take.
// A role that doesn't exist is refused like one that doesn't trust the caller.
func (s *STS) take(caller, account string, in *api.AssumeRoleInput) (id string, most time.Duration, err error) {
	who := s.Principals(caller)
	if account == s.world.Account() {
		if s.roles == nil {
			return key("AROA"), longest, nil
		}
		if id, most, ok := s.roles.Take(*in.RoleArn, who, v1.StringValue(in.ExternalId)); ok {
			return id, most, nil
		}
	}
	return "", 0, wire.Errorf(http.StatusForbidden, "AccessDenied",
		"User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who[0], *in.RoleArn)
}

// Principals are the ARNs under which policies know a caller, by access key id:
// a user, or a session and its role.
func (s *STS) Principals(caller string) []string {
	if taken, ok := s.session(caller); ok {
		return []string{taken.arn, taken.role}
	}
	return []string{s.user(caller)}
}

// user is who an access key belongs to: each has a user of its own.
func (s *STS) user(caller string) string {
	return "arn:aws:iam::" + s.world.Account() + ":user/" + caller
}

func (s *STS) grant(taken session) *api.AssumeRoleOutput {
	id := key("ASIA")
	s.mu.Lock()
	s.sessions[id] = taken
	s.mu.Unlock()
	return &api.AssumeRoleOutput{
		AssumedRoleUser: &api.AssumedRoleUser{Arn: v1.String(taken.arn), AssumedRoleId: v1.String(taken.roleID)},
		Credentials: &api.Credentials{
			AccessKeyId: v1.String(id), SecretAccessKey: v1.String(secret()), SessionToken: v1.String(secret()),
			Expiration: v1.Time(taken.ends.UTC().Truncate(time.Second)),
		},
	}
}

// key is an id of twenty characters such as ASIA....
func key(prefix string) string { return prefix + rand.Text()[:16] }

// secret looks like a secret and is one nobody checks.
func secret() string {
	var b [30]byte
	_, _ = rand.Read(b[:]) // never fails; it ends the program instead
	return base64.StdEncoding.EncodeToString(b[:])
}
