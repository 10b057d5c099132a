package main

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	storeName   = "sqlite"
)

// newServer prepares the database and describes a server on it.
func newServer(ctx context.Context, set settings, db *config.SQL, log logger) (temporal.Server, error) {
	if err := createNamespace(db, set); err != nil {
		return nil, err
	}
	ports, err := servicePorts(ctx, set)
	if err != nil {
		return nil, err
	}
	server, err := temporal.NewServer(
		temporal.WithConfig(serverConfig(set, db, ports)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(staticHosts(set, ports)),
		temporal.WithLogger(log),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
		temporal.WithDynamicConfigClient(set.Dynamic),
	)
	if err != nil {
		return nil, fmt.Errorf("configure the Temporal server: %w", err)
	}
	return server, nil
}

// servicePorts gives each service its port; only the frontend's is anybody's business.
func servicePorts(ctx context.Context, set settings) (map[primitives.ServiceName]int, error) {
	free, err := freePorts(ctx, set.IP.String(), 3)
	if err != nil {
		return nil, err
	}
	return map[primitives.ServiceName]int{
		primitives.FrontendService: set.Port,
		primitives.HistoryService:  free[0],
		primitives.MatchingService: free[1],
		primitives.WorkerService:   free[2],
	}, nil
}

// staticHosts spares the services their gossip: there is one of each, here.
func staticHosts(set settings, ports map[primitives.ServiceName]int) map[primitives.ServiceName]static.Hosts {
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, port := range ports {
		hosts[name] = static.SingleLocalHost(net.JoinHostPort(set.IP.String(), strconv.Itoa(port)))
	}
	return hosts
}

func serverConfig(set settings, db *config.SQL, ports map[primitives.ServiceName]int) *config.Config {
	const off = "disabled"
	services := map[string]config.Service{}
	for name, port := range ports {
		services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnIP: set.IP.String()}}
	}
	return &config.Config{
		Persistence: config.Persistence{
			DefaultStore:    storeName,
			VisibilityStore: storeName,
			// One shard: SQLite writes one transaction at a time anyway.
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{storeName: {SQL: db}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: address(set)},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		Services:            services,
		PublicClient:        config.PublicClient{HostPort: address(set)},
		Archival: config.Archival{
			History:    config.HistoryArchival{State: off},
			Visibility: config.VisibilityArchival{State: off},
		},
		NamespaceDefaults: config.NamespaceDefaults{
			Archival: config.ArchivalNamespaceDefaults{
				History:    config.HistoryArchivalNamespaceDefaults{State: off},
				Visibility: config.VisibilityArchivalNamespaceDefaults{State: off},
			},
		},
	}
}
