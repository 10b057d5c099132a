package ec2_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go/aws"
	sdk "github.com/aws/aws-sdk-go/service/ec2"
	"github.com/stretchr/testify/require"

	"lifeline/local/aws/ec2"
	"lifeline/local/aws/world"
)

func TestNetworkACL_DenyEntry_CutsEstablishedConnections(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{Boot: greeter})
	id, c := e.server(e.openGroup())
	dialled := c.dials
	place, ok := e.Placement(east, id)
	require.True(t, ok)
	acl := e.aclOf(place.Subnet)
	deny := &sdk.CreateNetworkAclEntryInput{
		NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int64(1), Protocol: aws.String("-1"),
		RuleAction: aws.String("deny"), CidrBlock: aws.String("0.0.0.0/0"), Egress: aws.Bool(false),
	}
	_, err := e.CreateNetworkACLEntry(e.call(east), deny)
	require.NoError(t, err)
	e.timesOut(c)
	require.Equal(t, dialled, c.dials, "the connection that was cut existed before")
	_, err = e.CreateNetworkACLEntry(e.call(east), deny)
	require.Equal(t, "NetworkAclEntryAlreadyExists", code(t, err))

	_, err = e.DeleteNetworkACLEntry(e.call(east), &sdk.DeleteNetworkAclEntryInput{
		NetworkAclId: acl.NetworkAclId, RuleNumber: aws.Int64(1), Egress: aws.Bool(false),
	})
	require.NoError(t, err)
	got, err := c.get(t.Context())
	require.NoError(t, err)
	require.Equal(t, id, got)
}

func TestNetworkACL_ReplacedAssociation_IsolatesAndGivesBack(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{Boot: greeter})
	id, c := e.server(e.openGroup())
	place, _ := e.Placement(east, id)
	before := e.aclOf(place.Subnet)
	var association *string
	for _, a := range before.Associations {
		if *a.SubnetId == place.Subnet {
			association = a.NetworkAclAssociationId
		}
	}
	isolation, err := e.CreateNetworkACL(e.call(east), &sdk.CreateNetworkAclInput{VpcId: before.VpcId})
	require.NoError(t, err)
	out, err := e.ReplaceNetworkACLAssociation(e.call(east), &sdk.ReplaceNetworkAclAssociationInput{
		AssociationId: association, NetworkAclId: isolation.NetworkAcl.NetworkAclId,
	})
	require.NoError(t, err)
	e.timesOut(c)
	_, err = e.DeleteNetworkACL(e.call(east), &sdk.DeleteNetworkAclInput{NetworkAclId: isolation.NetworkAcl.NetworkAclId})
	require.Equal(t, "DependencyViolation", code(t, err))

	_, err = e.ReplaceNetworkACLAssociation(e.call(east), &sdk.ReplaceNetworkAclAssociationInput{
		AssociationId: association, NetworkAclId: before.NetworkAclId,
	})
	require.Equal(t, "InvalidAssociationID.NotFound", code(t, err), "an association gets a new id when it moves")
	_, err = e.ReplaceNetworkACLAssociation(e.call(east), &sdk.ReplaceNetworkAclAssociationInput{
		AssociationId: out.NewAssociationId, NetworkAclId: before.NetworkAclId,
	})
	require.NoError(t, err)
	_, err = c.get(t.Context())
	require.NoError(t, err)
}

func TestSecurityGroup_Revoked_StopsNewConnectionsOnly(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{Boot: greeter})
	group := e.openGroup()
	id, tracked := e.server(group)
	_, err := e.RevokeSecurityGroupIngress(e.call(east), &sdk.RevokeSecurityGroupIngressInput{
		GroupId: &group, IpProtocol: aws.String("tcp"), FromPort: aws.Int64(8080), ToPort: aws.Int64(8080), CidrIp: aws.String("0.0.0.0/0"),
	})
	require.NoError(t, err)
	_, err = tracked.get(t.Context())
	require.NoError(t, err, "tracked connections go on")
	e.timesOut(e.client(id, 8080))
}

func TestDial_DarkRegion_IsSilentUntilHealed(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{Boot: greeter})
	_, c := e.server(e.openGroup())
	e.world.Inject(world.Fault{Kind: world.Blackout, Region: east})
	e.timesOut(c)
	e.world.Heal(east)
	_, err := c.get(t.Context())
	require.NoError(t, err)
}

func TestMachine_Network_FollowsTheACL(t *testing.T) {
	t.Parallel()
	machines := make(chan ec2.Machine, 1)
	e := newEstate(t, ec2.Options{Boot: func(ctx context.Context, m ec2.Machine) (http.Handler, error) {
		machines <- m
		return greeter(ctx, m)
	}})
	e.server(e.openGroup())
	m := <-machines
	require.True(t, m.Network())
	_, err := e.CreateNetworkACLEntry(e.call(east), &sdk.CreateNetworkAclEntryInput{
		NetworkAclId: e.aclOf(m.Subnet).NetworkAclId, RuleNumber: aws.Int64(1), Protocol: aws.String("-1"),
		RuleAction: aws.String("deny"), CidrBlock: aws.String("0.0.0.0/0"), Egress: aws.Bool(true),
	})
	require.NoError(t, err)
	require.False(t, m.Network())
}

func TestVPC_OwnNetwork_IsMadeAndRemovedInOrder(t *testing.T) {
	t.Parallel()
	e := newEstate(t, ec2.Options{})
	vpc, err := e.CreateVpc(e.call(west), &sdk.CreateVpcInput{CidrBlock: aws.String("10.1.0.0/16")})
	require.NoError(t, err)
	s, err := e.CreateSubnet(e.call(west), &sdk.CreateSubnetInput{
		VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.1.1.0/28"), AvailabilityZone: aws.String("us-west-2b"),
	})
	require.NoError(t, err)
	require.Equal(t, int64(11), *s.Subnet.AvailableIpAddressCount)
	_, err = e.CreateSubnet(e.call(west), &sdk.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.1.1.0/24")})
	require.Equal(t, "InvalidSubnet.Conflict", code(t, err))
	_, err = e.CreateSubnet(e.call(west), &sdk.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.2.1.0/24")})
	require.Equal(t, "InvalidSubnet.Range", code(t, err))
	_, err = e.DeleteVpc(e.call(west), &sdk.DeleteVpcInput{VpcId: vpc.Vpc.VpcId})
	require.Equal(t, "DependencyViolation", code(t, err))
	_, err = e.DeleteSubnet(e.call(west), &sdk.DeleteSubnetInput{SubnetId: s.Subnet.SubnetId})
	require.NoError(t, err)
	_, err = e.DeleteVpc(e.call(west), &sdk.DeleteVpcInput{VpcId: vpc.Vpc.VpcId})
	require.NoError(t, err)
	_, err = e.DescribeVpcs(e.call(east), &sdk.DescribeVpcsInput{VpcIds: []*string{vpc.Vpc.VpcId}})
	require.Equal(t, "InvalidVpcID.NotFound", code(t, err))
}
