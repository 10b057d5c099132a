package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/opentelemetry"
)

// telemetry turns the SDK's metrics into Prometheus'.
type telemetry struct {
	registry *prometheus.Registry
	handler  client.MetricsHandler
	stop     func(context.Context) error
}

func newTelemetry(log *slog.Logger) (*telemetry, error) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	out, err := exporter.New(exporter.WithRegisterer(registry))
	if err != nil {
		return nil, fmt.Errorf("make metrics exporter: %w", err)
	}
	provider := metric.NewMeterProvider(metric.WithReader(out))
	handler := opentelemetry.NewMetricsHandler(opentelemetry.MetricsHandlerOptions{
		Meter: provider.Meter("lifeline"), UseMonotonicCounters: true,
		// The default panics: a metric must never end a recovery.
		OnError: func(err error) { log.Error("metric was not recorded", "error", err) },
	})
	return &telemetry{registry, handler, provider.Shutdown}, nil
}

// healthChecker asks Temporal whether it still answers.
type healthChecker interface {
	CheckHealth(context.Context, *client.CheckHealthRequest) (*client.CheckHealthResponse, error)
}

// pages are what the process answers: alive, ready for work, and its metrics.
func (t *telemetry) pages(polling func() bool, temporal healthChecker) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if !polling() {
			answer(w, http.StatusServiceUnavailable, "not polling")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if _, err := temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
			answer(w, http.StatusServiceUnavailable, "Temporal does not answer")
			return
		}
		answer(w, http.StatusOK, "polling")
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// listen serves the pages until stop is called. A port that is taken is told at
// once: a worker that nobody can watch is not what was asked for.
func listen(ctx context.Context, address string, pages http.Handler, log *slog.Logger) (stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &coded{exitUsage, fmt.Errorf("serve metrics: %w", err)}
	}
	server := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are not served any more", "error", err)
		}
	}()
	log.InfoContext(ctx, "serving metrics and health", "address", listener.Addr().String())
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx)
	}, nil
}
