package rds

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"lifeline/internal/cloud"
	"lifeline/internal/cloud/keep"
	"lifeline/internal/runbook"
)

// instances lists the instances of a Region that pass a filter.
func (k kept) instances(ctx context.Context, at cloud.At, filter string, values []string) ([]types.DBInstance, error) {
	var out []types.DBInstance
	in := &sdk.DescribeDBInstancesInput{Filters: []types.Filter{{Name: aws.String(filter), Values: values}}}
	for {
		page, err := cloud.Call(ctx, at, k.clients(at.Region).DescribeDBInstances, in)
		if cloud.KindOf(err) == cloud.NotFound { // AWS's answer when nothing passes the filter
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, page.DBInstances...)
		if aws.ToString(page.Marker) == "" {
			return out, nil
		}
		in.Marker = page.Marker
	}
}

// byName finds instances by their identifiers.
func (k kept) byName(ctx context.Context, at cloud.At, names []string) (map[string]types.DBInstance, error) {
	all, err := k.instances(ctx, at, "db-instance-id", names)
	out := map[string]types.DBInstance{}
	for _, i := range all {
		out[strings.ToLower(aws.ToString(i.DBInstanceIdentifier))] = i
	}
	return out, err
}

// parameterGroup is the group of an instance, nil for AWS's own.
func parameterGroup(i types.DBInstance) *string {
	for _, g := range i.DBParameterGroups {
		return own(g.DBParameterGroupName)
	}
	return nil
}

func (k kept) readInstances(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.byName(ctx, at, names(items))
	return pick(items, found, func(_ runbook.Item, i types.DBInstance) runbook.ItemState {
		return runbook.ItemState{Busy: busy(i.DBInstanceStatus), Out: map[string]string{"arn": aws.ToString(i.DBInstanceArn)}}
	}), err
}

// putOffPrefix marks what waits for the maintenance window.
const putOffPrefix = "put-off/"

// readSettings reads settings and, beside them, what of them waits.
func (k kept) readSettings(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.byName(ctx, at, names(items))
	return pick(items, found, func(_ runbook.Item, i types.DBInstance) runbook.ItemState {
		have := map[string]string{
			"backup-days": strconv.Itoa(int(aws.ToInt32(i.BackupRetentionPeriod))), "multi-az": strconv.FormatBool(aws.ToBool(i.MultiAZ)),
			"others": waiting(i.PendingModifiedValues), "window": aws.ToString(i.PreferredMaintenanceWindow),
			"replica": strconv.FormatBool(aws.ToString(i.ReadReplicaSourceDBInstanceIdentifier) != ""),
		}
		if p := i.PendingModifiedValues; p != nil && p.BackupRetentionPeriod != nil {
			have[putOffPrefix+"backup-days"] = strconv.Itoa(int(*p.BackupRetentionPeriod))
		}
		if p := i.PendingModifiedValues; p != nil && p.MultiAZ != nil {
			have[putOffPrefix+"multi-az"] = strconv.FormatBool(*p.MultiAZ)
		}
		return runbook.ItemState{Busy: busy(i.DBInstanceStatus), Have: have}
	}), err
}

// waiting names the changes that wait for the maintenance window, other than
// those of setup.
func waiting(p *types.PendingModifiedValues) string {
	if p == nil {
		return ""
	}
	var out []string
	for _, change := range []struct {
		name string
		set  bool
	}{
		{"instance class", p.DBInstanceClass != nil},
		{"engine version", p.EngineVersion != nil},
		{"storage", p.AllocatedStorage != nil || p.Iops != nil || p.StorageType != nil || p.StorageThroughput != nil},
		{"identifier", p.DBInstanceIdentifier != nil},
		{"port", p.Port != nil},
		{"certificate", p.CACertificateIdentifier != nil},
		{"subnet group", p.DBSubnetGroupName != nil},
		{"license model", p.LicenseModel != nil},
		{"engine", p.Engine != nil},
		{"password", p.MasterUserPassword != nil},
		{"processor features", len(p.ProcessorFeatures) > 0},
		{"log exports", p.PendingCloudwatchLogsExports != nil},
	} {
		if change.set {
			out = append(out, change.name)
		}
	}
	return strings.Join(out, ", ")
}

// writeSettings changes what can be changed without an outage at once. The first
// backups of an instance begin with a restart, and applying at once would apply
// what others have put off as well: both are left to the maintenance window.
func (k kept) writeSettings(ctx context.Context, at cloud.At, item runbook.Item, have runbook.ItemState) (string, error) {
	if !have.Found {
		return "", cloud.Errorf(cloud.NotFound, "rds instance %q does not exist in %s", item.Name, at.Region)
	}
	why := putOff(have)
	in := &sdk.ModifyDBInstanceInput{DBInstanceIdentifier: aws.String(item.Name), ApplyImmediately: aws.Bool(why == "")}
	open := false
	for _, d := range item.Difference(have) {
		if why != "" && have.Have[putOffPrefix+d.Name] == d.Want {
			continue // it waits already
		}
		open = true
		switch d.Name {
		case "multi-az":
			in.MultiAZ = aws.Bool(d.Want == "true")
		case "backup-days":
			days, err := strconv.ParseInt(d.Want, 10, 32)
			if err != nil {
				return "", cloud.Errorf(cloud.Invalid, "days of backups of rds instance %q: %w", item.Name, err)
			}
			in.BackupRetentionPeriod = aws.Int32(int32(days))
		}
	}
	id, err := "", error(nil)
	if open {
		id, err = k.modify(ctx, at, in)
	}
	if err == nil && why != "" {
		err = cloud.Errorf(cloud.Invalid, "%s: it waits for the maintenance window (%s), run setup again after it", why, have.Have["window"])
	}
	return id, err
}

