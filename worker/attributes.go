package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc"

	"lifeline/internal/temporal"
)

// attributeLister is the part of Temporal's operator service that is asked.
type attributeLister interface {
	ListSearchAttributes(context.Context, *operatorservice.ListSearchAttributesRequest, ...grpc.CallOption) (*operatorservice.ListSearchAttributesResponse, error)
}

// checkAttributes refuses to start without the search attributes: a run that
// writes an unknown one would fail its workflow task for ever, in the middle of
// a recovery. A server that lets nobody list them (Temporal Cloud without the
// right role) is believed.
func checkAttributes(ctx context.Context, operator attributeLister, namespace string, log *slog.Logger) error {
	answer, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	var denied *serviceerror.PermissionDenied
	var unimplemented *serviceerror.Unimplemented
	if errors.As(err, &denied) || errors.As(err, &unimplemented) {
		log.WarnContext(ctx, "search attributes could not be checked", "error", err)
		return nil
	}
	if err != nil {
		return &coded{exitUnreachable, fmt.Errorf("list the search attributes of namespace %q: %w", namespace, err)}
	}
	var missing []string
	for _, name := range attributeNames() {
		if kind, ok := answer.GetCustomAttributes()[name]; !ok || kind != enums.INDEXED_VALUE_TYPE_KEYWORD {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	lines := make([]string, len(missing))
	for i, name := range missing {
		lines[i] = fmt.Sprintf("  temporal operator search-attribute create --namespace %s --name %s --type Keyword", namespace, name)
	}
	return &coded{exitFailed, fmt.Errorf("namespace %q lacks search attributes that runs write (of type Keyword); add them, then start again:\n%s", namespace, strings.Join(lines, "\n"))}
}

func attributeNames() []string {
	return []string{
		temporal.LifelineApplication().GetName(), temporal.LifelineRunbook().GetName(), temporal.LifelinePhase().GetName(),
		temporal.LifelineRegion().GetName(), temporal.LifelineRtoState().GetName(),
	}
}
