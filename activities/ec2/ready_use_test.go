package ec2

import (
	"context"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud/cloudtest"
	"lifeline/internal/plan"
)

// depot is what a Region holds; it answers one thing a page.
type depot struct {
	ReadyAPI
	cloudtest.Service
	interfaces []types.NetworkInterface
	volumes    []types.Volume
	snapshots  []types.Snapshot
}

func newDepot() (*depot, *Ready) {
	d := &depot{
		Service: cloudtest.Service{ID: "EC2"}, interfaces: make([]types.NetworkInterface, 3), snapshots: make([]types.Snapshot, 2),
		volumes: []types.Volume{{VolumeType: "gp3", Size: aws.Int32(100)}, {VolumeType: "gp2", Size: aws.Int32(8)}, {VolumeType: "gp3", Size: aws.Int32(1)}},
	}
	return d, &Ready{Clients: func(plan.Region) ReadyAPI { return d }}
}

// onePage is the page of a list that a token means, and the next token.
func onePage[T any](all []T, token *string) ([]T, *string) {
	at := len(aws.ToString(token))
	if at+1 < len(all) {
		return all[at : at+1], aws.String("nnnnnnnn"[:at+1])
	}
	return all[at:], nil
}

func (d *depot) DescribeNetworkInterfaces(ctx context.Context, in *sdk.DescribeNetworkInterfacesInput, _ ...func(*sdk.Options)) (*sdk.DescribeNetworkInterfacesOutput, error) {
	return cloudtest.Serve(ctx, &d.Service, "DescribeNetworkInterfaces", func() (*sdk.DescribeNetworkInterfacesOutput, error) {
		page, next := onePage(d.interfaces, in.NextToken)
		return &sdk.DescribeNetworkInterfacesOutput{NetworkInterfaces: page, NextToken: next}, nil
	})
}

func (d *depot) DescribeVolumes(ctx context.Context, in *sdk.DescribeVolumesInput, _ ...func(*sdk.Options)) (*sdk.DescribeVolumesOutput, error) {
	return cloudtest.Serve(ctx, &d.Service, "DescribeVolumes", func() (*sdk.DescribeVolumesOutput, error) {
		page, next := onePage(d.volumes, in.NextToken)
		return &sdk.DescribeVolumesOutput{Volumes: page, NextToken: next}, nil
	})
}

func (d *depot) DescribeSnapshots(ctx context.Context, in *sdk.DescribeSnapshotsInput, _ ...func(*sdk.Options)) (*sdk.DescribeSnapshotsOutput, error) {
	return cloudtest.Serve(ctx, &d.Service, "DescribeSnapshots", func() (*sdk.DescribeSnapshotsOutput, error) {
		if !slices.Equal(in.OwnerIds, []string{"self"}) {
			return nil, cloudtest.Refuse("InvalidParameterValue", "everybody's snapshots")
		}
		page, next := onePage(d.snapshots, in.NextToken)
		return &sdk.DescribeSnapshotsOutput{Snapshots: page, NextToken: next}, nil
	})
}

func TestMeasureInterfaces_CountsToTheLastPage(t *testing.T) {
	t.Parallel()
	d, r := newDepot()
	got, err := r.MeasureInterfaces(t.Context(), AllRef{Region: "us-west-2"})
	require.NoError(t, err)
	require.Equal(t, Interfaces{Count: 3}, got)
	d.Next("DescribeNetworkInterfaces", cloudtest.Code("UnauthorizedOperation"))
	_, err = r.MeasureInterfaces(t.Context(), AllRef{Region: "us-west-2"})
	require.ErrorContains(t, err, "permission ec2:DescribeNetworkInterfaces is missing")
}

func TestMeasureStorage_AddsUpToTheLastPage(t *testing.T) {
	t.Parallel()
	d, r := newDepot()
	got, err := r.MeasureStorage(t.Context(), AllRef{Region: "us-west-2"})
	require.NoError(t, err)
	require.Equal(t, Storage{GiB: map[string]int{"gp3": 101, "gp2": 8}, Snapshots: 2}, got)
	for _, operation := range []string{"DescribeVolumes", "DescribeSnapshots"} {
		d.Next(operation, cloudtest.Code("UnauthorizedOperation"))
		_, err = r.MeasureStorage(t.Context(), AllRef{Region: "us-west-2"})
		require.ErrorContains(t, err, "permission ec2:"+operation+" is missing")
	}
}