// putOff says why a change has to wait for the maintenance window; "" when it
// need not. A replica may restart: nobody writes to it.
func putOff(have runbook.ItemState) string {
	switch {
	case have.Have["others"] != "":
		return "applying now would apply what somebody has put off (" + have.Have["others"] + ")"
	case have.Have["backup-days"] == "0" && have.Have["replica"] != "true":
		return "automated backups are off, and turning them on restarts the instance"
	}
	return ""
}

func (k kept) modify(ctx context.Context, at cloud.At, in *sdk.ModifyDBInstanceInput) (string, error) {
	out, err := cloud.Call(ctx, at, k.clients(at.Region).ModifyDBInstance, in)
	if err != nil {
		return "", err
	}
	return cloud.RequestID(out.ResultMetadata), nil
}

// readReplicas finds instances and whom they replicate with, in either direction:
// after a failover and the way back the roles are swapped. A promoted instance
// replicates with nobody.
func (k kept) readReplicas(ctx context.Context, at cloud.At, items []runbook.Item) ([]runbook.ItemState, error) {
	found, err := k.byName(ctx, at, names(items))
	return pick(items, found, func(item runbook.Item, i types.DBInstance) runbook.ItemState {
		peers := append(slices.Clone(i.ReadReplicaDBInstanceIdentifiers), aws.ToString(i.ReadReplicaSourceDBInstanceIdentifier))
		have := map[string]string{}
		if slices.Contains(peers, item.Want["peer"]) {
			have["peer"] = item.Want["peer"]
		}
		return runbook.ItemState{Busy: busy(i.DBInstanceStatus), Have: have, Out: map[string]string{"arn": aws.ToString(i.DBInstanceArn)}}
	}), err
}

// source is an instance by its ARN, in its own Region.
func (k kept) source(ctx context.Context, name string) (types.DBInstance, cloud.At, error) {
	region, id, err := locate(name)
	if err != nil {
		return types.DBInstance{}, cloud.At{}, err
	}
	home := keep.At(region)
	found, err := k.byName(ctx, home, []string{id})
	i, ok := found[strings.ToLower(id)]
	if err == nil && !ok {
		err = cloud.Errorf(cloud.NotFound, "rds instance %q does not exist in %s", id, region)
	}
	if err == nil && aws.ToInt32(i.BackupRetentionPeriod) == 0 {
		err = cloud.Errorf(cloud.Invalid, "rds instance %q has no automated backups, and nothing can be copied without: give the resource protect.pitrDays", id)
	}
	return i, home, err
}

// locate reads arn:aws:rds:<region>:<account>:db:<identifier>.
func locate(name string) (region, id string, err error) {
	parts := strings.SplitN(name, ":", 7)
	if len(parts) != 7 || parts[0] != "arn" || parts[5] != "db" {
		return "", "", cloud.Errorf(cloud.Invalid, "%q is no ARN of an rds instance", name)
	}
	return parts[3], parts[6], nil
}

// writeReplica makes a read replica like its source, with a key of this Region
// when the source is encrypted, and with groups of the same name, which have to
// exist here.
func (k kept) writeReplica(ctx context.Context, at cloud.At, item runbook.Item, _ runbook.ItemState) (string, error) {
	source, home, err := k.source(ctx, item.Want["peer"])
	if err != nil {
		return "", err
	}
	in := &sdk.CreateDBInstanceReadReplicaInput{
		DBInstanceIdentifier: aws.String(item.Name), SourceDBInstanceIdentifier: aws.String(item.Want["peer"]), SourceRegion: aws.String(string(home.Region)),
		DBInstanceClass: source.DBInstanceClass, MultiAZ: aws.Bool(item.Want[runbook.AtCreation+"multi-az"] == "true"), CopyTagsToSnapshot: aws.Bool(true),
		DBParameterGroupName: parameterGroup(source), DeletionProtection: source.DeletionProtection, Tags: tags(item),
	}
	if source.DBSubnetGroup != nil {
		in.DBSubnetGroupName = own(source.DBSubnetGroup.DBSubnetGroupName)
	}
	if group := item.Want[runbook.AtCreation+"option-group"]; group != "" {
		in.OptionGroupName = aws.String(group)
	}
	if aws.ToBool(source.StorageEncrypted) {
		in.KmsKeyId = aws.String(item.Want[runbook.AtCreation+"key"])
	}
	out, err := cloud.Call(ctx, at, k.clients(at.Region).CreateDBInstanceReadReplica, in)
	if err != nil {
		return "", fmt.Errorf("make a read replica with the groups of %q, which must exist in %s under the same names: %w", aws.ToString(source.DBInstanceIdentifier), at.Region, err)
	}
	return cloud.RequestID(out.ResultMetadata), nil
}
