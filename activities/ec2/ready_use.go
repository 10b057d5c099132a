package ec2

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"

	"lifeline/internal/cloud"
)

// useTimeout is how long one page of a list of everything may take.
const useTimeout = 10 * time.Second

// Interfaces counts the network interfaces of a Region, whoever made them.
type Interfaces struct {
	Count int `json:"count"`
}

// MeasureInterfaces counts network interfaces: all of them count against the quota.
func (r *Ready) MeasureInterfaces(ctx context.Context, in AllRef) (Interfaces, error) {
	at := cloud.At{Region: in.Region, Timeout: useTimeout}
	// The largest page: one call for most accounts.
	ask := &sdk.DescribeNetworkInterfacesInput{MaxResults: aws.Int32(1000)}
	var out Interfaces
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeNetworkInterfaces, ask)
		if err != nil {
			return Interfaces{}, fmt.Errorf("count network interfaces in %s: %w", in.Region, err)
		}
		out.Count += len(page.NetworkInterfaces)
		if ask.NextToken = page.NextToken; aws.ToString(ask.NextToken) == "" {
			return out, nil
		}
	}
}

// Storage is what a Region holds of EBS.
type Storage struct {
	GiB       map[string]int `json:"gib"` // of volumes, by type: gp3
	Snapshots int            `json:"snapshots"`
}

// MeasureStorage adds up volumes and counts the account's own snapshots.
func (r *Ready) MeasureStorage(ctx context.Context, in AllRef) (Storage, error) {
	at := cloud.At{Region: in.Region, Timeout: useTimeout}
	out := Storage{GiB: map[string]int{}}
	volumes := &sdk.DescribeVolumesInput{}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeVolumes, volumes)
		if err != nil {
			return Storage{}, fmt.Errorf("add up volumes in %s: %w", in.Region, err)
		}
		for _, v := range page.Volumes {
			out.GiB[string(v.VolumeType)] += int(aws.ToInt32(v.Size))
		}
		if volumes.NextToken = page.NextToken; aws.ToString(volumes.NextToken) == "" {
			break
		}
	}
	snapshots := &sdk.DescribeSnapshotsInput{OwnerIds: []string{"self"}, MaxResults: aws.Int32(1000)}
	for {
		page, err := cloud.Call(ctx, at, r.Clients(at.Region).DescribeSnapshots, snapshots)
		if err != nil {
			return Storage{}, fmt.Errorf("count snapshots in %s: %w", in.Region, err)
		}
		out.Snapshots += len(page.Snapshots)
		if snapshots.NextToken = page.NextToken; aws.ToString(snapshots.NextToken) == "" {
			return out, nil
		}
	}
}
