package rds

import (
	"slices"
	"strconv"
	"strings"
)

// setting is one engine parameter: what a group may set it to, and when.
type setting struct {
	name, value string // the engine's default; "" = none
	kind        string // "boolean", "integer", "string" or "list"
	allowed     string // "0,1", "100-600000", "" = anything
	static      bool   // takes a reboot
	cluster     bool   // of cluster parameter groups as well
}

// settings are the parameters of an engine that operators set most; AWS has
// hundreds.
func settings(family string) []setting {
	switch engineOf(family) {
	case "aurora-postgresql":
		return append(postgresSettings(), setting{name: "rds.global_db_rpo", kind: "integer", allowed: "20-2147483647", cluster: true})
	case "postgres":
		return postgresSettings()
	case "aurora-mysql", "mysql":
		return mysqlSettings()
	default:
		return nil
	}
}

func postgresSettings() []setting {
	return []setting{
		{name: "idle_in_transaction_session_timeout", value: "86400000", kind: "integer", allowed: "0-2147483647", cluster: true},
		{name: "log_connections", kind: "boolean", allowed: "0,1", cluster: true},
		{name: "log_min_duration_statement", value: "-1", kind: "integer", allowed: "-1-2147483647", cluster: true},
		{name: "log_statement", kind: "string", allowed: "none,ddl,mod,all", cluster: true},
		{name: "max_connections", kind: "integer", allowed: "6-8388607", static: true, cluster: true},
		{name: "rds.force_ssl", value: "0", kind: "boolean", allowed: "0,1", cluster: true},
		{name: "rds.logical_replication", value: "0", kind: "boolean", allowed: "0,1", static: true, cluster: true},
		{name: "shared_preload_libraries", value: "pg_stat_statements", kind: "list", static: true, cluster: true},
		{name: "statement_timeout", value: "0", kind: "integer", allowed: "0-2147483647", cluster: true},
		{name: "work_mem", kind: "integer", allowed: "64-2147483647"},
	}
}

func mysqlSettings() []setting {
	return []setting{
		{name: "binlog_format", value: "OFF", kind: "string", allowed: "OFF,ROW,STATEMENT,MIXED", static: true, cluster: true},
		{name: "character_set_server", kind: "string", cluster: true},
		{name: "innodb_flush_log_at_trx_commit", value: "1", kind: "integer", allowed: "0,1,2", cluster: true},
		{name: "long_query_time", kind: "integer", allowed: "0-31536000"},
		{name: "max_connections", kind: "integer", allowed: "1-16000"},
		{name: "require_secure_transport", value: "OFF", kind: "string", allowed: "ON,OFF", cluster: true},
		{name: "slow_query_log", kind: "boolean", allowed: "0,1"},
		{name: "time_zone", kind: "string", cluster: true},
	}
}

// engineOf is the engine of a family such as aurora-postgresql16 or mysql8.0; ""
// for a family that isn't known.
func engineOf(family string) string {
	engine := strings.TrimRight(family, "0123456789.")
	if engine == family || !slices.Contains([]string{"aurora-postgresql", "postgres", "aurora-mysql", "mysql"}, engine) {
		return ""
	}
	return engine
}

// familyOf is the family of an engine's version: aurora-postgresql16, and with
// MySQL's two numbers aurora-mysql8.0.
func familyOf(engine, version string) string {
	parts := strings.SplitN(version, ".", 3)
	if strings.HasSuffix(engine, "mysql") && len(parts) > 1 {
		return engine + parts[0] + "." + parts[1]
	}
	return engine + parts[0]
}

// accepts says whether a value is one of those allowed.
func (s setting) accepts(value string) bool {
	if s.allowed == "" {
		return true
	}
	if s.kind != "integer" || strings.Contains(s.allowed, ",") {
		return slices.Contains(strings.Split(s.allowed, ","), value)
	}
	i := strings.Index(s.allowed[1:], "-") + 1
	low, _ := strconv.ParseInt(s.allowed[:i], 10, 64)
	high, _ := strconv.ParseInt(s.allowed[i+1:], 10, 64)
	n, err := strconv.ParseInt(value, 10, 64)
	return err == nil && n >= low && n <= high
}
