package drs

import (
	"cmp"
	"maps"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/drs"
	"github.com/aws/aws-sdk-go/service/ec2"

	"lifeline/local/aws/wire"
)

func (d *DRS) serveTemplates(s *wire.Service) {
	serve(d, s, "CreateReplicationConfigurationTemplate", d.createReplicationTemplate)
	serve(d, s, "DescribeReplicationConfigurationTemplates", d.describeReplicationTemplates)
	serve(d, s, "UpdateReplicationConfigurationTemplate", d.updateReplicationTemplate)
	serve(d, s, "DeleteReplicationConfigurationTemplate", d.deleteReplicationTemplate)
	serve(d, s, "CreateLaunchConfigurationTemplate", d.createLaunchTemplate)
	serve(d, s, "DescribeLaunchConfigurationTemplates", d.describeLaunchTemplates)
	serve(d, s, "UpdateLaunchConfigurationTemplate", d.updateLaunchTemplate)
	serve(d, s, "DeleteLaunchConfigurationTemplate", d.deleteLaunchTemplate)
}

// createReplicationTemplate makes the template that new source servers follow; a
// Region has one.
func (d *DRS) createReplicationTemplate(r *region, in *sdk.CreateReplicationConfigurationTemplateInput) (*sdk.CreateReplicationConfigurationTemplateOutput, error) {
	if len(r.replication) > 0 {
		return nil, overQuota("The Region has a replication configuration template already.")
	}
	id := d.world.NewID("rct-")
	t := &sdk.ReplicationConfigurationTemplate{
		ReplicationConfigurationTemplateID: aws.String(id), Arn: aws.String(d.arn(r.name, "replication-configuration-template", id)),
		AssociateDefaultSecurityGroup: in.AssociateDefaultSecurityGroup, AutoReplicateNewDisks: in.AutoReplicateNewDisks,
		BandwidthThrottling: in.BandwidthThrottling, CreatePublicIP: in.CreatePublicIP, DataPlaneRouting: in.DataPlaneRouting,
		DefaultLargeStagingDiskType: in.DefaultLargeStagingDiskType, EbsEncryption: in.EbsEncryption,
		EbsEncryptionKeyArn: in.EbsEncryptionKeyArn, PitPolicy: in.PitPolicy, ReplicationServerInstanceType: in.ReplicationServerInstanceType,
		ReplicationServersSecurityGroupsIDs: in.ReplicationServersSecurityGroupsIDs, StagingAreaSubnetId: in.StagingAreaSubnetId,
		StagingAreaTags: in.StagingAreaTags, Tags: in.Tags, UseDedicatedReplicationServer: in.UseDedicatedReplicationServer,
	}
	if err := d.checkReplication(r, t.EbsEncryption, t.EbsEncryptionKeyArn, t.StagingAreaSubnetId, t.PitPolicy); err != nil {
		return nil, err
	}
	r.replication[id] = t
	out := &sdk.CreateReplicationConfigurationTemplateOutput{}
	awsCopy(out, t)
	return out, nil
}

// checkReplication refuses settings that replication can't work with.
func (d *DRS) checkReplication(r *region, encryption, key, subnet *string, policy []*sdk.PITPolicyRule) error {
	custom := aws.StringValue(encryption) == sdk.ReplicationConfigurationEbsEncryptionCustom
	if custom != (aws.StringValue(key) != "") {
		return invalid("ebsEncryptionKeyArn belongs to ebsEncryption CUSTOM, and only to it.")
	}
	for _, rule := range policy {
		if *rule.RetentionDuration < *rule.Interval {
			return invalid("A rule of the point in time policy retains %d %s, less than its interval of %d.", *rule.RetentionDuration, *rule.Units, *rule.Interval)
		}
		const year = 365
		if *rule.Units == sdk.PITPolicyRuleUnitsDay && *rule.RetentionDuration > year {
			return invalid("Points in time are retained for a year at most, not %d days.", *rule.RetentionDuration)
		}
	}
	if d.o.Subnets == nil || subnet == nil {
		return nil
	}
	if _, err := d.o.Subnets.DescribeSubnets(d.call(r.name), &ec2.DescribeSubnetsInput{SubnetIds: []*string{subnet}}); err != nil {
		return invalid("stagingAreaSubnetId: %v", err)
	}
	return nil
}

