package wire

import (
	"net/http"

	"lifeline/local/aws/world"
)

// Server answers AWS calls for a world.
type Server struct {
	world    *world.World
	services []*Service
}

// NewServer serves the services in the world.
func NewServer(w *world.World, services ...*Service) *Server {
	return &Server{world: w, services: services}
}

// ServeHTTP answers one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusNotImplemented)
}
