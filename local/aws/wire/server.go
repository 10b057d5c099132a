package wire

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"lifeline/local/aws/world"
)

// Server answers AWS calls for a world. It is an http.Handler; one listener
// serves every service in every Region, as the SDK's AWS_ENDPOINT_URL expects.
type Server struct {
	world    *world.World
	services []*Service
	log      *slog.Logger
	limiter  *limiter
	patience time.Duration // how long a call into the dark may hang

	mu       sync.RWMutex
	prefixes map[string]string // path prefix -> Region
	mounts   map[string]http.Handler
}

// hangLimit bounds a call into a dark Region when its client never gives up;
// TCP would give up too, though later.
const hangLimit = 2 * time.Minute

// NewServer serves the services in the world, without rate limits (see Limit).
func NewServer(w *world.World, services ...*Service) *Server {
	return &Server{
		world:    w,
		services: services,
		log:      w.Logger(),
		limiter:  newLimiter(w),
		patience: hangLimit,
		prefixes: map[string]string{},
		mounts:   map[string]http.Handler{},
	}
}

// Limit puts rate limits in force, replacing those of the same key.
func (s *Server) Limit(limits map[LimitKey]Rate) { s.limiter.set(limits) }

// LimitInWallTime keeps rates as they are when AWS's own waits are compressed: for
// measuring how long something takes that is bound by them.
func (s *Server) LimitInWallTime() { s.limiter.inWallTime() }

// Route makes a path prefix stand for a Region: a call below it is served as if
// it had been signed for that Region. ARC's cluster endpoints are made so.
func (s *Server) Route(prefix, region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prefixes["/"+strings.Trim(prefix, "/")] = region
}

// Mount serves everything below a path prefix, such as "/_lifeline/", with h
// instead of AWS.
func (s *Server) Mount(prefix string, h http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mounts[prefix] = h
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := s.mounted(r.URL.Path); h != nil {
		h.ServeHTTP(w, r)
		return
	}
	c := &conversation{server: s, w: w, arrived: s.world.Now()}
	c.exchange = exchange{request: r, id: newRequestID()}
	c.run()
}

func (s *Server) mounted(path string) http.Handler {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for prefix, h := range s.mounts {
		if strings.HasPrefix(path, prefix) {
			return h
		}
	}
	return nil
}

// unroute takes a routed prefix off the path and gives its Region.
func (s *Server) unroute(r *http.Request) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for prefix, region := range s.prefixes {
		rest, ok := strings.CutPrefix(r.URL.EscapedPath(), prefix)
		if !ok || (rest != "" && rest[0] != '/') {
			continue
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, prefix)
		r.URL.RawPath = rest
		if rest == "" {
			r.URL.Path, r.URL.RawPath = "/", "/"
		}
		return region
	}
	return ""
}

// byName are the services with a signing name; S3 and S3 Control share one.
func (s *Server) byName(name string) []*Service {
	var out []*Service
	for _, svc := range s.services {
		if svc.name == name {
			out = append(out, svc)
		}
	}
	return out
}

// knows says whether a Region exists.
func (s *Server) knows(region string) bool { return slices.Contains(s.world.Regions(), region) }
