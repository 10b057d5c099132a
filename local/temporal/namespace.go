package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention keeps closed runs for a week: long enough for the review after an
// incident, short enough for a file on a laptop.
const retention = 7 * 24 * time.Hour

// lifelineAttributes are what runbooks set on themselves, for lists and counts
// such as LifelineRtoState = "breached". An attribute that is not registered
// fails a workflow task for ever, hence before any worker connects.
func lifelineAttributes() map[string]enumspb.IndexedValueType {
	return map[string]enumspb.IndexedValueType{
		"LifelineApplication": enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"LifelineRunbook":     enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"LifelinePhase":       enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"LifelineRegion":      enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"LifelineRtoState":    enumspb.INDEXED_VALUE_TYPE_KEYWORD,
	}
}

// createNamespace writes the namespace into the database before the server
// starts, so that it is there with the first answer. One that exists stays as it is.
func createNamespace(db *config.SQL, set settings) error {
	namespace, err := sqlite.NewNamespaceConfig(clusterName, set.Namespace, false, set.Attributes)
	if err != nil {
		return fmt.Errorf("describe namespace %q: %w", set.Namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(retention)
	if err := sqlite.CreateNamespaces(db, namespace); err != nil {
		return fmt.Errorf("create namespace %q: %w", set.Namespace, err)
	}
	return nil
}

// ensureAttributes registers the search attributes that an older file lacks.
func ensureAttributes(ctx context.Context, c client.Client, set settings) error {
	listed, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: set.Namespace})
	if err != nil {
		return fmt.Errorf("list search attributes of namespace %q: %w", set.Namespace, err)
	}
	missing, err := compareAttributes(set.Attributes, listed.GetCustomAttributes())
	if err != nil || len(missing) == 0 {
		return err
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace:        set.Namespace,
		SearchAttributes: missing,
	})
	if err != nil {
		return fmt.Errorf("add search attributes to namespace %q: %w", set.Namespace, err)
	}
	return awaitAttributes(ctx, c, set.Namespace, missing)
}

// compareAttributes returns what is wanted and not there. A type can't be
// changed, so a different one is an error and not a silent surprise later.
func compareAttributes(wanted, found map[string]enumspb.IndexedValueType) (map[string]enumspb.IndexedValueType, error) {
	missing := map[string]enumspb.IndexedValueType{}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		switch kind, ok := found[name]; {
		case !ok:
			missing[name] = wanted[name]
		case kind != wanted[name]:
			problems = append(problems, fmt.Errorf("search attribute %s is of type %s in this database, wanted %s: start on a new file", name, kind, wanted[name]))
		}
	}
	return missing, errors.Join(problems...)
}

// awaitAttributes waits until the server's copy of the namespace, which it reads
// again every two seconds, knows the new attributes.
func awaitAttributes(ctx context.Context, c client.Client, namespace string, added map[string]enumspb.IndexedValueType) error {
	for name := range added {
		query := &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: name + " IS NULL"}
		err := retry(ctx, func() error {
			_, err := c.WorkflowService().CountWorkflowExecutions(ctx, query)
			return err
		})
		if err != nil {
			return fmt.Errorf("wait for search attribute %s: %w", name, err)
		}
	}
	return nil
}
