package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"lifeline/activities/observe"
	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/temporal"
)

// process is one running worker process.
type process struct {
	flags
	plan     plan.Plan
	trusted  []plan.Plan // whose runs may be played: plan, and the others that were named
	log      *slog.Logger
	client   client.Client
	steps    steps
	sampler  *observe.Sampler
	identity string
	polling  atomic.Bool
}

// start builds the process, the only place where its parts are put together,
// and runs it until ctx ends or Temporal refuses it.
func start(ctx context.Context, s system, f flags) error {
	plans, err := f.check()
	if err != nil {
		return err
	}
	p := plans[0]
	w := &process{flags: f, plan: p, trusted: plans, identity: s.identity(f), log: newLogger(s.err, p.Application, f.region)}
	metrics, err := newTelemetry(w.log)
	if err != nil {
		return &coded{exitFailed, err}
	}
	if err := w.connect(ctx, s, metrics); err != nil {
		return err
	}
	defer w.client.Close()
	if err := w.equip(ctx); err != nil {
		return &coded{exitFailed, err}
	}
	if f.metrics != "" {
		stop, err := listen(ctx, f.metrics, metrics.pages(w.polling.Load, w.client), w.log)
		if err != nil {
			return err
		}
		defer stop()
	}
	return w.run(ctx, w.poll)
}

// connect reaches Temporal and checks that the namespace is prepared.
func (w *process) connect(ctx context.Context, s system, metrics *telemetry) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	namespace := ""
	c, err := s.dial(ctx, w.log, func(o *client.Options) {
		o.Identity = w.identity
		o.MetricsHandler = metrics.handler
		namespace = o.Namespace
	})
	if err != nil {
		return &coded{exitUnreachable, fmt.Errorf("%w\n  safe now: nothing was started\n  next:     check TEMPORAL_ADDRESS and the network, then start again", err)}
	}
	if err := checkAttributes(ctx, c.OperatorService(), namespace, w.log); err != nil {
		c.Close()
		return err
	}
	w.client = c
	return nil
}

// equip makes the AWS clients and the steps. Nothing is called.
func (w *process) equip(ctx context.Context) error {
	clients, err := cloud.New(ctx, cloud.Options{Caller: "worker"})
	if err != nil {
		return err
	}
	if w.observer != "" {
		w.sampler = observe.NewSampler(w.observer, w.plan)
	}
	if w.steps, err = newSteps(clients, w.sampler, w.trusted...); err != nil {
		return err
	}
	w.steps.building = append(w.steps.building, &temporal.Past{Client: w.client})
	return nil
}

// run polls until ctx ends or Temporal refuses the process for good, then lets
// steps end.
func (w *process) run(ctx context.Context, poll func(fatal func(error)) ([]worker.Worker, error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers, err := poll(func(err error) { cancel(&coded{exitFailed, fmt.Errorf("refused by Temporal: %w", err)}) })
	if err != nil {
		stopAll(workers)
		return &coded{exitFailed, err}
	}
	var beside sync.WaitGroup
	if w.sampler != nil {
		beside.Go(func() { w.sampler.Run(ctx) })
	}
	if every := w.plan.Failover.Watermarks.D(); w.watermarks && every > 0 {
		beside.Go(func() { keepMarking(ctx, marksOf(w.plan, plan.Region(w.region), w.steps), every, w.log) })
	}
	w.polling.Store(true)
	w.log.InfoContext(ctx, "polling", "identity", w.identity, "queues", queueNames(w.flags))
	<-ctx.Done()
	w.polling.Store(false)
	w.log.InfoContext(ctx, "ending", "cause", context.Cause(ctx).Error())
	stopAll(workers)
	beside.Wait()
	// A signal is a cause too, but being asked to end is no failure.
	var refused *coded
	if errors.As(context.Cause(ctx), &refused) {
		return refused
	}
	return nil
}

// poll starts one worker for each queue.
func (w *process) poll(fatal func(error)) ([]worker.Worker, error) {
	var started []worker.Worker
	for _, q := range queues(w.flags) {
		one := worker.New(w.client, q.name, options(q, w.identity, w.trusted, fatal))
		w.steps.register(one, q)
		if err := one.Start(); err != nil {
			return started, fmt.Errorf("poll %s: %w", q.name, err)
		}
		started = append(started, one)
	}
	return started, nil
}

// stopAll stops side by side: each may take the whole stopTimeout.
func stopAll(workers []worker.Worker) {
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(w.Stop)
	}
	all.Wait()
}

func queueNames(f flags) []string {
	var out []string
	for _, q := range queues(f) {
		out = append(out, q.name)
	}
	return out
}
