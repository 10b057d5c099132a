package drs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"lifeline/internal/cloud"
	"lifeline/internal/runbook"
)

// claimed is the application whose template it is; never wanted.
const claimed = "claimed"

// pick finds an item's template: the one with the application's tag, or else the
// only one that there is. A Region has one, the console makes it when it is first
// opened, and every new server starts with it.
func pick[T any](all []T, item runbook.Item, tagsOf func(T) map[string]string) (T, bool) {
	for _, t := range all {
		if tagsOf(t)[owner] == tags(item)[owner] {
			return t, true
		}
	}
	if len(all) == 1 {
		return all[0], true
	}
	var nothing T
	return nothing, false
}

// shared refuses to change the template of another application: the two would
// take it from each other, run after run.
func shared(item runbook.Item, have runbook.ItemState) error {
	other := have.Have[claimed]
	if other == "" || other == tags(item)[owner] {
		return nil
	}
	return cloud.Errorf(cloud.Invalid, "AWS keeps one template for new servers in %s, and it is that of the application %q: say the same in both plans; servers that are registered have settings of their own",
		item.Region, other)
}

func (k keeper) readReplicationTemplates(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	var all []types.ReplicationConfigurationTemplate
	in := &sdk.DescribeReplicationConfigurationTemplatesInput{}
	for {
		out, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeReplicationConfigurationTemplates, in)
		if uninitialized(err) {
			return none(items), nil
		}
		if err != nil {
			return nil, fmt.Errorf("describe replication templates: %w", err)
		}
		all = append(all, out.Items...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	states := none(items)
	for i, item := range items {
		t, ok := pick(all, item, func(t types.ReplicationConfigurationTemplate) map[string]string { return t.Tags })
		if !ok {
			continue
		}
		s := staging{
			Subnet: t.StagingAreaSubnetId, Groups: t.ReplicationServersSecurityGroupsIDs, DefaultGroup: t.AssociateDefaultSecurityGroup,
			Encryption: t.EbsEncryption, Key: t.EbsEncryptionKeyArn, Routing: t.DataPlaneRouting, PublicIP: t.CreatePublicIP, Points: t.PitPolicy,
		}
		states[i].Found, states[i].Have, states[i].Out = true, s.properties(), identity(t.ReplicationConfigurationTemplateID, t.Arn)
		states[i].Have[claimed] = t.Tags[owner]
	}
	return states, nil
}

func identity(id, arn *string) map[string]string {
	return map[string]string{"id": aws.ToString(id), "arn": aws.ToString(arn)}
}

func (k keeper) writeReplicationTemplate(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	s, err := different(item, have)
	if err != nil {
		return "", err
	}
	if !have.Found {
		return k.createReplicationTemplate(ctx, at, item, s)
	}
	if err := shared(item, have); err != nil {
		return "", err
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).UpdateReplicationConfigurationTemplate, &sdk.UpdateReplicationConfigurationTemplateInput{
		ReplicationConfigurationTemplateID: aws.String(have.Out["id"]),
		StagingAreaSubnetId:                s.Subnet, ReplicationServersSecurityGroupsIDs: s.Groups, AssociateDefaultSecurityGroup: s.DefaultGroup,
		EbsEncryption: s.Encryption, EbsEncryptionKeyArn: s.Key, DataPlaneRouting: s.Routing, CreatePublicIP: s.PublicIP, PitPolicy: s.Points,
	})
	if err != nil {
		return "", fmt.Errorf("update replication template %s: %w", have.Out["id"], err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// createReplicationTemplate adds what AWS requires of a new template and the plan
// says nothing about: AWS's own defaults.
func (k keeper) createReplicationTemplate(ctx context.Context, at cloud.At, item runbook.Item, s staging) (string, error) {
	in := &sdk.CreateReplicationConfigurationTemplateInput{
		StagingAreaSubnetId: s.Subnet, ReplicationServersSecurityGroupsIDs: s.Groups, AssociateDefaultSecurityGroup: s.DefaultGroup,
		EbsEncryption: s.Encryption, EbsEncryptionKeyArn: s.Key, DataPlaneRouting: s.Routing, CreatePublicIP: aws.Bool(false), PitPolicy: s.Points,
		DefaultLargeStagingDiskType:   types.ReplicationConfigurationDefaultLargeStagingDiskTypeGp3,
		ReplicationServerInstanceType: aws.String("t3.small"), UseDedicatedReplicationServer: aws.Bool(false),
		AutoReplicateNewDisks: aws.Bool(true), StagingAreaTags: tags(item), Tags: tags(item),
	}
	if in.ReplicationServersSecurityGroupsIDs == nil {
		in.ReplicationServersSecurityGroupsIDs = []string{}
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateReplicationConfigurationTemplate, in)
	if err != nil {
		return "", fmt.Errorf("create replication template: %w", err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
