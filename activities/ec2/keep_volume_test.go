package ec2

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"lifeline/internal/cloud"
	"lifeline/internal/plan"
	"lifeline/internal/runbook"
)

// shelf is the volumes of a Region; it answers one a page.
type shelf struct {
	SetupAPI
	volumes map[string]types.VolumeState
	asked   []int // values of each filter
}

func (s *shelf) DescribeVolumes(_ context.Context, in *sdk.DescribeVolumesInput, _ ...func(*sdk.Options)) (*sdk.DescribeVolumesOutput, error) {
	values, from := in.Filters[0].Values, 0
	if in.NextToken == nil {
		s.asked = append(s.asked, len(values))
	} else if _, err := fmt.Sscan(*in.NextToken, &from); err != nil {
		return nil, err
	}
	out := &sdk.DescribeVolumesOutput{}
	if state, ok := s.volumes[values[from]]; ok {
		out.Volumes = []types.Volume{{VolumeId: aws.String(values[from]), State: state}}
	}
	if from+1 < len(values) {
		out.NextToken = aws.String(fmt.Sprint(from + 1))
	}
	return out, nil
}

func TestReadVolumes_ManyAtOnceAndToTheLastPage(t *testing.T) {
	t.Parallel()
	s := &shelf{volumes: map[string]types.VolumeState{}}
	var items []runbook.Item
	for i := range 250 {
		id := fmt.Sprintf("vol-%d", i)
		s.volumes[id] = types.VolumeStateInUse
		items = append(items, runbook.Item{Type: "ebs-volume", Name: id})
	}
	states, err := keeper{func(plan.Region) SetupAPI { return s }}.readVolumes(t.Context(), cloud.At{Region: "us-east-1"}, items)
	require.NoError(t, err)
	require.Equal(t, []int{200, 50}, s.asked)
	for _, have := range states {
		require.True(t, have.Found, have.ID)
	}
}

func TestReadVolumes_WhatIsBeingDeletedIsNotThere(t *testing.T) {
	t.Parallel()
	s := &shelf{volumes: map[string]types.VolumeState{"vol-1": types.VolumeStateDeleting, "vol-2": types.VolumeStateCreating}}
	items := []runbook.Item{{Name: "vol-1"}, {Name: "vol-2"}, {Name: "vol-3"}}
	states, err := keeper{func(plan.Region) SetupAPI { return s }}.readVolumes(t.Context(), cloud.At{Region: "us-east-1"}, items)
	require.NoError(t, err)
	require.False(t, states[0].Found)
	require.Equal(t, "creating", states[1].Busy)
	require.False(t, states[2].Found)
}
