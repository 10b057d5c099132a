package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/temporal"
)

const (
	// readyTimeout is generous: the server needs 0.3 s on a quiet machine and a
	// few seconds on one that compiles beside it.
	readyTimeout = 60 * time.Second
	// stopTimeout stays below the ten seconds after which supervisors kill.
	stopTimeout = 8 * time.Second
	// retryEvery is short, since people and tests wait for READY.
	retryEvery = 20 * time.Millisecond
)

// serve runs server and UI until the context ends.
func serve(ctx context.Context, set settings, stdout io.Writer, log logger) (err error) {
	if err := checkFree(ctx, set); err != nil {
		return err
	}
	db := database(set)
	release, err := openDatabase(db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()

	server, err := newServer(ctx, set, db, log)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the Temporal server: %w", err)
	}
	defer func() { err = errors.Join(err, stopInTime(server)) }()
	if !set.Headless {
		defer startUI(set)()
	}

	if err := ready(ctx, set, log); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it was ready
		}
		return err
	}
	fmt.Fprintln(stdout, readyLine(set))
	<-ctx.Done()
	return nil
}

// readyLine is the promise to whoever started this process: the first word, then
// key=value pairs separated by blanks.
func readyLine(set settings) string {
	line := "READY address=" + address(set) + " namespace=" + set.Namespace
	if !set.Headless {
		line += " ui=" + uiURL(set)
	}
	return line
}

func address(set settings) string {
	return net.JoinHostPort(set.IP.String(), strconv.Itoa(set.Port))
}

func uiURL(set settings) string {
	return "http://" + net.JoinHostPort(set.IP.String(), strconv.Itoa(set.UIPort))
}

// ready returns when a client can start workflows with every search attribute,
// and the UI answers.
func ready(ctx context.Context, set settings, log logger) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	c, err := client.NewLazyClient(client.Options{
		HostPort:  address(set),
		Namespace: set.Namespace,
		Logger:    sdklog.NewStructuredLogger(log.slog),
	})
	if err != nil {
		return fmt.Errorf("make a client for %s: %w", address(set), err)
	}
	defer c.Close()

	err = retry(ctx, func() error {
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: set.Namespace})
		return err
	})
	if err != nil {
		return fmt.Errorf("wait for the Temporal API on %s: %w", address(set), err)
	}
	if err := ensureAttributes(ctx, c, set); err != nil {
		return err
	}
	if set.Headless {
		return nil
	}
	if err := retry(ctx, func() error { return probeUI(ctx, set) }); err != nil {
		return fmt.Errorf("wait for the Web UI on %s: %w", uiURL(set), err)
	}
	return nil
}

func probeUI(ctx context.Context, set settings) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, uiURL(set)+"/healthz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

// retry calls try until it succeeds or the context ends; then it says what the
// last attempt said.
func retry(ctx context.Context, try func() error) error {
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last answer: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// stopInTime stops the server, or gives up: what was acknowledged is in the
// database either way.
func stopInTime(server temporal.Server) error {
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(stopTimeout):
		return fmt.Errorf("stop the Temporal server: not done after %s; the database is safe", stopTimeout)
	}
}
