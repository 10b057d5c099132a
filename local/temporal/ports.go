package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// checkFree says which of the ports that people chose is taken, and by which
// flag to choose another. It runs before anything is started or written.
func checkFree(ctx context.Context, set settings) error {
	problems := []error{checkPort(ctx, set, set.Port, "the Temporal API", "--port")}
	if !set.Headless {
		problems = append(problems, checkPort(ctx, set, set.UIPort, "the Web UI", "--ui-port"))
	}
	return errors.Join(problems...)
}

func checkPort(ctx context.Context, set settings, port int, use, option string) error {
	address := net.JoinHostPort(set.IP.String(), strconv.Itoa(port))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d for %s is taken: another program listens on %s. Nothing was started. Stop that program or choose another port with %s", port, use, address, option)
	}
	if err != nil {
		return fmt.Errorf("listen on %s for %s: %w", address, use, err)
	}
	return listener.Close()
}

// freePorts finds n ports that nobody uses. All are held before any is given
// back, so that they differ.
func freePorts(ctx context.Context, ip string, n int) (ports []int, err error) {
	for range n {
		listener, listenErr := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
		if listenErr != nil {
			return nil, fmt.Errorf("find a free port on %s: %w", ip, listenErr)
		}
		defer func() { err = errors.Join(err, listener.Close()) }()
		address, ok := listener.Addr().(*net.TCPAddr)
		if !ok {
			return nil, fmt.Errorf("find a free port on %s: %s is no TCP address", ip, listener.Addr())
		}
		ports = append(ports, address.Port)
	}
	return ports, nil
}
