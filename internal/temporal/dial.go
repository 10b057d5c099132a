package temporal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"
)

// UnreachableError says that Temporal could not be talked to.
type UnreachableError struct {
	Address   string
	Namespace string
	Err       error
}

// Error names the address and the variable that sets it.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("connect to Temporal at %s, namespace %q (TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE set them): %v",
		e.Address, e.Namespace, e.Err)
}

// Unwrap gives the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// ErrConfiguration says that the TEMPORAL_* variables or the profile file could
// not be read: nothing was called yet.
var ErrConfiguration = errors.New("read Temporal configuration")

// Dial connects by the standard TEMPORAL_* variables and profile file, and
// returns only when the server has answered. The caller may change the options
// last, e.g. to add a metrics handler.
func Dial(ctx context.Context, logger *slog.Logger, with ...func(*client.Options)) (client.Client, error) {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{ConfigFileStrict: true})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfiguration, err)
	}
	if options.HostPort == "" {
		options.HostPort = client.DefaultHostPort
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	options.Logger = log.NewStructuredLogger(logger)
	for _, change := range with {
		change(&options)
	}
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, &UnreachableError{Address: options.HostPort, Namespace: options.Namespace, Err: err}
	}
	return c, nil
}
