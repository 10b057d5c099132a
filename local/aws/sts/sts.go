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

// STS is the service with the sessions it has given out.
type STS struct {
	world *world.World

	mu       sync.Mutex
	sessions map[string]session // by access key id
}

// session is a role that somebody took.
type session struct {
	roleID string
	arn    string // of the assumed role
	ends   time.Time
}

// New is the service in a world.
func New(w *world.World) *STS { return &STS{world: w, sessions: map[string]session{}} }

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
		Arn:     v1.String("arn:aws:iam::" + s.world.Account() + ":user/" + c.Caller),
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
)

func (s *STS) assumeRole(_ *wire.Call, in *api.AssumeRoleInput) (*api.AssumeRoleOutput, error) {
	role := regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/([\w+=,.@/-]+)$`).FindStringSubmatch(*in.RoleArn)
	if role == nil {
		return nil, wire.Invalid("%s is invalid", *in.RoleArn)
	}
	if role[1] != s.world.Account() {
		return nil, wire.Errorf(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:AssumeRole on %s", *in.RoleArn)
	}
	if !regexp.MustCompile(`^[\w+=,.@-]{2,64}$`).MatchString(*in.RoleSessionName) {
		return nil, wire.Invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
			*in.RoleSessionName)
	}
	length := defaultSession
	if in.DurationSeconds != nil {
		length = time.Duration(*in.DurationSeconds) * time.Second
	}
	if length < shortest || length > longest {
		return nil, wire.Invalid("The requested DurationSeconds is outside %s to %s", shortest, longest)
	}
	name := role[2][strings.LastIndex(role[2], "/")+1:]
	taken := session{
		roleID: key("AROA") + ":" + *in.RoleSessionName,
		arn:    "arn:aws:sts::" + s.world.Account() + ":assumed-role/" + name + "/" + *in.RoleSessionName,
		ends:   s.world.Now().Add(length),
	}
	return s.grant(taken), nil
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