func (r *region) replicationTemplate(id *string) (*sdk.ReplicationConfigurationTemplate, error) {
	t, ok := r.replication[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Replication configuration template", aws.StringValue(id))
	}
	return t, nil
}

func (d *DRS) describeReplicationTemplates(r *region, in *sdk.DescribeReplicationConfigurationTemplatesInput) (*sdk.DescribeReplicationConfigurationTemplatesOutput, error) {
	out := &sdk.DescribeReplicationConfigurationTemplatesOutput{Items: []*sdk.ReplicationConfigurationTemplate{}}
	for _, id := range in.ReplicationConfigurationTemplateIDs {
		if _, err := r.replicationTemplate(id); err != nil {
			return nil, err
		}
	}
	for _, t := range r.replication {
		out.Items = append(out.Items, clone(t))
	}
	return out, nil
}

func (d *DRS) updateReplicationTemplate(r *region, in *sdk.UpdateReplicationConfigurationTemplateInput) (*sdk.UpdateReplicationConfigurationTemplateOutput, error) {
	t, err := r.replicationTemplate(in.ReplicationConfigurationTemplateID)
	if err != nil {
		return nil, err
	}
	changed := clone(t)
	overlay(&changed.AssociateDefaultSecurityGroup, in.AssociateDefaultSecurityGroup)
	overlay(&changed.AutoReplicateNewDisks, in.AutoReplicateNewDisks)
	overlay(&changed.BandwidthThrottling, in.BandwidthThrottling)
	overlay(&changed.CreatePublicIP, in.CreatePublicIP)
	overlay(&changed.DataPlaneRouting, in.DataPlaneRouting)
	overlay(&changed.DefaultLargeStagingDiskType, in.DefaultLargeStagingDiskType)
	overlay(&changed.ReplicationServerInstanceType, in.ReplicationServerInstanceType)
	overlay(&changed.StagingAreaSubnetId, in.StagingAreaSubnetId)
	overlay(&changed.UseDedicatedReplicationServer, in.UseDedicatedReplicationServer)
	if in.EbsEncryption != nil {
		changed.EbsEncryption, changed.EbsEncryptionKeyArn = in.EbsEncryption, in.EbsEncryptionKeyArn
	}
	overlay(&changed.EbsEncryptionKeyArn, in.EbsEncryptionKeyArn)
	if in.PitPolicy != nil {
		changed.PitPolicy = in.PitPolicy
	}
	if in.ReplicationServersSecurityGroupsIDs != nil {
		changed.ReplicationServersSecurityGroupsIDs = in.ReplicationServersSecurityGroupsIDs
	}
	if in.StagingAreaTags != nil {
		changed.StagingAreaTags = in.StagingAreaTags
	}
	if err := d.checkReplication(r, changed.EbsEncryption, changed.EbsEncryptionKeyArn, changed.StagingAreaSubnetId, changed.PitPolicy); err != nil {
		return nil, err
	}
	r.replication[*t.ReplicationConfigurationTemplateID] = changed
	out := &sdk.UpdateReplicationConfigurationTemplateOutput{}
	awsCopy(out, changed)
	return out, nil
}

func (d *DRS) deleteReplicationTemplate(r *region, in *sdk.DeleteReplicationConfigurationTemplateInput) (*sdk.DeleteReplicationConfigurationTemplateOutput, error) {
	if _, err := r.replicationTemplate(in.ReplicationConfigurationTemplateID); err != nil {
		return nil, err
	}
	delete(r.replication, *in.ReplicationConfigurationTemplateID)
	return nil, nil
}

// launchTemplate is a launch configuration template with its launch actions.
type launchTemplate struct {
	api     *sdk.LaunchConfigurationTemplate
	actions map[string]*sdk.LaunchAction
}

