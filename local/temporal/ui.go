package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// defaultUIActions are the writes by which people take part in a runbook:
// approvals are updates and signals, an abort to the last safe point is a cancel.
//
// Terminate is off because it ends a run with no code of ours running: nothing
// is undone, nothing is reported. Reset is off because it repeats steps.
const defaultUIActions = "update,signal,cancel"

// actions are the names of the writes that the UI offers.
type actions map[string]bool

// uiSwitches names every write of the UI and how to take it away.
func uiSwitches() map[string]func(*uiconfig.Config) {
	return map[string]func(*uiconfig.Config){
		"update":    func(c *uiconfig.Config) { c.WorkflowUpdateDisabled = true },
		"signal":    func(c *uiconfig.Config) { c.WorkflowSignalDisabled = true },
		"cancel":    func(c *uiconfig.Config) { c.WorkflowCancelDisabled = true },
		"terminate": func(c *uiconfig.Config) { c.WorkflowTerminateDisabled = true },
		"reset":     func(c *uiconfig.Config) { c.WorkflowResetDisabled = true },
		"pause":     func(c *uiconfig.Config) { c.WorkflowPauseDisabled = true },
		"start":     func(c *uiconfig.Config) { c.StartWorkflowDisabled = true },
		"batch":     func(c *uiconfig.Config) { c.BatchActionsDisabled = true },
		"activity":  func(c *uiconfig.Config) { c.ActivityCommandsDisabled = true },
	}
}

func actionNames() []string {
	return slices.Sorted(maps.Keys(uiSwitches()))
}

func parseActions(list string) (actions, error) {
	known := actionNames()
	switch list {
	case "all":
		list = strings.Join(known, ",")
	case "none":
		return actions{}, nil
	}
	allowed := actions{}
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--ui-actions: unknown action %q: want all, none or a list of %s", name, strings.Join(known, ","))
		}
		allowed[name] = true
	}
	return allowed, nil
}

// uiConfig is the UI's configuration. News and version checks are off: nothing
// on this machine calls home.
func uiConfig(set settings) *uiconfig.Config {
	c := &uiconfig.Config{
		TemporalGRPCAddress: net.JoinHostPort(set.IP.String(), strconv.Itoa(set.Port)),
		Host:                set.uiHost(),
		Port:                set.UIPort,
		EnableUI:            true,
		DefaultNamespace:    set.Namespace,
		DisableNewsFetch:    true,
		HideLogs:            true,
		// The cookie that guards against forged requests must work over plain http.
		CORS:                uiconfig.CORS{CookieInsecure: true},
		DisableWriteActions: len(set.UIActions) == 0,
	}
	for name, disable := range uiSwitches() {
		if !set.UIActions[name] {
			disable(c)
		}
	}
	return c
}

// uiHost is the address in the form that the UI joins with its port.
func (s settings) uiHost() string {
	if s.IP.Is6() {
		return "[" + s.IP.String() + "]"
	}
	return s.IP.String()
}

// startUI serves the UI in the background and returns what stops it.
func startUI(set settings) (stop func()) {
	ui := uiserver.NewServer(uioptions.WithConfigProvider(uiConfig(set)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Start answers nil when stopped; a failed listen ends the process with a
		// message of the UI's own, which is why the port is checked before.
		_ = ui.Start()
	}()
	return func() {
		ui.Stop()
		<-done
	}
}
