package sim

import (
	"bytes"
	"encoding/json"
	"fmt"

	"lifeline/local/aws/drs"
)

// install reads what an agent tells of its server and registers it.
func (s *Sim) install(region string, server json.RawMessage) (string, error) {
	var agent drs.Server
	dec := json.NewDecoder(bytes.NewReader(server))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&agent); err != nil {
		return "", fmt.Errorf("read server: %w", err)
	}
	return s.DRS.Register(region, agent)
}
