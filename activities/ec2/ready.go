package ec2

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
)

// ReadyAPI is what a proof of readiness reads of networks, templates and disks.
type ReadyAPI interface {
	NetworkAPI
	DescribeLaunchTemplateVersions(context.Context, *sdk.DescribeLaunchTemplateVersionsInput, ...func(*sdk.Options)) (*sdk.DescribeLaunchTemplateVersionsOutput, error)
	DescribeImages(context.Context, *sdk.DescribeImagesInput, ...func(*sdk.Options)) (*sdk.DescribeImagesOutput, error)
	DescribeInstances(context.Context, *sdk.DescribeInstancesInput, ...func(*sdk.Options)) (*sdk.DescribeInstancesOutput, error)
	DescribeNetworkInterfaces(context.Context, *sdk.DescribeNetworkInterfacesInput, ...func(*sdk.Options)) (*sdk.DescribeNetworkInterfacesOutput, error)
	DescribeVolumes(context.Context, *sdk.DescribeVolumesInput, ...func(*sdk.Options)) (*sdk.DescribeVolumesOutput, error)
	DescribeSnapshots(context.Context, *sdk.DescribeSnapshotsInput, ...func(*sdk.Options)) (*sdk.DescribeSnapshotsOutput, error)
}

// NetworkAPI is the part of it that is about networks.
type NetworkAPI interface {
	DescribeSubnets(context.Context, *sdk.DescribeSubnetsInput, ...func(*sdk.Options)) (*sdk.DescribeSubnetsOutput, error)
	DescribeSecurityGroups(context.Context, *sdk.DescribeSecurityGroupsInput, ...func(*sdk.Options)) (*sdk.DescribeSecurityGroupsOutput, error)
	DescribeRouteTables(context.Context, *sdk.DescribeRouteTablesInput, ...func(*sdk.Options)) (*sdk.DescribeRouteTablesOutput, error)
	DescribeVpcEndpoints(context.Context, *sdk.DescribeVpcEndpointsInput, ...func(*sdk.Options)) (*sdk.DescribeVpcEndpointsOutput, error)
	DescribeVpcs(context.Context, *sdk.DescribeVpcsInput, ...func(*sdk.Options)) (*sdk.DescribeVpcsOutput, error)
}

// Ready are the steps of a proof of readiness: they only read.
type Ready struct {
	Clients func(plan.Region) ReadyAPI
}

// NewReady makes the steps on AWS.
func NewReady(c *cloud.Clients) *Ready {
	return &Ready{Clients: cloud.PerRegion(c, func(cfg aws.Config) ReadyAPI { return sdk.NewFromConfig(cfg) })}
}

// SubnetsRef names subnets of one Region.
type SubnetsRef struct {
	Region  plan.Region   `json:"region"`
	Subnets []string      `json:"subnets"`
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Addresses are the free addresses of subnets, by id.
type Addresses struct {
	Free map[string]int `json:"free"`
}

// MeasureAddresses reads how many addresses are free, in one call.
func (r *Ready) MeasureAddresses(ctx context.Context, in SubnetsRef) (Addresses, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	out := Addresses{Free: map[string]int{}}
	if len(in.Subnets) == 0 {
		return out, nil
	}
	got, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSubnets, &sdk.DescribeSubnetsInput{SubnetIds: in.Subnets})
	if err != nil {
		return Addresses{}, fmt.Errorf("describe %d subnets: %w", len(in.Subnets), err)
	}
	for _, s := range got.Subnets {
		out.Free[aws.ToString(s.SubnetId)] = int(aws.ToInt32(s.AvailableIpAddressCount))
	}
	return out, nil
}

// SnapshotsRef asks for the newest finished snapshot of a volume, or of all that
// carry a tag, which is what a copy in another Region is known by.
type SnapshotsRef struct {
	Region   plan.Region   `json:"region"`
	Volume   string        `json:"volume,omitempty"`
	TagKey   string        `json:"tag_key,omitempty"`
	TagValue string        `json:"tag_value,omitempty"`
	Timeout  time.Duration `json:"timeout,omitempty"`
}

// Snapshots is what there is.
type Snapshots struct {
	Finished int       `json:"finished"`
	Newest   time.Time `json:"newest,omitzero"` // when it was begun: what it holds is of then
}

// DescribeSnapshots reads how old the newest finished snapshot is.
func (r *Ready) DescribeSnapshots(ctx context.Context, in SnapshotsRef) (Snapshots, error) {
	at := cloud.At{Region: in.Region, Timeout: in.Timeout}
	ask := &sdk.DescribeSnapshotsInput{OwnerIds: []string{"self"}, Filters: []types.Filter{{Name: aws.String("status"), Values: []string{"completed"}}}}
	if in.Volume != "" {
		ask.Filters = append(ask.Filters, types.Filter{Name: aws.String("volume-id"), Values: []string{in.Volume}})
	}
	if in.TagKey != "" {
		ask.Filters = append(ask.Filters, types.Filter{Name: aws.String("tag:" + in.TagKey), Values: []string{in.TagValue}})
	}
	var out Snapshots
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSnapshots, ask)
		if err != nil {
			return Snapshots{}, fmt.Errorf("list snapshots in %s: %w", in.Region, err)
		}
		for _, s := range page.Snapshots {
			out.Finished++
			if at := aws.ToTime(s.StartTime); at.After(out.Newest) {
				out.Newest = at.UTC()
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return out, nil
		}
	}
}

// AllRef is everything of a kind in a Region.
type AllRef struct {
	Region plan.Region `json:"region"`
}

// All are ids, sorted.
type All struct {
	Names []string `json:"names,omitempty"`
}

// Tags of what is made again by itself, so that nobody restores its disks.
const (
	groupTag   = "aws:autoscaling:groupName"
	stagingTag = "AWSElasticDisasterRecoveryManaged"
)

// FindVolumes lists the volumes of a Region that hold somebody's data: those of
// Auto Scaling groups and of Elastic Disaster Recovery's own servers do not.
func (r *Ready) FindVolumes(ctx context.Context, in AllRef) (All, error) {
	at := cloud.At{Region: in.Region, Timeout: 10 * time.Second}
	fleeting, err := r.ofGroups(ctx, at)
	if err != nil {
		return All{}, err
	}
	var out All
	ask := &sdk.DescribeVolumesInput{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeVolumes, ask)
		if err != nil {
			return All{}, fmt.Errorf("list volumes in %s: %w", in.Region, err)
		}
		for _, v := range page.Volumes {
			managed := slices.ContainsFunc(v.Tags, func(t types.Tag) bool { return aws.ToString(t.Key) == stagingTag })
			if id := aws.ToString(v.VolumeId); !managed && !fleeting[id] {
				out.Names = append(out.Names, id)
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			slices.Sort(out.Names)
			return out, nil
		}
	}
}

// ofGroups are the volumes of instances that Auto Scaling groups made.
func (r *Ready) ofGroups(ctx context.Context, at cloud.At) (map[string]bool, error) {
	out := map[string]bool{}
	ask := &sdk.DescribeInstancesInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{groupTag}}}, MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeInstances, ask)
		if err != nil {
			return nil, fmt.Errorf("list instances of groups in %s: %w", at.Region, err)
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				for _, disk := range i.BlockDeviceMappings {
					if disk.Ebs != nil {
						out[aws.ToString(disk.Ebs.VolumeId)] = true
					}
				}
			}
		}
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return out, nil
		}
	}
}
