package keepers_test

import (
	"strings"
	"testing"

	sdkec2 "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/stretchr/testify/require"
)

func TestBackup_VolumeKeepsItsOtherTags(t *testing.T) {
	t.Parallel()
	s := backupSite(t)
	id := s.volume(t)
	s.setup().converge(backupItems(t, backupPlanFile(id)), true).good(t)
	out, err := sdkec2.NewFromConfig(s.in(east)).DescribeVolumes(t.Context(), &sdkec2.DescribeVolumesInput{VolumeIds: []string{id}})
	require.NoError(t, err)
	var tags []string
	for _, tag := range out.Volumes[0].Tags {
		tags = append(tags, *tag.Key+"="+*tag.Value)
	}
	require.ElementsMatch(t, []string{"Name=scans", "lifeline:snapshots=" + dlmGroup}, tags)
	require.NotContains(t, strings.Join(tags, " "), "backup")
}