// createLaunchTemplate makes the launch settings that new source servers get.
func (d *DRS) createLaunchTemplate(r *region, in *sdk.CreateLaunchConfigurationTemplateInput) (*sdk.CreateLaunchConfigurationTemplateOutput, error) {
	if len(r.launching) > 0 {
		return nil, overQuota("The Region has a launch configuration template already.")
	}
	id := d.world.NewID("lct-")
	t := &sdk.LaunchConfigurationTemplate{
		LaunchConfigurationTemplateID: aws.String(id), Arn: aws.String(d.arn(r.name, "launch-configuration-template", id)),
		CopyPrivateIp: aws.Bool(aws.BoolValue(in.CopyPrivateIp)), CopyTags: aws.Bool(aws.BoolValue(in.CopyTags)),
		ExportBucketArn: in.ExportBucketArn, LaunchIntoSourceInstance: aws.Bool(aws.BoolValue(in.LaunchIntoSourceInstance)),
		LaunchDisposition: aws.String(cmp.Or(aws.StringValue(in.LaunchDisposition), sdk.LaunchDispositionStarted)),
		Licensing:         in.Licensing, PostLaunchEnabled: aws.Bool(aws.BoolValue(in.PostLaunchEnabled)), Tags: maps.Clone(in.Tags),
		TargetInstanceTypeRightSizingMethod: aws.String(cmp.Or(aws.StringValue(in.TargetInstanceTypeRightSizingMethod), sdk.TargetInstanceTypeRightSizingMethodBasic)),
	}
	r.launching[id] = &launchTemplate{api: t, actions: map[string]*sdk.LaunchAction{}}
	return &sdk.CreateLaunchConfigurationTemplateOutput{LaunchConfigurationTemplate: clone(t)}, nil
}

func (r *region) launchTemplate(id *string) (*launchTemplate, error) {
	t, ok := r.launching[aws.StringValue(id)]
	if !ok {
		return nil, notFound("Launch configuration template", aws.StringValue(id))
	}
	return t, nil
}

func (d *DRS) describeLaunchTemplates(r *region, in *sdk.DescribeLaunchConfigurationTemplatesInput) (*sdk.DescribeLaunchConfigurationTemplatesOutput, error) {
	out := &sdk.DescribeLaunchConfigurationTemplatesOutput{Items: []*sdk.LaunchConfigurationTemplate{}}
	for _, id := range in.LaunchConfigurationTemplateIDs {
		if _, err := r.launchTemplate(id); err != nil {
			return nil, err
		}
	}
	for _, t := range r.launching {
		out.Items = append(out.Items, clone(t.api))
	}
	return out, nil
}

func (d *DRS) updateLaunchTemplate(r *region, in *sdk.UpdateLaunchConfigurationTemplateInput) (*sdk.UpdateLaunchConfigurationTemplateOutput, error) {
	t, err := r.launchTemplate(in.LaunchConfigurationTemplateID)
	if err != nil {
		return nil, err
	}
	overlay(&t.api.CopyPrivateIp, in.CopyPrivateIp)
	overlay(&t.api.CopyTags, in.CopyTags)
	overlay(&t.api.ExportBucketArn, in.ExportBucketArn)
	overlay(&t.api.LaunchDisposition, in.LaunchDisposition)
	overlay(&t.api.LaunchIntoSourceInstance, in.LaunchIntoSourceInstance)
	overlay(&t.api.Licensing, in.Licensing)
	overlay(&t.api.PostLaunchEnabled, in.PostLaunchEnabled)
	overlay(&t.api.TargetInstanceTypeRightSizingMethod, in.TargetInstanceTypeRightSizingMethod)
	return &sdk.UpdateLaunchConfigurationTemplateOutput{LaunchConfigurationTemplate: clone(t.api)}, nil
}

func (d *DRS) deleteLaunchTemplate(r *region, in *sdk.DeleteLaunchConfigurationTemplateInput) (*sdk.DeleteLaunchConfigurationTemplateOutput, error) {
	if _, err := r.launchTemplate(in.LaunchConfigurationTemplateID); err != nil {
		return nil, err
	}
	delete(r.launching, *in.LaunchConfigurationTemplateID)
	return nil, nil
}
