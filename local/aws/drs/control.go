package drs

import (
	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"

	"lifeline/local/aws/wire"
)

func (d *DRS) serveServers(s *wire.Service) {
	serve(d, s, "DescribeSourceServers", d.describeSourceServers)
	serve(d, s, "GetReplicationConfiguration", d.getReplicationConfiguration)
	serve(d, s, "UpdateReplicationConfiguration", d.updateReplicationConfiguration)
	serve(d, s, "GetLaunchConfiguration", d.getLaunchConfiguration)
	serve(d, s, "UpdateLaunchConfiguration", d.updateLaunchConfiguration)
	serve(d, s, "StartReplication", d.startServer)
	serve(d, s, "StopReplication", d.stopServer)
	serve(d, s, "RetryDataReplication", d.retryServer)
	serve(d, s, "DisconnectSourceServer", d.disconnectServer)
	serve(d, s, "DeleteSourceServer", d.deleteServer)
	serve(d, s, "DescribeRecoverySnapshots", d.describeRecoverySnapshots)
}

// startServer replicates a stopped server again, from nothing.
func (d *DRS) startServer(r *region, in *sdk.StartReplicationInput) (*sdk.StartReplicationOutput, error) {
	s, err := r.server(in.SourceServerID)
	switch {
	case err != nil:
		return nil, err
	case s.replication.state == sdk.DataReplicationStateDisconnected:
		return nil, conflict("Source server %s is disconnected: install its agent again.", s.id)
	case !s.replication.off():
		return nil, conflict("Source server %s replicates already.", s.id)
	case r.replicating() >= maxReplicating:
		return nil, overQuota("%d source servers replicate already.", maxReplicating)
	}
	d.startReplication(s)
	return &sdk.StartReplicationOutput{SourceServer: d.describe(r, s)}, nil
}

// stopServer ends replication. Every point in time is lost with it, also while
// production runs on a recovery instance.
func (d *DRS) stopServer(r *region, in *sdk.StopReplicationInput) (*sdk.StopReplicationOutput, error) {
	s, err := r.server(in.SourceServerID)
	switch {
	case err != nil:
		return nil, err
	case s.replication.off():
		return nil, conflict("Source server %s doesn't replicate.", s.id)
	case s.job != nil:
		return nil, conflict("Source server %s is in job %s.", s.id, s.job.id)
	}
	s.halt(sdk.DataReplicationStateStopped)
	return &sdk.StopReplicationOutput{SourceServer: d.describe(r, s)}, nil
}

// retryServer begins again after a stall; what was replicated stays.
func (d *DRS) retryServer(r *region, in *sdk.RetryDataReplicationInput) (*sdk.RetryDataReplicationOutput, error) {
	s, err := r.server(in.SourceServerID)
	switch {
	case err != nil:
		return nil, err
	case s.replication.state != sdk.DataReplicationStateStalled:
		return nil, invalid("Source server %s is not stalled.", s.id)
	}
	if d.reachable(s) {
		d.recoverFromStall(s, s.replication.unseen)
		s.replication.unseen = 0
	}
	out := &sdk.RetryDataReplicationOutput{}
	awsCopy(out, d.describe(r, s))
	return out, nil
}

// disconnectServer takes the agent off a server, unless a recovery instance of
// it exists. Every point in time is lost.
func (d *DRS) disconnectServer(r *region, in *sdk.DisconnectSourceServerInput) (*sdk.DisconnectSourceServerOutput, error) {
	s, err := r.server(in.SourceServerID)
	switch {
	case err != nil:
		return nil, err
	case s.job != nil:
		return nil, conflict("Source server %s is in job %s.", s.id, s.job.id)
	case len(s.launched) > 0:
		return nil, conflict("Source server %s has a recovery instance, %s.", s.id, s.launched[len(s.launched)-1])
	}
	s.halt(sdk.DataReplicationStateDisconnected)
	out := &sdk.DisconnectSourceServerOutput{}
	awsCopy(out, d.describe(r, s))
	return out, nil
}

// deleteServer forgets a disconnected server.
func (d *DRS) deleteServer(r *region, in *sdk.DeleteSourceServerInput) (*sdk.DeleteSourceServerOutput, error) {
	s, err := r.server(in.SourceServerID)
	switch {
	case err != nil:
		return nil, err
	case s.replication.state != sdk.DataReplicationStateDisconnected:
		return nil, conflict("Source server %s must be disconnected first.", s.id)
	}
	delete(r.servers, s.id)
	return nil, nil
}

func (d *DRS) getReplicationConfiguration(r *region, in *sdk.GetReplicationConfigurationInput) (*sdk.GetReplicationConfigurationOutput, error) {
	s, err := r.server(in.SourceServerID)
	if err != nil {
		return nil, err
	}
	return clone(s.settings), nil
}

// updateReplicationConfiguration changes how one server replicates. Another key
// means that everything is replicated again, so the server resynchronizes.
func (d *DRS) updateReplicationConfiguration(r *region, in *sdk.UpdateReplicationConfigurationInput) (*sdk.UpdateReplicationConfigurationOutput, error) {
	s, err := r.server(in.SourceServerID)
	if err != nil {
		return nil, err
	}
	changed := clone(s.settings)
	if in.EbsEncryption != nil {
		changed.EbsEncryptionKeyArn = nil
	}
	awsCopy(changed, in)
	if err := d.checkReplication(r, changed.EbsEncryption, changed.EbsEncryptionKeyArn, changed.StagingAreaSubnetId, changed.PitPolicy); err != nil {
		return nil, err
	}
	rekeyed := aws.StringValue(changed.EbsEncryption) != aws.StringValue(s.settings.EbsEncryption) ||
		aws.StringValue(changed.EbsEncryptionKeyArn) != aws.StringValue(s.settings.EbsEncryptionKeyArn)
	s.settings = changed
	if rekeyed && !s.replication.off() {
		s.points = nil
		d.startReplication(s)
	}
	out := &sdk.UpdateReplicationConfigurationOutput{}
	awsCopy(out, changed)
	return out, nil
}

func (d *DRS) getLaunchConfiguration(r *region, in *sdk.GetLaunchConfigurationInput) (*sdk.GetLaunchConfigurationOutput, error) {
	s, err := r.server(in.SourceServerID)
	if err != nil {
		return nil, err
	}
	return clone(s.launching), nil
}

// updateLaunchConfiguration changes how one server is launched. Subnet, groups
// and type are in its EC2 launch template.
func (d *DRS) updateLaunchConfiguration(r *region, in *sdk.UpdateLaunchConfigurationInput) (*sdk.UpdateLaunchConfigurationOutput, error) {
	s, err := r.server(in.SourceServerID)
	if err != nil {
		return nil, err
	}
	if p := in.LaunchIntoInstanceProperties; p != nil && aws.StringValue(p.LaunchIntoEC2InstanceID) != "" {
		return nil, invalid("Launching into an existing instance is not offered here.")
	}
	awsCopy(s.launching, in)
	out := &sdk.UpdateLaunchConfigurationOutput{}
	awsCopy(out, s.launching)
	return out, nil
}
