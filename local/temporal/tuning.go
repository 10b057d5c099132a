package main

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// tuning is the dynamic configuration that one shard on one small machine needs.
// Flags may override each value.
func tuning() dynamicconfig.StaticClient {
	// A shard reads each of its queues at most 20 times a second by default.
	// With one shard that is 50 ms under every workflow task and activity; a
	// failover with two hundred steps would wait ten seconds for nothing.
	const readsPerSecond = 1000

	return dynamicconfig.StaticClient{
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   readsPerSecond,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      readsPerSecond,
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): readsPerSecond,
		dynamicconfig.OutboundProcessorMaxPollRPS.Key():   readsPerSecond,

		// Each read of the timer queue closes it for this long ahead, so that clocks
		// of several hosts may differ; a timer set meanwhile fires at its end. With
		// the default of a second a loop of 50 ms waits took a second a turn. Here is
		// one host.
		dynamicconfig.TimerProcessorMaxTimeShift.Key(): 5 * time.Millisecond,

		// The first scheduler holds one pending change: pause, backfill and trigger
		// in quick succession lose one although each was answered with success. A
		// drill that was paused for a real failover must stay paused.
		dynamicconfig.EnableCHASMSchedulerCreation.Key():         true,
		dynamicconfig.CHASMSchedulerCreationRolloutPercent.Key(): 100,

		// Search attributes are usable as soon as they are registered.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,

		// Limits meant for databases on a network, and for many tenants.
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                    10_000,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                     45_000,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
	}
}
