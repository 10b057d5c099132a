package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// logLevelNever silences the server's log; Temporal's own command line has it too.
const logLevelNever = slog.Level(100)

// settings is what the command line says. The flags that Temporal's own
// `temporal server start-dev` has keep its names, so that the Go SDK's
// testsuite.StartDevServer can start this program.
type settings struct {
	IP        netip.Addr
	Port      int
	UIPort    int
	Headless  bool
	Namespace string
	// File is the SQLite file; empty keeps everything in memory.
	File       string
	LogLevel   slog.Level
	LogFormat  string
	Attributes map[string]enumspb.IndexedValueType
	Dynamic    dynamicconfig.StaticClient
	// UIActions are the writes that the UI offers.
	UIActions actions
}

// parse reads the command line. Problems are collected: a newcomer sees all of
// them at once.
func parse(args []string, help io.Writer) (settings, error) {
	set := settings{Attributes: lifelineAttributes(), Dynamic: tuning()}
	var ip, level, uiActions string

	flags := flag.NewFlagSet("temporal-server", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&ip, "ip", "127.0.0.1", "loopback `address` to listen on")
	flags.IntVar(&set.Port, "port", 7233, "`port` of the Temporal API (gRPC)")
	flags.IntVar(&set.UIPort, "ui-port", 0, "`port` of the Web UI (default: API port + 1000)")
	flags.BoolVar(&set.Headless, "headless", false, "run without the Web UI")
	flags.StringVar(&set.Namespace, "namespace", "default", "`name` of the namespace to create")
	flags.StringVar(&set.File, "db-filename", "", "SQLite `file` that keeps the state (default: memory only)")
	flags.StringVar(&level, "log-level", "error", "debug, info, warn, error or never")
	flags.StringVar(&set.LogFormat, "log-format", "text", "text, json or pretty (same as text)")
	flags.StringVar(&uiActions, "ui-actions", defaultUIActions, "writes that the UI offers: all, none or a `list` of "+strings.Join(actionNames(), ","))
	flags.Func("search-attribute", "further search attribute, `name=Type`; repeatable", set.addAttribute)
	flags.Func("dynamic-config-value", "server setting, `key=value`; repeatable", set.addDynamic)

	// The words of Temporal's own command line are welcome and mean nothing here.
	if len(args) >= 2 && args[0] == "server" && args[1] == "start-dev" {
		args = args[2:]
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(flags, help)
		}
		return settings{}, err
	}
	if flags.NArg() > 0 {
		return settings{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	set.UIPort = defaultUIPort(set)
	return set, errors.Join(set.setIP(ip), set.checkPorts(), set.setLog(level), set.setUIActions(uiActions))
}

func usage(flags *flag.FlagSet, w io.Writer) {
	fmt.Fprint(w, `Temporal server, Web UI and SQLite database in one process, for one machine.

Usage: temporal-server [server start-dev] [flags]

Prints one line that begins with READY on standard output when the API serves,
logs to standard error, and stops cleanly on SIGINT and SIGTERM.
Exit codes: 0 stopped; 1 could not start or run; 2 usage.

Flags:
`)
	flags.SetOutput(w)
	flags.PrintDefaults()
}

func defaultUIPort(set settings) int {
	if set.UIPort == 0 && !set.Headless {
		return set.Port + 1000
	}
	return set.UIPort
}

// setIP accepts loopback only: this server has no TLS and no authentication,
// and whoever reaches it can promote databases.
func (s *settings) setIP(text string) error {
	if text == "localhost" {
		text = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return fmt.Errorf("--ip %q: not an IP address", text)
	}
	if !ip.IsLoopback() {
		return fmt.Errorf("--ip %s: only loopback addresses (127.0.0.1, ::1), since this server has no TLS and no authentication", ip)
	}
	s.IP = ip
	return nil
}

func (s *settings) checkPorts() error {
	for name, port := range map[string]int{"--port": s.Port, "--ui-port": s.UIPort} {
		unused := name == "--ui-port" && s.Headless
		if !unused && (port < 1 || port > 65535) {
			return fmt.Errorf("%s %d: want 1 to 65535", name, port)
		}
	}
	if s.Port == s.UIPort && !s.Headless {
		return fmt.Errorf("--port and --ui-port are both %d", s.Port)
	}
	return nil
}

func (s *settings) setLog(level string) error {
	if !slices.Contains([]string{"text", "json", "pretty"}, s.LogFormat) {
		return fmt.Errorf("--log-format %q: want text, json or pretty", s.LogFormat)
	}
	if level == "never" {
		s.LogLevel = logLevelNever
		return nil
	}
	if err := s.LogLevel.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("--log-level %q: want debug, info, warn, error or never", level)
	}
	return nil
}

func (s *settings) setUIActions(list string) (err error) {
	s.UIActions, err = parseActions(list)
	return err
}

func (s *settings) addAttribute(text string) error {
	name, kind, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("want name=Type")
	}
	value, err := enumspb.IndexedValueTypeFromString(kind)
	if err != nil || value == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		return fmt.Errorf("unknown type %q: want Text, Keyword, Int, Double, Bool, Datetime or KeywordList", kind)
	}
	s.Attributes[name] = value
	return nil
}

// addDynamic reads the value as JSON; what is no JSON is a plain string.
func (s *settings) addDynamic(text string) error {
	key, value, ok := strings.Cut(text, "=")
	if !ok || key == "" {
		return errors.New("want key=value")
	}
	var parsed any
	if err := json.Unmarshal([]byte(value), &parsed); err != nil {
		parsed = value
	}
	// The server takes whole numbers only as integers.
	if n, ok := parsed.(float64); ok && n == float64(int(n)) {
		parsed = int(n)
	}
	s.Dynamic[dynamicconfig.MakeKey(key)] = parsed
	return nil
}
