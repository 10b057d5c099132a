package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"lifeline/local/estate"
)

// estatePatience bounds the building of an estate, which runs compressed.
const estatePatience = 3 * time.Minute

// Answer is what a command printed and how it ended.
type Answer struct {
	Stdout, Stderr string
	Code           int
}

// Starter runs the on-call command line as a person would.
func (s *Stack) Starter(ctx context.Context, args ...string) (Answer, error) {
	//nolint:gosec // our own program
	cmd := exec.CommandContext(ctx, s.bin("starter"), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, append(Inherited(os.Environ()), s.Env("starter")...)
	err := cmd.Run()
	a := Answer{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil // the code says it
	}
	return a, err
}

// AWS is the configuration of an SDK client of the simulated AWS.
func (s *Stack) AWS(caller string) aws.Config {
	return aws.Config{
		Region: string(s.Plan.Primary()), BaseEndpoint: aws.String(s.Endpoint()), RetryMaxAttempts: 5,
		Credentials: credentials.NewStaticCredentialsProvider(AccessKey(caller), "local", ""),
	}
}

// buildEstate makes what the plan describes, then sets the clock to real time.
// A bare one is left to setup.
func (s *Stack) buildEstate(ctx context.Context) error {
	b := s.builder()
	if s.options.Bare {
		if err := b.Given(ctx); err != nil {
			return err
		}
		s.options.Say("what the application brings with it is up, in the primary Region and without protection")
		return s.Adopt(b.Plan)
	}
	if err := b.Build(ctx); err != nil {
		return err
	}
	if err := s.Adopt(b.Plan); err != nil {
		return err
	}
	return s.realTime(ctx)
}

func (s *Stack) builder() *estate.Builder {
	return &estate.Builder{Plan: s.Plan, Config: s.AWS("estate"), Logger: s.options.Logger, Patience: estatePatience}
}

// Open lets the application take up its work on what setup has made, and sets
// the clock to real time.
func (s *Stack) Open(ctx context.Context) error {
	if err := s.builder().Serve(ctx); err != nil {
		return err
	}
	return s.realTime(ctx)
}

func (s *Stack) realTime(ctx context.Context) error {
	if err := s.Control.SetCompression(ctx, max(1, s.options.Compression)); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	s.options.Say("estate of %s is up in %d Regions", s.Plan.Application, len(s.Plan.Regions))
	return nil
}
