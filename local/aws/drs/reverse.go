package drs

import (
	"strings"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
	"github.com/aws/aws-sdk-go/service/ec2"
)

// reverseReplication makes a recovery instance replicate to where its server
// came from: a source server of the origin Region, which transfers everything.
// On an instance that was launched by such a server it protects the other way
// again, and there the first source server goes on.
func (d *DRS) reverseReplication(r *region, in *sdk.ReverseReplicationInput) (*sdk.ReverseReplicationOutput, error) {
	i, err := r.instance(in.RecoveryInstanceID)
	if err != nil {
		return nil, err
	}
	home := d.regions[i.agent.OriginRegion]
	s := r.servers[i.server]
	switch {
	case i.agent.OriginRegion == "":
		return nil, conflict("Recovery instance %s comes from outside AWS: use the failback client.", i.id)
	case home == nil:
		return nil, conflict("DRS is not initialized in the origin Region %s.", i.agent.OriginRegion)
	case !d.world.Reachable(r.name, home.name):
		return nil, conflict("Recovery instance %s doesn't reach %s.", i.id, home.name)
	case d.state(r.name, i.id) != ec2.InstanceStateNameRunning:
		return nil, conflict("Recovery instance %s is not running.", i.id)
	case i.disconnected:
		return nil, conflict("Recovery instance %s is disconnected.", i.id)
	}
	agent := i.agent
	agent.OriginRegion, agent.OriginZone, agent.InstanceID = r.name, "", i.id
	back, err := d.reversedServer(home, s, agent)
	if err != nil {
		return nil, conflict("Reverse %s: %v", i.id, err)
	}
	i.reversed = true
	back.reversed = d.arn(r.name, "source-server", i.server)
	if s != nil {
		s.reversed = back.arn
	}
	return &sdk.ReverseReplicationOutput{ReversedDirectionSourceServerArn: aws.String(back.arn)}, nil
}

// reversedServer is the source server that was there before, or a new one.
func (d *DRS) reversedServer(home *region, s *server, agent Server) (*server, error) {
	direction := sdk.ReplicationDirectionFailback
	if s != nil {
		if s.direction == sdk.ReplicationDirectionFailback {
			direction = sdk.ReplicationDirectionFailover
		}
		id := s.reversed[strings.LastIndex(s.reversed, "/")+1:]
		if before, ok := home.servers[id]; ok && before.job == nil {
			before.agent, before.points = agent, nil
			d.startReplication(before)
			return before, nil
		}
	}
	return d.register(home, agent, direction)
}

// startFailbackLaunch belongs to the failback client, which brings servers home
// to places outside AWS. Nothing here ever runs it: between Regions, servers go
// home by ReverseReplication and StartRecovery in the origin.
func (d *DRS) startFailbackLaunch(r *region, in *sdk.StartFailbackLaunchInput) (*sdk.StartFailbackLaunchOutput, error) {
	for _, id := range in.RecoveryInstanceIDs {
		if _, err := r.instance(id); err != nil {
			return nil, err
		}
	}
	return nil, conflict("Recovery instance %s is not ready for a failback launch: its failback state is %s.",
		*in.RecoveryInstanceIDs[0], sdk.FailbackStateFailbackNotStarted)
}
