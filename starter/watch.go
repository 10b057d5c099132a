package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/progress"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

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
	height      int
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
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c":
			p.interrupted = true
			return p, tea.Quit
		case "q", "esc":
			return p, tea.Quit
		}
	case tea.WindowSizeMsg:
		p.width, p.height = msg.Width, msg.Height
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
func (p *picture) View() tea.View { return tea.NewView(p.text()) }

func (p *picture) text() string {
	lines := p.factLines(p.sight)
	if r := p.sight.report; r != nil {
		lines = statusLines(*r, p.now(), colourBar)
	}
	lines = p.fit(lines)
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

// headLines name the run and show its clocks; footLines are below the picture.
const headLines, footLines = 4, 3

// fit keeps the picture inside a low window: the head with the clocks and the end,
// where it says who is waited for, are worth more than stages that are over.
func (p *picture) fit(lines []string) []string {
	room := p.height - footLines - 1
	if p.height <= 0 || len(lines) <= room+1 || room <= headLines {
		return lines
	}
	cut := len(lines) - room
	out := append([]string{}, lines[:headLines]...)
	out = append(out, textf("  … %d lines more in a higher window", cut))
	return append(out, lines[headLines+cut:]...)
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
	b := progress.New(progress.WithColors(lipgloss.Color(colour)), progress.WithoutPercentage(), progress.WithWidth(barWidth))
	return painted(b.ViewAs(min(1, max(0, fraction))))
}
