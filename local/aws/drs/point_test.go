package drs

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go/service/drs"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/world"
)

func TestKeepPoints_DefaultPolicy_TenMinutesThenHoursThenDays(t *testing.T) {
	t.Parallel()
	w := world.New(world.Options{})
	t.Cleanup(w.Close)
	d := New(w, nil, Options{})
	s := &server{settings: &sdk.GetReplicationConfigurationOutput{}}
	const day = 24 * 60
	for minute := 1; minute <= 9*day; minute++ {
		s.replication.total = minute
		d.keepPoints(s)
	}
	var ages []int
	for _, p := range s.points {
		ages = append(ages, s.replication.total-p.born)
	}
	want := []int{}
	for age := 7; age > 1; age-- {
		want = append(want, age*day)
	}
	for age := 24; age > 1; age-- {
		want = append(want, age*60)
	}
	for age := 60; age >= 0; age -= 10 {
		want = append(want, age)
	}
	require.Equal(t, want, ages)
}
