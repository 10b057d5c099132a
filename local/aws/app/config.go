package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Marker is the value of "lifeline" in user data that configures this application.
const Marker = "records-application"

// Config is an instance's user data.
type Config struct {
	Lifeline      string      `json:"lifeline"`
	Application   string      `json:"application"`
	Region        string      `json:"region"`
	Table         string      `json:"table"`
	GlobalCluster string      `json:"globalCluster,omitempty"`
	Cluster       string      `json:"cluster,omitempty"`
	Bucket        string      `json:"bucket,omitempty"`
	Lease         LeaseConfig `json:"lease,omitzero"`
}

// LeaseConfig says where the write lease is kept.
type LeaseConfig struct {
	Region string `json:"region"`
	Table  string `json:"table"`
	TTL    int64  `json:"ttl_ms"`
}

func (l LeaseConfig) ttl() time.Duration { return time.Duration(l.TTL) * time.Millisecond }

// ParseConfig reads user data. ok is false when it is not this application's.
func ParseConfig(userData []byte) (c Config, ok bool, err error) {
	if json.Unmarshal(userData, &c) != nil || c.Lifeline != Marker {
		return Config{}, false, nil //nolint:nilerr // what is no JSON is another program's user data
	}
	return c, true, c.check()
}

func (c Config) check() error {
	var problems []error
	for name, value := range map[string]string{"application": c.Application, "region": c.Region, "table": c.Table} {
		if value == "" {
			problems = append(problems, fmt.Errorf("user data: %q is missing", name))
		}
	}
	if c.GlobalCluster != "" {
		if c.Cluster == "" {
			problems = append(problems, errors.New(`user data: "cluster" is missing beside "globalCluster"`))
		}
		if c.Lease.Region == "" || c.Lease.Table == "" || c.Lease.TTL <= 0 {
			problems = append(problems, errors.New(`user data: a single writer needs "lease" with region, table and ttl_ms`))
		}
	}
	return errors.Join(problems...)
}
