package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// app is one invocation: the system it runs on and the flags that all verbs share.
type app struct {
	system
	planFile string
	output   string
	of       string // the runbook whose run is meant
	lost     error  // why an answer did not reach its reader
}

// run runs one command line and gives its exit code.
func run(ctx context.Context, args []string, s system) exitCode {
	a := &app{system: s, output: "text"}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := mistypedVerb(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil && a.lost != nil {
		err = &trouble{code: exitFailed, err: fmt.Errorf("write answer: %w", a.lost), safe: "what was done stays done; only its answer is lost", next: "make room for the output, then: starter status -f PLAN"}
	}
	if err == nil {
		return exitDone
	}
	t := asTrouble(err)
	if ctx.Err() != nil && t.code != exitInterrupted {
		t = &trouble{code: exitInterrupted, err: fmt.Errorf("interrupted: %w", err), safe: t.safe, next: t.next}
	}
	t.print(s.err, a.output == "json")
	return t.code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "starter",
		Short: "Start, watch and steer Lifeline's disaster-recovery runbooks",
		Long: `starter starts disaster-recovery runbooks, shows where they stand, and carries
people's decisions to them. Runs live in Temporal: they go on when this command ends.

A Region is dark and you are new here? In this order:
  starter validate -f PLAN                                    is the plan sound? (offline)
  starter failover -f PLAN --from REGION --as YOU --wait      leave REGION
  starter approve  -f PLAN --as APPROVER                      two others allow the one-way step
  starter status   -f PLAN --watch                            where does it stand?

Nothing is dark yet? Then see to it that this would work:
  starter preview setup -f PLAN --as YOU                      what does recovery lack?
  starter setup         -f PLAN --as YOU --wait               build it
  starter readiness     -f PLAN                               would a failover work now?
  starter status        -f PLAN --register                    what is promised, what was measured?

Temporal is found by the standard TEMPORAL_* variables and profile file.

` + exitCodes,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(mistypedFlag)
	root.AddCommand(a.validate(), a.preview(), a.failover(), a.switchover(), a.failback(), a.setup(), a.readiness(), a.schedules(), a.status(),
		a.approve(), a.reject(), a.abort(), a.pause(), a.resume(), a.skip(), a.report(), a.keygen())
	return root
}

// mistypedVerb explains a verb that does not exist before cobra looks at its
// flags, which it would call unknown.
func mistypedVerb(root *cobra.Command, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || strings.HasPrefix(args[0], "__") || args[0] == "help" {
		return nil
	}
	if cmd, _, err := root.Find(args); err == nil && cmd != root {
		return nil
	}
	var verbs []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			verbs = append(verbs, c.Name())
		}
	}
	next := "starter --help"
	if near := nearest(args[0], verbs); len(near) == 1 {
		next = "starter " + near[0]
		for _, arg := range args[1:] {
			next += " " + shellWord(arg)
		}
	}
	return usage(next, "no verb %q%s", args[0], didYouMean(args[0], verbs))
}

// mistypedFlag names the flag that was meant.
func mistypedFlag(cmd *cobra.Command, err error) error {
	help := cmd.CommandPath() + " --help"
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usage(help, "%w", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return usage(help, "%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
}

// verb makes a command with the flags that all verbs share. Nothing that a verb
// does may end in an error without an exit code.
func (a *app) verb(c *cobra.Command, do func(cmd *cobra.Command, args []string) error) *cobra.Command {
	c.Flags().StringVarP(&a.output, "output", "o", "text", "text or json")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if a.output != "text" && a.output != "json" && (a.output != "html" || cmd.Name() != "report") {
			return usage(cmd.CommandPath()+" --help", "--output %q is unknown; it is text or json", a.output)
		}
		if a.of != "" && a.of != string(runbook.Setup) {
			return usage(cmd.CommandPath()+" --of setup", "--of %q is unknown; it is setup, or left out", a.of)
		}
		return a.coded(do(cmd, args))
	}
	if c.Args == nil {
		c.Args = noArguments
	}
	return c
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(cmd.CommandPath()+" --help", "%s takes no argument: %q", cmd.Name(), args[0])
	}
	return nil
}

// coded gives errors that carry no exit code the one of a failure.
func (a *app) coded(err error) error {
	var t *trouble
	if err == nil || errors.As(err, &t) {
		return err
	}
	return &trouble{code: exitFailed, err: err}
}

func (a *app) addPlan(c *cobra.Command) {
	c.Flags().StringVarP(&a.planFile, "file", "f", "", "the plan file (required)")
}

// loadPlan reads the plan, or says everything that is wrong with it.
func (a *app) loadPlan() (plan.Plan, error) {
	if a.planFile == "" {
		return plan.Plan{}, usage("add -f PLAN", "no plan file was named")
	}
	p, problems := plan.Load(a.planFile)
	if wrong := problems.Errors(); len(wrong) > 0 {
		return plan.Plan{}, a.invalid(wrong)
	}
	return p, nil
}

// invalid shows all problems with the lines that they are about.
func (a *app) invalid(wrong plan.Problems) error {
	var places strings.Builder
	if err := wrong.Print(&places); err != nil {
		return err
	}
	next := "mend the plan, then: " + a.command("validate")
	if _, err := os.Stat(a.planFile); err != nil {
		next = "name a plan file that is there, with -f"
	}
	return &trouble{
		code: exitPlan, err: fmt.Errorf("the plan is invalid:\n%s", strings.TrimRight(places.String(), "\n")),
		safe: "nothing was changed", next: next,
	}
}

// say writes one line for people; nothing when the output is for machines.
func (a *app) say(format string, args ...any) {
	if a.output == "json" {
		return
	}
	if _, err := io.WriteString(a.out, textf(format, args...)+"\n"); err != nil {
		a.lost = err
	}
}

// json writes one value for machines.
func (a *app) json(v any) error { return writeJSON(a.out, v) }

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// command is the next command to type for a verb of this plan. Verbs that are
// about a run are told which one, when it is not the one that moves a Region.
func (a *app) command(verb string, more ...string) string {
	if a.of != "" && slices.Contains([]string{"status", "report", "approve", "reject", "pause", "resume", "skip", "abort"}, verb) {
		more = append([]string{"--of", a.of}, more...)
	}
	return strings.TrimSpace("starter " + verb + " -f " + shellWord(a.planFile) + " " + strings.Join(more, " "))
}

// ownPlan puts the plan that was typed into the advice of a run, which knows no files.
func (a *app) ownPlan(r runbook.Report) runbook.Report {
	r.Next = strings.ReplaceAll(r.Next, "-f PLAN", "-f "+shellWord(a.planFile))
	return r
}

// shellWord quotes a word that a shell would not take as it is.
func shellWord(s string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_./@%+=:,~-]+$`).MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// addOf adds the flag that tells which run is meant.
func (a *app) addOf(c *cobra.Command) {
	c.Flags().StringVar(&a.of, "of", "", "setup: the run of setup is meant, and not the one that moves a Region")
}

// meant is the runbook whose run is meant. The runbooks that move a Region share
// one id, so any of them stands for all.
func (a *app) meant() runbook.Name {
	if a.of == string(runbook.Setup) {
		return runbook.Setup
	}
	return runbook.Failover
}
