package stack

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are where the processes listen; 0 takes a free one.
type Ports struct {
	Temporal, UI, AWS, DNS int
}

// DefaultPorts are the ones that the documentation names.
func DefaultPorts() Ports { return Ports{Temporal: 7233, UI: 8233, AWS: 4566, DNS: 5300} }

// claim checks that a port is free, or finds a free one for 0. It looks below
// the range from which systems give ports to connections: one found there could
// be taken before the process that it is meant for listens.
func claim(ctx context.Context, port *int) error {
	if *port < 0 || *port > 65535 {
		return fmt.Errorf("%d is no port: choose one up to 65535, or 0 for a free one", *port)
	}
	if *port != 0 {
		if err := free(ctx, *port); err != nil {
			return fmt.Errorf("port %d is taken: end what holds it, or choose another port: %w", *port, err)
		}
		return nil
	}
	var last error
	for range 100 {
		candidate := 20000 + rand.IntN(10000) //nolint:gosec // a port, not a secret
		if last = free(ctx, candidate); last == nil {
			*port = candidate
			return nil
		}
	}
	return fmt.Errorf("find a free port: %w", last)
}

// free reports whether a port is free on both transports.
func free(ctx context.Context, port int) error {
	var lc net.ListenConfig
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	p, err := lc.ListenPacket(ctx, "udp", address)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return errors.Join(l.Close(), p.Close())
}
