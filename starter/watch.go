package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/progress"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"lifeline/internal/report"
	"lifeline/internal/runbook"
)

// watch draws the status live until the run ends or the person leaves.
func (a *app) watch(ctx context.Context, c runs, at target, first sight) error {
	m := &picture{app: a, ask: func() tea.Msg {
		s, err := a.look(ctx, c, at)
		return seen{s, err}
	}, sight: first}
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(a.in), tea.WithOutput(a.out), tea.WithoutSignalHandler())
	_, err := p.Run()
	switch {
	case m.interrupted || ctx.Err() != nil:
		return a.unfollowed(canceled(ctx), at, context.Canceled)
	case err != nil && !errors.Is(err, tea.ErrProgramKilled):
		return fmt.Errorf("draw the status: %w", err)
	case m.sight.report != nil && m.sight.report.Status.Final():
		return outcome(*m.sight.report)
	default:
		return nil
	}
}

// canceled is a context that has ended, for a person who pressed Ctrl-C: in raw
// mode the terminal sends a key, not a signal.
func canceled(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// picture is the live status: a bubbletea model.
type picture struct {
	*app
	ask         func() tea.Msg
	sight       sight
	trouble     error
	interrupted bool
	width       int
}

type seen struct {
	sight sight
	err   error
}

// Init asks at once.
func (p *picture) Init() tea.Cmd { return p.ask }

// Update takes keys and answers. Only one question is under way at a time.
func (p *picture) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyMsg:
		switch msg.String() {
		case "ctrl+c":
			p.interrupted = true
			return p, tea.Quit
		case "q", "esc":
			return p, tea.Quit
		}
	case tea.WindowSizeMsg:
		p.width = msg.Width
	case seen:
		p.trouble = msg.err
		if msg.err == nil {
			p.sight = msg.sight
		}
		if r := p.sight.report; r != nil && r.Status.Final() {
			return p, tea.Quit
		}
		return p, tea.Tick(lookEvery, func(time.Time) tea.Msg { return p.ask() })
	}
	return p, nil
}

// View draws the newest answer.
func (p *picture) View() string {
	lines := p.factLines(p.sight)
	if r := p.sight.report; r != nil {
		lines = statusLines(*r, p.now(), colourBar)
	}
	head, soft := lipgloss.NewStyle().Bold(true), lipgloss.NewStyle().Faint(true)
	for i, line := range lines {
		lines[i] = shorten(line, p.width)
		switch {
		case i < 2:
			lines[i] = head.Render(lines[i])
		case strings.HasPrefix(line, "  RISK"):
			lines[i] = lipgloss.NewStyle().Foreground(lipgloss.Color("1")).Render(lines[i])
		}
	}
	if p.trouble != nil {
		lines = append(lines, "no answer just now: "+report.Printable(p.trouble.Error()))
	}
	return strings.Join(lines, "\n") + "\n" + soft.Render("q leaves; the run goes on") + "\n"
}

// shorten keeps a line inside the window; a wrapped line would shift the picture.
func shorten(line string, width int) string {
	if width <= 0 {
		return line
	}
	return lipgloss.NewStyle().MaxWidth(width).Render(line)
}

// colourBar draws a bar in the colour of its state; terminals without colours get
// the same bar without them.
func colourBar(fraction float64, state runbook.State) painted {
	colour := "4"
	switch state {
	case runbook.Succeeded:
		colour = "2"
	case runbook.Broken, runbook.Left:
		colour = "1"
	case runbook.Undoing, runbook.Undone:
		colour = "3"
	case runbook.Pending, runbook.Active, runbook.Skipped:
	}
	b := progress.New(progress.WithSolidFill(colour), progress.WithoutPercentage(), progress.WithWidth(barWidth))
	return painted(b.ViewAs(min(1, max(0, fraction))))
}
