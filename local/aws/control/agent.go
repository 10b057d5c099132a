package control

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
)

// agent is a machine on which an AWS agent installs itself: no call of AWS's API
// makes a source server of Elastic Disaster Recovery.
type agent struct {
	Region string          `json:"region"` // that it replicates to
	Server json.RawMessage `json:"server"`
}

func (a api) install(r *http.Request) (any, error) {
	in, err := read[agent](r)
	switch {
	case err != nil:
		return nil, err
	case a.options.Install == nil:
		return nil, refusal{http.StatusNotFound, "no agents can be installed here"}
	case !slices.Contains(a.world.Regions(), in.Region):
		return nil, bad("region %q is none of %v", in.Region, a.world.Regions())
	}
	id, err := a.options.Install(in.Region, in.Server)
	if err != nil {
		return nil, bad("%v", err)
	}
	return map[string]string{"id": id}, nil
}

// Install puts the agent of Elastic Disaster Recovery on a server, which then
// replicates into a Region, and gives the id of the source server.
func (c Client) Install(ctx context.Context, region string, server any) (string, error) {
	raw, err := json.Marshal(server)
	if err != nil {
		return "", fmt.Errorf("write server: %w", err)
	}
	var out struct{ ID string }
	err = c.call(ctx, http.MethodPost, "agents", agent{region, raw}, &out)
	return out.ID, err
}
