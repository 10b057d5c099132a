package ec2

import (
	"encoding/base64"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"
)

func TestFingerprint_DiffersOnlyInWhatMustNotDiffer(t *testing.T) {
	t.Parallel()
	data := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	east := map[string]string{"us-east-1": "{region}", "docs-us-east-1": "{documents.bucket}"}
	west := map[string]string{"us-west-2": "{region}", "docs-other": "{documents.bucket}"}
	here := fingerprint(data("region=us-east-1 bucket=docs-us-east-1 mode=strict"), east)
	require.Equal(t, here, fingerprint(data("region=us-west-2 bucket=docs-other mode=strict"), west))
	require.NotEqual(t, here, fingerprint(data("region=us-west-2 bucket=docs-other mode=lax"), west))
	require.NotEqual(t, here, fingerprint(data("region=us-east-1 bucket=docs-other mode=strict"), west), "the other Region's name is a mistake")
	require.NotContains(t, here, "strict", "a history must not hold user data")
}

func TestWords_AreTheSameInAnyRegion(t *testing.T) {
	t.Parallel()
	p := types.IpPermission{
		IpProtocol: aws.String("tcp"), FromPort: aws.Int32(443), ToPort: aws.Int32(443),
		IpRanges:         []types.IpRange{{CidrIp: aws.String("10.1.0.0/16")}, {CidrIp: aws.String("0.0.0.0/0")}},
		Ipv6Ranges:       []types.Ipv6Range{{CidrIpv6: aws.String("::/0")}},
		UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: aws.String("sg-1")}},
		PrefixListIds:    []types.PrefixListId{{PrefixListId: aws.String("pl-1")}},
	}
	require.Equal(t, []string{
		"in tcp 443-443 its own VPC", "in tcp 443-443 0.0.0.0/0", "in tcp 443-443 ::/0", "in tcp 443-443 a security group", "in tcp 443-443 a prefix list",
	}, words("in", p, map[string]bool{"10.1.0.0/16": true}))
}
