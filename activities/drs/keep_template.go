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

// pick finds an item's template: the one with the application's tag, or, where
// there is a single one without such a tag, that one. The console makes one when
// it is first opened, and every new server starts with it.
func pick[T any](all []T, item runbook.Item, tagsOf func(T) map[string]string) (T, bool) {
	var unclaimed []T
	for _, t := range all {
		switch tagsOf(t)[owner] {
		case item.Want[runbook.AtCreation+"tag/"+owner]:
			return t, true
		case "":
			unclaimed = append(unclaimed, t)
		}
	}
	if len(all) == 1 && len(unclaimed) == 1 {
		return unclaimed[0], true
	}
	var nothing T
	return nothing, false
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
