package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// reportFlags are the flags of the verb report.
type reportFlags struct {
	file, outside, run string
}

func (a *app) report() *cobra.Command {
	f := &reportFlags{}
	c := &cobra.Command{
		Use:   "report",
		Short: "Write the story of a run as HTML, JSON or text",
		Long: `Write the story of the newest run, finished or not: stages and steps, clocks against
the objective, evidence, losses, approvals, events. The HTML is one file that needs
nothing else. A file is replaced whole or not at all. Of a setup (--of setup) it is the
difference, what is left to people, and the register of the plan's resources.`,
		Example: "  starter report -f plan.yaml --out incident.html",
	}
	a.addPlan(c)
	a.addOf(c)
	c.Flags().StringVar(&f.file, "out", "", "the file to write; .html, .json or .txt says how (default: text to the terminal)")
	c.Flags().StringVar(&f.outside, "outside", "", "JSON of what an outside probe measured, to stand beside the run's own numbers")
	c.Flags().StringVar(&f.run, "run", "", "an earlier run's id (default: the newest)")
	a.verb(c, func(cmd *cobra.Command, _ []string) error {
		return a.writeReport(cmd, *f)
	})
	c.Flag("output").Usage = "text, json or html; --out FILE decides by its name unless this is given"
	return c
}

func (a *app) writeReport(cmd *cobra.Command, f reportFlags) error {
	format, err := a.reportFormat(cmd, f.file)
	if err != nil {
		return err
	}
	d, err := a.document(cmd.Context(), f)
	if err != nil {
		return err
	}
	write := map[string]func(io.Writer, report.Document) error{"text": report.Text, "json": report.JSON, "html": report.HTML}[format]
	if f.file == "" {
		return write(a.out, d)
	}
	var whole bytes.Buffer
	if err := write(&whole, d); err != nil {
		return err
	}
	return a.save("report", f.file, whole.Bytes())
}

// save writes a whole file for a verb that can be typed again.
func (a *app) save(verb, file string, content []byte) error {
	if err := replaceFile(file, content); err != nil {
		return &trouble{
			code: exitFailed, err: err, safe: "a report that was there before is as it was; the story is kept in Temporal",
			next: "make room, or name another place: " + a.command(verb, "--out ANOTHER-FILE.html"),
		}
	}
	a.say("wrote %s", file)
	return nil
}

// reportFormat is what -o says, else what the file's name says.
func (a *app) reportFormat(cmd *cobra.Command, file string) (string, error) {
	if cmd.Flags().Changed("output") || file == "" {
		return a.output, nil
	}
	return formatOf(file)
}

// formatOf is what a file's name says.
func formatOf(file string) (string, error) {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".html", ".htm":
		return "html", nil
	case ".json":
		return "json", nil
	case ".txt", ".text", ".log":
		return "text", nil
	default:
		return "", usage("name it .html, .json or .txt, or add -o", "the name of %s does not say what to write", file)
	}
}

func (a *app) document(ctx context.Context, f reportFlags) (report.Document, error) {
	p, err := a.loadPlan()
	if err != nil {
		return report.Document{}, err
	}
	var d report.Document
	if f.outside != "" {
		if d.Outside, err = readOutside(f.outside); err != nil {
			return report.Document{}, err
		}
	}
	c, err := a.connect(ctx)
	if err != nil {
		return report.Document{}, err
	}
	at := lockOf(p, a.meant())
	at.run = f.run
	s, err := a.look(ctx, c, at)
	if err != nil {
		return report.Document{}, err
	}
	if s.report == nil {
		return report.Document{}, &trouble{
			code: exitUnreachable, err: fmt.Errorf("the story of run %s can't be told: %s: %w", s.facts.RunID, s.why(), s.noWorker),
			safe: "the story is kept in Temporal's history", next: s.next(),
		}
	}
	d.Report = *s.report
	if d.Report.Runbook == runbook.Setup {
		d.Register = a.besideSetup(ctx, c, p, d.Report)
	}
	return d, nil
}

func readOutside(file string) (*report.Outside, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the person names their own file
	if err != nil {
		return nil, usage("starter report --help", "read the outside view: %w", err)
	}
	var o report.Outside
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, usage("starter report --help", "read the outside view %s: %w", file, err)
	}
	return &o, nil
}

// replaceFile writes beside the file and renames, so that a reader sees the old
// report or the new one, and a full disk leaves the old one alone. Who may read it
// is what the person's umask says.
func replaceFile(file string, content []byte) error {
	beside := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+"-"+rand.Text())
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // less the umask, as any file that a person makes
	if err != nil {
		return fmt.Errorf("write report %s: %w", file, withoutPath(err))
	}
	defer os.Remove(f.Name()) //nolint:errcheck // after the rename there is nothing left to remove
	for _, act := range []func() error{
		func() error { _, err := f.Write(content); return err },
		f.Sync,
		f.Close,
		func() error { return os.Rename(f.Name(), file) },
	} {
		if err := act(); err != nil {
			_ = f.Close()
			return fmt.Errorf("write report %s: %w", file, withoutPath(err))
		}
	}
	return nil
}

// withoutPath hides the name of the file beside, which nobody has typed.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
